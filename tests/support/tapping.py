"""Children who tap without end while a gate is killed and started: at serial readers, at network readers; and the screens.

Every tap is counted when it is sent and noted when it is acknowledged. Nothing here retries a tap: a child whose tap got no
answer is simply counted as sent, as at a real gate.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass

import httpx

from drivers.simulated.bench_rack import BenchRack, Kind
from drivers.simulated.serial_readers import SimulatedSerialReader
from kiosk.core.entries import EntryId
from tests.support import fault_school
from tests.support.running_gate import RunningGate

CLIENTS = 2
PAUSE_S = 0.006
WIRE_PAUSE_S = 0.03
WIRE_CHILDREN = 1_000  # children above this number tap at wires, those below at network readers
LAST_CHILD = fault_school.CLASSES * fault_school.SEATS
JOIN_S = 20.0


@dataclass(frozen=True, slots=True)
class WireOf:
    name: str
    kind: Kind
    access_point: str


WIRES = (
    WireOf("rdm", "rdm6300", "east-in-1"),
    WireOf("stx", "stxlrc", "south-in-1"),
    WireOf("asked", "m7941", "east-out-1"),
    WireOf("lines", "lines", "south-house-in"),
)


class WireTaps:
    """One hand that goes from reader to reader, whether a gate listens or not."""

    def __init__(self, rack: BenchRack, *, seed: int) -> None:
        self.sent: Counter[tuple[int, str]] = Counter()
        self._rack, self._chance = rack, random.Random(seed + 1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hand", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        children = list(range(WIRE_CHILDREN + 1, LAST_CHILD + 1))
        self._chance.shuffle(children)  # once: the same order each time keeps a child's taps further apart than a repeat
        while not self._stop.is_set():
            for turn, child in enumerate(children):
                if self._stop.wait(WIRE_PAUSE_S * self._chance.random()):
                    return
                wire = WIRES[turn % len(WIRES)]
                self.sent[child, wire.access_point] += 1
                device = self._rack.devices[wire.name]
                assert isinstance(device, SimulatedSerialReader)
                device.tap(_value(wire.kind, child), hold_s=0.2)


def _value(kind: Kind, child: int) -> str:
    """What a reader of this kind says of the child's card or tag."""
    if kind == "rdm6300":
        return fault_school.tag_of(child)
    if kind == "stxlrc":
        return f"{int(fault_school.uid_of(child), 16):010d}"
    return fault_school.uid_of(child)


class HttpTaps:
    """Network readers with a device key. They go on while a gate is there and rest while it is not."""

    def __init__(self, gate: RunningGate, *, seed: int) -> None:
        self.sent: Counter[tuple[int, str]] = Counter()
        self.acked: dict[EntryId, tuple[int, str]] = {}
        self._gate, self._stop, self._open = gate, threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(n, random.Random(seed + 10 + n)), name=f"reader {n}", daemon=True)
            for n in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def go_on(self) -> None:
        self._open.set()

    def pause(self) -> None:
        self._open.clear()

    def close(self) -> None:
        self._stop.set()
        self._open.set()
        for thread in self._threads:
            thread.join(JOIN_S)

    def _run(self, mine: int, chance: random.Random) -> None:
        taps = list[tuple[int, str]]()
        while not self._stop.is_set():
            self._open.wait()
            with self._gate.reader() as client:
                while self._open.is_set() and not self._stop.is_set():
                    taps = taps or self._walk(mine, chance)
                    if not self._tap(client, *taps.pop()):
                        time.sleep(PAUSE_S)
                        break
                    time.sleep(PAUSE_S * chance.random())

    def _walk(self, mine: int, chance: random.Random) -> list[tuple[int, str]]:
        """Every child comes, sits in its room, and wants to leave; last first, so that `pop` gives them in order."""
        children = [n for n in range(1, WIRE_CHILDREN + 1) if n % CLIENTS == mine]
        chance.shuffle(children)
        points = (lambda n: "east-in-2", fault_school.room_of, lambda n: "east-out-2")
        return [(child, point(child)) for child in children for point in reversed(points)]

    def _tap(self, client: httpx.Client, child: int, access_point: str) -> bool:
        body = {"access_point": access_point, "scheme": "uid", "value": fault_school.uid_of(child)}
        with self._lock:
            self.sent[child, access_point] += 1
        try:
            answer = client.post("/api/v1/reads", json=body)
        except httpx.TransportError:
            return False
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text  # stopping, or not running yet: nothing was promised
            return False
        entry = answer.json()["entry"]
        if entry is not None:
            with self._lock:
                entry_id = EntryId(entry["node"], entry["incarnation"], entry["seq"])
                assert entry_id not in self.acked, f"two taps were given the same entry {entry_id}"
                self.acked[entry_id] = (child, access_point)
        return True


class Screens:
    """The public screens of the access points that have wires: what they were shown counts as told."""

    def __init__(self, gate: RunningGate) -> None:
        self.shown: set[tuple[int, str]] = set()  # (at_ms, access point) of every answer; a page that returns sees some again
        self._gate, self._stop = gate, threading.Event()
        self._watch, self._gone = threading.Event(), threading.Event()
        self._points = {wire.access_point for wire in WIRES}
        self._thread = threading.Thread(target=self._run, name="screens", daemon=True)
        self._thread.start()

    def watch(self) -> None:
        self._gone.clear()
        self._watch.set()

    def gone(self) -> None:
        self._gone.set()

    def sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def close(self) -> None:
        self._stop.set()
        self._gone.set()
        self._watch.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._watch.wait()
            self._watch.clear()
            with contextlib.suppress(httpx.TransportError), self._gate.reader() as client:
                while not self._gone.is_set():
                    self._read(client)

    def _read(self, client: httpx.Client) -> None:
        """Events until the gate dies: `answer` has what the screen shows."""
        with client.stream("GET", "/api/v1/stream", params={"topic": "answers"}) as stream:
            name = ""
            for line in stream.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data" and name == "answer":
                    told = json.loads(value)
                    if told["access_point"] in self._points:
                        self.shown.add((told["at_ms"], told["access_point"]))
