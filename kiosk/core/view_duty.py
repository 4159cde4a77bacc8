"""The picture for the duty leader: every open case with its clock, places, devices, what keeps the day open."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from kiosk.core import roster as r
from kiosk.core.campus_parts import Alarm
from kiosk.core.card_book import CLONED
from kiosk.core.child import Conflict, LadderState, Search
from kiosk.core.close_of_day import clear_blockers
from kiosk.core.closing import unclosed
from kiosk.core.custody import Collection
from kiosk.core.entries import Entry
from kiosk.core.escalation import next_due_ms
from kiosk.core.passage import ON_CAMPUS
from kiosk.core.stream_book import CLONED_DEVICE, ROLLED_BACK
from kiosk.core.view_discrepancies import discrepancies, plain_case
from kiosk.core.view_parts import (
    bar,
    child_line,
    device_line,
    escort_line,
    group_line,
    guardians,
    offer_line,
    relation,
    search_line,
    shift_line,
)
from kiosk.core.world import World


def duty(world: World, query: r.DutyQuery, now_ms: int, trusted: bool) -> r.DutyView:
    live = list(world.campus.on_campus())
    cases = [ladder_case(world, n, s.case, now_ms) for n, s in live if s.case]
    cases += [_conflict_case(world, conflict, now_ms) for conflict in world.campus.conflicts()]
    cases += [_alarm_case(world, alarm, now_ms) for alarm in world.campus.open_alarms()]
    cases += [_search_case(world, n, s.search, now_ms) for n, s in live if s.search]
    cases += discrepancies(world, now_ms)
    cases.sort(key=lambda case: case.next_due_ms or case.opened_ms)
    blockers = clear_blockers(world)
    today = [s for s in world.campus.children.values() if s.day == world.day]
    by_collection = Counter(world.collection_of(n, now_ms).value for n, _ in live)
    cleared = world.campus.cleared
    return r.DutyView(
        cases=tuple(cases),
        on_campus=len(live),
        by_place=tuple(Counter(s.place or ON_CAMPUS for _, s in live).most_common()),
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
        escorts=tuple(escort_line(world, e, now_ms) for e in world.campus.escorts()),
        groups=tuple(group_line(world, g, now_ms) for g in world.campus.groups()),
        shifts=tuple(line for gate in world.rules.gates if (line := shift_line(world, gate)) is not None),
        unwatched=tuple((gate.id, gate.name) for gate in world.rules.gates.values() if world.campus.shift(gate.id) is None),
        unclosed=len(unclosed(world, now_ms)),
        lock_month=_lockable(world),
        boarders=sum(1 for _, s in live if s.dormitory),
    )


def _lockable(world: World) -> str:
    first = world.book.day.date.replace(day=1)
    month = (first - timedelta(days=1)).isoformat()[:7]
    return "" if month in world.campus.service.locked else month


def ladder_case(world: World, child: int, case: LadderState, now_ms: int) -> r.CaseLine:
    """A child who has not been collected: how far the ladder is, who was told, whom to call."""
    rung = world.rules.ladder[min(case.rung, len(world.rules.ladder) - 1)]
    calls = tuple(
        r.CallLine(
            at_ms=call.at_ms,
            by_name=world.directory.name_of(call.by),
            guardian=call.guardian,
            guardian_name=world.directory.name_of(call.guardian),
            relation=relation(world, child, call.guardian),
            result=call.result,
            eta_ms=call.eta_ms,
            channel=call.channel,
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
        adults=rung.adults,
        second_name=world.directory.name_of(case.second) if case.second else "",
    )


def _conflict_case(world: World, conflict: Any, now_ms: int) -> r.CaseLine:
    if conflict.kind == CLONED:
        return _cloned_case(world, conflict, now_ms)
    if conflict.kind in (ROLLED_BACK, CLONED_DEVICE):
        node = world.campus.streams.node_of(conflict)
        gate = world.rules.gates.get(node)
        return plain_case(world, conflict.kind, conflict.case, 0, conflict.at_ms, gate.name if gate else node, now_ms)
    if conflict.kind == "double_release":
        return _double_case(world, conflict, now_ms)
    detail = " · ".join(conflict.entries)
    return plain_case(world, conflict.kind, conflict.case, conflict.child, conflict.at_ms, detail, now_ms)


def _double_case(world: World, conflict: Conflict, now_ms: int) -> r.CaseLine:
    """Every side of it. As urgent as a child who is looked for: nobody knows yet with whom it went."""
    leader = world.rules.duty_leader
    return replace(
        plain_case(world, conflict.kind, conflict.case, conflict.child, conflict.at_ms, "", now_ms),
        sides=tuple(_side(world, conflict.child, entry) for entry in world.campus.named_in(conflict)),
        owner_name=world.directory.name_of(leader) if leader is not None and leader in world.directory.staff else "",
        next_due_ms=conflict.at_ms + world.rules.locate_limit_ms,
    )


def _side(world: World, child: int, entry: Entry) -> r.SideLine:
    body, name_of = entry.body, world.directory.name_of
    point = world.rules.access_points.get(body.get("access_point", ""))
    gate = world.rules.gates.get(point.gate) if point else None
    pupil = world.directory.pupils.get(child)
    school_class = world.directory.classes.get(pupil.class_id) if pupil else None
    return r.SideLine(
        entry=str(entry.id),
        at_ms=entry.happened_ms,
        doubted=entry.clock == "untrusted",
        node=entry.id.node,
        gate_name=gate.name if gate else entry.id.node,
        home=bool(gate and school_class and gate.id == school_class.release_gate),
        mode=str(body.get("mode", "")),
        guard_name=name_of(body["guard"]) if body.get("guard") else "",
        second_name=name_of(body["second"]) if body.get("second") else "",
        to_name=name_of(body["collector"]) if body.get("collector") else "",
        relation=str(body.get("relation", "")),
        id_last4=str(body.get("id_last4", "")),
    )


def _cloned_case(world: World, conflict: Any, now_ms: int) -> r.CaseLine:
    """Whose card it is, and where it was both times."""
    holder = conflict.child
    points = [world.rules.access_points.get(point) for point, _ in world.campus.cards.points_of(conflict)]
    names = [point.name for point in points if point is not None]
    detail = " · ".join([world.directory.name_of(holder), *names])
    return plain_case(
        world, conflict.kind, conflict.case, holder if holder in world.directory.pupils else 0, conflict.at_ms, detail, now_ms
    )


def _alarm_case(world: World, alarm: Alarm, now_ms: int) -> r.CaseLine:
    """Who came, and where; with the child whom it is about, or the holder of a lost card."""
    about = [n for n in (*alarm.children, alarm.person) if n in world.directory.pupils]
    point = world.rules.access_points.get(alarm.access_point) or world.rules.gates.get(alarm.access_point)
    who = world.directory.name_of(alarm.person) if alarm.person else ""
    detail = " · ".join(part for part in (who, point.name if point else alarm.access_point) if part)
    return plain_case(world, alarm.kind, alarm.case, about[0] if about else 0, alarm.at_ms, detail, now_ms)


def _search_case(world: World, child: int, search: Search, now_ms: int) -> r.CaseLine:
    kind = "incident" if search.incident_ms else "locate"
    plain = plain_case(world, kind, search.case, child, search.opened_ms, "", now_ms)
    found = search_line(world, child, search, now_ms)
    due_ms = None if search.incident_ms else search.due_ms
    return replace(plain, search=found, owner_name=found.owner_name, next_due_ms=due_ms)
