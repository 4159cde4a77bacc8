"""In which one state each enrolled child ends a session (考勤): read off roll calls, taps, handovers and leave.

A state that nothing supports is not guessed: it stays empty, and whoever closes the session says it. Pure reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kiosk.core.child import PRESENT_MARKS, ChildState
from kiosk.core.entries import Entry, Kind
from kiosk.core.handover import expected
from kiosk.core.timetable import MINUTE_MS, SessionTime
from kiosk.core.world import World

ABSENT = "absent_unexplained"
LEAVES = frozenset({"leave_sick", "leave_personal"})
SAID = frozenset({*LEAVES, "left_early", "moved"})  # marks that stand as they are
GRACE_MS = 5 * MINUTE_MS  # who goes so shortly before the end has stayed to the end
TAKEN_BEFORE_MS = 30 * MINUTE_MS  # children may be taken over so long before the start
WHY_UNEXPLAINED = (  # what is known of a child who was not there, and what was done
    "located", "being_looked_for", "guardian_informed", "class_teacher_informed", "not_at_school", "other",
)  # fmt: skip


class Settled(NamedTuple):
    """state "": nobody has said. why: what else is on record: a word, or the session that the child was in instead."""

    state: str
    why: str = ""

    @property
    def open(self) -> bool:
        return not self.state or (self.state == ABSENT and not self.why)


def members(world: World, session: str) -> tuple[int, ...]:
    """The children who belong to a session today: enrolled, and not gone by the family's choice before it begins."""
    times = world.book.session_times.get(session)
    found = []
    for child in expected(world, f"session:{session}"):
        windows = world.pupil_day(child)
        mine = (*windows.sessions, windows.extended_care) if windows else ()
        if times is None or windows is None or any(s is not None and s.session == session for s in mine):
            found.append(child)
    return tuple(sorted(found))


def guests(world: World, session: str) -> tuple[int, ...]:
    """Children who came in without being enrolled."""
    belong, roster = set(members(world, session)), f"session:{session}"
    came = {
        child
        for child, state in world.campus.children.items()
        if state.day == world.day and (session in state.sessions_seen or state.marks.get(roster, ("",))[0] in PRESENT_MARKS)
    }
    return tuple(sorted(came - belong))


def settle(world: World, times: SessionTime, now_ms: int) -> dict[int, Settled]:
    teachers = frozenset(world.campus.service.teachers(world.day, times.session)) | {times.teacher}
    return {child: _one(world, times, child, teachers, now_ms) for child in members(world, times.session)}


def _one(world: World, times: SessionTime, child: int, teachers: frozenset[int], now_ms: int) -> Settled:
    state, roster = world.campus.child(child), f"session:{times.session}"
    if state.day != world.day:
        return Settled("")
    told = list(world.campus.entries_of(child, world.day))
    mark, marked_ms = state.marks.get(roster, ("", 0))
    entered = [e for e in told if e.kind == Kind.SESSION_ENTERED and e.body.get("session") == times.session]
    came = any(e.happened_ms > marked_ms for e in entered)
    if mark in SAID and not came:
        return Settled(mark)
    taken = _taken(told, child, teachers, times)
    if mark in PRESENT_MARKS or came or (not mark and (entered or taken)):
        return _there(world, times, child, state, mark, entered, now_ms)
    return _not_there(world, times, state, mark, marked_ms, told)


def _taken(told: Iterable[Entry], child: int, teachers: frozenset[int], times: SessionTime) -> bool:
    """Whether a teacher of this session took the child over for it."""
    from_ms = times.start_ms - TAKEN_BEFORE_MS
    return any(
        e.kind == Kind.HANDOVER_ACCEPTED
        and e.body["taker"] in teachers
        and child in e.body["children"]
        and from_ms <= e.happened_ms < times.end_ms
        for e in told
    )


def _there(
    world: World, times: SessionTime, child: int, state: ChildState, mark: str, entered: list[Entry], now_ms: int
) -> Settled:
    if state.search is not None and now_ms < times.end_ms:
        return Settled("")  # was there, and is looked for now
    left_ms, until_ms = state.released_ms, _own_end(world, times, child)
    if left_ms and not state.hold.live and left_ms < until_ms - GRACE_MS:
        return Settled("left_early")
    if mark:
        return Settled(mark if mark in PRESENT_MARKS else "late")  # called absent, and came in after that
    late = entered and entered[0].body.get("reason") == "late"
    return Settled("late" if late else "present")


def _own_end(world: World, times: SessionTime, child: int) -> int:
    """When the session ends for this child: some families choose an earlier end, and care ends whenever a child is fetched."""
    windows = world.pupil_day(child)
    if windows and windows.extended_care and windows.extended_care.session == times.session:
        return 0
    mine = (s for s in windows.sessions if s.session == times.session) if windows else iter(())
    return next((s.end_ms for s in mine), times.end_ms)


def _not_there(world: World, times: SessionTime, state: ChildState, mark: str, marked_ms: int, told: list[Entry]) -> Settled:
    elsewhere = _elsewhere(world, times, told)
    if elsewhere:
        return Settled("moved", elsewhere)
    excuse = _excuse(world, times, state)
    if excuse:
        return Settled(excuse)
    if 0 < state.released_ms < times.start_ms + GRACE_MS and not state.hold.live:
        return Settled("leave_personal", "went_home")
    if mark == ABSENT:
        return Settled(ABSENT, "located" if state.located_ms >= marked_ms else "")
    return Settled("")


def _elsewhere(world: World, times: SessionTime, told: list[Entry]) -> str:
    """Another session of the same time that the child was in."""
    for entry in told:
        other = world.book.session_times.get(entry.body.get("session", "")) if entry.kind == Kind.SESSION_ENTERED else None
        if other and other.session != times.session and other.start_ms < times.end_ms and times.start_ms < other.end_ms:
            return other.session
    return ""


def _excuse(world: World, times: SessionTime, state: ChildState) -> str:
    """Leave that somebody recorded: an excuse, a leave slip for this time, or a class teacher's mark."""
    if state.excused in LEAVES:
        return state.excused
    for slip in state.slips:
        if slip.from_ms < times.end_ms and times.start_ms < slip.to_ms and slip.kind in LEAVES:
            return slip.kind
    marks = [mark for roster, (mark, _) in state.marks.items() if roster.startswith("class:") and mark in LEAVES]
    return marks[0] if marks and not state.hold.live else ""
