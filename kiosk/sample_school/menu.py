"""The after-school menu of the sample school, and who takes part in what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from kiosk.sample_school.names import pick, shuffled
from kiosk.sample_school.roll import GRADES, HAN, TERM, Child, Roll

ALL_WEEK: Final = "一、二、三、四、五"
ODD_DAYS: Final = "一、三、五"
EVEN_DAYS: Final = "二、四"
SLOT_ONE_ONLY: Final = 330 / 1350
SLOT_TWO_ONLY: Final = 20 / 1350

# Name, kind, room, physical exercise. The first 36 run all week; the last pairs share a room and a teacher.
CLUBS: Final = (
    ("足球", "体育", "操场", True),
    ("篮球", "体育", "体育馆", True),
    ("田径", "体育", "操场", True),
    ("跳绳", "体育", "操场", True),
    ("乒乓球", "体育", "乒乓球室", True),
    ("羽毛球", "体育", "体育馆", True),
    ("武术", "体育", "操场", True),
    ("健美操", "体育", "舞蹈室", True),
    ("合唱", "艺术", "音乐室一", False),
    ("竹笛", "艺术", "音乐室二", False),
    ("古筝", "艺术", "录播室", False),
    ("民族舞", "艺术", "多功能厅", True),
    ("水彩", "艺术", "美术室一", False),
    ("版画", "艺术", "美术室二", False),
    ("书法", "艺术", "书法室", False),
    ("剪纸", "艺术", "601", False),
    ("泥塑", "艺术", "602", False),
    ("机器人", "科普", "机器人室", False),
    ("编程启蒙", "科普", "计算机室", False),
    ("趣味实验", "科普", "科学室一", False),
    ("天文", "科普", "科学室二", False),
    ("航模", "科普", "603", False),
    ("种植观察", "劳动", "劳动室", False),
    ("烘焙", "劳动", "烘焙室", False),
    ("木工", "劳动", "604", False),
    ("编织", "劳动", "605", False),
    ("围棋", "社团", "棋艺室", False),
    ("象棋", "社团", "606", False),
    ("小记者", "社团", "501", False),
    ("朗诵", "社团", "502", False),
    ("课本剧", "社团", "503", False),
    ("绘本阅读", "阅读", "图书馆", False),
    ("国学经典", "阅读", "504", False),
    ("英语配音", "社团", "505", False),
    ("数独", "社团", "506", False),
    ("集邮", "社团", "401", False),
    ("中国象形字", "社团", "402", False),
    ("非遗皮影", "社团", "402", False),
    ("口风琴", "艺术", "403", False),
    ("陶笛", "艺术", "403", False),
    ("电影赏析", "观影", "404", False),
    ("观影配音", "观影", "404", False),
    ("心理游戏", "社团", "心理辅导室", False),
    ("团体沙盘", "社团", "心理辅导室", False),
)
FULL_WEEK_CLUBS: Final = 36


@dataclass(frozen=True, slots=True)
class MenuItem:
    id: str
    name: str
    kind: str
    slot: str
    weekdays: str
    room: str
    teacher: str
    capacity: int
    exercise: bool = False
    provider: str = ""
    audience: str = "全校"


@dataclass(frozen=True, slots=True)
class Place:
    """One pupil's place in one session."""

    child: Child
    session: str
    first: date
    last: date
    leave_at: str
    agreement: str


