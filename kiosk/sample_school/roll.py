"""The people of the sample school: pupils in classes, their families, staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from kiosk.sample_school.names import adult_name, between, child_name, pick, shuffled, surname, uyghur_names

SCHOOL_YEAR: Final = 2026  # begins in September
TERM: Final = (date(2026, 9, 1), date(2027, 1, 22))
GRADES: Final = 6
SEATS: Final = 45  # GB 50099: 45 in a primary class
HAN: Final = "一二三四五六"
LEAVES_ALONE: Final = (0.0, 0.0, 0.15, 0.35, 0.55, 0.70)  # share by grade; never in grades 1 and 2
STAYS: Final = 1350 / 1620
SIBLING: Final = 0.06

# Names that a school's software stumbles over: a compound surname, a dot, characters outside GBK and the BMP.
CAST: Final = {
    (3, 2, 7): ("欧阳若曦", True),
    (1, 1, 3): ("阿依古丽·买买提", True),
    (5, 4, 9): ("刘䶮", False),
    (6, 1, 5): ("陈㛃", True),
    (6, 3, 12): ("李𠮷", False),
}


@dataclass(slots=True)
class Adult:
    number: str
    name: str
    phone: str
    id_last4: str
    minor: bool = False
    organisation: str = ""
    daily_limit: int = 0


@dataclass(slots=True)
class Delegation:
    adult: Adult
    relation: str
    first: date
    last: date


@dataclass(slots=True)
class Family:
    surname: str
    guardians: list[tuple[Adult, str]] = field(default_factory=list)  # in the order in which they are called
    relatives: list[tuple[Adult, str]] = field(default_factory=list)  # grandparents and others who may be authorised


@dataclass(slots=True)
class Child:
    number: str  # 学号
    national: str  # 学籍号
    name: str
    girl: bool
    grade: int
    class_no: int
    seat: int
    family: Family
    delegations: list[Delegation] = field(default_factory=list)
    restricted: list[Adult] = field(default_factory=list)
    leaves_alone: bool = False
    stays: bool = False
    extended_care: bool = False
    care_centre: bool = False
    minor_consent: bool = False
    snapshot: bool = False
    face: bool = False
    messages: bool = False

    @property
    def class_name(self) -> str:
        return f"{HAN[self.grade - 1]}({self.class_no})班"


@dataclass(frozen=True, slots=True)
class StaffMember:
    number: str
    name: str
    woman: bool
    roles: str
    phone: str
    pin: str


class Roll:
    """Rolls the dice for everybody, in a fixed order."""

    def __init__(self, seed: int, classes_per_grade: int) -> None:
        self._dice = Random(seed)
        self._phones = 0
        self._adults = 0
        self._born: dict[date, int] = {}
        self.classes_per_grade = classes_per_grade
        self.staff = self._make_staff()
        self.children = self._make_children()
        self._mark()
        self._authorise()
        self._restrict()

    @property
    def classes(self) -> list[tuple[int, int]]:
        return [(grade, number) for grade in range(1, GRADES + 1) for number in range(1, self.classes_per_grade + 1)]

    def _national(self, born: date) -> str:
        self._born[born] = self._born.get(born, 0) + 1
        return national_number(born, self._born[born])

    def _phone(self) -> str:
        """1380000…: a block that is used in examples, and belongs to nobody in a school of this size."""
        self._phones += 1
        return f"138{self._phones:08d}"

    def _adult(self, name: str) -> Adult:
        self._adults += 1
        last = "X" if self._dice.random() < 0.09 else str(between(self._dice, 0, 9))
        return Adult(f"J{self._adults:05d}", name, self._phone(), f"{between(self._dice, 0, 999):03d}{last}")

    def _make_staff(self) -> list[StaffMember]:
        homes = GRADES * self.classes_per_grade
        groups = (
            ("T", homes + homes * 3 // 2, "教师", 1),
            ("G", 4, "门卫", 2),
            ("D", 2, "值班领导、教师", 3),
            ("O", 2, "办公室", 4),
            ("I", 1, "督学", 5),
            ("X", homes * 10 // 36, "教师", 6),  # people from outside who lead a club
        )
        staff: list[StaffMember] = []
        for letter, count, roles, digit in groups:
            for i in range(1, count + 1):
                woman = self._dice.random() < (0.0 if letter == "G" else 0.7)
                name = adult_name(self._dice, surname(self._dice), woman)
                staff.append(StaffMember(f"{letter}{i:03d}", name, woman, roles, self._phone(), f"{digit}{i:05d}"))
        return staff

    def _make_children(self) -> list[Child]:
        children: list[Child] = []
        single: list[Family] = []  # with one child so far, in a lower grade
        for grade in range(1, GRADES + 1):
            fresh: list[Family] = []
            for class_no in range(1, self.classes_per_grade + 1):
                for seat in range(1, SEATS + 1):
                    sibling = bool(single) and self._dice.random() < SIBLING and (grade, class_no, seat) not in CAST
                    family = single.pop(int(self._dice.random() * len(single))) if sibling else None
                    child = self._child(grade, class_no, seat, family)
                    children.append(child)
                    if not sibling and "·" not in child.name:
                        fresh.append(child.family)
            single += fresh
        return children

    def _child(self, grade: int, class_no: int, seat: int, family: Family | None) -> Child:
        dice = self._dice
        girl = dice.random() < 0.47
        if family is None:
            name, girl, family = self._family(grade, class_no, seat, girl)
        else:
            name = child_name(dice, family.surname, girl)
        entry = SCHOOL_YEAR - grade + 1
        born = date(entry - 7, 9, 1) + timedelta(days=between(dice, 0, 364))
        return Child(
            number=f"{entry}{class_no:02d}{seat:02d}",
            national=self._national(born),
            name=name,
            girl=girl,
            grade=grade,
            class_no=class_no,
            seat=seat,
            family=family,
        )

    def _family(self, grade: int, class_no: int, seat: int, girl: bool) -> tuple[str, bool, Family]:
        """The first child of a new family, with its guardians and grandparents."""
        dice = self._dice
        cast = CAST.get((grade, class_no, seat))
        if (cast and "·" in cast[0]) or (cast is None and dice.random() < 0.004):
            name, father, mother = uyghur_names(dice, girl)
            if cast:
                name, girl = cast
            family = Family(surname="", guardians=[(self._adult(mother), "母亲"), (self._adult(father), "父亲")])
            return name, girl, family
        shared = surname(dice)
        name = child_name(dice, shared, girl)
        if cast:
            name, girl = cast
            shared = name[:2] if name.startswith("欧阳") else name[0]
        family = Family(surname=shared)
        both = [
            (self._adult(adult_name(dice, surname(dice), True)), "母亲"),
            (self._adult(adult_name(dice, shared, False)), "父亲"),
        ]
        if dice.random() < 0.4:
            both.reverse()
        family.guardians = both[:1] if dice.random() < 0.07 else both
        self._add_relatives(family)
        return name, girl, family

    def _add_relatives(self, family: Family) -> None:
        dice = self._dice
        kinds = (
            ("祖母", True, 0.42),
            ("外祖母", True, 0.22),
            ("祖父", False, 0.16),
            ("姑姑", True, 0.05),
            ("舅父", False, 0.04),
        )
        for relation, woman, share in kinds:
            if dice.random() < share:
                name = adult_name(dice, family.surname if relation in ("祖父", "姑姑") else surname(dice), woman)
                family.relatives.append((self._adult(name), relation))

    def _mark(self) -> None:
        """Consents and choices, in exact shares."""
        dice = self._dice
        for grade in range(1, GRADES + 1):
            mine = [child for child in self.children if child.grade == grade]
            for child in shuffled(dice, mine)[: round(len(mine) * LEAVES_ALONE[grade - 1])]:
                child.leaves_alone = True
        for child in shuffled(dice, self.children)[: round(len(self.children) * STAYS)]:
            child.stays = True
        small = [child for child in self.children if child.stays and child.grade <= 4 and not child.leaves_alone]
        for child in shuffled(dice, small)[: round(len(self.children) * 40 / 1620)]:
            child.extended_care = True
        for child in self.children:
            child.snapshot = dice.random() < 0.70
            child.face = child.snapshot and dice.random() < 0.25
            child.messages = dice.random() < 0.95

    def _authorise(self) -> None:
        """Who else may collect a child: mostly for the term, some run out, some for one day."""
        dice = self._dice
        for child in self.children:
            for adult, relation in child.family.relatives:
                chance = dice.random()
                first, last = TERM
                if chance < 0.02:
                    last = date(2026, 10, 31)
                elif chance < 0.04:
                    first = last = date(2026, 11, 25)
                child.delegations.append(Delegation(adult, relation, first, last))
        collected = [child for child in self.children if not child.leaves_alone]
        self._care_centres(collected)
        for child in shuffled(dice, [c for c in collected if c.grade >= 3])[:12]:
            sibling = self._adult(child_name(dice, child.family.surname or "马", dice.random() < 0.5))
            sibling.minor = True
            child.minor_consent = dice.random() < 0.6
            child.delegations.append(Delegation(sibling, "姐姐" if dice.random() < 0.5 else "兄", *TERM))

    def _care_centres(self, collected: Sequence[Child]) -> None:
        dice = self._dice
        centres: list[Adult] = []
        for organisation in ("晨光托管中心", "小橘灯托管"):
            for _ in range(4):
                adult = self._adult(adult_name(dice, surname(dice), True))
                adult.organisation, adult.daily_limit = organisation, 20
                centres.append(adult)
        for child in shuffled(dice, collected)[: round(len(self.children) * 0.07)]:
            child.care_centre = True
            child.delegations.append(Delegation(pick(dice, centres), "托管机构", *TERM))

    def _restrict(self) -> None:
        """Fathers and mothers whom a court keeps away from the child: their card may still be valid."""
        two = [c for c in self.children if len(c.family.guardians) == 2 and not c.leaves_alone]
        for child in shuffled(self._dice, two)[: max(4, len(self.children) // 400)]:
            child.restricted.append(child.family.guardians[1][0])


def national_number(born: date, sequence: int) -> str:
    """A national student number of region 000000, which does not exist; the check digit is right (GB 11643)."""
    body = f"000000{born:%Y%m%d}{sequence:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]
    return f"G{body}{check}"
