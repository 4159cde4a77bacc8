"""View values of the enrolment pages, and how they are made of a look at the list. Shows, decides nothing.

The priority group of a child is in the office's views only: the class teacher's view has no field for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from kiosk.core.enrolment import ON_ROSTER, Application, State, in_audience, waiting_order
from kiosk.core.enrolment_book import Effect, free_for, places_taken
from kiosk.core.people import Enrolment, Pupil, Session
from kiosk.core.roster import Bar
from kiosk.core.timetable import grade_key
from kiosk.web.enrolment_desk import Look

MAX_SHOWN = 60  # applications of one state on one page; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLine:
    """A session on the menu, with who takes part today."""

    id: str
    name: str
    kind: str
    slot: int
    weekdays: tuple[int, ...]
    room: str
    teacher: str
    audience: str
    taken: int
    capacity: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationLine:
    """`place`: whether a place is free for it now. `position`: on the waiting list, from 1. `priority`: for the office only."""

    id: str
    child: int
    name: str
    class_name: str
    session: str
    session_name: str
    state: str
    applied_on: date
    first: date
    last: date | None
    leave_at_min: int | None
    agreement: str
    priority: str
    place: bool
    taken: int
    capacity: int
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectLine:
    what: str
    name: str
    class_name: str
    session_name: str
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    number: int
    name: str
    class_name: str
    school_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeEnrolmentView:
    """`groups`: (state, lines, how many there are). `unsigned_lists`: places of lists without an agreement. `asked`: several
    applications that were ticked, with what approving them would do."""

    bar: Bar
    number: int = 0
    menu: tuple[MenuLine, ...] = ()
    groups: tuple[tuple[str, tuple[ApplicationLine, ...], int], ...] = ()
    unsigned_lists: int = 0
    text: str = ""
    found: tuple[FoundLine, ...] = ()
    asked: tuple[tuple[str, str], ...] = ()
    effects: tuple[EffectLine, ...] = ()
    done: int = 0
    refused: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLine:
    """A line of the child's history: a place that a list gave, or an application with its steps."""

    application: str
    session: str
    session_name: str
    state: str
    first: date | None
    last: date | None
    leave_at_min: int | None
    agreement: str
    priority: str
    may_leave: bool
    unsigned: bool
    steps: tuple[tuple[str, date, str, str], ...] = ()  # (step, day, who, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceLine:
    id: str
    name: str
    taken: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEnrolmentView:
    """`choices`: (slot, sessions for this child). `asked`: the form once more, with what it would do."""

    bar: Bar
    number: int
    child: int
    name: str
    class_name: str
    today: date
    last_day: date | None
    agreement_required: bool
    leave_times_min: tuple[int, ...]
    groups: tuple[str, ...]
    history: tuple[PlaceLine, ...] = ()
    choices: tuple[tuple[int, tuple[ChoiceLine, ...]], ...] = ()
    asked: tuple[tuple[str, str], ...] = ()
    effects: tuple[EffectLine, ...] = ()
    done: int = 0
    refused: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """What a class teacher sees of an application."""

    id: str
    name: str
    seat: int
    session_name: str
    applied_on: date
    first: date
    last: date | None
    leave_at_min: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """`classes`: (class, applications to look at, who takes part in what today)."""

    bar: Bar
    number: int = 0
    classes: tuple[tuple[str, tuple[ReviewLine, ...], tuple[tuple[str, str], ...]], ...] = ()
    done: int = 0
    refused: str = ""
    detail: str = ""


# ---- made of a look ------------------------------------------------------------------------------------


def menu_lines(look: Look) -> tuple[MenuLine, ...]:
    lines = (
        MenuLine(
            id=one.id, name=one.name, kind=one.kind, slot=one.slot, weekdays=tuple(sorted(one.weekdays)), room=one.room,
            teacher=look.staff.get(one.teacher, ""), audience=look.audiences.get(one.id, ""),
            taken=places_taken(look.book, one.id, look.today), capacity=one.capacity,
            waiting=len(waiting_order(look.book.applications, one.id)),
        )
        for one in look.book.sessions.values()
    )  # fmt: skip
    return tuple(sorted(lines, key=lambda line: (line.slot == 0, line.slot, line.name)))


def groups_of(look: Look) -> tuple[tuple[str, tuple[ApplicationLine, ...], int], ...]:
    """What the office has to do first: to approve, answers to note, papers to get; then who waits, and what the classes have."""
    order = (State.CLASS_REVIEWED, State.OFFERED, State.APPROVED, State.WAITING, State.APPLIED)
    found = []
    for state in order:
        mine = [one for one in look.book.applications if one.state is state]
        if state is State.WAITING:
            sessions = dict.fromkeys(one.session for one in mine)
            mine = [one for session in sessions for one in waiting_order(look.book.applications, session)]
        if mine:
            found.append((state.value, tuple(application_line(look, one) for one in mine[:MAX_SHOWN]), len(mine)))
    return tuple(found)


