"""Which releases of one child did not know of each other. It looks at what their writers had seen and never at clocks."""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.core.entries import Entry, EntryId, Kind


def apart(after: Iterable[Entry], entry: Entry) -> tuple[Entry, ...]:
    """The releases of the same day behind which this one does not stand: whoever made it knew neither of them nor of anything
    that was recorded in the knowledge of them. Ticks say nothing here. What is known through another fact is known."""
    facts, known, waiting = list(after), set[EntryId](), [entry]
    while waiting:
        knower = waiting.pop()
        heard = [fact for fact in facts if fact.id not in known and knower.knew(fact)]
        known.update(fact.id for fact in heard)
        waiting += heard
    return tuple(f for f in facts if f.kind == Kind.RELEASED and f.id not in known and _of_one_day(f, entry))


def _of_one_day(one: Entry, other: Entry) -> bool:
    """A gate that was cut off for days lets a child go every day. A clock that nobody trusts does not know the day."""
    doubted = "untrusted" in (one.clock, other.clock)
    return doubted or one.body.get("day") == other.body.get("day")
