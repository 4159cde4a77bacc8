"""What the records of a period say of the service, as values: sessions as they stand now, check-ins, patrols, rolls, notes.

The bodies and what a correction changes are the core's (`kiosk.core.service_records`); here they come together with their day,
their entry and their free text. It says who was there and nothing of what a report makes of it. No file, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from kiosk.core.entries import Entry
from kiosk.core.service_records import (
    THERE,
    CheckedIn,
    CheckedOut,
    GrowthNoted,
    MonthLocked,
    Patrolled,
    SessionClosed,
    SessionCorrected,
)


class State(StrEnum):
    """How a child's session ended (D1), in the order of reports."""

    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    LEAVE_SICK = "leave_sick"
    LEAVE_PERSONAL = "leave_personal"
    ABSENT = "absent_unexplained"
    MOVED = "moved"


ATTENDED: Final = THERE


class PutRight(NamedTuple):
    """A correction. note: its reason; "" where that was erased or lies at another gate."""

    entry: Entry  # without its body
    change: SessionCorrected
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A session that was held on a day. `first`: the archive row as it was written; `row`: what stands after every correction."""

    entry: Entry  # without its body
    day: date
    first: SessionClosed
    row: SessionClosed
    corrections: tuple[PutRight, ...] = ()
    again: tuple[Entry, ...] = ()  # later rows of the same session and day: shown, never counted

    def enrolled(self) -> Iterator[tuple[int, str]]:
        """The children of the list with the state that stands. A guest whom a correction names stays a guest."""
        guests = self.first.guests
        return ((child, state) for child, state in self.row.states.items() if child not in guests)

    def guests(self) -> Iterator[int]:
        """Guests who were there: all of them, but where a correction says otherwise."""
        states = self.row.states
        return (child for child in self.first.guests if states.get(child, State.PRESENT) in ATTENDED)

    def attended(self) -> list[int]:
        """Enrolled children who were there for any part of it, then guests."""
        return [*(child for child, state in self.enrolled() if state in ATTENDED), *self.guests()]


class Stay(NamedTuple):
    """A teacher checked in at a session, or out."""

    entry: Entry
    day: date
    body: CheckedIn | CheckedOut


class Patrol(NamedTuple):
    entry: Entry
    day: date
    body: Patrolled
    note: str


class Lock(NamedTuple):
    entry: Entry
    body: MonthLocked


class Growth(NamedTuple):
    entry: Entry
    day: date
    body: GrowthNoted
    note: str


class Roll(NamedTuple):
    """The first roll of a session on a day."""

    entry: Entry
    session: str
    day: date
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """All of a period. `held` by day, start and session, the rest as it was written. `through`: how far each stream was read."""

    first: date
    last: date
    held: tuple[Held, ...]
    stays: tuple[Stay, ...] = ()
    patrols: tuple[Patrol, ...] = ()
    locks: tuple[Lock, ...] = ()
    growth: tuple[Growth, ...] = ()
    rolls: Mapping[tuple[str, date], Roll] = field(default_factory=dict)
    through: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0  # rows of these kinds that this version cannot read: `kiosk verify` names them

    def days(self) -> list[date]:
        return sorted({one.day for one in self.held})

    def locked(self, month: str) -> Lock | None:
        """The first lock of a month, 2026-10."""
        return next((lock for lock in self.locks if lock.body.month == month), None)
