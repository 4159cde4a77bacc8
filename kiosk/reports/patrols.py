"""Patrols (巡查记录): what was seen, and which sessions of which day nobody looked at."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final

from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.class_hours import SESSION
from kiosk.reports.columns import column, frame
from kiosk.reports.naming import FINDING_WORDS, Names, word_zh
from kiosk.reports.period import Period
from kiosk.reports.service_rows import Archive
from kiosk.reports.table import Cell, Chart, Report, Sheet, Value, Words

TITLE: Final = Words("课后服务巡查记录", "Patrols of the service")
COVERED: Final = Words(
    "每场至少巡查一次才算已巡查；没有巡查记录的场次列为未巡查。",
    "A session counts as patrolled when somebody looked at it at least once; the others are listed.",
)


def patrol_report(books: Books, period: Period, asked: Asked) -> Report:
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    times = covered(archive)
    sheets = [_days_sheet(archive, times), _patrols_sheet(archive, names), _sessions_sheet(archive, times, names)]
    clauses = books.clauses("F2") or (books.silent("每天巡查", "daily patrols"),)
    return frame(books, period, id="patrols", title=TITLE, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def covered(archive: Archive) -> dict[tuple[str, date], int]:
    """(session, day) -> how often somebody looked at it."""
    times: defaultdict[tuple[str, date], int] = defaultdict(int)
    for patrol in archive.patrols:
        times[patrol.body.session, patrol.day] += 1
    return times


def _days_sheet(archive: Archive, times: dict[tuple[str, date], int]) -> Sheet:
    held: defaultdict[date, int] = defaultdict(int)
    seen: defaultdict[date, int] = defaultdict(int)
    for one in archive.held:
        held[one.day] += 1
        seen[one.day] += bool(times.get((one.row.session, one.day)))
    patrols: defaultdict[date, int] = defaultdict(int)
    findings: defaultdict[date, int] = defaultdict(int)
    for patrol in archive.patrols:
        patrols[patrol.day] += 1
        findings[patrol.day] += patrol.body.finding != "in_order"
    days = sorted({*held, *patrols})
    rows: list[tuple[Value, ...]] = [
        (day, held[day], seen[day], held[day] - seen[day], seen[day] / held[day] if held[day] else None, patrols[day],
         findings[day], "已巡查" if held[day] == seen[day] else "未巡查")
        for day in days
    ]  # fmt: skip
    sums = [sum(table[day] for day in days) for table in (held, seen)]
    columns = (
        column("day", "日期", "date", Cell.DATE, 12), column("sessions", "场次", "sessions", Cell.WHOLE, 8),
        column("seen", "已巡查", "patrolled", Cell.WHOLE, 8), column("unseen", "未巡查", "not patrolled", Cell.WHOLE, 8),
        column("share", "覆盖率", "share", Cell.PERCENT, 9), column("patrols", "巡查次数", "patrols", Cell.WHOLE, 9),
        column("findings", "发现问题", "findings", Cell.WHOLE, 9), column("verdict", "当天", "the day", Cell.TEXT, 8),
    )  # fmt: skip
    total = ("合计", *sums, sums[0] - sums[1], sums[1] / sums[0] if sums[0] else None, len(archive.patrols),
             sum(findings.values()), None)  # fmt: skip
    return Sheet(
        id="days", name=Words("按日", "by day"), columns=columns, rows=rows, total=total, notes=(COVERED,),
        charts=(Chart(shape="bar", title=Words("巡查场次", "patrolled"), categories="day", values=("seen", "unseen")),),
    )  # fmt: skip


def _patrols_sheet(archive: Archive, names: Names) -> Sheet:
    known = {(held.row.session, held.day): held.row.name for held in archive.held}
    rows: list[tuple[Value, ...]] = []
    for entry, day, body, note in archive.patrols:
        listed = names.directory.sessions.get(body.session)
        name = known.get((body.session, day)) or (listed.name if listed else body.session)
        rows.append((
            day, name, entry.at_ms, body.room, body.expected, body.counted, int(body.teacher_present),
            word_zh(FINDING_WORDS, body.finding), note, names.staff(body.by), str(entry.id),
        ))  # fmt: skip
    columns = (
        *SESSION, column("at", "巡查时间", "at", Cell.TIME, 9), column("room", "地点", "room", Cell.TEXT, 10),
        column("expected", "应到", "expected", Cell.WHOLE, 8), column("counted", "实到", "counted", Cell.WHOLE, 8),
        column("teacher", "教师在岗", "teacher there", Cell.FLAG, 9), column("finding", "情况", "finding", Cell.TEXT, 12),
        column("note", "记录", "remark", Cell.TEXT, 30), column("by", "巡查人", "by", Cell.TEXT, 12),
        column("entry", "编号", "entry", Cell.ID, 28),
    )  # fmt: skip
    return Sheet(id="patrols", name=Words("巡查记录", "patrols"), columns=columns, rows=rows)


def _sessions_sheet(archive: Archive, times: dict[tuple[str, date], int], names: Names) -> Sheet:
    rows = [
        (held.day, held.row.name, held.row.from_ms, held.row.room, names.several(held.row.teachers))
        for held in archive.held
        if not times.get((held.row.session, held.day))
    ]
    columns = (
        *SESSION, column("from", "开始", "from", Cell.TIME, 8), column("room", "地点", "room", Cell.TEXT, 10),
        column("teachers", "教师", "teachers", Cell.TEXT, 16),
    )  # fmt: skip
    return Sheet(id="unseen", name=Words("未巡查场次", "not patrolled"), columns=columns, rows=rows, notes=(COVERED,))
