"""Files that no importer wishes for: each gets one clear sentence, quickly, and never an exception."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

from kiosk.importing import ImportPlan, Source, plan_import
from kiosk.importing.tables import MAX_FILE_BYTES, MAX_ROWS

Lists = dict[str, list[list[Any]]]
Plan = Callable[..., ImportPlan]
Xlsx = Callable[..., Source]


def sentences(plan: ImportPlan) -> list[str]:
    return [p.what.zh for p in plan.problems]


def only(plan: ImportPlan) -> str:
    assert len(plan.problems) == 1, sentences(plan)
    return plan.problems[0].what.zh


# ---- size ----------------------------------------------------------------------------------------------


def test_a_csv_of_fifty_megabytes_is_refused_before_it_is_read(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "学生.csv"
    line = "20240201,王小明,,三(2)班,1,家长接,否\n".encode() * 1000
    with path.open("wb") as stream:
        while stream.tell() < 50_000_000:
            stream.write(line)
    assert "50 MB，超过 20 MB 的上限，没有读取" in only(plan([path]))


def test_too_many_rows_are_refused_as_such(plan: Plan) -> None:
    data = "学号,姓名,班级,座号\n".encode() + b"1,a,b,1\n" * (MAX_ROWS + 1)
    assert len(data) < MAX_FILE_BYTES
    assert "行数超过 200,000 行" in only(plan(Source("学生.csv", data)))


def test_a_zip_bomb_is_refused_without_being_unpacked(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    stream = io.BytesIO(as_xlsx(lists).data)
    with (
        zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/bomb.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(400):
            part.write(bytes(1 << 20))
    assert len(stream.getvalue()) < 1 << 20
    assert "解压后超过" in only(plan(Source("炸弹.xlsx", stream.getvalue())))


def test_an_archive_that_lies_about_its_size_is_refused(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    data = bytearray(as_xlsx(lists).data)
    for offset in _entries(bytes(data)):
        data[offset + 24 : offset + 28] = (10).to_bytes(4, "little")  # uncompressed size in the central directory
    assert only(plan(Source("说谎.xlsx", bytes(data))))


def _entries(data: bytes) -> Iterator[int]:
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        yield at
        at = data.find(b"PK\x01\x02", at + 4)


def test_a_sheet_with_too_many_rows_is_refused(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    long = _patched(as_xlsx(lists), b"</sheetData>", b"<row/>" * MAX_ROWS + b"</sheetData>", "xl/worksheets/sheet3")
    assert "行数超过" in only(plan(long))


def test_a_stray_cell_in_the_last_row_costs_nothing(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    source = as_xlsx(lists, lambda book: book["学生"].cell(1_048_576, 60, " "))
    assert plan(source).ok


def test_a_row_number_beyond_all_spreadsheets_does_not_run_away(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    source = as_xlsx(lists, lambda book: book["学生"].cell(1_048_576, 1, "x"))
    assert plan(_patched(source, b'r="1048576"', b'r="99999999999"')).ok


def _patched(source: Source, old: bytes, new: bytes, member: str = "xl/worksheets/sheet") -> Source:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source.data)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for info in before.infolist():
            data = before.read(info)
            after.writestr(info.filename, data.replace(old, new) if info.filename.startswith(member) else data)
    return Source(source.name, out.getvalue())


# ---- not a list ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("学生.xlsx", random.Random(1).randbytes(4000), "这不是表格文件"),
        ("学生.xlsx", b"", "这不是表格文件"),
        ("学生.xlsx", b"PK\x03\x04" + random.Random(2).randbytes(4000), "这不是有效的 .xlsx"),
        ("学生.csv", b"", "文件是空的"),
        ("学生.csv", b"\xef\xbb\xbf", "没有找到任何名单"),
        ("学生.csv", random.Random(3).randbytes(4000), "文件不是文本"),
        ("学生.csv", "学号,姓名\n1,\x00".encode(), "二进制"),
        ("学生.csv", "学号,姓名\n1,\"没有结束的引号\n".encode(), "引号"),
        ("学生.csv", b"\x89PNG\r\n\x1a\n", "这不是表格文件"),
        ("学生.csv", b"%PDF-1.7", "这不是表格文件"),
        ("学生.xls", bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), "旧版 .xls 或设了密码"),
        ("学生.xlsx", bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), "旧版 .xls 或设了密码"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_named(plan: Plan, name: str, data: bytes, sentence: str) -> None:
    assert sentence in only(plan(Source(name, data)))


def test_a_zip_that_is_no_workbook_is_named(plan: Plan) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "这不是有效的 .xlsx" in only(plan(Source("包.xlsx", stream.getvalue())))


def test_xml_entities_are_refused(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><worksheet '
    assert "这不是有效的 .xlsx" in only(plan(_patched(as_xlsx(lists), b"<worksheet ", laughs)))


def test_paths_that_are_no_files_are_named(plan: Plan, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "管道.csv")
    (tmp_path / "空文件夹").mkdir()
    made = plan([tmp_path / "没有.csv", tmp_path / "管道.csv", tmp_path / "空文件夹"])
    assert sentences(made) == ["文件无法打开。", "这不是普通文件。", "文件夹里没有 .xlsx 或 .csv 文件。"]


def test_a_bad_file_does_not_hide_the_problems_of_the_others(
    plan: Plan, lists: Lists, as_csv: Callable[..., list[Source]]
) -> None:
    lists["学生"][1][4] = "一百"
    made = plan([Source("坏.xlsx", b"junk"), *as_csv(lists)])
    assert [p.file for p in made.problems] == ["坏.xlsx", "学生.csv"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=400) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "ignore")),
    ending=st.sampled_from([".csv", ".xlsx"]),
)
def test_no_bytes_raise(plan: Plan, data: bytes, ending: str) -> None:
    made = plan(Source("学生" + ending, data))
    assert not made.ok and made.problems[0].remedy.zh


def test_no_damage_to_a_workbook_raises(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    good, dice = as_xlsx(lists).data, random.Random(11)
    for _ in range(60):
        damaged = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            damaged[dice.randrange(len(good))] = dice.randrange(256)
        plan(Source("名单.xlsx", bytes(damaged)))
    for length in range(0, len(good), len(good) // 20):
        assert not plan(Source("名单.xlsx", good[:length])).ok


def test_no_damage_inside_a_workbook_raises(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    source, dice = as_xlsx(lists), random.Random(12)
    members = zipfile.ZipFile(io.BytesIO(source.data)).namelist()
    for _ in range(60):
        out = io.BytesIO()
        hit = dice.choice(members)
        with zipfile.ZipFile(io.BytesIO(source.data)) as before, zipfile.ZipFile(out, "w") as after:
            for name in members:
                data = bytearray(before.read(name))
                if name == hit:
                    at = dice.randrange(len(data))
                    data[at : at + dice.randrange(1, 30)] = dice.randbytes(dice.randrange(0, 4))
                after.writestr(name, bytes(data))
        plan(Source("名单.xlsx", out.getvalue()))


# ---- spreadsheets as people make them ------------------------------------------------------------------


def test_merged_cells_among_the_data_are_one_problem_each_and_a_merged_title_is_none(
    plan: Plan, lists: Lists, as_xlsx: Xlsx
) -> None:
    def merge(book: Workbook) -> None:
        book["学生"].merge_cells("A1:I1")
        book["学生"].merge_cells("D3:D4")

    lists["学生"].insert(0, ["2026 年学生名单"])
    made = plan(as_xlsx(lists, merge))
    assert "合并单元格 D3:D4" in only(made)
    assert (made.problems[0].row, made.problems[0].column) == (3, "班级") and "取消合并" in made.problems[0].remedy.zh


def test_a_merged_class_column_is_one_problem_and_not_one_for_each_pupil(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    made = plan(as_xlsx(lists, lambda book: book["学生"].merge_cells("D2:D5")))
    problem = made.problems[0]
    assert "合并单元格 D2:D5" in only(made)
    assert (problem.file, problem.sheet, problem.row, problem.column) == ("名单.xlsx", "学生", 2, "班级")


def test_a_formula_without_a_result_is_a_problem_of_its_cell(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    def formula(book: Workbook) -> None:
        book["学生"]["E2"] = "=1+0"
        book["学生"]["I3"] = "=IF(TRUE,1,0)"

    made = plan(as_xlsx(lists, formula))
    assert sentences(made) == ["这一格是公式，没有保存计算结果。"] * 2
    assert [(p.row, p.column) for p in made.problems] == [(2, "座号"), (3, "抓拍同意")]


def test_a_formula_with_a_result_counts_as_its_result(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    source = as_xlsx(lists, lambda book: book["学生"].__setitem__("E2", "=1+0"))
    assert plan(_patched(source, b"<f>1+0</f><v />", b"<f>1+0</f><v>1</v>")).ok
    broken = _patched(source, b'r="E2"><f>1+0</f><v />', b'r="E2" t="e"><f>1+0</f><v>#N/A</v>')
    assert "错误值 #N/A" in only(plan(broken))


def test_numbers_stored_as_figures_are_refused_where_digits_may_be_lost(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    lists["学生"][1][2] = 110105194912310020.0
    lists["监护人"][1][5] = 12
    lists["卡"][1][0] = 77803409
    made = plan(as_xlsx(lists))
    assert [(p.sheet, p.row, p.column) for p in made.problems] == [
        ("学生", 2, "学籍号"),
        ("监护人", 2, "证件后四位"),
        ("卡", 2, "卡号"),
    ]
    assert "无法恢复" in sentences(made)[0] and all("文本" in p.remedy.zh for p in made.problems)


def test_figures_are_taken_where_nothing_can_be_lost(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    expected = plan(lists).rows
    lists["学生"][1][0], lists["学生"][1][4] = 20240201, 1.0
    lists["监护人"][1][4] = 13812341234
    lists["班级"][1][2] = 2024
    lists["报名"][1][2], lists["报名"][2][2] = datetime(2026, 9, 1), date(2026, 9, 1)
    lists["卡"][4][0] = "2A83155E"
    made = plan(as_xlsx(lists))
    assert made.ok, sentences(made)
    assert made.rows == expected


def test_a_format_of_zeros_means_what_people_see(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    def padded(book: Workbook) -> None:
        book["监护人"]["F2"], book["监护人"]["F3"] = 21, 21
        book["监护人"]["F2"].number_format = book["监护人"]["F3"].number_format = "0000"

    made = plan(as_xlsx(lists, padded))
    assert made.ok, sentences(made)
    assert made.rows.collectors["J1"].id_last4 == "0021"


def test_hidden_and_strange_sheets_are_left_out_aloud(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    def hide(book: Workbook) -> None:
        old = book.create_sheet("旧学生")
        old.append(["学号", "姓名"])
        old.sheet_state = "veryHidden"
        book.create_sheet("填写说明", 0).append(["请逐项填写"])
        chart = BarChart()
        chart.add_data(Reference(book["课程"], min_col=1, min_row=1))
        book.create_chartsheet("图表").add_chart(chart)

    made = plan(as_xlsx(lists, hide))
    assert made.ok
    assert {(w.sheet, w.what.zh) for w in made.warnings} == {
        ("旧学生", "隐藏的工作表没有读取。"),
        ("填写说明", "没有识别出名单，已跳过。"),
    }


def test_several_sheets_of_one_kind_are_one_list(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    expected = plan(lists).rows
    header, *rows = lists.pop("学生")
    lists["三2班"], lists["五1班"] = [header, *rows[:2]], [header, *rows[2:]]
    assert plan(as_xlsx(lists)).rows == expected


def test_a_header_that_repeats_on_every_page_is_skipped(plan: Plan, lists: Lists) -> None:
    expected = plan(lists).rows
    lists["学生"].insert(3, list(lists["学生"][0]))
    assert plan(lists).rows == expected


def test_text_that_was_garbled_on_the_way_is_recognised(plan: Plan, lists: Lists, as_csv: Callable[..., list[Source]]) -> None:
    (source,) = as_csv({"学生": lists["学生"]}, encoding="utf-8")
    garbled = source.data.decode("gb18030", "replace").encode("utf-8")
    assert "乱码" in only(plan(Source("学生.csv", garbled)))


def test_formulas_in_a_csv_are_never_taken_for_text(plan: Plan, lists: Lists) -> None:
    lists["教职工"][1][1] = "=cmd|'/c calc'!A1"
    lists["教职工"][3][1] = "@SUM(A1)"
    lists["卡"][1][0] = '="04A32F91"'
    made = plan(lists)
    assert [(p.row, p.column) for p in made.problems] == [(2, "姓名"), (4, "姓名")]
    assert next(card.uid for card in made.rows.cards.values()) == "04A32F91"


def test_merged_ranges_over_everything_cost_no_memory(plan: Plan, lists: Lists, as_xlsx: Xlsx) -> None:
    everything = b'<mergeCells count="3000">' + b'<mergeCell ref="A1:XFD1048576"/>' * 3000 + b"</mergeCells></worksheet>"
    made = plan(_patched(as_xlsx(lists), b"</worksheet>", everything, "xl/worksheets/sheet3"))
    assert not made.ok and len(made.problems) <= 500


def test_a_folder_and_a_path_work_like_uploads(
    lists: Lists, as_csv: Callable[..., list[Source]], tmp_path: Path, plan: Plan
) -> None:
    for source in as_csv(lists):
        (tmp_path / source.name).write_bytes(source.data)
    (tmp_path / "~$学生.xlsx").write_bytes(b"lock")
    (tmp_path / "README.md").write_text("not a list")
    made = plan_import([tmp_path], None, school_year_start=2026)
    assert made.rows.pupils == plan(lists).rows.pupils
