"""Computes one wanted report and lays it down, and writes forms of what was laid down. For pages, commands and the bench alike.

Says how far it is; whoever wanted it may stop it from there. Knows no page and no process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import msgspec

from kiosk.core.people import Directory
from kiosk.core.policy import report_dues
from kiosk.directory import DirectoryMissing, index, load
from kiosk.directory_schema import Content
from kiosk.recorded import Records, RecordsError, local_time
from kiosk.reports.asking import NOTHING, Asked, NoReport
from kiosk.reports.books import Books, open_books
from kiosk.reports.catalogue import CATALOGUE, make
from kiosk.reports.forms import Form, FormMissing, Lang, Making, ending, stem
from kiosk.reports.kept_tables import count_of, keep, kept, write_json
from kiosk.reports.period import SCHOOL_YEAR_BEGINS, NoPeriod, Period, PeriodKind, period_of
from kiosk.reports.service_rows import Archive
from kiosk.reports.table import ReportLocked, Words
from kiosk.settings import Settings

DIRECTORY_FILE: Final = "directory.db"
DAYS_AT_HAND, WEEKS_AT_HAND, MONTHS_AT_HAND = 15, 9, 15
READING, WRITING = "reading", "writing"
Tell = Callable[[str, int, int], None]  # step, how much of it is done, of how much (0: not known)
# Everything for which a report does not come about, each with a sentence that says why.
REFUSALS: Final = (NoReport, NoPeriod, ReportLocked, RecordsError, FormMissing, OSError)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """`masked`: as an inspector sees it. period: as `kiosk.reports.period` writes one."""

    report: str
    period: str
    masked: bool = False
    child: int = 0
    class_id: str = ""
    session: str = ""
    partner: str = ""
    text: str = ""
    reduced: tuple[str, ...] = ()

    @property
    def asked(self) -> Asked:
        return Asked(
            child=self.child, class_id=self.class_id, session=self.session, partner=self.partner, text=self.text,
            masked=self.masked, reduced=frozenset(self.reduced),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """Whose records, and the moment at which it is asked."""

    settings: Settings
    state: Path
    now_ms: int

    @property
    def offset_ms(self) -> int:
        return self.settings.plan.utc_offset_ms


def silent(step: str, done: int, of: int) -> None:
    """Nobody listens."""


def people(state: Path) -> Directory:
    try:
        return load(state / DIRECTORY_FILE)
    except DirectoryMissing:
        return index(Content(), number=0, made_at_ms=0)  # before the first import records name people by number


def compute(school: School, wanted: Wanted, folder: Path, tell: Tell = silent) -> None:
    """The report is laid down in `folder`. Raises one of REFUSALS, and whatever `tell` raises."""
    books = open_books(
        school.settings, school.state, people(school.state), today=local_time(school.now_ms, school.offset_ms).date(),
        progress=lambda done, of: tell(READING, done, of),
    )  # fmt: skip
    report = make(wanted.report, books, _period(books, wanted), wanted.asked)
    keep(report, folder, _making(school.now_ms, school.offset_ms, "zh", tell, 0))


def _period(books: Books, wanted: Wanted) -> Period:
    """What is written, or the days `A..B`: those are made like a week or half a year. Raises NoPeriod."""
    first, dots, last = wanted.period.partition("..")
    listed = CATALOGUE.get(wanted.report)
    if not dots or listed is None:
        return books.period(wanted.period)
    begins, ends = books.period(first).first, books.period(last).last
    kind = next((kind for kind in (PeriodKind.WEEK, PeriodKind.HALF) if kind in listed.periods), None)
    if kind is None or ends < begins:
        why = "从…到…前后颠倒" if kind else "此表不能按任意日期出"
        raise NoPeriod(f"{why}：{wanted.period} / not for such days: {wanted.period}")
    return Period(kind=kind, id=wanted.period, first=begins, last=ends, words=Words(f"{begins}至{ends}", f"{begins} to {ends}"))


def write(folder: Path, form: Form, lang: Lang, offset_ms: int, to: Path, tell: Tell = silent) -> str:
    """A form of what was laid down, written to the file `to`; the name that it should have. Raises FormMissing or OSError."""
    report, made_ms = kept(folder)
    making = _making(made_ms, offset_ms, lang, tell, sum(count_of(sheet) for sheet in report.sheets))
    match form:  # a library is brought in only by whoever needs it
        case Form.XLSX:
            from kiosk.reports.workbook import write_workbook

            write_workbook(report, to, making)
        case Form.CSV:
            from kiosk.reports.comma_separated import write_csv

            write_csv(report, to, making)
        case Form.PDF:
            from kiosk.reports.paper_form import write_pdf

            write_pdf(report, to, making)
        case Form.JSON:
            write_json(report, to, making)
    return stem(report, making) + ending(report, form)


def _making(made_ms: int, offset_ms: int, lang: Lang, tell: Tell, of: int) -> Making:
    done = 0

    def written(rows: int) -> None:
        nonlocal done
        done += rows
        tell(WRITING, done, of)

    return Making(made_ms=made_ms, offset_ms=offset_ms, lang=lang, tell=written)


class _Open(Exception):
    """The report went as far as the records: nothing locks it."""


class _Unread(Books):
    """Books in which the rules can be read, and no record."""

    def archive(self, first: date, last: date, *, rolls: bool = False) -> Archive:
        raise _Open

    @contextmanager
    def records(self) -> Iterator[Records]:
        raise _Open
        yield


def locks(school: School) -> dict[str, str]:
    """The reports that the city's paper forbids today, each with the sentence that quotes it. Reads no record."""
    today = local_time(school.now_ms, school.offset_ms).date()
    read = open_books(school.settings, school.state, index(Content(), number=0, made_at_ms=0), today=today)
    books = _Unread(
        settings=school.settings, state=school.state, directory=read.directory, policy=read.policy, overlay=read.overlay,
        today=today,
    )  # fmt: skip
    found = dict[str, str]()
    for listed in CATALOGUE.values():
        period = books.period(sample_period(listed.periods, today, school.settings))
        try:
            listed.make(books, period, NOTHING)
        except ReportLocked as error:
            found[listed.id] = str(error)
        except (_Open, NoReport):
            continue
    return found


