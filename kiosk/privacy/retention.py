"""What is past its time, by category: people who left, free texts, the visitor register, access records. Once a day.

Which category a free text belongs to follows from the kind of its fact. A hold on a child or on a case stops everything of
theirs. What was erased is a fact: category, how many, up to which day; no names.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from kiosk.controller import Controller
from kiosk.core.commands_privacy import ErasePersons, RetentionErased
from kiosk.core.entries import Entry, Kind
from kiosk.core.privacy_book import PrivacyBook
from kiosk.privacy.access_log import AccessLog
from kiosk.privacy.erasing import Eraser, erase_notes
from kiosk.privacy.notes_about import names, noted
from kiosk.settings.values import Retention

LEFT, NOTES, DOSSIERS, VISITORS, MESSAGES, ACCESS = "left", "notes", "dossiers", "visitors", "messages", "access"
DAY_MS: Final = 86_400_000
_OF_VISITORS: Final = frozenset({Kind.VISITOR_IN, Kind.VISITOR_OUT})
_OF_FAMILIES: Final = frozenset(  # reasons and names that nobody needs once the school year is over
    {Kind.ABSENCE_EXCUSED, Kind.LEAVE_SLIP_GRANTED, Kind.DELEGATE_REGISTERED, Kind.DELEGATE_REVOKED, Kind.PICKUP_REQUESTED}
)
_FOR_EVER: Final = frozenset(  # the school's own account of what it did with data: as long as the records themselves
    {Kind.HOLD_SET, Kind.HOLD_LIFTED, Kind.PRIVACY_INCIDENT}
)


def category_of(kind: str) -> str:
    """Of a free text; "" for one that stays. What nobody has thought of yet counts as a dossier: it stays longest."""
    if kind in _FOR_EVER:
        return ""
    if kind in _OF_VISITORS:
        return VISITORS
    return NOTES if kind in _OF_FAMILIES else DOSSIERS


def year_end(day: date, ends: str) -> date:
    """The last day of the school year that `day` lies in. ends: MM-DD."""
    month, in_month = (int(part) for part in ends.split("-"))
    last = date(day.year, month, min(in_month, 28) if month == 2 else in_month)
    return last if day <= last else last.replace(year=day.year + 1)


def over_before(category: str, kept: Retention, today: date) -> date | None:
    """Everything of that category of before that day is past its time; None where nothing ever is."""
    days = {NOTES: kept.notes_days, DOSSIERS: kept.dossier_days, VISITORS: kept.visitors_days, ACCESS: kept.access_days}[category]
    if not days:
        return None
    if category != NOTES:
        return today - timedelta(days=days)
    ended = year_end(today - timedelta(days=days + 366), kept.school_year_ends)  # of a year that is surely over
    while year_end(ended + timedelta(days=1), kept.school_year_ends) + timedelta(days=days) < today:
        ended = year_end(ended + timedelta(days=1), kept.school_year_ends)
    return ended + timedelta(days=1)


class RetentionJob:
    """One for each gate, asked by the privacy thread. home: where people are erased from the list."""

    def __init__(
        self, *, controller: Controller, state: Path, kept: Retention, eraser: Eraser, access: AccessLog | None, home: bool,
        utc_offset_ms: int,
    ) -> None:  # fmt: skip
        self._controller, self._state, self._kept = controller, state, kept
        self._eraser, self._access, self._home = eraser, access, home
        self._utc_offset_ms = utc_offset_ms

    def look(self) -> None:
        """Once for each day, by a clock that is trusted. Raises what the eraser raises."""
        today = self._controller.world.book.day.date
        if self._eraser.leavers.looked_on == today.isoformat() or not self._controller.clock.trusted():
            return
        self.run(today)
        self._eraser.leavers.looked(today.isoformat())

    def run(self, today: date) -> None:
        if self._home:
            self._people(today)
        self._texts(today)
        self._looks(today)

    def _people(self, today: date) -> None:
        """Whoever is on no list since a school year that has been over for long enough."""
        if not self._kept.left_days:
            return
        book = self._controller.world.campus.privacy
        over = [
            number for number, one in self._eraser.leavers.all().items()
            if left_is_over(one.since, self._kept, today) and number not in book.erased and not book.held(number)
        ]  # fmt: skip
        if over:
            answer = self._controller.ask(ErasePersons(persons=tuple(sorted(over)), why="left"))
            gone = answer.decision.detail.get("persons", ())
            if gone:
                self._said(LEFT, len(gone), today - timedelta(days=self._kept.left_days))

    def _texts(self, today: date) -> None:
        limits = {category: over_before(category, self._kept, today) for category in (NOTES, DOSSIERS, VISITORS)}
        book = self._controller.world.campus.privacy
        over: dict[str, list[str]] = {}
        for one in noted(self._state):
            limit = limits.get(category_of(one.entry.kind))
            if limit and one.entry.happened_ms < self._starts_ms(limit) and not _held(book, one.entry):
                over.setdefault(category_of(one.entry.kind), []).append(one.digest)
        for category, digests in over.items():
            erased = erase_notes(self._controller, tuple(digests)).erased
            limit = limits[category]
            if erased and limit:
                self._said(category, erased, limit - timedelta(days=1))

    def _looks(self, today: date) -> None:
        limit = over_before(ACCESS, self._kept, today)
        if limit and self._access is not None and (gone := self._access.erase_before(self._starts_ms(limit))):
            self._said(ACCESS, gone, limit - timedelta(days=1))

    def _starts_ms(self, day: date) -> int:
        return (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY_MS - self._utc_offset_ms

    def _said(self, category: str, count: int, through: date) -> None:
        self._controller.ask(RetentionErased(category=category, count=count, through=through.isoformat()))


def left_is_over(since: str, kept: Retention, today: date) -> bool:
    return (
        bool(kept.left_days)
        and year_end(date.fromisoformat(since), kept.school_year_ends) + timedelta(days=kept.left_days) < today
    )


def _held(book: PrivacyBook, entry: Entry) -> bool:
    if any(book.held(person) for person in names(entry)):
        return True
    cases = book.held_cases()
    return bool(cases & {str(entry.id), str(entry.body.get("case", "")), str(entry.body.get("handover", ""))})


def categories() -> Iterable[str]:
    return (LEFT, NOTES, DOSSIERS, VISITORS, MESSAGES, ACCESS)
