"""CSV as Chinese spreadsheets write it: UTF-8 with or without BOM, GB18030, UTF-16; comma, tab or semicolon."""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import PurePath

from kiosk.importing.problems import Unreadable, Words
from kiosk.importing.tables import MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS, Cell, RawRow, RawSheet, Source, Trouble

_DELIMITERS = ",\t;"
_LINES_TO_JUDGE_BY = 10
_SEP_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_KEPT_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)  # ="0012": how people keep Excel from eating zeros
_SAVE_AGAIN = Words("请在表格软件中另存为 .xlsx 后再导入。", "Save it as .xlsx in the spreadsheet program and import that.")


def decode(data: bytes) -> str:
    """Text by BOM, else strict UTF-8, else GB18030 (never plain GB2312: it lacks 䶮). Raises Unreadable."""
    try:
        if data.startswith(codecs.BOM_UTF8):
            return data.decode("utf-8-sig")
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise Unreadable(
            Words("文件不是文本，既不是 UTF-8 也不是 GB18030 编码。", "The file is no text: neither UTF-8 nor GB18030."),
            _SAVE_AGAIN,
        ) from error


def read_csv(source: Source, *, rows_left: int = MAX_ROWS) -> RawSheet:
    """One sheet, titled with the file's name. Raises Unreadable."""
    if source.data.count(b"\n") > rows_left:
        raise too_many_rows()
    text = decode(source.data)
    if "\x00" in text:
        raise Unreadable(Words("文件含有二进制内容，不是 CSV。", "The file holds binary data and is no CSV."), _SAVE_AGAIN)
    rows = tuple(_rows(text, rows_left))
    return RawSheet(file=source.name, title=PurePath(source.name).stem, rows=rows)


def _rows(text: str, rows_left: int) -> list[RawRow]:
    delimiter, text = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[RawRow] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > rows_left:
                raise too_many_rows()
            if any(cell.strip() for cell in cells):
                found.append(RawRow(number, tuple(_cell(cell) for cell in cells[:MAX_COLUMNS])))
    except csv.Error as error:
        raise Unreadable(
            Words(
                f"第 {number + 1} 行附近的引号或字段不完整（{error}）。",
                f"Near row {number + 1} a quote or field is not closed ({error}).",
            ),
            _SAVE_AGAIN,
        ) from error
    return found


def _delimiter(text: str) -> tuple[str, str]:
    if match := _SEP_LINE.match(text):
        return match[1], text[match.end() :]
    lines = text.split("\n", _LINES_TO_JUDGE_BY)[:_LINES_TO_JUDGE_BY]
    head = "\n".join(lines)
    return max(_DELIMITERS, key=head.count), text


def _cell(text: str) -> Cell:
    if match := _KEPT_AS_TEXT.fullmatch(text.strip()):
        return match[1]
    if text.lstrip().startswith("="):
        return Trouble("formula", text.strip()[:40])
    return text if len(text) <= MAX_CELL_CHARS else text[: MAX_CELL_CHARS + 1]


def too_many_rows() -> Unreadable:
    return Unreadable(
        Words(f"行数超过 {MAX_ROWS:,} 行的上限。", f"There are more than {MAX_ROWS:,} rows."),
        Words("请删除多余的行，或分几次导入。", "Delete the rows that are not needed, or import in parts."),
    )
