"""A report before it has a form: sheets of typed columns and rows, to be made into a spreadsheet, a page, a CSV file, a PDF.

Whoever computes a report makes these values and knows nothing of files; whoever writes files reads them and computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

Value = str | int | float | date | None


class Words(NamedTuple):
    zh: str
    en: str


class Cell(StrEnum):
    """What a column holds; it decides the format in every form."""

    TEXT = "text"
    ID = "id"  # a number that names somebody or something: text everywhere, never reckoned with
    WHOLE = "whole"  # a count
    HOURS = "hours"  # class-hours (课时), one decimal
    MINUTES = "minutes"
    PERCENT = "percent"  # 0.0 to 1.0
    YUAN = "yuan"  # whole yuan
    DATE = "date"  # datetime.date
    TIME = "time"  # UTC milliseconds, shown as local HH:MM
    FLAG = "flag"  # 1 or 0, shown as 是 or an empty cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    key: str
    head: Words
    cell: Cell = Cell.TEXT
    width: int = 10  # of half-width characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of columns of the same sheet. `values` are keys; `shape` is bar, line or pie."""

    shape: str
    title: Words
    categories: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`rows` can be gone through more than once; each row has a value for every column. `total` is a last row, in bold."""

    id: str
    name: Words
    columns: tuple[Column, ...]
    rows: Iterable[tuple[Value, ...]]
    total: tuple[Value, ...] | None = None
    charts: tuple[Chart, ...] = ()
    notes: tuple[Words, ...] = ()  # sentences under the table: what was counted, and what was not


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`quoted`: the clause, with its paper, for which the report exists or by which it is locked."""

    id: str  # attendance, class_hours, fee_basis, ...
    title: Words
    school: str
    first: date
    last: date  # included
    sheets: tuple[Sheet, ...]
    quoted: tuple[Words, ...] = ()
    facts: Mapping[str, Value] | None = None  # the figures of the head: what it was made from, up to which entry
    signed: bool = False  # goes on paper and is signed there


class ReportLocked(Exception):
    """The city's paper does not allow this report. The text has the clause and the number of the paper, Chinese / English."""
