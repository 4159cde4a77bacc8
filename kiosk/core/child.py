"""One child's day, as values. What each fact does to it is in `kiosk.core.child_steps`."""

from __future__ import annotations

from typing import Any, NamedTuple

from kiosk.core.custody import NOBODY, Hold
from kiosk.core.entries import Entry


class Conflict(NamedTuple):
    """Two facts that cannot both be right. kind: double_release, out_without_in, arrived_twice, step_misfit;
    cloned_card, of which the child is whoever has the card; rolled_back, cloned_device, of a gate computer (child 0)."""

    case: str
    kind: str
    child: int
    at_ms: int
    entries: tuple[str, ...]


class Call(NamedTuple):
    at_ms: int
    by: int
    guardian: int
    result: str
    eta_ms: int | None
    channel: str = "phone"


class LadderState(NamedTuple):
    """How far the ladder has been climbed for one child today."""

    case: str
    opened_ms: int
    t0_ms: int
    rung: int
    fired_ms: int
    acknowledged_by: int = 0
    acknowledged_ms: int = 0
    second: int = 0  # the other adult, where the rung asks for two
    eta_ms: int = 0  # 0: no pause; a guardian's ETA pauses once
    paused_ms: int = 0  # when the pause began
    calls: tuple[Call, ...] = ()


class Search(NamedTuple):
    """A child is not where it should be. why: marked_absent, not_in_class, not_in_session, not_back, missing, reported.

    `incident_ms` is set once it was not found in time: the gates are on hold from then on.
    """

    case: str
    why: str
    opened_ms: int
    due_ms: int
    owner: int
    last_place: str
    last_adult: int
    last_seen_ms: int
    incident_ms: int = 0


class Undoable(NamedTuple):
    """What a release ended, so that it can be undone."""

    custodian: int
    place: str
    session: str
    case: LadderState | None
    since_ms: int


class Unused(NamedTuple):
    """The last word about a child: a granted passage that nobody used. what: arrived, released."""

    what: str
    access_point: str
    at_ms: int


class Slip(NamedTuple):
    from_ms: int
    to_ms: int
    collector: int | None
    alone: bool
    kind: str


class ChildState:
    """One child's day so far. Mutated only by `kiosk.core.child_steps.fold_step`."""

    __slots__ = (
        "after", "arrived_ms", "before", "case", "conflicts", "day", "dormitory", "due_ms", "escort", "excused", "flags", "group",
        "hold", "last_outcome", "last_point", "last_reason", "last_seen_ms", "located_ms", "marks", "place",
        "released_entry", "released_ms", "released_to", "search", "session", "sessions_seen", "since_ms", "slips", "unused",
    )  # fmt: skip

    def __init__(self) -> None:
        self.day = ""
        self.hold: Hold = NOBODY
        self.place = ""
        self.since_ms = 0  # since when the present custodian holds
        self.arrived_ms = 0
        self.released_ms = 0
        self.released_to = 0
        self.released_entry: Entry | None = None
        self.after: tuple[Entry, ...] = ()  # the day's first release and every fact since: what a later one stands behind
        self.last_seen_ms = 0
        self.last_point = ""
        self.last_reason = ""
        self.last_outcome = ""
        self.session = ""  # entered and not left
        self.sessions_seen: tuple[str, ...] = ()
        self.marks: dict[str, tuple[str, int]] = {}  # roster -> (mark, at_ms)
        self.excused = ""
        self.slips: tuple[Slip, ...] = ()
        self.case: LadderState | None = None
        self.due_ms = 0  # a later T0 than the timetable's, after a handover to extended care
        self.located_ms = 0  # found by staff after a search
        self.search: Search | None = None
        self.escort = ""  # on the way to a gate with its teacher
        self.group = ""  # outside the school with its teacher
        self.dormitory = False  # handed to the dormitory: stays overnight, in custody
        self.before: Undoable | None = None  # what the last release ended
        self.unused: Unused | None = None
        self.flags: tuple[str, ...] = ()
        self.conflicts: tuple[Conflict, ...] = ()

    def as_tuple(self) -> tuple[Any, ...]:
        """Everything, comparable: two nodes with the same facts have equal tuples."""
        return tuple(
            str(value.id) if isinstance(value, Entry) else tuple(sorted(value.items())) if isinstance(value, dict) else value
            for value in (getattr(self, name) for name in self.__slots__)
        )


PRESENT_MARKS = frozenset({"present", "late"})
ENDING_CORRECTIONS = frozenset({"left_unrecorded", "never_arrived"})
DORMITORY = "to_dormitory"
