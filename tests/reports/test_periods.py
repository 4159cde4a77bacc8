"""A text names a period, or the sentence says how to write one."""

from __future__ import annotations

from datetime import date

import pytest

from kiosk.core.calendar import Term
from kiosk.reports.period import NoPeriod, PeriodKind, period_of, school_year

TERMS = (Term(id="2026_autumn", name="2026—2027学年第一学期", first=date(2026, 9, 1), last=date(2027, 1, 22)),)


@pytest.mark.parametrize(
    ("text", "kind", "first", "last"),
    [
        ("2026-11-23", PeriodKind.DAY, date(2026, 11, 23), date(2026, 11, 23)),
        ("2026-W53", PeriodKind.WEEK, date(2026, 12, 28), date(2027, 1, 3)),
        ("2028-02", PeriodKind.MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        ("2026_autumn", PeriodKind.TERM, date(2026, 9, 1), date(2027, 1, 22)),
        ("2026-H1", PeriodKind.HALF, date(2026, 1, 1), date(2026, 6, 30)),
        ("2026-H2", PeriodKind.HALF, date(2026, 7, 1), date(2026, 12, 31)),
        ("2026", PeriodKind.YEAR, date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-2027", PeriodKind.SCHOOL_YEAR, date(2026, 9, 1), date(2027, 8, 31)),
    ],
)
def test_a_text_names_a_period(text: str, kind: PeriodKind, first: date, last: date) -> None:
    found = period_of(f" {text} ", TERMS)
    assert (found.kind, found.first, found.last, found.id) == (kind, first, last, text)


@pytest.mark.parametrize("text", ["", "2026-13", "2026-02-30", "2026-W60", "2026-H3", "2026-2028", "spring", "0000"])
def test_anything_else_is_refused_with_the_ways_to_write_one(text: str) -> None:
    with pytest.raises(NoPeriod, match="2026_autumn"):
        period_of(text, TERMS)


def test_months_of_a_term_go_over_the_new_year() -> None:
    assert list(period_of("2026_autumn", TERMS).months()) == ["2026-09", "2026-10", "2026-11", "2026-12", "2027-01"]


def test_a_school_year_begins_in_september() -> None:
    assert (school_year(date(2026, 8, 31)).id, school_year(date(2026, 9, 1)).id) == ("2025-2026", "2026-2027")
