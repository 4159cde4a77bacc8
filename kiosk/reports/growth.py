"""The growth file (成长档案): of each pupil and term, attendance, courses, and what teachers wrote of interest and potential.

Whoever shows one decides who may read it: the child's own family and its class teacher. Without a child it lists a class or the
school, with numbers and without the texts.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final

from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.columns import CHILD, COUNTED, RATE, Tally, column, frame, kind_words, tally_columns
from kiosk.reports.naming import Names
from kiosk.reports.period import Period
from kiosk.reports.service_rows import ATTENDED, Archive, Growth
from kiosk.reports.table import Cell, Chart, Report, Sheet, Value, Words

TITLE: Final = Words("学生课后成长档案", "Growth file")
OWN: Final = Words(
    "只给学生本人的监护人和班主任；同一教师对同一学生同一学期的记录以最后一次为准。",
    "For the child's own family and class teacher only; of one teacher's notes on a child in a term the last one stands.",
)
_Course = tuple[str, str]  # session, name


class _File:
    __slots__ = ("courses", "days", "kinds", "notes", "tally")

    def __init__(self) -> None:
        self.tally, self.days = Tally(), set[date]()
        self.courses: defaultdict[_Course, Tally] = defaultdict(Tally)
        self.kinds: dict[_Course, str] = {}
        self.notes: dict[tuple[int, str], Growth] = {}  # teacher, term -> the last one


def growth_file(books: Books, period: Period, asked: Asked) -> Report:
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    files = _files(archive)
    clauses = books.clauses("F3") or (books.silent("成长档案", "a growth file"),)
    if asked.child:
        one = files.get(asked.child) or _File()
        sheets = [_courses_sheet(one), _notes_sheet(one, names, books)]
        named = names.child(asked.child)
        facts: dict[str, Value] = {
            "child": named.name, "class": named.class_name, "school_number": named.school_number, "days": len(one.days),
            "rate": one.tally.rate,
        }  # fmt: skip
        title = Words(f"{TITLE.zh}·{named.class_name}·{named.name}", f"{TITLE.en}, {named.class_name}, {named.name}")
        return frame(books, period, id="growth", title=title, sheets=sheets, quoted=clauses, facts=facts, signed=True)
    wanted = set(names.directory.pupils_of_class.get(asked.class_id, ())) if asked.class_id else set(files)
    sheets = [_list_sheet({child: one for child, one in files.items() if child in wanted}, names)]
    return frame(books, period, id="growth", title=TITLE, sheets=sheets, archive=archive, quoted=clauses)


def _files(archive: Archive) -> dict[int, _File]:
    found: defaultdict[int, _File] = defaultdict(_File)
    for held in archive.held:
        course = (held.row.session, held.row.name)
        for child, state in held.enrolled():
            one = found[child]
            one.tally.states[state] += 1
            one.courses[course].states[state] += 1
            one.kinds[course] = held.row.kind
            if state in ATTENDED:
                one.days.add(held.day)
        for child in held.guests():
            one = found[child]
            one.tally.guests += 1
            one.courses[course].guests += 1
            one.kinds[course] = held.row.kind
            one.days.add(held.day)
    for note in archive.growth:
        found[note.body.child].notes[note.body.by, note.body.term] = note
    return found


def _courses_sheet(one: _File) -> Sheet:
    columns = (
        column("session", "课程", "course", Cell.TEXT, 18), column("kind", "内容", "content", Cell.TEXT, 12), *tally_columns(),
    )  # fmt: skip
    rows = [(course[1], kind_words(one.kinds[course]).zh, *tally.values()) for course, tally in sorted(one.courses.items())]
    return Sheet(
        id="courses", name=Words("课程与出勤", "courses"), columns=columns, rows=rows, notes=(RATE, COUNTED),
        total=("合计", f"参加 {len(one.days)} 天", *one.tally.values()),
        charts=(Chart(shape="bar", title=Words("参加次数", "attended"), categories="session", values=("attended",)),),
    )  # fmt: skip


def _notes_sheet(one: _File, names: Names, books: Books) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    for entry, day, body, note in sorted(one.notes.values(), key=lambda note: note.entry.order):
        listed = books.directory.sessions.get(body.session)
        rows.append(
            (
                day,
                names.staff(body.by),
                listed.name if listed else body.session,
                note or "（原文不在本机或已删除）",
                str(entry.id),
            )
        )
    columns = (
        column("day", "日期", "date", Cell.DATE, 12), column("by", "教师", "teacher", Cell.TEXT, 12),
        column("session", "课程", "course", Cell.TEXT, 18),
        column("note", "兴趣特长与潜能表现", "interest and potential", Cell.TEXT, 50),
        column("entry", "编号", "entry", Cell.ID, 28),
    )  # fmt: skip
    return Sheet(id="notes", name=Words("教师记录", "notes"), columns=columns, rows=rows, notes=(OWN,))


def _list_sheet(files: dict[int, _File], names: Names) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    for number in sorted(files, key=names.order):
        one, child = files[number], names.child(number)
        courses = "、".join(dict.fromkeys(name for _, name in sorted(one.courses)))
        rows.append((
            child.class_name, child.seat or None, child.school_number, child.name, len(one.days), one.tally.rate,
            len(one.courses), courses, len(one.notes),
        ))  # fmt: skip
    columns = (
        *CHILD, column("days", "参加天数", "days", Cell.WHOLE, 9), column("rate", "出勤率", "rate", Cell.PERCENT, 9),
        column("courses", "课程数", "courses", Cell.WHOLE, 8), column("which", "课程", "which", Cell.TEXT, 40),
        column("notes", "教师记录", "notes", Cell.WHOLE, 9),
    )  # fmt: skip
    total = ("合计", None, None, f"{len(rows)} 人", sum(len(one.days) for one in files.values()), None, None, None,
             sum(len(one.notes) for one in files.values()))  # fmt: skip
    return Sheet(id="pupils", name=Words("学生", "pupils"), columns=columns, rows=rows, total=total, notes=(OWN, COUNTED))
