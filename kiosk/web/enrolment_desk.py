"""What the enrolment pages ask of the office's desk: a look at the list, a press tried out, a press done. Values, a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from kiosk.core.enrolment_book import Book, Effect
from kiosk.core.people import SchoolClass

ACTS: Final = ("apply", "review", "approve", "accept", "sign", "leave")


class NoPeople(Exception):
    """There is no people list yet."""


class ListMoved(Exception):
    """Somebody changed the list since the page was shown."""


class NotHere(Exception):
    """The school's lists are made at another gate, whose next one would undo whatever is pressed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One press, as the form had it. `day`: from when; None = today."""

    kind: str  # of ACTS
    child: int = 0
    sessions: tuple[str, ...] = ()
    application: str = ""
    more: tuple[str, ...] = ()  # further applications, each chosen by itself, for the same step
    day: date | None = None
    until: date | None = None
    leave_at_min: int | None = None
    agreement: str = ""
    priority: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The list as it is. `audiences`: session -> 参加对象 in words, "" for everybody."""

    number: int
    today: date
    book: Book
    classes: Mapping[str, SchoolClass]
    staff: Mapping[int, str]
    audiences: Mapping[str, str]
    agreement_required: bool
    leave_times_min: tuple[int, ...]
    last_day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    base: int  # the number of the list that it was tried on
    effects: tuple[Effect, ...]


class EnrolmentDesk(Protocol):
    """All of them block: call them in a thread. They raise NoPeople, ListMoved, NotHere and the book's Refused."""

    def look(self) -> Look: ...

    def try_out(self, act: Act, *, by: int) -> Tried: ...

    def do(self, act: Act, *, base: int, by: int) -> int: ...
