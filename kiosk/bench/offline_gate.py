"""One gate of the offline bench, in a process of its own: it is tapped at, and says when it knew what the others did."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from kiosk.bench.offline_load import Size, link_up_ms, nobody, opened
from kiosk.bench.school import uid_of
from kiosk.clock import steady_s
from kiosk.controller import Batch, Controller, settle_interpreter
from kiosk.core.commands import Read
from kiosk.neighbours import Neighbours
from kiosk.reading_back import last_row_of_peers
from kiosk.snapshots import SnapshotStore

TAPS_A_SECOND: Final = 80.0
CHILD_EVERY: Final = 6  # so that there are children left to come in for as long as it takes, and all phases have as many
SEED: Final = 20261129
QUIET, BUSY = "quiet", "busy"
FIRST_UNKNOWN: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Watched:
    """streams: of the other gates, with their last seq. children: who came in there this morning."""

    streams: dict[str, int]
    children: tuple[int, ...]


class Watch:
    """Notes the moment at which this gate's own state first had each. Called by the loop after every batch."""

    def __init__(self, gate: Controller, watched: Watched) -> None:
        self._gate, self._watched = gate, watched
        self.when: dict[str, float] = {}

    def look(self, batch: Batch) -> None:
        world = self._gate.world
        if "custody" not in self.when and all(world.campus.child(n).hold.live for n in reversed(self._watched.children)):
            self.when["custody"] = steady_s()
        if "whole" not in self.when and not world.reread:
            seen = world.stream.seen
            if all(seen.get(name, 0) >= last for name, last in self._watched.streams.items()):
                self.when["whole"] = steady_s()


@dataclass
class Tapper:
    """Cards at random moments, every sixth a child who comes in, the rest cards that nobody knows: each is a fact."""

    gate: Controller
    children: Iterator[int]
    busy_no_more: Callable[[], bool]  # this gate has everything, and taps wait for nothing any more
    phase: str = ""
    took: dict[str, list[float]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        chance = random.Random(SEED)
        known = (Read(access_point="east-in-1", scheme="uid", value=uid_of(child)) for child in self.children)
        unknown = map(nobody, count(FIRST_UNKNOWN))
        reads: Iterator[Any] = chain.from_iterable((child, *islice(unknown, CHILD_EVERY - 1)) for child in known)
        for read in chain(reads, unknown):
            if self.over.wait(chance.expovariate(TAPS_A_SECOND)):
                return
            began_s, phase = steady_s(), self.phase
            self.gate.ask(read)
            if phase == BUSY and self.busy_no_more():
                continue
            if phase:
                self.took.setdefault(phase, []).append((steady_s() - began_s) * 1000)


def run_gate(parent: Connection, state: Path, gate: str, size: Size, watched: Watched) -> None:
    """Until it is told to end. Words: taps PHASE, stop (answers with what taps took), when (answers with the moments)."""
    row = last_row_of_peers(state)
    controller, _ = opened(state, gate, size, now_ms=link_up_ms(size))
    snapshots = SnapshotStore(state, utc_offset_ms=controller.world.plan.utc_offset_ms)
    neighbours = Neighbours(
        controller=controller, state=state, snapshots=snapshots, peers_row=row, keep_pictures_days=30
    )
    watch = Watch(controller, watched)
    controller.listeners.append(watch.look)
    settle_interpreter()
    controller.start()
    neighbours.start()
    tapper = Tapper(controller, iter(size.of_gate(gate)[size.this_morning :]), lambda: "whole" in watch.when)
    taps = threading.Thread(target=tapper.run, daemon=True)
    parent.send("ready")
    while True:
        word, phase = parent.recv()
        if word == "taps":
            tapper.phase = phase
            if not taps.is_alive():
                taps.start()
        elif word == "when":
            parent.send(dict(watch.when))
        elif word == "stop":
            tapper.over.set()
            taps.join()
            parent.send(tapper.took)
        else:
            break
    neighbours.stop()
    controller.stop()
