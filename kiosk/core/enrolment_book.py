"""What the office and the class teachers do with applications, one press at a time: a book in, the next book out.

A book is everything about applications that one people list says. Every press adds to it: the step on record, the state, and the
lines of the rosters that follow from both. A press that cannot be is `Refused` with its reason and changes nothing. No press
refuses a child, none enrols more than one child in one session, and none reaches into the past.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from kiosk.core.enrolment import (
    HOLDS_PLACE,
    MAY_YET_WAIT,
    OPEN,
    PRIORITY_GROUPS,
    Application,
    Period,
    State,
    Step,
    StepUnknown,
    Taken,
    fresh_number,
    in_audience,
    most_at_once,
    overlap,
    same_time,
    step,
    waiting_order,
    with_places,
)
from kiosk.core.people import Enrolment, Pupil, Session
from kiosk.core.timetable import grade_key

EVER: Final = date(2000, 1, 1)  # the first day of a place that a list gave without a first day
_DAY: Final = timedelta(days=1)


class No(StrEnum):
    """Why a press did nothing."""

    NOTHING_CHOSEN = "nothing_chosen"
    NOTHING_TICKED = "nothing_ticked"
    NO_SUCH_CHILD = "no_such_child"
    NO_SUCH_SESSION = "no_such_session"
    NO_SUCH_APPLICATION = "no_such_application"
    NOT_FOR_THIS_CHILD = "not_for_this_child"  # 参加对象
    ALREADY = "already"
    SAME_TIME = "same_time"
    IN_THE_PAST = "in_the_past"
    ENDS_BEFORE = "ends_before"
    NO_SUCH_TIME = "no_such_time"
    NO_SUCH_GROUP = "no_such_group"
    NO_SUCH_STEP = "no_such_step"
    NUMBER_NEEDED = "number_needed"
    NUMBER_TAKEN = "number_taken"


class Refused(Exception):
    """`detail` names the other session, the day or the state that is in the way."""

    def __init__(self, no: No, detail: str = "") -> None:
        super().__init__(f"{no.value} {detail}".strip())
        self.no, self.detail = no, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """`sessions`: each as it is today; `session_rows`: all rows of those that change inside a term."""

    pupils: Mapping[int, Pupil]
    sessions: Mapping[str, Session]
    session_rows: Mapping[str, tuple[Session, ...]] = field(default_factory=dict)
    enrolments: tuple[Enrolment, ...] = ()
    applications: tuple[Application, ...] = ()
    steps: tuple[Taken, ...] = ()
    next_application: int = 1

    def of(self, application: str) -> Application:
        found = next((one for one in self.applications if one.id == application), None)
        if found is None:
            raise Refused(No.NO_SUCH_APPLICATION if application else No.NOTHING_TICKED, application)
        return found

    def rows(self, session: str) -> tuple[Session, ...]:
        found = self.sessions.get(session)
        return self.session_rows.get(session) or ((found,) if found else ())

    def lines_of(self, child: int) -> tuple[Enrolment, ...]:
        return tuple(line for line in self.enrolments if line.child == child)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Who presses, when, and what the school's city asks for. `by` 0: the list that was imported."""

    today: date
    now_ms: int
    by: int
    agreement_required: bool = False
    leave_times_min: tuple[int, ...] = ()  # earlier ends that families may choose


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a family applies for. The school's own number of the paper, or "" for the next of ours."""

    child: int
    session: str
    valid_from: date
    valid_to: date | None = None
    leave_at_min: int | None = None
    agreement: str = ""
    priority: str = ""
    applied_on: date | None = None  # None: today
    id: str = ""


# ---- presses -------------------------------------------------------------------------------------------