class Menu:
    def __init__(self, roll: Roll, seed: int) -> None:
        self._dice = Random(seed + 1)
        self._roll = roll
        self._teachers = [member.number for member in roll.staff if member.number.startswith("T")]
        self._outside = [member.number for member in roll.staff if member.number.startswith("X")]
        self.home: dict[tuple[int, int], str] = {}
        self.extra: list[str] = []
        self.items = [*self._first_slot(), *self._second_slot(), *self._care()]
        self.places = self._enrol()

    def class_teacher(self, grade: int, class_no: int) -> str:
        return self._teachers[(grade - 1) * self._roll.classes_per_grade + class_no - 1]

    def _first_slot(self) -> list[MenuItem]:
        """Every class in its own room with its own teacher, and three groups across classes."""
        items: list[MenuItem] = []
        for grade, number in self._roll.classes:
            item = f"KY-{grade}{number:02d}"
            self.home[grade, number] = item
            name, room = f"{HAN[grade - 1]}({number})班课业辅导", room_of(grade, number)
            home = f"{HAN[grade - 1]}({number})班"
            teacher = self.class_teacher(grade, number)
            items.append(MenuItem(item, name, "课业辅导", "1", ALL_WEEK, room, teacher, 45, audience=home))
        spare = self._teachers[len(self._roll.classes) :]
        groups = (
            ("KY-R1", "自由阅读", "阅读", "图书馆"),
            ("KY-F1", "答疑一组", "辅导答疑", "多功能厅"),
            ("KY-F2", "答疑二组", "辅导答疑", "录播室"),
        )
        for (item, name, kind, room), teacher in zip(groups, spare, strict=False):
            self.extra.append(item)
            items.append(MenuItem(item, name, kind, "1", ALL_WEEK, room, teacher, 45))
        return items

    def _second_slot(self) -> list[MenuItem]:
        """Forty clubs a day: 36 all week, and four rooms where two clubs take turns. More for a larger school."""
        per_school = -(-self._roll.classes_per_grade // 6)
        leaders = self._teachers[len(self._roll.classes) :] + self._outside
        items: list[MenuItem] = []
        turn = 0
        for copy in range(per_school):
            for index, (name, kind, room, exercise) in enumerate(CLUBS):
                takes_turns = index >= FULL_WEEK_CLUBS
                second = takes_turns and (index - FULL_WEEK_CLUBS) % 2 == 1
                weekdays = (EVEN_DAYS if second else ODD_DAYS) if takes_turns else ALL_WEEK
                if not second:
                    turn += 1
                teacher = leaders[-turn % len(leaders)]
                provider = "市青少年活动中心" if teacher in self._outside else ""
                suffix = "" if copy == 0 else f"{copy + 1}"
                item = f"ST-{index + 1:02d}{suffix and '-' + suffix}"
                items.append(MenuItem(item, name + suffix, kind, "2", weekdays, room, teacher, 45, exercise, provider))
        return items

    def _care(self) -> list[MenuItem]:
        early, late = self._teachers[-1], self._teachers[-2]
        return [
            MenuItem("ZD-1", "早到看护", "早到看管", "早到", ALL_WEEK, "早到看护室", early, 0),
            MenuItem("YS-1", "延时托管", "延时托管", "延时", ALL_WEEK, "托管室", late, 60),
        ]

    def _enrol(self) -> list[Place]:
        dice = self._dice
        stays = [child for child in self._roll.children if child.stays]
        free = shuffled(dice, [child for child in stays if not child.extended_care])
        only_one = {id(child) for child in free[: round(len(stays) * SLOT_ONE_ONLY)]}
        only_two = {id(child) for child in free[len(only_one) : len(only_one) + round(len(stays) * SLOT_TWO_ONLY)]}
        clubs = _Clubs([item for item in self.items if item.slot == "2"])
        places: list[Place] = []
        for number, child in enumerate(stays, 1):
            sessions: list[str] = []
            if id(child) not in only_two:
                other = self.extra and dice.random() < 0.07
                sessions.append(pick(dice, self.extra) if other else self.home[child.grade, child.class_no])
            if id(child) not in only_one:
                sessions += clubs.places(dice)
            if child.extended_care:
                sessions.append("YS-1")
            places += self._places(child, sessions, f"XY2026-{number:05d}")
        return places

    def _places(self, child: Child, sessions: Sequence[str], agreement: str) -> list[Place]:
        """All for the term; a few join or leave in November, a few go home earlier than the session ends."""
        first, last = TERM
        chance = self._dice.random()
        if chance < 0.01:
            first = date(2026, 11, 2)
        elif chance < 0.02:
            last = date(2026, 10, 31)
        early = self._dice.random() < 0.05 and not child.extended_care
        leave_at = ("18:00" if sessions[-1].startswith("ST") else "17:00") if early else ""
        return [
            Place(child, item, first, last, leave_at if item[:2] == sessions[-1][:2] else "", agreement)
            for item in sessions
        ]


class _Clubs:
    """Gives out places in clubs up to their capacity."""

    def __init__(self, items: Sequence[MenuItem]) -> None:
        self._full_week = [item for item in items if item.weekdays == ALL_WEEK]
        self._odd = [item for item in items if item.weekdays == ODD_DAYS]
        self._even = [item for item in items if item.weekdays == EVEN_DAYS]
        self._taken: dict[str, int] = defaultdict(int)

    def places(self, dice: Random) -> list[str]:
        """One club all week, or for one child in ten two that take turns."""
        if dice.random() < 0.1:
            return [self._take(dice, self._odd), self._take(dice, self._even)]
        return [self._take(dice, self._full_week)]

    def _take(self, dice: Random, items: Sequence[MenuItem]) -> str:
        free = [item for item in items if self._taken[item.id] < item.capacity]
        item = pick(dice, free or items)
        self._taken[item.id] += 1
        return item.id


def room_of(grade: int, class_no: int) -> str:
    """101 is the room of 一(1)班."""
    assert 1 <= grade <= GRADES
    return f"{grade}{class_no:02d}"
