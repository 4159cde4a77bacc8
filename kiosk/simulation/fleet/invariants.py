"""What must hold after every step, whatever happened: each a function that looks at one gate and raises Violation.

They use nothing that the product concluded where they can help it: the rows that a second reader finds on the disk, the plain
ledger, and a fold made anew in another order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

from kiosk.core.campus import Campus
from kiosk.core.custody import Custody
from kiosk.core.entries import Entry, EntryId, Kind, Sealed
from kiosk.core.tokens import why_not
from kiosk.simulation.fleet.gate import FleetGate
from kiosk.simulation.fleet.ledger import Ledger

ACKNOWLEDGED = "nothing acknowledged is lost"
ONE_RIGHT = "never do two gates have the right to release one child"
ONCE = "nothing is stored twice"
CUSTODIAN = "every child on campus has one named custodian"
FOLD = "the state is the same for every order of arrival"
DOUBLE_RELEASE = "every double release is a case"
RESTART = "a restart ends in the state before it"
LATENESS = "no lateness is judged by a clock that cannot be trusted"
NOTICED = "a clock that was set far away is not trusted"
NO_FAULT = "nothing of ours breaks"
COPIES = "a gate that went on from an old copy is a case"
EVERYWHERE = "in the end everything is everywhere, once"


class Violation(Exception):
    """One invariant does not hold; `why` names the gate and the facts."""

    def __init__(self, invariant: str, why: str) -> None:
        super().__init__(f"{invariant}: {why}")
        self.invariant, self.why = invariant, why


def look_closely(gate: FleetGate, new: Iterable[Sealed]) -> None:
    """After every step."""
    if gate.untold:
        raise Violation(ACKNOWLEDGED, f"{gate.name} acknowledged {gate.untold[0]} and its disk does not have it")
    clock = gate.clock.believed
    if gate.clock.must_be_distrusted and clock.trusted():
        raise Violation(NOTICED, f"{gate.name} trusts a clock that says {gate.clock.wall_ms}")
    for one in new:
        _judged_fairly(gate, one.entry)
    if gate.up:
        _one_custodian(gate)
        _no_trouble(gate)


def one_has_the_right(gates: Sequence[FleetGate], at_server: Callable[[EntryId], bool]) -> None:
    """After every step, over all gates that run. `gates`: without those whose card runs in two computers, which are two in
    everything. Two things nobody could know, and they are no breach: that a card is an old copy, where the clock lies
    about its age; and a giving that its writer lost with its card and the server with its disk."""
    worlds = [(gate, gate.controller.world) for gate in gates if gate.controller is not None]
    worlds = [(gate, world) for gate, world in worlds if not (gate.old_copy and world.start.proven)]
    for child in worlds[0][0].school.children if len(worlds) > 1 else ():
        have: dict[str, list[FleetGate]] = {}
        for gate, world in worlds:
            if why_not(world, child, gate.clock.believed.trusted()) is None:
                have.setdefault(world.day, []).append(gate)
        for day, both in have.items():
            if len(both) > 1 and not _forgotten(child, day, both, at_server):
                names = " and ".join(gate.name for gate in both)
                raise Violation(ONE_RIGHT, f"child {child} could be released by one of staff at {names}")


def _forgotten(child: int, day: str, gates: Iterable[FleetGate], at_server: Callable[[EntryId], bool]) -> bool:
    givings = {move.id: move for gate in gates for move in gate.campus.tokens.moves(child, day)}
    for name in givings:
        node, incarnation, seq = name.split("/")
        writer = next((gate for gate in gates if gate.name == node), None)
        lost = writer is not None and all(str(entry.id) != name for entry in writer.known())
        if lost and not at_server(EntryId(node, incarnation, int(seq))):
            return True
    return False


def look_deeply(gate: FleetGate, chance: random.Random) -> None:
    """The whole state, folded anew from everything that the gate knows, in another order and partly twice."""
    if not gate.up:
        return
    known = gate.known()
    again = [*known, *chance.sample(known, k=min(len(known), 5))]
    chance.shuffle(again)
    assert gate.controller is not None
    if gate.controller.world.unreadable:
        raise Violation(NO_FAULT, f"{gate.name} cannot fold {gate.controller.world.unreadable[0]}")
    _same(gate, FOLD, visible(gate.campus), visible(folded(again, like=gate)))
    ledger = Ledger(known)
    held = {n: s.hold.custodian for n, s in gate.campus.on_campus()}
    if held != ledger.held:
        raise Violation(CUSTODIAN, f"{gate.name} says {held}, the ledger says {ledger.held}")
    _doubles_are_cases(gate, ledger, known)


def folded(entries: Iterable[Entry], *, like: FleetGate) -> Campus:
    """A state that never was anywhere, made by the product's own fold."""
    campus, rules = Campus(), like.school.settings[like.at].rules
    campus.cards.lens({point.id: point.gate for point in rules.access_points.values()}, rules.impossible_ms)
    for entry in entries:
        campus.apply(entry)
    return campus


