"""Pictures for teachers: one roster, and the list of all. A roster is a class, a session, or whoever one person looks after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from kiosk.core import roster as r
from kiosk.core.acts import EXCUSES
from kiosk.core.child import PRESENT_MARKS, ChildState
from kiosk.core.handover import expected, takeable
from kiosk.core.people import within
from kiosk.core.roster_changes import coming_changes
from kiosk.core.timetable import PupilDay
from kiosk.core.view_next import MINUTE_MS, colleagues, escort_gates, next_groups, next_session, next_takers
from kiosk.core.view_parts import bar, child_line, escort_line, group_line, lines_of, offer_line, search_line
from kiosk.core.view_service import guest_lines, service_line
from kiosk.core.world import World

RETURNED_SHOWN_MS = 30 * MINUTE_MS
TAKEN_FOR_MS = 30 * MINUTE_MS  # custody that began so long before a session was taken over for it
ABSENT = "absent_unexplained"


class _Roster(NamedTuple):
    """start_ms: when whoever belongs here should be here. due_ms: by when the roll is called. 0: not said."""

    roster: str
    kind: str  # class | session | staff
    key: str
    title: str
    room: str
    teacher: int
    start_ms: int
    end_ms: int
    due_ms: int


def one_roster(world: World, query: r.RosterQuery, now_ms: int, trusted: bool) -> r.RosterView:
    here = _roster(world, query.roster)
    me = query.viewer or here.teacher
    belong = set(expected(world, query.roster))
    guests = {n for n, s in world.campus.on_campus() if here.kind == "session" and s.session == here.key} - belong
    rows = [_row(world, here, n, n in belong, me, now_ms) for n in belong | guests]
    rows.sort(key=lambda row: (row.missing_since_ms is None, *_seat_order(world, row.line.child)))
    called = max((s.marks[query.roster][1] for s in map(world.campus.child, belong) if query.roster in s.marks), default=0)
    children = [row.line.child for row in rows]
    return r.RosterView(
        roster=query.roster,
        kind=here.kind,
        title=here.title,
        room=here.room,
        teacher=here.teacher,
        teacher_name=world.directory.name_of(here.teacher) if here.teacher else "",
        start_ms=here.start_ms if here.kind == "session" and here.start_ms else None,
        end_ms=here.end_ms or None,
        expected=len(belong),
        present=sum(1 for row in rows if row.here),
        missing=sum(1 for row in rows if row.expected and not row.here),
        excused=sum(1 for row in rows if row.expected and row.mark in EXCUSES),
        roll_called_ms=called or None,
        roll_due_ms=here.due_ms or None,
        rows=tuple(rows),
        takeable=takeable(world, query.roster, me),
        bar=bar(world, None, now_ms, trusted),
        escort_gates=escort_gates(world, children),
        searches=_searches(world, children, now_ms),
        service=service_line(world, here.key, me, now_ms) if here.kind == "session" else None,
        guests=guest_lines(world, here.key, now_ms) if here.kind == "class" else (),
        coming=coming_changes(world.directory, here.key, world.book.day.date) if here.kind == "session" else (),
        **_custody(world, rows, me, here.end_ms, now_ms),
    )


def _custody(world: World, rows: list[r.RosterRow], me: int, until_ms: int, now_ms: int) -> dict[str, Any]:
    """What one person holds, was offered, has offered, and leads about."""
    offers, shown = world.campus.open_offers(), {row.line.child for row in rows}
    held = [row.line.child for row in rows if row.held_by_me]
    elsewhere = sum(1 for n, s in world.campus.on_campus() if s.hold.custodian == me and n not in shown) if me else 0
    return {
        "incoming": tuple(_named(world, o.id, now_ms) for o in offers if o.taker == me),
        "outgoing": tuple(offer_line(world, o) for o in offers if o.giver == me),
        "next_takers": next_takers(world, me),
        "next_groups": next_groups(world, held, me, now_ms, until_ms),
        "returned": _returned(world, me, now_ms),
        "escorts": tuple(escort_line(world, e, now_ms) for e in world.campus.escorts() if e.teacher == me),
        "groups": tuple(group_line(world, g, now_ms) for g in world.campus.groups() if g.teacher == me),
        "me": me,
        "me_name": world.directory.name_of(me) if me else "",
        "elsewhere": elsewhere,
        "colleagues": colleagues(world, me) if held else (),
    }


def _named(world: World, handover: str, now_ms: int) -> r.OfferLine:
    """An offer with the names of its children: who accepts it counts them one by one."""
    line = offer_line(world, world.campus.offers[handover])
    return replace(line, lines=lines_of(world, line.children, now_ms))


def _returned(world: World, me: int, now_ms: int) -> tuple[r.ReturnedLine, ...]:
    """Offers that came back within the half hour, as long as the giver still holds somebody of them; each child once, newest
    first."""
    found, told = [], set[int]()
    for one in sorted(world.campus.returned.values(), key=lambda back: -back.at_ms):
        offer = world.campus.offers.get(one.handover)
        if offer is None or offer.giver != me or now_ms - one.at_ms > RETURNED_SHOWN_MS:
            continue
        states = ((child, world.campus.child(child)) for child in one.children)
        still = [n for n, s in states if s.hold.custodian == me and not s.hold.handover and not s.search and n not in told]
        told.update(one.children)
        if still:
            found.append(
                r.ReturnedLine(
                    handover=one.handover, how=one.how, at_ms=one.at_ms, taker_name=world.directory.name_of(offer.taker),
                    children=lines_of(world, still, now_ms), kind=offer.kind, taker=offer.taker, place=offer.place,
                )
            )  # fmt: skip
    return tuple(found)


def _searches(world: World, children: Iterable[int], now_ms: int) -> tuple[r.SearchLine, ...]:
    states = ((child, world.campus.child(child).search) for child in children)
    return tuple(search_line(world, child, search, now_ms) for child, search in states if search is not None)


# --- one roster --------------------------------------------------------------------------------------


def _roster(world: World, roster: str) -> _Roster:
    """What a roster is; blank for one that does not exist."""
    kind, _, key = roster.partition(":")
    title, room, teacher = _heading(world, kind, key)
    if kind == "session":
        times = world.book.session_times.get(key)
        start_ms = times.start_ms if times else 0
        due_ms = start_ms + world.rules.roll_due_ms if start_ms else 0
        return _Roster(roster, kind, key, title, room, teacher, start_ms, times.end_ms if times else 0, due_ms)
    lessons = _lessons(world, world.directory.pupils_of_class.get(key, ()) if kind == "class" else ())
    if lessons is None:
        return _Roster(roster, kind, key, title, room, teacher, 0, 0, 0)
    due_ms = lessons.late_after_ms + world.rules.roll_due_ms
    return _Roster(roster, kind, key, title, room, teacher, lessons.late_after_ms, lessons.dismissal_ms, due_ms)


def _lessons(world: World, children: Iterable[int]) -> PupilDay | None:
    windows = next((day for child in children if (day := world.pupil_day(child)) is not None), None)
    return windows if windows is not None and windows.teaching else None


def _heading(world: World, kind: str, key: str) -> tuple[str, str, int]:
    """Title, room and teacher."""
    if kind == "class":
        school_class = world.directory.classes.get(key)
        return (school_class.name, school_class.room, school_class.teacher or 0) if school_class else (key, "", 0)
    if kind == "staff":
        number = int(key) if key.isascii() and key.isdecimal() and len(key) <= 15 else 0
        return (world.directory.name_of(number), "", number) if number in world.directory.staff else (key, "", 0)
    session = world.directory.sessions.get(key)
    return (session.name, session.room, session.teacher) if session else (key, "", 0)


def _seat_order(world: World, child: int) -> tuple[int, str]:
    pupil = world.directory.pupils.get(child)
    return (pupil.seat, pupil.pinyin) if pupil else (0, "")


def _row(world: World, roster: _Roster, child: int, belongs: bool, me: int, now_ms: int) -> r.RosterRow:
    state, windows, pupil = world.campus.child(child), world.pupil_day(child), world.directory.pupils.get(child)
    mark = _mark(world, roster, state)
    here = state.hold.live and (mark in PRESENT_MARKS or (not mark and _in_place(roster, state, me)))
    offer = world.campus.offers.get(state.hold.handover) if state.hold.handover else None
    missing = belongs and not here and _should_be_here(roster, state, mark, now_ms)
    following = next_session(windows, max(now_ms, roster.end_ms), me) if state.hold.live else None
    return r.RosterRow(
        line=child_line(world, child, now_ms),
        mark=mark or ((state.excused or "") if belongs else ""),
        here=here,
        expected=belongs,
        missing_since_ms=max(state.last_seen_ms, roster.start_ms) if missing else None,
        held_by_me=state.hold.live and state.hold.custodian == me and bool(me),
        offered_to=world.directory.name_of(offer.taker) if offer else "",
        searched_ms=state.search.opened_ms if state.search else None,
        escorted=bool(state.escort or state.group),
        at_gate=any(state.place == f"{gate.name}候接区" for gate in world.rules.gates.values()),
        next_in=world.directory.sessions[following.session].name if following else "",
        next_ms=following.start_ms if following else None,
        boarder=bool(pupil and pupil.boarder),
        unsigned=belongs and roster.kind == "session" and _unsigned(world, roster.key, child),
    )


def _unsigned(world: World, session: str, child: int) -> bool:
    """Takes part today, and no agreement is on file although the city's document asks for one."""
    if not world.rules.agreement_required:
        return False
    today, lines = world.book.day.date, world.directory.enrolments_of.get(child, ())
    return any(e.session == session and not e.agreement and within(e.valid_from, e.valid_to, today) for e in lines)


