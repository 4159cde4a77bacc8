"""How soon a pulled device is noticed, and how soon it works after it was plugged in again: one of every kind, all at once.

Each kind has its own simulator, driver and supervisor, as at a gate; each is pulled when it works, and plugged in again when
it has been gone for so long that its supervisor tries it as seldom as it ever does. A kind that cannot run here is left out.
"""

from __future__ import annotations

import logging
import random
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from drivers.printer_supervisor import PrinterSupervisor
from drivers.protocols import Camera, Driver, Health, Printer, Reader, Relay, Speaker
from drivers.registry import load
from drivers.simulated.bench_rack import KINDS, BenchRack, RackItem
from drivers.speaker_supervisor import SpeakerSupervisor
from drivers.supervisor import USUAL_PATIENCE, CameraSupervisor, DeviceSupervisor, ReaderSupervisor, RelaySupervisor
from kiosk.bench.result import Result, result
from kiosk.clock import steady_s

LONG_OUT_S = 2 * USUAL_PATIENCE.longest_s  # since it was first tried in vain: the wait has doubled to its longest
MOST_RUNS = 3
WAIT_S = 60.0
STEP_S = 0.02


def recovery(runs: int) -> list[Result]:
    logging.getLogger("drivers.supervisor").setLevel(logging.ERROR)
    noticed: dict[str, list[float]] = {}
    back: dict[str, list[float]] = {}
    for _ in range(min(runs, MOST_RUNS)):
        with (
            tempfile.TemporaryDirectory() as folder,
            BenchRack([RackItem(kind, kind) for kind in KINDS], links_folder=Path(folder), what_starts=True) as rack,
            ThreadPoolExecutor(len(KINDS)) as hands,
        ):
            for kind, (noticed_s, back_s) in zip(rack.devices, hands.map(_pulled, rack.devices.items()), strict=True):
                noticed.setdefault(kind, []).append(noticed_s)
                back.setdefault(kind, []).append(back_s)
    results = []
    for kind in noticed:
        results.append(result(f"{kind}: pulled, until it is noticed", "s", noticed[kind]))
        results.append(result(f"{kind}: plugged in, until it works", "s", back[kind]))
    worst = [max(times[run] for times in back.values()) for run in range(min(runs, MOST_RUNS))]
    return [*results, result("the slowest of all to work again", "s", worst)]


def _pulled(one: tuple[str, Any]) -> tuple[float, float]:
    """(until noticed, until it works again)."""
    kind, device = one
    desk = _supervised(load(device.url, kind, **KINDS[kind].options)).start()
    try:
        _wait(kind, lambda: desk.health is Health.OK)
        device.unplug()
        noticed_s = _wait(kind, lambda: desk.health is not Health.OK)
        _pause(LONG_OUT_S + random.uniform(0, USUAL_PATIENCE.longest_s))
        device.replug()
        return noticed_s, _wait(kind, lambda: desk.health is Health.OK)
    finally:
        desk.stop()


def _supervised(driver: Driver) -> DeviceSupervisor[Any]:
    if isinstance(driver, Reader):
        return ReaderSupervisor(driver, on_read=lambda read: None, on_health=_nobody)
    if isinstance(driver, Relay):
        return RelaySupervisor(driver, on_health=_nobody)
    if isinstance(driver, Printer):
        return PrinterSupervisor(driver, on_health=_nobody)
    if isinstance(driver, Speaker):
        return SpeakerSupervisor(driver, on_health=_nobody)
    assert isinstance(driver, Camera), driver
    return CameraSupervisor(driver, on_health=_nobody)


def _nobody(name: str, health: Health, why: str) -> None:
    """Nobody listens: the health itself is looked at."""


def _wait(kind: str, said: Callable[[], bool]) -> float:
    began_s = steady_s()
    while not said():
        if steady_s() - began_s > WAIT_S:
            raise TimeoutError(f"{kind} did not do within {WAIT_S:g} s what it must")
        _pause(STEP_S)
    return steady_s() - began_s


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