def apply(book: Book, wish: Wish, press: Press) -> Book:
    """申请. Raises Refused."""
    _fits(book, wish, press)
    taken = {one.id for one in book.applications}
    if wish.id in taken:
        raise Refused(No.NUMBER_TAKEN, wish.id)
    number, following = (wish.id, book.next_application) if wish.id else fresh_number(book.next_application, taken)
    application = Application(
        id=number, child=wish.child, session=wish.session, state=State.APPLIED, applied_on=wish.applied_on or press.today,
        valid_from=wish.valid_from, valid_to=wish.valid_to, leave_at_min=wish.leave_at_min, agreement=wish.agreement,
        priority=wish.priority,
    )  # fmt: skip
    begun = replace(book, applications=(*book.applications, application), next_application=following)
    return _noted(begun, application, Step.APPLY, press)


def review(book: Book, application: str, press: Press) -> Book:
    """班级审核. Raises Refused."""
    return _taken(book, book.of(application), Step.REVIEW, press)


def approve(book: Book, application: str, press: Press) -> Book:
    """学校同意: a place if one is free for the whole of the time, else a place on the waiting list. Raises Refused."""
    found = book.of(application)
    later = replace(found, valid_from=max(found.valid_from, press.today))
    _no_clash(book, later)
    if not free_for(book, later):
        return _taken(book, found, Step.WAIT, press)
    return _signed_if_it_may(_taken(book, later, Step.APPROVE, press), application, press)


def accept(book: Book, application: str, press: Press) -> Book:
    """The family takes the place that it was offered. Raises Refused."""
    found = book.of(application)
    later = replace(found, valid_from=max(found.valid_from, press.today))
    _no_clash(book, later)
    return _signed_if_it_may(_taken(book, later, Step.ACCEPT, press), application, press)


def sign(book: Book, application: str, agreement: str, press: Press) -> Book:
    """协议: the number of the paper. Raises Refused."""
    if not agreement:
        raise Refused(No.NUMBER_NEEDED)
    return _taken(book, replace(book.of(application), agreement=agreement), Step.SIGN, press, detail=agreement)


def withdraw(book: Book, application: str, leave_from: date, press: Press) -> Book:
    """退出 from a day on: that day it is on no roster and never absent; the days before stay as they were. Whoever waits for the
    place is offered it. Raises Refused."""
    found = book.of(application)
    if leave_from < press.today:
        raise Refused(No.IN_THE_PAST, leave_from.isoformat())
    last = leave_from - _DAY
    ended = replace(found, valid_to=min(last, found.valid_to or last) if found.placed and last >= found.valid_from else None)
    return offer_free(_taken(book, ended, Step.WITHDRAW, press, detail=leave_from.isoformat()), found.session, press)


def adopt(book: Book, child: int, session: str, press: Press) -> tuple[Book, str]:
    """An application for a place that a list gave, so that it can be ended with its history. Raises Refused."""
    here = [e for e in book.lines_of(child) if e.session == session and not e.application]
    line = next((e for e in here if e.valid_to is None or e.valid_to >= press.today), None)
    if line is None:
        raise Refused(No.NO_SUCH_APPLICATION, session)
    number, following = fresh_number(book.next_application, {one.id for one in book.applications})
    first = line.valid_from or EVER
    signed = bool(line.agreement) or not press.agreement_required
    application = Application(
        id=number, child=child, session=session, state=State.ACTIVE if signed else State.APPROVED, applied_on=first,
        valid_from=first, valid_to=line.valid_to, leave_at_min=line.leave_at_min, agreement=line.agreement,
    )  # fmt: skip
    others = tuple(e for e in book.enrolments if e is not line)
    taken = replace(book, enrolments=others, next_application=following)
    listed = replace(taken, applications=(*book.applications, application))
    return _noted(listed, application, Step.APPLY, replace(press, by=0)), number


def offer_free(book: Book, session: str, press: Press) -> Book:
    """Every place that is free is offered to the next who waits, from the first day on which there is one."""
    for waiting in waiting_order(book.applications, session):
        first = _first_free_day(book, waiting, press.today)
        if first is not None:
            book = _taken(book, replace(waiting, valid_from=first), Step.OFFER, press, detail=first.isoformat())
    return book


