"""The basis of public funding (经费核算): groups x class-hours x the yuan of the city's paper, by month and session by session.

A group's class-hour counts once, however many teachers there were; a group in which no child was present is flagged and does not
count. How the money is shared out is the school's own affair: teachers have hours here and no yuan. Where the paper says nothing
of such funding there are class-hours and no yuan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from kiosk.core.policy import Rule
from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.class_hours import SESSION, STAFF, staff_order
from kiosk.reports.columns import COUNTED, column, frame, kind_words
from kiosk.reports.naming import Names, quoted
from kiosk.reports.period import Period
from kiosk.reports.scope import Scope
from kiosk.reports.service_rows import Held
from kiosk.reports.table import Cell, Chart, Report, Sheet, Value, Words

TITLE: Final = Words("课后服务经费核算依据", "Basis of the service's funding")
PUBLIC_TITLE: Final = Words("课后服务经费公示", "Funding of the service, for the public")
UNIT: Final = "class_hour_per_group"
ONCE: Final = Words(
    "每班每课时只计一次，与教师人数无关；无学生到场的班次列出但不计；课时按0.1取整。",
    "A group's class-hour counts once, however many teachers; a group without a child is listed and not counted; class-hours are"
    " reckoned in tenths.",
)
NO_SPLIT: Final = Words("只列教师课时，不计算教师报酬。", "Teachers have hours here, and no pay is reckoned.")


def tenths(hours: float) -> int:
    """Class-hours in whole tenths, so that sums are exact."""
    return round(hours * 10)


def yuan(tenths_of_hours: int, cny: int) -> int:
    """Whole yuan, halves up."""
    return (tenths_of_hours * cny * 2 + 10) // 20


class Basis:
    """What counts of a period, and for how much. `rule` None: the paper says nothing of it."""

    def __init__(self, books: Books, held: Iterable[Held]) -> None:
        self.scope, self.all = Scope(books), tuple(held)
        self.rule: Rule | None = next((rule for rule in books.rules("funding") if rule.text("unit") == UNIT), None)
        self.cny = self.rule.number("cny") if self.rule else 0
        self.held = [(one, len(one.attended())) for one in self.scope.within(self.all)]

    def tenths(self, held: Iterable[tuple[Held, int]]) -> int:
        return sum(tenths(one.row.class_hours) for one, there in held if there)

    def yuan(self, counted_tenths: int) -> int | None:
        return yuan(counted_tenths, self.cny) if self.rule else None

    def quoted(self, books: Books) -> tuple[Words, ...]:
        return (quoted(self.rule), *books.clauses("E2")) if self.rule else (books.silent("经费核算", "funding by class-hours"),)


def funding(books: Books, period: Period, asked: Asked) -> Report:
    archive = books.archive(period.first, period.last)
    basis, names = Basis(books, archive.held), Names(books.directory, masked=asked.masked)
    sheets = [
        _months_sheet(basis, period), _groups_sheet(basis, names), _teachers_sheet(basis, names),
        basis.scope.excluded_sheet(archive.held),
    ]  # fmt: skip
    clauses, counted = dict.fromkeys(basis.quoted(books)), basis.tenths(basis.held)
    return frame(
        books, period, id="funding", title=TITLE, sheets=sheets, archive=archive, quoted=clauses, signed=True,
        facts={"cny": basis.cny or None, "class_hours": counted / 10, "yuan": basis.yuan(counted)},
    )  # fmt: skip


def publicity(books: Books, period: Period, _asked: Asked) -> Report:
    """The sums without anybody's name or number (F7)."""
    archive = books.archive(period.first, period.last)
    basis = Basis(books, archive.held)
    sheets = [_months_sheet(basis, period), _kinds_sheet(basis)]
    clauses = dict.fromkeys((*books.clauses("F7"), *basis.quoted(books)))
    return frame(books, period, id="publicity", title=PUBLIC_TITLE, sheets=sheets, quoted=clauses, signed=True)


_SUMS: Final = (
    column("sessions", "班次", "groups", Cell.WHOLE, 8), column("empty", "无学生班次", "without a child", Cell.WHOLE, 10),
    column("there", "人次", "attendances", Cell.WHOLE, 8), column("class_hours", "计入课时", "class-hours", Cell.HOURS, 10),
    column("yuan", "金额（元）", "yuan", Cell.YUAN, 10),
)  # fmt: skip


