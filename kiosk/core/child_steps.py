"""What each fact does to one child: one function a kind, one table.

`fold_step` takes one fact at a time, in the total order of entries. A fact that does not fit the custody
table happened all the same: custody stays as it was and the misfit becomes a conflict for a person to close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kiosk.core.child import (
    DORMITORY,
    ENDING_CORRECTIONS,
    PRESENT_MARKS,
    Call,
    ChildState,
    Conflict,
    LadderState,
    Search,
    Slip,
    Undoable,
    Unused,
)
from kiosk.core.custody import NOBODY, Step, StepRefused, step
from kiosk.core.doubles import apart
from kiosk.core.entries import Entry, Kind


def fold_step(state: ChildState, child: int, entry: Entry) -> None:
    """Moves one child's state by one fact. A new day starts blank but for custody that has not ended."""
    day = entry.body.get("day", state.day)
    if day > state.day:
        if state.day:
            _new_day(state)
        state.day = day
    state.unused = None  # whatever comes next is the last word
    CHILD_STEPS[entry.kind](state, child, entry)
    if entry.kind == Kind.RELEASED or (state.after and entry.kind != Kind.PASSAGE_UNUSED):
        state.after += (entry,)


def standing(facts: Iterable[Entry]) -> Iterator[Entry]:
    """A child's facts, in their order, without those that do not count: a passage that was not used has not been.

    The passage is left out when the fact that takes it back comes right behind it. When anything else was recorded about
    the child in between, by whatever gate, the child was there: then the passage stands and it is its unuse that is left
    out. Such an unuse was itself recorded about the child, so what stood before it stands.
    """
    held: Entry | None = None
    for entry in facts:
        unused = entry.kind == Kind.PASSAGE_UNUSED
        stands = unused and (held is None or str(held.id) != entry.body["passage"])
        if held is not None and (stands or not unused):
            yield held
        held = None if stands else entry
    if held is not None:
        yield held


def _new_day(state: ChildState) -> None:
    kept = {name: getattr(state, name) for name in (_STAYS if state.hold.live else _ALWAYS)}
    state.__init__()  # type: ignore[misc]  # the same object stays in the index
    for name, value in kept.items():
        setattr(state, name, value)


_ALWAYS = ("conflicts",)
_STAYS = (
    "arrived_ms", "before", "case", "conflicts", "dormitory", "due_ms", "escort", "group", "hold", "last_point", "last_seen_ms",
    "place", "search", "since_ms",
)  # fmt: skip  # of a child who is still here when the day turns


def _move(state: ChildState, child: int, entry: Entry, wanted: Step, misfit: str, **who: Any) -> bool:
    """One step of the custody table; a misfit becomes a conflict and moves nothing."""
    try:
        state.hold = step(state.hold, wanted, **who)
    except StepRefused:
        _conflict(state, child, entry, misfit, *((str(state.released_entry.id),) if state.released_entry else ()))
        return False
    state.since_ms = entry.happened_ms
    return True


def _conflict(state: ChildState, child: int, entry: Entry, kind: str, *others: str) -> None:
    case = f"{kind}:{child}:{entry.id}"
    state.conflicts += (Conflict(case, kind, child, entry.at_ms, (*others, str(entry.id))),)


def _seen_at(state: ChildState, entry: Entry) -> None:
    body = entry.body
    state.last_seen_ms = entry.happened_ms
    state.last_point = body.get("access_point", state.last_point)
    state.last_reason, state.last_outcome = body.get("reason", ""), "granted"
    state.search = None
    if body.get("place"):
        state.place = body["place"]
    if body.get("flag"):
        state.flags += (body["flag"],)


def _arrived(state: ChildState, child: int, entry: Entry) -> None:
    if _move(state, child, entry, Step.BEGIN, "arrived_twice", custodian=entry.body["custodian"]):
        state.arrived_ms = entry.happened_ms
        _here_again(state)
    _seen_at(state, entry)


def _seen(state: ChildState, child: int, entry: Entry) -> None:
    _seen_at(state, entry)


def _found(state: ChildState, entry: Entry) -> None:
    """Somebody has the child in front of them: a search is over."""
    state.search = None
    state.last_seen_ms = entry.at_ms
    state.place = entry.body.get("place") or state.place


def _here_again(state: ChildState) -> None:
    """On campus (again): what an earlier release left behind is history."""
    state.released_ms = state.released_to = state.due_ms = 0
    state.released_entry = state.before = None
    state.case = None


def _begin_if_out(state: ChildState, child: int, entry: Entry, custodian: int) -> None:
    """A child found on campus without an arrival: custody begins with whoever found it."""
    if not state.hold.live:
        _move(state, child, entry, Step.BEGIN, "arrived_twice", custodian=custodian)
        state.arrived_ms = entry.happened_ms
        _here_again(state)
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


