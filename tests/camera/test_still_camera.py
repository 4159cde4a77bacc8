"""Single pictures with a password: what a wrong one costs, and what is never decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import cv2
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceLost, Misconfigured
from drivers.jpeg_size import jpeg_size
from drivers.simulated.camera import Mode, SimulatedStillCamera, stamp_ms
from drivers.simulated.camera_portrait import portrait
from drivers.still_camera import StillCamera

SOON_S = 30.0


@pytest.fixture(name="scene")
def a_camera(tmp_path: Path) -> Iterator[SimulatedStillCamera]:
    with closing(SimulatedStillCamera(link=tmp_path / "password")) as scene:
        scene.start()
        yield scene


def test_a_refused_password_needs_a_person_and_is_never_sent_again(scene: SimulatedStillCamera, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("not this one\n")
    for _ in range(4):  # as the supervisor does, again and again, and so does every new driver of this program
        with closing(StillCamera("gate", scene.url)) as camera, pytest.raises(Misconfigured) as caught:
            camera.open()
        assert str(tmp_path / "password") in str(caught.value) and "not this one" not in str(caught.value)
    assert scene.digest.refused == 1, "five wrong passwords lock the administrator out"
    (tmp_path / "password").write_text(scene.digest.password + "\n")
    with closing(StillCamera("gate", scene.url)) as camera:
        camera.open()
        assert camera.latest(wait_s=SOON_S) is not None
    assert scene.digest.refused == 1 and not scene.digest.locked


def test_a_password_that_is_changed_while_it_works_is_not_tried_until_the_camera_locks(scene: SimulatedStillCamera) -> None:
    with closing(StillCamera("gate", f"{scene.url}&interval_s=0.1")) as camera:
        camera.open()
        scene.digest.password = "changed at the camera"
        with pytest.raises(Misconfigured, match="not sent again"):
            give_up_s = time.monotonic() + SOON_S
            while time.monotonic() < give_up_s:
                camera.watch(0.5)
        for _ in range(3):
            with pytest.raises(Misconfigured, match="not sent again"):
                camera.open()
    assert 1 <= scene.digest.refused <= 2, "once with the old nonce, once with a new one"


def test_a_camera_that_was_restarted_asks_again_and_is_answered(scene: SimulatedStillCamera) -> None:
    with closing(StillCamera("gate", f"{scene.url}&interval_s=0.1")) as camera:
        camera.open()
        scene.digest.forget()
        began_s = time.monotonic()
        frame = camera.latest(max_age_s=0.0, wait_s=0)
        while frame is None or frame.taken_mono_s < began_s:
            assert time.monotonic() < began_s + SOON_S
            frame = camera.latest(wait_s=0.5)
        camera.watch(0.1)
    assert scene.digest.refused == 0


def test_a_picture_counts_as_taken_when_it_was_asked_for(scene: SimulatedStillCamera) -> None:
    scene.set_mode(Mode.LAG)  # each comes after LATE_S
    with closing(StillCamera("gate", scene.url)) as camera:
        camera.open()
        frame = camera.latest(max_age_s=2.0, wait_s=SOON_S)
        assert frame is not None
        assert frame.taken_mono_s * 1000 <= stamp_ms(frame.jpeg) + 1, "never newer than it is"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("still:10.0.0.9", "write still:http"),
        ("still:http://admin:geheim@10.0.0.9", "write still:http"),
        ("still:http://10.0.0.9?user=admin", "password_file="),
        ("still:http://10.0.0.9?user=admin&password_file=/x&interval_s=0", "interval_s"),
        ("still:http://10.0.0.9?user=admin&password_file=/x&path=snapshot.cgi", "path="),
        ("still:http://10.0.0.9?user=admin&password_file=/x&speed=9", "no option 'speed'"),
    ],
)
def test_a_mistake_in_the_address_is_named_and_no_password_is_repeated(url: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        StillCamera("gate", url)
    assert "geheim" not in str(caught.value)


def test_a_channel_that_the_camera_has_not_is_named(scene: SimulatedStillCamera) -> None:
    with closing(StillCamera("gate", f"{scene.url}&channel=901")) as camera, pytest.raises(Misconfigured, match="another"):
        camera.open()


@pytest.fixture(name="answering")
def a_server_that_answers_anything(tmp_path: Path) -> Iterator[tuple[str, list[bytes]]]:
    bodies = [b""]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(bodies[0])))
            self.end_headers()
            self.wfile.write(bodies[0])

    (tmp_path / "password").write_text("x\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"still:http://127.0.0.1:{server.server_address[1]}?user=admin&password_file={tmp_path}/password", bodies
    server.shutdown()
    server.server_close()


def test_a_picture_that_claims_gigabytes_is_refused_before_it_is_decoded(answering: tuple[str, list[bytes]]) -> None:
    url, bodies = answering
    bodies[0] = _claiming(portrait(1), 60_000, 60_000)
    with closing(StillCamera("gate", url)) as camera, pytest.raises(Misconfigured, match="60000x60000"):
        camera.open()


NO_PICTURES = {"none": b"", "page": b"<html>sign in</html>", "bare": b"\xff\xd8\xff\xd9", "zeros": bytes(4096)}


@pytest.mark.parametrize("body", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_a_loss(answering: tuple[str, list[bytes]], body: bytes) -> None:
    url, bodies = answering
    bodies[0] = body
    with closing(StillCamera("gate", url)) as camera, pytest.raises(DeviceLost, match="no valid picture"):
        camera.open()


def _claiming(jpeg: bytes, width: int, height: int) -> bytes:
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + jpeg[at + 9 :]


def test_the_size_is_read_as_the_decoder_would() -> None:
    for width, height in ((1, 1), (17, 300), (640, 480)):
        done, jpeg = cv2.imencode(".jpg", numpy.zeros((height, width, 3), numpy.uint8))
        assert done and jpeg_size(jpeg.tobytes()) == (width, height)
        done, progressive = cv2.imencode(".jpg", numpy.zeros((height, width, 3), numpy.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
        assert done and jpeg_size(progressive.tobytes()) == (width, height)


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda rest: b"\xff\xd8\xff" + rest)))
def test_no_bytes_at_all_break_the_parser_of_sizes(data: bytes) -> None:
    size = jpeg_size(data)
    assert size is None or (0 < size[0] < 1 << 16 and 0 < size[1] < 1 << 16)


PICTURE = portrait(1)


@given(st.integers(min_value=0, max_value=len(PICTURE)))
def test_half_a_picture_has_its_size_or_none(cut: int) -> None:
    assert jpeg_size(PICTURE[:cut]) in (None, jpeg_size(PICTURE))
