"""One tap on the wire until it is told, at a gate with one device and at one with every kind of device, each of them wedged.

Two gates as processes of their own, with the shipped drivers, supervisors, loop and journal; this process is the hardware at
the other end of their cables. It taps at both in turn, now the one first and now the other, so that whatever else the computer
does falls on both alike. The time runs from the first byte on the wire to the call of whoever is told, read from the one
monotonic clock that processes share.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import random
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from drivers.protocols import Health
from drivers.simulated.bench_rack import KINDS, BenchRack, RackItem
from kiosk.bench.result import Result, percentile, result
from kiosk.bench.school import ARRIVAL_MS, directory, uid_of
from kiosk.clock import FixedClock, steady_s
from kiosk.controller import Batch, settle_interpreter
from kiosk.core.commands import Read
from kiosk.core.rules import AccessKind
from kiosk.devices import Devices
from kiosk.opening import open_gate
from kiosk.settings import load, shared_data_dir
from kiosk.settings.values import Device
from kiosk.snapshots import SnapshotStore

PUPILS, TAPS, WARM_UP = 12_000, 400, 20
MOST_RUNS = 10  # as many cards as there are
START_S, HEALTHY_S, ANSWER_S, SETTLE_S = 120.0, 30.0, 20.0, 5.0
FLAP_S = 0.5  # pulled and plugged in again at this pace
PAUSE_S = (0.004, 0.020)  # between two taps: nobody taps in step with a driver's own loop

TAPPED, FLAPPING = RackItem("tapped", "lines"), RackItem("flapping", "stxlrc")
WEDGED = tuple(RackItem(f"wedged-{kind}", kind) for kind in KINDS)
SPEAKS_UNASKED = frozenset({"rdm6300", "stxlrc", "lines", "wedge"})  # their silence is no fault: they stop in half a card
FROZEN = "camera"  # gives one picture for ever; the others say nothing any more


def devices(runs: int) -> list[Result]:
    """p50 and p99 of a tap at a healthy reader among all of them, beside the same with that reader alone."""
    count, alone, among = _measured(min(runs, MOST_RUNS))
    name = f"tap on the wire to told, one of {count}"
    everything = [[one for run in each for one in run] for each in (among, alone)]
    return [
        result(f"{name}, p50 (limit: alone)", "ms", *_each_run(among, alone, 0.5)),
        result(f"{name}, p99 (limit: alone)", "ms", *_each_run(among, alone, 0.99)),
        result(f"{name}, p99 of all runs", "ms", *([percentile(each, 0.99)] for each in everything)),
    ]


def _each_run(among: list[list[float]], alone: list[list[float]], share: float) -> tuple[list[float], list[float]]:
    return [percentile(run, share) for run in among], [percentile(run, share) for run in alone]


def _measured(runs: int) -> tuple[int, list[list[float]], list[list[float]]]:
    """How many devices, and the milliseconds of every tap, run by run: at the reader that is alone, and among all."""
    cards = (uid for n in range(1, PUPILS + 1) if not (uid := uid_of(n)).isdecimal())  # no other card is written like it
    with (
        tempfile.TemporaryDirectory() as folder,
        _gate(Path(folder) / "one", ()) as one,
        _gate(Path(folder) / "all", (FLAPPING, *WEDGED)) as every,
        _wedged(every.rack),
    ):
        for _ in range(WARM_UP):
            one.tap(next(cards))
            every.tap(next(cards))
        alone: list[list[float]] = []
        among: list[list[float]] = []
        for _ in range(runs):
            alone.append([])
            among.append([])
            for _ in range(TAPS):
                card = next(cards)
                for gate, times in random.sample([(one, alone[-1]), (every, among[-1])], 2):
                    times.append(gate.tap(card))
        return len(every.rack.devices), alone, among


class _Gate:
    """The hardware's side of one gate."""

    def __init__(self, rack: BenchRack, line: Connection) -> None:
        self.rack, self._line = rack, line

    def tap(self, card: str) -> float:
        """Milliseconds until it was told."""
        threading.Event().wait(random.uniform(*PAUSE_S))
        began_s = steady_s()
        self.rack.devices[TAPPED.name].tap(card)
        while self._line.poll(ANSWER_S):
            value, told_s = self._line.recv()
            if value == card:
                return float(told_s - began_s) * 1000
        raise TimeoutError(f"nobody was told of {card} within {ANSWER_S} s")


