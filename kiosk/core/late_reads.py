"""A read that happened earlier than it arrives: a terminal that was cut off delivers what it stored.

It is judged by the moment at which it happened, recorded with that moment, and told to nobody at the access point: no door
opens for it, no lamp lights, no screen speaks, nobody is put into a queue. It moves a child only where that is still true: it
is of this day, which nobody has closed since, our clock is trusted, no emergency runs, and nothing that says where the child
is happened after it. Otherwise it is kept as a fact that moves nothing. Pure and total; the rules for a read are in
`passage`, which decides first, as of that moment.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kiosk.core.commands import Read
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.rules import MINUTE_MS
from kiosk.core.world import World

LATE_AFTER_MS = MINUTE_MS
KEPT_MS = 31 * 24 * 60 * MINUTE_MS  # what is older is the terminal's history, and none of this school's days
_MOVES = frozenset({Kind.ARRIVED, Kind.RELEASED, Kind.SESSION_ENTERED, Kind.SESSION_LEFT, Kind.SEEN})
_ABOUT_NOW = frozenset({"queue", "candidates", "requests", "snapshot"})  # words for somebody who stands at the gate


def moment_ms(read: Read, now_ms: int, trusted: bool) -> int | None:
    """When a read of a device that stores its reads happened, if that was not just now; None for every other read.

    A moment in the future is a wrong clock in the terminal: whoever it was stands there now.
    """
    at_ms = read.read_at_ms
    if not read.stored or at_ms is None:
        return None
    ago_ms = now_ms - at_ms
    late = ago_ms > LATE_AFTER_MS or (not trusted and -ago_ms > LATE_AFTER_MS)
    return at_ms if late else None


def of_other_times(at_ms: int, now_ms: int) -> bool:
    """So far from now that no day of this school is meant: it is not even recorded."""
    return abs(now_ms - at_ms) > KEPT_MS


NOTHING = Decision(outcome=Outcome.REFUSED, reason=Reason.STORED)


def told(decision: Decision, read: Read, at_ms: int, world: World, now_ms: int, trusted: bool) -> Decision:
    """What `passage` decided as of `at_ms`, as far as it still counts now."""
    counts = _still_true(decision.child, at_ms, world, trusted)
    facts = tuple(_late(fact, at_ms, counts, trusted) for fact in decision.facts)
    if any(fact.kind in _MOVES for fact in decision.facts) and all(fact.kind not in _MOVES for fact in facts):
        decision = msgspec.structs.replace(decision, outcome=Outcome.REFUSED, reason=Reason.STORED)
    return msgspec.structs.replace(decision, facts=facts, access_point="", open_door=False)


def _still_true(child: int | None, at_ms: int, world: World, trusted: bool) -> bool:
    cleared = world.campus.cleared
    if world.local_date(at_ms) != world.book.day.date or world.campus.emergency is not None:
        return False
    if cleared is not None and cleared.at_ms >= at_ms:
        return False
    if child is None:
        return trusted
    if not trusted:  # whose clock is wrong is not known: a child that was not here has come all the same
        return not world.campus.child(child).hold.live
    return world.campus.last_placed_ms(child) <= at_ms


def _late(fact: Fact, at_ms: int, counts: bool, trusted: bool) -> Fact:
    if fact.kind in _MOVES and counts and (trusted or fact.kind == Kind.ARRIVED):
        return Fact(fact.kind, {**fact.body, **({"read_at_ms": at_ms} if trusted else {})}, fact.note)
    if fact.kind not in _MOVES and fact.kind not in _TURNED_BACK:
        return fact  # what a card proved stays proven
    body: dict[str, Any] = {name: value for name, value in fact.body.items() if name not in _ABOUT_NOW}
    if fact.kind in _MOVES:
        body |= {"reason": Reason.STORED.value, "outcome": Outcome.REFUSED.value}
        for name in ("custodian", "flag", "session", "mode", "place"):
            body.pop(name, None)
    return Fact(Kind.READ_STORED, {**body, "read_at_ms": max(0, at_ms)})


_TURNED_BACK = frozenset({Kind.READ_REFUSED, Kind.PICKUP_REQUESTED})
