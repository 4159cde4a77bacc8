"""Rosters, presence, queues and cases: what the pages may ask for, and the frozen answers.

Read-only views of the state. A page sends a query through the inbox as `Look(query)`; the controller's
thread answers it between two batches with `view(world, query, now_ms)`. Names are full here: masking for public pages
happens where the page is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# --- queries -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BarQuery:
    pass


@dataclass(frozen=True, slots=True)
class DisplayQuery:
    access_point: str


@dataclass(frozen=True, slots=True)
class GuardQuery:
    gate: str


@dataclass(frozen=True, slots=True)
class RosterQuery:
    roster: str  # "class:primary-2024-2" or "session:S101"


@dataclass(frozen=True, slots=True)
class RosterListQuery:
    """The rosters that concern a member of staff today (or all, staff=None)."""

    staff: int | None


@dataclass(frozen=True, slots=True)
class DutyQuery:
    pass


@dataclass(frozen=True, slots=True)
class ChildQuery:
    child: int


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """By name, pinyin, initials, class, seat or school number; pupils first, then collectors."""

    text: str
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ArrivalsQuery:
    """When today's children arrived: for the office's chart."""


Query = (
    ArrivalsQuery | BarQuery | DisplayQuery | GuardQuery | RosterQuery | RosterListQuery | DutyQuery | ChildQuery | SearchQuery
)


# --- answers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    name: str
    health: str  # drivers.protocols.Health values
    why: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What this node knows, on every staff page."""

    node: str
    school: str
    now_ms: int
    clock_trusted: bool
    online: bool  # the school server was reached within the last 2 minutes
    last_contact_ms: int | None
    waiting: int  # entries that the server has not got yet
    directory_number: int
    directory_made_ms: int
    freshness: str  # green | amber | red
    unseen_gates: tuple[str, ...]
    devices_down: tuple[DeviceLine, ...]
    calendar_unverified: bool
    day_note: str
    emergency: str  # "" | "emergency" | "drill"
    can_save: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayView:
    access_point: str
    name: str
    gate: str
    kind: str  # AccessKind
    now_ms: int
    window_name: str  # arrival | lessons | session | dismissal | closed
    window_from_ms: int | None
    window_to_ms: int | None
    room: str
    out_of_order: bool
    emergency: str
    no_card_possible: bool  # has a camera: class and seat may be named


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLine:
    """A child as staff see it anywhere."""

    child: int
    name: str
    class_name: str
    seat: int
    school_number: str
    on_campus: bool
    place: str
    custodian: int | None
    custodian_name: str
    collection: str  # NOT_DUE | WAITING | OVERDUE | ESCALATED | COLLECTED
    last_seen_ms: int | None
    now_in: str  # name of the session or lesson that runs for the child now, "" when none
    ends_ms: int | None  # when it ends
    release_opens_ms: int | None
    leaves_alone: bool
    has_photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupLine:
    """One child that the adult in the queue may want: what pickup rules say now."""

    line: ChildLine
    relation: str
    outcome: str  # Outcome
    reason: str  # Reason
    needs: tuple[str, ...]  # still asked of the guard: photo, call_back, second_person, child_recognises, id_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One adult or child standing at the gate. kind: collector | child | claim | unknown."""

    id: str
    kind: str
    at_ms: int
    access_point: str
    access_point_name: str
    person: int | None  # the collector's or child's number
    name: str
    organisation: str
    phone_tail: str
    outcome: str
    reason: str
    children: tuple[PickupLine, ...]
    restricted: bool
    snapshot: str  # id of the picture taken now, "" when none
    has_photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    gate: str
    gate_name: str
    queue: tuple[QueueItem, ...]  # newest first
    on_campus: int
    waiting: int  # children waiting for collection at this release gate
    released_today: int
    bar: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    line: ChildLine
    mark: str  # "" | present | late | left_early | leave_sick | leave_personal | absent_unexplained | moved
    here: bool  # tapped in here, or accepted by this roster's teacher
    expected: bool  # False: guest
    missing_since_ms: int | None  # on campus, expected here, not here: the running timer
    held_by_me: bool
    offered_to: str  # name of the taker of an open offer


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLine:
    handover: str
    kind: str
    giver: int
    giver_name: str
    taker: int
    taker_name: str
    place: str
    expected: int
    offered_ms: int
    lapses_ms: int
    children: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterView:
    roster: str
    kind: str  # class | session
    title: str
    room: str
    teacher: int
    teacher_name: str
    start_ms: int | None
    end_ms: int | None
    expected: int
    present: int
    missing: int
    excused: int
    roll_called_ms: int | None
    roll_due_ms: int | None
    rows: tuple[RosterRow, ...]  # missing-but-in-school first, then by seat, then pinyin
    incoming: tuple[OfferLine, ...]
    outgoing: tuple[OfferLine, ...]
    takeable: tuple[int, ...]  # children here whom somebody else still holds: "接收班级"
    next_takers: tuple[tuple[str, int, str], ...]  # (handover kind, staff number, label) offered by the button
    bar: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLink:
    roster: str
    title: str
    room: str
    teacher_name: str
    start_ms: int | None
    end_ms: int | None
    expected: int
    present: int
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterListView:
    rosters: tuple[RosterLink, ...]
    bar: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    at_ms: int
    by_name: str
    guardian: int
    guardian_name: str
    relation: str
    result: str
    eta_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianLine:
    guardian: int
    name: str
    relation: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One open case. kind: uncollected | roll_discrepancy | double_release | out_without_in | arrived_twice | step_misfit."""

    case: str
    kind: str
    line: ChildLine | None
    opened_ms: int
    t0_ms: int
    rung: int
    state: str  # the rung's state word
    do: str
    do_en: str
    told: tuple[str, ...]
    next_due_ms: int | None
    acknowledged_by: str
    acknowledged_ms: int | None
    eta_ms: int | None
    calls: tuple[CallLine, ...]
    guardians: tuple[GuardianLine, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyView:
    cases: tuple[CaseLine, ...]  # by what is due next
    on_campus: int
    by_place: tuple[tuple[str, int], ...]
    by_collection: tuple[tuple[str, int], ...]
    arrived_today: int
    released_today: int
    expected_today: int
    open_offers: tuple[OfferLine, ...]
    devices: tuple[DeviceLine, ...]
    can_clear: bool
    clear_blockers: tuple[str, ...]  # keys: children:12, cases:1, offers:0
    cleared_ms: int | None
    bar: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorLine:
    collector: int
    name: str
    relation: str
    guardian: bool
    phone: str
    has_photo: bool
    valid_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildView:
    line: ChildLine
    collectors: tuple[PickupLine, ...] = field(default=())
    adults: tuple[CollectorLine, ...] = field(default=())
    today: tuple[tuple[int, str, str], ...] = field(default=())  # (at_ms, kind, words key)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    kind: str  # pupil | collector | staff
    number: int
    name: str
    where: str  # class name, relation/organisation, roles
    line: ChildLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    text: str
    hits: tuple[SearchHit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalsView:
    counts: tuple[tuple[int, int], ...]  # (from_ms, arrivals in the five minutes from there), in order of time
    bar: Bar
