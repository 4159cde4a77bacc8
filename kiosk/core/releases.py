"""What staff do at a gate: confirm who a child is, release, refuse, undo. Commands -> Decisions.

A release is granted only on the verdict of `kiosk.core.pickup`, with everything done that it asks for.
"""

from __future__ import annotations

from typing import Any

from kiosk.core import commands as c
from kiosk.core import passes, tokens
from kiosk.core.acts import done, refused
from kiosk.core.campus_parts import Request
from kiosk.core.child import ENDING_CORRECTIONS
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.passage import decide_child
from kiosk.core.people import Role
from kiosk.core.pickup import (
    CALL_BACK,
    CHILD_RECOGNISES,
    ID_SEEN,
    PHOTO,
    SECOND_PERSON,
    Verdict,
    active_slip,
    barred_as,
    may_collect,
    restricted,
)
from kiosk.core.world import SNAPSHOT, World


def claim_seat(command: c.ClaimSeat, world: World, now_ms: int, trusted: bool) -> Decision:
    """A pupil without a card named class and seat: nothing happens until the guard has looked."""
    point = world.rules.access_points.get(command.access_point)
    child = world.directory.by_seat.get((command.class_id, command.seat))
    if point is None:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    if child is None:
        return Decision(outcome=Outcome.REFUSED, reason=Reason.NO_SUCH_PERSON, access_point=point.id)
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
    if command.snapshot and world.consented(child, SNAPSHOT):
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
    seen = {"assurance": "staff_sight", "confirmed_by": command.by, "requests": [request.id]}
    facts = tuple(Fact(f.kind, {**f.body, **seen}) for f in decision.facts)
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
    verdicts = {c: _verdict(command, c, point.gate, world, now_ms, trusted) for c in dict.fromkeys(command.children)}
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
    facts = tuple(
        _released(command, child, verdict, world, without_right=tokens.why_not(world, child, trusted) is not None)
        for child, verdict in verdicts.items()
    )
    return Decision(
        outcome=Outcome.GRANTED, reason=Reason.COLLECTED, facts=facts, access_point=point.id,
        child=command.children[0], person=command.collector, open_door=True,
    )  # fmt: skip