def application_line(look: Look, one: Application) -> ApplicationLine:
    pupil, session = look.book.pupils.get(one.child), look.book.sessions.get(one.session)
    waiting = waiting_order(look.book.applications, one.session) if one.state is State.WAITING else ()
    return ApplicationLine(
        id=one.id, child=one.child, name=pupil.name if pupil else f"#{one.child}", class_name=class_name(look, pupil),
        session=one.session, session_name=session.name if session else one.session, state=one.state.value,
        applied_on=one.applied_on, first=one.valid_from, last=one.valid_to, leave_at_min=one.leave_at_min,
        agreement=one.agreement, priority=one.priority, place=free_for(look.book, one),
        taken=places_taken(look.book, one.session, max(one.valid_from, look.today)), capacity=session.capacity if session else 0,
        position=next((n for n, other in enumerate(waiting, 1) if other.id == one.id), 0),
    )  # fmt: skip


def class_name(look: Look, pupil: Pupil | None) -> str:
    home = look.classes.get(pupil.class_id) if pupil else None
    return home.name if home else ""


def effect_lines(look: Look, effects: tuple[Effect, ...]) -> tuple[EffectLine, ...]:
    lines = []
    for effect in effects:
        pupil, session = look.book.pupils.get(effect.child), look.book.sessions.get(effect.session)
        lines.append(
            EffectLine(
                what=effect.what, name=pupil.name if pupil else f"#{effect.child}", class_name=class_name(look, pupil),
                session_name=session.name if session else effect.session, first=effect.first, last=effect.last,
            )
        )  # fmt: skip
    return tuple(lines)


def history_of(look: Look, child: int) -> tuple[PlaceLine, ...]:
    """Newest first; lists' places among the applications."""
    mine = [_of_list(look, line) for line in look.book.lines_of(child) if not line.application]
    mine += [_of_application(look, one) for one in look.book.applications if one.child == child]
    return tuple(sorted(mine, key=lambda line: (line.first or date.min, line.session), reverse=True))


def _of_list(look: Look, line: Enrolment) -> PlaceLine:
    session, now = look.book.sessions.get(line.session), line.valid_to is None or line.valid_to >= look.today
    return PlaceLine(
        application="", session=line.session, session_name=session.name if session else line.session,
        state="active" if now else "withdrawn", first=line.valid_from, last=line.valid_to, leave_at_min=line.leave_at_min,
        agreement=line.agreement, priority="", may_leave=now, unsigned=now and look.agreement_required and not line.agreement,
    )  # fmt: skip


def _of_application(look: Look, one: Application) -> PlaceLine:
    session = look.book.sessions.get(one.session)
    over = one.state is State.WITHDRAWN or (one.valid_to is not None and one.valid_to < look.today)
    steps = tuple(
        (taken.step.value, taken.on, look.staff.get(taken.by, ""), taken.detail)
        for taken in look.book.steps
        if taken.application == one.id
    )
    return PlaceLine(
        application=one.id, session=one.session, session_name=session.name if session else one.session, state=one.state.value,
        first=one.valid_from, last=one.valid_to, leave_at_min=one.leave_at_min, agreement=one.agreement, priority=one.priority,
        may_leave=not over, unsigned=look.agreement_required and one.state in ON_ROSTER and not one.agreement, steps=steps,
    )  # fmt: skip


def choices_for(look: Look, pupil: Pupil) -> tuple[tuple[int, tuple[ChoiceLine, ...]], ...]:
    """Every session that is for this child, by slot. Nothing is chosen beforehand."""
    grade = grade_key(pupil.stage, pupil.grade)
    open_to = [s for s in look.book.sessions.values() if in_audience(s.audience, grade=grade, class_id=pupil.class_id)]
    slots = sorted({one.slot for one in open_to}, key=lambda slot: (slot == 0, slot))
    return tuple((slot, tuple(_choice(look, one) for one in open_to if one.slot == slot)) for slot in slots)


def _choice(look: Look, session: Session) -> ChoiceLine:
    taken = places_taken(look.book, session.id, look.today)
    return ChoiceLine(id=session.id, name=session.name, taken=taken, capacity=session.capacity)


def review_classes(
    look: Look, teacher: int
) -> tuple[tuple[str, tuple[ReviewLine, ...], tuple[tuple[str, str], ...]], ...]:
    """The classes of which somebody is the class teacher."""
    found = []
    for home in look.classes.values():
        if home.teacher != teacher:
            continue
        mine = {n: pupil for n, pupil in look.book.pupils.items() if pupil.class_id == home.id}
        lines = tuple(_review_line(look, one, mine[one.child]) for one in look.book.applications
                      if one.state is State.APPLIED and one.child in mine)  # fmt: skip
        found.append((home.name, lines, _taking_part(look, mine)))
    return tuple(found)


def _review_line(look: Look, one: Application, pupil: Pupil) -> ReviewLine:
    session = look.book.sessions.get(one.session)
    return ReviewLine(
        id=one.id, name=pupil.name, seat=pupil.seat, session_name=session.name if session else one.session,
        applied_on=one.applied_on, first=one.valid_from, last=one.valid_to, leave_at_min=one.leave_at_min,
    )  # fmt: skip


def _taking_part(look: Look, pupils: dict[int, Pupil]) -> tuple[tuple[str, str], ...]:
    names: dict[int, list[str]] = {}
    for line in look.book.enrolments:
        here = (line.valid_from or date.min) <= look.today <= (line.valid_to or date.max)
        if here and line.child in pupils and line.session in look.book.sessions:
            names.setdefault(line.child, []).append(look.book.sessions[line.session].name)
    ordered = sorted(names, key=lambda n: (pupils[n].seat, n))
    return tuple((pupils[n].name, "、".join(names[n])) for n in ordered)
