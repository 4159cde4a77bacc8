"""People, cards and authorisations as values: what a directory snapshot says.

Nothing here is looked up, stored or changed. `kiosk.directory` builds one `Directory` from a
snapshot file and the controller swaps it whole. Persons (pupils, staff, collectors) share one
space of opaque numbers, the only thing that the journal ever records about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Stage(StrEnum):
    """学段. Codes follow the order of schooling; a school may run several."""

    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"
    JUNIOR = "junior"
    SENIOR = "senior"


class Role(StrEnum):
    """What a member of staff may do at the kiosk. A person can hold several."""

    GUARD = "guard"
    TEACHER = "teacher"
    DUTY_LEADER = "duty_leader"
    OFFICE = "office"
    INSPECTOR = "inspector"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolClass:
    """A home class (行政班). `id` is canonical and stable, such as `primary-2024-2`."""

    id: str
    name: str  # as people write it: 三(2)班
    stage: Stage
    grade: int  # within the stage, 1-based, in the current school year
    class_no: int
    entry_year: int
    teacher: int | None  # staff number of the class teacher (班主任)
    room: str
    release_gate: str  # id of the gate that may release this class while cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    number: int  # opaque, ours
    school_number: str  # 学号, the school's own key
    name: str
    pinyin: str  # for sorting and search: "wang xiaoming"
    initials: str  # "wxm"
    class_id: str
    seat: int
    grade: int
    stage: Stage
    boarder: bool = False
    leaves_alone: bool = False  # signed consent is active (自行离校)
    extended_care: bool = False  # enrolled in 延时托管
    minor_collector_consent: bool = False  # a minor sibling may collect (domain table row 14)
    consents: frozenset[str] = frozenset()  # active purposes: snapshot, face_match, messaging, ...
    way_home: str = ""  # planned (接送方式): guardian, alone, bus, care_centre; "" = not said. Grants nothing
    has_photo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    number: int
    staff_number: str  # 工号, used to sign in
    name: str
    pinyin: str
    initials: str
    roles: frozenset[Role]
    phone: str = ""


VETTED: tuple[str, ...] = ("record", "health", "qualification", "contract", "whitelist")  # asked of staff from outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A member of staff who is not the school's own: whose, under which contract, and what was checked when."""

    staff: int
    organisation: str
    contract_from: date | None = None
    contract_to: date | None = None
    qualification: str = ""  # number of the certificate
    health_checked: date | None = None  # 品德、健康核查
    record_checked: date | None = None  # 犯罪记录查询, valid for twelve months


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """An adult (or minor) who may come for a child: guardian, relative, care-centre staff."""

    number: int
    name: str
    pinyin: str
    initials: str
    phone: str = ""
    id_last4: str = ""
    minor: bool = False
    organisation: str = ""  # 托管机构 or school bus, when collecting on its behalf
    daily_limit: int = 0  # children per day; 0 = no limit
    has_photo: bool = False
    key: str = ""  # 接送人编号, the school's own key; only imports use it


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """`collector` may collect `child` within the dates, both included. Guardians have open ends."""

    child: int
    collector: int
    relation: str  # words as shown to the guard: 母亲, 祖父, 托管机构 ...
    guardian: bool
    valid_from: date | None = None
    valid_to: date | None = None
    order: int = 9  # in which order guardians are called


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """`collector` must never be given `child` (court order, custody dispute). Outranks every authorisation."""

    child: int
    collector: int
    valid_from: date | None = None
    valid_to: date | None = None


