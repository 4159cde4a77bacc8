"""Applications that lie at the sample school's office: families who want to join from the last day of November on.

They are applications and nothing more: nobody's roster changes because of this list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from kiosk.sample_school.menu import ALL_WEEK, Menu
from kiosk.sample_school.names import pick, shuffled
from kiosk.sample_school.roll import TERM, Child, Roll

FAMILIES: Final = 18
APPLIED_FROM: Final = date(2026, 11, 16)
JOINS: Final = date(2026, 11, 30)
PRIORITY: Final = ("留守儿童", "随迁子女", "双职工", "残疾儿童")


@dataclass(frozen=True, slots=True)
class Asked:
    child: Child
    session: str
    applied: date
    leave_at: str
    agreement: str
    priority: str


def applications(roll: Roll, menu: Menu, seed: int) -> Iterator[Asked]:
    """One row for each slot that a family asks for: the first, the second, or both."""
    dice = Random(seed + 3)
    free = [child for child in roll.children if not child.stays]
    clubs = [item.id for item in menu.items if item.slot == "2" and item.weekdays == ALL_WEEK]
    for number, child in enumerate(shuffled(dice, free)[: min(FAMILIES, len(free))]):
        wanted = []
        if number % 6 != 5:
            wanted.append(menu.home[child.grade, child.class_no])
        if number % 6 != 4:
            wanted.append(pick(dice, clubs))
        priority = PRIORITY[number % len(PRIORITY)] if number % 3 == 0 else ""
        for session in wanted:
            yield Asked(
                child=child, session=session, applied=APPLIED_FROM + timedelta(days=number % 5),
                leave_at="18:00" if number % 7 == 6 and session != wanted[0] else "",
                agreement=f"XY2026-{2001 + number:05d}" if number % 2 else "", priority=priority,
            )  # fmt: skip


LAST_DAY: Final = TERM[1]
