"""What kind of day a date is: terms, seasons, make-up days, and which layer said so.

Pure. The national holiday data and the school's own rows arrive as values; nothing is looked up.
Five layers are applied in order and the later one wins: weekday rule, national data, district
calendar, term file, single-day override. A year that the national data does not know is never an
error: the weekday rule stands and the day says that it is unverified.

It never says who has which window on that day: that is `kiosk.core.timetable`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum


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


class DayWarning(StrEnum):
    """What a person should look at before the day comes. Words for people: `WARNING_TEXT`."""

    UNVERIFIED = "calendar_unverified"
    MAKEUP_UNANSWERED = "makeup_unanswered"
    MAKEUP_TIMETABLE = "makeup_timetable"
    NO_TERM = "no_term"


WARNING_TEXT: Mapping[DayWarning, tuple[str, str]] = {
    DayWarning.UNVERIFIED: (
        "国家放假安排未收录该年份，暂按星期推算，请在校历中核对",
        "the national holiday data does not cover this year; the weekday rule is used, check the school calendar",
    ),
    DayWarning.MAKEUP_UNANSWERED: (
        "调休上课日，校历未说明是否开展课后服务，暂按不开展处理，请补填 after_school",
        "a make-up day without an answer whether the service runs; treated as no, add after_school to the calendar",
    ),
    DayWarning.MAKEUP_TIMETABLE: (
        "调休上课日，校历未说明按星期几上课，请补填 timetable_as",
        "a make-up day without the weekday whose timetable runs; add timetable_as to the calendar",
    ),
    DayWarning.NO_TERM: (
        "校历没有包含这一天的学期，请补录新学期",
        "the calendar has no term that reaches this day; add the next term",
    ),
}


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
    approval_ref: str = ""  # of a change of the service times inside a term
    reason: str = ""  # of the same, where no approval is asked


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
    makeup_day: str = "school_decides"  # service | if_teaching | school_decides, from the policy (day_basis)
    openings: tuple[Season, ...] = ()
    default_season: str = "summer"  # of a date that no season covers
    teaching_weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})  # ISO; a 6+2 senior school adds 6
    weekend_service: frozenset[int] = frozenset()  # ISO weekdays of rest days on which the service runs (5+2+1)
    stage_weekdays: Mapping[str, frozenset[int]] = field(default_factory=dict)  # of a stage with lessons on other weekdays

    def of_stage(self, stage: str) -> Calendar:
        """The calendar as one stage has it: a school with junior and senior classes may teach only some on Saturdays."""
        weekdays = self.stage_weekdays.get(stage)
        return self if weekdays is None else replace(self, teaching_weekdays=weekdays)


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
    author: str = ""  # of the single-day override
    service_by: Layer | None = None  # the layer that said whether the service runs; None: the kind of day and the policy do
    warnings: tuple[DayWarning, ...] = ()

    @property
    def warning(self) -> str:
        """The warnings in Chinese, one sentence after the other; empty when there are none."""
        return "；".join(WARNING_TEXT[w][0] for w in self.warnings)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the layers so far say. None: no layer has said it, so a rule will."""

    type: DayType
    decided_by: Layer
    timetable_as: int | None = None
    after_school: bool | None = None
    dismissal_profile: str = ""
    note: str = ""
    author: str = ""
    service_by: Layer | None = None


@dataclass(frozen=True, slots=True)
class LayerSaid:
    """What one layer says of a date by itself; `rule` None: nothing. The weekday rule always says something."""

    layer: Layer
    rule: DayRule | None


def resolve_day(on: date, calendar: Calendar) -> Day:
    """Applies the layers in order; the result names the last one that had something to say."""
    answer = _by_weekday(on, calendar)
    for layer, rule in _rules(on, calendar):
        answer = _apply(answer, layer, rule)
    unverified = on.year not in calendar.national_years and answer.decided_by is Layer.WEEKDAY
    service, warnings = _service(on, answer, calendar)
    return Day(
        date=on,
        type=answer.type,
        weekday_as=answer.timetable_as or on.isoweekday(),
        after_school=service,
        season=_named(on, calendar.seasons) or calendar.default_season,
        decided_by=answer.decided_by,
        calendar_unverified=unverified,
        dismissal_profile=answer.dismissal_profile,
        term=next((t.id for t in calendar.terms if t.first <= on <= t.last), ""),
        note=answer.note,
        author=answer.author,
        service_by=answer.service_by,
        warnings=((DayWarning.UNVERIFIED,) if unverified else ()) + warnings,
    )


