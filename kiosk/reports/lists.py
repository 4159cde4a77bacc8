"""Lists of who took part: for the survey of families at the end of a term (C5), and for each outside provider (E6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.class_hours import SESSION
from kiosk.reports.columns import CHILD, COUNTED, RATE, Tally, column, frame, kind_words, tally_columns
from kiosk.reports.naming import Names
from kiosk.reports.period import Period
from kiosk.reports.service_rows import Held
from kiosk.reports.table import Cell, Column, Report, Sheet, Value, Words

PARTICIPANTS: Final = Words("课后服务参加学生名单", "Children who took part")
PROVIDERS: Final = Words("合作机构考勤", "Attendance by provider")
ONCE: Final = Words(
    "每个项目中每名学生一行；至少参加过一次才列出。", "A line for each child and session, of those who were there at least once."
)
NO_FEES: Final = Words(
    "代收费由学校另行公示，本系统不记收费。", "Agency fees are published by the school; nothing is recorded here."
)
_Key = tuple[str, str, int]  # partner, session, child


def participants(books: Books, period: Period, asked: Asked) -> Report:
    """Of every session, or of the one that was asked for."""
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    held = [one for one in archive.held if asked.session in ("", one.row.session)]
    sheet = _children_sheet("participants", Words("参加学生", "who took part"), held, names, providers=False)
    clauses = books.clauses("C5") or (books.silent("意见征集", "asking families for their opinion"),)
    return frame(books, period, id="participants", title=PARTICIPANTS, sheets=[sheet], archive=archive, quoted=clauses)


def providers(books: Books, period: Period, asked: Asked) -> Report:
    """Of every outside organisation that ran a session, or of the one that was asked for."""
    archive = books.archive(period.first, period.last)
    names = Names(books.directory, masked=asked.masked)
    held = [one for one in archive.held if one.row.partner and asked.partner in ("", one.row.partner)]
    sheets = [
        _partners_sheet(held), _sessions_sheet(held, names),
        _children_sheet("pupils", Words("按学生", "by pupil"), held, names, providers=True),
    ]  # fmt: skip
    clauses = books.clauses("E6") or (books.silent("代收费", "agency fees"),)
    return frame(books, period, id="providers", title=PROVIDERS, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def _children_sheet(id: str, name: Words, held: Iterable[Held], names: Names, *, providers: bool) -> Sheet:
    tallies: defaultdict[_Key, Tally] = defaultdict(Tally)
    titles: dict[str, str] = {}
    for one in held:
        row = one.row
        titles[row.session] = row.name
        for child, state in one.enrolled():
            tallies[row.partner, row.session, child].states[state] += 1
        for child in one.guests():
            tallies[row.partner, row.session, child].guests += 1
    rows: list[tuple[Value, ...]] = []
    children, total = set[int](), Tally()
    for partner, session, number in sorted(tallies, key=lambda key: (key[0] if providers else "", key[1], names.order(key[2]))):
        tally = tallies[partner, session, number]
        if not tally.attended and not tally.guests and not providers:
            continue
        named = names.child(number)
        children.add(number)
        total.states.update(tally.states)
        total.guests += tally.guests
        head = (partner, titles[session]) if providers else (titles[session],)
        rows.append((*head, named.class_name, named.seat or None, named.school_number, named.name, *tally.values()))
    begins: tuple[Column, ...] = (column("session", "项目", "session", Cell.TEXT, 18),)
    if providers:
        begins = (column("partner", "合作机构", "provider", Cell.TEXT, 16), *begins)
    filler = (None,) * (len(begins) - 1)
    notes = (RATE, COUNTED) if providers else (ONCE, RATE)
    return Sheet(
        id=id, name=name, columns=(*begins, *CHILD, *tally_columns()), rows=rows, notes=notes,
        total=("合计", *filler, None, None, None, f"{len(children)} 人", *total.values()),
    )  # fmt: skip


def _partners_sheet(held: Iterable[Held]) -> Sheet:
    sessions: defaultdict[str, int] = defaultdict(int)
    hours: defaultdict[str, float] = defaultdict(float)
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for one in held:
        sessions[one.row.partner] += 1
        hours[one.row.partner] += one.row.class_hours
        tallies[one.row.partner].add(one)
    columns = (
        column("partner", "合作机构", "provider", Cell.TEXT, 16), column("sessions", "场次", "sessions", Cell.WHOLE, 8),
        column("class_hours", "课时", "class-hours", Cell.HOURS, 8), *tally_columns(),
    )  # fmt: skip
    rows = [(partner, sessions[partner], hours[partner], *tallies[partner].values()) for partner in sorted(sessions)]
    return Sheet(id="providers", name=Words("机构汇总", "providers"), columns=columns, rows=rows, notes=(RATE, NO_FEES))


def _sessions_sheet(held: Iterable[Held], names: Names) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    for one in held:
        tally, row = Tally(), one.row
        tally.add(one)
        rows.append((
            one.day, row.name, row.partner, kind_words(row.kind).zh, row.room, names.several(row.teachers), row.class_hours,
            *tally.values(),
        ))  # fmt: skip
    columns = (
        *SESSION, column("partner", "合作机构", "provider", Cell.TEXT, 16), column("kind", "内容", "content", Cell.TEXT, 12),
        column("room", "地点", "room", Cell.TEXT, 10), column("teachers", "人员", "staff", Cell.TEXT, 16),
        column("class_hours", "课时", "class-hours", Cell.HOURS, 8), *tally_columns(),
    )  # fmt: skip
    return Sheet(id="sessions", name=Words("按场次", "by session"), columns=columns, rows=rows, notes=(RATE,))
