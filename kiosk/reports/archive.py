"""Reads the service records of a period out of a state folder, in one pass: archive rows, corrections, and what goes with them.

A year is more than a million entries, of which some thousands are archive rows: bytes are looked at by kind and only those are
decoded. Nothing is taken from taps. What is found does not depend on the gate at which it is read, but for the free texts.
Raises RecordsError where bytes were let go of that a report needs. Decides nothing, writes nothing.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import msgspec

from kiosk.core.entries import Entry, Kind, UnreadableEntry, decode
from kiosk.core.service_records import (
    SERVICE_KINDS,
    CheckedIn,
    CheckedOut,
    Corrected,
    GrowthNoted,
    MonthLocked,
    Patrolled,
    SessionClosed,
    SessionCorrected,
    standing,
)
from kiosk.recorded import Records, RecordsError, StreamRows, day_bounds, day_from
from kiosk.reports.service_rows import Archive, Growth, Held, Lock, Patrol, PutRight, Roll, Stay

ROSTER: Final = "session:"
Progress = Callable[[int, int], None]  # how many entries were looked at, of how many
_Key = tuple[str, date]


def read_archive(
    records: Records, first: date, last: date, *, utc_offset_ms: int, rolls: bool = False, progress: Progress | None = None
) -> Archive:
    """The service records of the days from `first` to `last`, both included. Raises RecordsError, and whatever `progress` raises.

    Corrections count whenever they were made. `rolls`: also when the roll of each session was called.
    """
    start_ms, _ = day_bounds(first, utc_offset_ms)
    kinds = frozenset(kind.value for kind in (*SERVICE_KINDS, *((Kind.ROLL_CALLED,) if rolls else ())))
    begins = {stream.name: _begins(stream, start_ms) for stream in records.streams}
    total = sum(max(0, stream.last - begins[stream.name] + 1) for stream in records.streams)
    found, before = _Found(first, last, records.note), 0
    for stream in records.streams:
        begin = begins[stream.name]
        for through, rows in stream.looked_through(kinds, begin):
            for row in rows:
                found.take(row.raw, kinds, stream.name)
            if progress is not None:
                progress(before + through - begin + 1, total)
        before += max(0, stream.last - begin + 1)
    return found.archive({stream.name: stream.last for stream in records.streams})


def _begins(stream: StreamRows, start_ms: int) -> int:
    """Where in a stream the period begins. Before what is still there, kinds that are kept for ever may stand."""
    first = stream.first_at(start_ms)
    return 1 if first == stream.pruned + 1 else first


class _Found:
    """Collects one pass. Numbers and words that repeat in a year of rows are held once."""

    def __init__(self, first: date, last: date, note: Callable[[str], str]) -> None:
        self.first, self.last, self._note = first, last, note
        self._numbers: dict[int, int] = {}
        self._days: dict[str, date] = {}
        self.closed: dict[_Key, list[tuple[Entry, SessionClosed]]] = defaultdict(list)
        self.changes: dict[_Key, list[tuple[Corrected, str]]] = defaultdict(list)
        self.stays: list[Stay] = []
        self.patrols: list[Patrol] = []
        self.locks: list[Lock] = []
        self.growth: list[Growth] = []
        self.rolls: list[Roll] = []
        self.unreadable = 0
        self._takers: dict[str, Callable[[Entry], None]] = {
            Kind.SESSION_CLOSED: self._closed, Kind.SESSION_CORRECTED: self._corrected, Kind.STAFF_CHECKED_IN: self._came,
            Kind.STAFF_CHECKED_OUT: self._went, Kind.PATROLLED: self._patrolled, Kind.MONTH_LOCKED: self._locked,
            Kind.GROWTH_NOTED: self._noted, Kind.ROLL_CALLED: self._roll,
        }  # fmt: skip

    def take(self, raw: bytes, kinds: frozenset[str], stream: str) -> None:
        if not raw:
            raise RecordsError(
                f"service records of {stream} were let go of at this gate (keep_records_days in site.toml); the school server"
                " has them, and so has every copy that `kiosk backup` made before"
            )
        try:
            entry = decode(raw)
            if entry.kind in kinds:
                self._takers[entry.kind](entry)
        except (UnreadableEntry, ValueError, KeyError, TypeError, RecordsError):
            self.unreadable += 1

    def _day(self, text: str) -> date | None:
        """None where it lies outside the period. Raises RecordsError."""
        day = self._days.get(text)
        if day is None:
            day = self._days[text] = day_from(text)
        return day if self.first <= day <= self.last else None

    def _shared(self, states: Mapping[int, str]) -> dict[int, str]:
        return {self._numbers.setdefault(child, child): sys.intern(state) for child, state in states.items()}

    def _closed(self, entry: Entry) -> None:
        row = SessionClosed.of(entry.body)
        if (day := self._day(row.day)) is not None:
            words = {
                name: sys.intern(getattr(row, name)) for name in ("session", "day", "name", "kind", "form", "room", "partner")
            }
            row = msgspec.structs.replace(row, states=self._shared(row.states), **words)
            self.closed[row.session, day].append((_bare(entry), row))

    def _corrected(self, entry: Entry) -> None:
        change = SessionCorrected.of(entry.body)
        if (day := self._day(change.for_day)) is not None:
            note = self._note(str(entry.body.get("note", "")))
            self.changes[change.session, day].append((Corrected(_bare(entry), change), note))

    def _came(self, entry: Entry) -> None:
        body = CheckedIn.of(entry.body)
        if (day := self._day(body.day)) is not None:
            self.stays.append(Stay(_bare(entry), day, body))

    def _went(self, entry: Entry) -> None:
        body = CheckedOut.of(entry.body)
        if (day := self._day(body.day)) is not None:
            self.stays.append(Stay(_bare(entry), day, body))

    def _patrolled(self, entry: Entry) -> None:
        body = Patrolled.of(entry.body)
        if (day := self._day(body.day)) is not None:
            self.patrols.append(Patrol(_bare(entry), day, body, self._note(str(entry.body.get("note", "")))))

    def _locked(self, entry: Entry) -> None:
        body = MonthLocked.of(entry.body)
        if f"{self.first:%Y-%m}" <= body.month <= f"{self.last:%Y-%m}":
            self.locks.append(Lock(_bare(entry), body))

    def _noted(self, entry: Entry) -> None:
        body = GrowthNoted.of(entry.body)
        if (day := self._day(body.day)) is not None:
            self.growth.append(Growth(_bare(entry), day, body, self._note(str(entry.body.get("note", "")))))

    def _roll(self, entry: Entry) -> None:
        roster = entry.body["roster"]
        if roster.startswith(ROSTER) and (day := self._day(entry.body["day"])) is not None:
            self.rolls.append(Roll(_bare(entry), sys.intern(roster.removeprefix(ROSTER)), day, entry.body["by"]))

    def archive(self, through: Mapping[str, int]) -> Archive:
        rolls: dict[_Key, Roll] = {}
        for roll in sorted(self.rolls, key=_order):
            rolls.setdefault((roll.session, roll.day), roll)
        held = sorted(map(self._held, self.closed), key=lambda one: (one.day, one.row.from_ms, one.row.session))
        return Archive(
            first=self.first, last=self.last, held=tuple(held), rolls=rolls, stays=tuple(sorted(self.stays, key=_order)),
            patrols=tuple(sorted(self.patrols, key=_order)), locks=tuple(sorted(self.locks, key=_order)),
            growth=tuple(sorted(self.growth, key=_order)), through=through, unreadable=self.unreadable,
        )  # fmt: skip

    def _held(self, key: _Key) -> Held:
        """A session of a day. Of several rows (two gates that were cut off) the first one counts."""
        (entry, first), *again = sorted(self.closed[key], key=lambda one: one[0].order)
        changes = self.changes.get(key, [])
        sitting = standing(entry, first, (change for change, _ in changes))
        notes = {change.entry.id: note for change, note in changes}
        return Held(
            entry=entry, day=key[1], first=first, row=sitting.row, again=tuple(other for other, _ in again),
            corrections=tuple(PutRight(one.entry, one.row, notes[one.entry.id]) for one in sitting.corrections),
        )  # fmt: skip


def _bare(entry: Entry) -> Entry:
    """Its identity and time, without what is held elsewhere."""
    return msgspec.structs.replace(entry, body={}, based_on={})


def _order(one: Stay | Patrol | Lock | Growth | Roll) -> tuple[int, str, str, int]:
    return one.entry.order
