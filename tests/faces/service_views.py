"""Rosters, the duty page and the patrol page as the records of sessions show on them."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core import roster as r
from tests.faces import sample_duty
from tests.faces import sample_views as s

_TEACHER = r.TeacherLine(staff=111, name="李敏", since_ms=s.NOW - 40 * 60_000, here=True)
_STANDS_IN = r.TeacherLine(staff=112, name="周成", since_ms=s.NOW - 35 * 60_000, here=True, for_name="李敏", reason="sick")
_OPEN = (
    r.OpenRow(child=30101, name="欧阳娜娜", class_name="三(1)班", seat=7, absent=False, searched=False),
    r.OpenRow(child=30102, name="王䶮", class_name="三(2)班", seat=21, absent=True, searched=True),
)


def line(standing: str = "open", **changes: object) -> r.ServiceLine:
    fields: dict[str, object] = {
        "session": "S101", "standing": standing, "planned": 111, "planned_name": "李敏", "teachers": (_TEACHER,),
        "counts": (("", 2), ("late", 1), ("leave_sick", 2), ("present", 31)), "unresolved": _OPEN, "me_here": True,
        "me_came": True, "me_leads": False, "needs_reason": False, "missing": False, "guests": 1, "early": False,
    }  # fmt: skip
    return r.ServiceLine(**(fields | changes))


def roster(standing: str = "open", **changes: object) -> r.RosterView:
    """Everybody is with the teacher and the roll is called; the session is at its end."""
    plain = s.roster(called=True, taken=True)
    rows = tuple(replace(row, held_by_me=False) for row in plain.rows)
    now_ms = plain.bar.now_ms
    start_ms = now_ms + 5 * 60_000 if standing in ("planned", "ready") else now_ms - 61 * 60_000
    return replace(
        plain, rows=rows, takeable=(), start_ms=start_ms, end_ms=start_ms + 60 * 60_000, searches=(),
        service=line(standing, **changes), kind="session", roster="session:S101", next_groups=(), incoming=(),
    )  # fmt: skip


ROSTERS_OF_SESSIONS: dict[str, r.RosterView] = {
    "session to check in": replace(
        roster("planned", teachers=(), me_here=False, me_came=False, planned=s.roster().me, guests=0),
        rows=(), expected=0, present=0,
    ),
    "session to stand in": roster("unstaffed", teachers=(), me_here=False, me_came=False, needs_reason=True, missing=True),
    "session substituted": roster("open", teachers=(replace(_TEACHER, here=False), _STANDS_IN)),
    "session to close": roster("over"),
    "session to close at once": roster("over", unresolved=(), counts=(("present", 36),)),
    "session to close for another": roster("over", me_came=False, me_here=False, me_leads=True),
    "session closed": roster("closed", unresolved=(), counts=(("absent_unexplained", 1), ("present", 35)), closed_ms=s.NOW,
                             closed_by_name="李敏"),
    "class with a guest": replace(
        s.roster(called=True), guests=(r.GuestLine(line=s.roster().rows[0].line, session="S9", title="合唱团", room="音乐室"),)
    ),
}  # fmt: skip


def duty() -> r.DutyView:
    return replace(sample_duty.duty(), unclosed=3, lock_month="2026-10")


def patrol(*, seen: bool = False) -> r.PatrolView:
    told = r.SeenLine(at_ms=s.NOW - 4 * 60_000, by_name="孙主任", counted=34, teacher_present=True, finding="in_order")
    rows = (
        ("S1", "课业辅导 三（1）班", "三（1）班教室", "李敏", True, (told,)),
        ("S2", "篮球", "操场", "", True, (told,) if seen else ()),
        ("S3", "素描", "美术室", "周成", True, ()),
        ("S4", "阅读", "阅览室", "吴岚", False, ()),
    )
    lines = tuple(
        r.PatrolLine(
            session=key, title=title, room=room, start_ms=s.NOW - 25 * 60_000, end_ms=s.NOW + 35 * 60_000, standing="open",
            teacher_name=teacher, expected=36, present=34, running=running, due=not looked, seen=looked,
        )
        for key, title, room, teacher, running, looked in rows
    )  # fmt: skip
    return r.PatrolView(lines=lines, asked=True, unseen=sum(not one.seen for one in lines), later=4, bar=s.bar())
