"""巡查, and what teachers note of a child's interests for the growth file. Commands -> Decisions. Moves no custody."""

from __future__ import annotations

from datetime import date

from kiosk.core.acts import done, refused
from kiosk.core.commands_service import NoteGrowth, Patrol
from kiosk.core.decisions import Decision, Reason
from kiosk.core.people import Directory, Pupil, within
from kiosk.core.rules import MINUTE_MS
from kiosk.core.service_records import FINDINGS, GrowthNoted, Patrolled, fact
from kiosk.core.settling import members
from kiosk.core.timetable import SessionTime
from kiosk.core.world import World

STILL_MS = 15 * MINUTE_MS  # a round takes a while: what was seen may be written down so long after the end
MAX_COUNT = 2_000


def patrol(command: Patrol, world: World, now_ms: int, trusted: bool) -> Decision:
    times = world.book.session_times.get(command.session)
    if times is None:
        return refused(Reason.NO_SUCH_SESSION)
    if not times.start_ms <= now_ms < times.end_ms + STILL_MS:
        return refused(Reason.WINDOW_CLOSED)
    if command.finding not in FINDINGS or not 0 <= command.counted <= MAX_COUNT:
        return refused(Reason.REASON_NEEDED, allowed=list(FINDINGS))
    if command.finding == "other" and not command.note.strip():
        return refused(Reason.REASON_NEEDED)
    row = Patrolled(
        session=times.session, room=times.room, expected=len(members(world, times.session)), counted=command.counted,
        teacher_present=command.teacher_present, finding=command.finding, day=world.day, by=command.by,
    )  # fmt: skip
    return done(fact(row, command.note.strip()))


def patrolled(world: World, times: SessionTime) -> bool:
    return (world.day, times.session) in world.campus.service.patrols


def patrol_due(world: World, times: SessionTime, now_ms: int) -> bool:
    """Nobody has looked at a session that has run so long; never where neither the city nor the school asks for patrols."""
    after_ms = world.rules.patrol_after_ms
    return bool(after_ms) and now_ms >= times.start_ms + after_ms and not patrolled(world, times)


def note_growth(command: NoteGrowth, world: World, now_ms: int, trusted: bool) -> Decision:
    """By the child's class teacher, or by whoever teaches a session that the child is enrolled in."""
    pupil = world.directory.pupils.get(command.child)
    if pupil is None:
        return refused(Reason.NO_SUCH_PERSON)
    if not teaches(world.directory, world.book.day.date, pupil, command.by):
        return refused(Reason.NOT_PERMITTED, child=pupil.number)
    if not command.text.strip():
        return refused(Reason.REASON_NEEDED, child=pupil.number)
    row = GrowthNoted(child=pupil.number, term=world.book.day.term, day=world.day, by=command.by, session=command.session)
    return done(fact(row, command.text.strip()), child=pupil.number)


def teaches(directory: Directory, today: date, pupil: Pupil, staff: int) -> bool:
    school_class = directory.classes.get(pupil.class_id)
    if school_class is not None and school_class.teacher == staff:
        return True
    mine = (e for e in directory.enrolments_of.get(pupil.number, ()) if within(e.valid_from, e.valid_to, today))
    sessions = (directory.sessions.get(e.session) for e in mine)
    return any(session is not None and session.teacher == staff for session in sessions)
