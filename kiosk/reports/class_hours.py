"""Class-hours of teachers (课时): who was present in which session, what was put right afterwards, how a month is locked.

A session's class-hours are credited to every teacher who was checked in, and to nobody who was not; whoever stood in has them.
It is a file, not a pay slip: what is paid for what, the school decides. As in a ledger, a correction is a row of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from kiosk.core.service_records import CheckedIn
from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.columns import COUNTED, column, frame, kind_words
from kiosk.reports.naming import REASON_WORDS, Names, word_zh
from kiosk.reports.period import Period
from kiosk.reports.service_rows import Archive, Held, PutRight, Stay
from kiosk.reports.table import Cell, Chart, Report, Sheet, Value, Words

TITLE: Final = Words("教师课后服务课时", "Class-hours of teachers")
CREDIT: Final = Words(
    "课时记给签到在岗的教师；代班的归代班教师，未到岗的原定教师不计。一场有几位教师的各计一次，个人合计可以大于班次课时。",
    "Class-hours go to the teachers who were checked in; whoever stood in has them, the planned teacher who was not there has"
    " none. With several teachers each is credited: the sum of persons may exceed that of groups.",
)
LEDGER: Final = Words(
    "更正另起一行并写明原因，原来的一行不改；各行相加即为现在的课时。",
    "A correction is a row of its own with its reason, the first row stays; the rows add up to what stands now.",
)
STAFF: Final = (column("staff_number", "工号", "staff no.", Cell.ID, 12), column("name", "姓名", "name", Cell.TEXT, 12))
SESSION: Final = (
    column("day", "日期", "date", Cell.DATE, 12), column("session", "项目", "session", Cell.TEXT, 18),
)  # fmt: skip


@dataclass(slots=True)
class _Person:
    hours: float = 0.0
    sessions: int = 0
    stood_in: int = 0
    replaced: int = 0
    days: set[date] = field(default_factory=set)
    by_kind: dict[str, float] = field(default_factory=lambda: defaultdict(float))


class Line(NamedTuple):
    """One line of the ledger: what a row, or a correction of it, gave to a teacher or took."""

    teacher: int
    hours: float
    correction: PutRight | None = None


class Step(NamedTuple):
    """Teachers and class-hours of a session before and after a correction."""

    one: PutRight
    teachers: tuple[int, ...]
    hours: float
    teachers_then: tuple[int, ...]
    hours_then: float


def class_hours(books: Books, period: Period, asked: Asked) -> Report:
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    sheets = [
        _people_sheet(archive.held, names), _ledger_sheet(archive, names), _substitutions(archive, names),
        _corrections_sheet(archive, names, books), _locks_sheet(archive, period, names, books),
    ]  # fmt: skip
    clauses = books.clauses("E1") or (books.silent("教师课时明细", "a file of teachers' class-hours"),)
    return frame(books, period, id="class_hours", title=TITLE, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def steps(held: Held) -> Iterator[Step]:
    """What each correction made of the teachers and the class-hours, in order."""
    teachers, hours = held.first.teachers, held.first.class_hours
    for one in held.corrections:
        then = teachers if one.change.teachers is None else one.change.teachers
        hours_then = hours if one.change.class_hours is None else one.change.class_hours
        yield Step(one, teachers, hours, then, hours_then)
        teachers, hours = then, hours_then


def ledger(held: Held) -> Iterator[Line]:
    """What the row gave, then what each correction took and gave. The lines of a teacher add up to what stands."""
    yield from (Line(teacher, held.first.class_hours) for teacher in held.first.teachers)
    for one, teachers, hours, then, hours_then in steps(held):
        for teacher in dict.fromkeys((*teachers, *then)):
            difference = (hours_then if teacher in then else 0.0) - (hours if teacher in teachers else 0.0)
            if difference:
                yield Line(teacher, difference, one)


def stays_of(stays: Iterable[Stay]) -> tuple[dict[tuple[int, str, date], Stay], dict[tuple[int, str, date], int]]:
    """The first check-in and the last check-out of a teacher at a session on a day."""
    came: dict[tuple[int, str, date], Stay] = {}
    went: dict[tuple[int, str, date], int] = {}
    for stay in stays:
        key = (stay.body.staff, stay.body.session, stay.day)
        if isinstance(stay.body, CheckedIn):
            came.setdefault(key, stay)
        else:
            went[key] = stay.entry.at_ms
    return came, went


def staff_order(names: Names, number: int) -> tuple[bool, str, int]:
    person = names.directory.staff.get(number)
    return (person is None, person.staff_number if person else "", number)


def _people(held: Iterable[Held]) -> dict[int, _Person]:
    people: defaultdict[int, _Person] = defaultdict(_Person)
    for one in held:
        row, planned = one.row, one.row.planned_teacher
        away = bool(planned) and planned not in row.teachers
        for teacher in row.teachers:
            person = people[teacher]
            person.hours += row.class_hours
            person.sessions += 1
            person.stood_in += away
            person.days.add(one.day)
            person.by_kind[row.kind] += row.class_hours
        if away:
            people[planned].replaced += 1
    return people


def _people_sheet(held: tuple[Held, ...], names: Names) -> Sheet:
    people = _people(held)
    kinds = sorted({kind for person in people.values() for kind in person.by_kind})
    columns = (
        *STAFF, column("days", "天数", "days", Cell.WHOLE, 8), column("sessions", "场次", "sessions", Cell.WHOLE, 8),
        column("stood_in", "代班", "stood in", Cell.WHOLE, 8), column("replaced", "被代班", "replaced", Cell.WHOLE, 8),
        *(column(f"kind_{kind}", *kind_words(kind), Cell.HOURS, 10) for kind in kinds),
        column("class_hours", "课时合计", "class-hours", Cell.HOURS, 10),
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (names.staff_number(number), names.staff(number), len(one.days), one.sessions, one.stood_in, one.replaced,
         *(one.by_kind.get(kind, 0.0) for kind in kinds), one.hours)
        for number, one in sorted(people.items(), key=lambda pair: staff_order(names, pair[0]))
    ]  # fmt: skip
    everybody = people.values()
    total: tuple[Value, ...] = (
        "合计", f"{len(rows)} 人", None, sum(p.sessions for p in everybody), sum(p.stood_in for p in everybody),
        sum(p.replaced for p in everybody), *(sum(p.by_kind.get(kind, 0.0) for p in everybody) for kind in kinds),
        sum(p.hours for p in everybody),
    )  # fmt: skip
    hours = sum(one.row.class_hours for one in held)
    made = Words(f"班次 {len(held)} 场，班次课时 {hours:g}。", f"{len(held)} sessions with {hours:g} class-hours.")
    return Sheet(
        id="teachers", name=Words("教师汇总", "teachers"), columns=columns, rows=rows, total=total, notes=(CREDIT, made, COUNTED),
        charts=(Chart(shape="bar", title=Words("教师课时", "class-hours"), categories="name", values=("class_hours",)),),
    )  # fmt: skip


def _ledger_sheet(archive: Archive, names: Names) -> Sheet:
    came, went = stays_of(archive.stays)
    rows: list[tuple[Value, ...]] = []
    hours = 0.0
    for held in archive.held:
        row = held.first
        for teacher, value, put_right in ledger(held):
            key = (teacher, row.session, held.day)
            stay = None if put_right else came.get(key)
            for_whom = stay.body.standing_in_for if stay and isinstance(stay.body, CheckedIn) else 0
            hours += value
            rows.append((
                held.day, row.name, kind_words(row.kind).zh, row.room, names.staff_number(teacher), names.staff(teacher),
                stay.entry.at_ms if stay else None, None if put_right else went.get(key), names.staff(for_whom), value,
                put_right.note if put_right else "", names.staff(put_right.change.by if put_right else 0),
                int(put_right is not None and put_right.change.locked), str(put_right.entry.id if put_right else held.entry.id),
            ))  # fmt: skip
    columns = (
        *SESSION, column("kind", "内容", "content", Cell.TEXT, 12), column("room", "地点", "room", Cell.TEXT, 10), *STAFF,
        column("came", "签到", "in", Cell.TIME, 8), column("went", "签离", "out", Cell.TIME, 8),
        column("for", "代替", "standing in for", Cell.TEXT, 12), column("class_hours", "课时", "class-hours", Cell.HOURS, 8),
        column("why", "更正原因", "why corrected", Cell.TEXT, 24), column("by", "更正人", "corrected by", Cell.TEXT, 12),
        column("locked", "锁定后更正", "after the lock", Cell.FLAG, 10), column("entry", "记录", "entry", Cell.ID, 28),
    )  # fmt: skip
    total = ("合计", f"{len(rows)} 行", *(None,) * 7, hours, *(None,) * 4)
    notes = (CREDIT, LEDGER)
    return Sheet(id="ledger", name=Words("明细", "details"), columns=columns, rows=rows, total=total, notes=notes)


def _substitutions(archive: Archive, names: Names) -> Sheet:
    """Sessions without their planned teacher, and who was there instead."""
    why = {
        (stay.body.session, stay.day, stay.body.staff): word_zh(REASON_WORDS, stay.body.reason)
        for stay in archive.stays
        if isinstance(stay.body, CheckedIn) and stay.body.reason
    }
    rows: list[tuple[Value, ...]] = []
    for held in archive.held:
        row, planned = held.row, held.row.planned_teacher
        if planned and planned not in row.teachers:
            reasons = dict.fromkeys(why.get((row.session, held.day, teacher), "") for teacher in row.teachers)
            told = "；".join(filter(None, reasons))
            rows.append((held.day, row.name, names.staff(planned), names.several(row.teachers), told, row.class_hours))
    columns = (
        *SESSION, column("planned", "原定教师", "planned", Cell.TEXT, 12),
        column("there", "实际教师", "present", Cell.TEXT, 16), column("why", "原因", "reason", Cell.TEXT, 20),
        column("class_hours", "课时", "class-hours", Cell.HOURS, 8),
    )  # fmt: skip
    return Sheet(id="substitutions", name=Words("代班", "substitutions"), columns=columns, rows=rows)


def _corrections_sheet(archive: Archive, names: Names, books: Books) -> Sheet:
    """Every correction as it was made: when, by whom, why, from what to what."""
    rows: list[tuple[Value, ...]] = []
    for held in archive.held:
        for one, teachers, hours, then, hours_then in steps(held):
            rows.append((
                held.day, held.first.name, names.several(teachers), names.several(then), hours, hours_then,
                len(one.change.states), one.note, names.staff(one.change.by), books.local_day(one.entry.at_ms), one.entry.at_ms,
                int(one.change.locked), str(one.entry.id),
            ))  # fmt: skip
    columns = (
        *SESSION, column("teachers_before", "更正前教师", "teachers before", Cell.TEXT, 16),
        column("teachers_after", "更正后教师", "teachers after", Cell.TEXT, 16),
        column("hours_before", "更正前课时", "class-hours before", Cell.HOURS, 10),
        column("hours_after", "更正后课时", "class-hours after", Cell.HOURS, 10),
        column("states", "更正学生数", "children corrected", Cell.WHOLE, 10), column("why", "原因", "reason", Cell.TEXT, 24),
        column("by", "更正人", "by", Cell.TEXT, 12), column("made_on", "更正日期", "made on", Cell.DATE, 12),
        column("made_at", "更正时间", "made at", Cell.TIME, 8), column("locked", "锁定后更正", "after the lock", Cell.FLAG, 10),
        column("entry", "记录", "entry", Cell.ID, 28),
    )  # fmt: skip
    return Sheet(id="corrections", name=Words("更正", "corrections"), columns=columns, rows=rows, notes=(LEDGER,))


def _locks_sheet(archive: Archive, period: Period, names: Names, books: Books) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    for month in period.months():
        lock = archive.locked(month)
        on, by = (books.local_day(lock.entry.at_ms), lock.body.by) if lock else (None, 0)
        rows.append((month, int(lock is not None), on, names.staff(by)))
    columns = (
        column("month", "月份", "month", Cell.TEXT, 10), column("locked", "已锁定", "locked", Cell.FLAG, 8),
        column("on", "锁定日期", "locked on", Cell.DATE, 12), column("by", "锁定人", "locked by", Cell.TEXT, 12),
    )  # fmt: skip
    return Sheet(id="locks", name=Words("月度锁定", "month locks"), columns=columns, rows=rows)
