"""What changes about a session's roster in the days ahead: who joins, who leaves, another teacher, room or weekday.

The teacher is told before it happens, from the dates in the people list alone. It moves nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from kiosk.core.people import Directory, Enrolment, within

AHEAD_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingChange:
    """From `day` on. `teacher`, `room`, `weekdays` only where they become others; names as the roster shows them."""

    day: date
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    teacher: str = ""
    room: str = ""
    weekdays: tuple[int, ...] = ()


def coming_changes(directory: Directory, session: str, today: date) -> tuple[ComingChange, ...]:
    """The changes of today and of the week ahead, the nearest first."""
    found = []
    for n in range(AHEAD_DAYS + 1):
        day = today + timedelta(days=n)
        joins, leaves = _moves(directory.members_of.get(session, ()), day)
        before, after = (directory.on(at).sessions.get(session) for at in (day - timedelta(days=1), day))
        change = ComingChange(day=day, joins=_names(directory, joins), leaves=_names(directory, leaves))
        if before is not None and after is not None and before is not after:
            change = ComingChange(
                day=day,
                joins=change.joins,
                leaves=change.leaves,
                teacher=directory.name_of(after.teacher) if after.teacher != before.teacher else "",
                room=after.room if after.room != before.room else "",
                weekdays=tuple(sorted(after.weekdays)) if after.weekdays != before.weekdays else (),
            )
        if change != ComingChange(day=day):
            found.append(change)
    return tuple(found)


def _moves(places: Iterable[Enrolment], day: date) -> tuple[set[int], set[int]]:
    """Who is on the roster from `day` on and was not the day before, and the other way round."""
    eve = day - timedelta(days=1)
    rows = tuple(places)
    before = {e.child for e in rows if within(e.valid_from, e.valid_to, eve)}
    after = {e.child for e in rows if within(e.valid_from, e.valid_to, day)}
    return after - before, before - after


def _names(directory: Directory, children: set[int]) -> tuple[str, ...]:
    return tuple(sorted(directory.name_of(child) for child in children))
