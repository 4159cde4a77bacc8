"""A handful of people whom every scenario knows: a small school in which each rule has its child."""

from __future__ import annotations

from datetime import date

from kiosk.core.people import (
    Authorisation,
    Card,
    CardState,
    Collector,
    Directory,
    Enrolment,
    Pupil,
    Restriction,
    Role,
    SchoolClass,
    Session,
    Staff,
    Stage,
)
from kiosk.directory import index
from kiosk.directory_schema import Content

DAILY = frozenset({1, 2, 3, 4, 5})
MADE_AT_MS = 1_795_392_000_000  # 2026-11-23 00:00 UTC, 08:00 in the school


def _class(grade: int, number: int, teacher: int, gate: str = "east") -> SchoolClass:
    return SchoolClass(
        id=f"primary-{2027 - grade}-{number}", name=f"{'一二三四五六'[grade - 1]}({number})班", stage=Stage.PRIMARY,
        grade=grade, class_no=number, entry_year=2027 - grade, teacher=teacher, room=f"{grade}0{number}", release_gate=gate,
    )  # fmt: skip


def _pupil(number: int, name: str, initials: str, grade: int, seat: int, **more: object) -> Pupil:
    return Pupil(
        number=number, school_number=f"2026{number:04d}", name=name, pinyin=initials, initials=initials,
        class_id=f"primary-{2027 - grade}-1", seat=seat, grade=grade, stage=Stage.PRIMARY,
        consents=frozenset({"snapshot"}), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _staff(number: int, staff_number: str, name: str, *roles: Role) -> Staff:
    return Staff(number=number, staff_number=staff_number, name=name, pinyin=name, initials="", roles=frozenset(roles))


CLASSES = (_class(1, 1, 101), _class(2, 1, 102), _class(3, 1, 103), _class(5, 1, 105, "south"), _class(6, 1, 106, "west"))
STAFF = (
    _staff(101, "T1", "张老师", Role.TEACHER),
    _staff(102, "T2", "刘老师", Role.TEACHER),
    _staff(103, "T3", "陈老师", Role.TEACHER),
    _staff(105, "T5", "杨老师", Role.TEACHER),
    _staff(106, "T6", "黄老师", Role.TEACHER),
    _staff(111, "T11", "李老师", Role.TEACHER),  # homework session, slot 1
    _staff(112, "T12", "周老师", Role.TEACHER),  # art club, slot 2
    _staff(113, "T13", "吴老师", Role.TEACHER),  # extended care
    _staff(120, "T90", "早班老师", Role.TEACHER),
    _staff(130, "G1", "赵师傅", Role.GUARD),
    _staff(131, "G2", "钱师傅", Role.GUARD),
    _staff(140, "L1", "孙主任", Role.DUTY_LEADER),
    _staff(150, "O1", "办公室", Role.OFFICE),
)
PUPILS = (
    _pupil(1, "王小明", "wxm", 1, 1),  # grade 1: always needs an adult
    _pupil(2, "王小红", "wxh", 3, 1),  # his sister
    _pupil(3, "李雷", "ll", 5, 1, leaves_alone=True),  # slot 1 and 2, goes home alone
    _pupil(4, "韩梅", "hm", 5, 2, leaves_alone=True),  # slot 1 only
    _pupil(5, "丁一", "dy", 5, 3),  # slot 2 only, collected
    _pupil(6, "欧阳娜", "oyn", 3, 2, extended_care=True),
    _pupil(7, "高个子", "ggz", 6, 1, leaves_alone=True),  # released at a gate that this node does not serve
    _pupil(8, "不参加", "bcj", 5, 4, leaves_alone=True),  # not enrolled in anything
    _pupil(9, "小妹妹", "xmm", 1, 2, leaves_alone=True),  # a consent that the law does not accept
    _pupil(10, "弟弟", "dd", 3, 3, minor_collector_consent=True),
)
COLLECTORS = (
    Collector(number=201, name="王妈妈", pinyin="wangmama", initials="wmm", phone="13900000001"),
    Collector(number=202, name="王爸爸", pinyin="wangbaba", initials="wbb", phone="13900000002"),  # restricted
    Collector(number=203, name="王奶奶", pinyin="wangnainai", initials="wnn", phone="13900000003"),  # authorised today
    Collector(number=204, name="老邻居", pinyin="laolinju", initials="llj"),  # authorisation ran out yesterday
    Collector(number=205, name="陌生人", pinyin="moshengren", initials="msr"),
    Collector(number=206, name="丁妈妈", pinyin="dingmama", initials="dmm", phone="13900000006"),
    Collector(number=207, name="哥哥", pinyin="gege", initials="gg", minor=True),
    Collector(number=208, name="托管员", pinyin="tuoguanyuan", initials="tgy", organisation="阳光托管", daily_limit=1),
    Collector(number=209, name="欧阳爸爸", pinyin="ouyangbaba", initials="oybb", phone="13900000009"),
    Collector(number=210, name="高妈妈", pinyin="gaomama", initials="gmm", phone="13900000010"),
)


def _may(child: int, collector: int, relation: str, *, guardian: bool = True, order: int = 1, **dates: date) -> Authorisation:
    return Authorisation(child=child, collector=collector, relation=relation, guardian=guardian, order=order, **dates)


AUTHORISATIONS = (
    _may(1, 201, "母亲"),
    _may(2, 201, "母亲"),
    _may(1, 202, "父亲", order=2),
    _may(1, 203, "祖母", guardian=False, valid_from=date(2026, 11, 23), valid_to=date(2026, 11, 23)),
    _may(1, 204, "邻居", guardian=False, valid_from=date(2026, 9, 1), valid_to=date(2026, 11, 22)),
    _may(5, 206, "母亲"),
    _may(1, 207, "哥哥", guardian=False),
    _may(5, 207, "哥哥", guardian=False),
    _may(10, 207, "哥哥", guardian=False),
    _may(2, 208, "托管机构", guardian=False),
    _may(5, 208, "托管机构", guardian=False),
    _may(6, 209, "父亲"),
    _may(7, 210, "母亲"),
    _may(3, 206, "姨母", guardian=False),
)
RESTRICTIONS = (Restriction(child=1, collector=202),)
SESSIONS = (
    Session(id="S1", name="五年级作业辅导", kind="homework", slot=1, weekdays=DAILY, room="201", teacher=111, includes_pe=True),
    Session(id="S2", name="美术社团", kind="arts", slot=2, weekdays=DAILY, room="美术室", teacher=112, capacity=20),
    Session(id="E1", name="延时托管", kind="extended_care", slot=0, weekdays=DAILY, room="阅览室", teacher=113),
)
ENROLMENTS = (
    Enrolment(child=3, session="S1"),
    Enrolment(child=3, session="S2"),
    Enrolment(child=4, session="S1"),
    Enrolment(child=5, session="S2"),
    Enrolment(child=6, session="S2"),
    Enrolment(child=2, session="S1"),
    Enrolment(child=6, session="E1"),
)


def uid_of(person: int) -> str:
    """Every person's card."""
    return f"04A3{person:04X}"


def small_school(number: int = 1, *, made_at_ms: int = MADE_AT_MS, **changes: object) -> Directory:
    """The snapshot. `changes` replace fields of the content, for scenarios about a changed directory."""
    people = [*PUPILS, *STAFF, *COLLECTORS]
    cards = [Card(uid=uid_of(p.number), holder=p.number) for p in people if p.number != 205]
    cards.append(Card(uid="0BADCA4D", holder=201, state=CardState.LOST))
    fields: dict[str, object] = {
        "classes": CLASSES, "pupils": PUPILS, "staff": STAFF, "collectors": COLLECTORS, "authorisations": AUTHORISATIONS,
        "restrictions": RESTRICTIONS, "cards": tuple(cards), "sessions": SESSIONS, "enrolments": ENROLMENTS, **changes,
    }  # fmt: skip
    return index(Content(**fields), number=number, made_at_ms=made_at_ms)  # type: ignore[arg-type]
