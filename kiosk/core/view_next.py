"""Where a teacher's children go next, and who may take them: what the button at the bottom of a roster offers.

Read-only. Nothing moves by it: an offer does that, and its acceptance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from kiosk.core import roster as r
from kiosk.core.people import Pupil, Role
from kiosk.core.timetable import PupilDay, SessionTime
from kiosk.core.world import World

MINUTE_MS = 60_000
NEXT_GRACE_MS = 20 * MINUTE_MS  # a session that began so long ago is still the next one for a child who is not there yet
BETWEEN_FROM_MS = 40 * MINUTE_MS  # a longer wait for the next session is spent under a colleague's supervision


class _Way(NamedTuple):
    """kind: a kind of handover. key: session or class; taker 0: a colleague is chosen."""

    order_ms: int
    kind: str
    key: str
    title: str
    room: str
    taker: int


def next_groups(world: World, children: Iterable[int], me: int, now_ms: int, until_ms: int) -> tuple[r.NextGroup, ...]:
    """The children that are handed on when `me` has done, by whom they go to. Who is led home is in none of them."""
    groups: dict[_Way, list[int]] = {}
    for child in children:
        way = _way(world, child, me, max(now_ms, until_ms))
        if way is not None:
            groups.setdefault(way, []).append(child)
    return tuple(
        r.NextGroup(
            kind=way.kind, session=way.key if way.kind != "to_class" else "", title=way.title, room=way.room,
            taker=way.taker, taker_name=world.directory.name_of(way.taker) if way.taker else "", children=tuple(members),
        )
        for way, members in sorted(groups.items())
    )  # fmt: skip


def _way(world: World, child: int, me: int, from_ms: int) -> _Way | None:
    pupil, windows = world.directory.pupils.get(child), world.pupil_day(child)
    if pupil is None:
        return None
    if windows is not None and windows.teaching and from_ms < windows.dismissal_ms:
        return _to_class(world, pupil, me)
    following = next_session(windows, from_ms, me)
    if following is not None:
        return _to_session(world, following, from_ms)
    care = windows.extended_care if windows else None
    if care is not None and care.teacher and care.teacher != me and care.end_ms > from_ms:
        return _named(world, "to_extended_care", care)
    if pupil.boarder and not world.campus.child(child).dormitory:
        return _Way(world.book.end_ms, "to_dormitory", "", "", "", 0)
    return None


def _to_class(world: World, pupil: Pupil, me: int) -> _Way | None:
    """Before lessons: out of early care or the dormitory, to the class teacher."""
    school_class = world.directory.classes.get(pupil.class_id)
    if school_class is None or not school_class.teacher or school_class.teacher == me:
        return None
    return _Way(0, "to_class", school_class.id, school_class.name, school_class.room, school_class.teacher)


def _to_session(world: World, following: SessionTime, from_ms: int) -> _Way:
    if following.start_ms - from_ms > BETWEEN_FROM_MS or not following.teacher:
        info = world.directory.sessions[following.session]
        return _Way(following.start_ms, "between_slots", following.session, info.name, "", 0)
    return _named(world, "to_session", following)


def _named(world: World, kind: str, times: SessionTime) -> _Way:
    info = world.directory.sessions[times.session]
    return _Way(times.start_ms, kind, times.session, info.name, times.room, times.teacher)


def next_session(windows: PupilDay | None, from_ms: int, me: int) -> SessionTime | None:
    """The child's session that begins next, or has just begun, and is not one's own."""
    if windows is None:
        return None
    after = (s for s in windows.sessions if s.start_ms + NEXT_GRACE_MS > from_ms and s.end_ms > from_ms)
    return next((s for s in after if s.teacher != me), None)


def next_takers(world: World, me: int) -> tuple[tuple[str, int, str], ...]:
    """Whom anybody may be handed to at any time: the extended-care teacher, the duty leader, the watch at a gate."""
    found, seen = [], {me}
    for session in world.directory.sessions.values():
        if session.kind == "extended_care" and session.teacher and session.teacher not in seen:
            found.append(("to_extended_care", session.teacher, f"{session.name} · {world.directory.name_of(session.teacher)}"))
            seen.add(session.teacher)
    for staff in world.directory.staff.values():
        if Role.DUTY_LEADER in staff.roles and staff.number not in seen:
            found.append(("to_duty", staff.number, staff.name))
            seen.add(staff.number)
    for gate in world.rules.gates.values():
        shift = world.campus.shift(gate.id)
        if shift is not None and shift.guard not in seen:
            found.append(("to_gatehouse", shift.guard, f"{gate.name}门卫室 · {world.directory.name_of(shift.guard)}"))
            seen.add(shift.guard)
    return tuple(found)


def colleagues(world: World, me: int) -> tuple[r.StaffLine, ...]:
    """Everybody who may take children over, by name as it is read aloud."""
    able = (s for s in world.directory.staff.values() if Role.TEACHER in s.roles and s.number != me)
    return tuple(r.StaffLine(staff=s.number, name=s.name) for s in sorted(able, key=lambda s: (s.pinyin, s.name, s.number)))


def escort_gates(world: World, children: Iterable[int]) -> tuple[tuple[str, str], ...]:
    """Gates that a group may be led to, the one where most of them are released first."""
    homes = Counter(
        school_class.release_gate
        for child in children
        if (pupil := world.directory.pupils.get(child)) and (school_class := world.directory.classes.get(pupil.class_id))
    )
    return tuple(sorted(((g.id, g.name) for g in world.rules.gates.values()), key=lambda gate: -homes[gate[0]]))
