"""The duty leader's page, filled with the people of the sample views."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.roster import (
    CallLine,
    CaseLine,
    DeviceLine,
    DutyView,
    GuardianLine,
    OfferLine,
    SideLine,
)
from tests.faces.sample_views import NOW, at, bar, child


def duty() -> DutyView:
    return DutyView(
        cases=(_uncollected(), _late(), _restricted()),
        on_campus=612,
        by_place=(
            ("教学楼", 214),
            ("二楼阅览室", 43),
            ("三楼美术室", 32),
            ("科学教室", 38),
            ("操场", 121),
            ("音乐教室", 44),
            ("延时托管室", 40),
            ("机器人教室", 28),
            ("候接区", 38),
            ("门卫室", 3),
            ("南门", 11),
        ),
        by_collection=(("NOT_DUE", 571), ("WAITING", 38), ("OVERDUE", 2), ("ESCALATED", 1)),
        arrived_today=1588,
        released_today=976,
        expected_today=1620,
        open_offers=(
            OfferLine(
                handover="H9",
                kind="to_gatehouse",
                giver=9031,
                giver_name="王敏",
                taker=9100,
                taker_name="赵建国",
                place="门卫室",
                expected=3,
                offered_ms=at("17:38"),
                lapses_ms=at("17:48"),
                children=(1021, 1022, 1023),
            ),
        ),
        devices=(
            *(
                DeviceLine(name=name, health="ok", why="", since_ms=at("07:00"))
                for name in ("东门 1", "东门 3", "东门 4", "门卫室", "相机 1", "继电器")
            ),
            DeviceLine(name="东门 2", health="down", why="读卡器已拔出", since_ms=at("17:31")),
        ),
        can_clear=False,
        clear_blockers=("children:612", "conflicts:1"),
        cleared_ms=None,
        bar=bar(),
    )


def _guardians() -> tuple[GuardianLine, ...]:
    return (
        GuardianLine(guardian=5021, name="董建军", relation="父亲", phone="138 0013 8000"),
        GuardianLine(guardian=5022, name="许静", relation="母亲", phone="139 0013 9000"),
    )


def _uncollected() -> CaseLine:
    return CaseLine(
        case="uncollected:1029",
        kind="uncollected",
        line=child(29, collection="ESCALATED", place="门卫室", custodian_name="赵建国", ends_ms=None, class_name="一(3)班"),
        opened_ms=at("16:30"),
        t0_ms=at("16:30"),
        rung=3,
        state="gatehouse",
        do="移交门卫室或延时托管，双方签字",
        do_en="Two-party handover to the gatehouse or extended care",
        told=("chief_duty", "guard", "duty_leader"),
        next_due_ms=NOW + 7 * 60_000 + 12_000,
        acknowledged_by="陈立新",
        acknowledged_ms=at("17:04"),
        eta_ms=at("17:55"),
        calls=(
            CallLine(
                at_ms=at("16:47"),
                by_name="李慧",
                guardian=5021,
                guardian_name="董建军",
                relation="父亲",
                result="no_answer",
                eta_ms=None,
            ),
            CallLine(
                at_ms=at("16:49"),
                by_name="李慧",
                guardian=5022,
                guardian_name="许静",
                relation="母亲",
                result="on_the_way",
                eta_ms=at("17:55"),
            ),
        ),
        guardians=_guardians(),
        detail="",
    )


def _late() -> CaseLine:
    return replace(
        _uncollected(),
        case="uncollected:1005",
        line=child(5, collection="OVERDUE", place="候接区", custodian_name="王敏", ends_ms=None, class_name="四(1)班"),
        opened_ms=at("17:30"),
        t0_ms=at("17:30"),
        rung=1,
        state="late",
        do="自动通知家长",
        do_en="Automatic notice to the guardians",
        told=("guardian_1",),
        next_due_ms=NOW + 2 * 60_000 + 40_000,
        acknowledged_by="",
        acknowledged_ms=None,
        eta_ms=None,
        calls=(),
        guardians=(
            GuardianLine(guardian=5031, name="陈国栋", relation="父亲", phone="137 0013 7000"),
            GuardianLine(guardian=5032, name="李敏", relation="母亲", phone="136 0013 6000"),
        ),
    )


def _restricted() -> CaseLine:
    return CaseLine(
        case="restricted:q37",
        kind="restricted_person",
        line=child(27, place="操场", custodian_name="刘强"),
        opened_ms=at("17:38"),
        t0_ms=at("17:38"),
        rung=0,
        state="waiting",
        do="请到东门门卫室，孩子留在老师身边",
        do_en="Go to the east gatehouse; the child stays with the teacher",
        told=("duty_leader",),
        next_due_ms=None,
        acknowledged_by="",
        acknowledged_ms=None,
        eta_ms=None,
        calls=(),
        guardians=(),
        detail="冯志强 在东门门卫室刷卡",
    )


def double_release() -> CaseLine:
    """Two gates that were cut off from each other, each with two members of staff."""
    south = SideLine(
        entry="south/9d2f/211", at_ms=at("17:02"), doubted=False, node="south", gate_name="南门", home=False, mode="collected",
        guard_name="赵建国", second_name="陈立新", to_name="许静", relation="母亲", id_last4="",
    )  # fmt: skip
    east = replace(
        south, entry="east/40c1/388", at_ms=at("17:09"), node="east", gate_name="东门", home=True, mode="exceptional",
        doubted=True, guard_name="钱国强", second_name="孙丽", to_name="", relation="姑母", id_last4="123X",
    )  # fmt: skip
    return replace(
        _restricted(), case="double_release:1033:east/40c1/388", kind="double_release", state="double_release", do="", do_en="",
        line=child(33, on_campus=False, place="", custodian_name=""), opened_ms=at("17:09"), t0_ms=at("17:09"), detail="",
        owner_name="陈立新", next_due_ms=at("17:19"), guardians=_guardians(), sides=(south, east),
    )  # fmt: skip


def quiet_duty() -> DutyView:
    return replace(
        duty(),
        cases=(),
        on_campus=0,
        by_place=(),
        by_collection=(),
        open_offers=(),
        released_today=1588,
        can_clear=True,
        clear_blockers=(),
        devices=tuple(replace(device, health="ok", why="") for device in duty().devices),
        bar=bar(at("19:34")),
    )
