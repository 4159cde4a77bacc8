"""Who it is that a reader recognised: by a card, or by the number under which the school's own lists know somebody.

A face of a pupil is used only where the family agreed (`face_match`); a finger, a palm or a vein never is, because nobody is
asked to agree to that. What must not be used is not kept either: the fact says that a read was not used, and not whose it may
have been.
"""

from __future__ import annotations

from kiosk.core.commands import Read
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.people import CardState, own_number
from kiosk.core.rules import AccessPoint
from kiosk.core.world import FACE_MATCH, World

PERSON = "person"  # scheme: 学号 of a pupil or 工号 of a member of staff
FACE, BODY = "face", "body"


def identify(read: Read, world: World) -> tuple[tuple[int, ...], str]:
    """Everybody whom the presented value may mean, and the canonical card UID when there is exactly one."""
    if read.scheme == PERSON:
        return holders_of(read.value, world), ""
    exact = world.directory.cards.get(read.value) if read.scheme != "number" else None
    if exact is not None and len(exact) == 1 and exact[0].state is not CardState.RETURNED:  # nearly every tap
        return (exact[0].holder,), read.value
    uids = (read.value,) if exact else world.cards.candidates(read.value)
    cards = [card for uid in uids for card in world.directory.cards.get(uid, ())]
    holders = tuple(dict.fromkeys(card.holder for card in cards if card.state is not CardState.RETURNED))
    return holders, uids[0] if len(uids) == 1 else ""


def holders_of(number: str, world: World) -> tuple[int, ...]:
    """Everybody with this number. Terminals that count with it drop leading zeros, so they do not matter."""
    return world.directory.by_own_number.get(own_number(number), ())


def unused(read: Read, found: tuple[int, ...], world: World, point: AccessPoint) -> Decision | None:
    """The answer to a read that may not be used, or None."""
    if read.assurance not in (FACE, BODY):
        return None
    pupils = [pupil for number in found if (pupil := world.directory.pupils.get(number))]
    if not pupils or (read.assurance == FACE and all(world.consented(pupil.number, FACE_MATCH) for pupil in pupils)):
        return None
    body = {
        "access_point": point.id,
        "outcome": Outcome.ASK_GUARD.value,
        "reason": Reason.FACE_NOT_AGREED.value,
        "day": world.day,
        "scheme": read.scheme,
        **({"queue": "unknown"} if point.gate else {}),
    }
    return Decision(
        outcome=Outcome.ASK_GUARD, reason=Reason.FACE_NOT_AGREED, facts=(Fact(Kind.READ_REFUSED, body),), access_point=point.id
    )
