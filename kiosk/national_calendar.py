"""The national holiday schedule as a calendar layer, from the chinesecalendar package and from files.

The State Council publishes each year's schedule in the November before, and the package follows later.
Until then a school may drop the year's file into `national/` of its configuration, in the open JSON form
of the holiday-cn project: {"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}.
A year that neither knows is simply not among the years: nobody guesses, and nothing crashes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kiosk.core.calendar import DayRule, DayType

MAX_FILE_BYTES = 1_000_000
MAX_NAME = 40


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
    layer = NationalLayer(rules=rules, years=frozenset(years))
    for path in files:
        layer = over(layer.rules, layer.years, *_from_file(path))
    return layer


def over(rules: Mapping[date, DayRule], years: frozenset[int], year: int, days: Mapping[date, DayRule]) -> NationalLayer:
    """A layer with another year laid over it: what was known of that year before is gone."""
    kept = {day: rule for day, rule in rules.items() if day.year != year}
    return NationalLayer(rules={**kept, **days}, years=years | {year})


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
        return parse_holidays(path.name, path.read_bytes())
    except OSError as error:
        raise NationalFileBroken(f"{path.name} cannot be read ({error.strerror})") from error


def parse_holidays(name: str, data: bytes) -> tuple[int, dict[date, DayRule]]:
    """The year of a holiday file and its days. Raises NationalFileBroken with one sentence."""
    if len(data) > MAX_FILE_BYTES:
        raise NationalFileBroken(f"{name} is larger than {MAX_FILE_BYTES} bytes: not a holiday file")
    try:
        raw: Any = json.loads(data.decode("utf-8-sig"))
        year = int(raw["year"])
        days = dict(_rows(name, year, raw["days"]))
    except NationalFileBroken:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NationalFileBroken(
            f"{name} is not a holiday file ({error!r:.80}): it needs year and days, each with name, date, isOffDay"
        ) from error
    if not any(day.year == year for day in days):
        raise NationalFileBroken(f"{name} has no days: the schedule of {year} is not out yet, remove the file")
    return year, days


def _rows(name: str, year: int, rows: Any) -> Iterator[tuple[date, DayRule]]:
    seen: dict[date, bool] = {}
    for row in rows:
        day, off, words = date.fromisoformat(row["date"]), row["isOffDay"], str(row.get("name", ""))[:MAX_NAME]
        if off is not True and off is not False:
            raise NationalFileBroken(f"{name}: isOffDay of {day} must be true or false")
        if day.year not in (year - 1, year):  # the notice of a year may speak of the last days of the one before
            raise NationalFileBroken(f"{name}: {day} does not belong to the schedule of {year}")
        if seen.setdefault(day, off) != off:
            raise NationalFileBroken(f"{name}: {day} is listed both as a day off and as a working day")
        yield day, (DayRule(date=day, type=DayType.HOLIDAY, note=words) if off else _makeup(day, words))
