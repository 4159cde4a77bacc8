"""The gate's own disk, as far as people must know of it: a word on the bar, and one case for the duty leader while it lasts.

It never decides what is saved: that is the disk's. The case is raised again after a restart if somebody closed it and the disk
is no better; it closes by itself when there is room.
"""

from __future__ import annotations

from typing import Final

from kiosk.core import commands as c
from kiosk.core.acts import done
from kiosk.core.decisions import Decision
from kiosk.core.entries import Fact, Kind
from kiosk.core.world import DiskRoom, World

LOW: Final = "disk_low"  # pictures have stopped
LAST: Final = "disk_last"  # the ballast was given up: what is left is all there is
OF_DISKS: Final = frozenset({LOW, LAST})


def seen(command: c.DiskSeen, world: World, now_ms: int, trusted: bool) -> Decision:
    """One case at a time: a worse one takes the place of the one before, and so does a better one."""
    before = world.disk
    since = before.since_tick if command.level == before.level else world.stream.tick
    world.disk = DiskRoom(level=command.level, used_percent=command.used_percent, since_tick=since)
    day = world.day
    facts = [
        Fact(Kind.CASE_CLOSED, {"case": alarm.case, "by": 0, "day": day})
        for alarm in world.campus.alarms_of(world.stream.node, OF_DISKS)
        if alarm.kind != command.level and alarm.case not in world.campus.closed_cases
    ]
    if command.level and not _told(world, command.level, since):
        body = {"alarm": command.level, "where": world.stream.node, "percent": command.used_percent, "day": day}
        facts.append(Fact(Kind.DISK_NEARLY_FULL, body))
    return done(*facts)


def _told(world: World, level: str, since_tick: int) -> bool:
    """Whether it stands as a case, or somebody closed the case of this very time."""
    told = world.campus.alarms_of(world.stream.node, {level})
    return any(alarm.case not in world.campus.closed_cases or alarm.tick > since_tick for alarm in told)
