"""Teachers' pages in every moment of the afternoon: what came back, who is looked for, who is on the way."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.roster import (
    EscortLine,
    GroupLine,
    NextGroup,
    OfferLine,
    ReturnedLine,
    RosterRow,
    RosterView,
    SearchLine,
    StaffLine,
)
from tests.faces.sample_views import TEACHER, at, bar, child, roster

COLLEAGUES = tuple(
    StaffLine(staff=9040 + n, name=name)
    for n, name in enumerate(("陈晓", "黄丽", "刘洋", "马超", "孙倩", "王敏", "吴磊", "徐静", "张伟"))
)
GATES = (("east", "东门"), ("south", "南门"))


def mine(**changes: object) -> RosterView:
    """Taken over and called; 41 in the teacher's own care."""
    view = roster(called=True, taken=True)
    marked = tuple(replace(row, mark=row.mark or ("present" if row.here else "absent_unexplained")) for row in view.rows)
    view = replace(view, rows=marked)
    kept: dict[str, object] = {
        "me": TEACHER.number, "me_name": TEACHER.name, "colleagues": COLLEAGUES, "escort_gates": GATES, **changes,
    }  # fmt: skip
    return replace(view, **kept)


def held(view: RosterView) -> tuple[int, ...]:
    return tuple(row.line.child for row in view.rows if row.held_by_me)


def ending(**changes: object) -> RosterView:
    """17:25: twelve go to the science club, eight to extended care, the others are led home."""
    view = mine(bar=bar(at("17:25")))
    children = held(view)
    groups = (
        NextGroup(
            kind="to_session", session="S118", title="科学社", room="实验室", taker=9031, taker_name="王敏",
            children=children[:12],
        ),
        NextGroup(
            kind="to_extended_care", session="E1", title="延时托管", room="阅览室", taker=9032, taker_name="吴磊",
            children=children[12:20],
        ),
    )  # fmt: skip
    takers = (("to_duty", 9200, "陈立新"), ("to_gatehouse", 9100, "东门门卫室 · 赵建国"))
    return replace(view, next_groups=groups, next_takers=takers, **changes)


def homeward() -> RosterView:
    """Only those who are led to the gate are left."""
    view = ending()
    gone = {child for group in view.next_groups for child in group.children}
    rows = tuple(replace(row, held_by_me=False) if row.line.child in gone else row for row in view.rows)
    return replace(view, rows=rows, next_groups=())


def on_the_way() -> RosterView:
    view = homeward()
    going = [row.line for row in view.rows if row.held_by_me]
    rows = tuple(_at(row, "护送途中 → 东门", escorted=row.held_by_me) for row in view.rows)
    line = EscortLine(
        escort="E7", teacher=TEACHER.number, teacher_name=TEACHER.name, gate="east", gate_name="东门", departed_ms=at("17:28"),
        due_ms=at("17:38"), children=tuple(going),
    )  # fmt: skip
    return replace(view, rows=rows, escorts=(line,), bar=bar(at("17:31")))


def _at(row: RosterRow, place: str, *, escorted: bool = False, at_gate: bool = False) -> RosterRow:
    if not row.held_by_me:
        return row
    return replace(row, line=replace(row.line, place=place), escorted=escorted, at_gate=at_gate)


def at_the_gate() -> RosterView:
    view = homeward()
    return replace(view, rows=tuple(_at(row, "东门候接区", at_gate=True) for row in view.rows), bar=bar(at("17:36")))


def outside() -> RosterView:
    view = mine(bar=bar(at("16:55")))
    going = tuple(row.line for row in view.rows if row.held_by_me)
    rows = tuple(_at(row, "校外 · 少年宫", escorted=True) for row in view.rows)
    line = GroupLine(
        group="G7", teacher=TEACHER.number, teacher_name=TEACHER.name, venue="少年宫", out_ms=at("16:40"), children=going
    )
    return replace(view, rows=rows, groups=(line,))


def returned() -> RosterView:
    view = ending()
    back = ReturnedLine(
        handover="H9", how="lapsed", at_ms=at("17:24"), taker_name="王敏", kind="to_session", taker=9031, place="实验室",
        children=tuple(row.line for row in view.rows[:12] if row.held_by_me),
    )  # fmt: skip
    return replace(view, returned=(back,))


def searching(*, lost: bool = False) -> RosterView:
    view = mine(bar=bar(at("16:50")))
    lines = tuple(
        SearchLine(
            line=child(seat, custodian_name="张伟"), why=why, opened_ms=at("16:41"), due_ms=at("16:56"), owner_name="陈立新",
            last_place="操场", last_adult_name="张伟", last_seen_ms=at("16:12"), incident_ms=incident,
        )
        for seat, why, incident in ((9, "not_in_session", None), (27, "marked_absent", at("16:49") if lost else None))
    )  # fmt: skip
    rows = tuple(replace(row, searched_ms=at("16:41")) if row.line.seat in (9, 27) else row for row in view.rows)
    return replace(view, rows=rows, searches=lines)


def two_offers() -> RosterView:
    """One group whose children are on this list, and two children who are on none of this teacher's."""
    view = roster()
    guests = tuple(child(seat, child=2000 + seat, name=name, class_name="五(1)班") for seat, name in ((3, "方舟"), (8, "田甜")))
    offers = tuple(
        OfferLine(
            handover=f"H{n}", kind=kind, giver=9044 + n, giver_name=giver, taker=9001, taker_name="李慧", place=place,
            expected=len(lines), offered_ms=at("16:35"), lapses_ms=at("16:45"), children=tuple(c.child for c in lines),
            lines=lines,
        )
        for n, kind, giver, place, lines in (
            (7, "to_session", "张伟", "二楼阅览室", tuple(row.line for row in view.rows if row.here)),
            (8, "between_slots", "杨帆", "", guests),
        )
    )  # fmt: skip
    return replace(view, incoming=offers, me=TEACHER.number, me_name=TEACHER.name)


def in_care(*, nobody: bool = False) -> RosterView:
    """Whoever is in one person's care: a boarder, two between slots."""
    lines = [child(seat, place=place, now_in="") for seat, place in ((3, "二楼自习室"), (8, "二楼自习室"), (11, "宿舍"))]
    rows = tuple(
        RosterRow(
            line=line, mark="", here=True, expected=True, missing_since_ms=None, held_by_me=True, offered_to="",
            next_in="科学社" if line.seat != 11 else "", next_ms=at("17:30") if line.seat != 11 else None,
            boarder=line.seat == 11,
        )
        for line in ([] if nobody else lines)
    )  # fmt: skip
    return mine(
        roster=f"staff:{TEACHER.number}", kind="staff", title=TEACHER.name, room="", start_ms=None, end_ms=None, rows=rows,
        expected=len(rows), present=len(rows), missing=0, excused=0, roll_called_ms=None, roll_due_ms=None, takeable=(),
        next_takers=(("to_duty", 9200, "陈立新"),) if rows else (), colleagues=COLLEAGUES if rows else (), bar=bar(at("16:50")),
    )  # fmt: skip


ROSTERS = {
    "roster taken": mine(),
    "roster ending": ending(),
    "roster homeward": homeward(),
    "roster on the way": on_the_way(),
    "roster at the gate": at_the_gate(),
    "roster outside": outside(),
    "roster returned": returned(),
    "roster searching": searching(),
    "roster lost child": searching(lost=True),
    "roster two offers": two_offers(),
    "roster in care": in_care(),
    "roster in nobody's care": in_care(nobody=True),
}
