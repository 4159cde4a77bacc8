"""Teachers: minutes on duty for flexible hours (E3), and the month of each teacher for the school's own review (E4).

The kiosk never calls a teacher late and gives no marks: it says when somebody checked in and whether the roll was called in time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.class_hours import STAFF, staff_order, stays_of
from kiosk.reports.columns import COUNTED, Tally, column, frame
from kiosk.reports.naming import FINDING_WORDS, Names, word_zh
from kiosk.reports.period import Period
from kiosk.reports.service_rows import Archive, Patrol
from kiosk.reports.table import Cell, Report, Sheet, Value, Words

FLEXIBLE: Final = Words("教师弹性上下班时长", "Duty minutes for flexible hours")
MONTHLY: Final = Words("教师月度情况", "Teachers by month")
MINUTE_MS: Final = 60_000
UNION: Final = Words(
    "从签到算到签离；没有签到按开始时间，没有签离按结束时间，并在“推算”列标出；同一天相重的时间只算一次。",
    "From check-in to check-out; without one of them the planned time stands and the row says so; what overlaps counts once.",
)
NEVER_LATE: Final = Words("只供人事换算弹性上下班，不判定教师迟到。", "For the school to set off; nobody is called late here.")
ON_TIME: Final = Words(
    "准时：开始前或开始时签到。点名及时：开始后规定时间内完成点名。",
    "On time: checked in by the start. Roll in time: called within the school's minutes after it.",
)
NO_MARKS: Final = Words("只列事实，不打分；考评由学校决定。", "Facts and no marks: the review is the school's.")
_MINUTES: Final = column("minutes", "在岗分钟", "minutes", Cell.MINUTES, 10)
_Interval = tuple[int, int]


@dataclass(slots=True)
class _Duty:
    sessions: int = 0
    guessed: bool = False
    spans: list[_Interval] = field(default_factory=list)


def flexible_hours(books: Books, period: Period, asked: Asked) -> Report:
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    duties = _duties(archive)
    minutes: defaultdict[int, int] = defaultdict(int)
    days: defaultdict[int, int] = defaultdict(int)
    rows: list[tuple[Value, ...]] = []
    for day, teacher in sorted(duties, key=lambda key: (key[0], staff_order(names, key[1]))):
        duty = duties[day, teacher]
        spent, begins, ends = _union(duty.spans)
        minutes[teacher] += spent
        days[teacher] += 1
        rows.append(
            (day, names.staff_number(teacher), names.staff(teacher), duty.sessions, begins, ends, spent, int(duty.guessed))
        )
    of_day = (
        column("day", "日期", "date", Cell.DATE, 12), *STAFF, column("sessions", "场次", "sessions", Cell.WHOLE, 8),
        column("from", "最早", "first in", Cell.TIME, 8), column("to", "最晚", "last out", Cell.TIME, 8),
        _MINUTES, column("guessed", "推算", "planned times", Cell.FLAG, 8),
    )  # fmt: skip
    everybody = sorted(minutes, key=lambda number: staff_order(names, number))
    people = [(names.staff_number(one), names.staff(one), days[one], minutes[one]) for one in everybody]
    whole = sum(minutes.values())
    sheets = [
        Sheet(
            id="teachers", name=Words("教师汇总", "teachers"), rows=people, notes=(UNION, NEVER_LATE, COUNTED),
            columns=(*STAFF, column("days", "天数", "days", Cell.WHOLE, 8), _MINUTES),
            total=("合计", f"{len(people)} 人", sum(days.values()), whole),
        ),
        Sheet(
            id="days", name=Words("按日", "by day"), columns=of_day, rows=rows, notes=(UNION,),
            total=("合计", None, f"{len(rows)} 行", sum(duty.sessions for duty in duties.values()), None, None, whole, None),
        ),
    ]  # fmt: skip
    clauses = books.clauses("E3") or (books.silent("弹性上下班", "flexible hours"),)
    return frame(books, period, id="flexible_hours", title=FLEXIBLE, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def _duties(archive: Archive) -> dict[tuple[date, int], _Duty]:
    """(day, teacher) -> when the teacher was there; of everybody who stands as present in a session."""
    came, went = stays_of(archive.stays)
    found: defaultdict[tuple[date, int], _Duty] = defaultdict(_Duty)
    for held in archive.held:
        row = held.row
        for teacher in row.teachers:
            key, duty = (teacher, row.session, held.day), found[held.day, teacher]
            begins, ends = came.get(key), went.get(key)
            first = begins.entry.at_ms if begins else row.from_ms
            duty.sessions += 1
            duty.guessed |= begins is None or ends is None
            duty.spans.append((first, max(first, row.to_ms if ends is None else ends)))
    return found


def _union(spans: Iterable[_Interval]) -> tuple[int, int, int]:
    """Whole minutes covered, and where it begins and ends."""
    ordered = sorted(spans)
    covered, until = 0, ordered[0][0]
    for begins, ends in ordered:
        covered += max(0, ends - max(begins, until))
        until = max(until, ends)
    return covered // MINUTE_MS, ordered[0][0], until


# --- the month of a teacher -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Month:
    sessions: int = 0
    hours: float = 0.0
    known: int = 0  # sessions whose check-in is on record
    on_time: int = 0
    rolls_in_time: int = 0
    stood_in: int = 0
    tally: Tally = field(default_factory=Tally)
    patrols: int = 0
    findings: list[str] = field(default_factory=list)


def teacher_month(books: Books, period: Period, asked: Asked) -> Report:
    archive = books.archive(period.first, period.last, rolls=True)
    names = Names(books.directory, masked=asked.masked)
    months = _months(archive, books.settings.rules.roll_due_ms)
    rows: list[tuple[Value, ...]] = []
    for teacher in sorted(months, key=lambda number: staff_order(names, number)):
        one = months[teacher]
        rows.append((
            names.staff_number(teacher), names.staff(teacher), one.sessions, one.hours, one.stood_in, one.on_time,
            one.on_time / one.known if one.known else None, one.rolls_in_time, one.rolls_in_time / one.sessions, one.tally.rate,
            one.patrols, len(one.findings), "；".join(one.findings),
        ))  # fmt: skip
    columns = (
        *STAFF, column("sessions", "场次", "sessions", Cell.WHOLE, 8),
        column("class_hours", "课时", "class-hours", Cell.HOURS, 8), column("stood_in", "代班", "stood in", Cell.WHOLE, 8),
        column("on_time", "准时签到", "on time", Cell.WHOLE, 9), column("on_time_rate", "准时率", "punctual", Cell.PERCENT, 9),
        column("rolls", "点名及时", "rolls in time", Cell.WHOLE, 9), column("roll_rate", "及时率", "roll rate", Cell.PERCENT, 9),
        column("rate", "学生出勤率", "attendance", Cell.PERCENT, 10), column("patrols", "被巡查", "patrols", Cell.WHOLE, 8),
        column("findings", "巡查问题", "findings", Cell.WHOLE, 8), column("remarks", "巡查记录", "remarks", Cell.TEXT, 40),
    )  # fmt: skip
    sheet = Sheet(
        id="teachers", name=Words("教师", "teachers"), columns=columns, rows=rows, notes=(ON_TIME, NO_MARKS, COUNTED),
        total=("合计", f"{len(rows)} 人", sum(m.sessions for m in months.values()), sum(m.hours for m in months.values()),
               sum(m.stood_in for m in months.values()), sum(m.on_time for m in months.values()), None,
               sum(m.rolls_in_time for m in months.values()), None, None, sum(m.patrols for m in months.values()),
               sum(len(m.findings) for m in months.values()), None),
    )  # fmt: skip
    clauses = books.clauses("E4") or (books.silent("教师月度考评", "a monthly review of teachers"),)
    return frame(books, period, id="teacher_month", title=MONTHLY, sheets=[sheet], archive=archive, quoted=clauses)


def _months(archive: Archive, roll_due_ms: int) -> dict[int, _Month]:
    came, _ = stays_of(archive.stays)
    patrols: defaultdict[tuple[str, date], list[Patrol]] = defaultdict(list)
    for patrol in archive.patrols:
        patrols[patrol.body.session, patrol.day].append(patrol)
    found: defaultdict[int, _Month] = defaultdict(_Month)
    for held in archive.held:
        row, roll = held.row, archive.rolls.get((held.row.session, held.day))
        in_time = roll is not None and roll.entry.at_ms <= row.from_ms + roll_due_ms
        seen = patrols.get((row.session, held.day), ())
        for teacher in row.teachers:
            one, stay = found[teacher], came.get((teacher, row.session, held.day))
            one.sessions += 1
            one.hours += row.class_hours
            one.known += stay is not None
            one.on_time += stay is not None and stay.entry.at_ms <= row.from_ms
            one.rolls_in_time += in_time
            one.stood_in += bool(row.planned_teacher) and row.planned_teacher not in row.teachers
            one.tally.add(held)
            one.patrols += len(seen)
            one.findings += [_finding(patrol) for patrol in seen if patrol.body.finding != "in_order"]
    return found


def _finding(patrol: Patrol) -> str:
    told = f"{patrol.day:%m-%d} {word_zh(FINDING_WORDS, patrol.body.finding)}"
    return f"{told}（{patrol.note}）" if patrol.note else told
