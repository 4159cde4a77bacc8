"""One child's day: its state, and what each fact does to it.

Mutated only by `fold_step`, one fact at a time, in the total order of entries. A fact that does not fit the custody
table happened all the same: custody stays as it was and the misfit becomes a conflict for a person to close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from kiosk.core.custody import NOBODY, Hold, Step, StepRefused, step
from kiosk.core.entries import Entry, Kind


class Conflict(NamedTuple):
    """Two facts that cannot both be right. kind: double_release, out_without_in, arrived_twice, step_misfit."""

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


class LadderState(NamedTuple):
    """How far the ladder has been climbed for one child today."""

    case: str
    opened_ms: int
    t0_ms: int
    rung: int
    fired_ms: int
    acknowledged_by: int = 0
    acknowledged_ms: int = 0
    eta_ms: int = 0  # 0: no pause; a guardian's ETA pauses once
    paused_ms: int = 0  # when the pause began
    calls: tuple[Call, ...] = ()


class Slip(NamedTuple):
    from_ms: int
    to_ms: int
    collector: int | None
    alone: bool
    kind: str


class ChildState:
    """One child's day so far. Mutated only by the step functions below."""

    __slots__ = (
        "arrived_ms", "case", "conflicts", "day", "due_ms", "excused", "flags", "hold", "last_outcome", "last_point",
        "last_reason", "last_seen_ms", "marks", "place", "released_entry", "released_ms", "released_to",
        "session", "sessions_seen", "since_ms", "slips",
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
        self.flags: tuple[str, ...] = ()
        self.conflicts: tuple[Conflict, ...] = ()

    def as_tuple(self) -> tuple[Any, ...]:
        """Everything, comparable: two nodes with the same facts have equal tuples."""
        return tuple(
            str(value.id) if isinstance(value, Entry) else tuple(sorted(value.items())) if isinstance(value, dict) else value
            for value in (getattr(self, name) for name in self.__slots__)
        )


# --- what each fact does to one child ---------------------------------------------------------------


def fold_step(state: ChildState, child: int, entry: Entry) -> None:
    """Moves one child's state by one fact. A new day starts blank once custody has ended."""
    day = entry.body.get("day", state.day)
    if day != state.day:
        if state.day and not state.hold.live:
            conflicts = state.conflicts
            state.__init__()  # type: ignore[misc]  # the same object stays in the index
            state.conflicts = conflicts
        state.day = max(day, state.day)
    CHILD_STEPS[entry.kind](state, child, entry)


def _move(state: ChildState, child: int, entry: Entry, wanted: Step, misfit: str, **who: Any) -> bool:
    """One step of the custody table; a misfit becomes a conflict and moves nothing."""
    try:
        state.hold = step(state.hold, wanted, **who)
    except StepRefused:
        other = str(state.released_entry.id) if state.released_entry else ""
        _conflict(state, child, entry, misfit, other)
        return False
    state.since_ms = entry.at_ms
    return True


def _conflict(state: ChildState, child: int, entry: Entry, kind: str, other: str = "") -> None:
    case = f"{kind}:{child}:{entry.id}"
    ids = tuple(i for i in (other, str(entry.id)) if i)
    state.conflicts += (Conflict(case, kind, child, entry.at_ms, ids),)


def _seen_at(state: ChildState, entry: Entry) -> None:
    body = entry.body
    state.last_seen_ms = entry.at_ms
    state.last_point = body.get("access_point", state.last_point)
    state.last_reason, state.last_outcome = body.get("reason", ""), "granted"
    if body.get("place"):
        state.place = body["place"]
    if body.get("flag"):
        state.flags += (body["flag"],)


def _arrived(state: ChildState, child: int, entry: Entry) -> None:
    if _move(state, child, entry, Step.BEGIN, "arrived_twice", custodian=entry.body["custodian"]):
        state.arrived_ms = entry.at_ms
        state.released_ms = state.released_to = state.due_ms = 0
        state.released_entry = None
        state.case = None
    _seen_at(state, entry)


def _seen(state: ChildState, child: int, entry: Entry) -> None:
    _seen_at(state, entry)


def _begin_if_out(state: ChildState, child: int, entry: Entry, custodian: int) -> None:
    """A child found on campus without an arrival: custody begins with whoever found it."""
    if not state.hold.live:
        _move(state, child, entry, Step.BEGIN, "arrived_twice", custodian=custodian)
        state.arrived_ms = entry.at_ms
        state.flags += ("no_arrival",)


def _session_entered(state: ChildState, child: int, entry: Entry) -> None:
    _begin_if_out(state, child, entry, entry.body["custodian"])
    _seen_at(state, entry)
    state.session = entry.body["session"]
    if state.session not in state.sessions_seen:
        state.sessions_seen += (state.session,)


def _session_left(state: ChildState, child: int, entry: Entry) -> None:
    _seen_at(state, entry)
    state.session = ""


PRESENT_MARKS = frozenset({"present", "late"})


def _roll_called(state: ChildState, child: int, entry: Entry) -> None:
    body = entry.body
    mark = next(m for c, m in body["marks"] if c == child)
    state.marks[body["roster"]] = (mark, entry.at_ms)
    if mark in PRESENT_MARKS:
        _begin_if_out(state, child, entry, body["by"])
        state.last_seen_ms = entry.at_ms
        state.place = body.get("place") or state.place
        if body["roster"].startswith("session:"):
            state.session = body["roster"].removeprefix("session:")


def _offered(state: ChildState, child: int, entry: Entry) -> None:
    if state.hold.live and entry.body["giver"] != state.hold.custodian:
        _conflict(state, child, entry, "step_misfit")
        return
    _move(state, child, entry, Step.OFFER, "step_misfit", handover=str(entry.id))


def _accepted(state: ChildState, child: int, entry: Entry) -> None:
    body = entry.body
    taken = _move(
        state, child, entry, Step.ACCEPT, "step_misfit", custodian=body["taker"], handover=body["handover"]
    )
    if not taken:
        return
    state.place = body.get("place") or state.place
    state.last_seen_ms = entry.at_ms
    if body.get("until_ms"):  # extended care: the child is due later now, and the ladder starts anew
        state.due_ms = body["until_ms"]
        state.case = None


def _declined(state: ChildState, child: int, entry: Entry) -> None:
    _move(state, child, entry, Step.DECLINE, "step_misfit", handover=entry.body["handover"])


def _lapsed(state: ChildState, child: int, entry: Entry) -> None:
    _move(state, child, entry, Step.LAPSE, "step_misfit", handover=entry.body["handover"])


def _released(state: ChildState, child: int, entry: Entry) -> None:
    misfit = "double_release" if state.released_entry is not None else "out_without_in"
    if not _move(state, child, entry, Step.RELEASE, misfit) and misfit == "out_without_in":
        state.hold = step(step(NOBODY, Step.BEGIN, custodian=entry.body.get("guard") or -1), Step.RELEASE)
    state.released_entry = state.released_entry or entry
    state.released_ms = entry.at_ms
    state.released_to = entry.body.get("collector", 0)
    state.session, state.case = "", None
    _seen_at(state, entry)
    state.place = ""


def _escalated(state: ChildState, child: int, entry: Entry) -> None:
    body, case = entry.body, state.case
    if case is not None and case.case == body["case"] and body["rung"] <= case.rung:
        return  # another gate climbed the same rung
    calls = case.calls if case and case.case == body["case"] else ()
    opened = case.opened_ms if case and case.case == body["case"] else entry.at_ms
    pause = (case.eta_ms, case.paused_ms) if case and case.case == body["case"] else (0, 0)
    state.case = LadderState(body["case"], opened, body["t0_ms"], body["rung"], entry.at_ms, 0, 0, *pause, calls)


def _acknowledged(state: ChildState, child: int, entry: Entry) -> None:
    if state.case and state.case.case == entry.body["case"] and not state.case.acknowledged_by:
        state.case = state.case._replace(acknowledged_by=entry.body["by"], acknowledged_ms=entry.at_ms)


def _contacted(state: ChildState, child: int, entry: Entry) -> None:
    if not state.case or state.case.case != entry.body["case"]:
        return
    body = entry.body
    call = Call(entry.at_ms, body["by"], body["guardian"], body["result"], body.get("eta_ms"))
    state.case = state.case._replace(calls=(*state.case.calls, call))
    if call.eta_ms and not state.case.eta_ms:  # a guardian's ETA pauses the clock once
        state.case = state.case._replace(eta_ms=call.eta_ms, paused_ms=entry.at_ms)


def _excused(state: ChildState, child: int, entry: Entry) -> None:
    state.excused = entry.body["reason"]


def _slip(state: ChildState, child: int, entry: Entry) -> None:
    body = entry.body
    state.slips += (Slip(body["from_ms"], body["to_ms"], body.get("collector"), body["alone"], body["reason"]),)


def _refused_read(state: ChildState, child: int, entry: Entry) -> None:
    state.last_seen_ms = entry.at_ms
    state.last_point = entry.body["access_point"]
    state.last_reason, state.last_outcome = entry.body["reason"], entry.body["outcome"]


CHILD_STEPS: dict[str, Callable[[ChildState, int, Entry], None]] = {
    Kind.ARRIVED: _arrived,
    Kind.SEEN: _seen,
    Kind.READ_REFUSED: _refused_read,
    Kind.SESSION_ENTERED: _session_entered,
    Kind.SESSION_LEFT: _session_left,
    Kind.ROLL_CALLED: _roll_called,
    Kind.HANDOVER_OFFERED: _offered,
    Kind.HANDOVER_ACCEPTED: _accepted,
    Kind.HANDOVER_DECLINED: _declined,
    Kind.HANDOVER_LAPSED: _lapsed,
    Kind.RELEASED: _released,
    Kind.ESCALATED: _escalated,
    Kind.ACKNOWLEDGED: _acknowledged,
    Kind.GUARDIAN_CONTACTED: _contacted,
    Kind.ABSENCE_EXCUSED: _excused,
    Kind.LEAVE_SLIP_GRANTED: _slip,
}


def children_of(entry: Entry) -> Iterable[int]:
    """The children that a fact is about."""
    body = entry.body
    if "child" in body:
        return (body["child"],)
    if entry.kind == Kind.ROLL_CALLED:
        return (child for child, _ in body["marks"])
    children: list[int] = body.get("children", [])
    return dict.fromkeys(children)  # one fact, one step a child, however often another version names it
