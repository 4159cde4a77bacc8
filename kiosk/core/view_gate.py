"""Pictures for the gate: what the display says and whom the guard sees."""

from __future__ import annotations

from kiosk.core import roster as r
from kiosk.core.campus import Request
from kiosk.core.child import ChildState
from kiosk.core.rules import AccessKind
from kiosk.core.view_parts import bar, child_line, pickup_line
from kiosk.core.world import World

QUEUE_SHOWN = 30  # newest requests on the guard's page


def display(world: World, query: r.DisplayQuery, now_ms: int, trusted: bool) -> r.DisplayView:
    point = world.rules.access_points[query.access_point]
    gate = world.rules.gates.get(point.gate)
    name, from_ms, to_ms = _window(world, point.kind, point.room, now_ms)
    emergency = world.campus.emergency
    mine = [world.devices[name] for name in world.readers.get(point.id, ()) if name in world.devices]
    return r.DisplayView(
        access_point=point.id,
        name=point.name,
        gate=gate.name if gate else "",
        kind=point.kind.value,
        now_ms=now_ms,
        window_name=name,
        window_from_ms=from_ms,
        window_to_ms=to_ms,
        room=point.room,
        out_of_order=not world.can_save or (bool(mine) and all(d.health != "ok" for d in mine)),
        emergency="" if emergency is None else "drill" if emergency.drill else "emergency",
        no_card_possible=bool(point.camera),
    )


def _window(world: World, kind: AccessKind, room: str, now_ms: int) -> tuple[str, int | None, int | None]:
    """What one may do here now: the name of the window and its bounds over all pupils."""
    days = [d for d in {id(d): d for d in world.book.pupils.values()}.values() if d.teaching]
    if not days:
        return "closed", None, None
    if kind is AccessKind.ROOM:
        running = next((s for s in world.book.session_times.values() if s.room == room and s.end_ms > now_ms), None)
        return ("session", running.start_ms, running.end_ms) if running else ("closed", None, None)
    opens, late = min(d.arrive_opens_ms for d in days), max(d.late_after_ms for d in days)
    first_out, last_out = min(d.dismissal_ms for d in days), world.book.gate_closes_ms
    if now_ms < late:
        return "arrival", opens, late
    if now_ms < first_out:
        return "lessons", late, first_out
    return ("dismissal", first_out, last_out) if now_ms < last_out else ("closed", None, None)


def guard(world: World, query: r.GuardQuery, now_ms: int, trusted: bool) -> r.GuardView:
    gate = world.rules.gates.get(query.gate)
    points = {p.id for p in world.rules.access_points.values() if p.gate == query.gate}
    waiting_here = [q for q in world.campus.requests.values() if q.access_point in points]
    newest = sorted(waiting_here, key=lambda q: -q.at_ms)[:QUEUE_SHOWN]
    return r.GuardView(
        gate=query.gate,
        gate_name=gate.name if gate else query.gate,
        queue=tuple(_queue_item(world, q, query.gate, now_ms, trusted) for q in newest),
        on_campus=sum(1 for _ in world.campus.on_campus()),
        waiting=sum(1 for n, s in world.campus.on_campus() if _due_here(world, n, s, query.gate, now_ms)),
        released_today=sum(1 for s in world.campus.children.values() if s.released_ms and s.day == world.day),
        bar=bar(world, None, now_ms, trusted),
    )


def _due_here(world: World, child: int, state: ChildState, gate: str, now_ms: int) -> bool:
    """Whether a child on campus waits to be collected at this gate."""
    windows, pupil = world.book.pupils.get(child), world.directory.pupils.get(child)
    if windows is None or pupil is None or not windows.teaching or now_ms < windows.release_opens_ms:
        return False
    if state.due_ms > now_ms:  # in extended care
        return False
    school_class = world.directory.classes.get(pupil.class_id)
    return school_class is not None and school_class.release_gate == gate


def _queue_item(world: World, request: Request, gate: str, now_ms: int, trusted: bool) -> r.QueueItem:
    directory, point = world.directory, world.rules.access_points.get(request.access_point)
    adult = directory.collectors.get(request.person)
    if adult is not None:
        children = tuple(
            pickup_line(world, a.child, adult.number, gate, now_ms, trusted) for a in directory.children_of.get(adult.number, ())
        )
    else:
        children = tuple(
            r.PickupLine(line=child_line(world, n, now_ms), relation="", outcome=request.outcome, reason=request.reason, needs=())
            for n in request.children
        )
    return r.QueueItem(
        id=request.id,
        kind=request.kind,
        at_ms=request.at_ms,
        access_point=request.access_point,
        access_point_name=point.name if point else request.access_point,
        person=request.person or None,
        name=directory.name_of(request.person) if request.person else "",
        organisation=adult.organisation if adult else "",
        phone_tail=adult.phone[-4:] if adult else "",
        outcome=request.outcome,
        reason=request.reason,
        children=children,
        restricted=request.reason == "collector_restricted",
        snapshot=request.snapshot,
        has_photo=adult.has_photo if adult else any(c.line.has_photo for c in children),
    )