class CardState(StrEnum):
    ACTIVE = "active"
    LOST = "lost"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    uid: str  # canonical: upper hex of the bytes as read over the air
    holder: int
    state: CardState = CardState.ACTIVE
    kind: str = ""  # m1, id, cpu, sun (proves itself at every read); "" = not said


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An after-school session on the menu. Its clock times come from the bell schedule's slot.

    `valid_from`, `valid_to`: the days for which this row speaks. A session that changes its teacher, room, weekdays or
    places inside a term has several rows with one id, and no day has two of them (see `Directory.on`).
    """

    id: str
    name: str
    kind: str  # homework, tutoring, reading, sports, arts, ..., extended_care, early_care, evening_study
    slot: int  # 1 or 2; 0 when it has times of its own
    weekdays: frozenset[int]  # ISO weekdays of the timetable that runs, 1..7
    room: str
    teacher: int
    capacity: int = 0  # 0 = not limited
    includes_pe: bool = False
    start_min: int | None = None  # minutes since local midnight, only where slot == 0
    end_min: int | None = None
    partner: str = ""  # outside organisation that runs it (合作机构)
    audience: frozenset[str] = frozenset()  # grades (primary-3) and ids of classes it is for (参加对象); empty = everybody
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """`child` takes part in `session` from..to, both included; history is kept."""

    child: int
    session: str
    valid_from: date | None = None
    valid_to: date | None = None
    leave_at_min: int | None = None  # an earlier end that the family chose
    agreement: str = ""  # number of the paper agreement (协议编号)
    application: str = ""  # the application that this place came from (申请编号); "" = from a list


def _empty() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """One snapshot of everybody, indexed for decisions. Every mapping is complete at build time.

    `cards` maps a canonical UID to every holder that claims it: two holders ask a person.
    """

    number: int  # snapshot number, grows by one with every change
    made_at_ms: int
    classes: Mapping[str, SchoolClass] = field(default_factory=_empty)
    pupils: Mapping[int, Pupil] = field(default_factory=_empty)
    staff: Mapping[int, Staff] = field(default_factory=_empty)
    collectors: Mapping[int, Collector] = field(default_factory=_empty)
    cards: Mapping[str, tuple[Card, ...]] = field(default_factory=_empty)
    by_seat: Mapping[tuple[str, int], int] = field(default_factory=_empty)
    children_of: Mapping[int, tuple[Authorisation, ...]] = field(default_factory=_empty)
    collectors_of: Mapping[int, tuple[Authorisation, ...]] = field(default_factory=_empty)
    restrictions_of: Mapping[int, tuple[Restriction, ...]] = field(default_factory=_empty)
    sessions: Mapping[str, Session] = field(default_factory=_empty)  # one row each: see `on`
    session_rows: Mapping[str, tuple[Session, ...]] = field(default_factory=_empty)  # every row, by its first day
    enrolments_of: Mapping[int, tuple[Enrolment, ...]] = field(default_factory=_empty)
    members_of: Mapping[str, tuple[Enrolment, ...]] = field(default_factory=_empty)
    pupils_of_class: Mapping[str, tuple[int, ...]] = field(default_factory=_empty)
    outside: Mapping[int, Outside] = field(default_factory=_empty)  # staff number -> vetting, of staff from outside
    by_staff_number: Mapping[str, int] = field(default_factory=_empty)
    by_own_number: Mapping[str, tuple[int, ...]] = field(default_factory=_empty)  # 学号 or 工号, see `own_number`

    def on(self, day: date) -> Directory:
        """The directory with every session as it is on `day`, so that a past day keeps its own teachers, rooms and weekdays.

        A session that no row holds for that day keeps the row before it (else its first): it still has a name, and does
        not take place.
        """
        rows = {key: rows for key, rows in self.session_rows.items() if len(rows) > 1}
        if not rows:
            return self
        sessions = {**self.sessions, **{key: _row_on(found, day) for key, found in rows.items()}}
        return replace(self, sessions=MappingProxyType(sessions))

    def name_of(self, number: int) -> str:
        """The full name of any person, or the number itself for one who has been erased."""
        person = self.pupils.get(number) or self.staff.get(number) or self.collectors.get(number)
        return person.name if person else f"#{number}"


def _row_on(rows: tuple[Session, ...], day: date) -> Session:
    begun = [row for row in rows if row.valid_from is None or row.valid_from <= day]
    return begun[-1] if begun else rows[0]


def own_number(text: str) -> str:
    """A 学号 or 工号 as terminals have it: those that count with it drop leading zeros."""
    return text.strip().upper().lstrip("0")


def within(valid_from: date | None, valid_to: date | None, day: date) -> bool:
    """Whether `day` lies in an interval whose open ends are None and whose closed ends are included."""
    return (valid_from is None or valid_from <= day) and (valid_to is None or day <= valid_to)