def dues(school: School) -> tuple[tuple[date, str, str], ...]:
    """When the city's paper wants a report next: the day, the clause, the paper."""
    today = local_time(school.now_ms, school.offset_ms).date()
    policy = open_books(school.settings, school.state, index(Content(), number=0, made_at_ms=0), today=today).policy
    return tuple((day, rule.clause, str(rule.document)) for day, rule in (report_dues(policy, today) if policy else ()))


def sample_period(kinds: Sequence[PeriodKind], today: date, settings: Settings) -> str:
    """The first of `periods_at_hand` of a kind that the report is made for."""
    at_hand = periods_at_hand(kinds, today, settings)
    return at_hand[0][1][0].id if at_hand else today.isoformat()


def periods_at_hand(
    kinds: Sequence[PeriodKind], today: date, settings: Settings
) -> tuple[tuple[PeriodKind, tuple[Period, ...]], ...]:
    """What a page offers, the newest first, by kind."""
    terms = settings.calendar.terms
    found = []
    for kind in kinds:
        texts = [term.id for term in terms] if kind is PeriodKind.TERM else _written(kind, today)
        found.append((kind, tuple(period_of(text, terms) for text in texts)))
    return tuple((kind, periods) for kind, periods in found if periods)


def _written(kind: PeriodKind, today: date) -> list[str]:
    begins = today.year if today.month >= SCHOOL_YEAR_BEGINS else today.year - 1
    match kind:
        case PeriodKind.DAY:
            return [(today - timedelta(days=n)).isoformat() for n in range(DAYS_AT_HAND)]
        case PeriodKind.WEEK:
            weeks = [(today - timedelta(weeks=n)).isocalendar() for n in range(WEEKS_AT_HAND)]
            return [f"{week.year}-W{week.week:02}" for week in weeks]
        case PeriodKind.MONTH:
            months = [today.year * 12 + today.month - 1 - n for n in range(MONTHS_AT_HAND)]
            return [f"{month // 12}-{month % 12 + 1:02}" for month in months]
        case PeriodKind.HALF:
            halves = [today.year * 2 + (today.month > 6) - n for n in range(4)]
            return [f"{half // 2}-H{half % 2 + 1}" for half in halves]
        case PeriodKind.YEAR:
            return [str(today.year - n) for n in range(3)]
        case PeriodKind.SCHOOL_YEAR:
            return [f"{year}-{year + 1}" for year in (begins, begins - 1)]
        case _:
            return []
