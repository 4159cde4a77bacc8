"""The ten sheets of the sample school as rows of text, in the columns of its people/README.md."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from kiosk.sample_school.applications import JOINS, LAST_DAY, applications
from kiosk.sample_school.menu import Menu, room_of
from kiosk.sample_school.names import between, shuffled
from kiosk.sample_school.roll import HAN, SCHOOL_YEAR, Child, Roll

EAST_UP_TO_GRADE: Final = 3  # grades 1 to 3 use the east gate, the others the south gate
NO_CARD: Final = 8
LOST: Final = 6
OLD_CARDS: Final = 60  # EM4100 cards of grade 6 that nobody has replaced yet
IN_DECIMAL: Final = 40
TRIES: Final = 1000  # a number is taken once in a few hundred thousand throws


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file: its name without ending, its header and its rows."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def csv_bytes(self) -> bytes:
        """UTF-8 with BOM and CRLF: what Chinese Excel opens without breaking a name."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return text.getvalue().encode("utf-8-sig")


def make_sheets(seed: int, *, classes_per_grade: int = 6) -> tuple[Sheet, ...]:
    """Everybody and everything, the same for the same arguments. 6 classes a grade are 1,620 pupils."""
    roll = Roll(seed, classes_per_grade)
    menu = Menu(roll, seed)
    return (
        _classes(roll, menu),
        _pupils(roll),
        _guardians(roll),
        _delegates(roll),
        _restricted(roll),
        _staff(roll),
        _cards(roll, seed),
        _sessions(menu),
        _places(menu),
        _applications(roll, menu, seed),
    )


def _yes(value: bool) -> str:
    return "是" if value else "否"


def _day(value: date) -> str:
    return value.isoformat()


def _classes(roll: Roll, menu: Menu) -> Sheet:
    rows = (
        (
            f"{HAN[grade - 1]}({number})班",
            "小学",
            str(SCHOOL_YEAR - grade + 1),
            menu.class_teacher(grade, number),
            room_of(grade, number),
            "east" if grade <= EAST_UP_TO_GRADE else "south",
        )
        for grade, number in roll.classes
    )
    return Sheet("班级", ("班级", "学段", "入学年份", "班主任", "教室", "放行门"), tuple(rows))


def _pupils(roll: Roll) -> Sheet:
    header = (
        "学号", "姓名", "学籍号", "性别", "班级", "座号", "接送方式", "自行离校同意", "课后服务", "延时托管", "住校",
        "未成年人代接同意", "抓拍同意", "人脸同意", "消息同意",
    )  # fmt: skip
    return Sheet("学生", header, tuple(_pupil(child) for child in roll.children))


def _pupil(child: Child) -> tuple[str, ...]:
    way = "自行离校" if child.leaves_alone else "托管机构" if child.care_centre else "家长接"
    return (
        child.number,
        child.name,
        child.national,
        "女" if child.girl else "男",
        child.class_name,
        str(child.seat),
        way,
        _yes(child.leaves_alone),
        _yes(child.stays),
        _yes(child.extended_care),
        "走读",
        _yes(child.minor_consent),
        _yes(child.snapshot),
        _yes(child.face),
        _yes(child.messages),
    )


def _guardians(roll: Roll) -> Sheet:
    rows = (
        (child.number, adult.number, adult.name, relation, adult.phone, adult.id_last4, str(order))
        for child in roll.children
        for order, (adult, relation) in enumerate(child.family.guardians, 1)
    )
    return Sheet("监护人", ("学号", "接送人编号", "姓名", "关系", "手机号", "证件后四位", "顺序"), tuple(rows))


def _delegates(roll: Roll) -> Sheet:
    header = (
        "学号", "接送人编号", "姓名", "关系", "手机号", "证件后四位", "未成年", "机构", "每日人数上限",
        "有效期起", "有效期止",
    )  # fmt: skip
    rows = (
        (
            child.number,
            one.adult.number,
            one.adult.name,
            one.relation,
            one.adult.phone,
            "" if one.adult.minor else one.adult.id_last4,
            _yes(one.adult.minor),
            one.adult.organisation,
            str(one.adult.daily_limit or ""),
            _day(one.first),
            _day(one.last),
        )
        for child in roll.children
        for one in child.delegations
    )
    return Sheet("委托接送", header, tuple(rows))


def _restricted(roll: Roll) -> Sheet:
    rows = (
        (child.number, adult.number, adult.name, "2026-09-01", "")
        for child in roll.children
        for adult in child.restricted
    )
    return Sheet("限制接送", ("学号", "接送人编号", "姓名", "有效期起", "有效期止"), tuple(rows))


def _staff(roll: Roll) -> Sheet:
    rows = ((m.number, m.name, "女" if m.woman else "男", m.roles, m.phone, m.pin) for m in roll.staff)
    return Sheet("教职工", ("工号", "姓名", "性别", "角色", "手机号", "演示密码"), tuple(rows))


