"""A report as CSV, for programs: head row and rows, nothing else. UTF-8 with a mark, so that a spreadsheet reads the characters.

No titles, totals or notes: whoever wants those on paper takes the .xlsx. A CSV file has no types, so a text that a spreadsheet
would run gets an apostrophe before it; numbers of people stay as they are, and a spreadsheet that opens them may round them.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import IO, Final

from kiosk.reports.forms import TELL_EVERY, Making, disarmed, is_number, is_text, safe_name, shown
from kiosk.reports.table import Cell, Report, Sheet, Value

MARK: Final = b"\xef\xbb\xbf"
_DATED: Final = (1980, 1, 1, 0, 0, 0)  # the same contents give the same bytes


def write_csv(report: Report, path: Path, making: Making) -> None:
    """One sheet is one file; several are a zip with a file for each. Raises OSError when the disk refuses."""
    if len(report.sheets) == 1:
        with path.open("wb") as file:
            _write(report.sheets[0], file, making)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for n, sheet in enumerate(report.sheets, 1):
            member = zipfile.ZipInfo(f"{n:02}_{safe_name(making.say(sheet.name)) or sheet.id}.csv", date_time=_DATED)
            member.compress_type = zipfile.ZIP_DEFLATED
            with packed.open(member, "w", force_zip64=True) as file:
                _write(sheet, file, making)


def _write(sheet: Sheet, file: IO[bytes], making: Making) -> None:
    file.write(MARK)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([disarmed(making.say(column.head)) for column in sheet.columns])
    told = 0
    for n, row in enumerate(sheet.rows, 1):
        writer.writerow([_cell(value, column.cell, making) for value, column in zip(row, sheet.columns, strict=True)])
        if n % TELL_EVERY == 0:
            making.tell(TELL_EVERY)
        told = n
    making.tell(told % TELL_EVERY)
    text.flush()
    text.detach()


def _cell(value: Value, cell: Cell, making: Making) -> str:
    """A negative number is a number; whatever else begins like a formula is disarmed."""
    text = shown(value, cell, making)
    return text if is_number(value) and not is_text(cell) else disarmed(text)
