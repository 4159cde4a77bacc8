"""How old a picture is at the tap, and how long a failing camera goes unnoticed, by the time drawn into the pictures.

Beside the ages: the camera's own interval between two pictures, below which nobody can be.
"""

from __future__ import annotations

import logging
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from drivers.protocols import Camera, Health
from drivers.registry import load
from drivers.simulated.camera import WRAP_MS, Mode, SimulatedCamera, SimulatedStillCamera, stamp_ms
from drivers.simulated.rtsp_camera import SimulatedRtspCamera
from drivers.supervisor import CameraSupervisor
from kiosk.bench.result import Result, percentile, result
from kiosk.clock import steady_s

TAPS = 60
FPS = 15.0
STILL_INTERVAL_S = 0.4
WAIT_S = 30.0
STEP_S = 0.005
STREAMS: Mapping[str, type[SimulatedCamera]] = {"MJPEG": SimulatedCamera, "RTSP": SimulatedRtspCamera}
FAILURES = (Mode.STALL, Mode.FREEZE, Mode.BLACK, Mode.CLOSE)


def camera(runs: int) -> list[Result]:
    logging.getLogger("drivers.supervisor").setLevel(logging.ERROR)
    ages: dict[str, list[float]] = {name: [] for name in STREAMS}
    still_ages = []
    for _ in range(runs):
        for name, simulated in STREAMS.items():
            with simulated(fps=FPS, width_px=640, height_px=480) as scene:
                ages[name].append(_age_ms(scene.url))
        with tempfile.TemporaryDirectory() as folder, closing(SimulatedStillCamera(link=Path(folder) / "password")) as stills:
            stills.start()
            still_ages.append(_age_ms(f"{stills.url}&interval_s={STILL_INTERVAL_S}"))
    results = [
        result(f"age at the tap, {name}, p95 (limit: its interval)", "ms", ages[name], [1000 / FPS] * runs) for name in STREAMS
    ]
    longest = [STILL_INTERVAL_S * 1000] * runs
    results.append(result("age at the tap, stills, p95 (limit: its interval)", "ms", still_ages, longest))
    for name, simulated in STREAMS.items():
        for mode in FAILURES:
            times = [_failure_s(simulated, mode) for _ in range(min(runs, 2))]
            results.append(result(f"{name} {mode.value}: until it is noticed", "s", [noticed for noticed, _ in times]))
            results.append(result(f"{name} {mode.value}: until it is well again", "s", [mended for _, mended in times]))
    return results


def _age_ms(url: str) -> float:
    """The 95th of 100: a picture of that age is filed for the tap."""
    chance, ages = random.Random(2026), []
    driver = load(url, "camera")
    assert isinstance(driver, Camera)
    with closing(driver):
        driver.open()
        for _ in range(TAPS):
            time.sleep(0.05 + 0.1 * chance.random())
            tap_ms = int(time.monotonic() * 1000)
            frame = driver.latest(max_age_s=WAIT_S, wait_s=WAIT_S)
            assert frame is not None
            ages.append(float((tap_ms - stamp_ms(frame.jpeg)) % WRAP_MS))
    return percentile(ages, 0.95)


def _failure_s(simulated: type[SimulatedCamera], mode: Mode) -> tuple[float, float]:
    """(until noticed, until well again), with the settings that a school has."""
    with simulated(fps=FPS) as scene:
        seen: list[Health] = []
        desk = CameraSupervisor(load(scene.url, "camera"), on_health=lambda name, health, why: seen.append(health)).start()
        try:
            _wait(lambda: desk.latest(wait_s=0) is not None)
            scene.set_mode(mode)
            noticed_s = _wait(lambda: desk.health is not Health.OK or desk.detail() != "")
            scene.set_mode(Mode.OK)
            mended_s = _wait(lambda: desk.latest(wait_s=0) is not None and desk.detail() == "")
        finally:
            desk.stop()
    return noticed_s, mended_s


def _wait(said: Callable[[], bool]) -> float:
    began_s = steady_s()
    while not said():
        if steady_s() - began_s > WAIT_S:
            raise TimeoutError(f"a camera did not do within {WAIT_S:g} s what it must")
        time.sleep(STEP_S)
    return steady_s() - began_s
