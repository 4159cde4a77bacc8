"""Early arrivals by class and week (A14): where so many children come before the gate opens that somebody may be asking for it.

Taps are the only source of this one. It names classes and no child; what lies behind a share is for people to find out.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final

from kiosk.core.decisions import Reason
from kiosk.core.entries import Kind, UnreadableEntry, decode
from kiosk.recorded import Records, StreamRows, day_bounds, day_from
from kiosk.reports.archive import Progress
from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.columns import column, frame
from kiosk.reports.naming import Names
from kiosk.reports.period import Period
from kiosk.reports.table import Cell, Chart, Report, Sheet, Value, Words
from kiosk.reports.weeks import monday

TITLE: Final = Words("各班提前到校情况", "Early arrivals by class")
SUSPECT: Final = 0.30  # ours: from a larger share on a class is listed
DAY_MS: Final = 86_400_000
SHARE: Final = Words(
    "校门开放前到校的人次占该班到校人次的比例；超过30%的班级列出，供学校核实是否变相要求提前到校（30%为本系统的提示线）。",
    "Share: of a class's arrivals, those before the gate opened. Above 30 % a class is listed, for the school to find out"
    " whether it was asked to come early; the 30 % are ours.",
)
_Days = dict[tuple[date, int], bool]  # (day, child) -> whether it came early


def early_arrivals(books: Books, period: Period, asked: Asked) -> Report:
    with books.records() as records:
        found = read_arrivals(
            records, period.first, period.last, utc_offset_ms=books.settings.plan.utc_offset_ms, progress=books.progress
        )
    names = Names(books.directory)
    came: defaultdict[tuple[date, str], int] = defaultdict(int)
    early: defaultdict[tuple[date, str], int] = defaultdict(int)
    children: defaultdict[tuple[date, str], set[int]] = defaultdict(set)
    for (day, child), before in found.items():
        pupil = books.directory.pupils.get(child)
        key = (monday(day), pupil.class_id if pupil else "")
        came[key] += 1
        if before:
            early[key] += 1
            children[key].add(child)
    rows: list[tuple[Value, ...]] = []
    for week, class_id in sorted(came, key=lambda key: (key[0], names.class_order(key[1]))):
        key, home = (week, class_id), books.directory.classes.get(class_id)
        share = early[key] / came[key]
        name = home.name if home else class_id or "（已删除）"
        rows.append((week, name, came[key], early[key], len(children[key]), share, int(share > SUSPECT)))
    columns = (
        column("week", "周（周一）", "week (Monday)", Cell.DATE, 12), column("class", "班级", "class", Cell.TEXT, 12),
        column("came", "到校人次", "arrivals", Cell.WHOLE, 10), column("early", "提前人次", "early", Cell.WHOLE, 10),
        column("children", "提前学生", "children", Cell.WHOLE, 10), column("share", "比例", "share", Cell.PERCENT, 9),
        column("suspect", "超过30%", "above 30 %", Cell.FLAG, 9),
    )  # fmt: skip
    sums = sum(came.values()), sum(early.values())
    suspects = [row[:-1] for row in rows if row[-1]]
    sheets = [
        Sheet(id="suspects", name=Words("超过30%的班级", "above 30 %"), columns=columns[:-1], rows=suspects, notes=(SHARE,)),
        Sheet(
            id="classes", name=Words("全部班级", "all classes"), columns=columns, rows=rows, notes=(SHARE,),
            total=("合计", None, *sums, None, sums[1] / sums[0] if sums[0] else None, len(suspects)),
            charts=(Chart(shape="bar", title=Words("提前到校比例", "share by class"), categories="class", values=("share",)),),
        ),
    ]  # fmt: skip
    clauses = books.clauses("A14") or (books.silent("提前到校", "early arrivals"),)
    return frame(books, period, id="early_arrivals", title=TITLE, sheets=sheets, quoted=clauses)


def read_arrivals(records: Records, first: date, last: date, *, utc_offset_ms: int, progress: Progress | None = None) -> _Days:
    """Each child's first arrival of each day. Raises RecordsError, and whatever `progress` raises."""
    start_ms, end_ms = day_bounds(first, utc_offset_ms)[0], day_bounds(last, utc_offset_ms)[1]
    kinds = frozenset({Kind.ARRIVED.value})
    bounds = {stream.name: (stream.first_at(start_ms), _through(stream, end_ms)) for stream in records.streams}
    total, before = sum(max(0, high - low + 1) for low, high in bounds.values()), 0
    found: dict[tuple[date, int], tuple[tuple[int, str, str, int], bool]] = {}
    days: dict[str, date] = {}
    for stream in records.streams:
        low, high = bounds[stream.name]
        for through, rows in stream.looked_through(kinds, low, high) if high >= low else ():
            for row in rows:
                _arrival(row.raw, first, last, days, found)
            if progress is not None:
                progress(before + through - low + 1, total)
        before += max(0, high - low + 1)
    return {key: early for key, (_, early) in found.items()}


def _through(stream: StreamRows, end_ms: int) -> int:
    """How far a stream may speak of the period: a day's grace for what a gate that was cut off wrote late."""
    return stream.first_at(end_ms + DAY_MS) - 1


def _arrival(
    raw: bytes, first: date, last: date, days: dict[str, date],
    found: dict[tuple[date, int], tuple[tuple[int, str, str, int], bool]],
) -> None:  # fmt: skip
    try:
        entry = decode(raw)
    except UnreadableEntry:
        return
    if entry.kind != Kind.ARRIVED or "day" not in entry.body:
        return
    text = entry.body["day"]
    day = days.get(text) or days.setdefault(text, day_from(text))
    if first <= day <= last:
        key, early = (day, entry.body["child"]), entry.body.get("reason") == Reason.EARLY_ARRIVAL
        if key not in found or entry.order < found[key][0]:
            found[key] = entry.order, early
