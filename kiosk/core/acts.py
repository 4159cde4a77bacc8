"""What staff do: release, roll call, hand over, acknowledge, excuse, clear the campus. Commands -> Decisions.

Who may do what is one table. A refused act records nothing and changes nothing; it says why and what is allowed.
"""

from __future__ import annotations

from typing import Any

from kiosk.core import commands as c
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.passage import decide_child
from kiosk.core.people import Role
from kiosk.core.pickup import PHOTO, SECOND_PERSON, Verdict, may_collect, restricted
from kiosk.core.world import World

_GATE = frozenset({Role.GUARD, Role.DUTY_LEADER})
_CLASSROOM = frozenset({Role.TEACHER, Role.DUTY_LEADER})
_ANY = frozenset({Role.GUARD, Role.TEACHER, Role.DUTY_LEADER, Role.OFFICE})
_LEADER = frozenset({Role.DUTY_LEADER})

PERMITTED: dict[type, frozenset[Role]] = {
    c.ConfirmIdentity: _ANY,
    c.Release: _GATE | _CLASSROOM,
    c.RefusePickup: _GATE | _CLASSROOM,
    c.DismissFromQueue: _GATE,
    c.CallRoll: _CLASSROOM,
    c.Offer: _ANY,
    c.Accept: _ANY,
    c.Decline: _ANY,
    c.TakeGroup: _ANY,
    c.Acknowledge: _ANY,
    c.LogCall: _ANY,
    c.CloseCase: _LEADER,
    c.ExcuseAbsence: _CLASSROOM | {Role.OFFICE},
    c.GrantLeaveSlip: _CLASSROOM | {Role.OFFICE},
    c.ReportCardLost: _ANY,
    c.DeclareEmergency: _ANY,
    c.EndEmergency: _LEADER,
    c.ClearCampus: _LEADER,
}

ROLL_MARKS = frozenset(
    {"present", "late", "left_early", "leave_sick", "leave_personal", "absent_unexplained", "moved"}
)
EXCUSES = frozenset({"leave_sick", "leave_personal"})
CALL_RESULTS = frozenset({"answered", "no_answer", "off", "wrong_number", "on_the_way"})


def permitted(world: World, command: Any) -> bool:
    """Whether the person who gives the command holds a role that may."""
    needed = PERMITTED.get(type(command))
    staff = world.directory.staff.get(command.by) if needed else None
    return needed is None or (staff is not None and bool(staff.roles & needed))


def refused(reason: Reason, *, child: int | None = None, **detail: Any) -> Decision:
    return Decision(outcome=Outcome.REFUSED, reason=reason, child=child, detail=detail)


def done(*facts: Fact, reason: Reason = Reason.DONE, **more: Any) -> Decision:
    return Decision(outcome=Outcome.GRANTED, reason=reason, facts=facts, **more)


# --- at the gate -----------------------------------------------------------------------------------


def claim_seat(command: c.ClaimSeat, world: World, now_ms: int, trusted: bool) -> Decision:
    """A pupil without a card named class and seat: nothing happens until the guard has looked."""
    point = world.rules.access_points.get(command.access_point)
    child = world.directory.by_seat.get((command.class_id, command.seat))
    if point is None:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    if child is None:
        return Decision(outcome=Outcome.REFUSED, reason=Reason.NO_SUCH_PERSON, access_point=point.id)
    pupil = world.directory.pupils[child]
    body: dict[str, Any] = {
        "person": child,
        "candidates": [child],
        "access_point": point.id,
        "outcome": Outcome.ASK_GUARD.value,
        "reason": Reason.IDENTITY_UNCONFIRMED.value,
        "day": world.day,
        "scheme": "seat",
        "queue": "claim",
    }
    if command.snapshot and "snapshot" in pupil.consents:
        body["snapshot"] = command.snapshot
    fact = Fact(Kind.IDENTITY_CLAIMED, body)
    return Decision(
        outcome=Outcome.ASK_GUARD,
        reason=Reason.IDENTITY_UNCONFIRMED,
        facts=(fact,),
        access_point=point.id,
        child=child,
    )


