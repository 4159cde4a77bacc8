"""What the office does between the days of a played term: corrections with a reason, and the lock of a month."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import msgspec

from kiosk.core import commands_service as c
from kiosk.core.service_records import SessionClosed
from kiosk.core.timetable import DayBook
from kiosk.simulation.term.drawing import MINUTE_MS
from kiosk.simulation.term.gate import TermGate
from kiosk.simulation.term.hands import Hands
from kiosk.simulation.term.ledger import Correction, Ledger

OPENS_MIN = 10 * 60
LOCKED_ON = 3  # played day of a month on which the month before is locked


REASON = "家长当天已向班主任请假，点名时误记"


class Office:
    """`rows`: the archive rows of the last days with what was corrected since, as the office's page reads them."""

    def __init__(self, gate: TermGate, ledger: Ledger, chance: random.Random) -> None:
        self._gate, self._ledger, self._chance = gate, ledger, chance
        self._rows: dict[tuple[str, str], tuple[str, SessionClosed]] = {}

    def evening(self, today: str, kept_from: str) -> None:
        """Takes note of what was archived today."""
        closed = self._gate.world.campus.service.closed.items()
        kept = {key: one for key, one in self._rows.items() if key[0] >= kept_from}
        self._rows = kept | {key: (one.entry, one.row) for key, one in closed if key[0] == today}

    def morning(self, book: DayBook, hands: Hands, at: Callable[..., None]) -> None:
        """Once a week a row of last week is put right; on the third day of a month the one before is locked."""
        days = self._ledger.days
        opens_ms = book.start_ms + OPENS_MIN * MINUTE_MS
        month = (book.day.date.replace(day=1) - timedelta(days=1)).isoformat()[:7]
        of_month = sum(1 for day in days if day[:7] == book.iso[:7])
        if of_month == LOCKED_ON and any(day[:7] == month for day in days):
            at(opens_ms, lambda: self._lock(month, hands.office))
        week = book.day.date.isocalendar()[:2]
        if len(days) > 1 and date.fromisoformat(days[-2]).isocalendar()[:2] != week:
            at(opens_ms + MINUTE_MS, lambda: self._correct(book, hands))

    def _lock(self, month: str, by: int) -> Iterable[Any]:
        self._ledger.locked.append(month)
        return [c.LockMonth(month=month, by=by)]

    def _correct(self, book: DayBook, hands: Hands) -> Iterable[Any]:
        """One child who was marked present was not there; every third time the wrong teacher stood in the row as well."""
        able = [key for key, (_, row) in self._rows.items() if "present" in row.states.values() and key[0] < book.iso]
        if not able:
            return []
        key = self._chance.choice(sorted(able))
        entry, row = self._rows[key]
        child = self._chance.choice(sorted(n for n, state in row.states.items() if state == "present"))
        states = {child: self._chance.choice(("leave_sick", "leave_personal"))}
        teachers = None
        if len(self._ledger.corrections) % 3 == 2:
            teachers = (self._chance.choice([t for t in hands.teachers if t not in row.teachers]),)
        self._write_down(book.iso, row, states, teachers)
        changed = msgspec.structs.replace(row, states={**row.states, **states}, teachers=teachers or row.teachers)
        self._rows[key] = (entry, changed)
        return [
            c.CorrectSession(closed=entry, row=row, by=hands.office, note=REASON, states=states, teachers=teachers)
        ]

    def _write_down(self, today: str, row: SessionClosed, states: dict[int, str], teachers: tuple[int, ...] | None) -> None:
        sitting = self._ledger.sittings[row.day, row.session]
        before = {child: sitting.states[child] for child in states}
        self._ledger.corrections.append(
            Correction(
                day=today, for_day=row.day, session=row.session, before=before, states=states,
                teachers_before=tuple(sitting.teachers), teachers=teachers, locked=row.day[:7] in self._ledger.locked,
            )
        )  # fmt: skip
        sitting.states |= states
        if teachers is not None:
            sitting.teachers = list(teachers)
