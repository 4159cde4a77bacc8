"""A report as a spreadsheet: types, headings, print set-up, charts, and nothing that a spreadsheet would run."""

from __future__ import annotations

import itertools
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from kiosk.reports.kept_tables import KeptRows
from kiosk.reports.table import Words
from kiosk.reports.workbook import lines_of, width_of, write_workbook
from tests.reports import samples


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("book") / "report.xlsx"
    write_workbook(samples.report(), found, samples.making())
    return found


@pytest.fixture(scope="module")
def book(path: Path) -> Any:
    return load_workbook(path)


def body(sheet: Any) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=6, max_row=5 + len(samples.ATTACKS) + 3, values_only=True))


def test_numbers_of_people_are_text_with_every_digit(book: Any) -> None:
    sheet = book.worksheets[0]
    assert [row[0] for row in body(sheet)][:2] == [samples.ID, "140402201609120039"]
    cell = sheet["A6"]
    assert (cell.data_type, cell.number_format) == ("s", "@")


def test_values_have_the_types_of_their_columns(book: Any) -> None:
    row = body(book.worksheets[0])[1]
    assert row[3:10] == (datetime(2026, 10, 9), time(7, 46), 1, 0.5, 0.51, 181, "是")
    formats = [cell.number_format for cell in book.worksheets[0][7]][3:9]
    assert formats == ["yyyy-mm-dd", "hh:mm", "0", "0.0", "0.0%", "#,##0"]


def test_whatever_begins_like_a_formula_is_a_text_and_stays_one_when_it_is_edited(path: Path, book: Any) -> None:
    sheet = book.worksheets[0]
    cells = [sheet.cell(row=6 + n, column=11) for n in range(len(samples.ATTACKS))]
    told = [text.replace("\r", "\n") for text in samples.ATTACKS]
    assert [cell.value for cell in cells] == told
    assert {cell.data_type for cell in cells} == {"s"} and all(cell.quotePrefix for cell in cells)
    with zipfile.ZipFile(path) as packed:
        sheets = [packed.read(name) for name in packed.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not any(b"<f>" in text or b"<f " in text for text in sheets)
        assert not any("vba" in name or "externalLink" in name for name in packed.namelist())


def test_a_worksheet_prints_on_a4_with_its_head_row_on_every_page(book: Any) -> None:
    for sheet in book.worksheets:
        assert sheet.page_setup.paperSize == 9
        assert "第 &P 页 共 &N 页" in sheet.oddFooter.center.text and "2026-11-23 07:45" in sheet.oddFooter.left.text
        assert "星河路小学 && 分校" in sheet.oddHeader.left.text and "2026-10-01 — 2026-10-31" in sheet.oddHeader.right.text
    pupils, _, classes, _ = book.worksheets
    assert (pupils.page_setup.orientation, classes.page_setup.orientation) == ("landscape", "portrait")
    for sheet in (pupils, classes):
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0
        assert (sheet.print_title_rows, sheet.freeze_panes) == ("$5:$5", "A6")


def test_the_title_block_says_whose_it_is_of_which_days_and_on_what_ground(book: Any) -> None:
    head = [row[0] for row in book.worksheets[0].iter_rows(max_row=4, values_only=True)]
    assert head[0] == "课后服务出勤统计表 · 学生 [1/2]"
    assert "星河路小学 & 分校" in head[1] and "2026-10-01 — 2026-10-31" in head[1] and "制表时间 2026-11-23 07:45" in head[1]
    assert head[2] == "归档记录 1580"
    assert head[3].startswith("依据：“每学期期末征集评价和意见”")


def test_total_notes_and_signatures_stand_under_the_table(book: Any) -> None:
    rows = [row[0] for row in book.worksheets[0].iter_rows(min_row=21, values_only=True)]
    assert rows[0] == "合计" and book.worksheets[0]["F21"].font.bold
    assert rows[1:3] == ["说明1：请假不计入缺勤。", "说明2：=不是公式"]
    assert all(word in rows[-1] for word in ("填表人", "审核人", "负责人", "日期", "盖章"))


def test_charts_are_native_and_drawn_from_the_cells(path: Path, book: Any) -> None:
    assert [sheet.title for sheet in book.worksheets] == ["学生 ·1·2·", "学生 ·1·2··图", "班级", "班级·图"]
    with zipfile.ZipFile(path) as packed:
        charts = [packed.read(name).decode() for name in packed.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 3
    assert [kind for chart in charts for kind in ("barChart", "pieChart", "lineChart") if f"<c:{kind}>" in chart] == [
        "barChart", "pieChart", "lineChart",
    ]  # fmt: skip
    assert "'学生 ·1·2·'!$F$6:$F$20" in charts[0]


def test_a_column_is_wide_enough_for_chinese(book: Any) -> None:
    assert width_of("星河路a") == 7 and lines_of("星河路\n小学", 4) == 3
    for column in book.worksheets[0].iter_cols(min_row=5, max_row=5):
        width = book.worksheets[0].column_dimensions[column[0].column_letter].width
        assert width * 2 >= width_of(column[0].value), column[0].value


def test_more_rows_than_a_worksheet_takes_go_on_upon_the_next_one(tmp_path: Path) -> None:
    whole = samples.report(rows=samples.Many(25))
    one = replace(whole.sheets[0], charts=())
    write_workbook(replace(whole, sheets=(one,)), tmp_path / "many.xlsx", samples.making(), max_rows=10)
    sheets = load_workbook(tmp_path / "many.xlsx").worksheets
    assert len(sheets) == 3 and len({sheet.title for sheet in sheets}) == 3
    numbers = [row[0] for s in sheets for row in s.iter_rows(values_only=True) if str(row[0]).startswith(samples.ID[:10])]
    assert numbers == [row[0] for row in samples.Many(25)]


def test_an_empty_report_is_a_table_without_rows(tmp_path: Path) -> None:
    write_workbook(samples.report(rows=()), tmp_path / "none.xlsx", samples.making())
    assert [s.title for s in load_workbook(tmp_path / "none.xlsx").worksheets] == ["学生 ·1·2·", "班级", "班级·图"]


def test_names_of_worksheets_are_told_apart(tmp_path: Path) -> None:
    sheet = replace(samples.report().sheets[1], name=Words("很长的名字" * 10, ""), charts=())
    write_workbook(samples.report(sheets=(sheet,) * 3), tmp_path / "same.xlsx", samples.making())
    names = [s.title for s in load_workbook(tmp_path / "same.xlsx").worksheets]
    assert len(set(names)) == 3 and all(len(name) <= 31 for name in names)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        rows = KeptRows(tmp_path / "rows.jsonl", samples.report().sheets[1].columns, count)
        sheet = replace(samples.report().sheets[1], rows=itertools.islice(rows, count), charts=())
        tracemalloc.start()
        write_workbook(samples.report(sheets=(sheet,)), tmp_path / f"{count}.xlsx", samples.making())
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    (tmp_path / "rows.jsonl").write_text("".join(f'["三({n})班",{n},0.5]\n' for n in range(6_000)))
    assert peak(6_000) < peak(400) + 600_000