def _roll_called(state: ChildState, child: int, entry: Entry) -> None:
    body = entry.body
    mark = next(m for c, m in body["marks"] if c == child)
    state.marks[body["roster"]] = (mark, entry.at_ms)
    if mark in PRESENT_MARKS:
        _begin_if_out(state, child, entry, body["by"])
        _found(state, entry)
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
    _found(state, entry)
    state.dormitory, state.escort = body.get("reason") == DORMITORY, ""
    if body.get("until_ms"):  # extended care: the child is due later now, and the ladder starts anew
        state.due_ms = body["until_ms"]
        state.case = None


def _declined(state: ChildState, child: int, entry: Entry) -> None:
    _move(state, child, entry, Step.DECLINE, "step_misfit", handover=entry.body["handover"])


def _lapsed(state: ChildState, child: int, entry: Entry) -> None:
    _move(state, child, entry, Step.LAPSE, "step_misfit", handover=entry.body["handover"])


def _released(state: ChildState, child: int, entry: Entry) -> None:
    """Two releases of which neither stands behind the other are a conflict, wherever the clocks put them."""
    others = tuple(str(other.id) for other in apart(state.after, entry))
    before = state.released_entry
    if state.hold.live:
        state.before = Undoable(state.hold.custodian, state.place, state.session, state.case, state.since_ms)
    try:
        state.hold = step(state.hold, Step.RELEASE)
        state.since_ms = entry.happened_ms
        fits = True
    except StepRefused:
        fits = False
        if before is not None and str(before.id) not in others:
            others = (str(before.id), *others)
    if others or not fits:
        _conflict(state, child, entry, "double_release" if others else "out_without_in", *others)
    if not fits and before is None:
        state.hold = step(step(NOBODY, Step.BEGIN, custodian=entry.body.get("guard") or -1), Step.RELEASE)
    state.released_entry = state.released_entry or entry
    state.released_ms = entry.happened_ms
    state.released_to = entry.body.get("collector", 0)
    state.session, state.case, state.escort, state.group, state.dormitory = "", None, "", "", False
    _seen_at(state, entry)
    state.place = ""


def _undone(state: ChildState, child: int, entry: Entry) -> None:
    """The child did not go: everything is as it was before that release, custodian included."""
    body, released = entry.body, state.released_entry
    if released is None or str(released.id) != body["release"]:
        _conflict(state, child, entry, "step_misfit")
    elif _move(state, child, entry, Step.UNDO, "step_misfit", custodian=body["custodian"]):
        _not_gone(state)


def _not_gone(state: ChildState) -> None:
    before, state.before = state.before, None
    state.released_entry, state.released_ms, state.released_to = None, 0, 0
    if before is not None:
        state.place, state.session, state.case = before.place, before.session, before.case


def _unused(state: ChildState, child: int, entry: Entry) -> None:
    """The passage itself has been left out already (`standing`); what remains is that somebody should look."""
    state.unused = Unused(entry.body["what"], entry.body["access_point"], entry.at_ms)


def _corrected(state: ChildState, child: int, entry: Entry) -> None:
    """A correcting entry by two members of staff. It moves custody as the table allows; a misfit is a conflict."""
    body, what = entry.body, entry.body["what"]
    if what == "not_released":
        if _move(state, child, entry, Step.UNDO, "step_misfit", custodian=body["custodian"]):
            _not_gone(state)
        state.last_seen_ms = entry.at_ms
    elif what in ENDING_CORRECTIONS and _move(state, child, entry, Step.RELEASE, "step_misfit"):
        state.released_entry, state.released_ms, state.released_to = entry, entry.at_ms, 0
        state.session, state.case, state.escort, state.group, state.dormitory = "", None, "", "", False
        state.search, state.place = None, ""
    state.flags += (f"corrected:{what}",)


def _escort_departed(state: ChildState, child: int, entry: Entry) -> None:
    state.escort, state.session = str(entry.id), ""
    _found(state, entry)


def _escort_arrived(state: ChildState, child: int, entry: Entry) -> None:
    if state.escort == entry.body["escort"]:
        state.escort = ""
    if child in entry.body["children"]:
        _found(state, entry)


def _group_out(state: ChildState, child: int, entry: Entry) -> None:
    state.group, state.session = str(entry.id), ""
    _found(state, entry)


def _group_back(state: ChildState, child: int, entry: Entry) -> None:
    if state.group == entry.body["group"]:
        state.group = ""
    if child in entry.body["children"]:
        _found(state, entry)


def _search_opened(state: ChildState, child: int, entry: Entry) -> None:
    body = entry.body
    if state.hold.live and state.search is None:
        state.search = Search(
            body["case"], body["why"], entry.at_ms, body["due_ms"], body["owner"], body["last_place"],
            body["last_adult"], body["last_seen_ms"],
        )  # fmt: skip


def _located(state: ChildState, child: int, entry: Entry) -> None:
    _begin_if_out(state, child, entry, entry.body["by"])
    _found(state, entry)
    state.located_ms = entry.at_ms


def _incident(state: ChildState, child: int, entry: Entry) -> None:
    if state.search is not None and state.search.case == entry.body["case"] and not state.search.incident_ms:
        state.search = state.search._replace(incident_ms=entry.at_ms)


