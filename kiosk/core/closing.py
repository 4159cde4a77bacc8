"""Closing a session writes its archive row (有案可查); later rows correct it, nothing changes it. Commands -> Decisions.

Refused while one enrolled child is in no state: who was not there and why is said by whoever closes, with a reason. A
session that nobody closed keeps no day open; the duty leader archives it with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kiosk.core.acts import done, refused
from kiosk.core.commands_service import CloseRest, CloseSession, CorrectSession, LockMonth
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact
from kiosk.core.people import Role, within
from kiosk.core.service import Standing, checked_out, leads, standing
from kiosk.core.service_records import (
    LARGE_FROM,
    STATES,
    THERE,
    MonthLocked,
    Remark,
    SessionClosed,
    SessionCorrected,
    class_hours,
    fact,
)
from kiosk.core.settling import ABSENT, GRACE_MS, WHY_UNEXPLAINED, Settled, guests, settle
from kiosk.core.timetable import MINUTE_MS, SessionTime
from kiosk.core.world import World

MAX_CLASS_HOURS = 12
NOT_CLOSED = "not_closed"  # why nobody knows: the session was archived by the duty leader as it stood
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def close_session(command: CloseSession, world: World, now_ms: int, trusted: bool) -> Decision:
    times = world.book.session_times.get(command.session)
    if times is None:
        return refused(Reason.NO_SUCH_SESSION)
    how = standing(world, times, now_ms)
    if how is Standing.CLOSED:
        return refused(Reason.SESSION_CLOSED)
    if now_ms < times.start_ms:
        return refused(Reason.WINDOW_CLOSED)
    mine = command.by in world.campus.service.teachers(world.day, times.session)
    if not mine and not leads(world, command.by):
        return refused(Reason.NOT_CHECKED_IN)
    note = command.note.strip()
    if not note and (not mine or now_ms < times.end_ms - GRACE_MS):
        return refused(Reason.REASON_NEEDED)
    found = _as_stated(settle(world, times, now_ms), command.states, command.why)
    if isinstance(found, Decision):
        return found
    unresolved = [child for child, one in found.items() if one.open]
    if unresolved:
        return refused(Reason.UNRESOLVED, child=unresolved[0], children=unresolved)
    return done(*_closing(world, times, found, command.by, note, now_ms))


def _as_stated(found: dict[int, Settled], states: Mapping[int, str], why: Mapping[int, str]) -> dict[int, Settled] | Decision:
    """What the records say, with what whoever closes says. Nobody is made present who was not seen: the roll does that."""
    for child, state in states.items():
        known = found.get(child)
        if known is None or state not in STATES:
            return refused(Reason.NO_SUCH_PERSON if known is None else Reason.REASON_NEEDED, child=child, allowed=list(STATES))
        if state in THERE and known.state not in THERE:
            return refused(Reason.STEP_REFUSED, child=child, allowed=sorted(set(STATES) - THERE))
        if state == ABSENT and why.get(child) not in WHY_UNEXPLAINED:
            return refused(Reason.REASON_NEEDED, child=child, allowed=list(WHY_UNEXPLAINED))
        found[child] = Settled(state, why.get(child, "") if state == ABSENT else "")
    return found


def close_rest(command: CloseRest, world: World, now_ms: int, trusted: bool) -> Decision:
    if not command.note.strip():
        return refused(Reason.REASON_NEEDED)
    facts = list[Fact]()
    for times in unclosed(world, now_ms):
        found = {
            n: Settled(ABSENT, one.why or NOT_CLOSED) if one.open else one for n, one in settle(world, times, now_ms).items()
        }
        facts += _closing(world, times, found, command.by, command.note.strip(), now_ms)
    return done(*facts) if facts else refused(Reason.NO_SUCH_SESSION)


def unclosed(world: World, now_ms: int) -> list[SessionTime]:
    """Sessions of today that are over and that nobody has closed, by their start."""
    over = [t for t in world.book.session_times.values() if standing(world, t, now_ms) is Standing.OVER]
    return sorted(over, key=lambda t: (t.start_ms, t.session))


def _closing(world: World, times: SessionTime, found: Mapping[int, Settled], by: int, note: str, now_ms: int) -> list[Fact]:
    """The archive row; whoever is still checked in is checked out with it."""
    book, session = world.campus.service, world.directory.sessions[times.session]
    teachers, came = book.teachers(world.day, times.session), guests(world, times.session)
    states = {child: one.state for child, one in sorted(found.items())}
    anybody = bool(came) or any(state in THERE for state in states.values())
    minutes = (min(now_ms, times.end_ms) - times.start_ms) // MINUTE_MS
    row = SessionClosed(
        session=session.id, day=world.day, name=session.name, kind=session.kind, form=form_of(world, [*states, *came]),
        slot=times.slot, room=times.room, from_ms=times.start_ms, to_ms=times.end_ms, planned_teacher=times.teacher,
        teachers=teachers, class_hours=class_hours(minutes, world.rules.class_hour_min) if teachers and anybody else 0.0,
        enrolled=len(states), states=states, by=by, partner=session.partner, guests=came,
        exceptions=tuple(_remarks(world, times, found, came, by, now_ms)), unsigned=_unsigned(world, [*states, *came]),
    )  # fmt: skip
    still = book.present(world.day, times.session)
    return [fact(row, note), *(checked_out(world, times.session, staff, by) for staff in still)]


def _unsigned(world: World, children: list[int]) -> tuple[int, ...]:
    today, enrolments_of = world.book.day.date, world.directory.enrolments_of
    signed = {
        child
        for child in children
        if any(e.agreement and within(e.valid_from, e.valid_to, today) for e in enrolments_of.get(child, ()))
    }
    return tuple(child for child in children if child not in signed)


def form_of(world: World, children: list[int]) -> str:
    """形式: one home class, children of several, or as many of several as make a large class."""
    classes = {pupil.class_id for child in children if (pupil := world.directory.pupils.get(child)) is not None}
    if len(classes) <= 1:
        return "class"
    return "large" if len(children) >= LARGE_FROM else "mixed"


def _remarks(
    world: World, times: SessionTime, found: Mapping[int, Settled], came: tuple[int, ...], by: int, now_ms: int
) -> list[Remark]:
    book, key = world.campus.service, (world.day, times.session)
    told = [Remark(what="unexplained", child=n, why=one.why) for n, one in found.items() if one.state == ABSENT]
    told += [Remark(what="moved", child=n, why=one.why) for n, one in found.items() if one.state == "moved"]
    told += [Remark(what="went_home", child=n) for n, one in found.items() if one.why == "went_home"]
    told += [Remark(what="guest", child=n) for n in came]
    for staff in book.teachers(*key):
        check = book.coming(*key, staff)
        if check is not None and check.standing_in_for:
            told.append(Remark(what="substitution", staff=staff, other=check.standing_in_for, why=check.reason))
    first_ms, due_ms = book.first_ms(*key), world.rules.teacher_due_ms
    if not first_ms:
        told.append(Remark(what="no_teacher"))
    elif due_ms and first_ms >= times.start_ms + due_ms:
        told.append(Remark(what="teacher_missing"))
    called = [m[1] for n in found if (m := world.campus.child(n).marks.get(f"session:{times.session}"))]
    if called and min(called) > times.start_ms + world.rules.roll_due_ms:
        told.append(Remark(what="roll_late"))
    if not came and not any(one.state in THERE for one in found.values()):
        told.append(Remark(what="nobody_came"))
    if now_ms < times.end_ms - GRACE_MS:
        told.append(Remark(what="closed_early"))
    if by not in book.teachers(*key):
        told.append(Remark(what="closed_late" if now_ms >= times.end_ms else "closed_for", staff=by))
    return told


# --- corrections and locks ---------------------------------------------------------------------------------


def correct_session(command: CorrectSession, world: World, now_ms: int, trusted: bool) -> Decision:
    """A new row with a reason. By whoever held the session, until the month is locked; by the office and duty leaders."""
    row, roles = command.row, world.directory.staff[command.by].roles
    locked = row.day[:7] in world.campus.service.locked
    office = bool(roles & {Role.OFFICE, Role.DUTY_LEADER})
    if not office and (locked or command.by not in row.teachers):
        return refused(Reason.MONTH_LOCKED if locked else Reason.NOT_PERMITTED)
    if not command.note.strip():
        return refused(Reason.REASON_NEEDED)
    states = {child: state for child, state in command.states.items() if row.states.get(child) != state}
    if set(states) - set(row.states) or set(states.values()) - set(STATES):
        return refused(Reason.NO_SUCH_PERSON)
    teachers = None if command.teachers == row.teachers else command.teachers
    if teachers is not None and set(teachers) - set(world.directory.staff):
        return refused(Reason.NO_SUCH_PERSON)
    hours = None if command.class_hours == row.class_hours else command.class_hours
    if hours is not None and not 0 <= hours <= MAX_CLASS_HOURS:
        return refused(Reason.COUNT_DIFFERS, expected=row.class_hours)
    if not states and teachers is None and hours is None:
        return refused(Reason.STEP_REFUSED)
    change = SessionCorrected(
        session=row.session, for_day=row.day, day=world.day, closed=command.closed, by=command.by, states=states,
        teachers=teachers, class_hours=None if hours is None else round(hours, 1), locked=locked,
    )  # fmt: skip
    return done(fact(change, command.note.strip()))


def lock_month(command: LockMonth, world: World, now_ms: int, trusted: bool) -> Decision:
    """The figures of a month have been reported: from here on only the office and duty leaders correct them."""
    if not _MONTH.fullmatch(command.month) or command.month > world.day[:7]:
        return refused(Reason.WINDOW_CLOSED)
    if command.month in world.campus.service.locked:
        return refused(Reason.STEP_REFUSED)
    return done(fact(MonthLocked(month=command.month, day=world.day, by=command.by)))