# ---- places --------------------------------------------------------------------------------------------


def places_taken(book: Book, session: str, day: date) -> int:
    """On the roster that day, or reserved for a family that has not answered."""
    return sum(1 for period in _periods(book, session, but="") if overlap(period, Period(day, day)))


def free_for(book: Book, wanted: Application) -> bool:
    """Whether the session has a place for the whole of the time."""
    whole = Period(wanted.valid_from, wanted.valid_to)
    for row in book.rows(wanted.session):
        if not row.capacity or not overlap(whole, _days(row)):
            continue
        time = _within(whole, _days(row))
        meanwhile = (_within(p, time) for p in _periods(book, wanted.session, but=wanted.id) if overlap(p, time))
        if most_at_once(meanwhile) >= row.capacity:
            return False
    return True


def _first_free_day(book: Book, waiting: Application, today: date) -> date | None:
    soonest = max(waiting.valid_from, today)
    ends = (p.last + _DAY for p in _periods(book, waiting.session, but=waiting.id) if p.last and p.last >= soonest)
    last = waiting.valid_to or date.max
    return next((d for d in sorted({soonest, *ends}) if d <= last and free_for(book, replace(waiting, valid_from=d))), None)


def _periods(book: Book, session: str, *, but: str) -> Iterator[Period]:
    yield from (
        Period(e.valid_from, e.valid_to) for e in book.enrolments if e.session == session and (not but or e.application != but)
    )
    yield from (
        Period(one.valid_from, one.valid_to)
        for one in book.applications
        if one.session == session and one.state is State.OFFERED and one.id != but
    )


def _days(row: Session) -> Period:
    return Period(row.valid_from, row.valid_to)


def _within(period: Period, time: Period) -> Period:
    """The days that both have; the two meet."""
    last = min(period.last or date.max, time.last or date.max)
    return Period(max(period.first or date.min, time.first or date.min), None if last == date.max else last)


def _meets(book: Book, session: str, other: str, days: Period) -> bool:
    """Whether two sessions run at the same time on some of these days, each as it is on that day."""
    return any(
        same_time(one, two) and overlap(_within(days, _days(one)), _days(two))
        for one in book.rows(session)
        if overlap(days, _days(one))
        for two in book.rows(other)
    )


# ---- what a press may not ---------------------------------------------------------------------------------


def _fits(book: Book, wish: Wish, press: Press) -> None:
    pupil, session = book.pupils.get(wish.child), book.sessions.get(wish.session)
    if pupil is None:
        raise Refused(No.NO_SUCH_CHILD, str(wish.child))
    if session is None:
        raise Refused(No.NO_SUCH_SESSION, wish.session)
    if wish.valid_from < press.today and press.by:
        raise Refused(No.IN_THE_PAST, wish.valid_from.isoformat())
    if wish.valid_to is not None and wish.valid_to < wish.valid_from:
        raise Refused(No.ENDS_BEFORE, wish.valid_to.isoformat())
    if not in_audience(session.audience, grade=grade_key(pupil.stage, pupil.grade), class_id=pupil.class_id):
        raise Refused(No.NOT_FOR_THIS_CHILD, session.name)
    if wish.leave_at_min is not None and press.leave_times_min and wish.leave_at_min not in press.leave_times_min:
        raise Refused(No.NO_SUCH_TIME, f"{wish.leave_at_min // 60:02d}:{wish.leave_at_min % 60:02d}")
    if wish.priority and wish.priority not in PRIORITY_GROUPS:
        raise Refused(No.NO_SUCH_GROUP, wish.priority)
    _no_clash(book, wish, waiting=True)


