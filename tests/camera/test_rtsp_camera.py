"""The simulated RTSP camera: its packets as RFC 2435 has them, its password, and viewers that talk nonsense."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator

import cv2
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera import OpenCvCamera
from drivers.errors import Misconfigured
from drivers.simulated.camera import stamp_ms
from drivers.simulated.http_digest import WRONG_UNTIL_LOCKED
from drivers.simulated.rtp_jpeg import FRAGMENT_BYTES, PAYLOAD_TYPE, packets, scan_of
from drivers.simulated.rtsp_camera import PATH, SimulatedRtspCamera
from drivers.stream_login import login_for, told

MakeCamera = Callable[..., OpenCvCamera]
RTP_HEAD, JPEG_HEAD, TABLES_HEAD = 12, 8, 4
WAIT_S = 15.0


@pytest.fixture(name="rtsp")
def an_rtsp_camera() -> Iterator[SimulatedRtspCamera]:
    with SimulatedRtspCamera(fps=10) as camera:
        yield camera


def encoded(sampling: int) -> bytes:
    image = numpy.random.default_rng(7).integers(0, 256, (240, 320, 3), dtype=numpy.uint8)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling])
    assert done
    return jpeg.tobytes()


@pytest.mark.parametrize(
    ("sampling", "kind"),
    [(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, 0), (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, 1)],
    ids=["4:2:2", "4:2:0"],
)
def test_the_packets_of_a_picture_put_together_are_its_scan(sampling: int, kind: int) -> None:
    jpeg = encoded(sampling)
    scan, rest = scan_of(jpeg), b""
    sent = list(packets(jpeg, first_number=0xFFFF, timestamp=90_000, source=5))
    for count, packet in enumerate(sent):
        version, marked, number, timestamp, source = struct.unpack(">BBHII", packet[:RTP_HEAD])
        assert (version, number, timestamp, source) == (0x80, (0xFFFF + count) & 0xFFFF, 90_000, 5)
        assert marked == PAYLOAD_TYPE | (0x80 if count == len(sent) - 1 else 0)
        body = packet[RTP_HEAD:]
        assert int.from_bytes(body[:4], "big") == len(rest) and body[4:JPEG_HEAD] == bytes([kind, 255, 40, 30])
        body = body[JPEG_HEAD:]
        if count == 0:
            assert body[:TABLES_HEAD] == b"\x00\x00\x00\x80" and body[TABLES_HEAD : TABLES_HEAD + 128] == scan.tables
            body = body[TABLES_HEAD + 128 :]
        assert len(body) <= FRAGMENT_BYTES
        rest += body
    assert rest == scan.data and jpeg.endswith(scan.data + b"\xff\xd9")


@pytest.mark.parametrize(
    "jpeg", [b"", bytes(5000), encoded(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)], ids=["empty", "zeros", "4:4:4"]
)
def test_what_the_format_cannot_carry_is_refused(jpeg: bytes) -> None:
    with pytest.raises(ValueError):
        scan_of(jpeg)


def test_a_picture_comes_through_with_its_stamp(rtsp: SimulatedRtspCamera, make_camera: MakeCamera) -> None:
    camera = make_camera(rtsp.url)
    camera.open()
    frame = camera.latest(max_age_s=WAIT_S, wait_s=WAIT_S)
    assert frame is not None and stamp_ms(frame.jpeg) > 0
    assert rtsp.digest.admitted and not rtsp.digest.refused


def test_a_wrong_password_is_sent_once_whoever_tries_and_never_shown(rtsp: SimulatedRtspCamera, make_camera: MakeCamera) -> None:
    camera = make_camera(rtsp.url.replace(rtsp.digest.password, "geheim"))
    for _ in range(WRONG_UNTIL_LOCKED + 1):
        with pytest.raises(Misconfigured, match=f"rtsp://127.0.0.1:{rtsp.port}{PATH} refuses the user name") as caught:
            camera.open()
        assert "geheim" not in str(caught.value)
    assert rtsp.digest.refused == 1 and not rtsp.digest.locked
    right = make_camera(rtsp.url)
    right.open()
    assert rtsp.digest.refused == 1


@pytest.mark.parametrize("challenge", ['Digest realm="cam", nonce="5"', 'Basic realm="cam"'])
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_of_the_old_kind_is_asked_once_too(scheme: str, challenge: str, make_camera: MakeCamera) -> None:
    logins = list[str]()

    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            version = "RTSP/1.0" if scheme == "rtsp" else "HTTP/1.1"
            for line in self.rfile:
                if line.lower().startswith(b"authorization"):
                    logins.append(line.decode())
                if line == b"\r\n":
                    head = f"{version} 401 No\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 2\r\n\r\n"
                    self.wfile.write(head.encode())
                    self.wfile.write(b"no")
                    if scheme == "http":
                        return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        camera = make_camera(f"camera:{scheme}://ad%6Din:ge%40heim@127.0.0.1:{server.server_address[1]}/live")
        for _ in range(2):
            with pytest.raises(Misconfigured, match="refuses the user name"):
                camera.open()
        server.shutdown()
        thread.join()
    (login,) = logins
    assert 'username="admin"' in login or "YWRtaW46Z2VAaGVpbQ==" in login


@given(st.binary(max_size=300))
def test_any_answer_of_a_camera_is_understood_or_left_alone(head: bytes) -> None:
    for begun in (head, b"RTSP/1.0 401 No\r\nWWW-Authenticate: Digest " + head):
        login_for(told(begun), method="DESCRIBE", uri="rtsp://cam/live", user="u", password="p")


def test_a_digest_is_that_of_the_standard() -> None:
    """The example of RFC 2617, without the quality of protection that it adds."""
    asked = told(
        b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    )
    login = login_for(asked, method="GET", uri="/dir/index.html", user="Mufasa", password="Circle Of Life")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in login


def test_a_viewer_that_says_nonsense_is_left_and_the_next_is_served(rtsp: SimulatedRtspCamera) -> None:
    with socket.create_connection(("127.0.0.1", rtsp.port), WAIT_S) as line:
        line.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert b"200 OK" in line.recv(4096)
        line.sendall(b"nonsense\r\n\r\n")
        assert line.recv(4096) == b""
    with socket.create_connection(("127.0.0.1", rtsp.port), WAIT_S) as line:
        line.sendall(b"DESCRIBE rtsp://127.0.0.1/elsewhere RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert b"401 Unauthorized" in line.recv(4096)
