"""Which button stands at the bottom of a roster: it changes with the moment.

One question decides: what must this teacher do next? An offer that waits comes first, then the children who are here
but still in others' care, then the roll, then the next custodian. Pure; the page and its script only show it.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.roster import OfferLine, RosterRow, RosterView

LEAVE_MARKS = frozenset({"leave_sick", "leave_personal"})
HERE_MARKS = frozenset({"present", "late"})
ABSENT = "absent_unexplained"
HAND_OVER_FROM_MS = 10 * 60_000  # before a session ends, its next custodian becomes the next thing to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """kind: accept | take | call | offer | done. `count` and `exceptions` are those of the rows as they stand."""

    kind: str
    count: int = 0
    exceptions: int = 0
    offer: OfferLine | None = None


def suggested(row: RosterRow) -> str:
    """The mark that the row shows before the teacher has said anything: what the readers saw."""
    if row.mark:
        return row.mark
    return "present" if row.here else (ABSENT if row.expected else "")


def moment(view: RosterView) -> Moment:
    if view.incoming:
        offer = view.incoming[0]
        return Moment(kind="accept", count=offer.expected, offer=offer)
    belong = [row for row in view.rows if row.expected or row.here]
    here = [row for row in belong if suggested(row) in HERE_MARKS]
    exceptions = len(belong) - len(here)
    takeable = frozenset(free_to_take(view))
    if takeable:
        return Moment(kind="take", count=sum(row.line.child in takeable for row in here), exceptions=exceptions)
    if view.rows and view.roll_called_ms is None:
        return Moment(kind="call", count=len(here), exceptions=exceptions)
    held = sum(row.held_by_me and not row.offered_to for row in view.rows)
    ending = view.end_ms is not None and view.bar.now_ms >= view.end_ms - HAND_OVER_FROM_MS
    return Moment(kind="offer" if held and ending and view.next_takers else "done", count=held)


def free_to_take(view: RosterView) -> tuple[int, ...]:
    """Children here in others' care whom nobody else was offered."""
    offered = {row.line.child for row in view.rows if row.offered_to}
    return tuple(child for child in view.takeable if child not in offered)


def looking_for(view: RosterView) -> tuple[RosterRow, ...]:
    """On campus, expected here, not here: longest missing first. They stand on top; no row jumps for it."""
    missing = [row for row in view.rows if row.missing_since_ms is not None]
    return tuple(sorted(missing, key=lambda row: (row.missing_since_ms or 0, row.line.seat)))


def by_seat(view: RosterView) -> tuple[RosterRow, ...]:
    """Rows where the thumb expects them: by class and seat, guests last. The order never follows the state."""
    return tuple(
        sorted(view.rows, key=lambda row: (not row.expected, row.line.class_name, row.line.seat, row.line.child))
    )
