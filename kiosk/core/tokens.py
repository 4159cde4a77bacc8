"""The right to release a child (接送权): who has it. How it goes from gate to gate is in `kiosk.core.token_moves`.

Never do two gates have it at once. So it moves by two facts, and while it is on the way nobody has it; a gate that was started
again on records that may be old has nothing until it has heard from the school server what it may have forgotten.
Two of staff may always do what one may not: an exceptional release is no matter of this module.
"""

from __future__ import annotations

from kiosk.core.decisions import Reason
from kiosk.core.rules import MINUTE_MS
from kiosk.core.token_book import Right
from kiosk.core.world import Start, World

OLD_COPY_MS = 5 * MINUTE_MS  # no card is copied, taken out and put back within so short a time


def home_of(world: World, child: int) -> str:
    """The gate of the child's class; "" for a class that has none and is released at any gate."""
    pupil = world.directory.pupils.get(child)
    school_class = world.directory.classes.get(pupil.class_id) if pupil else None
    return school_class.release_gate if school_class else ""


def right_of(world: World, child: int) -> Right:
    return world.campus.tokens.right(child, world.day, home_of(world, child))


def why_not(world: World, child: int, trusted: bool) -> Reason | None:
    """None where this gate computer may release the child by one of staff. Everything that releases asks here."""
    if not home_of(world, child):
        return None
    right = right_of(world, child)
    if not world.serves(right.gate) or not right.taken or right.split:
        return Reason.ELSEWHERE_GATE
    known_day = trusted or not world.campus.tokens.ever_moved(child)
    return None if known_day and vouched(world, child) else Reason.RIGHT_UNPROVEN


def vouched(world: World, child: int) -> bool:
    """Whether what this computer remembers of the child's right cannot be an old copy of its records.

    It heard from the server what there is of it; or it was off so shortly that nobody put in another card; or it was
    started before the school's day began, and then nothing of this day can be missing. A gate without a server has no other.
    """
    link, start, windows = world.link, world.start, world.pupil_day(child)
    if not link.configured or link.own_known or start.proven:
        return True
    return start.trusted and windows is not None and start.at_ms < windows.arrive_opens_ms


def started(world: World, *, before: str, last_ms: int, now_ms: int, trusted: bool) -> Start:
    """What can be said of a start. before: the stream that this computer wrote last, "" for none; last_ms: when, by a clock
    that was trusted. Whoever started on an old copy and was started again a moment later still runs on an old copy."""
    at_once = trusted and last_ms > 0 and 0 <= now_ms - last_ms <= OLD_COPY_MS
    return Start(at_ms=now_ms, trusted=trusted, proven=at_once and not world.campus.tokens.doubted(before))
