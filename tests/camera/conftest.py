"""A simulated camera on loopback and the shipped driver in front of it, ten pictures a second, 320x240."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from drivers.camera import OpenCvCamera
from drivers.protocols import Frame
from drivers.simulated.camera import WRAP_MS, SimulatedCamera, stamp_ms

WAIT_S = 30.0  # how long a test waits for what must happen


@pytest.fixture
def scene() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(fps=10) as simulated:
        simulated.show(7)
        yield simulated


@pytest.fixture
def make_camera() -> Iterator[Callable[..., OpenCvCamera]]:
    made: list[OpenCvCamera] = []

    def make(url: str, **options: float) -> OpenCvCamera:
        made.append(OpenCvCamera("gate-camera", url, **options))
        return made[-1]

    yield make
    for camera in made:
        camera.close()


@pytest.fixture
def camera(scene: SimulatedCamera, make_camera: Callable[..., OpenCvCamera]) -> OpenCvCamera:
    """Opened, with time-outs short enough for a test."""
    opened = make_camera(scene.url, stale_s=0.7, frozen_s=0.8)
    opened.open()
    return opened


@pytest.fixture
def age_ms() -> Callable[[Frame], int]:
    """How old a picture of the simulated camera is, by the stamp that is drawn in it."""

    def age(frame: Frame) -> int:
        return (int(time.monotonic() * 1000) - stamp_ms(frame.jpeg)) % WRAP_MS

    return age


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait_for(what: Callable[[], bool]) -> None:
        end_mono_s = time.monotonic() + WAIT_S
        while not what():
            assert time.monotonic() < end_mono_s, "what must happen did not"
            time.sleep(0.02)

    return wait_for
