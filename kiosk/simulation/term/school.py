"""The sample school under one city's plan, whole or cut down to some classes, with children who join and leave during the term.

The people come in by the ordinary import of people files: this module writes such files and never a directory by hand. Nobody
signs in with a PIN during a played term, so the column with the PINs stays out.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from kiosk.core.people import Directory
from kiosk.core.timetable import Term
from kiosk.directory import load
from kiosk.people_import import DIRECTORY_FILE, import_people
from kiosk.settings import Settings, shared_data_dir
from kiosk.settings import load as load_settings

PEOPLE_FOLDER = "people"
JOINS, LEAVES, SLOT_TWO_ONLY, NO_AGREEMENT, LEAVES_EARLIER = 0.03, 0.03, 0.04, 0.03, 0.02  # shares of those who stay
_GRADES = (1, 6, 3, 4, 2, 5)  # in which order a smaller school takes its classes: both gates and every age early
_BY_CHILD = ("学生.csv", "监护人.csv", "委托接送.csv", "限制接送.csv", "报名.csv", "申请.csv")
_WEEKEND = (  # 课程编号, 课程名称, 类型, 教室, 负责教师; for a city whose calendar has a weekend day
    ("ZM-1", "周末足球", "周末", "操场", "T075"),
    ("ZM-2", "周末书法", "周末", "书法室", "T076"),
)


def cities() -> tuple[str, ...]:
    """Those under whose policy the sample school has a plan."""
    return tuple(sorted(plan.name for plan in (shared_data_dir("sample_school") / "variants").iterdir()))


class TermError(Exception):
    """The term cannot be played; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`classes` 0: all 36. `pupils`: of each class, 0: all 45. `first` and `last`: days of the term to play, None: all."""

    classes: int = 0
    pupils: int = 0
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermSchool:
    settings: Settings
    directory: Directory
    term: Term

    def days(self, size: Size) -> Iterator[date]:
        on, last = size.first or self.term.first, size.last or self.term.last
        while on <= last:
            yield on
            on += timedelta(days=1)


def school_of(city: str, state: Path, *, seed: int, size: Size) -> TermSchool:
    """Settings of the city's variant, and its people imported into `state`. Raises TermError."""
    if city not in cities():
        raise TermError(f"there is no plan for {city}; take one of {', '.join(cities())}")
    settings = load_settings(shared_data_dir("sample_school") / "variants" / city)
    term = settings.calendar.terms[0]
    folder = state / PEOPLE_FOLDER
    folder.mkdir()
    _Files(settings, term, random.Random(f"{seed}:{city}:people"), size).write(folder)
    made_at_ms = (term.first.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000
    result = import_people([folder], state, settings=settings, dry_run=False, now_ms=made_at_ms)
    if not result.ok:
        raise TermError(f"the people of {city} cannot be imported: {result.text()}")
    return TermSchool(settings=settings, directory=load(state / DIRECTORY_FILE), term=term)


Row = dict[str, str]


class _Files:
    """The sample school's people files, read once and written again with what this term needs."""

    def __init__(self, settings: Settings, term: Term, chance: random.Random, size: Size) -> None:
        source = settings.find(PEOPLE_FOLDER)
        assert source is not None, "the sample school has people"
        self._settings, self._term, self._chance, self._size = settings, term, chance, size
        self.sheets: dict[str, tuple[list[str], list[Row]]] = {p.name: _read(p) for p in sorted(source.glob("*.csv"))}

    def write(self, folder: Path) -> None:
        self._cut()
        self._enrol()
        if self._settings.calendar.weekend_service:
            self._add_weekend()
        taken = {row["课程编号"] for row in self._rows("报名.csv")}
        self._keep("课程.csv", lambda row: row["课程编号"] in taken or row["时段"] in ("早到", "延时"))
        menu = {row["课程编号"] for row in self._rows("课程.csv")}
        self._keep("申请.csv", lambda row: row["课程编号"] in menu)
        for name, (head, rows) in self.sheets.items():
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, [column for column in head if column != "演示密码"], extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)

    def _rows(self, name: str) -> list[Row]:
        return self.sheets[name][1]

    def _keep(self, name: str, wanted: Callable[[Row], bool]) -> None:
        head, rows = self.sheets[name]
        self.sheets[name] = (head, [row for row in rows if wanted(row)])

    def _cut(self) -> None:
        """To the classes and pupils that are wanted, and everybody who belongs to them."""
        if self._size.classes:
            by_grade: dict[int, list[str]] = {}
            for row in self._rows("班级.csv"):
                by_grade.setdefault(2027 - int(row["入学年份"]), []).append(row["班级"])
            in_turn = [by_grade[grade][turn] for turn in range(6) for grade in _GRADES]
            classes = set(in_turn[: self._size.classes])
            self._keep("班级.csv", lambda row: row["班级"] in classes)
            self._keep("学生.csv", lambda row: row["班级"] in classes)
        if self._size.pupils:
            self._keep("学生.csv", lambda row: int(row["座号"]) <= self._size.pupils)
        children = {row["学号"] for row in self._rows("学生.csv")}
        for name in _BY_CHILD:
            self._keep(name, lambda row: row["学号"] in children)
        adults = {row["接送人编号"] for name in _BY_CHILD[1:4] for row in self._rows(name)}
        holders = {"学生": children, "接送人": adults}
        self._keep("卡.csv", lambda row: row["持有人编号"] in holders.get(row["持有人类型"], {row["持有人编号"]}))

    def _enrol(self) -> None:
        """Who joins late, leaves early, comes to the second slot only, goes home earlier, has not signed."""
        chance, kept = self._chance, list[Row]()
        by_child: dict[str, list[Row]] = {}
        for row in self._rows("报名.csv"):
            by_child.setdefault(row["学号"], []).append(row)
        first, last = self._size.first or self._term.first, self._size.last or self._term.last
        days = (last - first).days
        leaves_at = self._leaves_at()
        for rows in by_child.values():
            draw = chance.random()
            two = any(row["课程编号"].startswith("KY") for row in rows) and any(row["课程编号"].startswith("ST") for row in rows)
            if draw < JOINS:
                rows = [row | {"有效期起": _later(first, chance.randint(days // 10, days * 3 // 4))} for row in rows]
            elif draw < JOINS + LEAVES:
                rows = [row | {"有效期止": _later(first, chance.randint(days // 10, days * 9 // 10))} for row in rows]
            elif draw < JOINS + LEAVES + SLOT_TWO_ONLY and two:
                rows = [row for row in rows if not row["课程编号"].startswith("KY")]
            elif draw < JOINS + LEAVES + SLOT_TWO_ONLY + LEAVES_EARLIER and two and leaves_at:
                rows = [row | {"离开时间": leaves_at} if row["课程编号"].startswith("ST") else row for row in rows]
            if chance.random() < NO_AGREEMENT:
                rows = [row | {"协议编号": ""} for row in rows]
            kept += [row for row in rows if row["有效期起"] <= row["有效期止"]]
        self.sheets["报名.csv"] = (self.sheets["报名.csv"][0], kept)

    def _leaves_at(self) -> str:
        """The last of the school's earlier ends, if it lies within its second slot in every season; "" without one."""
        slots = [slot for bells in self._settings.plan.schedules.values() for slot in bells.slots if slot.number == 2]
        at = max(self._settings.service.leave_times_min, default=0)
        return f"{at // 60:02}:{at % 60:02}" if all(slot.start_min < at < slot.end_min for slot in slots) else ""

    def _add_weekend(self) -> None:
        """Two sessions on the weekend day with enrolments of their own: interest, not lessons."""
        day = "一二三四五六日"[min(self._settings.calendar.weekend_service) - 1]
        term, pupils = self._term, self._rows("学生.csv")
        for number, (session, name, kind, room, teacher) in enumerate(_WEEKEND):
            fixed = {"课程编号": session, "课程名称": name, "类型": kind, "时段": "其他", "星期": day, "教室": room}
            times = {"负责教师": teacher, "容量": "45", "含体育": "否", "开始时间": "09:00", "结束时间": "11:00"}
            self._rows("课程.csv").append(fixed | times)
            for row in pupils[number :: max(2, len(pupils) // 30)]:
                dates = {"有效期起": term.first.isoformat(), "有效期止": term.last.isoformat()}
                taken = {"学号": row["学号"], "课程编号": session, "协议编号": f"ZM-{row['学号']}"}
                self._rows("报名.csv").append(taken | dates)


def _later(first: date, days: int) -> str:
    return (first + timedelta(days=days)).isoformat()


def _read(path: Path) -> tuple[list[str], list[Row]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return list(reader.fieldnames or ()), rows
