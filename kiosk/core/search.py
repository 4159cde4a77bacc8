"""Lost in between: a child who should be in one place and is in none gets a search with a timer, a last place and an owner.

Taps, roll calls and head counts are held against each other at every tick. A search that ends nowhere becomes a lost-child
incident, which puts the gates on hold. Being seen by anybody ends it. Custody never moves here: whoever held the child does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.child import PRESENT_MARKS, ChildState
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.passage import ON_CAMPUS
from kiosk.core.people import Pupil
from kiosk.core.timetable import PupilDay
from kiosk.core.world import World

SWEEP_EVERY_MS = 5_000  # everybody is looked at this often; searches are a matter of minutes
MISSING = "missing"  # the exception of a count that starts a search


def facts_due(world: World, now_ms: int) -> Iterator[Fact]:
    """Searches that begin, searches that became incidents, incidents that are over."""
    campus = world.campus
    for case, (child, _) in campus.incidents.items():
        search = campus.child(child).search
        if case not in campus.incident_ends and (search is None or search.case != case):
            yield Fact(Kind.INCIDENT_ENDED, {"case": case, "child": child, "day": world.day})
    if campus.emergency is not None and not campus.emergency.drill:  # everybody is looked for at the muster point now
        return
    if now_ms < world.searched_ms + SWEEP_EVERY_MS and now_ms >= world.searched_ms:
        return
    world.searched_ms, in_use = now_ms, _RostersInUse(world)
    pupils, today = world.directory.pupils, world.day
    for child, state in campus.on_campus():
        pupil = pupils.get(child)
        if pupil is None or state.escort or state.group or state.dormitory:
            continue
        if state.search is not None:
            if now_ms >= state.search.due_ms and not state.search.incident_ms:
                yield _incident(world, child, state, by=0)
        elif state.day == today and (why := _missed(world, pupil, state, in_use, now_ms)) and world.answers_for(pupil):
            yield opened(world, child, why, now_ms)


class _RostersInUse:
    """Rosters of which at least half has been called or has tapped in: a list that nobody keeps says nothing about one child.

    Counted when first asked for: most of the day nobody is missed, and then nobody asks.
    """

    __slots__ = ("_found", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._found: set[str] | None = None

    def __contains__(self, roster: str) -> bool:
        if self._found is None:
            self._found = self._count()
        return roster in self._found

    def _count(self) -> set[str]:
        named, today = Counter[str](), self._world.day
        for state in self._world.campus.children.values():
            if state.day == today:
                named.update({*state.marks, *(f"session:{session}" for session in state.sessions_seen)})
        return {roster for roster, count in named.items() if 2 * count >= _size(self._world, roster)}


def _size(world: World, roster: str) -> int:
    kind, _, key = roster.partition(":")
    members = world.directory.pupils_of_class if kind == "class" else world.directory.members_of
    return len(members.get(key, ()))


def _missed(world: World, pupil: Pupil, state: ChildState, in_use: _RostersInUse, now_ms: int) -> str:
    """Why somebody must look for this child, whose day it is, now; "" when nobody must."""
    if state.marks and marked_absent(state):
        return "marked_absent"
    windows = world.book.pupils.get(pupil.number)
    if windows is None or not windows.teaching:
        return ""
    if now_ms < windows.dismissal_ms:
        return _not_in_class(world, pupil, state, windows, in_use, now_ms)
    return _not_in_session(world, state, windows, in_use, now_ms)


def marked_absent(state: ChildState) -> bool:
    """A teacher says absent and the gate says in school, and nobody has seen the child since."""
    said, at_ms = "", 0
    for mark in state.marks.values():
        if mark[1] >= at_ms:
            said, at_ms = mark
    return said == "absent_unexplained" and state.last_seen_ms <= at_ms and state.located_ms < at_ms


def _not_in_class(
    world: World, pupil: Pupil, state: ChildState, windows: PupilDay, in_use: _RostersInUse, now_ms: int
) -> str:
    """In at the gate, and the class that was called does not have the child."""
    roster = f"class:{pupil.class_id}"
    if state.place != ON_CAMPUS or state.session or roster in state.marks:
        return ""
    since_ms = max(state.last_seen_ms, windows.late_after_ms)
    return "not_in_class" if now_ms >= since_ms + world.rules.locate_after_ms and roster in in_use else ""


def _not_in_session(world: World, state: ChildState, windows: PupilDay, in_use: _RostersInUse, now_ms: int) -> str:
    """Left one room and not arrived in the next, or went out of the room and did not come back."""
    now = next((s for s in windows.sessions if s.start_ms <= now_ms < s.end_ms), None)
    if now is None or state.session == now.session:
        return ""
    if max(state.since_ms, state.located_ms) >= now.start_ms:  # somebody has taken or found the child since
        return ""
    if f"session:{now.session}" not in in_use:
        return ""
    mark = state.marks.get(f"session:{now.session}", ("", 0))[0]
    if now.session in state.sessions_seen or mark in PRESENT_MARKS:
        return "not_back" if now_ms >= state.last_seen_ms + world.rules.away_ms else ""
    if mark:
        return ""
    since_ms = max(state.last_seen_ms, now.start_ms)
    return "not_in_session" if now_ms >= since_ms + world.rules.locate_after_ms else ""


def opened(world: World, child: int, why: str, now_ms: int, note: str = "") -> Fact:
    """A search: where and by whom the child was last seen, who owns it, until when."""
    state = world.campus.child(child)
    body = {
        "case": f"locate:{child}:{now_ms}",
        "child": child,
        "why": why,
        "last_place": state.place or state.last_point,
        "last_adult": state.hold.custodian,
        "last_seen_ms": state.last_seen_ms,
        "owner": world.fallback_custodian(),
        "due_ms": now_ms + world.rules.locate_limit_ms,
        "day": world.day,
    }
    return Fact(Kind.LOCATE_OPENED, body, note)


def for_missing(world: World, exceptions: Iterable[tuple[int, str]], now_ms: int) -> list[Fact]:
    """Whoever a count names as missing is looked for at once."""
    return searches(world, ((child, why) for child, why in exceptions if why == MISSING), now_ms)


def searches(world: World, missed: Iterable[tuple[int, str]], now_ms: int) -> list[Fact]:
    """A search for each child who is on campus and not looked for already."""
    states = ((child, why, world.campus.child(child)) for child, why in missed)
    return [opened(world, child, why, now_ms) for child, why, s in states if s.hold.live and s.search is None]


def _incident(world: World, child: int, state: ChildState, *, by: int) -> Fact:
    assert state.search is not None
    body = {"case": state.search.case, "child": child, "day": world.day, "by": by, "last_place": state.search.last_place}
    return Fact(Kind.INCIDENT_DECLARED, body)


# --- what staff press ------------------------------------------------------------------------------------


def open_locate(command: c.OpenLocate, world: World, now_ms: int, trusted: bool) -> Decision:
    state = world.campus.child(command.child)
    if command.child not in world.directory.pupils or not state.hold.live:
        return refused(Reason.NOT_ON_CAMPUS, child=command.child)
    if state.search is not None:
        return refused(Reason.STEP_REFUSED, child=command.child)
    return done(opened(world, command.child, "reported", now_ms, command.note), child=command.child)


def located(command: c.Located, world: World, now_ms: int, trusted: bool) -> Decision:
    if world.campus.child(command.child).search is None:
        return refused(Reason.NO_SUCH_CASE, child=command.child)
    if not command.place.strip():
        return refused(Reason.REASON_NEEDED, child=command.child)
    body = {"child": command.child, "place": command.place.strip(), "by": command.by, "day": world.day}
    return done(Fact(Kind.LOCATED, body), child=command.child)


def declare_incident(command: c.DeclareIncident, world: World, now_ms: int, trusted: bool) -> Decision:
    state = world.campus.child(command.child)
    if state.search is None or state.search.incident_ms:
        return refused(Reason.NO_SUCH_CASE, child=command.child)
    return done(_incident(world, command.child, state, by=command.by), child=command.child)
