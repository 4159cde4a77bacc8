"""How old a picture is at the tap, and how long a failing camera goes unnoticed, by the time drawn into the pictures.

Beside the ages: the camera's own interval between two pictures, below which nobody can be.
"""

from __future__ import annotations

import logging
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from drivers.protocols import Camera, Health
from drivers.registry import load
from drivers.simulated.camera import WRAP_MS, Mode, SimulatedCamera, SimulatedStillCamera, stamp_ms
from drivers.supervisor import CameraSupervisor
from kiosk.bench.result import Result, percentile, result
from kiosk.clock import steady_s

TAPS = 60
FPS = 15.0
STILL_INTERVAL_S = 0.4
WAIT_S = 30.0
STEP_S = 0.005
FAILURES = (Mode.STALL, Mode.FREEZE, Mode.BLACK, Mode.CLOSE)


def camera(runs: int) -> list[Result]:
    logging.getLogger("drivers.supervisor").setLevel(logging.ERROR)
    ages, still_ages = [], []
    for _ in range(runs):
        with SimulatedCamera(fps=FPS, width_px=640, height_px=480) as scene:
            ages.append(_age_ms(scene.url))
        with tempfile.TemporaryDirectory() as folder, closing(SimulatedStillCamera(link=Path(folder) / "password")) as stills:
            stills.start()
            still_ages.append(_age_ms(f"{stills.url}&interval_s={STILL_INTERVAL_S}"))
    results = [
        result("age at the tap, stream, p95 (limit: its interval)", "ms", ages, [1000 / FPS] * runs),
        result("age at the tap, stills, p95 (limit: its interval)", "ms", still_ages, [STILL_INTERVAL_S * 1000] * runs),
    ]
    for mode in FAILURES:
        times = [_failure_s(mode) for _ in range(min(runs, 2))]
        results.append(result(f"camera {mode.value}: until it is noticed", "s", [noticed for noticed, _ in times]))
        results.append(result(f"camera {mode.value}: until it is well again", "s", [mended for _, mended in times]))
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


def _failure_s(mode: Mode) -> tuple[float, float]:
    """(until noticed, until well again), with the settings that a school has."""
    with SimulatedCamera(fps=FPS) as scene:
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
