"""A computed report laid down in a folder, so that every form is made from it and nothing is computed twice.

`report.json` has everything but the rows; `1.jsonl` and so on have those, one JSON array a line. The folder holds names of
children: whoever makes one removes it. Never computes, never decides what may be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from kiosk.reports.forms import TELL_EVERY, Making
from kiosk.reports.table import Cell, Chart, Column, Report, Sheet, Value, Words

HEAD: Final = "report.json"


class _Sheet(msgspec.Struct, frozen=True):
    id: str
    name: Words
    columns: tuple[Column, ...]
    count: int
    total: list[Any] | None
    charts: tuple[Chart, ...]
    notes: tuple[Words, ...]


class _Head(msgspec.Struct, frozen=True):
    id: str
    title: Words
    school: str
    first: date
    last: date
    sheets: tuple[_Sheet, ...]
    quoted: tuple[Words, ...]
    facts: dict[str, Any] | None
    signed: bool
    made_ms: int


@dataclass(frozen=True, slots=True)
class KeptRows:
    """Rows of a file; they can be gone through more than once."""

    path: Path
    columns: tuple[Column, ...]
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        decode, days = msgspec.json.Decoder(list[Any]).decode, _days(self.columns)
        with self.path.open("rb") as lines:
            for line in lines:
                yield _row(decode(line), days)


def keep(report: Report, folder: Path, making: Making) -> None:
    """Computes the rows as it goes. The head is written last: a folder with one is whole. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sheets = []
    for n, sheet in enumerate(report.sheets, 1):
        with (folder / f"{n}.jsonl").open("wb") as file:
            count = _keep_rows(sheet, file, making)
        total = list(sheet.total) if sheet.total is not None else None
        sheets.append(_Sheet(sheet.id, sheet.name, sheet.columns, count, total, sheet.charts, sheet.notes))
    facts = dict(report.facts) if report.facts is not None else None
    head = _Head(
        report.id, report.title, report.school, report.first, report.last, tuple(sheets), report.quoted, facts, report.signed,
        making.made_ms,
    )  # fmt: skip
    (folder / HEAD).write_bytes(msgspec.json.encode(head))


def _keep_rows(sheet: Sheet, file: IO[bytes], making: Making) -> int:
    encode, count, wide = msgspec.json.Encoder().encode, 0, len(sheet.columns)
    for count, row in enumerate(sheet.rows, 1):
        assert len(row) == wide, (sheet.id, row)
        file.write(encode(row))
        file.write(b"\n")
        if count % TELL_EVERY == 0:
            making.tell(TELL_EVERY)
    making.tell(count % TELL_EVERY)
    return count


def kept(folder: Path) -> tuple[Report, int]:
    """The report of a folder, and when it was computed. Raises OSError or ValueError for a folder that is not whole."""
    head = msgspec.json.decode((folder / HEAD).read_bytes(), type=_Head)
    sheets = tuple(
        Sheet(
            id=one.id, name=one.name, columns=one.columns, rows=KeptRows(folder / f"{n}.jsonl", one.columns, one.count),
            total=_row(one.total, _days(one.columns)) if one.total is not None else None, charts=one.charts, notes=one.notes,
        )
        for n, one in enumerate(head.sheets, 1)
    )  # fmt: skip
    report = Report(
        id=head.id, title=head.title, school=head.school, first=head.first, last=head.last, sheets=sheets, quoted=head.quoted,
        facts=head.facts, signed=head.signed,
    )  # fmt: skip
    return report, head.made_ms


def count_of(sheet: Sheet) -> int:
    """How many rows a laid-down sheet has, without going through them."""
    return len(sheet.rows) if isinstance(sheet.rows, KeptRows) else sum(1 for _ in sheet.rows)


def _days(columns: tuple[Column, ...]) -> tuple[int, ...]:
    return tuple(n for n, column in enumerate(columns) if column.cell is Cell.DATE)


def _row(values: list[Any], days: tuple[int, ...]) -> tuple[Value, ...]:
    """JSON has no dates: a column of dates has them again."""
    for n in days:
        if isinstance(values[n], str) and values[n]:
            try:
                values[n] = date.fromisoformat(values[n])
            except ValueError:
                continue  # a word such as 合计
    return tuple(values)


def write_json(report: Report, path: Path, making: Making) -> None:
    """The whole report as one JSON document for programs: rows as objects by the keys of their columns. Raises OSError."""
    encode = msgspec.json.Encoder().encode
    head = {
        "report": report.id, "title": report.title._asdict(), "school": report.school, "from": report.first, "to": report.last,
        "made_ms": making.made_ms, "signed": report.signed, "facts": dict(report.facts or {}),
        "quoted": [words._asdict() for words in report.quoted],
    }  # fmt: skip
    with path.open("wb") as file:
        file.write(encode(head)[:-1] + b',"sheets":[')
        for n, sheet in enumerate(report.sheets):
            file.write(b"," if n else b"")
            _write_sheet(sheet, file, encode, making)
        file.write(b"]}\n")


def _write_sheet(sheet: Sheet, file: IO[bytes], encode: Any, making: Making) -> None:
    keys = [column.key for column in sheet.columns]
    columns = [{"key": c.key, "head": c.head._asdict(), "cell": c.cell} for c in sheet.columns]
    meta: Mapping[str, Any] = {
        "id": sheet.id, "name": sheet.name._asdict(), "columns": columns,
        "total": dict(zip(keys, sheet.total, strict=True)) if sheet.total is not None else None,
        "notes": [words._asdict() for words in sheet.notes],
    }  # fmt: skip
    file.write(encode(meta)[:-1] + b',"rows":[')
    count = 0
    for count, row in enumerate(sheet.rows, 1):
        file.write((b",\n" if count > 1 else b"\n") + encode(dict(zip(keys, row, strict=True))))
        if count % TELL_EVERY == 0:
            making.tell(TELL_EVERY)
    making.tell(count % TELL_EVERY)
    file.write(b"]}")


