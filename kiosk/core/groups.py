"""Groups on the move: 放学护送 to a gate, and a group that leaves the school with its teacher. Commands -> Decisions.

Two counts each, one where the group sets out and one where it arrives. Custody stays with the teacher all the way; who is
not counted is named with a reason, and a child named missing is looked for at once.
"""

from __future__ import annotations

from typing import Any

from kiosk.core import commands as c
from kiosk.core.acts import GATE_STAFF, done, refused
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.passage import ON_CAMPUS
from kiosk.core.people import Role
from kiosk.core.search import for_missing
from kiosk.core.world import World


def start_escort(command: c.StartEscort, world: World, now_ms: int, trusted: bool) -> Decision:
    gate = world.rules.gates.get(command.gate)
    if gate is None:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    place = f"护送途中 → {gate.name}"
    return _set_out(command, world, now_ms, Kind.ESCORT_DEPARTED, gate=gate.id, place=place)


def end_escort(command: c.EndEscort, world: World, now_ms: int, trusted: bool) -> Decision:
    """The count at the gate, by the teacher or by the guard who receives the group."""
    escort = next((e for e in world.campus.escorts() if e.id == command.escort), None)
    if escort is None:
        return refused(Reason.NO_SUCH_CASE)
    if command.by != escort.teacher and not world.directory.staff[command.by].roles & GATE_STAFF:
        return refused(Reason.NOT_PERMITTED, taker=escort.teacher)
    still = [child for child in escort.children if world.campus.child(child).escort == escort.id]
    gate = world.rules.gates.get(escort.gate)
    place = f"{gate.name if gate else escort.gate}候接区"
    return _counted(command, world, still, now_ms, Kind.ESCORT_ARRIVED, escort=escort.id, gate=escort.gate, place=place)


def take_out(command: c.TakeOut, world: World, now_ms: int, trusted: bool) -> Decision:
    venue = command.venue.strip()
    if not venue:
        return refused(Reason.REASON_NEEDED)
    return _set_out(command, world, now_ms, Kind.GROUP_OUT, venue=venue, place=f"校外 · {venue}")


def bring_back(command: c.BringBack, world: World, now_ms: int, trusted: bool) -> Decision:
    group = next((g for g in world.campus.groups() if g.id == command.group), None)
    if group is None:
        return refused(Reason.NO_SUCH_CASE)
    if command.by != group.teacher and Role.DUTY_LEADER not in world.directory.staff[command.by].roles:
        return refused(Reason.NOT_PERMITTED, taker=group.teacher)
    still = [child for child in group.children if world.campus.child(child).group == group.id]
    return _counted(command, world, still, now_ms, Kind.GROUP_BACK, group=group.id, venue=group.venue, place=ON_CAMPUS)


def _set_out(command: c.StartEscort | c.TakeOut, world: World, now_ms: int, kind: Kind, **more: Any) -> Decision:
    """Only whoever answers for every one of them may lead a group away."""
    if not command.children:
        return refused(Reason.NO_SUCH_PERSON)
    for child in command.children:
        state = world.campus.child(child)
        free = not (state.hold.handover or state.escort or state.group)
        if state.hold.custodian != command.by or not state.hold.live or not free:
            return refused(Reason.STEP_REFUSED, child=child, custody=state.hold.custody.value)
    return _counted(command, world, list(dict.fromkeys(command.children)), now_ms, kind, **more)


def _counted(
    command: c.StartEscort | c.EndEscort | c.TakeOut | c.BringBack, world: World, all_of_them: list[int], now_ms: int,
    kind: Kind, **more: Any,
) -> Decision:  # fmt: skip
    """One count: every exception is one of them, with a reason, and the number is exactly the others."""
    exceptions = command.exceptions
    there = [child for child in all_of_them if child not in exceptions]
    named = set(exceptions) <= set(all_of_them) and all(why.strip() for why in exceptions.values())
    if not named or command.counted != len(there):
        return refused(Reason.COUNT_DIFFERS, expected=len(there), counted=command.counted)
    body = {
        "by": command.by,
        "children": there,
        "expected": len(all_of_them),
        "counted": command.counted,
        "exceptions": [[child, why] for child, why in exceptions.items()],
        "day": world.day,
        **more,
    }
    return done(Fact(kind, body), *for_missing(world, exceptions.items(), now_ms))
