"""`kiosk report` from the shell: any report of the catalogue as a file, how far it is, and why one is not made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from kiosk.__main__ import main
from kiosk.directory import publish
from kiosk.directory_schema import Content
from kiosk.reports.catalogue import CATALOGUE
from tests.support.people import CLASSES, ENROLMENTS, PUPILS, SESSIONS, STAFF
from tests.support.school import CONFIG
from tests.support.service_journal import ServiceJournal

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("records")
    journal = ServiceJournal(folder)
    journal.session("2026-10-12", "S1", {3: "present", 4: "late"}, guests=(8,))
    journal.session("2026-11-24", "S1", {3: "present", 4: "leave_personal"})
    journal.close()
    people = Content(classes=CLASSES, pupils=PUPILS, staff=STAFF, sessions=SESSIONS, enrolments=ENROLMENTS)
    publish(folder / "directory.db", people, 1, 0)
    yield folder


def run(capsys: Capture, state: Path, *args: object) -> tuple[int, str, str]:
    code = main(["report", *(str(arg) for arg in args), "--config", str(CONFIG), "--state", str(state)])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.row("F1", "tianjin", "yueyang")
def test_f1_a_month_as_a_spreadsheet_says_how_far_it_is_and_that_it_is_not_on_record(
    capsys: Capture, state: Path, tmp_path: Path
) -> None:
    out = tmp_path / "october.xlsx"
    code, told, said = run(capsys, state, "attendance", "--month", "2026-10", "--out", out)
    assert (code, told.strip()) == (0, str(out))
    assert "reading" in said and "writing" in said and "this export is not on record" in said
    first = load_workbook(out).worksheets[0]
    cells = [str(cell) for row in first.iter_rows(values_only=True) for cell in row if cell is not None]
    assert any("2026年10月" in cell for cell in cells)


@pytest.mark.parametrize(
    ("time", "rows"),
    [
        (("--day", "2026-11-24"), 1),
        (("--term", "2026_autumn"), 2),
        (("--period", "2026-H2"), 2),
        (("--from", "2026-10-01", "--to", "2026-10-31"), 1),
        (("--from", "2026-10-01", "--to", "2026-12-31"), 2),
    ],
)
def test_the_time_can_be_said_in_every_way(
    capsys: Capture, state: Path, tmp_path: Path, time: tuple[str, ...], rows: int
) -> None:
    out = tmp_path / "a.json"
    assert run(capsys, state, "attendance", *time, "--format", "json", "--out", out)[0] == 0
    sheets = {sheet["id"]: sheet["rows"] for sheet in json.loads(out.read_text())["sheets"]}
    assert len(sheets["sessions"]) == rows


def test_every_report_is_made_or_says_why_not(capsys: Capture, state: Path, tmp_path: Path) -> None:
    for id in CATALOGUE:
        period = "2026_autumn" if id in ("growth", "fee_basis") else "2026-11"
        child = ("--child", PUPILS[2].school_number) if id == "growth" else ()
        out = tmp_path / f"{id}.csv"
        code, _, said = run(capsys, state, id, "--period", period, *child, "--format", "csv", "--out", out)
        assert out.exists() if code == 0 else said.strip(), id


@pytest.mark.row("F6", "changzhi", "xiji", "tianjin", "luoyang", "yueyang")
def test_f6_names_can_be_masked(capsys: Capture, state: Path, tmp_path: Path) -> None:
    out = tmp_path / "masked.json"
    assert run(capsys, state, "attendance", "--month", "2026-11", "--masked", "--format", "json", "--out", out)[0] == 0
    text = out.read_text()
    assert "李*" in text and not [pupil for pupil in PUPILS if pupil.name in text or pupil.school_number in text]


def test_the_list_says_what_there_is(capsys: Capture, state: Path) -> None:
    code, told, _ = run(capsys, state, "list", "--json")
    found = json.loads(told)
    assert code == 0 and [one["id"] for one in found["reports"]] == list(CATALOGUE)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("nosuch", "--month", "2026-10"), "there is no report"),
        (("attendance",), "say of which time"),
        (("attendance", "--month", "2026-10", "--day", "2026-10-01"), "say of which time"),
        (("attendance", "--month", "2026-13"), "is no period"),
        (("attendance", "--from", "2026-10-01"), "go together"),
        (("attendance", "--from", "2026-10-31", "--to", "2026-10-01"), "not for such days"),
        (("attendance", "--month", "2026-10", "--child", "0"), "no pupil has"),
        (("attendance", "--month", "2026-10", "--reduced", "/nowhere"), "cannot be read"),
        (("attendance", "--month", "2026-10", "--out", "/nowhere/a.xlsx"), "cannot be written"),
        (("day",), "say which day"),
    ],
)
def test_what_is_said_wrongly_has_a_sentence(capsys: Capture, state: Path, args: tuple[str, ...], why: str) -> None:
    code, told, said = run(capsys, state, *args)
    assert (code, told) == (2, "") and why in said and "Traceback" not in said
