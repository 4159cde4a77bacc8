"""The parts that several pages show alike: the bar, a child, an offer, a pickup, the guardians to call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiosk.core import roster as r
from kiosk.core.campus_parts import Escort, GroupOut, OpenOffer
from kiosk.core.child import Search
from kiosk.core.pickup import may_collect, restricted
from kiosk.core.view_tokens import right_line
from kiosk.core.world import LINK_FRESH_MS, World


def bar(world: World, query: Any, now_ms: int, trusted: bool) -> r.Bar:
    link, day, emergency = world.link, world.book.day, world.campus.emergency
    online = link.last_contact_ms is not None and now_ms - link.last_contact_ms < LINK_FRESH_MS
    down = [device_line(world, name) for name, d in world.devices.items() if d.health in ("down", "misconfigured")]
    unseen = [gate for gate, seen_ms in link.peers.items() if now_ms - seen_ms > LINK_FRESH_MS]
    behind = [gate for gate in link.peers if gate in link.behind and gate not in unseen]
    return r.Bar(
        node=world.rules.node,
        school=world.rules.public_name,
        now_ms=now_ms,
        clock_trusted=trusted,
        online=online or not link.configured,
        last_contact_ms=link.last_contact_ms,
        waiting=link.waiting,
        directory_number=world.directory.number,
        directory_made_ms=world.directory.made_at_ms,
        freshness=world.freshness(now_ms, trusted),
        unseen_gates=_gate_names(world, unseen),
        behind_gates=_gate_names(world, behind),
        devices_down=tuple(down),
        calendar_unverified=day.calendar_unverified,
        day_note=day.warning or day.note,
        emergency="" if emergency is None else "drill" if emergency.drill else "emergency",
        can_save=world.can_save,
        disk=world.disk.level,
        disk_percent=world.disk.used_percent,
        hold=tuple(sorted(_class_name(world, child) for _, child, _ in world.campus.lost())),
    )


def _gate_names(world: World, gates: Iterable[str]) -> tuple[str, ...]:
    """In the order of the settings; computers that are no gate, such as the office's, are left out."""
    named = set(gates)
    return tuple(gate.name for gate in world.rules.gates.values() if gate.id in named)


def _class_name(world: World, child: int) -> str:
    pupil = world.directory.pupils.get(child)
    school_class = world.directory.classes.get(pupil.class_id) if pupil else None
    return school_class.name if school_class else ""


def device_line(world: World, name: str) -> r.DeviceLine:
    device = world.devices[name]
    return r.DeviceLine(name=name, health=device.health, why=device.why, since_ms=device.since_ms)


def child_line(world: World, child: int, now_ms: int) -> r.ChildLine:
    pupil, state = world.directory.pupils.get(child), world.campus.child(child)
    windows = world.pupil_day(child)
    name, school_class = world.directory.name_of(child), None
    if pupil is not None:
        school_class = world.directory.classes.get(pupil.class_id)
    running = world.session_now(child, now_ms)
    in_lessons = windows is not None and windows.teaching and now_ms < windows.dismissal_ms
    session = world.directory.sessions.get(running.session) if running else None
    return r.ChildLine(
        child=child,
        name=name,
        class_name=school_class.name if school_class else "",
        seat=pupil.seat if pupil else 0,
        school_number=pupil.school_number if pupil else "",
        on_campus=state.hold.live,
        place=state.place if state.hold.live else "",
        custodian=state.hold.custodian or None,
        custodian_name=world.directory.name_of(state.hold.custodian) if state.hold.custodian else "",
        collection=world.collection_of(child, now_ms).value,
        last_seen_ms=state.last_seen_ms or None,
        now_in=session.name if session else ("lessons" if in_lessons else ""),
        ends_ms=running.end_ms if running else (windows.dismissal_ms if windows and in_lessons else None),
        release_opens_ms=windows.release_opens_ms if windows else None,
        leaves_alone=bool(pupil and pupil.leaves_alone and not world.low_grade(pupil)),
        has_photo=bool(pupil and pupil.has_photo),
    )


