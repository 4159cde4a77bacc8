"""An emergency or a drill (应急疏散, 演练): declared by one key, counted at muster points, ended by the duty leader.

Declaring freezes the on-site list in the fact itself, numbers only, so that it is the same on every node and after every
restart. Custody never moves here. Children go home through the ordinary verified release, during an emergency as ever.
A drill opens no door and moves nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.campus_parts import Emergency, Listed, Mustered
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.passage import ON_CAMPUS
from kiosk.core.world import LINK_FRESH_MS, World

LONGEST_POINT = 64  # characters of the name of a muster point


class Status(NamedTuple):
    """How one child of the frozen list stands. what: missing, mustered, released.

    hint_*: a missing child's tap at an exit since the emergency began: it went out there, nobody has counted it yet.
    """

    child: int
    what: str
    mustered: Mustered | None = None
    released_ms: int = 0
    released_to: int = 0
    hint_point: str = ""
    hint_ms: int = 0


# --- what staff press ------------------------------------------------------------------------------------


def declare_emergency(command: c.DeclareEmergency, world: World, now_ms: int, trusted: bool) -> Decision:
    """Pressing again changes nothing: the first list stands. A drill cannot be declared into a real emergency."""
    running = world.campus.emergency
    reason = Reason.DONE if command.drill else Reason.EMERGENCY
    if running is not None and command.drill and not running.drill:
        return refused(Reason.STEP_REFUSED)
    if running is not None and command.drill == running.drill:
        return done(reason=reason, open_door=not command.drill)
    frozen = frozen_now(world, now_ms, by=command.by, drill=command.drill)
    body = {
        "by": command.by,
        "drill": command.drill,
        "day": world.day,
        "on_site": len(frozen.on_site),
        "on_site_list": [list(one) for one in frozen.on_site],
        "outside_list": [list(one) for one in frozen.outside],
        "staff_list": list(frozen.staff),
        "visit_list": list(frozen.visits),
        "unseen": list(frozen.unseen),
    }
    return done(Fact(Kind.EMERGENCY_DECLARED, body), reason=reason, open_door=not command.drill)


def muster(command: c.Muster, world: World, now_ms: int, trusted: bool) -> Decision:
    running, point = world.campus.emergency, command.point.strip()
    if running is None:
        return refused(Reason.NO_SUCH_CASE)
    if not 0 < len(point) <= LONGEST_POINT:
        return refused(Reason.REASON_NEEDED)
    children, others = list(dict.fromkeys(command.children)), list(dict.fromkeys(command.others))
    if not (children or others) or not all(child in world.directory.pupils for child in children):
        return refused(Reason.NO_SUCH_PERSON)
    if not all(_is_adult(world, key) for key in others):
        return refused(Reason.NO_SUCH_PERSON)
    body = {
        "point": point,
        "children": children,
        "others": others,
        "present": command.present,
        "by": command.by,
        "drill": running.drill,
        "day": world.day,
    }
    return done(Fact(Kind.MUSTERED, body), child=children[0] if len(children) == 1 else None)


def _is_adult(world: World, key: str) -> bool:
    kind, _, which = key.partition(":")
    if kind == "visit":
        return which in world.campus.visits
    return kind == "staff" and which.isdecimal() and len(which) <= 15 and int(which) in world.directory.staff


def end_emergency(command: c.EndEmergency, world: World, now_ms: int, trusted: bool) -> Decision:
    """Never refused for a count: the record says who was not accounted for, and the list stays on the page."""
    running = world.campus.emergency
    if running is None:
        return refused(Reason.NO_SUCH_CASE)
    missing = [status.child for status in statuses(world, running) if status.what == "missing"]
    body = {
        "by": command.by,
        "drill": running.drill,
        "day": world.day,
        "on_site": len(running.on_site),
        "missing": len(missing),
        "unaccounted": missing,
    }
    return done(Fact(Kind.EMERGENCY_ENDED, body), detail={"missing": len(missing)})


# --- the list and how it stands -----------------------------------------------------------------------------


def frozen_now(world: World, now_ms: int, *, by: int = 0, drill: bool = False) -> Emergency:
    """The on-site list as of this moment, by number: children, groups outside with their teacher, staff, visitors."""
    on_site, outside = list[Listed](), list[Listed]()
    groups = {group.id: group for group in world.campus.groups()}
    for child, state in sorted(world.campus.on_campus(), key=lambda item: item[0]):
        group = groups.get(state.group)
        if group is not None:
            outside.append(Listed(child, group.venue, group.teacher, state.last_seen_ms))
        else:
            on_site.append(Listed(child, state.place or ON_CAMPUS, state.hold.custodian, state.last_seen_ms))
    answering = {one.custodian for one in (*on_site, *outside)}
    signed_in = {staff for staff, (_, day) in world.campus.staff_seen.items() if day == world.day}
    return Emergency(
        since_ms=now_ms,
        drill=drill,
        by=by,
        on_site=tuple(on_site),
        outside=tuple(outside),
        staff=tuple(sorted(staff for staff in answering | signed_in if staff in world.directory.staff)),
        visits=tuple(sorted(visit.id for visit in world.campus.open_visits())),
        unseen=unseen_gates(world, now_ms),
    )


def unseen_gates(world: World, now_ms: int) -> tuple[str, ...]:
    """Gates whose entries have not come lately: what happened there may be missing from the list."""
    peers, behind = world.link.peers, world.link.behind
    return tuple(
        gate for gate in world.rules.gates if gate in peers and (gate in behind or now_ms - peers[gate] > LINK_FRESH_MS)
    )


def statuses(world: World, emergency: Emergency) -> Iterator[Status]:
    """Every child of the frozen list, in its order."""
    return (status_of(world, emergency, one.child) for one in emergency.on_site)


def status_of(world: World, emergency: Emergency, child: int) -> Status:
    """A release counts before a check-off, and a check-off before a tap at an exit, which accounts for nobody."""
    state = world.campus.child(child)
    word = word_about(world, emergency, f"child:{child}")
    if not state.hold.live and state.released_ms >= emergency.since_ms:
        return Status(child, "released", word, state.released_ms, state.released_to)
    if word is not None:
        return Status(child, "mustered", word)
    if state.last_reason == Reason.EMERGENCY and state.last_seen_ms >= emergency.since_ms:
        return Status(child, "missing", hint_point=state.last_point, hint_ms=state.last_seen_ms)
    return Status(child, "missing")


def word_about(world: World, emergency: Emergency, key: str) -> Mustered | None:
    """The check-off of one person in this emergency; a drill's never counts for a real one, nor the other way round."""
    found = world.campus.mustered.get(key)
    if found is None or found[0] < emergency.order or not found[1].present or found[1].drill != emergency.drill:
        return None
    return found[1]
