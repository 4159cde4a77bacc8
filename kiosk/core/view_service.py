"""Pictures of sessions as service records: on a roster, on the duty page, for whoever patrols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kiosk.core import roster as r
from kiosk.core.patrols import STILL_MS, patrol_due
from kiosk.core.service import Standing, leads, standing, stands_in, teacher_missing
from kiosk.core.settling import ABSENT, GRACE_MS, Settled, guests, members, settle
from kiosk.core.timetable import SessionTime
from kiosk.core.view_parts import bar, child_line
from kiosk.core.world import World


def service_line(world: World, session: str, me: int, now_ms: int) -> r.ServiceLine | None:
    """None for what is not a session of today."""
    times = world.book.session_times.get(session)
    if times is None:
        return None
    book, name_of = world.campus.service, world.directory.name_of
    closed = book.closed.get((world.day, session))
    found = (
        {child: Settled(state, "archived") for child, state in closed.row.states.items()}
        if closed
        else settle(world, times, now_ms)
    )
    teachers = book.teachers(world.day, session)
    return r.ServiceLine(
        session=session,
        standing=standing(world, times, now_ms).value,
        planned=times.teacher,
        planned_name=name_of(times.teacher) if times.teacher else "",
        teachers=tuple(_teacher(world, session, staff) for staff in teachers),
        counts=tuple(sorted(Counter("" if one.open else one.state for one in found.values()).items())),
        unresolved=tuple(_open_row(world, child, one) for child, one in found.items() if one.open),
        me_here=me in book.present(world.day, session),
        me_came=me in teachers,
        me_leads=me in world.directory.staff and leads(world, me),
        needs_reason=stands_in(world, times, me),
        missing=teacher_missing(world, times, now_ms),
        guests=len(closed.row.guests if closed else guests(world, session)),
        early=now_ms < times.end_ms - GRACE_MS,
        closed_ms=closed.at_ms if closed else None,
        closed_by_name=name_of(closed.row.by) if closed else "",
    )


def _teacher(world: World, session: str, staff: int) -> r.TeacherLine:
    book, name_of = world.campus.service, world.directory.name_of
    check = book.coming(world.day, session, staff)
    other = check.standing_in_for if check else 0
    return r.TeacherLine(
        staff=staff,
        name=name_of(staff),
        since_ms=check.at_ms if check else 0,
        here=staff in book.present(world.day, session),
        for_name=name_of(other) if other else "",
        reason=check.reason if check else "",
    )


def _open_row(world: World, child: int, one: Settled) -> r.OpenRow:
    pupil = world.directory.pupils.get(child)
    school_class = world.directory.classes.get(pupil.class_id) if pupil else None
    return r.OpenRow(
        child=child,
        name=world.directory.name_of(child),
        class_name=school_class.name if school_class else "",
        seat=pupil.seat if pupil else 0,
        absent=one.state == ABSENT,
        searched=world.campus.child(child).search is not None,
    )


def guest_lines(world: World, class_id: str, now_ms: int) -> tuple[r.GuestLine, ...]:
    """The children of a class who are at a session in which they are not enrolled: their class teacher knows."""
    found = []
    for child in world.directory.pupils_of_class.get(class_id, ()):
        session = world.directory.sessions.get(world.campus.child(child).session)
        if session is not None and child in guests(world, session.id):
            line = child_line(world, child, now_ms)
            found.append(r.GuestLine(line=line, session=session.id, title=session.name, room=session.room))
    return tuple(found)


# --- patrols -----------------------------------------------------------------------------------------------


def patrol_view(world: World, query: r.PatrolQuery, now_ms: int, trusted: bool) -> r.PatrolView:
    times = sorted(world.book.session_times.values(), key=lambda t: (t.start_ms, t.room, t.session))
    begun = [t for t in times if t.start_ms <= now_ms]
    lines = tuple(_patrol_line(world, t, now_ms) for t in begun)
    return r.PatrolView(
        lines=lines,
        asked=bool(world.rules.patrol_after_ms),
        unseen=sum(1 for line in lines if not line.seen),
        later=len(times) - len(begun),
        bar=bar(world, None, now_ms, trusted),
    )


def _patrol_line(world: World, times: SessionTime, now_ms: int) -> r.PatrolLine:
    found = members(world, times.session)
    here = sum(1 for child in found if world.campus.child(child).session == times.session)
    book, session = world.campus.service, world.directory.sessions[times.session]
    present = book.present(world.day, times.session)
    return r.PatrolLine(
        session=times.session,
        title=session.name,
        room=times.room,
        start_ms=times.start_ms,
        end_ms=times.end_ms,
        standing=standing(world, times, now_ms).value,
        teacher_name="、".join(world.directory.name_of(staff) for staff in present),
        expected=len(found),
        present=here + sum(1 for child in guests(world, times.session) if world.campus.child(child).session == times.session),
        running=now_ms < times.end_ms + STILL_MS,
        due=patrol_due(world, times, now_ms),
        seen=tuple(
            r.SeenLine(
                at_ms=one.at_ms, by_name=world.directory.name_of(one.row.by), counted=one.row.counted,
                teacher_present=one.row.teacher_present, finding=one.row.finding,
            )
            for one in book.patrols.get((world.day, times.session), ())
        ),
    )  # fmt: skip


# --- what the duty leader must know ------------------------------------------------------------------------


def _waited_for(world: World, session: str) -> bool:
    """Whether a child of the session is on campus: without one nobody waits for a teacher."""
    return any(world.campus.child(child).hold.live for child in (*members(world, session), *guests(world, session)))


def session_cases(world: World, now_ms: int) -> Iterator[tuple[str, SessionTime, int]]:
    """(kind, session, since when): sessions without a teacher, not closed, not looked at."""
    for times in world.book.session_times.values():
        if teacher_missing(world, times, now_ms) and _waited_for(world, times.session):
            yield "teacher_missing", times, times.start_ms + world.rules.teacher_due_ms
        if standing(world, times, now_ms) is Standing.OVER and now_ms >= times.end_ms + GRACE_MS:
            yield "session_unclosed", times, times.end_ms + GRACE_MS
        if patrol_due(world, times, now_ms):
            yield "patrol_due", times, times.start_ms + world.rules.patrol_after_ms
