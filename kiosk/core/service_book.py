"""What the facts say about sessions: who is checked in, what is closed, who looked, which months are locked. Part of the fold.

Any order of facts, any doubling, the same state: check-ins are kept in their order, the first archive row of a session on a
day counts, the first lock of a month counts.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from kiosk.core.campus_parts import Order
from kiosk.core.entries import Entry, Kind
from kiosk.core.service_records import CheckedIn, CheckedOut, MonthLocked, Patrolled, SessionClosed

if TYPE_CHECKING:
    from kiosk.core.campus import Campus

Key = tuple[str, str]  # (day, session)


class Check(NamedTuple):
    """Somebody came or went. standing_in_for and reason: of whoever came instead of another."""

    order: Order
    at_ms: int
    staff: int
    came: bool
    standing_in_for: int = 0
    reason: str = ""


class Closed(NamedTuple):
    """The archive row of a session, and the entry that has it."""

    order: Order
    entry: str
    at_ms: int
    row: SessionClosed


class Seen(NamedTuple):
    """A patrol."""

    order: Order
    at_ms: int
    row: Patrolled


class ServiceBook:
    def __init__(self) -> None:
        self.checks: dict[Key, list[Check]] = {}
        self.closed: dict[Key, Closed] = {}
        self.patrols: dict[Key, list[Seen]] = {}
        self.locked: dict[str, tuple[Order, int, int]] = {}  # month -> (order, by, at_ms)

    # --- reading ---------------------------------------------------------------------------------

    def teachers(self, day: str, session: str) -> tuple[int, ...]:
        """Whoever was checked in on that day, in the order of coming."""
        return tuple(dict.fromkeys(check.staff for check in self.checks.get((day, session), ()) if check.came))

    def present(self, day: str, session: str) -> tuple[int, ...]:
        """Whoever is checked in and not out again."""
        last = {check.staff: check for check in self.checks.get((day, session), ())}
        return tuple(staff for staff in self.teachers(day, session) if last[staff].came)

    def first_ms(self, day: str, session: str) -> int:
        """When the first teacher came; 0 while nobody has."""
        return min((check.at_ms for check in self.checks.get((day, session), ()) if check.came), default=0)

    def coming(self, day: str, session: str, staff: int) -> Check | None:
        """The last time that somebody checked in: for whom and why."""
        mine = [check for check in self.checks.get((day, session), ()) if check.staff == staff and check.came]
        return mine[-1] if mine else None

    def tables(self) -> tuple[dict[Any, Any], ...]:
        return self.checks, self.closed, self.patrols, self.locked

    # --- folding ---------------------------------------------------------------------------------

    def come(self, entry: Entry) -> None:
        row = CheckedIn.of(entry.body)
        check = Check(entry.order, entry.at_ms, row.staff, True, row.standing_in_for, row.reason)
        insort(self.checks.setdefault((row.day, row.session), []), check)

    def go(self, entry: Entry) -> None:
        row = CheckedOut.of(entry.body)
        insort(self.checks.setdefault((row.day, row.session), []), Check(entry.order, entry.at_ms, row.staff, False))

    def close(self, entry: Entry) -> None:
        row = SessionClosed.of(entry.body)
        one, key = Closed(entry.order, str(entry.id), entry.at_ms, row), (row.day, row.session)
        before = self.closed.get(key)
        if before is None or one.order < before.order:
            self.closed[key] = one

    def look(self, entry: Entry) -> None:
        row = Patrolled.of(entry.body)
        seen = Seen(entry.order, entry.at_ms, row)
        insort(self.patrols.setdefault((row.day, row.session), []), seen, key=lambda one: one.order)

    def lock(self, entry: Entry) -> None:
        row = MonthLocked.of(entry.body)
        one = (entry.order, row.by, entry.at_ms)
        self.locked[row.month] = min(one, self.locked.get(row.month, one))

    def forget_before(self, day: str) -> None:
        """Lets go of the sessions of days before `day`. Locks stay: they say what may be corrected."""
        tables: tuple[dict[Key, Any], ...] = (self.checks, self.closed, self.patrols)
        for table in tables:
            for key in [key for key in table if key[0] < day]:
                del table[key]


def _came(campus: Campus, entry: Entry) -> None:
    campus.service.come(entry)
    row = entry.body
    now = (entry.order, str(row["day"]))  # on the school's list in an emergency, like whoever signs in
    campus.staff_seen[row["staff"]] = max(now, campus.staff_seen.get(row["staff"], now))


def _went(campus: Campus, entry: Entry) -> None:
    campus.service.go(entry)


def _closed(campus: Campus, entry: Entry) -> None:
    campus.service.close(entry)


def _patrolled(campus: Campus, entry: Entry) -> None:
    campus.service.look(entry)


def _locked(campus: Campus, entry: Entry) -> None:
    campus.service.lock(entry)


SERVICE_STEPS: dict[str, Callable[[Campus, Entry], None]] = {
    Kind.STAFF_CHECKED_IN: _came,
    Kind.STAFF_CHECKED_OUT: _went,
    Kind.SESSION_CLOSED: _closed,
    Kind.PATROLLED: _patrolled,
    Kind.MONTH_LOCKED: _locked,
}
