"""What every camera promises, held by every source of pictures: a stream, single pictures, a recording.

The first promise is that no picture shows another moment than it says. The simulated camera draws the time into each of its
pictures, and it is read back from there. What cannot be asked of a source stands in its bench, with the reason.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy
import pytest

from drivers.camera_frames import DARK_BELOW
from drivers.errors import DeviceLost, DriverError
from drivers.protocols import Camera, Frame, Health, Info
from drivers.registry import load
from drivers.simulated.camera import WRAP_MS, Mode, SimulatedCamera, SimulatedStillCamera, stamp_ms
from drivers.simulated.rtsp_camera import SimulatedRtspCamera
from drivers.supervisor import CameraSupervisor, Patience

SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.2)
WRONG_MOMENT_MS = 1200  # the tolerance of 0.5 s, and what a loaded machine may take on top
PICTURES = 12
MOMENT = "which moment a picture shows"


class Recording:
    """A file that plays for ever; off: it is empty, as on a stick that was taken out too early."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (320, 240))
        scene = SimulatedCamera()
        for _ in range(PICTURES):
            writer.write(cv2.imdecode(numpy.frombuffer(scene.picture(), numpy.uint8), cv2.IMREAD_COLOR))
        writer.release()
        self._content = path.read_bytes()
        self.url = f"camera:file:{path}?realtime=1&loop=1"

    def set_mode(self, mode: Mode) -> None:
        self.path.write_bytes(self._content if mode is Mode.OK else b"")

    def close(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Bench:
    """One source of pictures. `exempt`: mode or promise -> why it cannot be asked."""

    start: Callable[[Path], Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    exempt: Mapping[str, str] = field(default_factory=dict)


def stream(folder: Path) -> SimulatedCamera:
    camera = SimulatedCamera(fps=10)
    camera.start()
    return camera


def rtsp(folder: Path) -> SimulatedRtspCamera:
    camera = SimulatedRtspCamera(fps=10)
    camera.start()
    return camera


def stills(folder: Path) -> SimulatedStillCamera:
    camera = SimulatedStillCamera(link=folder / "password")
    camera.start()
    return camera


NO_CAMERA = "a recording does not fail while it plays: it is there when it is opened, or not; its end is in test_camera_sources"
NOT_A_CAMERA = dict.fromkeys((mode.value for mode in Mode if mode is not Mode.OK), NO_CAMERA)
BENCHES = {
    "mjpeg": Bench(stream, {"stale_s": 0.8, "frozen_s": 0.9}),
    "rtsp": Bench(rtsp, {"stale_s": 0.8, "frozen_s": 0.9}),
    "still": Bench(stills, {"stale_s": 0.9, "frozen_s": 1.2, "interval_s": 0.1}),
    "recording": Bench(
        lambda folder: Recording(folder / "gate.avi"), {"frozen_s": 2.0},
        {MOMENT: "a recording shows the moment of its recording", **NOT_A_CAMERA},
    ),
}  # fmt: skip


class Rig:
    """A driver under its supervisor, its camera, and everything that was told."""

    def __init__(self, bench: Bench, scene: Any) -> None:
        self.scene = scene
        self.told: list[tuple[Health, str]] = []
        self._news = threading.Condition()
        driver = load(scene.url, "gate", **bench.options)
        self.camera = CameraSupervisor(driver, on_health=self._on_health, patience=QUICKLY)

    def _on_health(self, name: str, health: Health, why: str) -> None:
        with self._news:
            self.told.append((health, why))
            self._news.notify_all()

    def healths(self) -> list[Health]:
        return [health for health, _ in self.told]

    def wait_for(self, health: Health, *, times: int = 1) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self.healths().count(health) >= times, SOON_S), self.told

    def picture(self) -> Frame:
        give_up_s = time.monotonic() + SOON_S
        while time.monotonic() < give_up_s:
            if frame := self.camera.latest(wait_s=0.5):
                return frame
        raise AssertionError(self.told)


def eventually(what: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + SOON_S
    while not what():
        assert time.monotonic() < give_up_s, "what must happen did not"
        time.sleep(0.02)


def excused(bench: Bench, what: str) -> None:
    if why := bench.exempt.get(what):
        pytest.skip(why)


@pytest.fixture(params=BENCHES, name="bench")
def every_bench(request: pytest.FixtureRequest) -> Bench:
    return BENCHES[request.param]


@pytest.fixture(name="scene")
def its_camera(bench: Bench, tmp_path: Path) -> Iterator[Any]:
    with closing(bench.start(tmp_path / "scene")) as scene:
        yield scene


@pytest.fixture(name="rig")
def a_running_rig(bench: Bench, scene: Any) -> Iterator[Rig]:
    rig = Rig(bench, scene)
    rig.camera.start()
    rig.wait_for(Health.OK)
    yield rig
    assert rig.camera.stop()


@pytest.fixture(name="driver")
def a_bare_driver(bench: Bench, scene: Any) -> Iterator[Camera]:
    driver = load(scene.url, "gate", **bench.options)
    assert isinstance(driver, Camera)
    yield driver
    driver.close()


def test_constructing_touches_nothing(bench: Bench, scene: Any) -> None:
    scene.close()
    load(scene.url, "gate", **bench.options)


def test_it_opens_twice_and_closes_twice(driver: Camera) -> None:
    for _ in range(2):
        info = driver.open()
        assert isinstance(info, Info) and "320x240" in info.model and "snapshot" in info.capabilities
        frame = driver.latest(wait_s=SOON_S)
        assert frame is not None and frame.jpeg.startswith(b"\xff\xd8\xff")
        driver.close()
        driver.close()


def test_opening_an_open_camera_starts_afresh(driver: Camera) -> None:
    driver.open()
    driver.open()
    assert driver.latest(wait_s=SOON_S) is not None


def test_a_closed_camera_has_no_picture_and_is_a_lost_device(driver: Camera) -> None:
    assert driver.latest(wait_s=0) is None and driver.at(time.monotonic()) is None and driver.detail() == ""
    with pytest.raises(DeviceLost):
        driver.watch(0.05)


def test_a_camera_that_is_not_there_is_said_with_its_place(bench: Bench, scene: Any) -> None:
    scene.set_mode(Mode.OFF)
    driver = load(scene.url, "gate", **bench.options)
    with closing(driver), pytest.raises(DriverError) as caught:
        driver.open()
    where = scene.url.partition("//")[2].partition("/")[0].rpartition("@")[2] or scene.url.rpartition(":")[2]
    assert where.partition("?")[0] in str(caught.value) and len(str(caught.value)) > 20


def test_no_picture_ever_shows_another_moment_whatever_the_camera_does(bench: Bench, rig: Rig) -> None:
    excused(bench, MOMENT)
    shown = 0

    def look(seconds: float) -> None:
        nonlocal shown
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            tap_mono_s = time.monotonic() - 0.1
            now_ms = int(time.monotonic() * 1000)
            for frame, moment_ms in ((rig.camera.at(tap_mono_s), int(tap_mono_s * 1000)), (rig.camera.latest(wait_s=0), now_ms)):
                if frame is not None:
                    away_ms = (moment_ms - stamp_ms(frame.jpeg) + WRAP_MS // 2) % WRAP_MS - WRAP_MS // 2
                    assert abs(away_ms) <= WRONG_MOMENT_MS, "a child would be filed with the picture of another"
                    shown += 1
            time.sleep(0.03)

    look(0.4)
    for mode in (Mode.LAG, Mode.STALL, Mode.FREEZE):
        rig.scene.set_mode(mode)
        look(1.6)
        rig.scene.set_mode(Mode.OK)
        look(0.4)
        rig.picture()
    assert shown > 10


@pytest.mark.parametrize("mode", [Mode.STALL, Mode.CLOSE, Mode.FREEZE, Mode.GARBAGE, Mode.OFF])
def test_each_failure_is_down_once_with_a_sentence_and_ok_once_it_is_mended(bench: Bench, rig: Rig, mode: Mode) -> None:
    excused(bench, mode.value)
    rig.picture()
    rig.scene.set_mode(mode)
    rig.wait_for(Health.DOWN)
    assert rig.camera.latest(wait_s=0) is None, "no picture rather than an old one"
    assert len(rig.camera.why) > 20, "a sentence, not a word"
    rig.scene.set_mode(Mode.OK)
    rig.wait_for(Health.OK, times=2)
    rig.picture()
    assert rig.camera.stop()
    assert rig.healths()[:3] == [Health.STARTING, Health.OK, Health.DOWN]
    assert all(one is not after for one, after in itertools.pairwise(rig.healths())), "each is said once"


def test_a_covered_lens_is_said_and_is_no_loss(bench: Bench, rig: Rig) -> None:
    excused(bench, "black")
    rig.scene.set_mode(Mode.BLACK)
    eventually(lambda: "black" in rig.camera.detail())
    picture = cv2.imdecode(numpy.frombuffer(rig.picture().jpeg, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None and picture.max() < DARK_BELOW
    rig.scene.set_mode(Mode.OK)
    eventually(lambda: rig.camera.detail() == "")
    assert rig.healths() == [Health.STARTING, Health.OK], "nights are dark"


def test_a_camera_that_is_away_at_the_start_is_down_once_and_ok_when_it_comes(bench: Bench, scene: Any) -> None:
    scene.set_mode(Mode.OFF)
    rig = Rig(bench, scene)
    rig.camera.start()
    rig.wait_for(Health.DOWN)
    time.sleep(0.3)  # several attempts
    scene.set_mode(Mode.OK)
    rig.wait_for(Health.OK)
    assert rig.camera.stop()
    assert rig.healths() == [Health.STARTING, Health.DOWN, Health.OK, Health.STOPPED]


def test_a_slow_camera_still_gives_pictures(bench: Bench, scene: Any) -> None:
    scene.fps = 2.0
    driver = load(scene.url, "gate", **{**bench.options, "stale_s": 5.0, "frozen_s": 9.0})
    assert isinstance(driver, Camera)
    with closing(driver):
        driver.open()
        first = driver.latest(max_age_s=1.0, wait_s=SOON_S)
        assert first is not None
        eventually(lambda: (later := driver.latest(max_age_s=1.0, wait_s=1.0)) is not None and later.sequence > first.sequence)


def test_a_wedged_camera_takes_no_other_with_it(bench: Bench, rig: Rig, tmp_path: Path) -> None:
    excused(bench, "stall")
    with closing(bench.start(tmp_path / "other")) as other_scene:
        other = Rig(bench, other_scene)
        other.camera.start()
        other.wait_for(Health.OK)
        other_scene.set_mode(Mode.STALL)
        other.wait_for(Health.DOWN)
        rig.picture()
        assert rig.healths() == [Health.STARTING, Health.OK]
        assert other.camera.stop()


def test_cancel_ends_a_watch_and_is_harmless_at_any_time(driver: Camera) -> None:
    driver.cancel()
    driver.open()
    watcher = threading.Thread(target=driver.watch, args=(600.0,))
    watcher.start()
    driver.cancel()
    watcher.join(SOON_S)
    assert not watcher.is_alive()
    driver.close()
    driver.cancel()


def test_stop_ends_the_thread_and_lets_the_camera_go(rig: Rig) -> None:
    assert rig.camera.stop()
    assert rig.healths()[-1] is Health.STOPPED and rig.camera.latest(wait_s=0) is None
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "camera-gate"])


def test_two_may_look_through_one_camera(bench: Bench, rig: Rig) -> None:
    second = load(rig.scene.url, "second", **bench.options)
    assert isinstance(second, Camera)
    with closing(second):
        second.open()
        assert second.latest(wait_s=SOON_S) is not None
    rig.picture()
