"""静校, the close of the day: refused while anybody or anything is left, then a statement of zero with its counts.

Boarders in the dormitory stay: the statement names each with the adult who answers for it, and the next day begins there.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from kiosk.core import commands as c
from kiosk.core import turnstiles
from kiosk.core.acts import done, refused
from kiosk.core.child import ChildState
from kiosk.core.closing import unclosed
from kiosk.core.decisions import Decision, Reason
from kiosk.core.disk import OF_DISKS
from kiosk.core.entries import Fact, Kind
from kiosk.core.link import SHUT_OUT
from kiosk.core.sun_taps import counters_due
from kiosk.core.world import World

LATE_MARKS: Final = (10, 30, 60)  # minutes after the end of the child's own release window
MINUTE_MS: Final = 60_000
NOT_FETCHED: Final = frozenset({"alone", "slip_alone", "left_unrecorded", "never_arrived"})
_OF_THIS_COMPUTER = OF_DISKS | {SHUT_OUT}  # a technician's trouble keeps no day open


def clear_campus(command: c.ClearCampus, world: World, now_ms: int, trusted: bool) -> Decision:
    blockers = clear_blockers(world)
    if blockers:
        return refused(Reason.NOT_CLEAR, blockers=list(blockers))
    body = {"by": command.by, "day": world.day, "in_custody": 0, **counts(world)}
    boarders = sorted(((child, s) for child, s in world.campus.on_campus() if s.dormitory), key=lambda row: row[0])
    body["dormitory"] = [[child, s.hold.custodian] for child, s in boarders]
    body["unclosed"] = len(unclosed(world, now_ms))  # sessions without an archive row: an open matter, and no child
    body["of_list"] = of_list(world)
    body["sleeping"] = [[child, s.place] for child, s in boarders]
    return done(Fact(Kind.CAMPUS_CLEARED, body), *counters_due(world))


def counts(world: World) -> dict[str, Any]:
    """What the statement says about the day."""
    today = [s for s in world.campus.children.values() if s.day == world.day]
    modes = Counter(_mode(s) for s in today if s.released_ms)
    return {
        "arrived": sum(1 for s in today if s.arrived_ms),
        "released": sum(modes.values()),
        "released_by_mode": dict(sorted(modes.items())),
        "corrected": sum(1 for s in today if any(f.startswith("corrected:") for f in s.flags)),
        "visitors": sum(1 for visit in world.campus.visits.values() if visit.day == world.day),
        "incidents": sum(1 for _, at_ms in world.campus.incidents.values() if at_ms >= world.book.start_ms),
    }


def of_list(world: World) -> dict[str, Any]:
    """What the day's list of people says of the day: on record at its close, because later lists have other people, and of
    somebody who was erased none has anything. The report of a day that was closed counts so for ever."""
    today = [(n, s) for n, s in world.campus.children.items() if s.day == world.day]
    stays = {n for n, windows in world.book.pupils.items() if windows.sessions}
    gone = [(n, s) for n, s in today if s.released_ms and not s.hold.live]
    late_ms = [s.released_ms - world.due_ms(n, s) for n, s in gone if world.due_ms(n, s) and _mode(s) not in NOT_FETCHED]
    return {
        "expected": sum(1 for windows in world.book.pupils.values() if windows.teaching),
        "stayers": sum(1 for n, s in today if s.arrived_ms and n in stays),
        "late_collections": {str(mark): sum(1 for ms in late_ms if ms >= mark * MINUTE_MS) for mark in LATE_MARKS},
    }


def _mode(state: ChildState) -> str:
    body = state.released_entry.body if state.released_entry else {}
    return str(body.get("mode") or body.get("what") or "unknown")


def clear_blockers(world: World) -> tuple[str, ...]:
    """What still stands in the way, as `kind:count`."""
    campus = world.campus
    counted = {
        "children": sum(1 for _, s in campus.on_campus() if not s.dormitory),
        "passages": turnstiles.leaving(world),
        "offers": len(campus.open_offers()),
        "escorts": len(campus.escorts()),
        "groups": len(campus.groups()),
        "shifts": len(campus.open_shifts()),
        "visitors": len(campus.open_visits()),
        "conflicts": len(campus.conflicts()),
        "alarms": sum(1 for alarm in campus.open_alarms() if alarm.kind not in _OF_THIS_COMPUTER),
        "emergency": 1 if campus.emergency else 0,
    }
    return tuple(f"{name}:{count}" for name, count in counted.items() if count)
