"""Applications for the after-school service: how one comes to a place, and what makes a place.

Rules of this file:
- One table says which steps there are. It has no step that refuses a child: who finds no place waits for one.
- A step that the table does not have changes nothing; `step` says so by name.
- No clock and no file: days are arguments, whoever calls keeps the result.

Theory of operation. A family applies for one session at a time, so nothing can be bundled. The class teacher looks at it, the
office approves. With a place free the child is *approved*, and *active* as soon as the agreement is signed where the city's
document asks for one; without the agreement the child is on the roster and looked after all the same. With no place free the
application *waits*; a place that becomes free is *offered* to the first in the order of `waiting_order`, and stays reserved until
the family has answered. Only the family ends an application. Applications are never removed and never written over: who comes
back applies again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from kiosk.core.people import Enrolment


class State(StrEnum):
    APPLIED = "applied"
    CLASS_REVIEWED = "class_reviewed"
    WAITING = "waiting"
    OFFERED = "offered"  # a place is reserved, the family has not answered yet
    APPROVED = "approved"  # has a place; the agreement is not signed yet
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    APPLY = "apply"
    REVIEW = "review"  # 班级审核
    APPROVE = "approve"  # 学校同意, with a place free
    WAIT = "wait"  # 学校同意, with no place free
    OFFER = "offer"
    ACCEPT = "accept"
    SIGN = "sign"  # the agreement is there, or none is asked for
    WITHDRAW = "withdraw"


STEPS: Final[Mapping[State, Mapping[Step, State]]] = {
    State.APPLIED: {Step.REVIEW: State.CLASS_REVIEWED, Step.WITHDRAW: State.WITHDRAWN},
    State.CLASS_REVIEWED: {
        Step.APPROVE: State.APPROVED,
        Step.WAIT: State.WAITING,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.WAITING: {Step.OFFER: State.OFFERED, Step.WITHDRAW: State.WITHDRAWN},
    State.OFFERED: {Step.ACCEPT: State.APPROVED, Step.WITHDRAW: State.WITHDRAWN},
    State.APPROVED: {Step.SIGN: State.ACTIVE, Step.WITHDRAW: State.WITHDRAWN},
    State.ACTIVE: {Step.SIGN: State.ACTIVE, Step.WITHDRAW: State.WITHDRAWN},  # a paper that came later, or a new one
    State.WITHDRAWN: {},
}
ON_ROSTER: Final = frozenset({State.APPROVED, State.ACTIVE})
HOLDS_PLACE: Final = ON_ROSTER | {State.OFFERED}
MAY_YET_WAIT: Final = frozenset({State.APPLIED, State.CLASS_REVIEWED, State.WAITING, State.OFFERED})
OPEN: Final = frozenset(State) - {State.WITHDRAWN}

# 优先保障…: who waits in front (Changzhi, Xiji, Yueyang). Only the office sees which group, and only the waiting list reads it.
PRIORITY_GROUPS: Final = ("disabled", "left_behind", "migrant", "hardship", "dual_earner")


class StepUnknown(ValueError):
    """The table has no such step from that state; the sentence says which there are."""


def step(state: State, taken: Step) -> State:
    """Where the step leads. Raises StepUnknown."""
    try:
        return STEPS[state][taken]
    except KeyError:
        known = ", ".join(STEPS[state]) or "none: it is at its end"
        raise StepUnknown(f"an application that is {state} has no step {taken}; there are {known}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One child, one session, from one day on. `valid_to` is the last day, included."""

    id: str  # 申请编号
    child: int
    session: str
    state: State
    applied_on: date
    valid_from: date
    valid_to: date | None = None  # of a withdrawn one: the last day on the roster, None where it never came to a place
    leave_at_min: int | None = None
    agreement: str = ""  # 协议编号
    priority: str = ""  # of PRIORITY_GROUPS; for the waiting list and nobody else

    @property
    def placed(self) -> bool:
        """Whether it stands, or stood, on a roster."""
        return self.state in ON_ROSTER or (self.state is State.WITHDRAWN and self.valid_to is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step on record: what became of which application, when, by whom (0: by the list that was imported)."""

    application: str
    step: Step
    state: State
    on: date  # the school's day on which it was done
    at_ms: int
    by: int
    detail: str = ""  # a day or a number, never words about a person


class Menu(Protocol):
    """What of a session says when it takes place; rows of an import have the same names."""

    @property
    def kind(self) -> str: ...

    @property
    def slot(self) -> int: ...

    @property
    def weekdays(self) -> frozenset[int]: ...

    @property
    def start_min(self) -> int | None: ...

    @property
    def end_min(self) -> int | None: ...


def same_time(one: Menu, other: Menu) -> bool:
    """Whether two sessions run at the same time on some weekday. Only what is certain counts."""
    if not one.weekdays & other.weekdays or one.slot != other.slot:
        return False
    if one.slot:
        return True
    if one.start_min is None or one.end_min is None or other.start_min is None or other.end_min is None:
        return one.kind == other.kind  # the bell schedule gives both the same time
    return one.start_min < other.end_min and other.start_min < one.end_min


def fresh_number(following: int, taken: Container[str]) -> tuple[str, int]:
    """The next number of our own, and the one behind it: a school's papers may have numbers that look like ours."""
    while (number := f"SQ{following:05d}") in taken:
        following += 1
    return number, following + 1


# ---- places --------------------------------------------------------------------------------------------


class Period(NamedTuple):
    """Both days included; None: open."""

    first: date | None
    last: date | None


def place_of(application: Application) -> Enrolment | None:
    """The line of the roster that an application gives."""
    if not application.placed:
        return None
    return Enrolment(
        child=application.child,
        session=application.session,
        valid_from=application.valid_from,
        valid_to=application.valid_to,
        leave_at_min=application.leave_at_min,
        agreement=application.agreement,
        application=application.id,
    )


def with_places(listed: Iterable[Enrolment], applications: Iterable[Application]) -> tuple[Enrolment, ...]:
    """The roster lines of a list, and those of the applications in place of whatever lines they gave before."""
    kept = (line for line in listed if not line.application)
    return (*kept, *(line for one in applications if (line := place_of(one)) is not None))


def overlap(one: Period, other: Period) -> bool:
    first = max(one.first or date.min, other.first or date.min)
    return first <= min(one.last or date.max, other.last or date.max)


def most_at_once(periods: Iterable[Period]) -> int:
    """How many of them share one day, at most."""
    listed = tuple(periods)
    steps = [(period.first or date.min, 1) for period in listed]
    # Someone who leaves on a day is still there on that day: departures sort behind arrivals.
    steps += [(period.last, -1) for period in listed if period.last is not None]
    here = most = 0
    for _, change in sorted(steps, key=lambda one: (one[0], -one[1])):
        here += change
        most = max(most, here)
    return most


def waiting_order(applications: Iterable[Application], session: str) -> tuple[Application, ...]:
    """Who waits for a session, the next one first: priority groups before the others, then by the day of the application, then
    in the order in which they came."""
    waiting = [one for one in applications if one.session == session and one.state is State.WAITING]
    return tuple(sorted(waiting, key=lambda one: (not one.priority, one.applied_on)))


# ---- audience ------------------------------------------------------------------------------------------


def in_audience(audience: frozenset[str], *, grade: str, class_id: str) -> bool:
    """Whether a session is for a child of this grade (`primary-3`) and class. An empty audience is everybody."""
    return not audience or grade in audience or class_id in audience


# ---- periods -------------------------------------------------------------------------------------------


def end_of_month(day: date) -> date:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following - timedelta(days=1)