def visible(campus: Campus) -> dict[str, Any]:
    """What people can see and what decisions are made by."""
    return {
        "children": {n: _without_conflicts(s.as_tuple(), s.__slots__) for n, s in campus.children.items()},
        "conflicts": sorted(conflict.case for conflict in campus.conflicts()),
        "alarms": sorted(alarm.case for alarm in campus.open_alarms()),
        "offers": sorted(offer.id for offer in campus.open_offers()),
        "escorts": sorted(escort.id for escort in campus.escorts()),
        "groups": sorted(group.id for group in campus.groups()),
        "shifts": sorted(shift.id for shift in campus.open_shifts()),
        "lost_cards": sorted(campus.lost_cards),
        "cleared": campus.cleared,
    }


def same_after_restart(gate: FleetGate, before: dict[str, Any]) -> None:
    """But for one thing: what this start wrote itself may be the second seal of a stream, which tells of a copy."""
    after = visible(gate.campus)
    by_this_start = f"copy:{gate.name}/{gate.incarnation}"
    after["conflicts"] = [case for case in after["conflicts"] if case != by_this_start or case in before["conflicts"]]
    _same(gate, RESTART, after, before)


def rows_survived(gate: FleetGate) -> None:
    """After a start: everything that this gate ever acknowledged and that the card should have is on it, byte for byte."""
    raw = {one.entry.id: one.raw for one in gate.rows}
    for told, bytes_then in gate.told.items():
        if raw.get(told) != bytes_then:
            raise Violation(ACKNOWLEDGED, f"{gate.name} had acknowledged {told}, and after the restart it is not there")


