"""A school year day by day: the days, the counts that the papers ask for, and one day opened up.

Pure, and only arithmetic over `kiosk.core.calendar` and the bells: what `kiosk calendar` prints and the year view
shows. It never decides what a day is, and never says that a day of the past was held: the records say that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from kiosk.core.calendar import Calendar, Day, DayType, LayerSaid, Term, layers_of, makeup_on, resolve_day
from kiosk.core.people import Session, Stage
from kiosk.core.timetable import BellSchedule, Plan, PlanGap, SessionTime, Slot, bells_of, dismissal_of, for_grade, sessions_on

YEAR_BEGINS = 8  # month: the school year runs from August to July
SCHOOL_YEARS = {Stage.KINDERGARTEN: 3, Stage.SENIOR: 3}
COMPULSORY_YEARS = 9


def school_year_start(on: date) -> date:
    """The first of August before: no term has begun by then, and every summer opening is over."""
    return date(on.year if on.month >= YEAR_BEGINS else on.year - 1, YEAR_BEGINS, 1)


def days_between(first: date, last: date, calendar: Calendar) -> tuple[Day, ...]:
    """Every day from `first` to `last`, both included."""
    return tuple(resolve_day(date.fromordinal(n), calendar) for n in range(first.toordinal(), last.toordinal() + 1))


def grades_of(stages: Iterable[Stage], primary_years: int) -> tuple[tuple[Stage, int], ...]:
    """Every grade of a school. Primary and junior school are nine years together: 六三 or 五四学制."""
    years = {**SCHOOL_YEARS, Stage.PRIMARY: primary_years, Stage.JUNIOR: COMPULSORY_YEARS - primary_years}
    return tuple((stage, grade) for stage in Stage if stage in set(stages) for grade in range(1, years[stage] + 1))


# --- counts ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Days of a month or a year. `service`: with the after-school service, weekend days and openings apart."""

    teaching: int
    service: int
    weekend: int
    opening: int
    makeup: int
    unverified: int


def counts_of(days: Iterable[Day], calendar: Calendar) -> Counts:
    all_days = tuple(days)
    return Counts(
        teaching=sum(d.type is DayType.TEACHING for d in all_days),
        service=sum(d.after_school and d.type is DayType.TEACHING for d in all_days),
        weekend=sum(d.after_school and d.type is DayType.REST for d in all_days),
        opening=sum(d.type is DayType.OPENING for d in all_days),
        makeup=sum(makeup_on(d, calendar) for d in all_days),
        unverified=sum(d.calendar_unverified for d in all_days),
    )


def service_weeks(days: Iterable[Day]) -> int:
    """Calendar weeks, Monday to Sunday, with a service day. A holiday opening is not the service."""
    return len({d.date.isocalendar()[:2] for d in days if d.after_school and d.type is not DayType.OPENING})


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDemand:
    """How many weeks of service a year a paper asks of some stages."""

    stages: frozenset[Stage]
    weeks: int
    rule: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekCount:
    """已开展 done / planned of what is demanded. `demand` None: no paper asks, the count is for the school itself."""

    done: int  # weeks with a service day up to today
    planned: int  # in the whole school year
    demand: WeekDemand | None


def week_counts(days: tuple[Day, ...], today: date, demands: Iterable[WeekDemand]) -> tuple[WeekCount, ...]:
    done, planned = service_weeks(d for d in days if d.date <= today), service_weeks(days)
    asked = tuple(demands)
    return tuple(WeekCount(done=done, planned=planned, demand=demand) for demand in asked or (None,))


# --- one day ---


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeBells:
    """The bells of grades that share them on one day, in minutes since midnight."""

    grades: tuple[tuple[Stage, int], ...]
    gate_opens: int
    late_from: int
    dismissal: int
    early: bool  # dismissed earlier than the season's bells say


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySheet:
    """One day opened up. `bells` is empty on a day without lessons; `gap` says what the plan lacks for it."""

    day: Day
    layers: tuple[LayerSaid, ...]
    makeup: bool
    season_begins: bool
    term: Term | None
    bells: tuple[GradeBells, ...] = ()
    slots: tuple[Slot, ...] = ()
    sessions: tuple[tuple[Session, SessionTime], ...] = ()
    gate_closes: int = 0
    gap: str = ""


def open_day(
    on: date, calendar: Calendar, plan: Plan, grades: Iterable[tuple[Stage, int]], sessions: Mapping[str, Session]
) -> DaySheet:
    """What the day is, layer by layer, and its bells and sessions. `sessions`: the rows that hold on that day."""
    day = resolve_day(on, calendar)
    sheet = DaySheet(
        day=day,
        layers=layers_of(on, calendar),
        makeup=makeup_on(day, calendar),
        season_begins=season_begins(day, calendar),
        term=next((t for t in calendar.terms if t.id == day.term), None),
    )
    try:
        bells = bells_of(day, plan)
        taught = [(stage, grade) for stage, grade in grades if _taught(on, calendar, stage)]
        shared = _shared_bells(day, plan, bells, taught) if day.type is DayType.TEACHING else ()
    except PlanGap as gap:
        return replace(sheet, gap=str(gap))
    times = sessions_on(day, bells, sessions, 0)[0]
    running = sorted(((sessions[key], time) for key, time in times.items()), key=lambda pair: (pair[1].start_ms, pair[0].id))
    special = (bells.early_care if day.type is DayType.TEACHING else None, *(bells.slots if day.after_school else ()))
    late = (bells.extended_care, bells.evening) if day.after_school else ()
    return replace(
        sheet,
        bells=shared,
        slots=tuple(slot for slot in (*special, *late) if slot is not None),
        sessions=tuple(running),
        gate_closes=bells.gate_closes_min,
    )


def _taught(on: date, calendar: Calendar, stage: Stage) -> bool:
    """Whether a stage has lessons on a day: it may have weekdays of its own."""
    return not calendar.stage_weekdays or resolve_day(on, calendar.of_stage(stage)).type is DayType.TEACHING


def season_begins(day: Day, calendar: Calendar) -> bool:
    """Whether other bells hold from this day on."""
    return resolve_day(date.fromordinal(day.date.toordinal() - 1), calendar).season != day.season


def _shared_bells(day: Day, plan: Plan, bells: BellSchedule, grades: Iterable[tuple[Stage, int]]) -> tuple[GradeBells, ...]:
    found: dict[tuple[int, int, int, bool], list[tuple[Stage, int]]] = {}
    for stage, grade in grades:
        dismissal, usual = dismissal_of(day, plan, bells, stage, grade), for_grade(bells.dismissal_min, stage, grade)
        opens, late = for_grade(bells.gate_opens_min, stage, grade), for_grade(bells.late_after_min, stage, grade)
        found.setdefault((opens, late, dismissal, dismissal < usual), []).append((stage, grade))
    return tuple(
        GradeBells(grades=tuple(who), gate_opens=opens, late_from=late, dismissal=dismissal, early=early)
        for (opens, late, dismissal, early), who in found.items()
    )
