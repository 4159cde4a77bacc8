"""How the right to release a child goes from one gate to another: asked, given, taken. Commands -> Decisions.

The gate that has it gives it by itself, when the ask is known there and nobody waits for the child; the asking gate takes it
when the giving is known there. Both are facts of a tick, never of the fold, and each is on disk before anything rests on it.
"""

from __future__ import annotations

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.rules import MINUTE_MS
from kiosk.core.token_book import Right
from kiosk.core.tokens import home_of, right_of, vouched, why_not
from kiosk.core.world import World

ASK_MS = 3 * MINUTE_MS  # by the holder's clock: whoever asked has gone on to something else by then
AHEAD_MS = MINUTE_MS  # how far the asker's clock may be ahead


def ask(command: c.AskReleaseRight, world: World, now_ms: int, trusted: bool) -> Decision:
    """A guard wants a child's right for the gate where the child and the adult stand. Asked again after a while, it is
    another ask."""
    point, tokens = world.rules.access_points.get(command.access_point), world.campus.tokens
    if point is None or not world.serves(point.gate):
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    if command.child not in world.directory.pupils or not world.campus.child(command.child).hold.live:
        return refused(Reason.NOT_ON_CAMPUS, child=command.child)
    if not trusted:
        return refused(Reason.CLOCK_UNTRUSTED, child=command.child)
    if why_not(world, command.child, trusted) is None:
        return refused(Reason.STEP_REFUSED, child=command.child)
    before = tokens.last_ask(command.child, world.day, point.gate)
    if before is not None and now_ms - before.at_ms < ASK_MS and not tokens.answered(before.id, world.day, command.child):
        return done(child=command.child, access_point=point.id)
    body = {
        "child": command.child, "gate": point.gate, "access_point": point.id, "by": command.by, "day": world.day,
    }  # fmt: skip
    return done(Fact(Kind.RELEASE_TOKEN_ASKED, body), child=command.child, access_point=point.id)


def facts_due(world: World, now_ms: int, trusted: bool) -> list[Fact]:
    """What this gate gives to others and takes from them, as it knows things now. Only by a clock that knows the day."""
    tokens = world.campus.tokens
    if not trusted or not (tokens.asks or tokens.given):
        return []
    found = [_taken(world, right) for right in _on_the_way(world)]
    given = set[int]()
    for one in tokens.asks.values():
        if one.day != world.day or one.child in given or not one.trusted or not -AHEAD_MS <= now_ms - one.at_ms <= ASK_MS:
            continue
        if tokens.answered(one.id, world.day, one.child) or not _may_give(world, one.child, one.gate, now_ms):
            continue
        given.add(one.child)
        right = right_of(world, one.child)
        body = {
            "child": one.child, "from_gate": right.gate, "to_gate": one.gate, "after": right.name, "ask": one.id,
            "day": world.day,
        }  # fmt: skip
        found.append(Fact(Kind.RELEASE_TOKEN_GIVEN, body))
    return found


def _on_the_way(world: World) -> list[Right]:
    """Rights that were given to a gate of this computer today and are not taken."""
    tokens, found = world.campus.tokens, list[Right]()
    for move in list(tokens.given.values()):
        if move.day != world.day or move.id in tokens.taken or not world.serves(move.to_gate):
            continue
        right = right_of(world, move.child)
        if right.name == move.id and not right.split and vouched(world, move.child):
            found.append(right)
    return found


def _taken(world: World, right: Right) -> Fact:
    assert right.move is not None
    move = right.move
    body = {
        "child": move.child, "from_gate": move.from_gate, "to_gate": move.to_gate, "after": move.after, "ask": move.ask,
        "token": move.id, "day": move.day,
    }  # fmt: skip
    return Fact(Kind.RELEASE_TOKEN_TAKEN, body)


def _may_give(world: World, child: int, to_gate: str, now_ms: int) -> bool:
    """A child who is here and whom nobody waits for at this computer's own gates. Before the gates open nothing is given,
    so that a gate that was started before then knows that it gave nothing."""
    windows = world.pupil_day(child)
    if windows is None or now_ms < windows.arrive_opens_ms or world.serves(to_gate):
        return False
    if why_not(world, child, trusted=True) is not None or not home_of(world, child):
        return False
    return world.campus.child(child).hold.live and not _wanted_here(world, child)


def _wanted_here(world: World, child: int) -> bool:
    points = world.rules.access_points
    return any(
        child in (request.person, *request.children) and (point := points.get(request.access_point)) is not None
        and world.serves(point.gate)
        for request in world.campus.requests.values()
    )  # fmt: skip
