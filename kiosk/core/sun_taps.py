"""How far a read can be trusted: what a card proved of itself, what it only says, and what was made up.

A UID is a name and no proof: anybody can write one into another card. A card that signs each of its reads (NTAG 424 DNA, SUN)
proves that it was there, once: its counter only grows, so the same proof for a second time is a copy. The arithmetic is done by
`World.sun`, with keys that this module never sees. Nothing here decides who may pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from kiosk.core.commands import Read
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.rules import AccessPoint
from kiosk.core.world import World

AUTHENTICATED, BY_UID = "authenticated", "uid"
SIGNING_KINDS = frozenset({"sun"})  # kinds of cards that prove themselves at every read
UNPROVEN = "unproven"  # flag: such a card showed its number only
FLAGGED, ASKS = "flagged", "asks"  # what comes of it
COUNTERS_IN_A_FACT = 500
NO_PROOF = frozenset({Reason.CARD_FORGED.value, Reason.CARD_REPLAYED.value})
ALARMS = {Reason.CARD_FORGED: "card_forged", Reason.CARD_REPLAYED: "card_replayed"}


class Examined(NamedTuple):
    """A read that came with a message of a signing card. `read`: as the proof says it; `refusal`: why it is none."""

    read: Read
    counter: int = 0
    refusal: Reason | None = None


def examined(read: Read, world: World) -> Examined | None:
    """None where no such message came, or where this gate has no keys to look at it with."""
    tap = world.sun(read.sun or read.value) if world.sun is not None else None
    if tap is None:
        return None
    if not tap.genuine or _of_another_card(read, tap.uid):
        return Examined(read, refusal=Reason.CARD_FORGED)
    proven = replace(read, scheme="uid", value=tap.uid, random_uid=False, assurance=AUTHENTICATED)
    stale = tap.counter <= world.campus.cards.counters.get(tap.uid, 0)
    return Examined(proven, tap.counter, Reason.CARD_REPLAYED if stale else None)


def _of_another_card(read: Read, uid: str) -> bool:
    """The link of one card in the memory of another. A random UID of the air says nothing: cards may be set to hide theirs."""
    return bool(read.sun) and read.scheme == "uid" and not read.random_uid and read.value != uid


def refused(seen: Examined, person: int, world: World, point: AccessPoint, now_ms: int) -> Decision:
    """Forged or replayed: an alarm for the duty leader, once for the same thing within a few seconds."""
    assert seen.refusal is not None
    body: dict[str, Any] = {
        "access_point": point.id,
        "outcome": Outcome.REFUSED.value,
        "reason": seen.refusal.value,
        "day": world.day,
        "scheme": seen.read.scheme,
        "assurance": BY_UID,  # a copy proves nothing
        "alarm": ALARMS[seen.refusal],
        **({"person": person} if person else {"tail": seen.read.value[-4:]}),
        **({"queue": "collector" if person else "unknown"} if point.gate else {}),
    }
    same = any(
        r.person == person and r.reason == seen.refusal.value and r.access_point == point.id
        and 0 <= now_ms - r.at_ms < world.rules.repeat_ms
        for r in world.campus.requests.values()
    )  # fmt: skip
    return Decision(
        outcome=Outcome.REFUSED, reason=seen.refusal, facts=() if same else (Fact(Kind.READ_REFUSED, body),),
        access_point=point.id, person=person or None, alarm=True,
    )  # fmt: skip


def recorded(decision: Decision, seen: Examined, world: World) -> Decision:
    """The counter goes to disk in the very fact that the read led to; where it led to none, in one of its own."""
    card = {"card": seen.read.value, "counter": seen.counter}
    first, *rest = decision.facts or (Fact(Kind.CARD_PROVEN, _of_no_fact(decision, seen.read, world)),)
    return with_assurance(
        msgspec.structs.replace(decision, facts=(Fact(first.kind, {**first.body, **card}, first.note), *rest)), AUTHENTICATED
    )


def _of_no_fact(decision: Decision, read: Read, world: World) -> dict[str, Any]:
    body: dict[str, Any] = {
        "access_point": read.access_point, "outcome": decision.outcome.value, "reason": decision.reason.value, "day": world.day,
        "scheme": read.scheme,
    }  # fmt: skip
    person = decision.child or decision.person
    return {**body, "person": person} if person else body


def with_assurance(decision: Decision, assurance: str) -> Decision:
    """Every fact that came from a read says how far that read can be trusted."""
    facts = tuple(
        Fact(kind, {**body, "assurance": assurance}, note) if "scheme" in body else Fact(kind, body, note)
        for kind, body, note in decision.facts
    )
    return msgspec.structs.replace(decision, facts=facts)


def doubt(read: Read, uid: str, world: World) -> str:
    """Whether a card that could prove itself showed its number only, and so may be a copy of the number. FLAGGED, or ASKS
    where this school has the guard look then; "" for every other card."""
    kinds = {card.kind for card in world.directory.cards.get(uid, ())} if read.assurance == BY_UID else set()
    if kinds & world.rules.unproven_asks:
        return ASKS
    return FLAGGED if kinds & SIGNING_KINDS else ""


def flagged(doubt: str) -> dict[str, str]:
    return {"flag": UNPROVEN} if doubt else {}


def suspicion(person: int, doubt: str, point: AccessPoint, world: World, now_ms: int) -> Reason | None:
    """What the guard is to know of an adult's card before anything else."""
    if world.campus.cards.would_be_cloned(person, point.id, now_ms):
        return Reason.CARD_CLONED
    return Reason.CARD_UNPROVEN if doubt == ASKS else None


def counters_due(world: World) -> list[Fact]:
    """At the close of a day: the counters that moved, so that a copy of today's read is still one tomorrow."""
    moved = world.campus.cards.unkept()
    return [
        Fact(Kind.CARD_COUNTERS, {"counters": [list(one) for one in moved[at : at + COUNTERS_IN_A_FACT]], "day": world.day})
        for at in range(0, len(moved), COUNTERS_IN_A_FACT)
    ]
