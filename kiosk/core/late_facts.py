"""Facts of a day whose facts were let go of: folded without them they would tell another story. Pure, like all of the core."""

from __future__ import annotations

from kiosk.core.campus import Campus
from kiosk.core.child_steps import CHILD_STEPS, children_of
from kiosk.core.entries import Entry


def is_late(entry: Entry, let_go_through: str, let_go_tick: int, campus: Campus) -> bool:
    """Whether a fact of another gate fits only to facts that are not in the fold any more: a child who went home then would
    stand on campus now. The journal has them. By its day, or by its place among them: a gate whose clock was in doubt
    over midnight wrote facts of the day before among those of the next."""
    day = entry.body.get("day")
    among_them = entry.tick <= let_go_tick or (isinstance(day, str) and day <= let_go_through)
    return among_them and entry.kind in CHILD_STEPS and not campus.knows(entry.id)


def is_told_backwards(entry: Entry, today: str, campus: Campus) -> bool:
    """Whether a fact of a day before stands before what is known of one of its children: this morning came ahead of its turn.
    A fact or two of that sort cost little; days of them would have each child's story told anew for every one."""
    if entry.kind not in CHILD_STEPS or not str(entry.body.get("day", today)) < today or campus.knows(entry.id):
        return False
    try:
        lasts = [campus.last_of(child) for child in children_of(entry)]
    except (KeyError, TypeError, ValueError):
        return False  # a body that no fact of its kind has: the fold says so
    return any(last is not None and last.order > entry.order for last in lasts)
