"""A picture of where the right to release a child is, for the guard who wants it."""

from __future__ import annotations

from kiosk.core.decisions import Reason
from kiosk.core.roster_gate import RightLine
from kiosk.core.token_moves import ASK_MS
from kiosk.core.tokens import right_of, why_not
from kiosk.core.world import World


def right_line(world: World, child: int, gate: str, trusted: bool) -> RightLine | None:
    """None where one of staff may release the child here, and for a child who is not on campus."""
    reason = why_not(world, child, trusted)
    if reason is None or not world.campus.child(child).hold.live:
        return None
    if reason is Reason.RIGHT_UNPROVEN:
        return RightLine(state="unproven")
    right = right_of(world, child)
    if right.move is not None and not right.taken and right.gate == gate:
        return RightLine(state="coming", gate_name=_name(world, right.move.from_gate))
    asked = world.campus.tokens.last_ask(child, world.day, gate)
    waits = asked is not None and not world.campus.tokens.answered(asked.id, world.day, child)
    return RightLine(
        state="asked" if asked and waits else "elsewhere", gate_name=_name(world, right.gate),
        until_ms=asked.at_ms + ASK_MS if asked and waits else 0,
    )  # fmt: skip


def _name(world: World, gate: str) -> str:
    found = world.rules.gates.get(gate)
    return found.name if found else gate
