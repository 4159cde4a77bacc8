"""The watch at a gate, and its handover: on-site list, open cases, visitors, and the children held at the gatehouse.

The children pass by the ordinary handover, offer and acceptance, inside the same two presses.
"""

from __future__ import annotations

from typing import Any

from kiosk.core import commands as c
from kiosk.core.acts import GATE_STAFF, done, refused
from kiosk.core.campus_parts import OpenShift
from kiosk.core.custody import lapse_due
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.handover import acceptance, declined, offer_fact
from kiosk.core.people import Role
from kiosk.core.world import World

GATEHOUSE = "门卫室"


def offer_shift(command: c.OfferShift, world: World, now_ms: int, trusted: bool) -> Decision:
    """The first watch of the day is begun by naming oneself; a duty leader may act for a guard who is absent."""
    if command.gate not in world.rules.gates:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    taker = world.directory.staff.get(command.taker)
    if taker is None or not taker.roles & GATE_STAFF:
        return refused(Reason.NO_SUCH_PERSON)
    if any(open_.gate == command.gate for open_ in world.campus.open_shifts()):
        return refused(Reason.STEP_REFUSED)
    now = world.campus.shift(command.gate)
    if now is None and command.taker == command.by:
        body = seen(world, command.gate, 0, command.taker)
        return done(Fact(Kind.SHIFT_ACCEPTED, {**body, "shift": "", "counted": 0, "by": command.by}))
    leader = Role.DUTY_LEADER in world.directory.staff[command.by].roles
    giver = now.guard if now is not None and leader else command.by
    if giver == command.taker or (now is not None and now.guard != giver):
        return refused(Reason.STEP_REFUSED)
    held = [n for n, s in world.campus.on_campus() if s.hold.custodian == giver and not s.hold.handover]
    facts, handover = list[Fact](), ""
    if held:
        handover = world.next_entry_id()
        facts.append(offer_fact(world, "guard_shift", giver, command.taker, GATEHOUSE, held, command.by))
    body = {**seen(world, command.gate, giver, command.taker), "handover": handover, "by": command.by}
    return done(*facts, Fact(Kind.SHIFT_OFFERED, body))


def seen(world: World, gate: str, giver: int, taker: int) -> dict[str, Any]:
    """What the giver leaves behind, in figures."""
    campus = world.campus
    cases = sum(1 for _, s in campus.on_campus() if s.case or s.search) + len(campus.conflicts()) + len(campus.open_alarms())
    return {
        "gate": gate,
        "giver": giver,
        "taker": taker,
        "on_site": sum(1 for _ in campus.on_campus()),
        "open_cases": cases,
        "visitors": len(campus.open_visits()),
        "day": world.day,
    }


def accept_shift(command: c.AcceptShift, world: World, now_ms: int, trusted: bool) -> Decision:
    found = _open(world, command.shift)
    if found is None:
        return refused(Reason.STEP_REFUSED)
    if command.by != found.taker:
        return refused(Reason.NOT_PERMITTED, taker=found.taker)
    offer = world.campus.offers.get(found.handover)
    children = world.campus.open_children(offer) if offer else ()
    taken = [child for child in children if child not in command.exceptions]
    if command.counted != len(taken) or set(command.exceptions) - set(children):
        return refused(Reason.COUNT_DIFFERS, expected=len(taken), counted=command.counted)
    facts = acceptance(world, offer, taken, command.exceptions, command.counted, command.by, now_ms) if offer else []
    body = {**seen(world, found.gate, found.giver, found.taker), "shift": found.id, "counted": command.counted, "by": command.by}
    return done(*facts, Fact(Kind.SHIFT_ACCEPTED, body))


def decline_shift(command: c.DeclineShift, world: World, now_ms: int, trusted: bool) -> Decision:
    found = _open(world, command.shift)
    if found is None:
        return refused(Reason.STEP_REFUSED)
    if command.by not in (found.taker, found.giver):
        return refused(Reason.NOT_PERMITTED, taker=found.taker)
    offer = world.campus.offers.get(found.handover)
    children = world.campus.open_children(offer) if offer else ()
    facts = [declined(world, found.handover, list(children), command.by, "declined")] if children else []
    return done(*facts, _ended(world, found, "declined"))


def lapses_due(world: World, now_ms: int) -> list[Fact]:
    """An offered watch that nobody took stays with the giver."""
    open_ = world.campus.open_shifts()
    return [_ended(world, one, "lapsed") for one in open_ if lapse_due(one.at_ms, world.rules.offer_lapse_ms, now_ms)]


def _open(world: World, shift: str) -> OpenShift | None:
    return next((one for one in world.campus.open_shifts() if one.id == shift), None)


def _ended(world: World, found: OpenShift, how: str) -> Fact:
    return Fact(Kind.SHIFT_ENDED, {"shift": found.id, "gate": found.gate, "reason": how, "day": world.day})
