"""Pictures for teachers: one roster, and the list of all."""

from __future__ import annotations

from collections import Counter

from kiosk.core import roster as r
from kiosk.core.acts import EXCUSES
from kiosk.core.child import PRESENT_MARKS
from kiosk.core.handover import expected, takeable
from kiosk.core.people import Role
from kiosk.core.timetable import SessionTime
from kiosk.core.view_parts import bar, child_line, escort_line, group_line, lines_of, offer_line, search_line
from kiosk.core.world import World

NEXT_GRACE_MS = 20 * 60_000  # a session that began so long ago is still the next one for a child who is not there yet
RETURNED_SHOWN_MS = 30 * 60_000


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
    excused = sum(1 for row in rows if row.expected and row.mark in EXCUSES)
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
        next_groups=_next_groups(world, [row.line.child for row in rows if row.held_by_me], teacher, now_ms),
        returned=_returned(world, teacher, now_ms),
        escorts=tuple(escort_line(world, e, now_ms) for e in world.campus.escorts() if e.teacher == teacher),
        groups=tuple(group_line(world, g, now_ms) for g in world.campus.groups() if g.teacher == teacher),
        escort_gates=_escort_gates(world, [row.line.child for row in rows]),
        searches=tuple(
            search_line(world, n, search, now_ms) for n in belong if (search := world.campus.child(n).search) is not None
        ),
    )


def _next_groups(world: World, children: list[int], teacher: int, now_ms: int) -> tuple[r.NextGroup, ...]:
    """Whom this teacher's children go to next: by the session that starts next for each of them."""
    groups: dict[str, list[int]] = {}
    for child in children:
        windows = world.pupil_day(child)
        after = (s for s in windows.sessions if s.start_ms + NEXT_GRACE_MS > now_ms) if windows else iter(())
        following = next((s for s in after if s.teacher != teacher), None)
        if following is not None and following.teacher:
            groups.setdefault(following.session, []).append(child)
    found = []
    for session, members in groups.items():
        times, info = world.book.session_times[session], world.directory.sessions[session]
        found.append(
            r.NextGroup(
                kind="to_session", session=session, title=info.name, room=times.room, taker=times.teacher,
                taker_name=world.directory.name_of(times.teacher), children=tuple(members),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda g: (world.book.session_times[g.session].start_ms, g.title)))


def _returned(world: World, teacher: int, now_ms: int) -> tuple[r.ReturnedLine, ...]:
    """Offers that came back within the half hour, as long as the giver still holds somebody of them."""
    found = []
    for one in world.campus.returned.values():
        offer = world.campus.offers.get(one.handover)
        if offer is None or offer.giver != teacher or now_ms - one.at_ms > RETURNED_SHOWN_MS:
            continue
        holds = ((child, world.campus.child(child).hold) for child in one.children)
        still = [child for child, hold in holds if hold.custodian == teacher and not hold.handover]
        if still:
            found.append(
                r.ReturnedLine(
                    handover=one.handover, how=one.how, at_ms=one.at_ms, taker_name=world.directory.name_of(offer.taker),
                    children=lines_of(world, still, now_ms),
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda line: -line.at_ms))


def _escort_gates(world: World, children: list[int]) -> tuple[tuple[str, str], ...]:
    """Gates that a group may be led to, the one where most of them are released first."""
    homes = Counter(
        school_class.release_gate
        for child in children
        if (pupil := world.directory.pupils.get(child)) and (school_class := world.directory.classes.get(pupil.class_id))
    )
    return tuple(sorted(((g.id, g.name) for g in world.rules.gates.values()), key=lambda gate: -homes[gate[0]]))


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
        searched_ms=state.search.opened_ms if state.search else None,
        escorted=bool(state.escort or state.group),
    )


def _next_takers(world: World, kind: str, key: str, teacher: int, now_ms: int) -> tuple[tuple[str, int, str], ...]:
    """Whom this group may be handed to next: the extended-care teacher, the duty leader, the watch at a gate."""
    found, seen = [], {teacher}
    for session in world.directory.sessions.values():
        if session.kind == "extended_care" and session.teacher not in seen:
            found.append(("to_extended_care", session.teacher, f"{session.name} · {world.directory.name_of(session.teacher)}"))
            seen.add(session.teacher)
    for staff in world.directory.staff.values():
        if Role.DUTY_LEADER in staff.roles and staff.number not in seen:
            found.append(("to_duty", staff.number, staff.name))
            seen.add(staff.number)
    for gate in world.rules.gates.values():
        shift = world.campus.shift(gate.id)
        if shift is not None and shift.guard not in seen:
            found.append(("to_gatehouse", shift.guard, f"{gate.name}门卫室 · {world.directory.name_of(shift.guard)}"))
            seen.add(shift.guard)
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
