"""Rows of the matrix that the forms of the reports prove: what leaves the house, when it is due, what is in no form."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from kiosk.reports.catalogue import CATALOGUE, make
from kiosk.reports.comma_separated import write_csv
from kiosk.reports.forms import Making
from kiosk.reports.kept_tables import write_json
from kiosk.reports.wanted import School, dues, locks
from kiosk.reports.workbook import write_workbook
from kiosk.settings import Settings, load
from tests.support.people import PUPILS, STAFF
from tests.support.school import CONFIG
from tests.support.service_journal import ServiceJournal, ms

MAKING = Making(made_ms=ms("2026-12-01", "09:00"), offset_ms=8 * 3_600_000)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ServiceJournal]:
    one = ServiceJournal(tmp_path / "state")
    one.session("2026-11-23", "S1", {3: "present", 4: "late", 2: "moved"}, guests=(8,))
    one.session("2026-11-24", "S2", {3: "present", 4: "leave_personal"})
    yield one
    one.close()


def of_city(city: str) -> Settings:
    settings = load(CONFIG)
    return replace(settings, school=replace(settings.school, city=city))


def everything_in(folder: Path) -> str:
    """Every text of every file, spreadsheets and packed files included."""
    found = []
    for path in folder.iterdir():
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                found += [packed.read(name).decode("utf-8", "replace") for name in packed.namelist()]
        else:
            found.append(path.read_text(encoding="utf-8-sig"))
    return "\n".join(found)


CITIES = [pytest.param(city, marks=pytest.mark.row("F7", city)) for city in ("changzhi", "xiji", "luoyang", "yueyang")]


@pytest.mark.parametrize("city", CITIES)
def test_f7_no_form_of_what_is_published_has_anything_personal(journal: ServiceJournal, tmp_path: Path, city: str) -> None:
    books = journal.books(city=city)
    forms = tmp_path / "forms"
    forms.mkdir()
    for listed in CATALOGUE.values():
        if listed.public:
            report = make(listed.id, books, books.period("2026-11"))
            write_workbook(report, forms / f"{listed.id}.xlsx", MAKING)
            write_csv(report, forms / f"{listed.id}.csv", MAKING)
            write_json(report, forms / f"{listed.id}.json", MAKING)
    text = everything_in(forms)
    assert "学校" in text or "小学" in text  # something was read
    for person in (*PUPILS, *STAFF):
        assert person.name not in text
    assert not [pupil for pupil in PUPILS if pupil.school_number in text]


@pytest.mark.parametrize(
    ("city", "due"),
    [
        pytest.param("luoyang", ["2026-12-30", "2027-06-30"], marks=pytest.mark.row("F4", "luoyang")),
        pytest.param("yueyang", ["2026-12-31", "2027-06-30"], marks=pytest.mark.row("F4", "yueyang")),
    ],
)
def test_f4_the_list_has_the_dates_of_the_citys_own_paper(tmp_path: Path, city: str, due: list[str]) -> None:
    found = dues(School(settings=of_city(city), state=tmp_path, now_ms=MAKING.made_ms))
    assert [day.isoformat() for day, _, _ in found] == due and all(clause and paper for _, clause, paper in found)


@pytest.mark.parametrize("id", ["statistics", "summary"])
@pytest.mark.parametrize("city", [pytest.param(c, marks=pytest.mark.row("F4", c)) for c in ("xiji", "luoyang", "yueyang")])
def test_f4_what_is_reported_is_a_spreadsheet_with_its_ground(
    journal: ServiceJournal, tmp_path: Path, city: str, id: str
) -> None:
    books = journal.books(city=city)
    report = make(id, books, books.period("2026-H2"))
    write_workbook(report, tmp_path / "a.xlsx", MAKING)
    sheets = load_workbook(tmp_path / "a.xlsx").worksheets
    cells = [str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]
    assert any("2026年下半年" in cell for cell in cells)
    assert any(cell.startswith("依据：") for cell in cells) == bool(report.quoted)


@pytest.mark.parametrize("city", [pytest.param(c, marks=pytest.mark.row("E5", c)) for c in ("changzhi", "xiji")])
def test_e5_the_list_shows_the_clause_that_locks_the_fee_basis(tmp_path: Path, city: str) -> None:
    locked = locks(School(settings=of_city(city), state=tmp_path, now_ms=MAKING.made_ms))
    assert "“" in locked["fee_basis"] and "（" in locked["fee_basis"]
    assert "attendance" not in locked
