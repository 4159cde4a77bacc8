"""The office's enrolment: what the people list says of applications, a press tried out, and the next list in which it is done.

As with cards, the list is swapped whole and the gate that runs sees the new one within a second. What a press may do is
`kiosk.core.enrolment_book`'s; here are only the file, the clock and the school's settings. Nothing is done that was not tried on
the list in place: who presses on an older page is told that the list has moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from kiosk.clock import Clock
from kiosk.core import enrolment_book as eb
from kiosk.core.enrolment import end_of_month
from kiosk.directory import DirectoryMissing, SnapshotStale, index, publish, read_content
from kiosk.directory_schema import Content
from kiosk.enrolling import DIRECTORY_FILE
from kiosk.importing.audiences import audience_words
from kiosk.opening import local_date
from kiosk.settings import Settings
from kiosk.web.enrolment_desk import Act, ListMoved, Look, NoPeople, NotHere, Tried
from sync_agent.agent_state import read_status


class OfficeEnrolment:
    """Reads and writes `directory.db` of this gate. Every call blocks for some tenths of a second."""

    def __init__(self, *, settings: Settings, state: Path, clock: Clock) -> None:
        self._settings, self._path, self._clock = settings, state / DIRECTORY_FILE, clock

    def look(self) -> Look:
        """Raises NoPeople."""
        content, number = self._content()
        book = self._book(content)
        classes = {one.id: one for one in content.classes}
        rules, service = self._settings.rules, self._settings.service
        return Look(
            number=number,
            today=self._today(),
            book=book,
            classes=classes,
            staff={one.number: one.name for one in content.staff},
            audiences={key: audience_words(one.audience, content.classes) for key, one in book.sessions.items()},
            agreement_required=rules.agreement_required,
            leave_times_min=service.leave_times_min,
            last_day=self._last_day(self._today()),
        )

    def try_out(self, act: Act, *, by: int) -> Tried:
        """What the press would change, and nothing done. Raises NoPeople, Refused of the book."""
        content, number = self._content()
        before = self._book(content)
        return Tried(base=number, effects=eb.effects(before, self._pressed(before, act, by)))

    def do(self, act: Act, *, base: int, by: int) -> int:
        """The number of the list in which it is done. Raises NoPeople, ListMoved, NotHere, Refused, DirectoryError."""
        agent = read_status(self._path.parent)
        if agent is not None and not agent.directory.office:
            raise NotHere
        content, number = self._content()
        if number != base:
            raise ListMoved
        after = self._pressed(self._book(content), act, by)
        changed = replace(
            content, enrolments=after.enrolments, applications=after.applications, application_steps=after.steps,
            next_application=after.next_application,
        )  # fmt: skip
        try:
            return publish(self._path, changed, number + 1, self._clock.now_ms()).number
        except SnapshotStale as error:
            raise ListMoved from error

    def _pressed(self, book: eb.Book, act: Act, by: int) -> eb.Book:
        press = eb.Press(
            today=self._today(), now_ms=self._clock.now_ms(), by=by,
            agreement_required=self._settings.rules.agreement_required,
            leave_times_min=self._settings.service.leave_times_min,
        )  # fmt: skip
        return _ACTS[act.kind](book, self._with_last_day(act, press), press)

    def _with_last_day(self, act: Act, press: eb.Press) -> Act:
        first = act.day or press.today
        return replace(act, day=first, until=act.until or self._last_day(first))

    def _last_day(self, first: date) -> date | None:
        """How long an enrolment lasts that says nothing: the term, or the month where the school enrols by the month."""
        term = next((t for t in self._settings.calendar.terms if t.first <= first <= t.last), None)
        if self._settings.service.enrolment_period == "month":
            return min(end_of_month(first), term.last) if term else end_of_month(first)
        return term.last if term else None

    def _today(self) -> date:
        return local_date(self._settings, self._clock.now_ms())

    def _book(self, content: Content) -> eb.Book:
        directory = index(content, number=0, made_at_ms=0).on(self._today())
        return eb.Book(
            pupils=directory.pupils, sessions=directory.sessions, session_rows=directory.session_rows,
            enrolments=content.enrolments, applications=content.applications, steps=content.application_steps,
            next_application=content.next_application,
        )  # fmt: skip

    def _content(self) -> tuple[Content, int]:
        try:
            content, info = read_content(self._path)
        except DirectoryMissing as error:
            raise NoPeople from error
        return content, info.number


def _apply(book: eb.Book, act: Act, press: eb.Press) -> eb.Book:
    """One application for each session that was chosen: nothing is bundled."""
    if not act.sessions:
        raise eb.Refused(eb.No.NOTHING_CHOSEN)
    for session in act.sessions:
        wish = eb.Wish(
            child=act.child, session=session, valid_from=act.day or press.today, valid_to=act.until,
            leave_at_min=act.leave_at_min, agreement=act.agreement, priority=act.priority,
        )  # fmt: skip
        book = eb.apply(book, wish, press)
    return book


def _each(step: Callable[[eb.Book, str, eb.Press], eb.Book], book: eb.Book, act: Act, press: eb.Press) -> eb.Book:
    """The same step for every application that was ticked, in the order of the page; all of them or none."""
    for application in (act.application, *act.more):
        book = step(book, application, press)
    return book


def _leave(book: eb.Book, act: Act, press: eb.Press) -> eb.Book:
    book, application = _application(book, act, press)
    return eb.withdraw(book, application, act.day or press.today, press)


def _sign(book: eb.Book, act: Act, press: eb.Press) -> eb.Book:
    book, application = _application(book, act, press)
    return eb.sign(book, application, act.agreement, press)


def _application(book: eb.Book, act: Act, press: eb.Press) -> tuple[eb.Book, str]:
    """The one that is named, or one made of the place that a list gave."""
    if act.application or not act.child:
        return book, act.application
    return eb.adopt(book, act.child, act.sessions[0] if act.sessions else "", press)


_ACTS: dict[str, Callable[[eb.Book, Act, eb.Press], eb.Book]] = {
    "apply": _apply,
    "review": lambda book, act, press: _each(eb.review, book, act, press),
    "approve": lambda book, act, press: _each(eb.approve, book, act, press),
    "accept": lambda book, act, press: eb.accept(book, act.application, press),
    "sign": _sign,
    "leave": _leave,
}
