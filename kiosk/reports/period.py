"""The time that a report is about: a day, a week, a month, a term, half a year, a year, a school year.

A text names one (`2026-11-23`, `2026-W48`, `2026-11`, `2026_autumn`, `2026-H2`, `2026`, `2026-2027`). Pure; terms come from the
school's calendar.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from kiosk.core.calendar import Term
from kiosk.reports.table import Words

SCHOOL_YEAR_BEGINS: Final = 9  # September
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_HALF = re.compile(r"(\d{4})-H([12])")
_YEAR = re.compile(r"\d{4}")
_SCHOOL_YEAR = re.compile(r"(\d{4})-(\d{4})")


class PeriodKind(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TERM = "term"
    HALF = "half"
    YEAR = "year"
    SCHOOL_YEAR = "school_year"


KIND_WORDS: Final = {
    PeriodKind.DAY: Words("日", "day"),
    PeriodKind.WEEK: Words("周", "week"),
    PeriodKind.MONTH: Words("月", "month"),
    PeriodKind.TERM: Words("学期", "term"),
    PeriodKind.HALF: Words("半年", "half-year"),
    PeriodKind.YEAR: Words("年", "year"),
    PeriodKind.SCHOOL_YEAR: Words("学年", "school year"),
}


class NoPeriod(ValueError):
    """The text names no period; the sentence says how to write one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    kind: PeriodKind
    id: str  # as it is written
    first: date
    last: date  # included
    words: Words

    def months(self) -> Iterator[str]:
        """Every month that it touches, as 2026-10."""
        at = self.first.replace(day=1)
        while at <= self.last:
            yield f"{at:%Y-%m}"
            at = (at + timedelta(days=32)).replace(day=1)


def period_of(text: str, terms: Iterable[Term] = ()) -> Period:
    """Raises NoPeriod."""
    text = text.strip()
    term = next((term for term in terms if term.id == text), None)
    if term is not None:
        return Period(kind=PeriodKind.TERM, id=text, first=term.first, last=term.last, words=Words(term.name, term.id))
    try:
        found = _written(text)
    except ValueError:
        found = None  # 2026-02-30, 2026-W60
    if found is None:
        known = ", ".join(term.id for term in terms)
        raise NoPeriod(
            f"“{text}”不是时间段，可写 2026-11-23、2026-W48、2026-11、2026-H2、2026、2026-2027 或学期 {known or '—'}"
            f" / {text!r} is no period; write 2026-11-23, 2026-W48, 2026-11, 2026-H2, 2026, 2026-2027 or a term: {known or '-'}"
        )
    return found


def _written(text: str) -> Period | None:
    if found := _WEEK.fullmatch(text):
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        zh, en = f"{found[1]}年第{int(found[2])}周", f"week {text}"
        return _period(PeriodKind.WEEK, text, monday, monday + timedelta(days=6), zh, en)
    if found := _MONTH.fullmatch(text):
        return month(int(found[1]), int(found[2]))
    if found := _HALF.fullmatch(text):
        return half(int(found[1]), int(found[2]))
    if found := _SCHOOL_YEAR.fullmatch(text):
        begins = int(found[1])
        if begins + 1 != int(found[2]):
            return None
        first, last = date(begins, SCHOOL_YEAR_BEGINS, 1), date(begins + 1, SCHOOL_YEAR_BEGINS - 1, 31)
        return _period(PeriodKind.SCHOOL_YEAR, text, first, last, f"{begins}—{begins + 1}学年", f"school year {text}")
    if _YEAR.fullmatch(text):
        return _period(PeriodKind.YEAR, text, date(int(text), 1, 1), date(int(text), 12, 31), f"{text}年", text)
    return day(date.fromisoformat(text))


def _period(kind: PeriodKind, text: str, first: date, last: date, zh: str, en: str) -> Period:
    return Period(kind=kind, id=text, first=first, last=last, words=Words(zh, en))


def day(on: date) -> Period:
    return _period(PeriodKind.DAY, on.isoformat(), on, on, f"{on.year}年{on.month}月{on.day}日", on.isoformat())


def month(year: int, number: int) -> Period:
    """Raises ValueError for a thirteenth."""
    first = date(year, number, 1)
    last = first.replace(day=monthrange(year, number)[1])
    return _period(PeriodKind.MONTH, f"{first:%Y-%m}", first, last, f"{year}年{number}月", f"{first:%Y-%m}")


def half(year: int, number: int) -> Period:
    first, last = (date(year, 1, 1), date(year, 6, 30)) if number == 1 else (date(year, 7, 1), date(year, 12, 31))
    text = f"{year}-H{number}"
    return _period(PeriodKind.HALF, text, first, last, f"{year}年{'上' if number == 1 else '下'}半年", text)


def school_year(on: date) -> Period:
    """The school year that a day lies in."""
    begins = on.year if on.month >= SCHOOL_YEAR_BEGINS else on.year - 1
    found = _written(f"{begins}-{begins + 1}")
    assert found is not None
    return found
