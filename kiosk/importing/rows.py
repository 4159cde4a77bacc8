"""What the people files say, by the school's own keys: one frozen row per fact, no numbers of ours.

`Rows` is a whole school. `rows_of` takes one out of the directory in force, so that the two can be compared.
Nothing here is checked: `kiosk.importing.checks` does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from kiosk.core.people import (
    Authorisation,
    Card,
    CardState,
    Collector,
    Directory,
    Enrolment,
    Outside,
    Pupil,
    Restriction,
    Role,
    SchoolClass,
    Session,
    Staff,
    Stage,
)
from kiosk.directory import PersonKind


class Kind(StrEnum):
    """The sheets that a school fills in, and the collectors that follow from three of them."""

    CLASSES = "classes"
    STAFF = "staff"
    PUPILS = "pupils"
    COLLECTORS = "collectors"
    GUARDIANS = "guardians"
    DELEGATES = "delegates"
    RESTRICTIONS = "restrictions"
    CARDS = "cards"
    SESSIONS = "sessions"
    ENROLMENTS = "enrolments"
    APPLICATIONS = "applications"


KIND_NAMES = {
    Kind.CLASSES: "班级",
    Kind.STAFF: "教职工",
    Kind.PUPILS: "学生",
    Kind.COLLECTORS: "接送人",
    Kind.GUARDIANS: "监护人",
    Kind.DELEGATES: "委托接送",
    Kind.RESTRICTIONS: "限制接送",
    Kind.CARDS: "卡",
    Kind.SESSIONS: "课程",
    Kind.ENROLMENTS: "报名",
    Kind.APPLICATIONS: "申请",
}


class LinkKey(NamedTuple):
    """A pupil and a collector, and from when: several periods of one pair are several rows."""

    pupil: str
    collector: str
    valid_from: date | None


class CardKey(NamedTuple):
    uid: str
    holder_kind: PersonKind
    holder: str


class EnrolmentKey(NamedTuple):
    pupil: str
    session: str
    valid_from: date | None


class ApplicationKey(NamedTuple):
    pupil: str
    session: str
    applied_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    id: str
    name: str
    stage: Stage
    grade: int
    class_no: int
    entry_year: int
    teacher: str = ""
    room: str = ""
    release_gate: str = ""

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    staff_number: str
    name: str
    roles: frozenset[Role] = frozenset()
    phone: str = ""
    organisation: str = ""  # "": the school's own
    contract_from: date | None = None
    contract_to: date | None = None
    qualification: str = ""
    health_checked: date | None = None
    record_checked: date | None = None

    @property
    def key(self) -> str:
        return self.staff_number


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilRow:
    school_number: str
    name: str
    class_id: str
    seat: int
    boarder: bool = False
    leaves_alone: bool = False
    extended_care: bool = False
    minor_collector_consent: bool = False
    consents: frozenset[str] = frozenset()
    way_home: str = ""

    @property
    def key(self) -> str:
        return self.school_number


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorRow:
    id: str
    name: str
    phone: str = ""
    id_last4: str = ""
    minor: bool = False
    organisation: str = ""
    daily_limit: int = 0

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A guardian, a delegate or a restriction, by the map that it lies in. Restrictions have no relation."""

    pupil: str
    collector: str
    relation: str = ""
    order: int = 9
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def key(self) -> LinkKey:
        return LinkKey(self.pupil, self.collector, self.valid_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    uid: str
    holder_kind: PersonKind
    holder: str
    state: CardState = CardState.ACTIVE
    kind: str = ""

    @property
    def key(self) -> CardKey:
        return CardKey(self.uid, self.holder_kind, self.holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    id: str
    name: str
    kind: str
    slot: int
    weekdays: frozenset[int]
    room: str = ""
    teacher: str = ""
    capacity: int = 0
    includes_pe: bool = False
    start_min: int | None = None
    end_min: int | None = None
    partner: str = ""
    audience: frozenset[str] = frozenset()
    valid_from: date | None = None
    valid_to: date | None = None
    later: tuple[SessionRow, ...] = ()  # further rows of the same session, by their first day

    @property
    def key(self) -> str:
        return self.id

    @property
    def periods(self) -> tuple[SessionRow, ...]:
        """Every row of the session, each for its own days."""
        return (self, *self.later)

    def on(self, day: date) -> SessionRow:
        """The row that holds on a day, or the one before it."""
        begun = [row for row in self.periods if row.valid_from is None or row.valid_from <= day]
        return begun[-1] if begun else self

    def __str__(self) -> str:
        """What a row says for its own days, as the differences of an import show it."""
        span = f"{self.valid_from or ''}–{self.valid_to or ''}"
        days = "".join("一二三四五六日"[day - 1] for day in sorted(self.weekdays))
        return f"{span} {self.name} {days} {self.room} {self.teacher} {self.capacity or ''}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRow:
    pupil: str
    session: str
    valid_from: date | None = None
    valid_to: date | None = None
    leave_at_min: int | None = None
    agreement: str = ""
    application: str = ""  # of the place that an application gave

    @property
    def key(self) -> EnrolmentKey:
        return EnrolmentKey(self.pupil, self.session, self.valid_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRow:
    """What a family asks for; of one in force also how it stands."""

    pupil: str
    session: str
    applied_on: date
    valid_from: date
    valid_to: date | None = None
    leave_at_min: int | None = None
    agreement: str = ""
    priority: str = ""
    application: str = ""
    open: bool = True
    placed: bool = False

    @property
    def key(self) -> ApplicationKey:
        return ApplicationKey(self.pupil, self.session, self.applied_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A whole school by natural keys."""

    classes: Mapping[str, ClassRow] = field(default_factory=dict)
    staff: Mapping[str, StaffRow] = field(default_factory=dict)
    pupils: Mapping[str, PupilRow] = field(default_factory=dict)
    collectors: Mapping[str, CollectorRow] = field(default_factory=dict)
    guardians: Mapping[LinkKey, LinkRow] = field(default_factory=dict)
    delegates: Mapping[LinkKey, LinkRow] = field(default_factory=dict)
    restrictions: Mapping[LinkKey, LinkRow] = field(default_factory=dict)
    cards: Mapping[CardKey, CardRow] = field(default_factory=dict)
    sessions: Mapping[str, SessionRow] = field(default_factory=dict)
    enrolments: Mapping[EnrolmentKey, EnrolmentRow] = field(default_factory=dict)
    applications: Mapping[ApplicationKey, ApplicationRow] = field(default_factory=dict)  # only those that are new

    def of(self, kind: Kind) -> Mapping[Any, Any]:
        found: Mapping[Any, Any] = getattr(self, kind.value)
        return found

    def holders(self, kind: PersonKind) -> Mapping[str, Any]:
        """The people of one kind, by the keys that a card names."""
        return {PersonKind.PUPIL: self.pupils, PersonKind.STAFF: self.staff, PersonKind.COLLECTOR: self.collectors}[kind]


OUTSIDE_FIELDS = ("organisation", "contract_from", "contract_to", "qualification", "health_checked", "record_checked")


# ---- directory -> rows ---------------------------------------------------------------------------------


def rows_of(directory: Directory) -> Rows:
    """The directory in force as the school would have written it."""
    pupil_key = {p.number: p.school_number for p in directory.pupils.values()}
    staff_key = {s.number: s.staff_number for s in directory.staff.values()}
    collector_key = {c.number: c.key for c in directory.collectors.values()}
    links = [a for group in directory.collectors_of.values() for a in group]
    restrictions = [r for group in directory.restrictions_of.values() for r in group]
    enrolments = [e for group in directory.enrolments_of.values() for e in group]
    cards = [c for group in directory.cards.values() for c in group]
    return Rows(
        classes=_keyed(_class_row(c, staff_key) for c in directory.classes.values()),
        staff=_keyed(_staff_row(s, directory.outside.get(s.number)) for s in directory.staff.values()),
        pupils=_keyed(_pupil_row(p) for p in directory.pupils.values()),
        collectors=_keyed(_collector_row(c) for c in directory.collectors.values()),
        guardians=_keyed(_link_row(a, pupil_key, collector_key) for a in links if a.guardian),
        delegates=_keyed(_link_row(a, pupil_key, collector_key) for a in links if not a.guardian),
        restrictions=_keyed(_link_row(r, pupil_key, collector_key) for r in restrictions),
        cards=_keyed(_card_row(c, pupil_key, staff_key, collector_key) for c in cards),
        sessions=_keyed(_session_of(key, directory, staff_key) for key in directory.sessions),
        enrolments=_keyed(_enrolment_row(e, pupil_key) for e in enrolments),
    )


def _keyed(rows: Iterable[Any]) -> dict[Any, Any]:
    return {row.key: row for row in rows}


def _staff_row(row: Staff, outside: Outside | None) -> StaffRow:
    own = StaffRow(staff_number=row.staff_number, name=row.name, roles=row.roles, phone=row.phone)
    return own if outside is None else replace(own, **{name: getattr(outside, name) for name in OUTSIDE_FIELDS})


def _class_row(row: SchoolClass, staff_key: Mapping[int, str]) -> ClassRow:
    return ClassRow(
        id=row.id,
        name=row.name,
        stage=row.stage,
        grade=row.grade,
        class_no=row.class_no,
        entry_year=row.entry_year,
        teacher=staff_key.get(row.teacher, "") if row.teacher is not None else "",
        room=row.room,
        release_gate=row.release_gate,
    )


def _pupil_row(row: Pupil) -> PupilRow:
    return PupilRow(
        school_number=row.school_number,
        name=row.name,
        class_id=row.class_id,
        seat=row.seat,
        boarder=row.boarder,
        leaves_alone=row.leaves_alone,
        extended_care=row.extended_care,
        minor_collector_consent=row.minor_collector_consent,
        consents=row.consents,
        way_home=row.way_home,
    )


def _collector_row(row: Collector) -> CollectorRow:
    return CollectorRow(
        id=row.key,
        name=row.name,
        phone=row.phone,
        id_last4=row.id_last4,
        minor=row.minor,
        organisation=row.organisation,
        daily_limit=row.daily_limit,
    )


def _link_row(row: Authorisation | Restriction, pupils: Mapping[int, str], collectors: Mapping[int, str]) -> LinkRow:
    said = {"relation": row.relation, "order": row.order} if isinstance(row, Authorisation) else {}
    return LinkRow(
        pupil=pupils[row.child],
        collector=collectors[row.collector],
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        **said,  # type: ignore[arg-type]
    )


def _card_row(card: Card, pupils: Mapping[int, str], staff: Mapping[int, str], collectors: Mapping[int, str]) -> CardRow:
    for kind, keys in ((PersonKind.PUPIL, pupils), (PersonKind.STAFF, staff)):
        if card.holder in keys:
            return CardRow(uid=card.uid, holder_kind=kind, holder=keys[card.holder], state=card.state, kind=card.kind)
    holder = collectors[card.holder]
    return CardRow(uid=card.uid, holder_kind=PersonKind.COLLECTOR, holder=holder, state=card.state, kind=card.kind)


def _session_of(key: str, directory: Directory, staff_key: Mapping[int, str]) -> SessionRow:
    first, *later = directory.session_rows.get(key) or (directory.sessions[key],)
    return replace(_session_row(first, staff_key), later=tuple(_session_row(row, staff_key) for row in later))


def _session_row(row: Session, staff_key: Mapping[int, str]) -> SessionRow:
    return SessionRow(
        id=row.id,
        name=row.name,
        kind=row.kind,
        slot=row.slot,
        weekdays=row.weekdays,
        room=row.room,
        teacher=staff_key.get(row.teacher, ""),
        capacity=row.capacity,
        includes_pe=row.includes_pe,
        start_min=row.start_min,
        end_min=row.end_min,
        partner=row.partner,
        audience=row.audience,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _enrolment_row(row: Enrolment, pupils: Mapping[int, str]) -> EnrolmentRow:
    return EnrolmentRow(
        pupil=pupils[row.child],
        session=row.session,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        leave_at_min=row.leave_at_min,
        agreement=row.agreement,
        application=row.application,
    )
