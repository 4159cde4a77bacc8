"""What becomes of `Publish` and `RemindOfDue`: facts, and nothing else. Who may: `kiosk.core.acts`."""

from __future__ import annotations

import re
from typing import Final

from kiosk.core.acts import done, refused
from kiosk.core.commands_publishing import Publish, RemindOfDue
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.world import World

PUBLICATIONS: Final = frozenset({"guardian_notice", "timetable"})


def publish(command: Publish, world: World, now_ms: int, trusted: bool) -> Decision:
    """On record before the file is kept: what families were told, when, by whom."""
    if command.what not in PUBLICATIONS or not re.fullmatch(r"[0-9a-f]{64}", command.digest):
        return refused(Reason.REASON_NEEDED)
    body = {"what": command.what, "digest": command.digest, "by": command.by, "day": world.day}
    return done(Fact(Kind.PUBLISHED, body))


def remind_of_due(command: RemindOfDue, world: World, now_ms: int, trusted: bool) -> Decision:
    body = {"what": command.what, "rule": command.rule, "due": command.due, "days_left": command.days_left, "day": world.day}
    return done(Fact(Kind.REMINDED, body))
