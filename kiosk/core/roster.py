"""Rosters, presence, queues and cases: what the pages may ask for, and the frozen answers.

Read-only views of the state. A page sends a query through the inbox as `Look(query)`; the controller's
thread answers it between two batches with `view(world, query, now_ms)`. Names are full here: masking for public pages
happens where the page is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.core.roster_changes import ComingChange
from kiosk.core.roster_custody import (
    ChildLine as ChildLine,
)
from kiosk.core.roster_custody import (
    EscortLine as EscortLine,
)
from kiosk.core.roster_custody import (
    GroupLine as GroupLine,
)
from kiosk.core.roster_custody import (
    NextGroup as NextGroup,
)
from kiosk.core.roster_custody import (
    ReturnedLine as ReturnedLine,
)
from kiosk.core.roster_custody import (
    SearchLine as SearchLine,
)
from kiosk.core.roster_custody import (
    ShiftLine as ShiftLine,
)
from kiosk.core.roster_custody import (
    ShiftOfferLine as ShiftOfferLine,
)
from kiosk.core.roster_custody import (
    ShiftReturnLine as ShiftReturnLine,
)
from kiosk.core.roster_custody import (
    SideLine as SideLine,
)
from kiosk.core.roster_custody import (
    StaffLine as StaffLine,
)
from kiosk.core.roster_custody import (
    UndoLine as UndoLine,
)
from kiosk.core.roster_delegates import (
    DelegatesQuery as DelegatesQuery,
)
from kiosk.core.roster_delegates import (
    PassAtGate as PassAtGate,
)
from kiosk.core.roster_faces import ConsentQuery
from kiosk.core.roster_gate import (
    DisplayView as DisplayView,
)
from kiosk.core.roster_gate import (
    GuardView as GuardView,
)
from kiosk.core.roster_gate import (
    PickupLine as PickupLine,
)
from kiosk.core.roster_gate import (
    QueueItem as QueueItem,
)
from kiosk.core.roster_gate import (
    RightLine as RightLine,
)
from kiosk.core.roster_safety import (
    MusterQuery as MusterQuery,
)
from kiosk.core.roster_safety import (
    RegisterQuery as RegisterQuery,
)
from kiosk.core.roster_safety import (
    WaitingQuery as WaitingQuery,
)
from kiosk.core.roster_service import (
    GuestLine as GuestLine,
)
from kiosk.core.roster_service import (
    OpenRow as OpenRow,
)
from kiosk.core.roster_service import (
    PatrolLine as PatrolLine,
)
from kiosk.core.roster_service import (
    PatrolQuery as PatrolQuery,
)
from kiosk.core.roster_service import (
    SeenLine as SeenLine,
)
from kiosk.core.roster_service import (
    ServiceLine as ServiceLine,
)
from kiosk.core.roster_service import (
    TeacherLine as TeacherLine,
)

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
    """`viewer` looks at it as whoever acts there: a substitute sees what the substitute holds, not what the teacher does."""

    roster: str  # "class:primary-2024-2", "session:S101", or "staff:113": whoever is in the care of that member of staff
    viewer: int = 0  # 0: as the roster's own teacher


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
    ArrivalsQuery
    | BarQuery
    | ChildQuery
    | ConsentQuery
    | DelegatesQuery
    | DisplayQuery
    | DutyQuery
    | GuardQuery
    | MusterQuery
    | PatrolQuery
    | RegisterQuery
    | RosterListQuery
    | RosterQuery
    | SearchQuery
    | WaitingQuery
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
    unseen_gates: tuple[str, ...]  # the server has not heard of them for minutes, or we not of the server
    devices_down: tuple[DeviceLine, ...]
    calendar_unverified: bool
    day_note: str
    emergency: str  # "" | "emergency" | "drill"
    can_save: bool
    behind_gates: tuple[str, ...] = ()  # heard of, but not everything that they recorded is here yet
    disk: str = ""  # "" | disk_low: pictures have stopped | disk_last: the ballast was given up
    disk_percent: int = 0
    hold: tuple[str, ...] = ()  # lost children, by class: while there is one, gates verify everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    line: ChildLine
    mark: str  # "" | present | late | left_early | leave_sick | leave_personal | absent_unexplained | moved
    here: bool  # tapped in here, or accepted by this roster's teacher
    expected: bool  # False: guest
    missing_since_ms: int | None  # on campus, expected here, not here: the running timer
    held_by_me: bool
    offered_to: str  # name of the taker of an open offer
    searched_ms: int | None = None  # a search for this child is open since then
    escorted: bool = False  # on the way to a gate, or outside with a group
    at_gate: bool = False  # counted at a gate, waits there to be collected
    next_in: str = ""  # the session that the child goes to next today
    next_ms: int | None = None  # when that begins
    boarder: bool = False
    unsigned: bool = False  # takes part without the agreement that the city asks for (未签协议); looked after all the same


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
    lines: tuple[ChildLine, ...] = ()  # the same children with their names, where the page counts them


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
    next_groups: tuple[NextGroup, ...] = ()  # children of this roster by the session that they go to next
    returned: tuple[ReturnedLine, ...] = ()  # offers of this teacher that came back: tell the teacher
    escorts: tuple[EscortLine, ...] = ()  # this teacher's own, on their way
    groups: tuple[GroupLine, ...] = ()  # this teacher's own, outside
    escort_gates: tuple[tuple[str, str], ...] = ()  # (gate, name), the children's own release gate first
    searches: tuple[SearchLine, ...] = ()  # open searches for children of this roster
    me: int = 0  # whose care `held_by_me`, offers, escorts and groups are about: the viewer, else the teacher
    me_name: str = ""
    elsewhere: int = 0  # children in that person's care who are not on this list
    service: ServiceLine | None = None  # of a session of today
    guests: tuple[GuestLine, ...] = ()  # of a class: its children who are guests at a session
    colleagues: tuple[StaffLine, ...] = ()  # who may be chosen to take children over, where the timetable names nobody
    coming: tuple[ComingChange, ...] = ()  # who joins and leaves this session in the week ahead, and what else becomes other


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
    staff: int = 0  # whose list it is, 0: nobody's in particular


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    at_ms: int
    by_name: str
    guardian: int
    guardian_name: str
    relation: str
    result: str
    eta_ms: int | None
    channel: str = "phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianLine:
    guardian: int
    name: str
    relation: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One open case.

    kind: uncollected; locate or incident (then `search`); absence, no_arrival, roll_overdue, escort_due, escort_late,
    arrival_unused, exit_unused (gone when the lists agree); the kinds of `Alarm`; the kinds of `Conflict`.
    """

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
    adults: int = 1  # how many stay with the child on this rung
    second_name: str = ""  # the second adult who acknowledged
    owner_name: str = ""
    search: SearchLine | None = None
    sides: tuple[SideLine, ...] = ()  # of a double release: every one of them


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
    escorts: tuple[EscortLine, ...] = ()
    groups: tuple[GroupLine, ...] = ()
    shifts: tuple[ShiftLine, ...] = ()
    unwatched: tuple[tuple[str, str], ...] = ()  # gates without a watch: id, name
    unclosed: int = 0  # sessions that are over and not archived
    lock_month: str = ""  # the month before this one, while nobody has locked it
    boarders: int = 0  # in the dormitory, in named custody: they do not keep the day open


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
    passes: tuple[PassAtGate, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    kind: str  # pupil | collector | staff
    number: int
    name: str
    where: str  # class name, relation/organisation, roles
    line: ChildLine | None
    children: tuple[tuple[int, str], ...] = ()  # a collector's: number and name


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    text: str
    hits: tuple[SearchHit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalsView:
    counts: tuple[tuple[int, int], ...]  # (from_ms, arrivals in the five minutes from there), in order of time
    bar: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolView:
    """asked: the city or the school wants patrols. unseen: of the sessions that have begun; later: that have not."""

    lines: tuple[PatrolLine, ...]
    asked: bool
    unseen: int
    later: int
    bar: Bar
