"""World: everything that a decision may look at, gathered in one value that one thread owns.

The campus changes by facts only. Directory, day book and rules are swapped whole. The rest is what this
node happens to know right now (devices, link) and is recorded nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

from kiosk.core.campus import Campus
from kiosk.core.card_numbers import CardIndex
from kiosk.core.child import ChildState
from kiosk.core.custody import Collection, collection
from kiosk.core.entries import Stream
from kiosk.core.people import Directory, Pupil, Stage
from kiosk.core.rules import Rules
from kiosk.core.timetable import Calendar, DayBook, Plan, PupilDay, SessionTime, day_book

LINK_FRESH_MS = 120_000  # the server counts as reachable this long after the last contact
SunReader = Callable[[str], "SunTap | None"]
MAX_DELEGATES = 4_096  # passes whose delegate's name is remembered; the oldest is forgotten first


@dataclass(slots=True, kw_only=True)
class DeviceState:
    health: str
    why: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskRoom:
    """What is left of this computer's disk. level: "" or a word of `kiosk.core.disk`, so since the tick `since_tick`."""

    level: str = ""
    used_percent: int = 0
    since_tick: int = 0


@dataclass(slots=True, kw_only=True)
class Link:
    """What the sync agent last said. `directory_seen_ms`: when the pickup list was last confirmed current."""

    waiting: int = 0
    last_contact_ms: int | None = None
    peers: dict[str, int] = field(default_factory=dict)
    behind: frozenset[str] = frozenset()
    configured: bool = False
    own_known: bool = False  # since this start: all that the server has of this gate's own records is folded in here


class Start(NamedTuple):
    """This start of the computer, by its clock then. proven: its records cannot be an old copy (`kiosk.core.tokens`)."""

    at_ms: int = 0
    trusted: bool = False
    proven: bool = False


class SunTap(NamedTuple):
    """What a signing card said of itself. `genuine`: the school's key proves it; else nobody knows who said it."""

    uid: str
    counter: int
    genuine: bool


class Grant(NamedTuple):
    """A door that was opened. `child` 0: somebody whose passage is not taken back, but whose turn counts."""

    at_ms: int
    child: int
    kind: str


@dataclass(slots=True)
class Turns:
    """What one turnstile waits for, oldest first. `proven`: its sensor has turned, and not been silent too often since."""

    waiting: list[Grant] = field(default_factory=list)
    proven: bool = False
    unused: int = 0  # grants in a row without a turn


class Delegate(NamedTuple):
    """Who a pass is for, in words: from erasable notes and from passes that were shown, never from the chain."""

    name: str
    phone: str = ""
    features: str = ""


