"""What the pages about archived sessions show, read from the records: the sessions of a day, one row with its corrections, notes.

Reads with connections of its own in whatever thread it is called, like `kiosk.record_keeping`. What a row says and what its
corrections make of it is `kiosk.reports.archive`'s; who may correct it is the core's. Never writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

from kiosk.clock import Clock
from kiosk.core.entries import Kind, UnreadableEntry, decode
from kiosk.core.people import Directory, Role
from kiosk.core.roster import Bar
from kiosk.core.service_records import GrowthNoted, Remark, SessionClosed
from kiosk.recorded import RecordsError, day_bounds, local_time, opened
from kiosk.reports.archive import read_archive
from kiosk.reports.naming import FORM_WORDS, KIND_WORDS, REMARK_WORDS, Names
from kiosk.reports.service_rows import Archive, Held, PutRight
from kiosk.settings import Settings
from kiosk.web.faces_format import Lang
from kiosk.web.faces_sessions import (
    ArchivedView,
    ChildState,
    CorrectionLine,
    GrowthLine,
    SessionLine,
    SessionsView,
    changed,
)
from kiosk.web.gate import RecordsUnreadable
from kiosk.web.words import known, say

MAX_NOTES: Final = 8
_NOTES: Final = frozenset({Kind.GROWTH_NOTED.value})
_TEACHING: Final = frozenset({Role.TEACHER, Role.DUTY_LEADER})


class SessionDesk:
    """`kiosk.web.gate.SessionArchive`."""

    def __init__(self, *, settings: Settings, state: Path, directory: Callable[[], Directory], clock: Clock) -> None:
        self._settings, self._state, self._directory, self._clock = settings, state, directory, clock

    def day(self, day: date, bar: Bar, *, held_by: int, lang: Lang) -> SessionsView:
        archive, names = self._archive(day), Names(self._directory())
        found = [one for one in archive.held if not held_by or held_by in one.row.teachers]
        lines = (
            SessionLine(
                session=one.row.session, name=one.row.name, room=one.row.room, from_ms=one.row.from_ms, to_ms=one.row.to_ms,
                teachers=names.several(one.row.teachers), attended=len(one.attended()), enrolled=one.row.enrolled,
                corrections=len(one.corrections),
            )
            for one in found
        )  # fmt: skip
        locked = archive.locked(f"{day:%Y-%m}") is not None
        return SessionsView(bar=bar, day=day.isoformat(), lines=tuple(lines), mine=bool(held_by), locked=locked)

    def sitting(self, day: date, session: str, bar: Bar, *, lang: Lang) -> ArchivedView | None:
        archive = self._archive(day)
        held = next((one for one in archive.held if one.row.session == session), None)
        if held is None:
            return None
        return _Shown(self._directory(), lang).view(held, bar, locked=archive.locked(f"{day:%Y-%m}") is not None)

    def growth(self, child: int, by: int, *, lang: Lang) -> tuple[GrowthLine, ...]:
        today = local_time(self._clock.now_ms(), self._settings.plan.utc_offset_ms).date()
        term = next((one for one in self._settings.calendar.terms if one.first <= today <= one.last), None)
        start_ms, _ = day_bounds(term.first if term else today, self._settings.plan.utc_offset_ms)
        found = []
        try:
            with opened(self._state) as records:
                for stream in records.streams:
                    first = stream.first_at(start_ms)
                    for _, rows in stream.looked_through(_NOTES, 1 if first == stream.pruned + 1 else first):
                        for row in rows:
                            with contextlib.suppress(UnreadableEntry, ValueError):
                                entry = decode(row.raw)
                                body = GrowthNoted.of(entry.body) if entry.kind == Kind.GROWTH_NOTED else None
                                if body and (body.child, body.by, body.term) == (child, by, term.id if term else ""):
                                    text = records.note(str(entry.body.get("note", "")))
                                    found.append((entry.order, GrowthLine(day=body.day, text=text)))
        except RecordsError as error:
            raise RecordsUnreadable(str(error)) from error
        newest = sorted(found, key=lambda one: one[0], reverse=True)
        return tuple(line for _, line in newest[:MAX_NOTES])

    def _archive(self, day: date) -> Archive:
        try:
            with opened(self._state) as records:
                return read_archive(records, day, day, utc_offset_ms=self._settings.plan.utc_offset_ms)
        except RecordsError as error:
            raise RecordsUnreadable(str(error)) from error


class _Shown:
    """An archive row in words."""

    def __init__(self, directory: Directory, lang: Lang) -> None:
        self._directory, self._names, self._lang = directory, Names(directory), lang

    def view(self, held: Held, bar: Bar, *, locked: bool) -> ArchivedView:
        first, row, names, lang = held.first, held.row, self._names, self._lang
        kind, form = KIND_WORDS.get(row.kind), FORM_WORDS.get(row.form)
        children = sorted((child for child, _ in held.enrolled()), key=names.order)
        return ArchivedView(
            bar=bar, day=row.day, row=row, first=first, closed=str(held.entry.id), closed_ms=held.entry.at_ms,
            seen=str(held.corrections[-1].entry.id) if held.corrections else "", closed_by=names.staff(row.by),
            kind=getattr(kind, lang) if kind else row.kind, form=getattr(form, lang) if form else row.form,
            planned=names.staff(row.planned_teacher), teachers=names.several(row.teachers),
            first_teachers=names.several(first.teachers), children=tuple(self._child(held, child) for child in children),
            guests=tuple(f"{one.name} {one.class_name}" for one in map(names.child, first.guests)),
            remarks=tuple(map(self._remark, first.exceptions)), corrections=self._corrections(held),
            here=tuple((number, names.staff(number)) for number in row.teachers), others=self._others(row),
            again=len(held.again), locked=locked,
        )  # fmt: skip

    def _child(self, held: Held, child: int) -> ChildState:
        who = self._names.child(child)
        state, first = held.row.states[child], held.first.states.get(child, "")
        return ChildState(child=child, name=who.name, class_name=who.class_name, seat=who.seat, state=state, first=first)

    def _others(self, row: SessionClosed) -> tuple[tuple[int, str], ...]:
        """The planned teacher first, then whoever teaches, by name."""
        staff = [one for one in self._directory.staff.values() if one.roles & _TEACHING and one.number not in row.teachers]
        staff.sort(key=lambda one: (one.number != row.planned_teacher, one.pinyin, one.number))
        return tuple((one.number, one.name) for one in staff)

    def _remark(self, one: Remark) -> str:
        words, names = REMARK_WORDS.get(one.what), self._names
        told = getattr(words, self._lang) if words else one.what
        people = [names.child(one.child).name] if one.child else [names.staff(n) for n in (one.staff, one.other) if n]
        why = one.why
        if one.what == "moved" and why in self._directory.sessions:
            why = self._directory.sessions[why].name
        elif known(f"service.why_{why}"):
            why = say(f"service.why_{why}", self._lang)
        return " · ".join(part for part in (told, " → ".join(people), why) if part)

    def _corrections(self, held: Held) -> tuple[CorrectionLine, ...]:
        """The newest first, each with what stood before it."""
        states, teachers, hours = dict(held.first.states), held.first.teachers, held.first.class_hours
        lines, lang = [], self._lang
        for one in held.corrections:
            change = one.change
            told = [
                changed(self._names.child(child).name, self._state(states.get(child, "")), self._state(state), lang)
                for child, state in change.states.items()
            ]
            states.update(change.states)
            if change.teachers is not None:
                told.append(changed(self._say("teachers"), self._several(teachers), self._several(change.teachers), lang))
                teachers = change.teachers
            if change.class_hours is not None:
                told.append(changed(self._say("class_hours"), f"{hours:g}", f"{change.class_hours:g}", lang))
                hours = change.class_hours
            lines.append(self._line(one, tuple(told)))
        return tuple(reversed(lines))

    def _line(self, one: PutRight, changes: tuple[str, ...]) -> CorrectionLine:
        by, locked = self._names.staff(one.change.by), one.change.locked
        return CorrectionLine(at_ms=one.entry.at_ms, by=by, note=one.note, locked=locked, changes=changes)

    def _several(self, numbers: tuple[int, ...]) -> str:
        return self._names.several(numbers) or "–"

    def _state(self, state: str) -> str:
        return say(f"service.state_{state}", self._lang) if known(f"service.state_{state}") else state

    def _say(self, key: str) -> str:
        return say(f"archive.{key}", self._lang)
