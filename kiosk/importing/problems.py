"""What is wrong with the people files: where, what, and what to do, in Chinese and English.

A problem stops the import; a warning is shown and the import may go on. Nothing is printed here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MAX_PROBLEMS = 500  # listed one by one; beyond that only counted, nobody reads further


class Words(NamedTuple):
    """The same sentence twice."""

    zh: str
    en: str


class Place(NamedTuple):
    """A spot in a file as people find it: row as the spreadsheet numbers it, column by its header."""

    file: str
    sheet: str = ""
    row: int | None = None
    column: str = ""

    def __str__(self) -> str:
        sheet = "" if self.file.startswith(f"{self.sheet}.") else self.sheet  # a CSV file is its own sheet
        parts = [self.file, sheet, f"第{self.row}行" if self.row else "", self.column]
        return " › ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to put right before (problem) or think about (warning) an import."""

    file: str
    sheet: str
    row: int | None
    column: str
    what: Words
    remedy: Words

    @property
    def place(self) -> Place:
        return Place(self.file, self.sheet, self.row, self.column)

    def as_json(self) -> dict[str, str | int | None]:
        """Flat: file, sheet, row, column, what, what_en, remedy, remedy_en."""
        at = {"file": self.file, "sheet": self.sheet, "row": self.row, "column": self.column}
        said = {"what": self.what.zh, "what_en": self.what.en, "remedy": self.remedy.zh, "remedy_en": self.remedy.en}
        return at | said


class Unreadable(Exception):
    """A cell, sheet or file does not say what it should. Carries both sentences; the place comes from the caller."""

    def __init__(self, what: Words, remedy: Words) -> None:
        super().__init__(what.en)
        self.what, self.remedy = what, remedy


@dataclass(slots=True)
class Report:
    """Collects everything at once. The only value of this package that grows while an import is planned."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    problems_unlisted: int = 0
    warnings_unlisted: int = 0

    @property
    def clean(self) -> bool:
        return not self.problems and not self.problems_unlisted

    def problem(self, place: Place, what: Words, remedy: Words) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(_made(place, what, remedy))
        else:
            self.problems_unlisted += 1

    def warn(self, place: Place, what: Words, remedy: Words) -> None:
        if len(self.warnings) < MAX_PROBLEMS:
            self.warnings.append(_made(place, what, remedy))
        else:
            self.warnings_unlisted += 1


def _made(place: Place, what: Words, remedy: Words) -> Problem:
    return Problem(file=place.file, sheet=place.sheet, row=place.row, column=place.column, what=what, remedy=remedy)
