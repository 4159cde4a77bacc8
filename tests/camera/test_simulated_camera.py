"""The camera that is not there: what it draws, and what it says over the wire without our driver."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

import cv2
import numpy
import pytest

from drivers.simulated.camera import WRAP_MS, Mode, SimulatedCamera, portrait, stamp_ms


def decode(jpeg: bytes) -> numpy.ndarray:
    image = cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_the_same_number_is_the_same_person_every_time() -> None:
    assert portrait(1001) == portrait(1001)
    assert decode(portrait(1001)).shape == (320, 240, 3)


def test_forty_numbers_are_forty_people() -> None:
    assert len({portrait(seed) for seed in range(40)}) == 40
    assert portrait(3) != portrait(3, adult=True)


def test_who_stands_in_front_of_the_camera_is_in_the_picture() -> None:
    scene = SimulatedCamera()
    empty = decode(scene.picture()).astype(int)
    scene.show(5)
    five = decode(scene.picture()).astype(int)
    scene.show(6)
    six = decode(scene.picture()).astype(int)
    scene.show(None)
    empty_again = decode(scene.picture()).astype(int)
    below_the_stamp = slice(16, None)

    def difference(a: numpy.ndarray, b: numpy.ndarray) -> float:
        return float(abs(a[below_the_stamp] - b[below_the_stamp]).mean())

    assert difference(empty, empty_again) < 4 < difference(empty, five)
    assert difference(five, six) > 4


@pytest.mark.parametrize("seed", [None, 2])
def test_the_stamp_in_the_picture_is_the_time_at_which_it_was_taken(seed: int | None) -> None:
    scene = SimulatedCamera()
    scene.show(seed)
    for _ in range(5):
        before_ms = int(time.monotonic() * 1000) % WRAP_MS
        taken_ms = stamp_ms(scene.picture())
        assert before_ms <= taken_ms <= int(time.monotonic() * 1000) % WRAP_MS
        time.sleep(0.003)


def test_a_browser_could_watch_the_stream() -> None:
    with SimulatedCamera(fps=20) as scene, urllib.request.urlopen(scene.url.removeprefix("camera:"), timeout=5) as page:
        assert page.headers.get_content_type() == "multipart/x-mixed-replace"
        assert page.readline() == b"--picture\r\n"
        assert page.readline() == b"Content-Type: image/jpeg\r\n"


def test_only_the_stream_is_served() -> None:
    with SimulatedCamera() as scene, pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{scene.port}/etc/passwd", timeout=5)
    caught.value.close()
    assert caught.value.code == 404


def test_a_camera_without_power_answers_again_on_the_same_port() -> None:
    with SimulatedCamera() as scene:
        address = scene.url.removeprefix("camera:")
        scene.set_mode(Mode.OFF)
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(address, timeout=5)
        scene.set_mode(Mode.OK)
        with urllib.request.urlopen(address, timeout=5) as page:
            assert page.status == 200