def _mustered(state: ChildState, child: int, entry: Entry) -> None:
    """Checked off at a muster point: the child is in front of somebody. Custody does not move. A drill moves nothing."""
    body = entry.body
    if not body.get("drill") and body.get("present", True):
        _begin_if_out(state, child, entry, body["by"])
        _found(state, entry)
        state.place = body["point"]


def _cleared(state: ChildState, child: int, entry: Entry) -> None:
    """静校 with boarders: whoever sleeps in the dormitory stays in the custody that the statement names."""
    custodian = next(adult for boarder, adult in entry.body["dormitory"] if boarder == child)
    if not state.hold.live:
        _move(state, child, entry, Step.BEGIN, "arrived_twice", custodian=custodian)
    state.dormitory, state.place = True, dict(map(tuple, entry.body.get("sleeping", ()))).get(child, state.place)


def _escalated(state: ChildState, child: int, entry: Entry) -> None:
    body, case = entry.body, state.case
    if case is not None and case.case == body["case"] and body["rung"] <= case.rung:
        return  # another gate climbed the same rung
    calls = case.calls if case and case.case == body["case"] else ()
    opened = case.opened_ms if case and case.case == body["case"] else entry.at_ms
    pause = (case.eta_ms, case.paused_ms) if case and case.case == body["case"] else (0, 0)
    state.case = LadderState(body["case"], opened, body["t0_ms"], body["rung"], entry.at_ms, 0, 0, 0, *pause, calls)


def _acknowledged(state: ChildState, child: int, entry: Entry) -> None:
    if state.case and state.case.case == entry.body["case"] and not state.case.acknowledged_by:
        by, second = entry.body["by"], entry.body.get("second", 0)
        state.case = state.case._replace(acknowledged_by=by, acknowledged_ms=entry.at_ms, second=second)


def _contacted(state: ChildState, child: int, entry: Entry) -> None:
    if not state.case or state.case.case != entry.body["case"]:
        return
    body = entry.body
    call = Call(entry.at_ms, body["by"], body["guardian"], body["result"], body.get("eta_ms"), body.get("channel", "phone"))
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


def _stored(state: ChildState, child: int, entry: Entry) -> None:
    """Delivered later, and no longer true: it is on record, and the child stays where it is."""


CHILD_STEPS: dict[str, Callable[[ChildState, int, Entry], None]] = {
    Kind.ARRIVED: _arrived,
    Kind.SEEN: _seen,
    Kind.READ_REFUSED: _refused_read,
    Kind.READ_STORED: _stored,
    Kind.SESSION_ENTERED: _session_entered,
    Kind.SESSION_LEFT: _session_left,
    Kind.ROLL_CALLED: _roll_called,
    Kind.HANDOVER_OFFERED: _offered,
    Kind.HANDOVER_ACCEPTED: _accepted,
    Kind.HANDOVER_DECLINED: _declined,
    Kind.HANDOVER_LAPSED: _lapsed,
    Kind.RELEASED: _released,
    Kind.RELEASE_UNDONE: _undone,
    Kind.PASSAGE_UNUSED: _unused,
    Kind.CORRECTION: _corrected,
    Kind.ESCORT_DEPARTED: _escort_departed,
    Kind.ESCORT_ARRIVED: _escort_arrived,
    Kind.GROUP_OUT: _group_out,
    Kind.GROUP_BACK: _group_back,
    Kind.LOCATE_OPENED: _search_opened,
    Kind.LOCATED: _located,
    Kind.INCIDENT_DECLARED: _incident,
    Kind.MUSTERED: _mustered,
    Kind.CAMPUS_CLEARED: _cleared,
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
    if entry.kind == Kind.CAMPUS_CLEARED:
        return (child for child, _ in body.get("dormitory", ()))
    children: list[int] = body.get("children", [])
    if entry.kind in _WITH_EXCEPTIONS:
        children = [*children, *(child for child, _ in body.get("exceptions", ()))]
    return dict.fromkeys(children)  # one fact, one step a child, however often another version names it


def places(entry: Entry, child: int) -> bool:
    """Whether a fact says where a child is: somebody or something had it in front of it, or it went."""
    if entry.kind == Kind.ROLL_CALLED:
        return any(who == child and mark in PRESENT_MARKS for who, mark in entry.body["marks"])
    if entry.kind == Kind.MUSTERED:
        return bool(entry.body.get("present", True))
    return entry.kind in _PLACING


_PLACING = frozenset(
    {
        Kind.ARRIVED, Kind.SEEN, Kind.SESSION_ENTERED, Kind.SESSION_LEFT, Kind.RELEASED, Kind.RELEASE_UNDONE, Kind.CORRECTION,
        Kind.HANDOVER_ACCEPTED, Kind.ESCORT_DEPARTED, Kind.ESCORT_ARRIVED, Kind.GROUP_OUT, Kind.GROUP_BACK, Kind.LOCATED,
        Kind.CAMPUS_CLEARED,
    }
)  # fmt: skip
_WITH_EXCEPTIONS = frozenset({Kind.ESCORT_ARRIVED, Kind.GROUP_BACK})  # who was not counted is concerned as well
