"""Facts of a day whose facts were let go of: folded without them they would tell another story. Pure, like all of the core."""

from __future__ import annotations

from kiosk.core.campus import Campus
from kiosk.core.child_steps import CHILD_STEPS
from kiosk.core.entries import Entry


def is_late(entry: Entry, let_go_through: str, let_go_tick: int, campus: Campus) -> bool:
    """Whether a fact of another gate fits only to facts that are not in the fold any more: a child who went home then would
    stand on campus now. The journal has them. By its day, or by its place among them: a gate whose clock was in doubt
    over midnight wrote facts of the day before among those of the next."""
    day = entry.body.get("day")
    among_them = entry.tick <= let_go_tick or (isinstance(day, str) and day <= let_go_through)
    return among_them and entry.kind in CHILD_STEPS and not campus.knows(entry.id)
