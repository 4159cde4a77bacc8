"""What the pages of the reports show, made from the catalogue, from what the desk is making, and from what was laid down.

Reads a laid-down report for its first rows and its charts; computes no figure. Decides nothing about who may see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Final

from kiosk.clock import Clock
from kiosk.core.people import Directory
from kiosk.core.roster import Bar
from kiosk.recorded import RecordsError, local_time
from kiosk.report_desk import FormNotMade, Job, ReportDesk, TooManyReports
from kiosk.reports.catalogue import CATALOGUE, Listed
from kiosk.reports.forms import Form, Lang, Making, facts_of, is_number, is_text, shown
from kiosk.reports.kept_tables import count_of, kept
from kiosk.reports.period import KIND_WORDS, NoPeriod, PeriodKind, period_of
from kiosk.reports.table import Cell, Chart, Sheet, Value
from kiosk.reports.wanted import School, Wanted, dues, locks, periods_at_hand
from kiosk.settings import Settings
from kiosk.web.faces_picture import Picture, picture
from kiosk.web.faces_reports import CellText, DueLine, PeriodChoice, ReportLine, ReportsView, ReportView, SheetView
from kiosk.web.gate import NoSuchReport, ReportBusy, ReportFile, ReportNotMade

MAX_SHOWN: Final = 200  # rows of a sheet on the page
MAX_DRAWN: Final = 400  # values of a series
ASKED: Final = ("child", "class_id", "session", "partner", "text")


class ReportPages:
    """`kiosk.web.gate.Reports`."""

    def __init__(
        self, *, settings: Settings, desk: ReportDesk, directory: Callable[[], Directory], clock: Clock,
        school: Callable[[], School],
    ) -> None:  # fmt: skip
        self._settings, self._desk, self._directory, self._clock, self._school = settings, desk, directory, clock, school
        self._locks: tuple[date, dict[str, str]] | None = None

    # --- the list --------------------------------------------------------------------------------------

    def listed(self, bar: Bar, lang: Lang) -> ReportsView:
        """Blocks for as long as the policy files take."""
        today = self._today()
        try:
            lines = tuple(self._line(listed, lang) for listed in CATALOGUE.values())
            due = tuple(
                DueLine(day=day.isoformat(), in_days=(day - today).days, clause=clause, document=document)
                for day, clause, document in dues(self._school())
            )
        except RecordsError as error:
            return ReportsView(bar=bar, trouble=_in(str(error), lang))
        return ReportsView(bar=bar, reports=lines, dues=due, policy=self._settings.school.city)

    def _line(self, listed: Listed, lang: Lang) -> ReportLine:
        at_hand = periods_at_hand(listed.periods, self._today(), self._settings)
        locked = _in(self._locked().get(listed.id, ""), lang)
        return ReportLine(
            id=listed.id, title=getattr(listed.title, lang), rows=listed.rows, locked=locked,
            public=listed.public, named=listed.names, any_day=PeriodKind.DAY in listed.periods, needs=listed.needs,
            periods=tuple(
                (getattr(KIND_WORDS[kind], lang), tuple(PeriodChoice(id=p.id, words=getattr(p.words, lang)) for p in periods))
                for kind, periods in at_hand
            ),
        )  # fmt: skip

    def _locked(self) -> dict[str, str]:
        """Once a day: the papers do not change while a gate runs, the day does."""
        today = self._today()
        if self._locks is None or self._locks[0] != today:
            self._locks = today, locks(self._school())
        return self._locks[1]

    def _today(self) -> date:
        return local_time(self._clock.now_ms(), self._settings.plan.utc_offset_ms).date()

    # --- one report --------------------------------------------------------------------------------------

    def view(self, id: str, query: dict[str, str], bar: Bar, *, masked: bool, lang: Lang) -> ReportView:
        """Raises NoSuchReport."""
        listed = self._listed(id)
        line = self._line(listed, lang)
        bare = ReportView(bar=bar, report=line, masked=masked, title=line.title)
        if line.locked:
            return replace(bare, state="locked", why=line.locked)
        if not query.get("period"):
            return bare
        wanted, words = self._wanted(listed, query, masked, lang)
        fields = tuple((name, value) for name, value in query.items() if value)
        asked = replace(bare, period=wanted.period, period_words=words, query=fields)
        job = self._desk.look(wanted)
        if job is None:
            return asked
        told = job.told
        moving = replace(asked, state=job.state, at=told.at, of=told.of, step=told.step, why=_in(told.refused, lang))
        return self._ready(moving, job, listed, lang) if job.state == "ready" else moving

    def _ready(self, view: ReportView, job: Job, listed: Listed, lang: Lang) -> ReportView:
        try:
            report, made_ms = kept(job.folder)
        except (OSError, ValueError):
            return replace(view, state="stopped")  # it has just made room for another
        making = Making(made_ms=made_ms, offset_ms=self._settings.plan.utc_offset_ms, lang=lang)
        forms = tuple(form.value for form in Form if form is not Form.PDF or report.signed)
        return replace(
            view, title=making.say(report.title), made=f"{making.made_at:%Y-%m-%d %H:%M}",
            quoted=tuple(making.say(words) for words in report.quoted),
            facts=facts_of(report, making), sheets=tuple(_sheet(sheet, making) for sheet in report.sheets),
            forms=forms if listed.public or not view.masked else (),
        )  # fmt: skip

    def begin(self, id: str, query: dict[str, str], *, masked: bool, afresh: bool) -> None:
        """Raises NoSuchReport or ReportBusy."""
        wanted, _ = self._wanted(self._listed(id), query, masked, "zh")
        try:
            self._desk.begin(wanted, afresh=afresh)
        except TooManyReports as error:
            raise ReportBusy(str(error)) from error

    def stop(self, id: str, query: dict[str, str], *, masked: bool) -> None:
        wanted, _ = self._wanted(self._listed(id), query, masked, "zh")
        self._desk.stop(wanted)

    def file(self, id: str, query: dict[str, str], form: str, *, masked: bool, lang: Lang) -> ReportFile:
        """Blocks until the form is written. Raises NoSuchReport or ReportNotMade."""
        listed = self._listed(id)
        wanted, _ = self._wanted(listed, query, masked, lang)
        job = self._desk.look(wanted)
        if job is None or job.state != "ready" or form not in list(Form):
            raise NoSuchReport("This report is not at hand any more; make it again, then take the file.")
        try:
            name, path = self._desk.file(job, Form(form), lang)
        except FormNotMade as error:
            raise ReportNotMade(str(error)) from error
        return ReportFile(name=name, path=path)

    def _listed(self, id: str) -> Listed:
        if id not in CATALOGUE:
            raise NoSuchReport(f"There is no report {id[:40]!r}; there are {', '.join(CATALOGUE)}.")
        return CATALOGUE[id]

    def _wanted(self, listed: Listed, query: dict[str, str], masked: bool, lang: Lang) -> tuple[Wanted, str]:
        """Raises NoSuchReport with the sentence that says what is missing or wrong."""
        try:
            period = period_of(query.get("period", ""), self._settings.calendar.terms)
        except NoPeriod as error:
            raise NoSuchReport(str(error)) from error
        child = self._child(query["child"]) if query.get("child") else 0
        for name in listed.needs:
            if name in ASKED and not query.get(name):
                raise NoSuchReport(f"This report needs {name}.")
        wanted = Wanted(
            report=listed.id, period=period.id, masked=masked, child=child, class_id=query.get("class_id", ""),
            session=query.get("session", ""), partner=query.get("partner", ""), text=query.get("text", ""),
        )  # fmt: skip
        return wanted, getattr(period.words, lang)

    def _child(self, school_number: str) -> int:
        for pupil in self._directory().pupils.values():
            if pupil.school_number == school_number:
                return pupil.number
        raise NoSuchReport(f"No pupil has the number {school_number[:30]!r}.")


# --- a sheet as text ------------------------------------------------------------------------------------------


def _sheet(sheet: Sheet, making: Making) -> SheetView:
    cells = [column.cell for column in sheet.columns]

    def texts(row: tuple[Value, ...]) -> tuple[CellText, ...]:
        return tuple(
            CellText(words=shown(value, cell, making), number=is_number(value) and not is_text(cell))
            for value, cell in zip(row, cells, strict=True)
        )

    return SheetView(
        id=sheet.id, name=making.say(sheet.name),
        heads=tuple(CellText(words=making.say(c.head), number=c.cell in _NUMBERS) for c in sheet.columns),
        rows=tuple(texts(row) for row in islice(sheet.rows, MAX_SHOWN)), count=count_of(sheet),
        total=texts(sheet.total) if sheet.total is not None else (), notes=tuple(making.say(note) for note in sheet.notes),
        pictures=tuple(drawn for chart in sheet.charts if (drawn := _picture(chart, sheet, making))),
    )  # fmt: skip


_NUMBERS: Final = frozenset({Cell.WHOLE, Cell.HOURS, Cell.MINUTES, Cell.PERCENT, Cell.YUAN})


def _picture(chart: Chart, sheet: Sheet, making: Making) -> Picture | None:
    keys = [column.key for column in sheet.columns]
    at, of = keys.index(chart.categories), [keys.index(key) for key in chart.values]
    rows: Iterable[tuple[Value, ...]] = list(islice(sheet.rows, MAX_DRAWN))
    labels = [shown(row[at], sheet.columns[at].cell, making) for row in rows]
    series = [(making.say(sheet.columns[n].head), [_number(row[n]) for row in rows]) for n in of]
    share = all(sheet.columns[n].cell is Cell.PERCENT for n in of)
    return picture(chart.shape, making.say(chart.title), labels, series, share=share)


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) and is_number(value) else 0.0


def _in(sentence: str, lang: Lang) -> str:
    """Sentences of the core are Chinese / English."""
    chinese, _, english = sentence.partition(" / ")
    return english if lang == "en" and english else chinese
