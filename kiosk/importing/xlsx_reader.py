""".xlsx through openpyxl, after the archive has been looked at: size unpacked, entities, merged cells, formulas.

Nothing is calculated and no macro, link or picture is touched. Stored results of formulas count as values;
a formula without a stored result is a trouble of that cell.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from kiosk.importing.csv_reader import too_many_rows
from kiosk.importing.problems import Unreadable, Words
from kiosk.importing.tables import (
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_SHEETS,
    MAX_UNPACKED_BYTES,
    Cell,
    MergedRange,
    RawRow,
    RawSheet,
    Source,
    Trouble,
    blank,
)

MAX_MEMBERS = 2_000  # files inside the archive
MAX_MERGED = 5_000
LAST_ROW = 1_048_576  # of any spreadsheet; openpyxl would fill up to whatever number a file names
_CHUNK_BYTES = 1 << 18
_HEAD_BYTES = 4_096

_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ZEROS = re.compile(r"0{2,20}")
_OPEN_AND_SAVE = Words(
    "请用表格软件打开确认，另存为 .xlsx 后再导入。", "Open it in the spreadsheet program, save it as .xlsx and import that."
)


@dataclass(slots=True)
class _Scan:
    """What a look at the raw XML of one sheet told."""

    rows: int = 0
    formulas: bool = False
    merged: list[MergedRange] = field(default_factory=list)


def read_xlsx(source: Source, *, rows_left: int = MAX_ROWS) -> tuple[RawSheet, ...]:
    """All sheets in order. Raises Unreadable."""
    _check_archive(source.data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl remarks on styles and validations, which are not read
        try:
            return tuple(_sheets(source, rows_left))
        except Unreadable:
            raise
        except Exception as error:  # openpyxl raises whatever a malformed part makes it stumble over
            raise Unreadable(
                Words(
                    "这个 .xlsx 文件已损坏或格式不完整。", f"The .xlsx file is damaged or incomplete ({type(error).__name__})."
                ),
                _OPEN_AND_SAVE,
            ) from error


def _check_archive(data: bytes) -> None:
    """Refuses, without unpacking, what is no spreadsheet or would unpack to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED_BYTES:
                raise Unreadable(
                    Words(
                        f"文件解压后超过 {MAX_UNPACKED_BYTES >> 20} MB，不予读取。",
                        f"The file would unpack to more than {MAX_UNPACKED_BYTES >> 20} MB and is not read.",
                    ),
                    Words("请只保留名单，删除图片和多余的工作表。", "Keep the lists only; delete pictures and other sheets."),
                )
            if "xl/workbook.xml" not in archive.namelist():
                raise zipfile.BadZipFile("no workbook inside")
            for member in members:
                _check_head(archive, member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable(Words("这不是有效的 .xlsx 文件。", f"This is no valid .xlsx file ({error})."), _OPEN_AND_SAVE) from error


def _check_head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """XML parts of a spreadsheet are UTF-8 and declare no entities; anything else is an attack or not ours."""
    if not member.filename.endswith((".xml", ".rels")):
        return
    with archive.open(member) as part:
        head = part.read(_HEAD_BYTES)
    if b"\x00" in head or b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise zipfile.BadZipFile(f"{member.filename} is not plain XML")


def _sheets(source: Source, rows_left: int) -> Iterator[RawSheet]:
    from openpyxl import load_workbook

    values = load_workbook(io.BytesIO(source.data), read_only=True, data_only=True)
    formulas = load_workbook(io.BytesIO(source.data), read_only=True, data_only=False)
    try:
        if len(values.worksheets) > MAX_SHEETS:
            raise too_many_rows()
        for position, sheet in enumerate(values.worksheets):
            title = str(sheet.title)
            if sheet.sheet_state != "visible":
                yield RawSheet(file=source.name, title=title, hidden=True)
                continue
            scan = _scan(source.data, sheet._worksheet_path)
            if scan.rows > rows_left:
                raise too_many_rows()
            rows_left -= scan.rows
            without_result = _formula_cells(formulas.worksheets[position]) if scan.formulas else frozenset()
            rows = tuple(_rows(sheet, without_result))
            yield RawSheet(file=source.name, title=title, rows=rows, merged=tuple(scan.merged))
    finally:
        values.close()
        formulas.close()


def _scan(data: bytes, path: str) -> _Scan:
    """Counts rows and finds merged ranges and formulas: read-only openpyxl tells neither."""
    scan = _Scan()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(path.removeprefix("/")) as part:
        left = b""
        while chunk := part.read(_CHUNK_BYTES):
            whole, tag_end, left = (left + chunk).rpartition(b">")
            _count(whole + tag_end, scan)
        _count(left, scan)
    return scan


def _count(xml: bytes, scan: _Scan) -> None:
    scan.rows += len(_ROW.findall(xml))
    scan.formulas = scan.formulas or _FORMULA.search(xml) is not None
    for left, top, right, bottom in _MERGED.findall(xml):
        if len(scan.merged) < MAX_MERGED:
            name = f"{left.decode()}{int(top)}:{right.decode()}{int(bottom)}"
            scan.merged.append(MergedRange(int(top), _column(left), int(bottom), _column(right), name))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _formula_cells(sheet: Any) -> frozenset[tuple[int, int]]:
    return frozenset(
        (number, at)
        for number, row in _numbered(sheet)
        for at, cell in enumerate(row, start=1)
        if getattr(cell, "data_type", "") == "f"
    )


def _rows(sheet: Any, formulas: frozenset[tuple[int, int]]) -> Iterator[RawRow]:
    for number, row in _numbered(sheet):
        cells = tuple(_cell(cell, (number, at) in formulas) for at, cell in enumerate(row, start=1))
        if not all(blank(cell) for cell in cells):
            yield RawRow(number, cells)


def _numbered(sheet: Any) -> Iterator[tuple[int, Any]]:
    """Rows with their numbers. openpyxl fills a gap, which may be a million rows long, with one and the same
    tuple of empty cells: only its first is worth a look."""
    sheet.reset_dimensions()  # what the file says of its own size is often wrong
    before = None
    for number, row in enumerate(sheet.iter_rows(max_row=LAST_ROW, max_col=MAX_COLUMNS), start=1):
        if row is not before:
            yield number, row
        before = row


def _cell(cell: Any, is_formula: bool) -> Cell:
    value = cell.value
    if value is None:
        return Trouble("formula") if is_formula else None
    if cell.data_type == "e":
        return Trouble("error", str(value)[:20])
    if isinstance(value, (bool, datetime, date, time, timedelta)):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int):
        # 00120034 shown through a format of zeros: what people see is what they mean.
        return str(value).zfill(len(form)) if _ZEROS.fullmatch(form := str(cell.number_format)) else value
    if isinstance(value, float):
        return value
    return str(value)[: MAX_CELL_CHARS + 1]
