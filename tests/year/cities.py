"""The five cities' plans as they ship, and a gate that runs under one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from kiosk.core.calendar import Calendar
from kiosk.core.people import Enrolment, Session
from kiosk.core.policy import service_on_makeup_day
from kiosk.core.timetable import DayBook, day_book
from kiosk.policies import load_policy
from kiosk.settings import Settings, load
from tests.support.people import DAILY, ENROLMENTS, SESSIONS, small_school
from tests.support.school import CONFIG, School

VARIANTS = Path(__file__).parents[2] / "config" / "sample_school" / "variants"
CITIES = ("changzhi", "xiji", "tianjin", "luoyang", "yueyang")
LIVELY = Session(
    id="W1",
    name="周末兴趣",
    kind="weekend",
    slot=0,
    weekdays=frozenset({6}),
    room="体育馆",
    teacher=112,
    start_min=540,
    end_min=660,
)
HOLIDAY = Session(
    id="H1",
    name="假期开放",
    kind="holiday_open",
    slot=0,
    weekdays=DAILY | {6, 7},
    room="图书馆",
    teacher=113,
    start_min=540,
    end_min=690,
)


@cache
def settings_of(city: str) -> Settings:
    return load(VARIANTS / city)


def unanswered(city: str, **changes: object) -> Calendar:
    """The city's calendar as it is before the school has answered for a single day: the policy and the layers below decide."""
    calendar = settings_of(city).calendar
    return replace(calendar, school={}, district={}, makeup_day=service_on_makeup_day(load_policy(city)), **changes)


def gate_in(city: str, state: Path, *, day: str, at: str = "07:40", calendar: Calendar | None = None) -> School:
    """A running gate of the small school with the city's calendar and bells."""
    mine = settings_of(city)
    settings = replace(load(CONFIG), calendar=calendar or mine.calendar, plan=mine.plan)
    people = small_school(
        sessions=(*SESSIONS, LIVELY, HOLIDAY),
        enrolments=(*ENROLMENTS, Enrolment(child=3, session="W1"), Enrolment(child=3, session="H1")),
    )
    return School(state, at, day=day, settings=settings, directory=people)


def book_of(city: str, on: str, *, calendar: Calendar | None = None, **content: object) -> DayBook:
    mine = settings_of(city)
    people = small_school(**content)
    return day_book(
        date.fromisoformat(on), calendar or mine.calendar, mine.plan, people, release_window_min=mine.release_window_min
    )


def minute(book: DayBook, at_ms: int) -> str:
    minutes = (at_ms - book.start_ms) // 60_000
    return f"{minutes // 60:02}:{minutes % 60:02}"
