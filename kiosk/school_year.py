"""A school's year put together from its settings and its city's policy, for `kiosk calendar` and the office's year view.

Reads the policy file once; everything else is `kiosk.core.year`. It decides nothing and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from kiosk.core.calendar import Day, DayType, DayWarning, Season, makeup_on
from kiosk.core.people import Session
from kiosk.core.policy import Policy, PolicyRefused, Rule
from kiosk.core.year import (
    Counts,
    DaySheet,
    WeekCount,
    WeekDemand,
    counts_of,
    days_between,
    grades_of,
    open_day,
    season_begins,
    week_counts,
)
from kiosk.policies import load_policy
from kiosk.settings import Settings, SharedDataMissing

MONTHS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSheet:
    first: date
    days: tuple[Day, ...]
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSheet:
    """August to July. `season_starts`: days from which other bells hold."""

    first: date
    last: date
    months: tuple[MonthSheet, ...]
    counts: Counts
    weeks: tuple[WeekCount, ...]
    season_starts: frozenset[date]
    makeup: frozenset[date]
    openings: tuple[Season, ...]
    unanswered: tuple[Day, ...]  # make-up days that nobody has answered

    @property
    def days(self) -> tuple[Day, ...]:
        return tuple(day for month in self.months for day in month.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What the city's paper says of a day, in its own words."""

    rule: str
    clause: str
    document: str


@dataclass(frozen=True, slots=True)
class SchoolYears:
    """The years of one school. `policy` None: no city's policy, so nothing is demanded."""

    settings: Settings
    policy: Policy | None

    def year(self, first: date, today: date) -> YearSheet:
        """The school year that begins on `first` (see `school_year_start`), counted up to `today`."""
        calendar = self.settings.calendar
        last = date(first.year + 1, first.month, 1).toordinal() - 1
        days = days_between(first, date.fromordinal(last), calendar)
        return YearSheet(
            first=first,
            last=days[-1].date,
            months=tuple(_month(first, n, days, self.settings) for n in range(MONTHS)),
            counts=counts_of(days, calendar),
            weeks=week_counts(days, today, self.demands()),
            season_starts=frozenset(day.date for day in days if season_begins(day, calendar)),
            makeup=frozenset(day.date for day in days if makeup_on(day, calendar)),
            openings=tuple(p for p in calendar.openings if first <= p.first <= days[-1].date),
            unanswered=tuple(d for d in days if DayWarning.MAKEUP_UNANSWERED in d.warnings),
        )

    def day(self, on: date, sessions: Mapping[str, Session]) -> DaySheet:
        school = self.settings.school
        grades = grades_of(school.stages, school.primary_years)
        return open_day(on, self.settings.calendar, self.settings.plan, grades, sessions)

    def demands(self) -> tuple[WeekDemand, ...]:
        """The weeks a year that the policy asks of this school's stages."""
        mine = self.settings.school.stages
        return tuple(
            WeekDemand(stages=rule.stages & mine, weeks=rule.number("weeks"), rule=rule.id, clause=rule.clause)
            for rule in self._rules("weeks_per_year")
            if rule.stages & mine
        )

    def clauses(self, sheet: DaySheet) -> tuple[Clause, ...]:
        """The clauses that speak of such a day: service days, weekend days, openings."""
        types = {DayType.REST: "weekend_days", DayType.OPENING: "holiday_opening"}
        rules = self._rules(types.get(sheet.day.type, "day_basis"))
        return tuple(Clause(rule=r.id, clause=r.clause, document=str(r.document)) for r in rules)

    def _rules(self, kind: str) -> tuple[Rule, ...]:
        school = self.settings.school
        found = self.policy.of_type(kind) if self.policy else ()
        return tuple(r for r in found if r.stages & school.stages and r.variant in ("", school.variant))


def open_years(settings: Settings) -> SchoolYears:
    """With the policy of the school's city; without one where it has none or the file cannot be used (`kiosk check` says why)."""
    try:
        return SchoolYears(settings, load_policy(settings.school.city) if settings.school.city else None)
    except (PolicyRefused, SharedDataMissing):
        return SchoolYears(settings, None)


def _month(first: date, number: int, days: tuple[Day, ...], settings: Settings) -> MonthSheet:
    year, month = divmod(first.month - 1 + number, 12)
    begins = date(first.year + year, month + 1, 1)
    mine = tuple(d for d in days if (d.date.year, d.date.month) == (begins.year, begins.month))
    return MonthSheet(first=begins, days=mine, counts=counts_of(mine, settings.calendar))
