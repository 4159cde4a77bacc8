"""The archive itself (有案可查): of every session 人数, 内容, 时间, 形式, teacher, room, remarks, and what was put right.

Searched by time, session, pupil and text. Rows are shown as they were closed and, beside that, as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kiosk.core.service_records import Remark
from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.class_hours import LEDGER, SESSION
from kiosk.reports.columns import COUNTED, RATE, Tally, column, frame, kind_words, tally_columns
from kiosk.reports.naming import FORM_WORDS, REASON_WORDS, REMARK_WORDS, Names, state_zh, word_zh
from kiosk.reports.period import Period
from kiosk.reports.service_rows import Held
from kiosk.reports.table import Cell, Report, Sheet, Value, Words

TITLE: Final = Words("课后服务档案", "Archive of the service")
GUEST: Final = "guest"


def session_archive(books: Books, period: Period, asked: Asked) -> Report:
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    found = [one for one in archive.held if _meant(one, asked, names)]
    sheets = [_rows_sheet(found, names, asked, books), _children_sheet(found, names, asked)]
    clauses = books.clauses("F1") or (books.silent("档案留存", "keeping an archive"),)
    return frame(books, period, id="archive", title=TITLE, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def _meant(held: Held, asked: Asked, names: Names) -> bool:
    row, text = held.row, asked.text.strip().lower()
    if asked.session and row.session != asked.session:
        return False
    if asked.child and asked.child not in row.states and asked.child not in held.first.guests:
        return False
    if asked.partner and row.partner != asked.partner:
        return False
    if not text:
        return True
    words = (row.session, row.name, kind_words(row.kind).zh, row.room, row.partner, names.several(row.teachers))
    return any(text in word.lower() for word in words)


def _rows_sheet(found: Iterable[Held], names: Names, asked: Asked, books: Books) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    total, hours = Tally(), 0.0
    for held in found:
        tally, row = Tally(), held.row
        tally.add(held)
        total.add(held)
        hours += row.class_hours
        rows.append((
            held.day, row.name, kind_words(row.kind).zh, word_zh(FORM_WORDS, row.form), row.slot or None, row.from_ms, row.to_ms,
            row.room, names.staff(row.planned_teacher), names.several(row.teachers), row.partner, tally.attended + tally.guests,
            *tally.values(), row.class_hours, "；".join(_remark(one, names) for one in row.exceptions),
            state_of(held, asked.child), books.local_day(held.entry.at_ms), held.entry.at_ms, names.staff(row.by),
            len(held.corrections), len(held.again), str(held.entry.id),
        ))  # fmt: skip
    columns = (
        *SESSION, column("kind", "内容", "content", Cell.TEXT, 12), column("form", "形式", "form", Cell.TEXT, 8),
        column("slot", "时段", "slot", Cell.WHOLE, 6), column("from", "开始", "from", Cell.TIME, 8),
        column("to", "结束", "to", Cell.TIME, 8), column("room", "地点", "room", Cell.TEXT, 10),
        column("planned", "原定教师", "planned", Cell.TEXT, 10), column("teachers", "到岗教师", "present", Cell.TEXT, 14),
        column("partner", "合作机构", "provider", Cell.TEXT, 12), column("there", "人数", "children there", Cell.WHOLE, 8),
        *tally_columns(), column("class_hours", "课时", "class-hours", Cell.HOURS, 8),
        column("remarks", "异常", "out of the ordinary", Cell.TEXT, 40), column("state", "该生", "this child", Cell.TEXT, 8),
        column("closed_on", "归档日期", "closed on", Cell.DATE, 12), column("closed_at", "归档时间", "closed at", Cell.TIME, 8),
        column("by", "归档人", "closed by", Cell.TEXT, 10), column("corrections", "更正", "corrections", Cell.WHOLE, 8),
        column("again", "重复归档", "closed again", Cell.WHOLE, 9), column("entry", "记录", "entry", Cell.ID, 28),
    )  # fmt: skip
    there = total.attended + total.guests
    last = ("合计", f"{len(rows)} 场", *(None,) * 9, there, *total.values(), hours, *(None,) * 8)
    return Sheet(
        id="sessions", name=Words("归档", "archive"), columns=columns, rows=rows, total=last, notes=(RATE, COUNTED),
    )  # fmt: skip


def state_of(held: Held, child: int) -> str:
    """What became of a child there, in Chinese; "" where it was not on the list or nobody was asked for."""
    if child in held.row.states:
        return state_zh(held.row.states[child])
    return word_zh(REMARK_WORDS, GUEST) if child and child in held.first.guests else ""


def _remark(one: Remark, names: Names) -> str:
    """What it was, whom it concerned, and why, as far as that has words."""
    told = word_zh(REMARK_WORDS, one.what)
    people = [names.child(one.child).name] if one.child else [names.staff(n) for n in (one.staff, one.other) if n]
    why = word_zh(REASON_WORDS, one.why)
    return told + (f"（{'→'.join(people)}）" if people else "") + (f" {why}" if why else "")


def _children_sheet(found: Iterable[Held], names: Names, asked: Asked) -> Sheet:
    """Every correction of a child's state: from what to what, and why."""
    rows: list[tuple[Value, ...]] = []
    for held in found:
        before = dict(held.first.states)
        for entry, change, note in held.corrections:
            for child, state in change.states.items():
                was = before.get(child, GUEST if child in held.first.guests else "")
                before[child] = state
                if not asked.child or child == asked.child:
                    named = names.child(child)
                    rows.append((
                        held.day, held.first.name, named.class_name, named.name,
                        word_zh(REMARK_WORDS, was) if was == GUEST else state_zh(was), state_zh(state), note,
                        names.staff(change.by), entry.at_ms, int(change.locked), str(entry.id),
                    ))  # fmt: skip
    columns = (
        *SESSION, column("class", "班级", "class", Cell.TEXT, 12), column("name", "姓名", "name", Cell.TEXT, 12),
        column("was", "原记录", "before", Cell.TEXT, 8), column("now", "更正为", "after", Cell.TEXT, 8),
        column("why", "原因", "reason", Cell.TEXT, 24), column("by", "更正人", "by", Cell.TEXT, 12),
        column("at", "时间", "at", Cell.TIME, 8), column("locked", "锁定后更正", "after the lock", Cell.FLAG, 10),
        column("entry", "记录", "entry", Cell.ID, 28),
    )  # fmt: skip
    return Sheet(id="corrections", name=Words("学生更正", "corrections"), columns=columns, rows=rows, notes=(LEDGER,))