def _no_clash(book: Book, wanted: Wish | Application, *, waiting: bool = False) -> None:
    """Against every place of the child at the same time and, for a new wish, against its other open applications."""
    session, time = book.sessions.get(wanted.session), Period(wanted.valid_from, wanted.valid_to)
    if session is None:
        raise Refused(No.NO_SUCH_SESSION, wanted.session)
    held: list[tuple[str, Period]] = [
        (e.session, Period(e.valid_from, e.valid_to))
        for e in book.lines_of(wanted.child)
        if not e.application or e.application != wanted.id
    ]
    states = OPEN if waiting else HOLDS_PLACE
    held += [
        (one.session, Period(one.valid_from, one.valid_to))
        for one in book.applications
        if one.child == wanted.child and one.id != wanted.id and one.state in states and not one.placed
    ]
    for other_id, period in held:
        other = book.sessions.get(other_id)
        if other is None or not overlap(time, period):
            continue
        if other_id == wanted.session:
            raise Refused(No.ALREADY, session.name)
        if _meets(book, wanted.session, other_id, _within(time, period)):
            raise Refused(No.SAME_TIME, other.name)


# ---- keeping the book ------------------------------------------------------------------------------------


def _signed_if_it_may(book: Book, application: str, press: Press) -> Book:
    found = book.of(application)
    if press.agreement_required and not found.agreement:
        return book  # 未签协议: on the roster and looked after, and the office has something to do
    return _taken(book, found, Step.SIGN, press, detail=found.agreement)


def _taken(book: Book, application: Application, taken: Step, press: Press, *, detail: str = "") -> Book:
    """A priority group has served its purpose when there is no waiting any more, and is kept no longer (PIPL art. 6)."""
    try:
        state = step(application.state, taken)
    except StepUnknown as error:
        raise Refused(No.NO_SUCH_STEP, application.state.value) from error
    after = replace(application, state=state, priority=application.priority if state in MAY_YET_WAIT else "")
    listed = tuple(after if one.id == application.id else one for one in book.applications)
    return _noted(replace(book, applications=listed), after, taken, press, detail)


def _noted(book: Book, application: Application, taken: Step, press: Press, detail: str = "") -> Book:
    note = Taken(
        application=application.id, step=taken, state=application.state, on=press.today, at_ms=press.now_ms, by=press.by,
        detail=detail,
    )  # fmt: skip
    return replace(
        book, steps=(*book.steps, note), enrolments=with_places(_only_listed(book.enrolments), book.applications)
    )


def _only_listed(lines: Iterable[Enrolment]) -> Iterator[Enrolment]:
    return (line for line in lines if not line.application)


# ---- what a press would do -------------------------------------------------------------------------------


class Effect(NamedTuple):
    """One difference: a line of a roster that comes, goes or changes, or an application that stands otherwise.
    what: line_added, line_removed, line_changed, or the state that an application comes to."""

    what: str
    child: int
    session: str
    first: date | None = None
    last: date | None = None


def effects(before: Book, after: Book) -> tuple[Effect, ...]:
    """What is different, rosters first: shown before anything is done."""
    old, new = _lines(before), _lines(after)
    found = [Effect("line_added", e.child, e.session, e.valid_from, e.valid_to) for key, e in new.items() if key not in old]
    for key, line in old.items():
        now = new.get(key)
        if now is None:
            found.append(Effect("line_removed", line.child, line.session, line.valid_from, line.valid_to))
        elif now != line:
            found.append(Effect("line_changed", now.child, now.session, now.valid_from, now.valid_to))
    states = {one.id: one.state for one in before.applications}
    found += [
        Effect(one.state.value, one.child, one.session, one.valid_from, one.valid_to)
        for one in after.applications
        if states.get(one.id) is not one.state
    ]
    return tuple(found)


def _lines(book: Book) -> dict[tuple[int, str, date], Enrolment]:
    """By child, session and first day: a place that an application takes over from a list is the same line."""
    lines = (replace(e, application="", valid_from=e.valid_from or EVER) for e in book.enrolments)
    return {(e.child, e.session, e.valid_from or EVER): e for e in lines}
