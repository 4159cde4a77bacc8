"""What changes about a session's roster in the days ahead: who joins, who leaves, another teacher, room or weekday.

The teacher is told before it happens, from the dates in the people list alone. It moves nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kiosk.core.people import Directory, Enrolment, Session, within

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
    found, places = [], directory.members_of.get(session, ())
    for day in _edges((*places, *directory.session_rows.get(session, ())), today):
        joins, leaves = _moves(places, day)
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


def _edges(rows: Sequence[Enrolment | Session], today: date) -> list[date]:
    """The days from today to a week ahead on which some row begins, or has just ended: on all others nothing changes."""
    first, last = today, today + timedelta(days=AHEAD_DAYS)
    begins = {row.valid_from for row in rows if row.valid_from is not None and first <= row.valid_from <= last}
    ends = (row.valid_to + timedelta(days=1) for row in rows if row.valid_to is not None and row.valid_to < last)
    return sorted(begins | {day for day in ends if day >= first})


def _moves(rows: Sequence[Enrolment], day: date) -> tuple[set[int], set[int]]:
    """Who is on the roster from `day` on and was not the day before, and the other way round."""
    eve = day - timedelta(days=1)
    before = {e.child for e in rows if within(e.valid_from, e.valid_to, eve)}
    after = {e.child for e in rows if within(e.valid_from, e.valid_to, day)}
    return after - before, before - after


def _names(directory: Directory, children: set[int]) -> tuple[str, ...]:
    return tuple(sorted(directory.name_of(child) for child in children))
