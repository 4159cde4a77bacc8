"""A sheet as it lies in the file: rows of cells, before anybody knows what they mean. And the bounds on size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_FILES = 60
MAX_ROWS = 200_000  # of all sheets of one import together
MAX_COLUMNS = 60
MAX_SHEETS = 60
MAX_CELL_CHARS = 500
MAX_UNPACKED_BYTES = 160 * 1024 * 1024  # what an .xlsx of MAX_ROWS may unpack to; a zip bomb is beyond it


class Trouble(NamedTuple):
    """A cell without a value of its own: `kind` is formula (no stored result), error, or merged."""

    kind: str
    detail: str = ""


Cell = None | str | bool | int | float | datetime | date | time | timedelta | Trouble


class MergedRange(NamedTuple):
    """Rows and columns are 1-based, both ends included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int
    name: str  # B3:B47


class RawRow(NamedTuple):
    number: int  # as the spreadsheet numbers it, 1-based
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSheet:
    """Rows without any value are left out. The rows of a hidden sheet are not read."""

    file: str
    title: str
    rows: tuple[RawRow, ...] = ()
    merged: tuple[MergedRange, ...] = ()
    hidden: bool = False


class Source(NamedTuple):
    """A file that was picked: its name as the person knows it, and its bytes."""

    name: str
    data: bytes


def blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