@dataclass(slots=True, kw_only=True)
class World:
    rules: Rules
    directory: Directory
    calendar: Calendar
    plan: Plan
    release_window_min: int
    campus: Campus
    stream: Stream
    book: DayBook
    cards: CardIndex
    link: Link = field(default_factory=Link)
    start: Start = field(default_factory=Start)
    devices: dict[str, DeviceState] = field(default_factory=dict)
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # access point -> its readers' device names
    watched: frozenset[str] = frozenset()  # access points with a sensor that says when somebody went through
    turns: dict[str, Turns] = field(default_factory=dict)  # by access point: see kiosk.core.turnstiles
    can_save: bool = True
    disk: DiskRoom = field(default_factory=DiskRoom)
    searched_ms: int = 0  # when everybody was last looked at for being missed
    clock_trusted: bool = True  # as the last tick found it
    let_go_through: str = ""  # of this day (ISO) and those before, not every fact is in `campus` any more
    let_go_tick: int = 0  # nor every fact whose tick is not above this one
    reread: bool = False  # something came that fits to facts which were let go of: the journal has them
    more_coming: bool = False  # of other gates' entries; nothing is read back before they are all here
    unreadable: list[str] = field(default_factory=list)  # peers' entries that this version cannot fold
    pass_issuers: Mapping[str, bytes] = field(default_factory=dict)  # node -> Ed25519 public key of its delegates' passes
    sun: SunReader | None = None  # tells what a text of a signing card proves; None: this gate has no keys for such cards
    delegates: dict[str, Delegate] = field(default_factory=dict)  # pass -> who it is for, as far as notes still say

    def __post_init__(self) -> None:
        gate_of = {point.id: point.gate for point in self.rules.access_points.values()}
        self.campus.cards.lens(gate_of, self.rules.impossible_ms)

    @property
    def day(self) -> str:
        return self.book.iso

    def adopt_directory(self, directory: Directory) -> None:
        """Swaps everybody at once; today's windows follow."""
        self.directory = directory.on(self.book.day.date)
        self.cards = CardIndex(directory.cards)
        self.open_day(self.book.day.date)

    def open_day(self, on: date) -> None:
        self.directory = self.directory.on(on)
        self.book = day_book(
            on, self.calendar, self.plan, self.directory, release_window_min=self.release_window_min
        )

    def local_date(self, now_ms: int) -> date:
        zone = timezone(timedelta(milliseconds=self.plan.utc_offset_ms))
        return datetime.fromtimestamp(now_ms / 1000, zone).date()

    def remember_delegate(self, pass_id: str, who: Delegate) -> None:
        if len(self.delegates) >= MAX_DELEGATES and pass_id not in self.delegates:
            del self.delegates[next(iter(self.delegates))]
        self.delegates[pass_id] = who

    def delegate_name(self, pass_id: str) -> str:
        """As the pass or its registration says; "" where nobody knows (any more)."""
        who = self.delegates.get(pass_id) if pass_id else None
        return who.name if who else ""

    # --- one child ---------------------------------------------------------------------------------

    def consented(self, child: int, purpose: str) -> bool:
        """Whether the family agrees now: by the list, and not taken back since."""
        return consented(self.directory, self.campus, child, purpose, self.day)

    def pupil_day(self, child: int) -> PupilDay | None:
        return self.book.pupils.get(child)

    def low_grade(self, pupil: Pupil) -> bool:
        """Released to an adult only, whatever anybody signed (办法 art. 31; domain L5)."""
        if pupil.stage is Stage.KINDERGARTEN:
            return True
        return pupil.stage is Stage.PRIMARY and pupil.grade <= self.rules.handover_max_grade

    def due_ms(self, child: int, state: ChildState) -> int:
        """T0 of the ladder: end of the child's own release window, or of extended care once handed over."""
        if state.due_ms:
            return state.due_ms
        windows = self.pupil_day(child)
        return windows.release_due_ms if windows else 0

    def collection_of(self, child: int, now_ms: int) -> Collection:
        state, windows = self.campus.child(child), self.pupil_day(child)
        collected = bool(state.released_ms) and not state.hold.live
        if windows is None or not (state.hold.live or collected):
            return Collection.NOT_DUE
        return collection(
            now_ms=now_ms,
            opens_ms=windows.release_opens_ms,
            due_ms=self.due_ms(child, state),
            rung=state.case.rung if state.case else -1,
            collected=collected,
        )

    def class_teacher(self, pupil: Pupil) -> int:
        """Who answers for a child that has just arrived. Never nobody: the duty leader stands in."""
        school_class = self.directory.classes.get(pupil.class_id)
        teacher = school_class.teacher if school_class else None
        return teacher or self.fallback_custodian()

    def fallback_custodian(self) -> int:
        leader = self.rules.duty_leader
        if leader is not None and leader in self.directory.staff:
            return leader
        return min(self.directory.staff, default=0) or -1

    def answers_for(self, pupil: Pupil) -> bool:
        """Whether this computer watches over a child's day: it serves the gate of the child's class. Who may release the
        child is another question (`kiosk.core.tokens`)."""
        school_class = self.directory.classes.get(pupil.class_id)
        home = school_class.release_gate if school_class else ""
        return not home or self.serves(home)

    def serves(self, gate: str) -> bool:
        return gate in self.rules.gates and (not self.rules.serves or gate in self.rules.serves)

    def session_now(self, child: int, now_ms: int) -> SessionTime | None:
        """The child's session that runs at this moment."""
        windows = self.pupil_day(child)
        if windows is None:
            return None
        return next((s for s in windows.sessions if s.start_ms <= now_ms < s.end_ms), None)

    def list_age_ms(self, now_ms: int) -> int:
        """How long ago the pickup list was known to be current: contact with the server, or its own making."""
        confirmed = self.link.last_contact_ms if self.link.configured else now_ms
        return max(0, now_ms - max(confirmed or 0, self.directory.made_at_ms))

    def freshness(self, now_ms: int, trusted: bool) -> str:
        if not trusted:
            return "red"
        age = self.list_age_ms(now_ms)
        if age <= self.rules.freshness.green_ms:
            return "green"
        return "amber" if age <= self.rules.freshness.amber_ms else "red"

    def next_entry_id(self, ahead: int = 1) -> str:
        """The id that the next fact (or the one `ahead` of it) will get: an offer names itself before it is sealed."""
        return f"{self.stream.node}/{self.stream.incarnation}/{self.stream.seq + ahead}"


FACE_MATCH, SNAPSHOT = "face_match", "snapshot"  # purposes of a consent


def consented(directory: Directory, campus: Campus, child: int, purpose: str, day: str) -> bool:
    """No consent row, no processing: asked by everything that looks at a face or keeps a picture. A row of the ledger outranks
    the list, and counts on its days only; a withdrawal that came after it outranks both."""
    pupil = directory.pupils.get(child)
    if pupil is None or campus.withdrawn(child, purpose):
        return False
    row = campus.privacy.rows.get((child, purpose))
    return row.covers(day) if row is not None else purpose in pupil.consents
