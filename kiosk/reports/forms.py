"""What every form of a report shares: how a value reads, what is done to text that a spreadsheet would run, names of files.

Knows no file format and computes nothing. A text stays the text that it was; only a CSV file, which has no types, gets a mark
before what a spreadsheet would take for a formula.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from kiosk.reports.table import Cell, Report, Value, Words
from kiosk.web.words import known, say

Lang = Literal["zh", "en"]
MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
TELL_EVERY: Final = 500  # rows between two words about how far it is
# What spreadsheets take for the beginning of a formula. The full-width signs too: an input method turns them into the others.
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NOT_IN_A_NAME: Final = re.compile(r'[\x00-\x1f\\/:*?"<>|\s]+')
_NO_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Form(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"
    JSON = "json"


MEDIA: Final = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
    ".pdf": "application/pdf",
    ".json": "application/json",
}


class FormMissing(Exception):
    """This computer cannot make that form; the sentence says what to install."""


class MakingStopped(Exception):
    """Whoever asked for the report does not want it any more."""


def quiet(rows: int) -> None:
    """Nobody wants to know how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a form is made: in which language, when, in which zone. `tell` hears of the rows that were written, and may raise
    MakingStopped."""

    made_ms: int
    offset_ms: int
    lang: Lang = "zh"
    tell: Callable[[int], None] = quiet

    def say(self, words: Words) -> str:
        return words.en if self.lang == "en" else words.zh

    @property
    def made_at(self) -> datetime:
        """Local time without a zone, as a spreadsheet has it."""
        return datetime(1970, 1, 1) + timedelta(milliseconds=self.made_ms + self.offset_ms)


def dangerous(text: str) -> bool:
    return text.startswith(_RUNS)


def disarmed(text: str) -> str:
    """For a file without types: an apostrophe before whatever a spreadsheet would run."""
    return f"'{text}" if dangerous(text) else text


def clean(value: Value) -> str:
    """A text that every file can hold, with one kind of line end."""
    text = value if isinstance(value, str) else _plain(value)
    return _NO_CHARACTER.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_number(value: Value) -> bool:
    """bool is a number here, as in Python; what is not finite is none."""
    return isinstance(value, int | float) and math.isfinite(value)


def shown(value: Value, cell: Cell, making: Making) -> str:
    """A value as people read it. A value of another type than its column's is shown as it is."""
    if value is None:
        return ""
    if cell is Cell.FLAG:
        return _yes(making.lang) if value in (1, True) else ""
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, int | float) or not math.isfinite(value):
        return clean(value) if isinstance(value, str) else ""
    match cell:
        case Cell.HOURS:
            return f"{value:.1f}"
        case Cell.PERCENT:
            return f"{value:.1%}"
        case Cell.TIME:
            minute = int(value + making.offset_ms) // MINUTE_MS % 1440
            return f"{minute // 60:02}:{minute % 60:02}"
        case Cell.WHOLE | Cell.MINUTES | Cell.YUAN:
            return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"
        case _:
            return _plain(value)


def _plain(value: Value) -> str:
    return "" if value is None else str(value)


def _yes(lang: Lang) -> str:
    return "Yes" if lang == "en" else "是"


def facts_of(report: Report, making: Making) -> tuple[tuple[str, str], ...]:
    """The figures of the head that have words, in the language that is made; the others are for programs."""
    return tuple(
        (say(f"report.fact_{key}", making.lang), clean(value))
        for key, value in (report.facts or {}).items()
        if known(f"report.fact_{key}") and value not in (None, "")
    )


def period(report: Report) -> str:
    if report.first == report.last:
        return report.first.isoformat()
    return f"{report.first.isoformat()} — {report.last.isoformat()}"


def stem(report: Report, making: Making) -> str:
    """The name of the file without its ending: 课时统计_2026-10-01_2026-10-31."""
    days = report.first.isoformat() if report.first == report.last else f"{report.first}_{report.last}"
    return f"{safe_name(making.say(report.title)) or report.id}_{days}"


def safe_name(text: str) -> str:
    """A text as a part of a file's name, on every system."""
    return _NOT_IN_A_NAME.sub("_", _NO_CHARACTER.sub("", text)).strip("._")[:60]


def ending(report: Report, form: Form) -> str:
    """CSV has one table in a file: several go into a zip."""
    if form is Form.CSV and len(report.sheets) > 1:
        return ".zip"
    return f".{form}"


def is_text(cell: Cell) -> bool:
    return cell in (Cell.TEXT, Cell.ID)


