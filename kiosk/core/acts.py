"""What staff do about cases: acknowledge, call, excuse, grant a slip, close. Commands -> Decisions.

Who may do what is one table. A refused act records nothing and changes nothing; it says why and what is allowed.
"""

from __future__ import annotations

from typing import Any

from kiosk.core import commands as c
from kiosk.core import commands_privacy as p
from kiosk.core import commands_service as cs
from kiosk.core.child import LadderState
from kiosk.core.commands_publishing import Publish
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.people import Role
from kiosk.core.pickup import restricted
from kiosk.core.rules import Rung
from kiosk.core.world import World

GATE_STAFF = frozenset({Role.GUARD, Role.DUTY_LEADER})
_CLASSROOM = frozenset({Role.TEACHER, Role.DUTY_LEADER})
_ANY = frozenset({Role.GUARD, Role.TEACHER, Role.DUTY_LEADER, Role.OFFICE})
_LEADER = frozenset({Role.DUTY_LEADER})

PERMITTED: dict[type, frozenset[Role]] = {
    c.ConfirmIdentity: _ANY,
    c.Release: GATE_STAFF | _CLASSROOM,
    c.LetGo: GATE_STAFF,
    c.AskReleaseRight: GATE_STAFF | _CLASSROOM,
    c.ReleaseExceptionally: GATE_STAFF | _CLASSROOM,
    c.UndoRelease: GATE_STAFF | _CLASSROOM,
    c.Correct: _ANY,  # of a guard only together with a duty leader
    c.RefusePickup: GATE_STAFF | _CLASSROOM,
    c.RegisterDelegate: _CLASSROOM | {Role.OFFICE},
    c.RevokeDelegate: _CLASSROOM | {Role.OFFICE},
    c.DismissFromQueue: GATE_STAFF,
    c.CallRoll: _CLASSROOM,
    c.Offer: _ANY,
    c.Accept: _ANY,
    c.Decline: _ANY,
    c.TakeGroup: _ANY,
    c.StartEscort: _CLASSROOM,
    c.EndEscort: GATE_STAFF | _CLASSROOM,
    c.TakeOut: _CLASSROOM,
    c.BringBack: _CLASSROOM,
    c.OfferShift: GATE_STAFF,
    c.AcceptShift: GATE_STAFF,
    c.DeclineShift: GATE_STAFF,
    c.OpenLocate: _ANY,
    c.Located: _ANY,
    c.DeclareIncident: GATE_STAFF | _CLASSROOM,
    c.Acknowledge: _ANY,
    c.LogCall: _ANY,
    c.CloseCase: _LEADER,
    c.ExcuseAbsence: _CLASSROOM | {Role.OFFICE},
    c.GrantLeaveSlip: _CLASSROOM | {Role.OFFICE},
    c.ReportCardLost: _ANY,
    c.DeclareEmergency: _ANY,
    c.EndEmergency: _LEADER,
    c.Muster: _ANY,
    c.VisitorIn: GATE_STAFF,
    c.VisitorOut: GATE_STAFF,
    c.ClearCampus: _LEADER,
    c.RecordConsent: _LEADER | {Role.OFFICE},
    cs.CheckIn: _CLASSROOM,
    cs.CheckOut: _CLASSROOM,
    cs.CloseSession: _CLASSROOM,
    cs.CloseRest: _LEADER,
    cs.CorrectSession: _CLASSROOM | {Role.OFFICE},
    cs.LockMonth: _LEADER | {Role.OFFICE},
    cs.Patrol: _LEADER | {Role.OFFICE},
    cs.NoteGrowth: _CLASSROOM,
    c.ExportEvidence: _LEADER | {Role.OFFICE},
    c.TryRelay: frozenset({Role.OFFICE}),
    p.SetHold: _LEADER | {Role.OFFICE},
    p.LiftHold: _LEADER | {Role.OFFICE},
    p.ExportChild: _LEADER | {Role.OFFICE},
    p.AskCorrection: _LEADER | {Role.OFFICE},
    p.DecideCorrection: _LEADER | {Role.OFFICE},
    p.RecordConsentRow: _LEADER | {Role.OFFICE},
    p.IssueNotice: _LEADER | {Role.OFFICE},
    p.ReportIncident: _LEADER | {Role.OFFICE},
    Publish: frozenset({Role.OFFICE}),
}

ROLL_MARKS = frozenset(
    {"present", "late", "left_early", "leave_sick", "leave_personal", "absent_unexplained", "moved"}
)
EXCUSES = frozenset({"leave_sick", "leave_personal"})
CALL_RESULTS = frozenset({"answered", "no_answer", "off", "wrong_number", "on_the_way"})


def permitted(world: World, command: Any) -> bool:
    """Whether the person who gives the command holds a role that may."""
    needed = PERMITTED.get(type(command))
    return needed is None or permitted_to(world, command.by, needed)


def permitted_to(world: World, by: int, needed: frozenset[Role]) -> bool:
    staff = world.directory.staff.get(by)
    return staff is not None and bool(staff.roles & needed)


def refused(reason: Reason, *, child: int | None = None, **detail: Any) -> Decision:
    return Decision(outcome=Outcome.REFUSED, reason=reason, child=child, detail=detail)


def done(*facts: Fact, reason: Reason = Reason.DONE, **more: Any) -> Decision:
    return Decision(outcome=Outcome.GRANTED, reason=reason, facts=facts, **more)


# --- leave, cards -------------------------------------------------------------------------