@contextmanager
def _gate(folder: Path, others: tuple[RackItem, ...]) -> Iterator[_Gate]:
    """A gate in a process of its own, on simulators in this one."""
    with BenchRack((TAPPED, *others), links_folder=folder / "by-id", what_starts=True) as rack:
        ours, theirs = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=_serve, args=(folder, dict(rack.urls), theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            if not ours.poll(START_S):
                raise TimeoutError(f"the gate did not start within {START_S} s")
            ours.recv()
            yield _Gate(rack, ours)
        finally:
            ours.close()
            process.join(ANSWER_S)
            if process.is_alive():
                process.kill()


@contextmanager
def _wedged(rack: BenchRack) -> Iterator[None]:
    """Every kind says nothing any more or stops in the middle, one reader comes and goes, one camera hangs on a picture."""
    stop = threading.Event()
    flapping = rack.devices[FLAPPING.name]

    def flap() -> None:
        while not stop.wait(FLAP_S):
            flapping.unplug()
            stop.wait(FLAP_S)
            flapping.replug()

    for item in WEDGED:
        if (device := rack.devices.get(item.name)) is not None:
            _wedge(item.kind, device)
    thread = threading.Thread(target=flap, daemon=True)
    thread.start()
    stop.wait(SETTLE_S)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _wedge(kind: str, device: Any) -> None:
    if kind in SPEAKS_UNASKED:
        device.half_frame(KINDS[kind].card)
    if kind == FROZEN:
        device.set_mode("freeze")
    else:
        device.silence(True)


# --- the gate's own process ------------------------------------------------------------------------------------


def _serve(folder: Path, urls: Mapping[str, str], line: Connection) -> None:
    """Runs until the other end of the line is closed. What the devices are up to goes into a log, as at a school."""
    logging.basicConfig(filename=folder / "gate.log")
    settings = load(shared_data_dir("sample_school"))
    entrances = [point.id for point in settings.rules.access_points.values() if point.kind is AccessKind.ENTRANCE]
    attached_there = zip(urls.items(), itertools.cycle(entrances))  # as at a school: no lane has all of the readers
    devices = tuple(_device(name, url, point) for (name, url), point in attached_there)
    settings = replace(settings, site=replace(settings.site, devices=devices))
    gate = open_gate(settings=settings, directory=directory(PUPILS), state=folder / "state", clock=FixedClock(ARRIVAL_MS))
    attached = Devices(settings, gate, SnapshotStore(folder / "state"))

    def told(batch: Batch) -> None:
        now_s = steady_s()
        for command, _ in batch.answers:
            if isinstance(command, Read):
                line.send((command.value, now_s))

    gate.listeners.append(told)
    settle_interpreter()
    gate.start()
    attached.start()
    try:
        _wait_for_all(attached)
        line.send("ready")
        line.recv()
    except (EOFError, OSError):  # the bench is done
        pass
    finally:
        attached.stop()
        gate.stop()


def _device(name: str, url: str, point: str) -> Device:
    kind = next(item.kind for item in (TAPPED, FLAPPING, *WEDGED) if item.name == name)
    options = dict(KINDS[kind].options) | ({"as": "number"} if name == TAPPED.name else {})
    return Device(name=name, url=url, access_point=point, options=options)


def _wait_for_all(attached: Devices) -> None:
    """Until every device answered once, or for so long: then it is measured as it is."""
    pause, give_up_s = threading.Event(), steady_s() + HEALTHY_S
    while steady_s() < give_up_s and any(one.health is not Health.OK for one in attached.by_name.values()):
        pause.wait(0.05)
