"""What the lists say against each other: taps, roll calls, head counts, the timetable. Each difference has an owner.

Found anew for every picture and recorded nowhere: a difference is gone when the lists agree. What needs somebody to look for
a child is not here but in `kiosk.core.search`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from kiosk.core import roster as r
from kiosk.core.child import PRESENT_MARKS, ChildState
from kiosk.core.entries import Kind
from kiosk.core.vetting import missing
from kiosk.core.view_parts import child_line, guardians
from kiosk.core.view_service import session_cases
from kiosk.core.world import World


def discrepancies(world: World, now_ms: int) -> list[r.CaseLine]:
    found = [*_absences(world, now_ms), *_without_arrival(world, now_ms), *_rolls_overdue(world, now_ms)]
    found += _unused_passages(world, now_ms)
    found += _sessions(world, now_ms)
    found += _not_vetted(world, now_ms)
    return [*found, *_escorts(world, now_ms)]


def plain_case(world: World, kind: str, case: str, child: int, at_ms: int, detail: str, now_ms: int) -> r.CaseLine:
    return r.CaseLine(
        case=case, kind=kind, line=child_line(world, child, now_ms) if child else None,
        opened_ms=at_ms, t0_ms=at_ms, rung=0, state=kind,
        do="", do_en="", told=("duty_leader",), next_due_ms=None, acknowledged_by="", acknowledged_ms=None, eta_ms=None,
        calls=(), guardians=guardians(world, child), detail=detail,
    )  # fmt: skip


def _owned(case: r.CaseLine, world: World, owner: int, told: str) -> r.CaseLine:
    return replace(case, owner_name=world.directory.name_of(owner) if owner else "", told=(told,))


def _class_teacher(world: World, child: int) -> int:
    pupil = world.directory.pupils.get(child)
    return world.class_teacher(pupil) if pupil else 0


def _absences(world: World, now_ms: int) -> Iterator[r.CaseLine]:
    """Marked absent, never arrived, nobody has said why: the class teacher asks the family."""
    for child, state in world.campus.children.items():
        marks = [at_ms for mark, at_ms in state.marks.values() if mark == "absent_unexplained"]
        if marks and state.day == world.day and not (state.hold.live or state.arrived_ms or state.excused or state.released_ms):
            case = plain_case(world, "absence", f"absence:{child}:{state.day}", child, min(marks), "", now_ms)
            yield _owned(case, world, _class_teacher(world, child), "class_teacher")


def _without_arrival(world: World, now_ms: int) -> Iterator[r.CaseLine]:
    """Present in a room and never seen at a gate: the class teacher asks how the child came in."""
    for child, state in world.campus.on_campus():
        if "no_arrival" in state.flags and state.day == world.day:
            key = f"no_arrival:{child}:{state.day}"
            case = plain_case(world, "no_arrival", key, child, state.arrived_ms, state.place, now_ms)
            yield _owned(case, world, _class_teacher(world, child), "class_teacher")


def _unused_passages(world: World, now_ms: int) -> Iterator[r.CaseLine]:
    """Granted at a turnstile and not gone through, and not seen since: the guard looks which side the child is on."""
    for child, state in world.campus.children.items():
        if state.unused is not None and state.day == world.day:
            point = world.rules.access_points.get(state.unused.access_point)
            kind = "arrival_unused" if state.unused.what == Kind.ARRIVED else "exit_unused"
            key = f"{kind}:{child}:{state.unused.at_ms}"
            case = plain_case(world, kind, key, child, state.unused.at_ms, point.name if point else "", now_ms)
            yield _owned(case, world, 0, "guard")


def _rolls_overdue(world: World, now_ms: int) -> Iterator[r.CaseLine]:
    """A session that runs, with children on campus who belong to it, and no roll called in time."""
    for key, times in world.book.session_times.items():
        due_ms = times.start_ms + world.rules.roll_due_ms
        if not due_ms <= now_ms < times.end_ms:
            continue
        roster = f"session:{key}"
        members = [e.child for e in world.directory.members_of.get(key, ())]
        states = [world.campus.child(child) for child in members]
        if any(s.hold.live for s in states) and not any(_called(s, roster) for s in states):
            title = world.directory.sessions[key].name
            case = plain_case(world, "roll_overdue", f"roll_overdue:{key}", 0, due_ms, f"{title} · {times.room}", now_ms)
            yield _owned(case, world, times.teacher, "session_teacher")


def _sessions(world: World, now_ms: int) -> Iterator[r.CaseLine]:
    """Sessions without a teacher, not archived, or not looked at by a patrol."""
    for kind, times, at_ms in session_cases(world, now_ms):
        detail = f"{world.directory.sessions[times.session].name} · {times.room}"
        case = plain_case(world, kind, f"{kind}:{times.session}:{world.day}", 0, at_ms, detail, now_ms)
        yield _owned(case, world, 0 if kind == "patrol_due" else times.teacher, "duty_leader")


def _not_vetted(world: World, now_ms: int) -> Iterator[r.CaseLine]:
    """Staff from outside who have a session today and may not come in: the duty leader finds somebody else in time."""
    for key, times in world.book.session_times.items():
        lacks = missing(world, times.teacher) if now_ms < times.end_ms else ()
        if lacks:
            session, who = world.directory.sessions[key], world.directory.name_of(times.teacher)
            case = plain_case(world, "staff_not_vetted", f"staff_not_vetted:{key}", 0, world.book.start_ms, "", now_ms)
            yield _owned(replace(case, detail=f"{who} · {session.name}", do=" ".join(lacks)), world, 0, "duty_leader")


def _called(state: ChildState, roster: str) -> bool:
    return roster in state.marks


def _escorts(world: World, now_ms: int) -> Iterator[r.CaseLine]:
    """Groups that should have set out, and groups that should have been counted at the gate."""
    rules = world.rules
    for escort in world.campus.escorts():
        due_ms = escort.departed_ms + rules.escort_limit_ms
        if now_ms >= due_ms:
            gate = rules.gates.get(escort.gate)
            case = plain_case(world, "escort_late", f"escort_late:{escort.id}", 0, due_ms, gate.name if gate else "", now_ms)
            yield _owned(case, world, escort.teacher, "session_teacher")
    if not rules.escort_after_ms:
        return
    waiting = Counter(session for child, s in world.campus.on_campus() if (session := _waits_in(world, child, s)))
    for key, count in waiting.items():
        times = world.book.session_times.get(key)
        if times is not None and now_ms >= times.end_ms + rules.escort_after_ms:
            due_ms = times.end_ms + rules.escort_after_ms
            detail = f"{world.directory.sessions[key].name} · {times.room} · {count}"
            case = plain_case(world, "escort_due", f"escort_due:{key}", 0, due_ms, detail, now_ms)
            yield _owned(case, world, times.teacher, "session_teacher")


def _waits_in(world: World, child: int, state: ChildState) -> str:
    """The session in whose room a child still is although it was the child's last today, "" for anybody else."""
    windows = world.pupil_day(child)
    if windows is None or not windows.sessions or state.escort or state.group or state.case:
        return ""
    last = windows.sessions[-1].session
    mark = state.marks.get(f"session:{last}", ("", 0))[0]
    return last if state.session == last and (not mark or mark in PRESENT_MARKS) else ""