def _verdict(command: c.Release, child: int, gate: str, world: World, now_ms: int, trusted: bool) -> Verdict:
    if command.pass_id:
        return passes.for_release(world, command.pass_id, child, gate=gate, now_ms=now_ms, trusted=trusted)
    return may_collect(
        world, child=child, collector=command.collector, gate=gate, now_ms=now_ms, trusted=trusted,
        together=frozenset(command.children),
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
    if command.pass_id:
        body["pass_id"] = command.pass_id
    if reason is Reason.COLLECTOR_RESTRICTED:
        body["alarm"] = "restricted_person"
    return Fact(Kind.PICKUP_REFUSED, body)


def _verified(command: c.Release, world: World) -> frozenset[str]:
    """What was really done: pressing release says that the photo was looked at, where one is on file (a delegate has
    none); a second person must exist."""
    done_checks = {PHOTO, *command.verified} - {SECOND_PERSON}
    if command.pass_id:
        done_checks.discard(PHOTO)
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
    if verdict.reason in (Reason.COLLECTOR_PRESENT, Reason.PASS_PRESENT, Reason.LEAVE_SLIP):
        return Reason.SECOND_PERSON_NEEDED if missing == {SECOND_PERSON} else Reason.IDENTITY_UNCONFIRMED
    return verdict.reason


def _released(command: c.Release, child: int, verdict: Verdict, world: World, *, without_right: bool) -> Fact:
    state = world.campus.child(child)
    slip = verdict.reason in (Reason.LEAVE_SLIP, Reason.LEAVE_SLIP_DIFFERS)
    open_requests = [
        r.id
        for r in world.campus.requests.values()
        if _same_adult(command, r) or (r.kind in ("child", "claim") and r.person == child)
    ]
    body: dict[str, Any] = {
        "child": child,
        "collector": command.collector,
        "relation": verdict.relation,
        "mode": "delegate" if command.pass_id else "slip" if slip else "collected",
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
    if without_right:  # two of staff in its place
        body["alarm"] = "exceptional_release"
    if command.pass_id:
        facts = world.campus.passes.facts(command.pass_id)
        body |= {"pass_id": command.pass_id, "id_last4": facts.id_last4 if facts else ""}
    return Fact(Kind.RELEASED, body | _duress(command), command.reason)


def _same_adult(command: c.Release, request: Request) -> bool:
    """Whether that place in the queue is of the adult who takes the child now."""
    if command.pass_id:
        return request.kind == "pass" and request.pass_id == command.pass_id
    return request.kind == "collector" and request.person == command.collector


def _duress(command: c.Release | c.LetGo | c.ReleaseExceptionally) -> dict[str, str]:
    """Whoever pressed was threatened: the fact says so, and the duty leader learns which child it is about."""
    return {"flag": "duress", "alarm": "duress"} if command.duress else {}


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


def let_go(command: c.LetGo, world: World, now_ms: int, trusted: bool) -> Decision:
    """A child whom the gate left to the guard (a hold, a clock that is not trusted) goes home alone, seen by the guard.

    What the rules forbid stays forbidden: a low grade, no consent, lessons or sessions that still run.
    """
    point, pupil = world.rules.access_points.get(command.access_point), world.directory.pupils.get(command.child)
    state = world.campus.child(command.child)
    if point is None:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    if pupil is None or not state.hold.live:
        return refused(Reason.NOT_ON_CAMPUS, child=command.child)
    slip = active_slip(state, now_ms)
    alone = slip.alone if slip is not None else pupil.leaves_alone
    if world.low_grade(pupil) or not alone:
        return refused(Reason.NEEDS_ADULT, child=command.child)
    windows = world.pupil_day(pupil.number)
    early = slip is None and windows is not None and windows.teaching and now_ms < windows.release_opens_ms
    if early and trusted:
        return refused(Reason.IN_SESSION, child=command.child)
    elsewhere = tokens.why_not(world, command.child, trusted)
    if elsewhere is not None and _two_of_staff(world, command.by, command.second) is not None:
        return refused(elsewhere, child=command.child, needs=[SECOND_PERSON])
    body: dict[str, Any] = {
        "child": command.child,
        "mode": "slip_alone" if slip else "alone",
        "access_point": point.id,
        "reason": (Reason.LEAVE_SLIP if slip else Reason.LEAVES_ALONE).value,
        "verified": [PHOTO],
        "guard": command.by,
        "custodian": state.hold.custodian,
        "day": world.day,
        "requests": [r.id for r in world.campus.requests.values() if r.person == command.child],
    }
    if elsewhere is not None:
        body |= {"second": command.second, "alarm": "exceptional_release"}
    body |= _duress(command)
    return done(
        Fact(Kind.RELEASED, body), reason=Reason.LEAVES_ALONE, child=command.child, access_point=point.id, open_door=True
    )


def release_exceptionally(command: c.ReleaseExceptionally, world: World, now_ms: int, trusted: bool) -> Decision:
    """To an adult who is on no list, by two members of staff. Stays open as a case until a duty leader closes it."""
    point, state = world.rules.access_points.get(command.access_point), world.campus.child(command.child)
    if point is None:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    if command.child not in world.directory.pupils or not state.hold.live:
        return refused(Reason.NOT_ON_CAMPUS, child=command.child)
    if barred_as(world, command.child, name=command.name, id_last4=command.id_last4[-4:]):
        body: dict[str, Any] = {
            "children": [command.child], "access_point": point.id, "reason": Reason.COLLECTOR_RESTRICTED.value,
            "guard": command.by, "day": world.day, "alarm": "restricted_person",
        }  # fmt: skip
        fact = Fact(Kind.PICKUP_REFUSED, body, command.name)
        return Decision(
            outcome=Outcome.REFUSED, reason=Reason.COLLECTOR_RESTRICTED, facts=(fact,), child=command.child,
            access_point=point.id, alarm=True,
        )  # fmt: skip
    problem = _two_of_staff(world, command.by, command.second, leader=True)
    if problem is not None:
        return refused(problem, child=command.child)
    if not (command.name.strip() and command.reason.strip() and command.id_last4.strip()):
        return refused(Reason.REASON_NEEDED, child=command.child)
    missing = [check for check in (CALL_BACK, CHILD_RECOGNISES) if check not in command.verified]
    if missing:
        return refused(Reason.IDENTITY_UNCONFIRMED, child=command.child, needs=missing)
    body = {
        "child": command.child, "mode": "exceptional", "access_point": point.id, "reason": Reason.COLLECTED.value,
        "relation": command.relation, "id_type": command.id_type, "id_last4": command.id_last4[-4:],
        "verified": sorted({*command.verified, ID_SEEN, SECOND_PERSON}), "guard": command.by, "second": command.second,
        "custodian": state.hold.custodian, "day": world.day, "alarm": "exceptional_release", **_duress(command),
    }  # fmt: skip
    fact = Fact(Kind.RELEASED, body, f"{command.name} · {command.reason}")
    return done(
        fact, reason=Reason.COLLECTED, child=command.child, access_point=point.id, open_door=True, alarm=True
    )


def _two_of_staff(world: World, by: int, second: int | None, *, leader: bool = False) -> Reason | None:
    other = world.directory.staff.get(second) if second is not None else None
    if other is None or other.number == by:
        return Reason.SECOND_PERSON_NEEDED
    if leader and not any(Role.DUTY_LEADER in s.roles for s in (other, world.directory.staff[by])):
        return Reason.LEADER_NEEDED
    return None


def undo_release(command: c.UndoRelease, world: World, now_ms: int, trusted: bool) -> Decision:
    """Within seconds, by whoever pressed release. The child is held again by whoever held it."""
    found = next(
        (
            (child, state)
            for child, state in world.campus.children.items()
            if state.released_entry is not None and str(state.released_entry.id) == command.release
        ),
        None,
    )
    if found is None or found[1].before is None:
        return refused(Reason.NO_SUCH_CASE)
    child, state = found
    if state.released_entry is None or state.released_entry.body.get("guard") != command.by:
        return refused(Reason.NOT_PERMITTED, child=child)
    if now_ms - state.released_ms > world.rules.undo_ms:
        return refused(Reason.TOO_LATE, child=child)
    body = {
        "child": child, "release": command.release, "custodian": found[1].before.custodian, "by": command.by, "day": state.day,
    }  # fmt: skip
    return done(Fact(Kind.RELEASE_UNDONE, body), child=child)


CORRECTIONS = ENDING_CORRECTIONS | {"not_released"}
_MAY_CORRECT = frozenset({Role.TEACHER, Role.DUTY_LEADER, Role.OFFICE})  # a guard corrects together with a duty leader


def correct(command: c.Correct, world: World, now_ms: int, trusted: bool) -> Decision:
    """What happened is never changed: a correcting entry says what was wrong, with a reason and a second person."""
    state = world.campus.child(command.child)
    if command.child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_PERSON)
    if command.what not in CORRECTIONS or not command.note.strip():
        return refused(Reason.REASON_NEEDED, child=command.child, allowed=sorted(CORRECTIONS))
    ends = command.what in ENDING_CORRECTIONS
    if ends != state.hold.live or (not ends and not state.released_ms):
        return refused(Reason.STEP_REFUSED, child=command.child, custody=state.hold.custody.value)
    guard_only = not world.directory.staff[command.by].roles & _MAY_CORRECT
    problem = _two_of_staff(world, command.by, command.second, leader=guard_only)
    if problem is not None:
        return refused(problem, child=command.child)
    body: dict[str, Any] = {
        "child": command.child, "what": command.what, "by": command.by, "second": command.second, "day": state.day or world.day,
        "custodian": state.hold.custodian,
    }  # fmt: skip
    if not ends:
        custodian = command.custodian or (state.before.custodian if state.before else 0)
        if custodian not in world.directory.staff:
            return refused(Reason.NO_SUCH_PERSON, child=command.child)
        body["custodian"] = custodian
        if state.released_entry is not None:
            body["release"] = str(state.released_entry.id)  # a pass with which nobody left was not used
    return done(Fact(Kind.CORRECTION, body, command.note), child=command.child)