class _CardBox:
    """Hands out card numbers; none is another's, however it is read or printed."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._given: set[str] = set()

    def mifare(self) -> str:
        return self._fresh(lambda: f"{between(self._dice, 0x10000000, 0xFFFFFFFF):08X}")

    def em4100(self) -> str:
        return self._fresh(lambda: f"01{between(self._dice, 0x00100000, 0x00FFFFFF):08X}")

    def _fresh(self, roll: Callable[[], str]) -> str:
        for _ in range(TRIES):
            uid = roll()
            backwards = bytes.fromhex(uid)[::-1].hex().upper()
            if not {uid, backwards} & self._given:
                self._given |= {uid, backwards}
                return uid
        raise ValueError("no free card number left: ask for a smaller school")


def _cards(roll: Roll, seed: int) -> Sheet:
    dice = Random(seed + 2)
    box = _CardBox(dice)
    pupils = list(_pupil_cards(roll, box, dice))
    rows = [*pupils, *_collector_cards(roll, box, dice)]
    rows += [(box.mifare(), "M1", "教职工", member.number, "在用") for member in roll.staff]
    return Sheet("卡", ("卡号", "卡类型", "持有人类型", "持有人编号", "状态"), tuple(rows))


def _pupil_cards(roll: Roll, box: _CardBox, dice: Random) -> Iterable[tuple[str, ...]]:
    scale = roll.classes_per_grade / 6
    mixed = shuffled(dice, roll.children)
    cut = [round(n * scale) for n in (NO_CARD, LOST, IN_DECIMAL)]
    without = {child.number for child in mixed[: cut[0]]}
    lost = {child.number for child in mixed[cut[0] : cut[0] + cut[1]]}
    decimal = {child.number for child in mixed[cut[0] + cut[1] : sum(cut)]}
    eldest = shuffled(dice, [child for child in mixed[sum(cut) :] if child.grade == 6])
    old = {child.number for child in eldest[: round(OLD_CARDS * scale)]}
    for child in roll.children:
        if child.number in without:
            continue
        if child.number in lost:
            yield box.mifare(), "M1", "学生", child.number, "挂失"
        if child.number in old:
            yield box.em4100(), "ID", "学生", child.number, "在用"
            continue
        uid = box.mifare()
        yield f"{int(uid, 16):010d}" if child.number in decimal else uid, "M1", "学生", child.number, "在用"


def _collector_cards(roll: Roll, box: _CardBox, dice: Random) -> Iterable[tuple[str, ...]]:
    """接送卡: every first guardian has one, of the others about half. Restricted ones keep theirs."""
    done: set[str] = set()
    restricted = {adult.number for child in roll.children for adult in child.restricted}
    for child in roll.children:
        adults = [adult for adult, _ in child.family.guardians] + [one.adult for one in child.delegations]
        for place, adult in enumerate(adults):
            if adult.number in done or adult.minor:
                continue
            done.add(adult.number)
            chance = dice.random()
            if place == 0 or adult.organisation or adult.number in restricted or chance < 0.45:
                state = "挂失" if place == 0 and chance < 0.003 else "在用"
                yield box.mifare(), "M1", "接送人", adult.number, state


def _sessions(menu: Menu) -> Sheet:
    header = (
        "课程编号", "课程名称", "类型", "时段", "星期", "教室", "负责教师", "容量", "含体育", "开始时间", "结束时间",
        "合作机构", "参加对象",
    )  # fmt: skip
    rows = (
        (
            item.id,
            item.name,
            item.kind,
            item.slot,
            item.weekdays,
            item.room,
            item.teacher,
            str(item.capacity or ""),
            _yes(item.exercise),
            "",
            "",
            item.provider,
            item.audience,
        )
        for item in menu.items
    )
    return Sheet("课程", header, tuple(rows))


def _places(menu: Menu) -> Sheet:
    header = ("学号", "课程编号", "有效期起", "有效期止", "离开时间", "协议编号")
    rows = (
        (place.child.number, place.session, _day(place.first), _day(place.last), place.leave_at, place.agreement)
        for place in menu.places
    )
    return Sheet("报名", header, tuple(rows))


def _applications(roll: Roll, menu: Menu, seed: int) -> Sheet:
    header = ("学号", "课程编号", "申请日期", "有效期起", "有效期止", "离开时间", "协议编号", "优先类别", "申请编号")
    first, last = _day(JOINS), _day(LAST_DAY)
    rows = (
        (one.child.number, one.session, _day(one.applied), first, last, one.leave_at, one.agreement, one.priority, "")
        for one in applications(roll, menu, seed)
    )
    return Sheet("申请", header, tuple(rows))
