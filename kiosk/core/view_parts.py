"""The parts that several pages show alike: the bar, a child, an offer, a pickup, the guardians to call."""

from __future__ import annotations

from typing import Any

from kiosk.core import roster as r
from kiosk.core.campus import OpenOffer
from kiosk.core.pickup import may_collect, restricted
from kiosk.core.world import LINK_FRESH_MS, World


def bar(world: World, query: Any, now_ms: int, trusted: bool) -> r.Bar:
    link, day, emergency = world.link, world.book.day, world.campus.emergency
    online = link.last_contact_ms is not None and now_ms - link.last_contact_ms < LINK_FRESH_MS
    down = [device_line(world, name) for name, d in world.devices.items() if d.health in ("down", "misconfigured")]
    unseen = [g.name for g in world.rules.gates.values() if g.id in link.peers and now_ms - link.peers[g.id] > LINK_FRESH_MS]
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
        unseen_gates=tuple(unseen),
        devices_down=tuple(down),
        calendar_unverified=day.calendar_unverified,
        day_note=day.warning or day.note,
        emergency="" if emergency is None else "drill" if emergency.drill else "emergency",
        can_save=world.can_save,
    )


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


def pickup_line(world: World, child: int, collector: int, gate: str, now_ms: int, trusted: bool) -> r.PickupLine:
    verdict = may_collect(world, child=child, collector=collector, gate=gate, now_ms=now_ms, trusted=trusted)
    return r.PickupLine(
        line=child_line(world, child, now_ms),
        relation=verdict.relation,
        outcome=verdict.outcome.value,
        reason=verdict.reason.value,
        needs=verdict.needs,
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
