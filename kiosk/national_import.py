"""A new year's national schedule taken in: what a holiday file would change, and the file put beside the settings.

A file is read whole and compared day by day with the calendar in force before anything is written. It is kept as
`national/<year>.json` in the settings folder and holds from the next start, because settings are adopted at a start.
Nothing is ever guessed for a year without a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from kiosk.core.calendar import Day, resolve_day
from kiosk.core.year import days_between
from kiosk.durable_files import write_whole
from kiosk.national_calendar import NationalFileBroken, over, parse_holidays
from kiosk.settings import Settings

FOLDER: Final = "national"


class NotKept(Exception):
    """The settings folder does not take the file; the sentence says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChange:
    before: Day
    after: Day

    @property
    def date(self) -> date:
        return self.after.date


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalPlan:
    """A dry run. `changes`: days that would be another kind of day or gain or lose the service; `verified`: how many
    days of the year are no longer marked as unverified; `kept`: days on which the school's own calendar stands."""

    year: int
    known: bool  # the year was there already: this file replaces it
    changes: tuple[DayChange, ...]
    verified: int
    kept: tuple[Day, ...]
    data: bytes


def plan_national(name: str, data: bytes, settings: Settings) -> NationalPlan:
    """What the file would change. Raises NationalFileBroken with one sentence."""
    year, rules = parse_holidays(name, data)
    calendar = settings.calendar
    layer = over(calendar.national, calendar.national_years, year, rules)
    after = replace(calendar, national=layer.rules, national_years=layer.years)
    first, last = date(year, 1, 1), date(year, 12, 31)
    pairs = [(day, resolve_day(day.date, after)) for day in days_between(first, last, calendar)]
    changed = tuple(DayChange(before=b, after=a) for b, a in pairs if _differ(b, a))
    return NationalPlan(
        year=year,
        known=year in calendar.national_years,
        changes=changed,
        verified=sum(b.calendar_unverified and not a.calendar_unverified for b, a in pairs),
        kept=tuple(a for b, a in pairs if a.date in rules and a.type is not rules[a.date].type),
        data=data,
    )


def keep_national(plan: NationalPlan, folder: Path) -> Path:
    """Puts the file beside the settings, whole or not at all. Raises NotKept."""
    path = folder / FOLDER / f"{plan.year}.json"
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, plan.data)
        path.chmod(0o644)  # a public notice: the gate reads it, whoever put it there
    except OSError as error:
        raise NotKept(
            f"{path.parent} 不能写入，请由管理员运行 kiosk calendar import / cannot be written ({error.strerror}): "
            "have the administrator run kiosk calendar import"
        ) from error
    return path


def _differ(before: Day, after: Day) -> bool:
    return (before.type, before.after_school, before.weekday_as) != (after.type, after.after_school, after.weekday_as)


__all__ = ["DayChange", "NationalFileBroken", "NationalPlan", "NotKept", "keep_national", "plan_national"]
