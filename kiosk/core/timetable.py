"""Terms, seasons, make-up days, bell schedules and windows: what ought to happen on a date.

Pure: the national holiday data, the school's own calendar and the bell schedules arrive as values.
Every resolved day says which layer decided it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from kiosk.core.people import Directory


class DayType(StrEnum):
    TEACHING = "teaching"
    REST = "rest"  # ordinary weekend
    HOLIDAY = "holiday"  # statutory, or the school's own closure
    VACATION = "vacation"  # outside every term
    OPENING = "opening"  # holiday opening period (寒暑假开放)


class Layer(StrEnum):
    """Who decided a day; later wins."""

    WEEKDAY = "weekday"
    NATIONAL = "national"
    DISTRICT = "district"
    TERM = "term"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRule:
    """One line of a calendar layer. None means: this layer does not say."""

    date: date
    type: DayType | None = None
    timetable_as: int | None = None  # ISO weekday whose timetable runs
    after_school: bool | None = None
    dismissal_profile: str | None = None  # named early dismissal, by grade
    note: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    id: str  # 2026_autumn
    name: str  # 2026—2027学年第一学期
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    name: str  # summer, winter
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """All layers. `national_years` are the years that the national data covers: others are unverified."""

    terms: tuple[Term, ...]
    seasons: tuple[Season, ...]
    national: Mapping[date, DayRule]
    national_years: frozenset[int]
    district: Mapping[date, DayRule] = field(default_factory=dict)
    school: Mapping[date, DayRule] = field(default_factory=dict)  # the term file's [[day]] rows
    overrides: Mapping[date, DayRule] = field(default_factory=dict)
    makeup_day: str = "school_decides"  # service | school_decides, from the policy (day_basis)
    openings: tuple[Season, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    date: date
    type: DayType
    weekday_as: int  # ISO weekday of the timetable that runs
    after_school: bool  # a service day
    season: str
    decided_by: Layer
    calendar_unverified: bool = False
    dismissal_profile: str = ""
    term: str = ""
    note: str = ""
    warning: str = ""  # e.g. a make-up day on which the school has not said whether the service runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A service slot of the bell schedule, in minutes since local midnight."""

    number: int  # 1, 2; 0 for extended care, evening study, ...
    kind: str  # homework, enrichment, extended_care, evening_study, early_care
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BellSchedule:
    """One season's bells. Per-grade mappings have keys "primary-1" ... and "*" for the rest."""

    season: str
    gate_opens_min: Mapping[str, int]  # earlier taps are early arrivals
    late_after_min: Mapping[str, int]  # first minute that counts as late
    dismissal_min: Mapping[str, int]
    slots: tuple[Slot, ...]
    extended_care: Slot | None
    gate_closes_min: int
    early_care: Slot | None = None
    evening: Slot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The school's service plan: schedules by season and named early-dismissal profiles."""

    schedules: Mapping[str, BellSchedule]  # by season name
    profiles: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # profile -> grade -> dismissal minute
    utc_offset_ms: int = 8 * 3_600_000  # Asia/Shanghai, no daylight saving


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTime:
    session: str
    slot: int
    room: str
    teacher: int
    start_ms: int  # UTC
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilDay:
    """One pupil's day in absolute UTC milliseconds. Built once a day, read on every tap."""

    teaching: bool
    service: bool
    arrive_opens_ms: int
    late_after_ms: int
    dismissal_ms: int
    sessions: tuple[SessionTime, ...] = ()
    extended_care: SessionTime | None = None
    release_opens_ms: int = 0  # end of the last session today (or leave_at, or dismissal)
    release_due_ms: int = 0  # T0 of the ladder: end of the pupil's own release window


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBook:
    """The resolved day of the whole school."""

    day: Day
    start_ms: int  # local midnight in UTC
    end_ms: int
    pupils: Mapping[int, PupilDay]
    session_times: Mapping[str, SessionTime]
    gate_closes_ms: int


def resolve_day(on: date, calendar: Calendar) -> Day:
    """Applies the layers in order; the result names the one that decided."""
    raise NotImplementedError


def day_book(on: date, calendar: Calendar, plan: Plan, directory: Directory, *, release_window_min: int) -> DayBook:
    """Everybody's windows on a date."""
    raise NotImplementedError
