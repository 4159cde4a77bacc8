"""Answers to the pages' queries: read-only pictures of the world at one moment, as frozen values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from kiosk.core import roster as r
from kiosk.core.acts import clear_blockers
from kiosk.core.campus import OpenOffer, Request
from kiosk.core.child import PRESENT_MARKS, ChildState, LadderState
from kiosk.core.custody import Collection
from kiosk.core.escalation import next_due_ms
from kiosk.core.handover import expected, takeable
from kiosk.core.people import Authorisation, Pupil, Role
from kiosk.core.pickup import may_collect, restricted
from kiosk.core.rules import AccessKind
from kiosk.core.timetable import SessionTime
from kiosk.core.world import LINK_FRESH_MS, World

QUEUE_SHOWN = 30  # newest requests on the guard's page


def view(world: World, query: Any, now_ms: int, trusted: bool) -> Any:
    """The answer to one query; its type is the query's counterpart in `kiosk.core.roster`."""
    return _VIEWS[type(query)](world, query, now_ms, trusted)


# --- parts -------------------------------------------------------------------------------------------


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


# --- display -------------------------------------------------------------------------------------------


def display(world: World, query: r.DisplayQuery, now_ms: int, trusted: bool) -> r.DisplayView:
    point = world.rules.access_points[query.access_point]
    gate = world.rules.gates.get(point.gate)
    name, from_ms, to_ms = _window(world, point.kind, point.room, now_ms)
    emergency = world.campus.emergency
    mine = [d for n, d in world.devices.items() if n.startswith(point.id)]
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


# --- guard ---------------------------------------------------------------------------------------------


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
        recent=(),
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


def pickup_line(world: World, child: int, collector: int, gate: str, now_ms: int, trusted: bool) -> r.PickupLine:
    verdict = may_collect(world, child=child, collector=collector, gate=gate, now_ms=now_ms, trusted=trusted)
    return r.PickupLine(
        line=child_line(world, child, now_ms),
        relation=verdict.relation,
        outcome=verdict.outcome.value,
        reason=verdict.reason.value,
        needs=verdict.needs,
    )


# --- roster --------------------------------------------------------------------------------------------


def one_roster(world: World, query: r.RosterQuery, now_ms: int, trusted: bool) -> r.RosterView:
    kind, _, key = query.roster.partition(":")
    belong = set(expected(world, query.roster))
    present_guests = {
        n for n, s in world.campus.on_campus() if kind == "session" and s.session == key and n not in belong
    }
    title, room, teacher, times = _heading(world, kind, key)
    rows = [_row(world, query.roster, n, n in belong, teacher, now_ms) for n in belong | present_guests]
    rows.sort(key=lambda row: (row.missing_since_ms is None, *_seat_order(world, row.line.child)))
    called = max((s.marks[query.roster][1] for s in map(world.campus.child, belong) if query.roster in s.marks), default=0)
    offers = world.campus.open_offers()
    excused = sum(1 for row in rows if row.mark in ("leave_sick", "leave_personal") or (row.expected and world.campus.child(row.line.child).excused))
    start_ms = times.start_ms if times else None
    return r.RosterView(
        roster=query.roster,
        kind=kind,
        title=title,
        room=room,
        teacher=teacher,
        teacher_name=world.directory.name_of(teacher) if teacher else "",
        start_ms=start_ms,
        end_ms=times.end_ms if times else None,
        expected=len(belong),
        present=sum(1 for row in rows if row.here),
        missing=sum(1 for row in rows if row.expected and not row.here),
        excused=excused,
        roll_called_ms=called or None,
        roll_due_ms=start_ms + world.rules.roll_due_ms if start_ms else None,
        rows=tuple(rows),
        incoming=tuple(offer_line(world, o) for o in offers if o.taker == teacher),
        outgoing=tuple(offer_line(world, o) for o in offers if o.giver == teacher),
        takeable=takeable(world, query.roster, teacher),
        next_takers=_next_takers(world, kind, key, teacher, now_ms),
        bar=bar(world, None, now_ms, trusted),
    )


def _heading(world: World, kind: str, key: str) -> tuple[str, str, int, SessionTime | None]:
    """Title, room, teacher and times of a roster; blank for one that does not exist."""
    if kind == "class":
        school_class = world.directory.classes.get(key)
        if school_class is None:
            return key, "", 0, None
        return school_class.name, school_class.room, school_class.teacher or 0, None
    session = world.directory.sessions.get(key)
    if session is None:
        return key, "", 0, None
    return session.name, session.room, session.teacher, world.book.session_times.get(key)


def _seat_order(world: World, child: int) -> tuple[int, str]:
    pupil = world.directory.pupils.get(child)
    return (pupil.seat, pupil.pinyin) if pupil else (0, "")


