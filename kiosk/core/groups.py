"""Groups on the move: 放学护送 to a gate, and a group that leaves the school with its teacher. Commands -> Decisions.

Two counts each, one where the group sets out and one where it arrives. Custody stays with the teacher all the way; who is
not counted is named with a reason, and a child named missing is looked for at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
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
    problem = _not_mine(world, command.children, command.by)
    if problem is not None:
        return problem
    going = [child for child in dict.fromkeys(command.children) if child not in command.exceptions]
    if not _counts(command.counted, going, command.children, command.exceptions):
        return refused(Reason.COUNT_DIFFERS, expected=len(going), counted=command.counted)
    body = _set_out(world, command.by, going, command.counted, command.exceptions)
    fact = Fact(Kind.ESCORT_DEPARTED, {**body, "gate": gate.id, "place": f"护送途中 → {gate.name}"})
    return done(fact, *for_missing(world, command.exceptions.items(), now_ms))


def end_escort(command: c.EndEscort, world: World, now_ms: int, trusted: bool) -> Decision:
    """The count at the gate, by the teacher or by the guard who receives the group."""
    escort = next((e for e in world.campus.escorts() if e.id == command.escort), None)
    if escort is None:
        return refused(Reason.NO_SUCH_CASE)
    at_gate = bool(world.directory.staff[command.by].roles & {Role.GUARD, Role.DUTY_LEADER})
    if command.by != escort.teacher and not at_gate:
        return refused(Reason.NOT_PERMITTED, taker=escort.teacher)
    still = [child for child in escort.children if world.campus.child(child).escort == escort.id]
    there = [child for child in still if child not in command.exceptions]
    if not _counts(command.counted, there, still, command.exceptions):
        return refused(Reason.COUNT_DIFFERS, expected=len(there), counted=command.counted)
    gate = world.rules.gates.get(escort.gate)
    body = _set_out(world, command.by, there, command.counted, command.exceptions)
    place = f"{gate.name if gate else escort.gate}候接区"
    fact = Fact(Kind.ESCORT_ARRIVED, {**body, "escort": escort.id, "gate": escort.gate, "place": place})
    return done(fact, *for_missing(world, command.exceptions.items(), now_ms))


def take_out(command: c.TakeOut, world: World, now_ms: int, trusted: bool) -> Decision:
    if not command.venue.strip():
        return refused(Reason.REASON_NEEDED)
    problem = _not_mine(world, command.children, command.by)
    if problem is not None:
        return problem
    going = [child for child in dict.fromkeys(command.children) if child not in command.exceptions]
    if not _counts(command.counted, going, command.children, command.exceptions):
        return refused(Reason.COUNT_DIFFERS, expected=len(going), counted=command.counted)
    body = _set_out(world, command.by, going, command.counted, command.exceptions)
    venue = command.venue.strip()
    fact = Fact(Kind.GROUP_OUT, {**body, "venue": venue, "place": f"校外 · {venue}"})
    return done(fact, *for_missing(world, command.exceptions.items(), now_ms))


def bring_back(command: c.BringBack, world: World, now_ms: int, trusted: bool) -> Decision:
    group = next((g for g in world.campus.groups() if g.id == command.group), None)
    if group is None:
        return refused(Reason.NO_SUCH_CASE)
    leader = Role.DUTY_LEADER in world.directory.staff[command.by].roles
    if command.by != group.teacher and not leader:
        return refused(Reason.NOT_PERMITTED, taker=group.teacher)
    still = [child for child in group.children if world.campus.child(child).group == group.id]
    back = [child for child in still if child not in command.exceptions]
    if not _counts(command.counted, back, still, command.exceptions):
        return refused(Reason.COUNT_DIFFERS, expected=len(back), counted=command.counted)
    body = _set_out(world, command.by, back, command.counted, command.exceptions)
    fact = Fact(Kind.GROUP_BACK, {**body, "group": group.id, "venue": group.venue, "place": ON_CAMPUS})
    return done(fact, *for_missing(world, command.exceptions.items(), now_ms))


def _not_mine(world: World, children: tuple[int, ...], teacher: int) -> Decision | None:
    """Only whoever answers for every one of them may lead a group away."""
    if not children:
        return refused(Reason.NO_SUCH_PERSON)
    for child in children:
        state = world.campus.child(child)
        free = not (state.hold.handover or state.escort or state.group)
        if state.hold.custodian != teacher or not state.hold.live or not free:
            return refused(Reason.STEP_REFUSED, child=child, custody=state.hold.custody.value)
    return None


def _counts(counted: int, taken: list[int], all_of_them: tuple[int, ...] | list[int], exceptions: Mapping[int, str]) -> bool:
    """Every exception is one of them, with a reason, and the count is exactly the others."""
    named = set(exceptions) <= set(all_of_them) and all(why.strip() for why in exceptions.values())
    return named and counted == len(taken)


def _set_out(
    world: World, by: int, children: list[int], counted: int, exceptions: Mapping[int, str]
) -> dict[str, Any]:
    return {
        "by": by,
        "children": children,
        "expected": len(children) + len(exceptions),
        "counted": counted,
        "exceptions": [[child, why] for child, why in exceptions.items()],
        "day": world.day,
    }
