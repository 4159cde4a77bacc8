"""How soon a pulled device is noticed, and how soon it works after it was plugged in again: one of every kind."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.printer_supervisor import PrinterSupervisor
from drivers.protocols import Camera, Driver, Health, Printer, Reader, Relay, Speaker
from drivers.registry import load
from drivers.simulated.bench_rack import KINDS, BenchRack, RackItem
from drivers.speaker_supervisor import SpeakerSupervisor
from drivers.supervisor import CameraSupervisor, DeviceSupervisor, ReaderSupervisor, RelaySupervisor
from kiosk.bench.result import Result, result
from kiosk.clock import steady_s

OUT_S = 3.0  # how long the plug is out: longer than the first tries
WAIT_S = 60.0
STEP_S = 0.01


def recovery(runs: int) -> list[Result]:
    logging.getLogger("drivers.supervisor").setLevel(logging.ERROR)
    results = []
    for kind in KINDS:
        times = [_pulled(kind) for _ in range(min(runs, 2))]
        if None not in times:
            results.append(result(f"{kind}: pulled, until it is noticed", "s", [one[0] for one in times if one]))
            results.append(result(f"{kind}: plugged in, until it works", "s", [one[1] for one in times if one]))
    return results


def _pulled(kind: str) -> tuple[float, float] | None:
    """(until noticed, until it works again); None for a kind that cannot run on this computer."""
    with (
        tempfile.TemporaryDirectory() as folder,
        BenchRack([RackItem(kind, kind)], links_folder=Path(folder), what_starts=True) as rack,
    ):
        if kind in rack.left_out:
            return None
        device = rack.devices[kind]
        desk = _supervised(load(device.url, kind, **KINDS[kind].options)).start()
        try:
            _wait(lambda: desk.health is Health.OK)
            device.unplug()
            noticed_s = _wait(lambda: desk.health is not Health.OK)
            time.sleep(OUT_S)
            device.replug()
            return noticed_s, _wait(lambda: desk.health is Health.OK)
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


def _wait(said: Callable[[], bool]) -> float:
    began_s = steady_s()
    while not said():
        if steady_s() - began_s > WAIT_S:
            raise TimeoutError(f"a device did not do within {WAIT_S:g} s what it must")
        time.sleep(STEP_S)
    return steady_s() - began_s
