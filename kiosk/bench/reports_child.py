"""Makes every report of a year in one process that does nothing else, and says how long each took and how much memory it had.

Run by `kiosk bench reports`: `python -m kiosk.bench.reports_child STATE FOLDER DAY`. Lines of JSON, one for each report.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clock import steady_s
from kiosk.reports.asking import Asked, NoReport
from kiosk.reports.books import Books, open_books
from kiosk.reports.catalogue import CATALOGUE, Listed, make
from kiosk.reports.forms import Form, Making
from kiosk.reports.kept_tables import count_of, keep, kept
from kiosk.reports.period import PeriodKind
from kiosk.reports.table import ReportLocked
from kiosk.reports.wanted import people, write
from kiosk.settings import load, shared_data_dir

WIDEST = (PeriodKind.SCHOOL_YEAR, PeriodKind.TERM, PeriodKind.MONTH)  # the longest period that a report is made for
YEAR = {PeriodKind.SCHOOL_YEAR: "2026-2027", PeriodKind.TERM: "2026_autumn", PeriodKind.MONTH: "2026-10"}
PUPIL = 1


def main(state: Path, folder: Path, day: date) -> int:
    daily = _seconds(lambda: _make(_books(state, day), CATALOGUE["attendance"], day.isoformat(), folder / "daily"))
    say(daily=round(daily, 3))
    heard: list[int] = []
    books = _books(state, day, heard)
    for listed in CATALOGUE.values():
        kind = next(kind for kind in WIDEST if kind in listed.periods)
        at, began_s = folder / listed.id, steady_s()
        try:
            rows = _make(books, listed, YEAR[kind], at)
        except (ReportLocked, NoReport) as error:
            say(report=listed.id, refused=str(error))
            continue
        computed_s = steady_s() - began_s
        offset_ms, to = books.settings.plan.utc_offset_ms, at / "report.xlsx"
        written = _seconds(partial(write, at, Form.XLSX, "zh", offset_ms, to))
        say(report=listed.id, period=YEAR[kind], rows=rows, computed_s=round(computed_s, 2), written_s=round(written, 2))
    say(peak_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, progress=len(heard))
    return 0


def _books(state: Path, today: date, heard: list[int] | None = None) -> Books:
    settings = load(shared_data_dir("sample_school"))
    progress = (lambda done, of: heard.append(done)) if heard is not None else None
    return open_books(settings, state, people(state), today=today, progress=progress)


def _make(books: Books, listed: Listed, period: str, folder: Path) -> int:
    """Computed and laid down. -> how many rows it has."""
    asked = Asked(child=PUPIL) if listed.id == "growth" else Asked()
    report = make(listed.id, books, books.period(period), asked)
    keep(report, folder, Making(made_ms=0, offset_ms=books.settings.plan.utc_offset_ms))
    return sum(count_of(sheet) for sheet in kept(folder)[0].sheets)


def _seconds(work: Callable[[], Any]) -> float:
    began_s = steady_s()
    work()
    return steady_s() - began_s


def say(**told: Any) -> None:
    print(json.dumps(told, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3])))
