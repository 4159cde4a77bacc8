"""Whatever a camera does, the picture that is handed out is fresh. The age is read from the picture itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from drivers.camera import OpenCvCamera
from drivers.camera_grabbing import ABANDONED_MAX
from drivers.errors import DeviceLost
from drivers.protocols import Frame
from drivers.simulated.camera import Mode, SimulatedCamera, stamp_ms

WAIT_S = 30.0
OLD_MS = 1_200
TRIES = 3  # where nothing runs for a second, old and new pictures arrive alike; a driver that keeps old ones keeps them each time
Age = Callable[[Frame], int]
Eventually = Callable[[Callable[[], bool]], None]


def lost(camera: OpenCvCamera) -> str:
    """Watches until the camera is lost and says why."""
    with pytest.raises(DeviceLost) as caught:
        end_mono_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_mono_s:
            camera.watch(0.5)
    return str(caught.value)


def test_a_camera_opens_closes_and_opens_again(scene: SimulatedCamera, camera: OpenCvCamera) -> None:
    for _ in range(2):
        camera.close()
        camera.close()
        assert camera.latest(wait_s=0) is None
        info = camera.open()
        assert "320x240" in info.model
        frame = camera.latest()
        assert frame is not None and frame.jpeg.startswith(b"\xff\xd8\xff")


def test_a_picture_asked_for_after_a_long_pause_is_of_now_and_not_of_the_pause(camera: OpenCvCamera, age_ms: Age) -> None:
    ages_ms: list[int] = []
    while len(ages_ms) < TRIES and min(ages_ms, default=OLD_MS) >= OLD_MS:
        time.sleep(2.0)  # a plain read() would now return a picture of two seconds ago
        frame = camera.latest(max_age_s=0.5, wait_s=WAIT_S)
        assert frame is not None
        ages_ms.append(age_ms(frame))
    assert min(ages_ms) < OLD_MS, ages_ms


def test_the_picture_of_the_moment_of_the_tap_can_still_be_had_afterwards(camera: OpenCvCamera) -> None:
    for _ in range(3):
        camera.latest(max_age_s=0.2, wait_s=WAIT_S)
        time.sleep(0.15)
    newest = camera.latest(max_age_s=1.0, wait_s=WAIT_S)
    assert newest is not None
    tap_mono_s = newest.taken_mono_s - 0.4
    then = camera.at(tap_mono_s)
    assert then is not None and then.sequence < newest.sequence
    assert stamp_ms(then.jpeg) < stamp_ms(newest.jpeg)
    assert abs(then.taken_mono_s - tap_mono_s) < abs(newest.taken_mono_s - tap_mono_s)
    assert camera.at(tap_mono_s - 60) is None


def test_a_stalled_camera_hands_out_nothing_rather_than_an_old_picture(
    scene: SimulatedCamera, camera: OpenCvCamera, age_ms: Age, eventually: Eventually
) -> None:
    scene.set_mode(Mode.STALL)
    eventually(lambda: camera.latest(max_age_s=0.3, wait_s=0) is None)
    assert "no picture for" in lost(camera)
    assert camera.latest(max_age_s=0.3, wait_s=0.1) is None
    camera.close()
    scene.set_mode(Mode.OK)
    before_ms = int(time.monotonic() * 1000)
    camera.open()
    frame = camera.latest(wait_s=WAIT_S)
    assert frame is not None and stamp_ms(frame.jpeg) >= before_ms


def test_pictures_that_the_network_held_back_are_not_taken_for_new_ones(
    scene: SimulatedCamera, make_camera: Callable[..., OpenCvCamera], age_ms: Age
) -> None:
    camera = make_camera(scene.url, stale_s=10.0)
    camera.open()
    oldest_ms: list[int] = []
    while len(oldest_ms) < TRIES and min(oldest_ms, default=OLD_MS) >= OLD_MS:
        oldest_ms.append(_oldest_after_a_lag(scene, camera, age_ms))
    assert min(oldest_ms) < OLD_MS, f"a picture that was held back for two seconds was handed out: {oldest_ms}"


def _oldest_after_a_lag(scene: SimulatedCamera, camera: OpenCvCamera, age_ms: Age) -> int:
    scene.set_mode(Mode.LAG)
    time.sleep(2.0)
    released_ms = int(time.monotonic() * 1000)
    scene.set_mode(Mode.OK)
    oldest_ms, end_mono_s, newest_ms = 0, time.monotonic() + WAIT_S, 0
    while newest_ms <= released_ms + 300 and time.monotonic() < end_mono_s:
        frame = camera.latest(max_age_s=0.3, wait_s=0.05)
        if frame is not None:
            oldest_ms = max(oldest_ms, age_ms(frame))
            newest_ms = stamp_ms(frame.jpeg)
    assert newest_ms > released_ms, "the camera never came back"
    return oldest_ms


def test_a_frozen_camera_hands_out_nothing_although_pictures_arrive(
    scene: SimulatedCamera, camera: OpenCvCamera, eventually: Eventually
) -> None:
    scene.set_mode(Mode.FREEZE)
    eventually(lambda: camera.latest(max_age_s=0.4, wait_s=0) is None)
    assert "the same picture" in lost(camera)


@pytest.mark.parametrize("mode", [Mode.CLOSE, Mode.GARBAGE, Mode.FREEZE, Mode.STALL, Mode.OFF])
def test_every_failure_is_noticed_and_mended_by_opening_again(
    scene: SimulatedCamera, camera: OpenCvCamera, mode: Mode, eventually: Eventually
) -> None:
    scene.set_mode(mode)
    assert lost(camera).startswith("gate-camera: ")
    camera.close()
    scene.set_mode(Mode.OK)
    camera.open()
    camera.watch(0.3)
    assert camera.latest(wait_s=WAIT_S) is not None


@pytest.mark.parametrize("mode", [Mode.CLOSE, Mode.GARBAGE, Mode.OFF])
def test_a_camera_that_fails_already_when_opened_is_a_loss_and_not_a_crash(
    scene: SimulatedCamera, make_camera: Callable[..., OpenCvCamera], mode: Mode
) -> None:
    scene.set_mode(mode)
    camera = make_camera(scene.url, open_within_s=1.0)
    with pytest.raises(DeviceLost):
        camera.open()
    assert camera.latest(wait_s=0) is None


def test_a_covered_lens_is_said_but_is_no_loss(scene: SimulatedCamera, camera: OpenCvCamera, eventually: Eventually) -> None:
    assert camera.detail() == ""
    scene.set_mode(Mode.BLACK)
    eventually(lambda: "black" in camera.detail())
    camera.watch(1.5)
    assert camera.latest(wait_s=WAIT_S) is not None
    scene.set_mode(Mode.OK)
    eventually(lambda: camera.detail() == "")


def test_a_read_that_hangs_is_abandoned_and_the_next_open_works_at_once(scene: SimulatedCamera, camera: OpenCvCamera) -> None:
    scene.set_mode(Mode.STALL)
    lost(camera)
    camera.close()
    scene.set_mode(Mode.OK)
    camera.open()
    assert camera.latest(wait_s=WAIT_S) is not None


def test_hanging_reads_are_not_piled_up_for_ever(
    scene: SimulatedCamera, make_camera: Callable[..., OpenCvCamera], eventually: Eventually
) -> None:
    camera = make_camera(scene.url, read_timeout_s=60)
    for _ in range(ABANDONED_MAX):
        camera.open()
        scene.strand()
        camera.close()
    with pytest.raises(DeviceLost, match="still hang"):
        camera.open()
    scene.set_mode(Mode.OFF)
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "camera-gate-camera"])
    scene.set_mode(Mode.OK)
    camera.open()


def test_cancel_lets_a_watching_thread_go(camera: OpenCvCamera) -> None:
    watcher = threading.Thread(target=camera.watch, args=(600.0,))
    watcher.start()
    camera.cancel()
    watcher.join(WAIT_S)
    assert not watcher.is_alive()


def test_cancel_makes_an_open_that_waits_give_up(scene: SimulatedCamera, make_camera: Callable[..., OpenCvCamera]) -> None:
    scene.set_mode(Mode.STALL)
    camera = make_camera(scene.url, open_within_s=600, read_timeout_s=600)
    threading.Timer(0.3, camera.cancel).start()
    with pytest.raises(DeviceLost):
        camera.open()
    scene.set_mode(Mode.OFF)


def test_closing_lets_go_whoever_waits_for_a_picture(scene: SimulatedCamera, camera: OpenCvCamera) -> None:
    scene.set_mode(Mode.STALL)
    answers: list[Frame | None] = []
    asker = threading.Thread(target=lambda: answers.append(camera.latest(max_age_s=0.0, wait_s=600)))
    asker.start()
    camera.close()
    asker.join(WAIT_S)
    assert answers == [None]


def test_watching_a_closed_camera_says_that_it_is_not_open(make_camera: Callable[..., OpenCvCamera]) -> None:
    with pytest.raises(DeviceLost, match="not open"):
        make_camera("camera:http://127.0.0.1:9/stream").watch(0)


def test_wide_pictures_are_scaled_down_as_they_arrive(make_camera: Callable[..., OpenCvCamera]) -> None:
    with SimulatedCamera(fps=10, width_px=640, height_px=480) as scene:
        assert "320x240" in make_camera(scene.url, max_width_px=320).open().model