def _row(world: World, roster: str, child: int, belongs: bool, teacher: int, now_ms: int) -> r.RosterRow:
    state = world.campus.child(child)
    kind, _, key = roster.partition(":")
    mark = state.marks.get(roster, ("", 0))[0] if state.day == world.day else ""
    in_place = state.session == key if kind == "session" else state.hold.live and not state.session
    here = state.hold.live and (mark in PRESENT_MARKS or (in_place and not mark))
    away = belongs and state.hold.live and not here
    offer = world.campus.offers.get(state.hold.handover) if state.hold.handover else None
    return r.RosterRow(
        line=child_line(world, child, now_ms),
        mark=mark or ((state.excused or "") if belongs else ""),
        here=here,
        expected=belongs,
        missing_since_ms=(state.last_seen_ms or None) if away else None,
        held_by_me=state.hold.custodian == teacher and bool(teacher),
        offered_to=world.directory.name_of(offer.taker) if offer else "",
    )


def _next_takers(world: World, kind: str, key: str, teacher: int, now_ms: int) -> tuple[tuple[str, int, str], ...]:
    """Whom this group may be handed to next: the extended-care teacher, the duty leader."""
    found, seen = [], {teacher}
    for session in world.directory.sessions.values():
        if session.kind == "extended_care" and session.teacher not in seen:
            found.append(("to_extended_care", session.teacher, f"{session.name} · {world.directory.name_of(session.teacher)}"))
            seen.add(session.teacher)
    for staff in world.directory.staff.values():
        if Role.DUTY_LEADER in staff.roles and staff.number not in seen:
            found.append(("to_duty", staff.number, staff.name))
            seen.add(staff.number)
    return tuple(found)


def roster_list(world: World, query: r.RosterListQuery, now_ms: int, trusted: bool) -> r.RosterListView:
    """One's own rosters first, then by time and name."""
    keys = [f"class:{n}" for n in world.directory.classes] + [f"session:{n}" for n in world.book.session_times]
    links = []
    for key in keys:
        kind, _, name = key.partition(":")
        title, room, teacher, times = _heading(world, kind, name)
        belong = expected(world, key)
        links.append(
            r.RosterLink(
                roster=key,
                title=title,
                room=room,
                teacher_name=world.directory.name_of(teacher) if teacher else "",
                start_ms=times.start_ms if times else None,
                end_ms=times.end_ms if times else None,
                expected=len(belong),
                present=sum(1 for n in belong if world.campus.child(n).hold.live),
                mine=query.staff is not None and teacher == query.staff,
            )
        )
    links.sort(key=lambda link: (not link.mine, link.start_ms or 0, link.title))
    return r.RosterListView(rosters=tuple(links), bar=bar(world, None, now_ms, trusted))


# --- duty ----------------------------------------------------------------------------------------------


def duty(world: World, query: r.DutyQuery, now_ms: int, trusted: bool) -> r.DutyView:
    live = list(world.campus.on_campus())
    cases = [_case(world, n, s.case, now_ms) for n, s in live if s.case]
    cases += [_conflict_case(world, conflict, now_ms) for conflict in world.campus.conflicts()]
    cases += [_roll_case(world, n, s, now_ms) for n, s in live if _absent_but_in_school(s)]
    cases.sort(key=lambda case: case.next_due_ms or case.opened_ms)
    blockers = clear_blockers(world)
    today = [s for s in world.campus.children.values() if s.day == world.day]
    by_collection = Counter(world.collection_of(n, now_ms).value for n, _ in live)
    cleared = world.campus.cleared
    return r.DutyView(
        cases=tuple(cases),
        on_campus=len(live),
        by_place=tuple(Counter(s.place or "校园" for _, s in live).most_common()),
        by_collection=tuple((c.value, by_collection.get(c.value, 0)) for c in Collection),
        arrived_today=sum(1 for s in today if s.arrived_ms),
        released_today=sum(1 for s in today if s.released_ms),
        expected_today=sum(1 for d in world.book.pupils.values() if d.teaching),
        open_offers=tuple(offer_line(world, o) for o in world.campus.open_offers()),
        devices=tuple(device_line(world, name) for name in sorted(world.devices)),
        can_clear=not blockers,
        clear_blockers=blockers,
        cleared_ms=cleared.at_ms if cleared and cleared.day == world.day else None,
        bar=bar(world, None, now_ms, trusted),
    )


def _absent_but_in_school(state: ChildState) -> bool:
    """A teacher says absent, the gate says in school: somebody must look for the child now."""
    latest = max(state.marks.values(), key=lambda mark: mark[1], default=("", 0))
    return latest[0] == "absent_unexplained" and state.last_seen_ms <= latest[1]


