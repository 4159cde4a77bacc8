"""Reads that are no child's own card: an adult who collects, a card of nobody or of several, one that was reported lost.

Each of them is a decision for the guard or a refusal; none moves a child.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core import sun_taps
from kiosk.core.commands import Read
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.people import CardState
from kiosk.core.pickup import Verdict, may_collect, restricted
from kiosk.core.rules import AccessPoint
from kiosk.core.world import World


def collector(person: int, point: AccessPoint, world: World, now_ms: int, trusted: bool, read: Read, uid: str) -> Decision:
    """An adult with a pickup card. The guard decides; a restricted person gets the same neutral public answer."""
    children = [a.child for a in world.directory.children_of.get(person, ())]
    verdicts = [
        may_collect(world, child=c, collector=person, gate=point.gate, now_ms=now_ms, trusted=trusted) for c in children
    ]
    barred = any(restricted(world, c, person) for c in children)
    best = _best(verdicts) if not barred else Verdict(outcome=Outcome.REFUSED, reason=Reason.COLLECTOR_RESTRICTED)
    doubt = sun_taps.doubt(read, uid, world)
    if best.outcome is Outcome.ASK_GUARD:
        best = replace(best, reason=sun_taps.suspicion(person, doubt, point, world, now_ms) or best.reason)
    body = {
        "person": person,
        "candidates": children,
        "access_point": point.id,
        "outcome": best.outcome.value,
        "reason": best.reason.value,
        "day": world.day,
        "scheme": read.scheme,
        "queue": "collector",
        **sun_taps.flagged(doubt),
        **({"alarm": "restricted_person"} if barred else {}),
    }
    same = already_queued(world, person, point.id, now_ms)
    return Decision(
        outcome=best.outcome,
        reason=Reason.REPEAT if same else best.reason,
        facts=() if same else (Fact(Kind.PICKUP_REQUESTED, body),),
        access_point=point.id,
        person=person,
        alarm=barred,
    )


def _best(verdicts: list[Verdict]) -> Verdict:
    """The verdict that lets the guard act, if any child gives one."""
    ask = next((v for v in verdicts if v.outcome is Outcome.ASK_GUARD), None)
    return ask or (verdicts[0] if verdicts else Verdict(outcome=Outcome.REFUSED, reason=Reason.COLLECTOR_UNKNOWN))


def already_queued(world: World, person: int, point: str, now_ms: int) -> bool:
    return any(
        r.person == person and r.access_point == point and 0 <= now_ms - r.at_ms < world.rules.repeat_ms
        for r in world.campus.requests.values()
    )


def unknown(read: Read, world: World, point: AccessPoint) -> Decision:
    reason = Reason.RANDOM_UID if read.random_uid else Reason.UNKNOWN_CREDENTIAL
    body = {
        "access_point": point.id,
        "outcome": Outcome.REFUSED.value,
        "reason": reason.value,
        "day": world.day,
        "scheme": read.scheme,
        "tail": read.value[-4:],  # enough for the office to find the card, not to copy it
    }
    if point.gate:
        body["queue"] = "unknown"
    return Decision(
        outcome=Outcome.REFUSED, reason=reason, facts=(Fact(Kind.READ_REFUSED, body),), access_point=point.id
    )


def ambiguous(read: Read, world: World, point: AccessPoint, holders: tuple[int, ...]) -> Decision:
    body = {
        "access_point": point.id,
        "outcome": Outcome.ASK_GUARD.value,
        "reason": Reason.AMBIGUOUS_CREDENTIAL.value,
        "day": world.day,
        "scheme": read.scheme,
        "candidates": [h for h in holders if h in world.directory.pupils],
        "queue": "unknown",
    }
    fact = Fact(Kind.READ_REFUSED, body)
    return Decision(outcome=Outcome.ASK_GUARD, reason=Reason.AMBIGUOUS_CREDENTIAL, facts=(fact,), access_point=point.id)


def is_lost(world: World, uid: str) -> bool:
    if uid in world.campus.lost_cards:
        return True
    return any(card.state is CardState.LOST for card in world.directory.cards.get(uid, ()))


def lost(world: World, point: AccessPoint, person: int, read: Read) -> Decision:
    """A card that was reported lost: refused, quietly, and the duty leader is told."""
    body = {
        "access_point": point.id,
        "outcome": Outcome.REFUSED.value,
        "reason": Reason.CARD_LOST.value,
        "day": world.day,
        "scheme": read.scheme,
        "person": person,
        "queue": "collector",
        "alarm": "lost_card",
    }
    return Decision(
        outcome=Outcome.REFUSED,
        reason=Reason.CARD_LOST,
        facts=(Fact(Kind.READ_REFUSED, body),),
        access_point=point.id,
        person=person,
        alarm=True,
    )
