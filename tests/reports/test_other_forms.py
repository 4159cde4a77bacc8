"""A report as CSV, as JSON, and laid down between computing and writing."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.reports.comma_separated import write_csv
from kiosk.reports.forms import Form, MakingStopped, dangerous, disarmed, ending, safe_name, stem
from kiosk.reports.kept_tables import HEAD, keep, kept, write_json
from tests.reports import samples


def rows_of(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_one_sheet_is_one_csv_file_that_spreadsheets_read_as_chinese(tmp_path: Path) -> None:
    whole = samples.report()
    single = replace(whole, sheets=whole.sheets[:1])
    assert (ending(single, Form.CSV), ending(whole, Form.CSV), ending(whole, Form.XLSX)) == (".csv", ".zip", ".xlsx")
    write_csv(single, tmp_path / "a.csv", samples.making())
    head, first, *others = rows_of((tmp_path / "a.csv").read_bytes())
    assert head[:3] == ["学籍号", "姓名", "班级"] and len(others) == len(samples.ATTACKS) + 2
    assert first[:10] == [samples.ID, "王小明", "三(1)班", "2026-10-08", "07:45", "0", "0.0", "50.0%", "180", ""]


def test_several_sheets_are_a_zip_of_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_csv(samples.report(), tmp_path / name, samples.making())
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert packed.namelist() == ["01_学生_[1_2].csv", "02_班级.csv"]
        assert rows_of(packed.read("02_班级.csv"))[1] == ["三(1)班", "31", "91.0%"]


def test_no_cell_of_a_csv_file_begins_like_a_formula(tmp_path: Path) -> None:
    whole = samples.report()
    write_csv(replace(whole, sheets=whole.sheets[:1]), tmp_path / "a.csv", samples.making())
    cells = [cell for row in rows_of((tmp_path / "a.csv").read_bytes()) for cell in row]
    assert not [cell for cell in cells if dangerous(cell)]
    assert "'=cmd()" in cells and "'＝1+1" in cells


def test_a_negative_number_stays_a_number() -> None:
    assert disarmed("-1+1") == "'-1+1" and disarmed("王") == "王" and disarmed("") == ""


def test_what_was_laid_down_is_read_back_as_it_was(tmp_path: Path) -> None:
    whole = samples.report()
    keep(whole, tmp_path / "kept", samples.making())
    found, made_ms = kept(tmp_path / "kept")
    assert made_ms == samples.MADE_MS
    assert replace(found, sheets=()) == replace(whole, sheets=())
    for ours, theirs in zip(found.sheets, whole.sheets, strict=True):
        assert list(ours.rows) == list(ours.rows) == list(theirs.rows)
        assert replace(ours, rows=()) == replace(theirs, rows=())


def test_who_stops_a_report_leaves_no_whole_one(tmp_path: Path) -> None:
    heard: list[int] = []

    def tell(rows: int) -> None:
        heard.append(rows)
        if sum(heard) >= 1_000:
            raise MakingStopped

    with pytest.raises(MakingStopped):
        keep(samples.report(rows=samples.Many(5_000)), tmp_path / "kept", samples.making(tell=tell))
    assert heard == [500, 500] and not (tmp_path / "kept" / HEAD).exists()


def test_json_is_for_programs_and_changes_no_text(tmp_path: Path) -> None:
    write_json(samples.report(), tmp_path / "a.json", samples.making())
    told = json.loads((tmp_path / "a.json").read_text())
    assert (told["report"], told["from"], told["to"]) == ("attendance", "2026-10-01", "2026-10-31")
    first = told["sheets"][0]["rows"][0]
    assert (first["id"], first["day"], first["note"]) == (samples.ID, "2026-10-08", "=cmd()")
    assert told["sheets"][0]["total"]["times"] == 105 and told["sheets"][1]["notes"] == []


def test_a_files_name_says_what_and_when_and_fits_every_system() -> None:
    assert stem(samples.report(), samples.making()) == "课后服务出勤统计表_2026-10-01_2026-10-31"
    assert safe_name('../a\\b:c*?"<>|\n.') == "a_b_c"