def _case(world: World, child: int, case: LadderState, now_ms: int) -> r.CaseLine:
    rung = world.rules.ladder[min(case.rung, len(world.rules.ladder) - 1)]
    calls = tuple(
        r.CallLine(
            at_ms=call.at_ms,
            by_name=world.directory.name_of(call.by),
            guardian=call.guardian,
            guardian_name=world.directory.name_of(call.guardian),
            relation=_relation(world, child, call.guardian),
            result=call.result,
            eta_ms=call.eta_ms,
        )
        for call in case.calls
    )
    return r.CaseLine(
        case=case.case,
        kind="uncollected",
        line=child_line(world, child, now_ms),
        opened_ms=case.opened_ms,
        t0_ms=case.t0_ms,
        rung=case.rung,
        state=rung.state,
        do=rung.do,
        do_en=rung.do_en,
        told=rung.tell,
        next_due_ms=next_due_ms(world.rules, case, case.t0_ms),
        acknowledged_by=world.directory.name_of(case.acknowledged_by) if case.acknowledged_by else "",
        acknowledged_ms=case.acknowledged_ms or None,
        eta_ms=case.eta_ms or None,
        calls=calls,
        guardians=guardians(world, child),
        detail="",
    )


def _plain_case(world: World, kind: str, case: str, child: int, at_ms: int, detail: str, now_ms: int) -> r.CaseLine:
    return r.CaseLine(
        case=case, kind=kind, line=child_line(world, child, now_ms), opened_ms=at_ms, t0_ms=at_ms, rung=0, state=kind,
        do="", do_en="", told=("duty_leader",), next_due_ms=None, acknowledged_by="", acknowledged_ms=None, eta_ms=None,
        calls=(), guardians=guardians(world, child), detail=detail,
    )  # fmt: skip


def _conflict_case(world: World, conflict: Any, now_ms: int) -> r.CaseLine:
    detail = " · ".join(conflict.entries)
    return _plain_case(world, conflict.kind, conflict.case, conflict.child, conflict.at_ms, detail, now_ms)


def _roll_case(world: World, child: int, state: ChildState, now_ms: int) -> r.CaseLine:
    at_ms = max(mark[1] for mark in state.marks.values())
    return _plain_case(world, "roll_discrepancy", f"roll:{child}:{state.day}", child, at_ms, state.last_point, now_ms)


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


def _relation(world: World, child: int, adult: int) -> str:
    return next((a.relation for a in world.directory.collectors_of.get(child, ()) if a.collector == adult), "")


# --- look-up -------------------------------------------------------------------------------------------


def one_child(world: World, query: r.ChildQuery, now_ms: int, trusted: bool) -> r.ChildView:
    listed: tuple[Authorisation, ...] = world.directory.collectors_of.get(query.child, ())
    pupil = world.directory.pupils.get(query.child)
    school_class = world.directory.classes.get(pupil.class_id) if pupil else None
    gate = school_class.release_gate if school_class else ""
    people = world.directory.collectors
    adults = tuple(
        r.CollectorLine(
            collector=a.collector, name=people[a.collector].name, relation=a.relation, guardian=a.guardian,
            phone=people[a.collector].phone, has_photo=people[a.collector].has_photo,
            valid_to=a.valid_to.isoformat() if a.valid_to else "",
        )  # fmt: skip
        for a in sorted(listed, key=lambda a: a.order)
        if a.collector in people
    )
    return r.ChildView(
        line=child_line(world, query.child, now_ms),
        collectors=tuple(pickup_line(world, query.child, a.collector, gate, now_ms, trusted) for a in adults),
        adults=adults,
        today=tuple(world.campus.history(query.child, world.day)),
    )


def search(world: World, query: r.SearchQuery, now_ms: int, trusted: bool) -> r.SearchView:
    """Names, pinyin and initials by prefix or part; a class name or school number exactly."""
    wanted = query.text.strip().lower()
    hits: list[r.SearchHit] = []
    if not wanted:
        return r.SearchView(text=query.text, hits=())
    directory = world.directory
    for pupil in directory.pupils.values():
        if len(hits) >= query.limit:
            break
        if _matches(pupil, wanted) or wanted == pupil.school_number.lower():
            school_class = directory.classes.get(pupil.class_id)
            line = child_line(world, pupil.number, now_ms)
            hits.append(r.SearchHit(kind="pupil", number=pupil.number, name=pupil.name, where=school_class.name if school_class else "", line=line))
    for adult in directory.collectors.values():
        if len(hits) >= query.limit:
            break
        if _matches(adult, wanted):
            children = ", ".join(directory.name_of(a.child) for a in directory.children_of.get(adult.number, ()))
            hits.append(r.SearchHit(kind="collector", number=adult.number, name=adult.name, where=children, line=None))
    return r.SearchView(text=query.text, hits=tuple(hits))


def _matches(person: Pupil | Any, wanted: str) -> bool:
    flat = person.pinyin.replace(" ", "").lower()
    return wanted in person.name.lower() or flat.startswith(wanted.replace(" ", "")) or person.initials.startswith(wanted)


_VIEWS: dict[type, Callable[[World, Any, int, bool], Any]] = {
    r.BarQuery: bar,
    r.DisplayQuery: display,
    r.GuardQuery: guard,
    r.RosterQuery: one_roster,
    r.RosterListQuery: roster_list,
    r.DutyQuery: duty,
    r.ChildQuery: one_child,
    r.SearchQuery: search,
}