def offer_line(world: World, offer: OpenOffer) -> r.OfferLine:
    children = world.campus.open_children(offer)
    return r.OfferLine(
        handover=offer.id,
        kind=offer.kind,
        giver=offer.giver,
        giver_name=world.directory.name_of(offer.giver),
        taker=offer.taker,
        taker_name=world.directory.name_of(offer.taker),
        place=offer.place,
        expected=len(children),
        offered_ms=offer.at_ms,
        lapses_ms=offer.at_ms + world.rules.offer_lapse_ms,
        children=children,
    )


def lines_of(world: World, children: Iterable[int], now_ms: int) -> tuple[r.ChildLine, ...]:
    return tuple(child_line(world, child, now_ms) for child in children)


def escort_line(world: World, escort: Escort, now_ms: int) -> r.EscortLine:
    gate = world.rules.gates.get(escort.gate)
    with_it = [child for child in escort.children if world.campus.child(child).escort == escort.id]
    return r.EscortLine(
        escort=escort.id,
        teacher=escort.teacher,
        teacher_name=world.directory.name_of(escort.teacher),
        gate=escort.gate,
        gate_name=gate.name if gate else escort.gate,
        departed_ms=escort.departed_ms,
        due_ms=escort.departed_ms + world.rules.escort_limit_ms,
        children=lines_of(world, with_it, now_ms),
    )


def group_line(world: World, group: GroupOut, now_ms: int) -> r.GroupLine:
    with_it = [child for child in group.children if world.campus.child(child).group == group.id]
    return r.GroupLine(
        group=group.id,
        teacher=group.teacher,
        teacher_name=world.directory.name_of(group.teacher),
        venue=group.venue,
        out_ms=group.out_ms,
        children=lines_of(world, with_it, now_ms),
    )


def shift_line(world: World, gate: str) -> r.ShiftLine | None:
    shift = world.campus.shift(gate)
    if shift is None:
        return None
    return r.ShiftLine(
        guard=shift.guard,
        guard_name=world.directory.name_of(shift.guard),
        since_ms=shift.since_ms,
        gate=gate,
        gate_name=world.rules.gates[gate].name if gate in world.rules.gates else gate,
    )


def search_line(world: World, child: int, search: Search, now_ms: int) -> r.SearchLine:
    name_of = world.directory.name_of
    point = world.rules.access_points.get(search.last_place)
    return r.SearchLine(
        line=child_line(world, child, now_ms),
        why=search.why,
        opened_ms=search.opened_ms,
        due_ms=search.due_ms,
        owner_name=name_of(search.owner) if search.owner else "",
        last_place=point.name if point else search.last_place,
        last_adult_name=name_of(search.last_adult) if search.last_adult else "",
        last_seen_ms=search.last_seen_ms,
        incident_ms=search.incident_ms or None,
    )


def pickup_line(world: World, child: int, collector: int, gate: str, now_ms: int, trusted: bool) -> r.PickupLine:
    verdict = may_collect(world, child=child, collector=collector, gate=gate, now_ms=now_ms, trusted=trusted)
    return r.PickupLine(
        line=child_line(world, child, now_ms),
        relation=verdict.relation,
        outcome=verdict.outcome.value,
        reason=verdict.reason.value,
        needs=verdict.needs,
        right=right_line(world, child, gate, trusted),
    )


def guardians(world: World, child: int) -> tuple[r.GuardianLine, ...]:
    """Whom to call, in order. Never anybody with a restriction in force."""
    listed = sorted(
        (a for a in world.directory.collectors_of.get(child, ()) if a.guardian), key=lambda a: a.order
    )
    people = world.directory.collectors
    return tuple(
        r.GuardianLine(guardian=a.collector, name=people[a.collector].name, relation=a.relation, phone=people[a.collector].phone)
        for a in listed
        if a.collector in people and not restricted(world, child, a.collector)
    )


def relation(world: World, child: int, adult: int) -> str:
    return next((a.relation for a in world.directory.collectors_of.get(child, ()) if a.collector == adult), "")