def confirm_identity(command: c.ConfirmIdentity, world: World, now_ms: int, trusted: bool) -> Decision:
    request = world.campus.requests.get(command.claim)
    if request is None or request.kind != "claim":
        return refused(Reason.NO_SUCH_CASE)
    if not command.same_person:
        body = {"requests": [request.id], "by": command.by, "day": world.day, "access_point": request.access_point}
        return done(Fact(Kind.IDENTITY_DECLINED, body), access_point=request.access_point)
    point = world.rules.access_points[request.access_point]
    decision = decide_child(
        request.person, point, world, now_ms, trusted,
        snapshot=request.snapshot, scheme="staff_sight", closes=(request.id,),
    )  # fmt: skip
    facts = tuple(Fact(f.kind, {**f.body, "confirmed_by": command.by, "requests": [request.id]}) for f in decision.facts)
    if not facts:
        facts = (Fact(Kind.LEFT_QUEUE, {"requests": [request.id], "by": command.by, "day": world.day}),)
    return Decision(
        outcome=decision.outcome, reason=decision.reason, facts=facts, access_point=point.id,
        child=request.person, room=decision.room, open_door=decision.open_door,
    )  # fmt: skip


def release(command: c.Release, world: World, now_ms: int, trusted: bool) -> Decision:
    """One press for several siblings: all of them may go, or nobody does and the reason is named."""
    point = world.rules.access_points.get(command.access_point)
    if point is None:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    if not command.children:
        return refused(Reason.NO_SUCH_PERSON)
    verdicts = {
        child: may_collect(
            world, child=child, collector=command.collector, gate=point.gate, now_ms=now_ms, trusted=trusted
        )
        for child in dict.fromkeys(command.children)
    }
    for child, verdict in verdicts.items():
        problem = _unmet(command, verdict, world)
        if problem is not None:
            alarm = verdict.reason is Reason.COLLECTOR_RESTRICTED
            told = [] if verdict.outcome is Outcome.ASK_GUARD else [_not_released(command, child, problem, world)]
            missing = [n for n in verdict.needs if n not in _verified(command, world)]
            return Decision(
                outcome=Outcome.REFUSED, reason=problem, facts=tuple(told), child=child, person=command.collector,
                access_point=point.id, alarm=alarm, detail={"needs": missing},
            )  # fmt: skip
    facts = tuple(_released(command, child, verdict, world) for child, verdict in verdicts.items())
    return Decision(
        outcome=Outcome.GRANTED, reason=Reason.COLLECTED, facts=facts, access_point=point.id,
        child=command.children[0], person=command.collector, open_door=True,
    )  # fmt: skip


def _not_released(command: c.Release, child: int, reason: Reason, world: World) -> Fact:
    """A refusal is a fact: who tried to take which child, and who said no. The queue keeps the adult."""
    body: dict[str, Any] = {
        "children": [child],
        "collector": command.collector,
        "access_point": command.access_point,
        "reason": reason.value,
        "guard": command.by,
        "day": world.day,
    }
    if reason is Reason.COLLECTOR_RESTRICTED:
        body["alarm"] = "restricted_person"
    return Fact(Kind.PICKUP_REFUSED, body)


def _verified(command: c.Release, world: World) -> frozenset[str]:
    """What was really done: pressing release says that the photo was looked at; a second person must exist."""
    done_checks = {PHOTO, *command.verified} - {SECOND_PERSON}
    second = world.directory.staff.get(command.second) if command.second is not None else None
    if second is not None and second.number != command.by:
        done_checks.add(SECOND_PERSON)
    return frozenset(done_checks)


def _unmet(command: c.Release, verdict: Verdict, world: World) -> Reason | None:
    if verdict.outcome is not Outcome.ASK_GUARD:
        return verdict.reason
    missing = set(verdict.needs) - _verified(command, world)
    if not missing:
        return None
    if verdict.reason in (Reason.COLLECTOR_PRESENT, Reason.LEAVE_SLIP):
        return Reason.SECOND_PERSON_NEEDED if missing == {SECOND_PERSON} else Reason.IDENTITY_UNCONFIRMED
    return verdict.reason


def _released(command: c.Release, child: int, verdict: Verdict, world: World) -> Fact:
    state = world.campus.child(child)
    slip = verdict.reason in (Reason.LEAVE_SLIP, Reason.LEAVE_SLIP_DIFFERS)
    open_requests = [
        r.id
        for r in world.campus.requests.values()
        if r.person == command.collector or (r.kind in ("child", "claim") and r.person == child)
    ]
    body: dict[str, Any] = {
        "child": child,
        "collector": command.collector,
        "relation": verdict.relation,
        "mode": "slip" if slip else "collected",
        "access_point": command.access_point,
        "reason": (Reason.LEAVE_SLIP if slip else Reason.COLLECTED).value,
        "verified": sorted(_verified(command, world)),
        "guard": command.by,
        "custodian": state.hold.custodian,
        "day": world.day,
        "requests": open_requests,
    }
    if command.second is not None:
        body["second"] = command.second
    return Fact(Kind.RELEASED, body, command.reason)


