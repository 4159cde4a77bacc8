"""Pictures for the gate: what the display says and whom the guard sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kiosk.core import passes
from kiosk.core import roster as r
from kiosk.core.acts import GATE_STAFF
from kiosk.core.campus_parts import OpenOffer, OpenShift, Request, Shift
from kiosk.core.child import ChildState
from kiosk.core.decisions import Reason
from kiosk.core.roster_faces import CandidateLine, FaceLine
from kiosk.core.rules import AccessKind
from kiosk.core.shifts import seen
from kiosk.core.sun_taps import NO_PROOF
from kiosk.core.vetting import missing
from kiosk.core.view_duty import ladder_case
from kiosk.core.view_parts import bar, child_line, escort_line, lines_of, offer_line, pickup_line, shift_line
from kiosk.core.view_tokens import right_line
from kiosk.core.world import World

_OF_THE_RIGHT = frozenset({Reason.ELSEWHERE_GATE.value, Reason.RIGHT_UNPROVEN.value})
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
        **_watch(world, query.gate, now_ms),
    )


def _watch(world: World, gate: str, now_ms: int) -> dict[str, Any]:
    """The watch at this gate: who has it, what is offered to it, whom it holds, what may still be undone."""
    shift = world.campus.shift(gate)
    guard = shift.guard if shift else 0
    offered = next((one for one in world.campus.open_shifts() if one.gate == gate), None)
    staff = sorted((s for s in world.directory.staff.values() if s.roles & GATE_STAFF), key=lambda s: s.pinyin)
    released = ((n, s) for n, s in world.campus.children.items() if now_ms - s.released_ms <= world.rules.undo_ms)
    offers = world.campus.open_offers()
    in_shift = {one.handover for one in world.campus.open_shifts()}
    return {
        "shift": shift_line(world, gate),
        "shift_offer": _shift_offer(world, offered, now_ms) if offered else None,
        "guards": tuple(r.StaffLine(staff=s.number, name=s.name) for s in staff),
        "undoable": tuple(_undo(world, n, s, now_ms) for n, s in released if _undoable(world, s, gate)),
        "escorts": tuple(escort_line(world, e, now_ms) for e in world.campus.escorts() if e.gate == gate),
        "incoming": tuple(_named(world, o, now_ms) for o in offers if guard and o.taker == guard and o.id not in in_shift),
        "shift_returned": _shift_returned(world, shift) if shift and not offered else None,
        **_gatehouse(world, gate, guard, now_ms),
    }


def _gatehouse(world: World, gate: str, guard: int, now_ms: int) -> dict[str, Any]:
    """Whom the watch holds, how far each ladder is, and what a new guard takes over beside them."""
    held = [(n, s) for n, s in world.campus.on_campus() if guard and s.hold.custodian == guard]
    left = seen(world, gate, guard, 0)
    return {
        "held": lines_of(world, (n for n, _ in held), now_ms),
        "held_cases": tuple(ladder_case(world, n, s.case, now_ms) for n, s in held if s.case),
        "open_cases": left["open_cases"],
        "visitors": left["visitors"],
    }


def _named(world: World, offer: OpenOffer, now_ms: int) -> r.OfferLine:
    line = offer_line(world, offer)
    return replace(line, lines=lines_of(world, line.children, now_ms))


def _shift_returned(world: World, shift: Shift) -> r.ShiftReturnLine | None:
    """The last offer of this watch, if it ended and the giver still has it."""
    mine = [one for one in world.campus.shift_offers.values() if one.gate == shift.gate and one.giver == shift.guard]
    last = max(mine, key=lambda one: one.at_ms, default=None)
    ended_ms = world.campus.shift_ends.get(last.id) if last else None
    if last is None or ended_ms is None or shift.since_ms > last.at_ms:
        return None
    lapsed = ended_ms - last.at_ms >= world.rules.offer_lapse_ms
    taker = world.directory.name_of(last.taker)
    return r.ShiftReturnLine(giver=last.giver, taker_name=taker, how="lapsed" if lapsed else "declined", at_ms=ended_ms)


def _undoable(world: World, state: ChildState, gate: str) -> bool:
    body = state.released_entry.body if state.released_entry else {}
    point = world.rules.access_points.get(str(body.get("access_point", "")))
    return state.before is not None and bool(body.get("guard")) and point is not None and point.gate == gate


def _undo(world: World, child: int, state: ChildState, now_ms: int) -> r.UndoLine:
    assert state.released_entry is not None
    entry = state.released_entry
    return r.UndoLine(
        release=str(entry.id),
        line=child_line(world, child, now_ms),
        guard=entry.body["guard"],
        until_ms=state.released_ms + world.rules.undo_ms,
    )


def _shift_offer(world: World, offered: OpenShift, now_ms: int) -> r.ShiftOfferLine:
    gate, offer = world.rules.gates.get(offered.gate), world.campus.offers.get(offered.handover)
    return r.ShiftOfferLine(
        shift=offered.id,
        gate=offered.gate,
        gate_name=gate.name if gate else offered.gate,
        giver=offered.giver,
        giver_name=world.directory.name_of(offered.giver),
        taker=offered.taker,
        taker_name=world.directory.name_of(offered.taker),
        offered_ms=offered.at_ms,
        lapses_ms=offered.at_ms + world.rules.offer_lapse_ms,
        on_site=offered.on_site,
        open_cases=offered.open_cases,
        visitors=offered.visitors,
        children=lines_of(world, world.campus.open_children(offer) if offer else (), now_ms),
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


def _by_pass(world: World, request: Request, child: int, gate: str, now_ms: int, trusted: bool) -> r.PickupLine:
    """The child whom a pass names, and what is asked of the guard now: the list may have aged since the pass was read."""
    verdict = passes.for_release(world, request.pass_id, child, gate=gate, now_ms=now_ms, trusted=trusted)
    return r.PickupLine(
        line=child_line(world, child, now_ms), relation=request.relation, outcome=verdict.outcome.value,
        reason=verdict.reason.value, needs=verdict.needs, right=right_line(world, child, gate, trusted),
    )  # fmt: skip


def _face(world: World, request: Request) -> FaceLine | None:
    """What the camera made of whoever stands there, and whom the guard may compare by eye."""
    said = world.campus.faces.get(request.id)
    if said is None:
        return None
    near = [world.directory.pupils[child] for child, _ in said[1].found if child in world.directory.pupils]
    classes = world.directory.classes
    return FaceLine(
        verdict=said[1].verdict,
        candidates=tuple(
            CandidateLine(
                child=p.number, name=p.name, has_photo=p.has_photo,
                class_name=classes[p.class_id].name if p.class_id in classes else "",
            )
            for p in near
        ),
    )  # fmt: skip


def _queue_item(world: World, request: Request, gate: str, now_ms: int, trusted: bool) -> r.QueueItem:
    directory, point = world.directory, world.rules.access_points.get(request.access_point)
    adult, outside = directory.collectors.get(request.person), directory.outside.get(request.person)
    delegate = world.delegate_name(request.pass_id)
    children: tuple[r.PickupLine, ...]
    if adult is not None and request.reason in NO_PROOF:
        children = ()  # whoever holds this card is not shown whom it could collect
    elif adult is not None:
        children = tuple(
            pickup_line(world, a.child, adult.number, gate, now_ms, trusted) for a in directory.children_of.get(adult.number, ())
        )
    elif request.kind == "pass":
        children = tuple(_by_pass(world, request, n, gate, now_ms, trusted) for n in request.children)
    else:
        children = tuple(
            r.PickupLine(
                line=child_line(world, n, now_ms), relation="", outcome=request.outcome, reason=request.reason, needs=(),
                right=right_line(world, n, gate, trusted) if request.reason in _OF_THE_RIGHT else None,
            )
            for n in request.children
        )
    return r.QueueItem(
        id=request.id,
        kind=request.kind,
        at_ms=request.at_ms,
        access_point=request.access_point,
        access_point_name=point.name if point else request.access_point,
        person=request.person or None,
        name=directory.name_of(request.person) if request.person else delegate,
        organisation=adult.organisation if adult else outside.organisation if outside else "",
        lacks=missing(world, request.person) if outside else (),
        phone_tail=adult.phone[-4:] if adult else "",
        outcome=request.outcome,
        reason=request.reason,
        children=children,
        restricted=request.reason == "collector_restricted",
        snapshot=request.snapshot,
        has_photo=adult.has_photo if adult else any(c.line.has_photo for c in children),
        pass_id=request.pass_id,
        pass_name=delegate,
        pass_relation=request.relation,
        pass_id_last4=request.id_last4,
        assurance=request.assurance,
        face=_face(world, request),
    )