def _same(gate: FleetGate, invariant: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    """A child who left on an earlier day may have been let go of."""
    assert gate.controller is not None
    today = gate.controller.world.day
    one, other = ({**state, "children": _of_today(state["children"], today)} for state in (one, other))
    if one == other:
        return
    for name, value in one.items():
        if value != other[name]:
            here, there = _difference(value, other[name])
            raise Violation(invariant, f"{gate.name}, {name}: {here} is not {there}")


_OVERNIGHT = ("hold", "place", "arrived_ms", "escort", "group", "dormitory", "case", "search")


def _of_today(children: dict[int, dict[str, Any]], today: str) -> dict[int, dict[str, Any]]:
    """Of a child who is still here from an earlier day, what goes over into this one."""
    found = {n: state for n, state in children.items() if state["day"] == today}
    held = {n: state for n, state in children.items() if state["hold"].live and n not in found}
    return found | {n: {name: state[name] for name in _OVERNIGHT} for n, state in held.items()}


def _difference(one: Any, other: Any) -> tuple[Any, Any]:
    """The smallest part that differs."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}, key=str):
            if one.get(key) != other.get(key):
                here, there = _difference(one.get(key), other.get(key))
                return (key, here), (key, there)
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        parts = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
        return tuple(a for a, _ in parts), tuple(b for _, b in parts)
    return one, other


def _without_conflicts(values: tuple[Any, ...], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in zip(names, values, strict=True) if name != "conflicts"}


def _one_custodian(gate: FleetGate) -> None:
    staff = gate.school.directory.staff
    for child, state in gate.campus.children.items():
        hold = state.hold
        if hold.live != (hold.custodian in staff) or (hold.custody is Custody.OFFERED) != bool(hold.handover):
            raise Violation(CUSTODIAN, f"{gate.name}: child {child} is {hold}")


_JUDGED = frozenset({Kind.ESCALATED})


def _judged_fairly(gate: FleetGate, entry: Entry) -> None:
    late = entry.kind in _JUDGED or entry.body.get("reason") == "late"
    if late and (entry.clock != "trusted" or gate.clock.must_be_distrusted):
        raise Violation(LATENESS, f"{gate.name} recorded {entry.kind} {entry.body.get('reason', '')} as {entry.id}")


def _no_trouble(gate: FleetGate) -> None:
    if gate.trouble:
        raise Violation(NO_FAULT, f"the agent of {gate.name}: {gate.trouble[0]!r}")


def _doubles_are_cases(gate: FleetGate, ledger: Ledger, known: Iterable[Entry]) -> None:
    """A case that a person closed may be let go of with its day; until then it names the second release."""
    closed = {entry.body["case"] for entry in known if entry.kind == Kind.CASE_CLOSED}
    for child, first, second in ledger.doubles:
        named = [conflict for conflict in gate.campus.child(child).conflicts if second in conflict.entries]
        if not named and f"double_release:{child}:{second}" not in closed:
            raise Violation(DOUBLE_RELEASE, f"{gate.name}: child {child} went by {first} and by {second}, and no case says so")


def everything_is_everywhere(gates: list[FleetGate], stored: list[Any]) -> None:
    """The weather is clear: the server has every entry of every gate once, and every gate has folded all of them."""
    at_server = {(one.node, one.incarnation, one.seq): one for one in stored}
    if len(at_server) != len(stored):
        raise Violation(ONCE, "the server has an entry twice")
    for gate in gates:
        for one in gate.rows:
            found = at_server.get(one.entry.id)
            if found is None or (found.raw, found.hash) != (one.raw, one.hash):
                how = "otherwise" if found else "not"
                raise Violation(EVERYWHERE, f"the server has {one.entry.id} of {gate.name} {how}")
        for told in gate.told:
            if told not in at_server:
                raise Violation(ACKNOWLEDGED, f"{gate.name} acknowledged {told}, and the server never got it")
        if unheard := at_server.keys() - {entry.id for entry in gate.known()}:
            raise Violation(EVERYWHERE, f"{gate.name} has never heard of {min(unheard)}")
        if len({one.entry.id for one in gate.heard}) != len(gate.heard):
            raise Violation(ONCE, f"{gate.name} heard an entry twice")
        _copies_are_cases(gate)
    _one_story(gates, {EntryId(*name) for name in at_server})


def _one_story(gates: list[FleetGate], at_server: Collection[EntryId]) -> None:
    """What its writer lost with its card and the server with its disk, both after a third gate had heard it, stays with
    that gate: nobody else could prove to the server whose it is. Beside that, all tell the same."""
    beyond = {entry.id for gate in gates for entry in gate.known()} - set(at_server)
    if kept := beyond & {one.entry.id for gate in gates for one in gate.rows}:
        raise Violation(EVERYWHERE, f"the server has never heard of {min(kept)}, which its writer has")
    told = [visible(_without(gate, beyond)) for gate in gates]
    for (gate, one), (_, other) in pairwise(zip(gates, told, strict=True)):
        _same(gate, EVERYWHERE, one, other)


def _without(gate: FleetGate, beyond: Collection[EntryId]) -> Campus:
    return folded((one for one in gate.known() if one.id not in beyond), like=gate) if beyond else gate.campus


def _copies_are_cases(gate: FleetGate) -> None:
    """A stream that somebody sealed and that goes on beyond the seal, or that two sealed, cannot be of one computer alone."""
    known = gate.known()
    closed = {entry.body["case"] for entry in known if entry.kind == Kind.CASE_CLOSED}
    told = closed | {conflict.case for conflict in gate.campus.conflicts()}
    last: dict[str, int] = {}
    sealed_by: dict[str, list[tuple[int, str]]] = {}
    for entry in known:
        last[entry.stream] = max(entry.seq, last.get(entry.stream, 0))
        if entry.kind == Kind.INCARNATION_OPENED and (seal := entry.body.get("sealed")):
            sealed_by.setdefault(f"{seal['node']}/{seal['incarnation']}", []).append((seal["seq"], entry.stream))
    for stream, seals in sealed_by.items():
        doubted = len(seals) > 1 or last.get(stream, 0) > seals[0][0]
        if doubted and not any(f"copy:{by}" in told for _, by in seals):
            raise Violation(COPIES, f"{gate.name}: {stream} was gone on with by {seals} and no case says so")