def _sums(basis: Basis, held: list[tuple[Held, int]]) -> tuple[Value, ...]:
    counted = basis.tenths(held)
    empty = sum(1 for _, there in held if not there)
    return (len(held) - empty, empty, sum(there for _, there in held), counted / 10, basis.yuan(counted))


def _months_sheet(basis: Basis, period: Period) -> Sheet:
    months: dict[str, list[tuple[Held, int]]] = {month: [] for month in period.months()}
    for one, there in basis.held:
        months[f"{one.day:%Y-%m}"].append((one, there))
    return Sheet(
        id="months", name=Words("按月", "by month"), columns=(column("month", "月份", "month", Cell.TEXT, 10), *_SUMS),
        rows=[(month, *_sums(basis, held)) for month, held in months.items()], total=("合计", *_sums(basis, basis.held)),
        notes=(ONCE, COUNTED),
        charts=(Chart(shape="bar", title=Words("每月课时", "class-hours"), categories="month", values=("class_hours",)),),
    )  # fmt: skip


def _kinds_sheet(basis: Basis) -> Sheet:
    kinds: defaultdict[str, list[tuple[Held, int]]] = defaultdict(list)
    for one, there in basis.held:
        kinds[one.row.kind].append((one, there))
    return Sheet(
        id="kinds", name=Words("按内容", "by content"), columns=(column("kind", "内容", "content", Cell.TEXT, 14), *_SUMS),
        rows=[(kind_words(kind).zh, *_sums(basis, held)) for kind, held in sorted(kinds.items())],
        total=("合计", *_sums(basis, basis.held)), notes=(ONCE,),
    )  # fmt: skip


def _groups_sheet(basis: Basis, names: Names) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    for one, there in basis.held:
        hours, row = tenths(one.row.class_hours), one.row
        rows.append((
            one.day, row.name, kind_words(row.kind).zh, row.room, names.several(row.teachers), there, row.class_hours,
            int(not there), hours / 10 if there else 0.0, basis.yuan(hours if there else 0), int(bool(one.corrections)),
            str(one.entry.id),
        ))  # fmt: skip
    counted = basis.tenths(basis.held)
    columns = (
        *SESSION, column("kind", "内容", "content", Cell.TEXT, 12), column("room", "地点", "room", Cell.TEXT, 10),
        column("teachers", "教师", "teachers", Cell.TEXT, 16), column("there", "到场学生", "children there", Cell.WHOLE, 10),
        column("class_hours", "课时", "class-hours", Cell.HOURS, 8), column("empty", "无学生", "without a child", Cell.FLAG, 8),
        column("counted", "计入课时", "counted", Cell.HOURS, 10), column("yuan", "金额（元）", "yuan", Cell.YUAN, 10),
        column("corrected", "有更正", "corrected", Cell.FLAG, 8), column("entry", "记录", "entry", Cell.ID, 28),
    )  # fmt: skip
    total = ("合计", f"{len(rows)} 场", None, None, None, sum(there for _, there in basis.held), None,
             sum(1 for _, there in basis.held if not there), counted / 10, basis.yuan(counted), None, None)  # fmt: skip
    return Sheet(id="groups", name=Words("班次明细", "groups"), columns=columns, rows=rows, total=total, notes=(ONCE,))


def _teachers_sheet(basis: Basis, names: Names) -> Sheet:
    hours: defaultdict[int, int] = defaultdict(int)
    for one, there in basis.held:
        for teacher in one.row.teachers if there else ():
            hours[teacher] += tenths(one.row.class_hours)
    rows = [
        (names.staff_number(number), names.staff(number), counted / 10)
        for number, counted in sorted(hours.items(), key=lambda pair: staff_order(names, pair[0]))
    ]
    return Sheet(
        id="teachers", name=Words("教师课时", "hours of teachers"), notes=(NO_SPLIT,), rows=rows,
        columns=(*STAFF, column("class_hours", "课时", "class-hours", Cell.HOURS, 10)),
        total=("合计", f"{len(rows)} 人", sum(hours.values()) / 10),
    )  # fmt: skip
