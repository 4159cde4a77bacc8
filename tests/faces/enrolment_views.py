"""The enrolment pages, filled with the people of the sample views."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from kiosk.core.enrolment import PRIORITY_GROUPS
from kiosk.web.faces_enrolment import (
    ApplicationLine,
    ChildEnrolmentView,
    ChoiceLine,
    EffectLine,
    FoundLine,
    MenuLine,
    OfficeEnrolmentView,
    PlaceLine,
    ReviewLine,
    ReviewView,
)
from tests.faces.sample_views import at, bar

FIRST, LAST = date(2026, 11, 30), date(2027, 1, 22)


def application(state: str, name: str = "王小明", **more: object) -> ApplicationLine:
    line = ApplicationLine(
        id="SQ00017", child=1001, name=name, class_name="三(2)班", session="ST-01", session_name="足球", state=state,
        applied_on=date(2026, 11, 20), first=FIRST, last=LAST, leave_at_min=None, agreement="", priority="", place=True,
        taken=38, capacity=45,
    )  # fmt: skip
    return replace(line, **more)


def menu() -> tuple[MenuLine, ...]:
    football = MenuLine(
        id="ST-01", name="足球", kind="sports", slot=2, weekdays=(1, 2, 3, 4, 5), room="操场", teacher="李建国",
        audience="小学3、4、5、6年级", taken=45, capacity=45, waiting=2,
    )  # fmt: skip
    return (
        replace(football, id="KY-302", name="三(2)班课业辅导", slot=1, room="302", audience="三(2)班", taken=39, waiting=0),
        football,
        replace(football, id="YS-1", name="延时托管", slot=0, room="托管室", audience="", taken=40, capacity=0, waiting=0),
    )


def office() -> OfficeEnrolmentView:
    """Something in every state, somebody found, and places of lists without an agreement."""
    reviewed, second = application("class_reviewed"), application("waiting", position=2)
    return OfficeEnrolmentView(
        bar=bar(at("10:05")),
        number=118,
        menu=menu(),
        groups=(
            ("class_reviewed", (reviewed, replace(reviewed, name="梁书瑶", place=False, taken=45)), 2),
            ("offered", (application("offered", "欧阳若曦", priority="left_behind"),), 1),
            ("approved", (application("approved", "阿依古丽·买买提", leave_at_min=1020),), 1),
            ("waiting", (application("waiting", "刘䶮", position=1, priority="disabled"), second), 70),
            ("applied", (application("applied", "陈㛃", agreement="XY2026-00031"),), 1),
        ),
        unsigned_lists=12,
        text="王",
        found=(FoundLine(number=1001, name="王小明", class_name="三(2)班", school_number="20240201"),),
        done=118,
    )


def several() -> OfficeEnrolmentView:
    """Two were ticked."""
    asked = (("act", "approve"), ("application", "SQ00017"), ("application", "SQ00018"), ("base", "118"))
    return replace(office(), asked=asked, effects=_effects(), done=0)


def quiet() -> OfficeEnrolmentView:
    return OfficeEnrolmentView(bar=bar(at("10:05")), number=118, menu=menu(), text="zz")


def child(*, asked: bool = False) -> ChildEnrolmentView:
    active = PlaceLine(
        application="SQ00003", session="KY-302", session_name="三(2)班课业辅导", state="active", first=date(2026, 9, 1),
        last=LAST, leave_at_min=1020, agreement="XY2026-00031", priority="hardship", may_leave=True, unsigned=False,
        steps=(
            ("apply", date(2026, 8, 28), "", ""),
            ("review", date(2026, 8, 29), "王敏", ""),
            ("approve", date(2026, 8, 30), "办公室", ""),
            ("sign", date(2026, 8, 30), "办公室", "XY2026-00031"),
        ),
    )  # fmt: skip
    listed = PlaceLine(
        application="", session="ST-02", session_name="篮球", state="withdrawn", first=None, last=date(2026, 10, 31),
        leave_at_min=None, agreement="", priority="", may_leave=True, unsigned=True,
    )  # fmt: skip
    return ChildEnrolmentView(
        bar=bar(at("10:05")), number=118, child=1001, name="王小明", class_name="三(2)班", today=date(2026, 11, 23),
        last_day=LAST, agreement_required=True, leave_times_min=(1020, 1080), groups=PRIORITY_GROUPS,
        history=(active, listed),
        choices=((1, (ChoiceLine(id="KY-302", name="三(2)班课业辅导", taken=39, capacity=45),)),
                 (2, (ChoiceLine(id="ST-01", name="足球", taken=45, capacity=45),)),
                 (0, (ChoiceLine(id="YS-1", name="延时托管", taken=40, capacity=0),))),
        asked=(("act", "leave"), ("child", "1001"), ("application", "SQ00003"), ("base", "118")) if asked else (),
        effects=_effects() if asked else (),
        refused="" if asked else "same_time", detail="足球",
    )  # fmt: skip


def _effects() -> tuple[EffectLine, ...]:
    line = EffectLine(what="line_changed", name="王小明", class_name="三(2)班", session_name="足球", first=FIRST, last=LAST)
    whats = ("line_changed", "line_added", "line_removed", "withdrawn", "offered")
    return tuple(replace(line, what=what) for what in whats)


def reviews() -> ReviewView:
    line = ReviewLine(
        id="SQ00017", name="王小明", seat=1, session_name="足球", applied_on=date(2026, 11, 20), first=FIRST, last=LAST,
        leave_at_min=1020,
    )  # fmt: skip
    taking_part = (("王小明", "三(2)班课业辅导"), ("梁书瑶", "三(2)班课业辅导、足球"))
    return ReviewView(
        bar=bar(at("10:05")), number=118, done=118,
        classes=(("三(2)班", (line, replace(line, id="SQ00018", name="梁书瑶", seat=21)), taking_part), ("三(3)班", (), ())),
    )  # fmt: skip
