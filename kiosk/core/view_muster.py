"""The muster list as people read it: who is not accounted for, first; then class by class. And 待接名单, who still waits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from kiosk.core import roster_safety as r
from kiosk.core.campus_parts import Emergency, Listed
from kiosk.core.custody import Collection
from kiosk.core.emergency import Status, frozen_now, status_of, word_about
from kiosk.core.people import Role
from kiosk.core.view_parts import bar, child_line, guardians
from kiosk.core.world import World

SEARCHED_SHOWN = 60  # as soon as no more than these are missing, they are listed by name with their last place
PHONE_TAIL = 4


def muster(world: World, query: r.MusterQuery, now_ms: int, trusted: bool) -> r.MusterView:
    last = _shown(world)
    emergency = last or frozen_now(world, now_ms)
    state = "none" if last is None else "over" if last.ended_ms else "running"
    rows = [_row(world, emergency, one, status_of(world, emergency, one.child), state) for one in emergency.on_site]
    told = Counter(row.what for row in rows)
    missing = [row for row in rows if row.what == "missing"]
    return r.MusterView(
        state=state,
        drill=emergency.drill,
        since_ms=emergency.since_ms,
        by_name=world.directory.name_of(emergency.by) if emergency.by else "",
        ended_ms=emergency.ended_ms or None,
        expected=len(rows),
        mustered=told["mustered"],
        released=told["released"],
        missing=told["missing"],
        searched=tuple(sorted(missing, key=_where)) if len(missing) <= SEARCHED_SHOWN else (),
        classes=_classes(world, emergency, rows),
        places=_places(rows),
        outside=_outside(world, emergency),
        extra=_extra(world, emergency),
        staff=_staff(world, emergency),
        visitors=_visitors(world, emergency),
        unseen_gates=tuple(world.rules.gates[gate].name for gate in emergency.unseen if gate in world.rules.gates),
        points=world.rules.muster_points,
        bar=bar(world, None, now_ms, trusted),
    )


def _shown(world: World) -> Emergency | None:
    """The emergency that runs, or the last one of today: children are still given back after its end."""
    last = world.campus.emergencies[-1] if world.campus.emergencies else None
    if last is None or (last.ended_ms and last.ended_ms < world.book.start_ms):
        return None
    return last


def _where(row: r.MusterRow) -> tuple[str, str, int]:
    return row.place, row.class_name, row.seat


def _row(world: World, emergency: Emergency, one: Listed, status: Status, state: str) -> r.MusterRow:
    directory = world.directory
    pupil = directory.pupils.get(one.child)
    school_class = directory.classes.get(pupil.class_id) if pupil else None
    word = status.mustered
    point = world.rules.access_points.get(status.hint_point)
    place = world.rules.access_points.get(one.place)
    return r.MusterRow(
        child=one.child,
        name=directory.name_of(one.child),
        class_name=school_class.name if school_class else "",
        seat=pupil.seat if pupil else 0,
        place=place.name if place else one.place,
        custodian_name=directory.name_of(one.custodian) if one.custodian else "",
        last_seen_ms=one.last_seen_ms or None,
        what="on_site" if state == "none" else status.what,
        point=word.point if word else "",
        at_ms=status.released_ms or (word.at_ms if word else None),
        by_name=directory.name_of(word.by) if word else "",
        released_to=directory.name_of(status.released_to) if status.released_to else "",
        hint=point.name if point else status.hint_point,
        hint_ms=status.hint_ms or None,
        gate=school_class.release_gate if school_class else "",
    )


def _classes(world: World, emergency: Emergency, rows: list[r.MusterRow]) -> tuple[r.MusterClass, ...]:
    """Classes in the order of the school, however many are missing: a tablet's finger finds a class where it was."""
    by_class = defaultdict[str, list[r.MusterRow]](list)
    for row in rows:
        pupil = world.directory.pupils.get(row.child)
        by_class[pupil.class_id if pupil else ""].append(row)
    classes = world.directory.classes
    order = sorted(by_class, key=lambda key: (c.stage, c.grade, c.class_no) if (c := classes.get(key)) else ("~", 0, 0))
    found = []
    for key in order:
        school_class, members = classes.get(key), by_class[key]
        found.append(
            r.MusterClass(
                class_id=key,
                name=school_class.name if school_class else "",
                room=school_class.room if school_class else "",
                teacher_name=world.directory.name_of(school_class.teacher) if school_class and school_class.teacher else "",
                expected=len(members),
                missing=sum(1 for row in members if row.what == "missing"),
                rows=tuple(sorted(members, key=lambda row: (row.what != "missing", row.seat, row.name))),
            )
        )
    return tuple(found)