def _mark(world: World, roster: _Roster, state: ChildState) -> str:
    """What was called here today, unless the child has come into the room since it was called absent."""
    mark, marked_ms = state.marks.get(roster.roster, ("", 0)) if state.day == world.day else ("", 0)
    came = roster.kind == "session" and state.session == roster.key and state.last_seen_ms > marked_ms
    return "" if mark == ABSENT and came else mark


def _in_place(roster: _Roster, state: ChildState, me: int) -> bool:
    """Here by a tap, or because whoever keeps this roster has taken the child over for it."""
    if roster.kind == "staff":
        return state.search is None and not (state.escort or state.group)
    if roster.kind == "class":
        return not state.session
    taken = state.hold.custodian == me and state.since_ms >= roster.start_ms - TAKEN_FOR_MS
    return state.session == roster.key or (taken and not state.search and not state.escort and not state.group)


def _should_be_here(roster: _Roster, state: ChildState, mark: str, now_ms: int) -> bool:
    """On campus while this roster runs, and nobody has said why the child is not here."""
    if not state.hold.live or not roster.start_ms <= now_ms < roster.end_ms:
        return False
    told = mark not in ("", ABSENT) or bool(state.excused or state.escort or state.group or state.dormitory)
    return not told


# --- all of them ---------------------------------------------------------------------------------------


def roster_list(world: World, query: r.RosterListQuery, now_ms: int, trusted: bool) -> r.RosterListView:
    """One's own rosters first, then by time and name. Children in one's care who are on none of them have their own."""
    keys = [f"class:{n}" for n in world.directory.classes] + [f"session:{n}" for n in world.book.session_times]
    links = []
    for key in keys:
        kind, _, name = key.partition(":")
        title, room, teacher = _heading(world, kind, name)
        times = world.book.session_times.get(name) if kind == "session" else None
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
    if query.staff is not None:
        links.append(_care(world, query.staff))
    links.sort(key=lambda link: (not link.mine, link.start_ms or 0, link.title))
    return r.RosterListView(rosters=tuple(links), bar=bar(world, None, now_ms, trusted), staff=query.staff or 0)


def _care(world: World, staff: int) -> r.RosterLink:
    held = len(expected(world, f"staff:{staff}"))
    return r.RosterLink(
        roster=f"staff:{staff}", title="", room="", teacher_name=world.directory.name_of(staff), start_ms=None, end_ms=None,
        expected=held, present=held, mine=True,
    )  # fmt: skip