def layers_of(on: date, calendar: Calendar) -> tuple[LayerSaid, ...]:
    """Every layer with its own row for `on`, lowest first: how anybody can see who decided the day, and over whom."""
    said: dict[Layer, DayRule] = {}
    for layer, rule in _rules(on, calendar):  # the term layer speaks twice of a date outside every term that has a row
        said[layer] = _over(said[layer], rule) if layer in said else rule
    weekday = DayRule(date=on, type=_by_weekday(on, calendar).type)
    return (LayerSaid(Layer.WEEKDAY, weekday), *(LayerSaid(layer, said.get(layer)) for layer in list(Layer)[1:]))


def _over(low: DayRule, high: DayRule) -> DayRule:
    """Two rows of one layer as one: `high` fills and outranks `low`."""
    return DayRule(
        date=high.date,
        type=low.type if high.type is None else high.type,
        timetable_as=low.timetable_as if high.timetable_as is None else high.timetable_as,
        after_school=low.after_school if high.after_school is None else high.after_school,
        dismissal_profile=high.dismissal_profile or low.dismissal_profile,
        note=high.note or low.note,
        author=high.author or low.author,
    )


def makeup_on(day: Day, calendar: Calendar) -> bool:
    """Whether lessons are held on a weekday that has none (调休上课日)."""
    return day.type is DayType.TEACHING and day.date.isoweekday() not in calendar.teaching_weekdays


def _by_weekday(on: date, calendar: Calendar) -> _Answer:
    teaching = on.isoweekday() in calendar.teaching_weekdays
    return _Answer(DayType.TEACHING if teaching else DayType.REST, Layer.WEEKDAY)


def _rules(on: date, calendar: Calendar) -> Iterator[tuple[Layer, DayRule]]:
    """What each layer above the weekday rule says about `on`, lowest first."""
    for layer, rows in ((Layer.NATIONAL, calendar.national), (Layer.DISTRICT, calendar.district)):
        if (rule := rows.get(on)) is not None:
            yield layer, rule
    if not any(t.first <= on <= t.last for t in calendar.terms):
        opening = _named(on, calendar.openings)
        kind = DayType.OPENING if opening else DayType.VACATION
        yield Layer.TERM, DayRule(date=on, type=kind, note=opening)
    for layer, rows in ((Layer.TERM, calendar.school), (Layer.OVERRIDE, calendar.overrides)):
        if (rule := rows.get(on)) is not None:
            yield layer, rule


def _apply(answer: _Answer, layer: Layer, rule: DayRule) -> _Answer:
    return _Answer(
        type=answer.type if rule.type is None else rule.type,
        decided_by=layer,
        timetable_as=answer.timetable_as if rule.timetable_as is None else rule.timetable_as,
        after_school=answer.after_school if rule.after_school is None else rule.after_school,
        dismissal_profile=answer.dismissal_profile if rule.dismissal_profile is None else rule.dismissal_profile,
        note=rule.note or answer.note,
        author=rule.author or answer.author,
        service_by=answer.service_by if rule.after_school is None else layer,
    )


def _service(on: date, answer: _Answer, calendar: Calendar) -> tuple[bool, tuple[DayWarning, ...]]:
    """Whether the after-school service runs, and what nobody has answered yet."""
    if answer.type is DayType.REST:
        weekend = on.isoweekday() in calendar.weekend_service
        return (weekend if answer.after_school is None else answer.after_school), ()
    if answer.type is not DayType.TEACHING:
        return answer.after_school is True, _reach(on, answer, calendar)
    if on.isoweekday() in calendar.teaching_weekdays:
        return answer.after_school is not False, ()
    warnings: tuple[DayWarning, ...] = ()
    service = answer.after_school
    if service is None:
        service = calendar.makeup_day != "school_decides"
        warnings += () if service else (DayWarning.MAKEUP_UNANSWERED,)
    if answer.timetable_as is None:
        warnings += (DayWarning.MAKEUP_TIMETABLE,)
    return service, warnings


def _reach(on: date, answer: _Answer, calendar: Calendar) -> tuple[DayWarning, ...]:
    """A date after the last term: nobody has entered the next one, and pupils may be at the gate."""
    beyond = not calendar.terms or on > max(t.last for t in calendar.terms)
    forgotten = beyond and answer.type is DayType.VACATION
    return (DayWarning.NO_TERM,) if forgotten else ()


def _named(on: date, periods: tuple[Season, ...]) -> str:
    return next((p.name for p in periods if p.first <= on <= p.last), "")
