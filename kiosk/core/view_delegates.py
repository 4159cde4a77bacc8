"""The picture of a child's delegates: whom to call back, and the passes of today and the days to come."""

from __future__ import annotations

from datetime import timedelta

from kiosk.core import roster as r
from kiosk.core import roster_delegates as d
from kiosk.core.delegates import gates_of
from kiosk.core.pass_book import MAX_DAYS_AHEAD, Registered
from kiosk.core.passes import for_release
from kiosk.core.view_parts import bar, child_line, guardians
from kiosk.core.world import Delegate, World


def delegates(world: World, query: d.DelegatesQuery, now_ms: int, trusted: bool) -> d.DelegatesView:
    """`query.child` is a pupil."""
    today = world.book.day.date
    made = world.campus.passes.of_child(query.child)
    return d.DelegatesView(
        line=child_line(world, query.child, now_ms),
        class_teacher=world.class_teacher(world.directory.pupils[query.child]),
        guardians=guardians(world, query.child),
        gates=tuple((gate, _gate_name(world, gate)) for gate in gates_of(world, query.child)),
        today=today.isoformat(),
        last_day=(today + timedelta(days=MAX_DAYS_AHEAD)).isoformat(),
        passes=tuple(_line(world, key, one) for key, one in made if one.facts.for_day >= world.day),
        bar=bar(world, None, now_ms, trusted),
    )


def passes_at_gate(world: World, child: int, now_ms: int, trusted: bool) -> tuple[r.PassAtGate, ...]:
    """The open passes of today: what is asked when the delegate stands there and the code cannot be read."""
    today = [
        (key, made)
        for key, made in world.campus.passes.of_child(child)
        if made.facts.for_day == world.day and _state(world, key, world.day) == "open"
    ]
    return tuple(_at_gate(world, key, made, now_ms, trusted) for key, made in today)


def _at_gate(world: World, pass_id: str, made: Registered, now_ms: int, trusted: bool) -> r.PassAtGate:
    facts, who = made.facts, world.delegates.get(pass_id, Delegate(""))
    verdict = for_release(world, pass_id, facts.child, gate=facts.gate, now_ms=now_ms, trusted=trusted)
    pickup = r.PickupLine(
        line=child_line(world, facts.child, now_ms), relation=facts.relation, outcome=verdict.outcome.value,
        reason=verdict.reason.value, needs=verdict.needs,
    )  # fmt: skip
    return r.PassAtGate(
        pass_id=pass_id, name=who.name, relation=facts.relation, id_last4=facts.id_last4, phone=who.phone,
        features=who.features, pickup=pickup,
    )  # fmt: skip


def _gate_name(world: World, gate: str) -> str:
    known = world.rules.gates.get(gate)
    return known.name if known else gate


def _line(world: World, pass_id: str, made: Registered) -> d.PassLine:
    facts, who = made.facts, world.delegates.get(pass_id, Delegate(""))
    return d.PassLine(
        pass_id=pass_id,
        child=facts.child,
        for_day=facts.for_day,
        gate=facts.gate,
        gate_name=_gate_name(world, facts.gate),
        relation=facts.relation,
        id_last4=facts.id_last4,
        name=who.name,
        phone=who.phone,
        features=who.features,
        guardian_name=world.directory.name_of(made.guardian),
        by_name=world.directory.name_of(made.by),
        made_ms=made.at_ms,
        state=_state(world, pass_id, facts.for_day),
    )


def _state(world: World, pass_id: str, for_day: str) -> str:
    book = world.campus.passes
    if book.used(pass_id):
        return "used"
    if pass_id in book.revoked:
        return "revoked"
    return "open" if for_day >= world.day else "over"
