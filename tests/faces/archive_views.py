"""Archived sessions as the pages of the records show them: a day, a row with a correction, a locked month."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kiosk.core.service_records import SessionClosed
from kiosk.web.faces_sessions import ArchivedView, ChildState, CorrectionLine, SessionLine, SessionsView
from tests.faces import sample_views as s

DAY = "2026-11-23"
_NAMES = ("欧阳娜娜", "王䶮", "李思远", "周若曦", "冯晓彤")
_ROW = SessionClosed(
    session="S101", day=DAY, name="三年级作业辅导", kind="homework", form="mixed", slot=1, room="201", from_ms=s.at("16:30"),
    to_ms=s.at("17:30"), planned_teacher=9031, teachers=(9031,), class_hours=1.0, enrolled=5, by=9031,
    states={1001 + n: "absent_unexplained" if n == 2 else "present" for n in range(5)},
)  # fmt: skip


def sessions() -> SessionsView:
    line = SessionLine(
        session="S101", name="三年级作业辅导", room="201", from_ms=s.at("16:30"), to_ms=s.at("17:30"), teachers="李敏",
        attended=31, enrolled=36, corrections=0,
    )  # fmt: skip
    other = replace(line, session="S2", name="合唱团", room="音乐室", teachers="周成", corrections=2, attended=26, enrolled=28)
    return SessionsView(bar=s.bar(), day=DAY, lines=(line, other))


def archived() -> ArchivedView:
    children = tuple(
        ChildState(child=1001 + n, name=name, class_name="三(1)班", seat=n + 1, state=_ROW.states[1001 + n], first="present")
        for n, name in enumerate(_NAMES)
    )
    change = CorrectionLine(
        at_ms=s.at("17:42"), by="李敏", note="家长补交假条，孩子当天没有来", locked=False,
        changes=("李思远：到 → 未到", "到岗教师：李敏 → 李敏、周成"),
    )  # fmt: skip
    return ArchivedView(
        bar=s.bar(), day=DAY, row=_ROW, first=_ROW, closed="east/ab/9", seen="east/ab/12", closed_ms=s.at("17:31"),
        closed_by="李敏", kind="课业辅导", form="混编", planned="李敏", teachers="李敏、周成", first_teachers="李敏",
        children=children, guests=("丁一 五(1)班",), remarks=("代班 · 周成 → 李敏 · 病假", "点名超时"),
        corrections=(change, replace(change, locked=True, note="")), here=((9031, "李敏"), (9032, "周成")),
        others=((9033, "陈立新"), (9034, "何老师")), again=1,
    )  # fmt: skip


STATES: dict[str, tuple[str, Any]] = {
    "sessions": ("sessions", sessions()),
    "sessions of nobody": ("sessions", replace(sessions(), lines=(), locked=True)),
    "sessions of a teacher": ("sessions", replace(sessions(), lines=(), mine=True, locked=True)),
    "session archived": ("session", archived()),
    "session corrected": ("session", replace(archived(), done=True, locked=True)),
    "session locked": ("session", replace(archived(), may=False, locked=True, corrections=(), guests=(), remarks=(), again=0)),
    "session of nobody": ("session", replace(archived(), children=(), here=(), teachers="", planned="")),
}
