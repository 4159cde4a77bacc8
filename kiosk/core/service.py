"""Teachers check in to a session and out of it; what says that a session is open. Commands -> Decisions.

Whoever takes a group over, accepts one into a session's room or calls its roll is there and counts as checked in. A session
without a teacher is never open, whatever the hour. Custody never moves here.
"""

from __future__ import annotations

from enum import StrEnum

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.commands_service import CheckIn, CheckOut
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact
from kiosk.core.passage import session_in_room
from kiosk.core.people import Role
from kiosk.core.rules import MINUTE_MS
from kiosk.core.service_records import SUBSTITUTIONS, CheckedIn, CheckedOut, fact
from kiosk.core.timetable import SessionTime
from kiosk.core.world import World

EARLY_MS = 30 * MINUTE_MS  # a teacher may be there so long before the start
_LEADS = frozenset({Role.TEACHER, Role.DUTY_LEADER})
_INTO_SESSIONS = frozenset({"to_session", "to_extended_care"})


class Standing(StrEnum):
    """How a session of today stands."""

    PLANNED = "planned"
    READY = "ready"  # its teacher is there, it has not begun
    UNSTAFFED = "unstaffed"  # it should run, and nobody is checked in: it is not open
    OPEN = "open"
    OVER = "over"  # past its end, and not closed
    CLOSED = "closed"


def standing(world: World, times: SessionTime, now_ms: int) -> Standing:
    book, day = world.campus.service, world.day
    if (day, times.session) in book.closed:
        return Standing.CLOSED
    if now_ms >= times.end_ms:
        return Standing.OVER
    staffed = bool(book.present(day, times.session))
    if now_ms < times.start_ms:
        return Standing.READY if staffed else Standing.PLANNED
    return Standing.OPEN if staffed else Standing.UNSTAFFED


def teacher_missing(world: World, times: SessionTime, now_ms: int) -> bool:
    """Nobody is checked in so long after the start that the duty office must know."""
    after_ms = world.rules.teacher_due_ms
    return bool(after_ms) and now_ms >= times.start_ms + after_ms and standing(world, times, now_ms) is Standing.UNSTAFFED


def check_in(command: CheckIn, world: World, now_ms: int, trusted: bool) -> Decision:
    times = world.book.session_times.get(command.session)
    staff = command.by if command.staff is None else command.staff
    if times is None:
        return refused(Reason.NO_SUCH_SESSION)
    who = world.directory.staff.get(staff)
    if who is None or not who.roles & _LEADS:
        return refused(Reason.NO_SUCH_PERSON)
    if staff != command.by and not leads(world, command.by):
        return refused(Reason.NOT_PERMITTED)
    if standing(world, times, now_ms) is Standing.CLOSED:
        return refused(Reason.SESSION_CLOSED)
    if not _about_now(times, now_ms):
        return refused(Reason.WINDOW_CLOSED)
    book, other = world.campus.service, command.standing_in_for
    before, there = book.coming(world.day, times.session, staff), staff in book.present(world.day, times.session)
    if not other and stands_in(world, times, staff):
        other = times.teacher
    if other == staff or (other and other not in world.directory.staff):
        return refused(Reason.NO_SUCH_PERSON)
    if other and (command.reason not in SUBSTITUTIONS or (command.reason == "other" and not command.note.strip())):
        return refused(Reason.REASON_NEEDED, allowed=list(SUBSTITUTIONS))
    reason = command.reason if other else ""
    if there and before is not None and (before.standing_in_for, before.reason) == (other, reason):
        return refused(Reason.STEP_REFUSED)
    row = CheckedIn(staff=staff, session=times.session, day=world.day, by=command.by, standing_in_for=other, reason=reason)
    return done(fact(row, command.note.strip()), person=staff)


def check_out(command: CheckOut, world: World, now_ms: int, trusted: bool) -> Decision:
    staff = command.by if command.staff is None else command.staff
    if staff != command.by and not leads(world, command.by):
        return refused(Reason.NOT_PERMITTED)
    if staff not in world.campus.service.present(world.day, command.session):
        return refused(Reason.STEP_REFUSED)
    return done(checked_out(world, command.session, staff, command.by), person=staff)


def checked_out(world: World, session: str, staff: int, by: int) -> Fact:
    return fact(CheckedOut(staff=staff, session=session, day=world.day, by=by))


def leads(world: World, staff: int) -> bool:
    return Role.DUTY_LEADER in world.directory.staff[staff].roles


def _about_now(times: SessionTime, now_ms: int) -> bool:
    return times.start_ms - EARLY_MS <= now_ms < times.end_ms


def stands_in(world: World, times: SessionTime, staff: int) -> bool:
    """Whether somebody comes in the place of the planned teacher, rather than beside that teacher or others."""
    here = world.campus.service.present(world.day, times.session)
    return bool(times.teacher) and staff != times.teacher and not set(here) - {staff}


def with_check_in(command: c.TakeGroup | c.Accept | c.CallRoll, world: World, now_ms: int) -> tuple[Fact, ...]:
    """What a granted act adds when it shows that a teacher is there: nothing for who is checked in, or where no session is."""
    times = _session_of(command, world, now_ms)
    who = world.directory.staff[command.by]
    if times is None or Role.TEACHER not in who.roles or not _about_now(times, now_ms):
        return ()
    book, key = world.campus.service, (world.day, times.session)
    if key in book.closed or command.by in book.present(*key):
        return ()
    other = times.teacher if stands_in(world, times, command.by) else 0
    row = CheckedIn(
        staff=command.by, session=times.session, day=world.day, by=command.by, standing_in_for=other,
        reason="other" if other else "",
    )  # fmt: skip
    return (fact(row),)


def _session_of(command: c.TakeGroup | c.Accept | c.CallRoll, world: World, now_ms: int) -> SessionTime | None:
    if not isinstance(command, c.Accept):
        kind, _, key = command.roster.partition(":")
        return world.book.session_times.get(key) if kind == "session" else None
    offer = world.campus.offers.get(command.handover)
    if offer is None or offer.kind not in _INTO_SESSIONS or not offer.place:
        return None
    return session_in_room(world, offer.place, now_ms)