def _places(rows: Iterable[r.MusterRow]) -> tuple[r.MusterPlace, ...]:
    """Where people were when the list was frozen: who searches a building begins where most are missing."""
    expected, missing = Counter[str](), Counter[str]()
    for row in rows:
        expected[row.place] += 1
        missing[row.place] += row.what == "missing"
    order = sorted(expected, key=lambda place: (-missing[place], -expected[place], place))
    return tuple(r.MusterPlace(place=place, expected=expected[place], missing=missing[place]) for place in order)


def _outside(world: World, emergency: Emergency) -> tuple[r.MusterGroup, ...]:
    groups = defaultdict[tuple[str, int], list[Listed]](list)
    for one in emergency.outside:
        groups[one.place, one.custodian].append(one)
    return tuple(
        r.MusterGroup(
            venue=venue,
            teacher_name=world.directory.name_of(teacher),
            rows=tuple(_row(world, emergency, one, Status(one.child, "outside"), "outside") for one in members),
        )
        for (venue, teacher), members in sorted(groups.items())
    )


def _extra(world: World, emergency: Emergency) -> tuple[r.MusterRow, ...]:
    """Counted at a muster point without being on the list: a child whom no gate had seen, or one of a group outside."""
    listed = {f"child:{one.child}" for one in emergency.on_site}
    found = []
    for key in world.campus.mustered:
        kind, _, which = key.partition(":")
        word = word_about(world, emergency, key) if kind == "child" and key not in listed else None
        if word is not None:
            one = Listed(int(which), word.point, word.by, word.at_ms)
            found.append(_row(world, emergency, one, Status(one.child, "extra", word), "running"))
    return tuple(sorted(found, key=lambda row: (row.class_name, row.seat, row.child)))


def _staff(world: World, emergency: Emergency) -> tuple[r.MusterAdult, ...]:
    found = []
    for number in emergency.staff:
        member, word = world.directory.staff.get(number), word_about(world, emergency, f"staff:{number}")
        roles = ",".join(sorted(role.value for role in member.roles if role is not Role.INSPECTOR)) if member else ""
        found.append(
            r.MusterAdult(
                key=f"staff:{number}", name=world.directory.name_of(number), detail=roles, here=word is not None,
                point=word.point if word else "",
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.here, one.name)))


def _visitors(world: World, emergency: Emergency) -> tuple[r.MusterAdult, ...]:
    found = []
    for key in emergency.visits:
        visit, word = world.campus.visits.get(key), word_about(world, emergency, f"visit:{key}")
        out = world.campus.visit_ends.get(key)
        gate = world.rules.gates.get(visit.gate) if visit else None
        found.append(
            r.MusterAdult(
                key=f"visit:{key}", name="", detail=visit.purpose if visit else "", here=word is not None,
                out_ms=out[0] if out else None, point=word.point if word else "", note=visit.note if visit else "",
                gate_name=gate.name if gate else "",
            )
        )  # fmt: skip
    return tuple(found)


# --- still waiting ----------------------------------------------------------------------------------------

_WAITS = frozenset({Collection.WAITING, Collection.OVERDUE, Collection.ESCALATED})


def waiting(world: World, query: r.WaitingQuery, now_ms: int, trusted: bool) -> r.WaitingView:
    """Children on campus whose release gate this is and whose time has come, extended care and boarders aside."""
    gate, found = world.rules.gates.get(query.gate), list[r.WaitingLine]()
    for child, state in world.campus.on_campus():
        pupil = world.directory.pupils.get(child)
        school_class = world.directory.classes.get(pupil.class_id) if pupil else None
        if school_class is None or school_class.release_gate != query.gate or state.dormitory or state.due_ms > now_ms:
            continue
        if world.collection_of(child, now_ms) in _WAITS:
            found.append(_waiting_line(world, child, now_ms))
    return r.WaitingView(
        gate=query.gate,
        gate_name=gate.name if gate else query.gate,
        now_ms=now_ms,
        lines=tuple(sorted(found, key=lambda one: (one.due_ms or 0, one.line.class_name, one.line.seat))),
        bar=bar(world, None, now_ms, trusted),
    )


def _waiting_line(world: World, child: int, now_ms: int) -> r.WaitingLine:
    return r.WaitingLine(
        line=child_line(world, child, now_ms),
        due_ms=world.due_ms(child, world.campus.child(child)) or None,
        guardians=tuple(
            r.PhoneTail(name=g.name, relation=g.relation, tail=g.phone[-PHONE_TAIL:]) for g in guardians(world, child)
        ),
    )
