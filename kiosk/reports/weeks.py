"""Weeks of the service in a school year (A7): in how many it ran, by stage, beside what the city's paper asks for.

A week counts for a stage when on at least one day of it a session of the service was held with a child of that stage there.
Weeks run from Monday to Sunday. What is still to come is what the calendar says today.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Final

from kiosk.core.people import Stage
from kiosk.core.timetable import resolve_day
from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.columns import COUNTED, column, frame
from kiosk.reports.naming import quoted
from kiosk.reports.period import Period, school_year
from kiosk.reports.scope import Scope
from kiosk.reports.service_rows import Held
from kiosk.reports.table import Cell, Report, Sheet, Value, Words

TITLE: Final = Words("课后服务周数", "Weeks of the service")
COUNTING: Final = Words(
    "一周中至少一天开展（有学生到场）即计一周；周一至周日为一周；已开展周数只算到本期末。",
    "A week counts when the service ran on a day of it (with a child there); Monday to Sunday; up to the end of the period.",
)
_STAGES: Final = {
    Stage.KINDERGARTEN: "幼儿园", Stage.PRIMARY: "小学", Stage.JUNIOR: "初中", Stage.SENIOR: "高中",
}  # fmt: skip


def weeks_report(books: Books, period: Period, _asked: Asked) -> Report:
    year = school_year(period.last)
    archive = books.archive(year.first, min(period.last, year.last))
    held = Scope(books).within(archive.held)
    ran = weeks_held(books, held)
    last = max((one.day for one in held), default=year.first - timedelta(days=1))
    ahead = _weeks_ahead(books, last, year.last)
    rules = {stage: rule for rule in books.rules("weeks_per_year") for stage in rule.stages}
    rows: list[tuple[Value, ...]] = []
    for stage in sorted(books.settings.school.stages, key=list(Stage).index):
        rule, done = rules.get(stage), ran[stage]
        asked = rule.number("weeks") if rule else books.settings.service.weeks_per_year or None
        whole = len(done | ahead)
        told = f"已开展 {len(done)}/{asked} 周" if asked else f"已开展 {len(done)} 周"
        rows.append((
            _STAGES[stage], len(done), asked, len(ahead - done), whole, whole - asked if asked else None,
            "" if not asked or whole == asked else "多于规定" if whole > asked else "少于规定", told,
        ))  # fmt: skip
    columns = (
        column("stage", "学段", "stage", Cell.TEXT, 10), column("held", "已开展周数", "weeks held", Cell.WHOLE, 10),
        column("asked", "规定周数", "weeks asked", Cell.WHOLE, 10), column("ahead", "校历余下", "still to come", Cell.WHOLE, 10),
        column("whole", "预计全年", "whole year", Cell.WHOLE, 10), column("difference", "差", "difference", Cell.WHOLE, 8),
        column("warning", "提示", "warning", Cell.TEXT, 12), column("counter", "计数", "counter", Cell.TEXT, 18),
    )  # fmt: skip
    stages = Sheet(id="stages", name=Words("周数", "weeks"), columns=columns, rows=rows, notes=(COUNTING, COUNTED))
    clauses = dict.fromkeys(quoted(rule) for rule in rules.values()) or [books.silent("每学年周数", "weeks of a school year")]
    return frame(books, period, id="weeks", title=TITLE, sheets=[stages, _weeks_sheet(held)], archive=archive, quoted=clauses)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def weeks_held(books: Books, held: list[Held]) -> defaultdict[Stage, set[date]]:
    """Stage -> the Mondays of its weeks. In a school of one stage also an erased child is of it."""
    school = books.settings.school.stages
    only = next(iter(school)) if len(school) == 1 else None
    found: defaultdict[Stage, set[date]] = defaultdict(set)
    for one in held:
        for child in one.attended():
            pupil = books.directory.pupils.get(child)
            stage = only or (pupil.stage if pupil else None)
            if stage is not None:
                found[stage].add(monday(one.day))
    return found


def _weeks_ahead(books: Books, after: date, last: date) -> set[date]:
    """The weeks with a day of service after a day, by the calendar of now."""
    calendar, found = books.settings.calendar, set[date]()
    for term in calendar.terms:
        day = max(term.first, after + timedelta(days=1))
        while day <= min(term.last, last):
            if resolve_day(day, calendar).after_school:
                found.add(monday(day))
            day += timedelta(days=1)
    return found


def _weeks_sheet(held: list[Held]) -> Sheet:
    days: defaultdict[date, set[date]] = defaultdict(set)
    sessions: defaultdict[date, int] = defaultdict(int)
    for one in held:
        if one.attended():
            days[monday(one.day)].add(one.day)
            sessions[monday(one.day)] += 1
    rows = [(at, first, len(days[first]), sessions[first]) for at, first in enumerate(sorted(days), 1)]
    columns = (
        column("number", "序号", "no.", Cell.WHOLE, 8), column("monday", "周一", "Monday", Cell.DATE, 12),
        column("days", "天数", "days", Cell.WHOLE, 8), column("sessions", "场次", "sessions", Cell.WHOLE, 8),
    )  # fmt: skip
    return Sheet(id="weeks", name=Words("各周", "each week"), columns=columns, rows=rows)
