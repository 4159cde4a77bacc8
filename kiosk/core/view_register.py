"""门卫登记 as the guard sees it: who is inside, who has left, which pupils came late and which left early."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core import roster_safety as r
from kiosk.core.campus_parts import Visit
from kiosk.core.decisions import Reason
from kiosk.core.entries import Entry, Kind
from kiosk.core.view_parts import bar, child_line, relation
from kiosk.core.world import World

MOST_SHOWN = 200  # of each list


def register(world: World, query: r.RegisterQuery, now_ms: int, trusted: bool) -> r.RegisterView:
    campus, gate = world.campus, world.rules.gates.get(query.gate)
    shift = campus.shift(query.gate)
    since_ms = shift.since_ms if shift else 0
    visits = sorted(campus.visits.values(), key=lambda visit: -visit.in_ms)
    inside = [visit for visit in visits if visit.id not in campus.visit_ends]
    left = [v for v in visits if v.id in campus.visit_ends and v.gate == query.gate and v.day == world.day]
    late, early = _passages(world, query.gate, now_ms)
    staff = sorted(world.directory.staff.values(), key=lambda member: member.pinyin)
    return r.RegisterView(
        gate=query.gate,
        gate_name=gate.name if gate else query.gate,
        inside=tuple(_visit(world, visit, since_ms) for visit in inside[:MOST_SHOWN]),
        today=tuple(_visit(world, visit, since_ms) for visit in left[:MOST_SHOWN]),
        late=tuple(late[:MOST_SHOWN]),
        early=tuple(early[:MOST_SHOWN]),
        hosts=tuple(r.HostLine(staff=s.number, name=s.name, initials=s.initials) for s in staff),
        guard_name=world.directory.name_of(shift.guard) if shift else "",
        bar=bar(world, None, now_ms, trusted),
    )


def _visit(world: World, visit: Visit, since_ms: int) -> r.VisitLine:
    gate, out = world.rules.gates.get(visit.gate), world.campus.visit_ends.get(visit.id)
    return r.VisitLine(
        visit=visit.id,
        gate_name=gate.name if gate else visit.gate,
        purpose=visit.purpose,
        host_name=world.directory.name_of(visit.host) if visit.host else "",
        id_type=visit.id_type,
        id_last4=visit.id_last4,
        in_ms=visit.in_ms,
        out_ms=out[0] if out else None,
        by_name=world.directory.name_of(visit.by),
        note=visit.note,
        earlier_shift=out is None and visit.in_ms < since_ms,
        day=visit.day,
    )


def _passages(world: World, gate: str, now_ms: int) -> tuple[list[r.PassageLine], list[r.PassageLine]]:
    """Late arrivals and early leavers of this gate, newest first."""
    late, early = list[r.PassageLine](), list[r.PassageLine]()
    for child, state in world.campus.children.items():
        if state.day != world.day:
            continue
        for entry in _here(world, child, gate):
            if entry.kind == Kind.ARRIVED and entry.body.get("reason") == Reason.LATE:
                late.append(r.PassageLine(line=child_line(world, child, now_ms), at_ms=entry.at_ms, detail=""))
            elif entry.kind == Kind.RELEASED and _is_early(world, child, entry):
                who = relation(world, child, entry.body.get("collector", 0))
                early.append(r.PassageLine(line=child_line(world, child, now_ms), at_ms=entry.at_ms, detail=who))
    return sorted(late, key=lambda one: -one.at_ms), sorted(early, key=lambda one: -one.at_ms)


def _here(world: World, child: int, gate: str) -> Iterator[Entry]:
    for entry in world.campus.entries_of(child, world.day):
        point = world.rules.access_points.get(str(entry.body.get("access_point", "")))
        if point is not None and point.gate == gate:
            yield entry


def _is_early(world: World, child: int, entry: Entry) -> bool:
    """Gone by a leave slip, or before the child's own day was over."""
    windows = world.pupil_day(child)
    early = windows is not None and windows.teaching and entry.at_ms < windows.dismissal_ms
    return early or entry.body.get("reason") == Reason.LEAVE_SLIP
