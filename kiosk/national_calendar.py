"""The national holiday schedule as a calendar layer, from the chinesecalendar package and from files.

The State Council publishes each year's schedule in the November before, and the package follows later.
Until then a school may drop the year's file into `national/` of its configuration, in the open JSON form
of the holiday-cn project: {"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}.
A year that neither knows is simply not among the years: nobody guesses, and nothing crashes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kiosk.core.calendar import DayRule, DayType

MAX_FILE_BYTES = 1_000_000


class NationalFileBroken(ValueError):
    """A national/*.json that cannot be used; says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalLayer:
    rules: dict[date, DayRule]
    years: frozenset[int]


_HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


def national_layer(files: Iterable[Path] = ()) -> NationalLayer:
    """The package's years, with the years of `files` on top. Raises NationalFileBroken."""
    rules, years = _from_package()
    for path in files:
        year, days = _from_file(path)
        rules = {day: rule for day, rule in rules.items() if day.year != year} | days
        years |= {year}
    return NationalLayer(rules=rules, years=frozenset(years))


def _from_package() -> tuple[dict[date, DayRule], frozenset[int]]:
    constants = importlib.import_module("chinese_calendar.constants")  # untyped; a table that only settings need

    rules: dict[date, DayRule] = {}
    for day, name in constants.holidays.items():
        rules[day] = DayRule(date=day, type=DayType.HOLIDAY, note=_HOLIDAYS.get(name, name))
    for day, name in constants.workdays.items():
        rules[day] = _makeup(day, _HOLIDAYS.get(name, name))
    # A few days of the following January may stand in the table although that year's notice is not out.
    counts: dict[int, int] = {}
    for day in constants.holidays:
        counts[day.year] = counts.get(day.year, 0) + 1
    years = frozenset(year for year, count in counts.items() if count > _A_NEW_YEAR)
    return {day: rule for day, rule in rules.items() if day.year in years}, years


_A_NEW_YEAR = 3  # New Year's Day has at most three days off; a whole year has far more


def _makeup(day: date, name: str) -> DayRule:
    return DayRule(date=day, type=DayType.TEACHING, note=f"{name}调休上班")


def _from_file(path: Path) -> tuple[int, dict[date, DayRule]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise NationalFileBroken(f"{path.name} is larger than {MAX_FILE_BYTES} bytes: not a holiday file")
        raw: Any = json.loads(path.read_text("utf-8-sig"))
        year = int(raw["year"])
        days: dict[date, DayRule] = {}
        for row in raw["days"]:
            day, off = date.fromisoformat(row["date"]), row["isOffDay"]
            name = str(row.get("name", ""))
            if off is not True and off is not False:
                raise NationalFileBroken(f"{path.name}: isOffDay of {day} must be true or false")
            days[day] = DayRule(date=day, type=DayType.HOLIDAY, note=name) if off else _makeup(day, name)
    except NationalFileBroken:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NationalFileBroken(
            f"{path.name} is not a holiday file ({error!r}): it needs year and days, each with name, date, isOffDay"
        ) from error
    if not days:
        raise NationalFileBroken(f"{path.name} has no days: the schedule of {year} is not out yet, remove the file")
    return year, days