def refuse_pickup(command: c.RefusePickup, world: World, now_ms: int, trusted: bool) -> Decision:
    """A refusal is a fact. A restricted person raises the silent alarm as well."""
    requests = [r.id for r in world.campus.requests.values() if command.collector and r.person == command.collector]
    body: dict[str, Any] = {
        "children": list(command.children),
        "access_point": command.access_point,
        "reason": command.reason,
        "guard": command.by,
        "day": world.day,
        "requests": requests,
    }
    if command.collector is not None:
        body["collector"] = command.collector
    barred = command.collector is not None and any(restricted(world, n, command.collector) for n in command.children)
    if barred and not requests:  # came without a card: the tap has raised no alarm
        body["alarm"] = "restricted_person"
    fact = Fact(Kind.PICKUP_REFUSED, body, command.description)
    return done(fact, person=command.collector, access_point=command.access_point, alarm=barred)


def dismiss(command: c.DismissFromQueue, world: World, now_ms: int, trusted: bool) -> Decision:
    request = world.campus.requests.get(command.queue_id)
    if request is None:
        return refused(Reason.NO_SUCH_CASE)
    body = {"requests": [request.id], "by": command.by, "day": world.day, "access_point": request.access_point}
    return done(Fact(Kind.LEFT_QUEUE, body), access_point=request.access_point)


# --- leave, cards, emergency -------------------------------------------------------------------------


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


def declare_emergency(command: c.DeclareEmergency, world: World, now_ms: int, trusted: bool) -> Decision:
    body = {"by": command.by, "drill": command.drill, "day": world.day}
    return done(Fact(Kind.EMERGENCY_DECLARED, body), reason=Reason.EMERGENCY, open_door=True)


def end_emergency(command: c.EndEmergency, world: World, now_ms: int, trusted: bool) -> Decision:
    if world.campus.emergency is None:
        return refused(Reason.NO_SUCH_CASE)
    return done(Fact(Kind.EMERGENCY_ENDED, {"by": command.by, "day": world.day}))


# --- cases and the end of the day ----------------------------------------------------------------------


def acknowledge(command: c.Acknowledge, world: World, now_ms: int, trusted: bool) -> Decision:
    child = case_child(world, command.case)
    if child is None:
        return refused(Reason.NO_SUCH_CASE)
    body = {"case": command.case, "child": child, "by": command.by, "day": world.day}
    return done(Fact(Kind.ACKNOWLEDGED, body), child=child)


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


def clear_campus(command: c.ClearCampus, world: World, now_ms: int, trusted: bool) -> Decision:
    """静校. Refused while anyone is in custody or anything is open; otherwise a statement of zero."""
    blockers = clear_blockers(world)
    if blockers:
        return refused(Reason.NOT_CLEAR, blockers=list(blockers))
    states = [s for s in world.campus.children.values() if s.day == world.day]
    body = {
        "by": command.by,
        "day": world.day,
        "in_custody": 0,
        "arrived": sum(1 for s in states if s.arrived_ms),
        "released": sum(1 for s in states if s.released_ms),
    }
    return done(Fact(Kind.CAMPUS_CLEARED, body))


def clear_blockers(world: World) -> tuple[str, ...]:
    """What still stands in the way, as `kind:count`."""
    counts = {
        "children": sum(1 for _ in world.campus.on_campus()),
        "conflicts": len(world.campus.conflicts()),
        "alarms": len(world.campus.open_alarms()),
        "emergency": 1 if world.campus.emergency else 0,
    }
    return tuple(f"{name}:{count}" for name, count in counts.items() if count)


def room_of(world: World, roster: str) -> str:
    """Where a roster's children are, for the facts that put them there."""
    kind, _, key = roster.partition(":")
    if kind == "class":
        school_class = world.directory.classes.get(key)
        return school_class.room if school_class else ""
    session = world.directory.sessions.get(key)
    return session.room if session else ""
