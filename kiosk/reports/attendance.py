"""Attendance: session by session, day by day, class by class, pupil by pupil; for a month also the sheet of the office.

Counts what the archive rows say. A class is the one that the child is in now; who was erased stands as a number, in no class, and
every sum stays what it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.columns import CHILD, COUNTED, RATE, Tally, column, frame, kind_words, tally_columns
from kiosk.reports.naming import Names
from kiosk.reports.period import Period, PeriodKind
from kiosk.reports.service_rows import ATTENDED, Held, State
from kiosk.reports.table import Cell, Chart, Column, Report, Sheet, Value, Words

TITLE: Final = Words("课后服务考勤", "After-school attendance")
MARKS: Final[Mapping[str, str]] = {
    State.PRESENT: "√", State.LATE: "迟", State.LEFT_EARLY: "退", State.LEAVE_SICK: "病", State.LEAVE_PERSONAL: "事",
    State.ABSENT: "缺", State.MOVED: "调",
}  # fmt: skip
GUEST: Final = "临"
LEGEND: Final = Words(
    "√出勤 迟迟到 退早退 病病假 事事假 缺缺勤 调调到别处 临临时参加；一天多场按时间先后排列",
    "√ present, 迟 late, 退 left early, 病 sick, 事 personal leave, 缺 absent, 调 moved, 临 guest; sessions of a day in order",
)


class _Pupil:
    __slots__ = ("days", "held", "tally")

    def __init__(self) -> None:
        self.tally, self.days = Tally(), set[date]()
        self.held: list[tuple[date, str]] = []  # day and mark, in order of time


def attendance(books: Books, period: Period, asked: Asked) -> Report:
    """With `child` or `class_id` only of these pupils; the sums then are theirs."""
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    pupils = _pupils(archive.held, names, asked)
    sheets = [_pupil_sheet(pupils, names), _class_sheet(pupils, names)]
    if not asked.child and not asked.class_id:
        sheets = [_session_sheet(archive.held, names), *sheets]
        if period.kind is not PeriodKind.DAY:
            sheets.insert(1, _day_sheet(archive.held))
    if period.kind is PeriodKind.MONTH:
        sheets.append(_grid(pupils, names, archive.days()))
    clauses = books.clauses("D1", "F1") or (books.silent("课后服务考勤", "attendance of the service"),)
    return frame(books, period, id="attendance", title=TITLE, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def _pupils(held: Iterable[Held], names: Names, asked: Asked) -> dict[int, _Pupil]:
    found: defaultdict[int, _Pupil] = defaultdict(_Pupil)
    wanted = _wanted(names, asked)
    for one in held:
        day = one.day
        for child, state in one.enrolled():
            if wanted is None or child in wanted:
                pupil = found[child]
                pupil.tally.states[state] += 1
                pupil.held.append((day, MARKS.get(state, "?")))
                if state in ATTENDED:
                    pupil.days.add(day)
        for child in one.guests():
            if wanted is None or child in wanted:
                found[child].tally.guests += 1
                found[child].held.append((day, GUEST))
                found[child].days.add(day)
    return dict(sorted(found.items(), key=lambda pair: names.order(pair[0])))


def _wanted(names: Names, asked: Asked) -> frozenset[int] | None:
    """None: everybody."""
    if asked.child:
        return frozenset({asked.child})
    return frozenset(names.directory.pupils_of_class.get(asked.class_id, ())) if asked.class_id else None


def _session_sheet(held: Iterable[Held], names: Names) -> Sheet:
    rows, total = list[tuple[Value, ...]](), Tally()
    for one in held:
        tally, row = Tally(), one.row
        tally.add(one)
        total.add(one)
        rows.append(
            (one.day, row.name, kind_words(row.kind).zh, row.slot or None, row.room, row.from_ms, row.to_ms,
             names.several(row.teachers), *tally.values(), row.class_hours, int(bool(one.corrections)))
        )  # fmt: skip
    columns = (
        column("day", "日期", "date", Cell.DATE, 12), column("session", "项目", "session", Cell.TEXT, 18),
        column("kind", "内容", "content", Cell.TEXT, 12), column("slot", "时段", "slot", Cell.WHOLE, 6),
        column("room", "地点", "room", Cell.TEXT, 12), column("from", "开始", "from", Cell.TIME, 8),
        column("to", "结束", "to", Cell.TIME, 8), column("teachers", "到岗教师", "teachers present", Cell.TEXT, 16),
        *tally_columns(), column("class_hours", "课时", "class-hours", Cell.HOURS, 8),
        column("corrected", "有更正", "corrected", Cell.FLAG, 8),
    )  # fmt: skip
    hours = sum(float(str(row[-2])) for row in rows)
    return Sheet(
        id="sessions", name=Words("按场次", "by session"), columns=columns, rows=rows, notes=(RATE, COUNTED),
        total=("合计", f"{len(rows)} 场", None, None, None, None, None, None, *total.values(), hours, None),
    )  # fmt: skip


def _day_sheet(held: Iterable[Held]) -> Sheet:
    days: defaultdict[date, Tally] = defaultdict(Tally)
    sessions: defaultdict[date, int] = defaultdict(int)
    children: defaultdict[date, set[int]] = defaultdict(set)
    total = Tally()
    for one in held:
        day = one.day
        days[day].add(one)
        total.add(one)
        sessions[day] += 1
        children[day].update(one.attended())
    columns = (
        column("day", "日期", "date", Cell.DATE, 12), column("sessions", "场次", "sessions", Cell.WHOLE, 8),
        column("children", "参加学生", "children there", Cell.WHOLE, 10), *tally_columns(),
    )  # fmt: skip
    rows = [(day, sessions[day], len(children[day]), *tally.values()) for day, tally in sorted(days.items())]
    return Sheet(
        id="days", name=Words("按日", "by day"), columns=columns, rows=rows, notes=(RATE,),
        total=("合计", sum(sessions.values()), None, *total.values()),
        charts=(Chart(shape="line", title=Words("每天参加的学生", "children by day"), categories="day", values=("children",)),),
    )  # fmt: skip


def _class_sheet(pupils: Mapping[int, _Pupil], names: Names) -> Sheet:
    classes: dict[str, tuple[str, list[_Pupil]]] = {}
    for number, pupil in pupils.items():
        child = names.child(number)
        classes.setdefault(child.class_id, (child.class_name, []))[1].append(pupil)
    columns = (
        column("class", "班级", "class", Cell.TEXT, 12), column("children", "学生", "children", Cell.WHOLE, 8), *tally_columns(),
    )  # fmt: skip
    rows = [(name, len(members), *_sum(members).values()) for name, members in classes.values()]
    return Sheet(
        id="classes", name=Words("按班级", "by class"), columns=columns, rows=rows, notes=(RATE,),
        total=("合计", len(pupils), *_sum(pupils.values()).values()),
        charts=(Chart(shape="bar", title=Words("各班出勤率", "rate by class"), categories="class", values=("rate",)),),
    )  # fmt: skip


def _sum(pupils: Iterable[_Pupil]) -> Tally:
    total = Tally()
    for pupil in pupils:
        total.states.update(pupil.tally.states)
        total.guests += pupil.tally.guests
    return total


def _named(number: int, names: Names) -> tuple[Value, ...]:
    child = names.child(number)
    return (child.class_name, child.seat or None, child.school_number, child.name)


def _pupil_sheet(pupils: Mapping[int, _Pupil], names: Names) -> Sheet:
    columns = (*CHILD, column("days", "参加天数", "days", Cell.WHOLE, 10), *tally_columns())
    rows = [(*_named(number, names), len(pupil.days), *pupil.tally.values()) for number, pupil in pupils.items()]
    days = sum(len(pupil.days) for pupil in pupils.values())
    return Sheet(
        id="pupils", name=Words("按学生", "by pupil"), columns=columns, rows=rows, notes=(RATE, COUNTED),
        total=("合计", None, None, f"{len(pupils)} 人", days, *_sum(pupils.values()).values()),
    )  # fmt: skip


def _grid(pupils: Mapping[int, _Pupil], names: Names, days: list[date]) -> Sheet:
    """A row for every pupil, a column for every day on which something was held."""
    columns: tuple[Column, ...] = (*CHILD, *(column(day.isoformat(), str(day.day), str(day.day), Cell.TEXT, 5) for day in days))
    rows = []
    for number, pupil in pupils.items():
        marks: defaultdict[date, str] = defaultdict(str)
        for day, mark in pupil.held:
            marks[day] += mark
        rows.append((*_named(number, names), *(marks[day] for day in days)))
    return Sheet(id="grid", name=Words("考勤表", "attendance sheet"), columns=columns, rows=rows, notes=(LEGEND, COUNTED))
