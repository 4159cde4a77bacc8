"""Three gates of one school that were cut off for days: each with its own third of the children, through the real loop.

Every day of a gate is arrivals, roll calls, after-school sessions that the children enter and leave, classes handed to the
teachers of the sessions and back, children who go home, cards that nobody knows, and the close of the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from kiosk.bench.school import ARRIVAL_MS, CLASS_SIZE, content, uid_of
from kiosk.clock import FixedClock
from kiosk.controller import BATCH_LIMIT, Controller
from kiosk.core import commands as c
from kiosk.core.people import Directory, Enrolment, Session
from kiosk.directory import index
from kiosk.directory_schema import Content
from kiosk.opening import open_gate
from kiosk.settings import Settings, load, shared_data_dir

GATES: Final = ("gate-1", "gate-2", "gate-3")
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
LEADER: Final = 900_000
_DOOR, _EXIT, _ROOM = "east-in-1", "east-out-1", "room-101"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`children`: of one gate, whole classes. A day of theirs is `day_entries` long."""

    children: int = 1_080
    day_entries: int = 6_000
    days: int = 3
    this_morning: int = 300  # who came in on the day of the link-up, before it

    def of_gate(self, gate: str) -> range:
        first = GATES.index(gate) * self.children
        return range(first + 1, first + self.children + 1)


def people(size: Size) -> Content:
    """Children who may go alone, each class with a session of its own in one room."""
    whole = content(size.children * len(GATES))
    sessions = tuple(
        Session(
            id=f"S{n}", name=f"社团{n}", kind="sports", slot=1, weekdays=frozenset(range(1, 8)), room="101", teacher=900_001 + n
        )
        for n in range(len(whole.classes))
    )
    pupils = tuple(replace(one, leaves_alone=True) for one in whole.pupils)
    enrolments = tuple(Enrolment(child=one.number, session=f"S{(one.number - 1) // CLASS_SIZE}") for one in pupils)
    return replace(whole, pupils=pupils, sessions=sessions, enrolments=enrolments)


def directory(size: Size) -> Directory:
    return index(people(size), number=1, made_at_ms=ARRIVAL_MS)


def settings_of(gate: str) -> Settings:
    base = load(shared_data_dir("sample_school"))
    return replace(base, site=replace(base.site, node=gate), rules=replace(base.rules, node=gate, duty_leader=LEADER))


def opened(state: Path, gate: str, size: Size, *, now_ms: int) -> tuple[Controller, FixedClock]:
    clock = FixedClock(now_ms)
    return open_gate(settings=settings_of(gate), directory=directory(size), state=state, clock=clock), clock


def link_up_ms(size: Size) -> int:
    return ARRIVAL_MS + size.days * DAY_MS


def play(state: Path, gate: str, size: Size) -> None:
    """The days before the link-up and the morning of it, as that gate alone saw them."""
    controller, clock = opened(state, gate, size, now_ms=ARRIVAL_MS)
    try:
        for day in range(size.days):
            _day(controller, clock, ARRIVAL_MS + day * DAY_MS, size.of_gate(gate), size)
        clock.set(link_up_ms(size))
        _press(controller, [c.Tick(), *(_tap(_DOOR, child) for child in size.of_gate(gate)[: size.this_morning])])
    finally:
        controller.journal.close()


def _day(gate: Controller, clock: FixedClock, morning_ms: int, children: range, size: Size) -> None:
    before = gate.world.stream.seq
    classes = [tuple(children[start : start + CLASS_SIZE]) for start in range(0, len(children), CLASS_SIZE)]
    teachers = [gate.world.directory.pupils[one[0]].class_id for one in classes]
    heads = [gate.world.directory.classes[name].teacher or LEADER for name in teachers]
    clock.set(morning_ms)
    _press(gate, [c.Tick(), *(_tap(_DOOR, child) for child in children)])
    clock.advance(60 * MINUTE_MS)
    for name, head, group in zip(teachers, heads, classes, strict=True):
        _press(gate, [c.CallRoll(roster=f"class:{name}", marks=dict.fromkeys(group, "present"), by=head)])
    clock.set(morning_ms + (8 * 60 + 20) * MINUTE_MS)  # 16:05, to the duty leader and back: an offer moves nothing alone
    for head, group in zip(heads, classes, strict=True):
        for taker in (head, LEADER):
            _hand_over(gate, group, taker)
    clock.set(morning_ms + (8 * 60 + 50) * MINUTE_MS)  # 16:35
    _press(gate, [_tap(_ROOM, child) for child in children])
    clock.set(morning_ms + (9 * 60 + 50) * MINUTE_MS)  # 17:35
    _press(gate, [_tap(_EXIT, child) for child in children])
    left = [child for child in children if gate.world.campus.child(child).hold.live]
    if left:
        raise RuntimeError(f"{len(left)} children of this bench's day did not go home; the first is {left[0]}")
    missing = size.day_entries - 1 - (gate.world.stream.seq - before)
    _press(gate, [nobody(before + n) for n in range(missing)])
    clock.advance(15 * MINUTE_MS)
    closed = _press(gate, [c.Tick(), c.ClearCampus(by=LEADER)])[-1].decision
    if closed.outcome != "granted":
        raise RuntimeError(f"the day of {gate.world.rules.node} was not closed: {closed}")


def nobody(number: int) -> c.Read:
    """A card that nobody knows, another one each time."""
    return c.Read(access_point=_ROOM, scheme="uid", value=f"7F{number:06X}")


def _hand_over(gate: Controller, group: tuple[int, ...], taker: int) -> None:
    giver = gate.world.campus.child(group[0]).hold.custodian
    offered = _press(gate, [c.Offer(kind="to_duty", taker=taker, children=group, place="101", by=giver)])[0]
    accepted = _press(gate, [c.Accept(handover=str(offered.entry), counted=len(group), by=taker)])[0]
    if accepted.decision.outcome != "granted":
        raise RuntimeError(f"a class was not handed over: {offered.decision}, {accepted.decision}")


def _tap(point: str, child: int) -> c.Read:
    return c.Read(access_point=point, scheme="uid", value=uid_of(child))


def _press(gate: Controller, commands: Sequence[Any]) -> list[Any]:
    answers = list[Any]()
    for start in range(0, len(commands), BATCH_LIMIT):
        for command in commands[start : start + BATCH_LIMIT]:
            gate.submit(command, answers.append)
        gate.turn(gate.inbox.take_all(0))
    return answers
