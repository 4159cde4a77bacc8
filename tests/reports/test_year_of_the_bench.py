"""The year that the bench measures is a real journal: whole, of the size that it says, and counted right by the reports."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from kiosk.bench.year import CLUBS, GROUPS, school_days, write_year
from kiosk.journal import FILE_NAME, verify
from kiosk.reports.books import open_books
from kiosk.reports.catalogue import make
from kiosk.reports.wanted import people
from kiosk.settings import load, shared_data_dir


def test_a_day_of_the_year_is_whole_and_adds_up(tmp_path: Path) -> None:
    entries = write_year(tmp_path, 1)
    assert 6_500 < entries < 7_100  # 200 of them are 1.3 million
    assert school_days(200)[-1] == date(2027, 6, 7)
    found = verify(tmp_path / FILE_NAME)
    assert found.ok and found.entries == entries
    books = open_books(load(shared_data_dir("sample_school")), tmp_path, people(tmp_path), today=date(2026, 9, 2))
    report = make("attendance", books, books.period("2026-09-01"))
    sheets = {sheet.id: sheet for sheet in report.sheets}
    assert sum(1 for _ in sheets["sessions"].rows) == GROUPS + CLUBS
    assert sum(1 for _ in sheets["pupils"].rows) == 1_350
