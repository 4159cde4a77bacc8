"""One seed played: events in their order, a virtual clock, faults, and every invariant after every step. START HERE.

Nothing waits and nothing is left to the scheduler of the computer: the same seed and size play the same history every time.
"""

from __future__ import annotations

import heapq
import logging
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kiosk.core import commands as c
from kiosk.core.decisions import Decision
from kiosk.core.tokens import OLD_COPY_MS
from kiosk.simulation.fleet import invariants
from kiosk.simulation.fleet.disk import Image, PowerCut, in_memory
from kiosk.simulation.fleet.gate import FleetGate
from kiosk.simulation.fleet.history import Line
from kiosk.simulation.fleet.invariants import Violation
from kiosk.simulation.fleet.network import Network
from kiosk.simulation.fleet.plan import MINUTE_MS, Event, Size
from kiosk.simulation.fleet.presses import CHECKS, PRESSES, Hand, asks_of, exceptional_of, release_of
from kiosk.simulation.fleet.school import GATES, fleet_school
from kiosk.simulation.fleet.school_server import SchoolServer
from sync_agent.keys import SigningKey, signing_key

STEPS_MS = (-3_600_000, -300_000, 300_000, 5_400_000, 86_400_000)
MANY = 200  # steps of an agent, more than it ever needs
OFF_MS = (2_000, 90_000, 1_800_000)  # how long a computer is without power


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one seed. `steps`: events, and what the end of the story adds. `played`: events until something broke.
    `invariant` is "" when everything held."""

    seed: int
    steps: int
    played: int
    entries: int
    invariant: str = ""
    why: str = ""
    history: tuple[str, ...] = ()


def play(seed: int, size: Size, events: Sequence[Event]) -> Outcome:
    folder = Path(tempfile.mkdtemp(prefix="kiosk-fleet-", dir=in_memory()))
    try:
        with _faults_of_ours() as faults:
            return _Story(seed, size, folder, faults).play(events)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Story:
    def __init__(self, seed: int, size: Size, folder: Path, faults: list[str]) -> None:
        self.seed, self.size, self._faults = seed, size, faults
        self.school = fleet_school(size.gates, size.children)
        self.now_ms = self.school.midnight_ms + 430 * MINUTE_MS
        self.chance = random.Random(f"{seed}/looks")
        self.server = SchoolServer(folder / "server", now_ms=lambda: self.now_ms)
        self.network = Network(self.server, lambda: self.now_ms)
        self.lines: list[Line] = []
        self.steps = 0
        self._off: list[tuple[int, int]] = []  # (when the power comes back, place among the gates)
        self._folder, self._twins = folder, dict[int, FleetGate]()  # gates whose card runs in a second computer as well
        self.gates: list[FleetGate] = []
        for at, name in enumerate(self.school.gates):
            self.server.enrol(name, key_of(name))
            self.gates.append(self._computer(at, name))
            self.gates[-1].boot()

    def _computer(self, at: int, name: str) -> FleetGate:
        return FleetGate(
            at=at, school=self.school, folder=self._folder / name, network=self.network, key=key_of(self.school.gates[at]),
            true_ms=lambda: self.now_ms, seed=f"{self.seed}/{name}",
        )  # fmt: skip

    def play(self, events: Sequence[Event]) -> Outcome:
        invariant = why = ""
        played = 0
        try:
            for number, event in enumerate(events):
                played = number + 1
                self._until(self.school.midnight_ms + event.at_ms)
                self._step(event, deep=number % self.size.look_every == 0)
            self._clear_weather()
        except Violation as found:
            invariant, why = found.invariant, found.why
        finally:
            for gate in self.gates:
                gate.close()
            self.server.close()
        entries = sum(len(gate.told) for gate in self.gates)
        return Outcome(
            seed=self.seed, steps=self.steps, played=played, entries=entries, invariant=invariant, why=why,
            history=tuple(map(str, self.lines)) if invariant else (),
        )  # fmt: skip

    # --- time --------------------------------------------------------------------------------------------

    def _until(self, at_ms: int) -> None:
        while self._off and self._off[0][0] <= at_ms:
            back_ms, at = heapq.heappop(self._off)
            self.now_ms = max(self.now_ms, back_ms)
            self._power_back(self.gates[at])
        self.now_ms = max(self.now_ms, at_ms)
        self.network.deliver_late()

    def _step(self, event: Event, *, deep: bool) -> None:
        gate = self.gates[event.gate]
        if event.gate in self._twins and event.turn % 2:
            gate = self._twins[event.gate]
        self.steps += 1
        seen = len(gate.rows)
        act = _ACTS.get(event.kind)
        if act is not None:
            act(self, gate, event)
        else:
            self._press(gate, event)
        self._look(gate, seen, deep=deep)

    def _look(self, gate: FleetGate, seen: int, *, deep: bool) -> None:
        if self._faults:
            raise Violation(invariants.NO_FAULT, self._faults[0])
        invariants.look_closely(gate, gate.rows[seen:] if gate.up else ())
        invariants.one_has_the_right([one for one in self.gates if one.up and one.at not in self._twins], self.server.has)
        if deep:
            invariants.look_deeply(gate, self.chance)

    def _say(self, gate: FleetGate | None, what: str | Sequence[object], came_of_it: str | list[Decision] = "") -> None:
        self.lines.append(Line(self.now_ms - self.school.midnight_ms, gate.name if gate else "server", what, came_of_it))

    # --- people --------------------------------------------------------------------------------------------

    def _press(self, gate: FleetGate, event: Event) -> None:
        if not gate.up:
            return
        if event.kind == "out_twice":
            self._let_out_twice(gate, event)
            return
        if event.kind == "wants_right":
            self._ask_for_the_right(gate, event)
            return
        commands = PRESSES[event.kind](Hand(gate, event.turn))
        self._turn(gate, [c.Tick(), *commands])  # the loop ticks once a second

    def _turn(self, gate: FleetGate, commands: Sequence[object]) -> None:
        if not commands or not gate.up:
            return
        before = invariants.visible(gate.campus) if gate.disk.armed else {}
        rows = len(gate.rows)
        try:
            decisions = gate.press(*commands)
        except PowerCut as cut:
            self._say(gate, commands, "the power goes while this is written")
            self._cut(gate, cut.args[0], off_ms=0)
            if gate.up and not gate.wrote_since(rows):
                invariants.same_after_restart(gate, before)
            return
        self._say(gate, commands, decisions)

    def _let_out_twice(self, gate: FleetGate, event: Event) -> None:
        """Two gates that know the same child each let it go, before one has heard of the other."""
        other = self.gates[(gate.at + 1) % len(self.gates)]
        if not other.up:
            return
        both = sorted({n for n, _ in gate.campus.on_campus()} & {n for n, _ in other.campus.on_campus()})
        if not both:
            return
        child = both[event.turn % len(both)]
        for at in (gate, other):
            seen = len(at.rows)
            hand = Hand(at, event.turn)
            self._turn(at, [exceptional_of(hand, child) if event.turn % 2 else release_of(hand, child)])
            self._look(at, seen, deep=False)

    def _ask_for_the_right(self, gate: FleetGate, event: Event) -> None:
        """A guard asks the other gates for a child, and the link holds for some of the way there and back, or for all of it.
        In the end somebody presses release at that gate, alone."""
        hand = Hand(gate, event.turn)
        asks = asks_of(hand)
        self._turn(gate, [c.Tick(), *asks])
        if not asks:
            return
        others = [one for one in self.gates if one.at != gate.at]
        way = [(gate, self._up), *((one, self._down) for one in others), *((one, self._up) for one in others), (gate, self._down)]
        for one, step in way[: 1 + event.turn % (2 * len(way))]:
            seen = len(one.rows)
            step(one, event)
            self.now_ms += 1_000
            self._turn(one, [c.Tick()])
            self._look(one, seen, deep=False)
        if event.turn % 3 == 0 and gate.up:
            self._turn(gate, [c.Release(
                children=(asks[0].child,), collector=500 + asks[0].child, access_point=hand.point("out"), by=hand.guard,
                verified=CHECKS,
            )])  # fmt: skip

    # --- agents ----------------------------------------------------------------------------------------------

    def _up(self, gate: FleetGate, event: Event) -> None:
        if gate.up:
            gate.send(1 + event.turn % 3, event.wire)
            self._say(gate, _with("sends", event))

    def _down(self, gate: FleetGate, event: Event) -> None:
        if gate.up:
            gate.fetch(1 + event.turn % 2, event.wire)
            heard = len(gate.heard)
            self._fold_peers(gate)
            self._say(gate, _with("fetches", event), f"{len(gate.heard) - heard} new")

    def _exchange(self, gate: FleetGate, event: Event) -> None:
        self._up(gate, event)
        self._down(gate, event)

    def _night(self, gate: FleetGate, event: Event) -> None:
        """The links are back for a moment: everybody tells everything and hears what is there."""
        cut, self.network.cut = self.network.cut, set()
        if self.server.full:
            self.server.die()
        self._everybody_tells()
        for one in self.gates:
            if one.up:
                self._fold_peers(one)
        self.network.cut = cut
        self._say(None, "has heard everybody in the night")

    def _everybody_tells(self) -> None:
        """Twice: what a second computer of the same name has sent is asked for after the next comparison."""
        up = [gate for gate in self.gates if gate.up]
        for _ in range(2 if self._twins else 1):
            for gate in up:
                gate.send(MANY)
            for gate in up:
                gate.fetch(MANY)
            self.now_ms += MINUTE_MS

    def _fold_peers(self, gate: FleetGate) -> None:
        try:
            gate.look()
        except PowerCut as cut:
            self._cut(gate, cut.args[0], off_ms=0)

    # --- faults ------------------------------------------------------------------------------------------------

    def _cut_off(self, gate: FleetGate, event: Event) -> None:
        self.network.cut.add(gate.at)
        self._say(gate, "is cut off")

    def _link_back(self, gate: FleetGate, event: Event) -> None:
        self.network.cut.discard(gate.at)
        self._say(gate, "has a link again")

    def _power_cut(self, gate: FleetGate, event: Event, *, forgets: bool = False) -> None:
        if gate.up:
            self._fold_peers(gate)
        if gate.up:
            self._say(gate, "loses its power")
            before = invariants.visible(gate.campus)
            if forgets:
                gate.clock.forget()
            self._cut(gate, gate.disk.after_cut(random.Random(event.turn)), off_ms=OFF_MS[event.turn % 3])
            if gate.up:
                invariants.same_after_restart(gate, before)

    def _cut(self, gate: FleetGate, image: Image, *, off_ms: int) -> None:
        gate.cut_power(image)
        if off_ms > OFF_MS[0]:
            heapq.heappush(self._off, (self.now_ms + off_ms, self.gates.index(gate)))
        else:
            self._power_back(gate)

    def _power_back(self, gate: FleetGate) -> None:
        """Until its disk takes an entry, a gate does not start."""
        if gate.up:
            return
        try:
            started = gate.boot()
        except PowerCut as cut:
            gate.put_back(cut.args[0])
            started = gate.boot()
        self._say(gate, "starts", "" if started else "and cannot: its disk takes nothing")
        if started:
            invariants.rows_survived(gate)
            self._look(gate, sum(one.entry.incarnation != gate.incarnation for one in gate.rows), deep=True)
        else:
            heapq.heappush(self._off, (self.now_ms + 10 * MINUTE_MS, self.gates.index(gate)))

    def _cut_in_append(self, gate: FleetGate, event: Event) -> None:
        gate.disk.cut_next(random.Random(event.turn))
        self._say(gate, "will lose its power in the next write")

    def _append_fails(self, gate: FleetGate, event: Event) -> None:
        gate.disk.fail_next(1 + event.turn % 60)
        self._say(gate, "has a disk whose next write fails")

    def _disk_full(self, gate: FleetGate, event: Event) -> None:
        gate.disk.full = True
        self._say(gate, "has no room on its disk")

    def _disk_freed(self, gate: FleetGate, event: Event) -> None:
        gate.disk.full = False
        self._say(gate, "has room again")

    def _agent_dies(self, gate: FleetGate, event: Event) -> None:
        if gate.up:
            gate.agent_dies(forgets=event.turn % 3 == 0)
            self._say(gate, "has its agent killed", "agent.db is lost" if event.turn % 3 == 0 else "")

    def _clock_steps(self, gate: FleetGate, event: Event) -> None:
        by_ms = STEPS_MS[event.turn % len(STEPS_MS)]
        gate.clock.step(by_ms)
        self._say(gate, f"has its clock set by {by_ms // 1000} s")
        self._turn(gate, [c.Tick()])

    def _clock_drifts(self, gate: FleetGate, event: Event) -> None:
        gate.clock.drift(event.turn % 401 - 200)
        self._say(gate, f"has a clock that drifts by {event.turn % 401 - 200} ppm")

    def _clock_forgets(self, gate: FleetGate, event: Event) -> None:
        if gate.up:
            self._say(gate, "has a flat battery")
            self._power_cut(gate, event, forgets=True)

    def _clock_mended(self, gate: FleetGate, event: Event) -> None:
        gate.clock.mend()
        self._say(gate, "has its clock set right")
        self._turn(gate, [c.Tick()])

    def _card_copied(self, gate: FleetGate, event: Event) -> None:
        if gate.up:
            gate.copy_card()
            self._say(gate, "has its card copied", f"{len(gate.rows)} entries")

    def _card_put_back(self, gate: FleetGate, event: Event) -> None:
        """The card dies; somebody puts the old copy in, which takes a while. What only that card had is lost with it."""
        if gate.up and gate.copy is not None and self.now_ms - gate.copied_ms > OLD_COPY_MS:
            self._say(gate, "gets the old copy of its card")
            gate.forget_since_copy()
            gate.old_copy = True
            self._cut(gate, gate.copy, off_ms=0)

    def _card_cloned(self, gate: FleetGate, event: Event) -> None:
        """Somebody runs a copy of the card in a second computer, beside the first."""
        if gate.copy is not None and gate.at not in self._twins:
            twin = self._computer(gate.at, f"{gate.name}-twin")
            twin.disk.put_back(gate.copy)
            self.gates.append(twin)
            self._twins[gate.at] = twin
            self._say(gate, "has a twin that runs on a copy of its card")
            self._power_back(twin)

    def _server_copied(self, gate: FleetGate, event: Event) -> None:
        self.server.keep_copy()
        self._say(None, "is copied")

    def _server_put_back(self, gate: FleetGate, event: Event) -> None:
        if self.server.put_back():
            self._say(None, "is put back to its copy")

    def _server_full(self, gate: FleetGate, event: Event) -> None:
        self.server.fill()
        self._say(None, "has no room until it is started again")

    def _server_dies(self, gate: FleetGate, event: Event) -> None:
        self.server.die()
        self._say(None, "dies and starts again")

    # --- the end -------------------------------------------------------------------------------------------------

    def _clear_weather(self) -> None:
        """Every link is back and every gate is up: in the end all of them know everything, and tell the same story."""
        self.network.cut.clear()
        self.server.die()
        for gate in self.gates:
            gate.disk.recover()
            gate.clock.mend()
        while self._off:
            self._until(self._off[0][0])
        self._until(self.now_ms + 60 * MINUTE_MS)
        for gate in self.gates:
            gate.press(c.Tick())  # a loop ticks once a second: every gate has come to this day
        for _ in range(3):  # a gate fetches what it lost, finds that it has all of it, and says so
            self._everybody_tells()
            for gate in self.gates:
                gate.look()
        for gate in self.gates:
            self._look(gate, len(gate.rows), deep=True)
        invariants.everything_is_everywhere(self.gates, self.server.everything())


_ACTS: Mapping[str, Callable[[_Story, FleetGate, Event], None]] = {
    "up": _Story._up, "night": _Story._night, "down": _Story._down, "exchange": _Story._exchange, "cut_off": _Story._cut_off,
    "link_back": _Story._link_back, "power_cut": _Story._power_cut, "cut_in_append": _Story._cut_in_append,
    "append_fails": _Story._append_fails, "disk_full": _Story._disk_full, "disk_freed": _Story._disk_freed,
    "agent_dies": _Story._agent_dies, "clock_steps": _Story._clock_steps, "clock_drifts": _Story._clock_drifts,
    "clock_forgets": _Story._clock_forgets, "clock_mended": _Story._clock_mended, "card_copied": _Story._card_copied,
    "card_put_back": _Story._card_put_back, "card_cloned": _Story._card_cloned, "server_dies": _Story._server_dies,
    "server_copied": _Story._server_copied, "server_put_back": _Story._server_put_back, "server_full": _Story._server_full,
}  # fmt: skip


def _with(what: str, event: Event) -> str:
    return " ".join((what, *(word or "well" for word in event.wire)))


@cache
def key_of(node: str) -> SigningKey:
    return signing_key(GATES.index(node).to_bytes(32, "big"))


class _Listener(logging.Handler):
    """Collects what the product calls a fault of its own."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(level=logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._heard.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


@contextmanager
def _faults_of_ours() -> Iterator[list[str]]:
    """The product's logs go nowhere meanwhile: a story says what happened in its own words."""
    heard: list[str] = []
    handler = _Listener(heard)
    loggers = [logging.getLogger(name) for name in ("kiosk", "sync_agent")]
    before = [(logger.propagate, logger.level) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield heard
    finally:
        for logger, (propagate, _) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
