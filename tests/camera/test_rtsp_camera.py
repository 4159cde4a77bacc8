"""The simulated RTSP camera: its packets as RFC 2435 has them, its password, and viewers that talk nonsense."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator

import cv2
import numpy
import pytest

from drivers.camera import OpenCvCamera
from drivers.errors import DeviceLost
from drivers.simulated.camera import stamp_ms
from drivers.simulated.rtp_jpeg import FRAGMENT_BYTES, PAYLOAD_TYPE, packets, scan_of
from drivers.simulated.rtsp_camera import PATH, SimulatedRtspCamera

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


def test_a_wrong_password_is_a_loss_with_the_address_and_never_the_password(
    rtsp: SimulatedRtspCamera, make_camera: MakeCamera
) -> None:
    camera = make_camera(rtsp.url.replace(rtsp.digest.password, "geheim"))
    with pytest.raises(DeviceLost, match=f"rtsp://127.0.0.1:{rtsp.port}{PATH}: cannot be opened") as caught:
        camera.open()
    assert "geheim" not in str(caught.value) and "user name and password" in str(caught.value)
    assert rtsp.digest.refused == 1


def test_a_viewer_that_says_nonsense_is_left_and_the_next_is_served(rtsp: SimulatedRtspCamera) -> None:
    with socket.create_connection(("127.0.0.1", rtsp.port), WAIT_S) as line:
        line.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert b"200 OK" in line.recv(4096)
        line.sendall(b"nonsense\r\n\r\n")
        assert line.recv(4096) == b""
    with socket.create_connection(("127.0.0.1", rtsp.port), WAIT_S) as line:
        line.sendall(b"DESCRIBE rtsp://127.0.0.1/elsewhere RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert b"401 Unauthorized" in line.recv(4096)
