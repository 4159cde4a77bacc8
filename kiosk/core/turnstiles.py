"""Did it turn? A turnstile that says when somebody went through, and what follows when nobody did.

A tap that was granted and opened the door waits for a turn of that access point; each turn belongs to the oldest waiting
grant, adults' included. A child's own tap that nobody used within the time is taken back by a new fact, `passage_unused`:
the fold then leaves the tap out, as if it had not been (`kiosk.core.campus`).

When in doubt the tap is believed: without a sensor that is well and has been seen to turn, under a clock that is not
trusted, in an emergency, after a restart, and as soon as anything else was recorded about that child. What a guard pressed
is never taken back by a machine. What waits is known to this node only, and recorded nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiosk.core import commands as c
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Entry, Fact, Kind
from kiosk.core.rules import AccessPoint
from kiosk.core.world import DeviceState, Grant, Turns, World

MAX_WAITING = 32  # grants at one access point; more means that nobody counts there
MAX_LATE_MS = 30_000  # a tick that comes later than that has slept, and so has the sensor
UNUSED_IN_A_ROW = 3  # so many grants without one turn: rather a broken wire than so many children who stay outside


def opened(command: Any, decision: Decision, world: World, now_ms: int) -> None:
    """A decision has opened a door: from now on somebody is awaited there."""
    point = world.rules.access_points.get(decision.access_point)
    if point is None or not _senses(world, point) or world.campus.emergency:
        return
    turns = _turns(world, point)
    turns.waiting.append(_grant(command, decision, now_ms))
    if len(turns.waiting) > MAX_WAITING:
        turns.waiting.clear()


def _grant(command: Any, decision: Decision, now_ms: int) -> Grant:
    fact = decision.facts[0] if isinstance(command, c.Read) and len(decision.facts) == 1 else None
    if fact is not None and fact.kind in (Kind.ARRIVED, Kind.RELEASED) and decision.child:
        return Grant(now_ms, decision.child, fact.kind.value)
    return Grant(now_ms, 0, "")


def passed(command: c.Passed, world: World, now_ms: int, trusted: bool) -> Decision:
    """Somebody went through: the oldest grant has been used. A turn that nobody was granted is nobody's here."""
    point = world.rules.access_points.get(command.access_point)
    if point is None or command.access_point not in world.watched:
        return Decision(outcome=Outcome.REFUSED, reason=Reason.NO_SUCH_ACCESS_POINT)
    turns = _turns(world, point)
    facts = () if turns.proven else _believed_again(world, point, now_ms)
    turns.proven, turns.unused = True, 0
    if turns.waiting:
        del turns.waiting[0]
    return Decision(outcome=Outcome.GRANTED, reason=Reason.DONE, facts=facts)


def watch(command: c.WatchTurns, world: World, now_ms: int, trusted: bool) -> Decision:
    """Which access points have a sensor on a wire. Said once by the devices of this node, when they are made."""
    world.watched = command.access_points
    return Decision(outcome=Outcome.GRANTED, reason=Reason.DONE)


def sensor_lost(world: World, device: str) -> None:
    """Nobody counts any more: everybody who was granted is believed to have gone through."""
    for point_id, turns in world.turns.items():
        if world.rules.access_points[point_id].turn_sensor == device:
            turns.waiting.clear()


def facts_due(world: World, now_ms: int, trusted: bool) -> list[Fact]:
    """Grants that nobody has used in time, taken back."""
    if not trusted or world.campus.emergency:
        for turns in world.turns.values():
            turns.waiting.clear()
    return [fact for point_id in world.turns for fact in _due_at(world, world.rules.access_points[point_id], now_ms)]


def leaving(world: World) -> int:
    """Children who were let out and may yet be taken back: the day is not closed over them."""
    return sum(1 for turns in world.turns.values() for grant in turns.waiting if grant.kind == Kind.RELEASED)


def _due_at(world: World, point: AccessPoint, now_ms: int) -> Iterator[Fact]:
    turns, within_ms = _turns(world, point), round(point.turn_within_s * 1000)
    while turns.waiting and not 0 <= now_ms - turns.waiting[0].at_ms < within_ms:
        grant = turns.waiting.pop(0)
        if not 0 <= now_ms - grant.at_ms < within_ms + MAX_LATE_MS or not turns.proven:
            continue
        entry = _untouched(world, point, grant) if grant.child else None
        if entry is not None:
            yield _unused(entry, point, grant)
        turns.unused += 1
        if turns.unused >= UNUSED_IN_A_ROW:
            turns.proven = False
            yield _doubted(world, point, now_ms)


def _untouched(world: World, point: AccessPoint, grant: Grant) -> Entry | None:
    """The fact of that grant, while it is the last that anybody recorded about the child."""
    last = world.campus.last_of(grant.child)
    if last is None or (last.kind, last.at_ms, last.node) != (grant.kind, grant.at_ms, world.rules.node):
        return None
    return last if last.body.get("access_point") == point.id else None


def _unused(entry: Entry, point: AccessPoint, grant: Grant) -> Fact:
    """On the guard's queue as well: a child stands at the gate, on one side or the other."""
    body: dict[str, Any] = {
        "child": grant.child,
        "passage": str(entry.id),
        "what": grant.kind,
        "access_point": point.id,
        "outcome": Outcome.ASK_GUARD.value,
        "reason": Reason.PASSAGE_UNUSED.value,
        "queue": "child",
        "candidates": [grant.child],
        "day": entry.body.get("day", ""),
    }
    if grant.kind == Kind.RELEASED:
        body["custodian"] = entry.body["custodian"]
    return Fact(Kind.PASSAGE_UNUSED, body)


# --- the sensor ------------------------------------------------------------------------------------


def _senses(world: World, point: AccessPoint) -> bool:
    sensor = world.devices.get(point.turn_sensor) if point.id in world.watched else None
    return sensor is not None and sensor.health == "ok"


def _turns(world: World, point: AccessPoint) -> Turns:
    return world.turns.setdefault(point.id, Turns())


def sensor_name(point: AccessPoint) -> str:
    """The turn signal as a part of its device, on the list of devices."""
    return f"{point.turn_sensor}:{point.turn_input}"


def _doubted(world: World, point: AccessPoint, now_ms: int) -> Fact:
    why = f"{UNUSED_IN_A_ROW} granted passages in a row and no turn at {point.name}: look at the wire of its turn signal"
    world.devices[sensor_name(point)] = DeviceState(health="down", why=why, since_ms=now_ms)
    return Fact(Kind.DEVICE_LOST, {"device": sensor_name(point), "health": "down", "day": world.day})


def _believed_again(world: World, point: AccessPoint, now_ms: int) -> tuple[Fact, ...]:
    if sensor_name(point) not in world.devices:
        return ()
    world.devices[sensor_name(point)] = DeviceState(health="ok", why="", since_ms=now_ms)
    return (Fact(Kind.DEVICE_BACK, {"device": sensor_name(point), "day": world.day}),)
