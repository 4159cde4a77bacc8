"""The picture for the duty leader: every open case with its clock, places, devices, what keeps the day open."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kiosk.core import roster as r
from kiosk.core.acts import clear_blockers
from kiosk.core.campus import Alarm
from kiosk.core.child import ChildState, LadderState
from kiosk.core.custody import Collection
from kiosk.core.escalation import next_due_ms
from kiosk.core.passage import ON_CAMPUS
from kiosk.core.view_parts import bar, child_line, device_line, guardians, offer_line, relation
from kiosk.core.world import World


def duty(world: World, query: r.DutyQuery, now_ms: int, trusted: bool) -> r.DutyView:
    live = list(world.campus.on_campus())
    cases = [_case(world, n, s.case, now_ms) for n, s in live if s.case]
    cases += [_conflict_case(world, conflict, now_ms) for conflict in world.campus.conflicts()]
    cases += [_alarm_case(world, alarm, now_ms) for alarm in world.campus.open_alarms()]
    cases += [_roll_case(world, n, s, now_ms) for n, s in live if _absent_but_in_school(s)]
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
            relation=relation(world, child, call.guardian),
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
        case=case, kind=kind, line=child_line(world, child, now_ms) if child else None,
        opened_ms=at_ms, t0_ms=at_ms, rung=0, state=kind,
        do="", do_en="", told=("duty_leader",), next_due_ms=None, acknowledged_by="", acknowledged_ms=None, eta_ms=None,
        calls=(), guardians=guardians(world, child), detail=detail,
    )  # fmt: skip


def _conflict_case(world: World, conflict: Any, now_ms: int) -> r.CaseLine:
    detail = " · ".join(conflict.entries)
    return _plain_case(world, conflict.kind, conflict.case, conflict.child, conflict.at_ms, detail, now_ms)


def _alarm_case(world: World, alarm: Alarm, now_ms: int) -> r.CaseLine:
    """Who came, and where; with the child whom it is about, or the holder of a lost card."""
    about = [n for n in (*alarm.children, alarm.person) if n in world.directory.pupils]
    point = world.rules.access_points.get(alarm.access_point)
    detail = f"{world.directory.name_of(alarm.person)} · {point.name if point else alarm.access_point}"
    return _plain_case(world, alarm.kind, alarm.case, about[0] if about else 0, alarm.at_ms, detail, now_ms)


def _roll_case(world: World, child: int, state: ChildState, now_ms: int) -> r.CaseLine:
    at_ms = max(mark[1] for mark in state.marks.values())
    return _plain_case(world, "roll_discrepancy", f"roll:{child}:{state.day}", child, at_ms, state.last_point, now_ms)