def excuse(command: c.ExcuseAbsence, world: World, now_ms: int, trusted: bool) -> Decision:
    if command.child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_PERSON)
    if command.kind not in EXCUSES:
        return refused(Reason.REASON_NEEDED, child=command.child, allowed=sorted(EXCUSES))
    body = {"child": command.child, "reason": command.kind, "by": command.by, "day": world.day}
    return done(Fact(Kind.ABSENCE_EXCUSED, body, command.note), child=command.child)


def grant_slip(command: c.GrantLeaveSlip, world: World, now_ms: int, trusted: bool) -> Decision:
    """出门条. Never alone for low grades; a named collector must be one of the child's, and not restricted."""
    pupil = world.directory.pupils.get(command.child)
    if pupil is None:
        return refused(Reason.NO_SUCH_PERSON)
    if command.kind not in EXCUSES or command.to_ms <= command.from_ms:
        return refused(Reason.REASON_NEEDED, child=pupil.number, allowed=sorted(EXCUSES))
    if command.alone and world.low_grade(pupil):
        return refused(Reason.NEEDS_ADULT, child=pupil.number)
    adult = command.with_collector
    if adult is not None and restricted(world, pupil.number, adult):
        return refused(Reason.COLLECTOR_RESTRICTED, child=pupil.number)
    body: dict[str, Any] = {
        "child": pupil.number,
        "from_ms": command.from_ms,
        "to_ms": command.to_ms,
        "alone": command.alone,
        "reason": command.kind,
        "by": command.by,
        "day": world.day,
    }
    if adult is not None:
        body["collector"] = adult
    return done(Fact(Kind.LEAVE_SLIP_GRANTED, body, command.note), child=pupil.number)


def card_lost(command: c.ReportCardLost, world: World, now_ms: int, trusted: bool) -> Decision:
    uids = world.cards.candidates(command.uid)
    if len(uids) != 1:
        return refused(Reason.UNKNOWN_CREDENTIAL if not uids else Reason.AMBIGUOUS_CREDENTIAL)
    return done(Fact(Kind.CARD_LOST, {"card": uids[0], "by": command.by, "day": world.day}))


# --- cases and the end of the day ----------------------------------------------------------------------


def acknowledge(command: c.Acknowledge, world: World, now_ms: int, trusted: bool) -> Decision:
    """Where a rung asks for two adults, both are named: they stay with the child."""
    child = case_child(world, command.case)
    state = world.campus.child(child) if child is not None else None
    if state is None or state.case is None:
        return refused(Reason.NO_SUCH_CASE)
    body: dict[str, Any] = {"case": command.case, "child": child, "by": command.by, "day": world.day}
    if rung_of(world, state.case).adults > 1:
        if command.second not in world.directory.staff or command.second == command.by:
            return refused(Reason.SECOND_PERSON_NEEDED, child=child)
        body["second"] = command.second
    return done(Fact(Kind.ACKNOWLEDGED, body), child=child)


def rung_of(world: World, case: LadderState) -> Rung:
    """The step of the ladder that a case stands on."""
    return world.rules.ladder[min(case.rung, len(world.rules.ladder) - 1)]


def log_call(command: c.LogCall, world: World, now_ms: int, trusted: bool) -> Decision:
    child = case_child(world, command.case)
    if child is None:
        return refused(Reason.NO_SUCH_CASE)
    if command.result not in CALL_RESULTS:
        return refused(Reason.REASON_NEEDED, child=child, allowed=sorted(CALL_RESULTS))
    body: dict[str, Any] = {
        "case": command.case,
        "child": child,
        "guardian": command.guardian,
        "result": command.result,
        "channel": command.channel,
        "by": command.by,
        "day": world.day,
    }
    if command.eta_min is not None and command.eta_min > 0:
        body["eta_ms"] = now_ms + command.eta_min * 60_000
    return done(Fact(Kind.GUARDIAN_CONTACTED, body), child=child)


def case_child(world: World, case: str) -> int | None:
    return next((n for n, s in world.campus.on_campus() if s.case and s.case.case == case), None)


def export_evidence(command: c.ExportEvidence, world: World, now_ms: int, trusted: bool) -> Decision:
    """On record before the file is made: a child's day leaves the house."""
    if command.child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_PERSON)
    body = {"child": command.child, "for_day": command.for_day, "by": command.by, "day": world.day}
    return done(Fact(Kind.EVIDENCE_EXPORTED, body), child=command.child)


def try_relay(command: c.TryRelay, world: World, now_ms: int, trusted: bool) -> Decision:
    """Only a device that works is tried; the contact closes when this is durable."""
    device = world.devices.get(command.device)
    if device is None or device.health != "ok" or command.contact < 1:
        return refused(Reason.DEVICE_DOWN)
    body = {"device": command.device, "contact": command.contact, "by": command.by, "day": world.day}
    return done(Fact(Kind.RELAY_TRIED, body))


def close_case(command: c.CloseCase, world: World, now_ms: int, trusted: bool) -> Decision:
    """A conflict is closed by the duty leader with a note; an uncollected child closes its own case by going home."""
    if not command.note.strip():
        return refused(Reason.REASON_NEEDED)
    found = {conflict.case for conflict in world.campus.conflicts()}
    found |= {alarm.case for alarm in world.campus.open_alarms()}
    if command.case not in found:
        return refused(Reason.NO_SUCH_CASE)
    body = {"case": command.case, "by": command.by, "day": world.day}
    return done(Fact(Kind.CASE_CLOSED, body, command.note))


def room_of(world: World, roster: str) -> str:
    """Where a roster's children are, for the facts that put them there."""
    kind, _, key = roster.partition(":")
    if kind == "class":
        school_class = world.directory.classes.get(key)
        return school_class.room if school_class else ""
    session = world.directory.sessions.get(key)
    return session.room if session else ""
