"""A computer's clock that is wrong under a running gate: two hours back, a year ahead after a power cut, and set right later.

`kiosk serve` goes by its computer's own clock, which a library in between turns (tests/support/clock_shim.c). It is half an hour
after lessons began, so whoever arrives is late: that is said while the clock can be trusted, and of nobody while it cannot.
CI plays one gate by itself; KIOSK_FAULTS=full a campus, in which the other gate and the server go by the right time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.support import disk_shim, fault_school
from tests.support.clock_shim import ComputerClock, ComputersOwn
from tests.support.journal_facts import check_numbers, check_verified, read_journal
from tests.support.old_disks import LEADER, PUPILS, OldDisks, inside
from tests.support.running_gate import RunningGate, tap, wait_until

FULL = os.environ.get("KIOSK_FAULTS") == "full"
START = "2026-11-23T08:45:00+08:00"
HOUR_MS, YEAR_MS = 3_600_000, 365 * 86_400_000
STEPPED, FIXED = "clock_stepped", "clock_fixed"
DOUBTED = "时钟未校准"
Taps = Callable[[], list[dict[str, Any]]]


class Desk:
    """The gate whose clock is turned. `taps`: some children who have not come yet, and what the reader was told of each."""

    def __init__(self, gate: RunningGate, clock: ComputerClock, taps: Taps) -> None:
        self.gate, self.clock, self._taps = gate, clock, taps
        self._recorded: list[str] = []

    def restart(self) -> None:
        """The power fails and comes back."""
        self.gate.kill()
        with self.clock.here():
            self.gate.start().ready()

    def knows(self, *, trusted: bool) -> None:
        with self.gate.reader() as reader:
            wait_until(lambda: reader.get("/healthz").json()["clock_trusted"] is trusted, f"the clock's trust is {trusted}")
        with self.gate.signed_in(LEADER) as leader:
            wait_until(lambda: (DOUBTED in leader.get("/duty").text) is not trusted, f"the bar says that it is {trusted}")
        if not trusted:  # every start says it anew
            self._recorded.append(STEPPED)
        elif self._recorded and self._recorded[-1] == STEPPED:
            self._recorded.append(FIXED)
        wait_until(lambda: changes(self.gate.state) == self._recorded, f"the record says {self._recorded}")

    def arrive(self, reason: str) -> None:
        """Everybody who comes is told that it is recorded, and judged only so."""
        told = [answer["reason"] for answer in self._taps()]
        assert told and set(told) == {reason}, told


def wrong_and_right_again(desk: Desk) -> None:
    desk.knows(trusted=True)
    desk.arrive("late")
    desk.clock.step_to(-2 * HOUR_MS)
    desk.knows(trusted=False)
    desk.arrive("recorded")
    desk.restart()
    desk.knows(trusted=False)  # behind its own records now
    desk.arrive("recorded")
    desk.clock.step_to(0)
    desk.knows(trusted=True)
    desk.arrive("late")
    desk.clock.step_to(YEAR_MS)
    desk.restart()
    desk.knows(trusted=False)
    desk.arrive("recorded")
    desk.clock.step_to(0)
    desk.clock.keep()
    desk.knows(trusted=True)
    desk.arrive("late")
    desk.restart()
    desk.knows(trusted=True)


def changes(state: Path) -> list[str]:
    """What the gate recorded of its clock's trust."""
    return [one.entry.kind for one in read_journal(state) if one.entry.kind in (STEPPED, FIXED)]


def check_order(state: Path) -> None:
    """Written in one order, whatever the clock said; each time marked as it was believed; every change of that on record."""
    written = [one.entry for one in read_journal(state)]
    check_numbers(read_journal(state))
    assert check_verified(state) == len(written)
    ticks = [entry.tick for entry in written]
    assert ticks == sorted(set(ticks)), "the order is not the order of writing"
    late = [entry for entry in written if entry.body.get("reason") == "late"]
    assert late and {entry.clock for entry in late} == {"trusted"}, "judged late under a clock that nobody can trust"
    right_ms = written[0].at_ms
    for entry in written:
        wrong = abs(entry.at_ms - right_ms) > HOUR_MS
        assert not wrong or entry.clock == "untrusted", f"{entry.id} bears a wrong time that is called right"
    assert changes(state) == [STEPPED, STEPPED, FIXED, STEPPED, FIXED], changes(state)  # once for every start


@contextmanager
def turned(folder: Path) -> Iterator[ComputerClock]:
    if missing := disk_shim.why_not():
        pytest.skip(missing.replace("SQLite and the disk", "a program and its clock"))
    with closing(ComputerClock(folder / "clock", start=START)) as clock:
        yield clock


@pytest.mark.timeout(300)
def test_nobody_is_late_by_a_wrong_clock_and_all_is_kept_in_order(tmp_path: Path) -> None:
    with turned(tmp_path) as clock:
        fault_school.write(tmp_path / "gate" / "state", PUPILS)
        gate, children = RunningGate(tmp_path / "gate", day=ComputersOwn(START)), iter(range(1, PUPILS + 1))

        def taps() -> list[dict[str, Any]]:
            with gate.reader() as reader:
                return [tap(reader, next(children), "east-in-1") for _ in range(3)]

        try:
            with clock.here():
                gate.start().ready()
            wrong_and_right_again(Desk(gate, clock, taps))
            with gate.signed_in(LEADER) as leader:
                came = next(children) - 1
                wait_until(lambda: inside(leader) == came, "everybody who came is counted")
            assert gate.stop() == 0
        finally:
            gate.close()
        assert "Traceback" not in gate.said(), gate.said()[-3000:]
        check_order(gate.state)


@pytest.mark.skipif(not FULL, reason="KIOSK_FAULTS=full plays it; make faults")
@pytest.mark.timeout(900)
def test_the_other_gate_and_the_server_have_all_of_it_in_the_same_order(tmp_path: Path) -> None:
    with turned(tmp_path) as clock, closing(ComputerClock(tmp_path / "right", start=START)) as right:

        def place(name: str) -> AbstractContextManager[None]:
            return nullcontext() if name == "server" else clock.here() if name == "east" else right.here()

        rig = OldDisks(tmp_path, place=place, day=ComputersOwn(START))
        try:
            wrong_and_right_again(Desk(rig.east.gate, clock, lambda: rig.taps(rig.east)))
            for machine in rig.machines:
                rig.taps(machine)
                rig.everybody_inside(machine)
            rig.settle()
            print(f"{len(rig.told)} children told they are in, {rig.check()} entries captured = stored = at both gates")
        finally:
            rig.close()
        check_order(rig.east.state)
