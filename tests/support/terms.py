"""A term at one gate in a minute's time: days with taps, roll calls, handovers, cases and their notes, lost cards, restarts; each
day closed but the last, which is under way. Drawn from a seed; written through the real loop.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from kiosk.core import commands as c
from tests.support.people import PUPILS, uid_of
from tests.support.school import School

DAYS = ("2026-11-23", "2026-11-24", "2026-11-25", "2026-12-03", "2026-12-07", "2026-12-28", "2026-12-29", "2026-12-30")
LEADER, GUARD, TEACHERS = 140, 130, (101, 103, 105, 106)


class Term:
    """`school` is the gate, on its last day."""

    def __init__(self, state: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.school = School(state, at=f"{DAYS[0]}T07:30:00")
        for day in DAYS[:-1]:
            self._day(day)
            close_day(self.school, day)
            if self.chance.random() < 0.4:
                self.school.restart()
        self._day(DAYS[-1])
        settle(self.school)

    def _at(self, day: str, time: str) -> None:
        self.school.clock.set(self.school.ms(f"{day}T{time}"))
        self.school.ask(c.Tick())

    def _day(self, day: str) -> None:
        chance, school = self.chance, self.school
        self._at(day, "07:40:00")
        came = [pupil.number for pupil in PUPILS if chance.random() < 0.8]
        for child in came:
            school.clock.advance(chance.randrange(3_000, 40_000))
            school.tap_card(uid_of(child), chance.choice(("east-in", "south-in")))
        for _ in range(chance.randrange(1, 30)):
            school.clock.advance(chance.randrange(3_000, 40_000))
            school.tap_card(f"7F{chance.randrange(1 << 24):06X}", "east-in")
        for teacher in TEACHERS:
            school_class = next(one for one in school.directory.classes.values() if one.teacher == teacher)
            mine = [n for n in came if school.directory.pupils[n].class_id == school_class.id]
            if mine and chance.random() < 0.7:
                school.ask(c.CallRoll(roster=f"class:{school_class.id}", marks=dict.fromkeys(mine, "present"), by=teacher))
        if chance.random() < 0.3:
            school.ask(c.ReportCardLost(uid=uid_of(chance.choice(PUPILS).number), by=GUARD))
        school.ask(c.DiskSeen(level=chance.choice(("", "disk_low")), used_percent=chance.randrange(100)))
        self._at(day, "16:20:00")
        live = [n for n, _ in school.gate.world.campus.on_campus()]
        for child in chance.sample(live, k=len(live) // 2):
            giver = school.gate.world.campus.child(child).hold.custodian
            offered = school.ask(c.Offer(kind="to_duty", taker=LEADER, children=(child,), place="101", by=giver))
            if offered.entry and chance.random() < 0.7:
                school.ask(c.Accept(handover=str(offered.entry), counted=1, by=LEADER))


def close_day(school: School, day: str) -> None:
    """Whoever is still here is fetched, every case is closed with a note, and the leader signs."""
    school.clock.set(school.ms(f"{day}T18:30:00"))
    school.ask(c.Tick())
    for child, _ in list(school.gate.world.campus.on_campus()):
        school.ask(c.ReleaseExceptionally(
            child=child, access_point="east-out", by=GUARD, second=LEADER, name="姑妈", relation="姑母", id_type="id_card",
            id_last4="123X", reason="父母都在外地", verified=("call_back", "child_recognises"),
        ))  # fmt: skip
    school.clock.set(school.ms(f"{day}T19:30:00"))
    school.ask(c.Tick())
    for case in school.duty().cases:
        school.ask(c.CloseCase(case=case.case, by=LEADER, note=f"{day} {case.kind}"))
    closed = school.ask(c.ClearCampus(by=LEADER)).decision
    assert closed.outcome == "granted", closed


def settle(school: School) -> None:
    """Until time alone writes nothing more: a ladder climbs a rung at a tick."""
    stood_at = -1
    while stood_at != school.gate.world.stream.seq:
        stood_at = school.gate.world.stream.seq
        school.ask(c.Tick())


def told(school: School) -> tuple[Any, ...]:
    """What a gate knows, as one value: the fold, and what it says of days that it let go of."""
    world = school.gate.world
    return world.campus.fingerprint(), world.let_go_through, world.unreadable, school.duty().cases
