"""Registering a delegate for one pick-up, and revoking it. Commands -> Decisions.

The word of a guardian whom the school called is what a pass rests on; who pressed answers for the call. Nothing is signed
here: the edge signs what became durable.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.pass_book import MAX_DAYS_AHEAD
from kiosk.core.people import Role
from kiosk.core.pickup import CALL_BACK, barred_as, in_force, restricted
from kiosk.core.world import Delegate, World

PASSES_A_DAY = 3  # of one child, revoked ones not counted: who needs more is asked by the office
_PASS_ID = re.compile(r"[0-9a-f]{16}")
_LAST4 = re.compile(r"[0-9A-Z]{4}")


def register(command: c.RegisterDelegate, world: World, now_ms: int, trusted: bool) -> Decision:
    """A pass, once a guardian who is free to do so has confirmed it on the telephone."""
    child = command.child
    if child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_PERSON)
    if not _answers_for(world, child, command.by):
        return refused(Reason.NOT_PERMITTED, child=child)
    if barred_as(world, child, name=command.name, phone=command.phone, id_last4=command.id_last4):
        return _barred(command, world)
    problem = _form_problem(command, world) or _guardian_problem(command, world)
    if problem is not None:
        return problem
    body: dict[str, Any] = {
        "child": child,
        "pass_id": command.pass_id,
        "for_day": command.for_day,
        "gate": command.gate,
        "guardian": command.guardian,
        "relation": command.relation.strip(),
        "id_last4": command.id_last4.upper(),
        "verified": [CALL_BACK],
        "by": command.by,
        "day": world.day,
    }
    who = Delegate(command.name.strip(), command.phone.strip(), command.features.strip())
    world.remember_delegate(command.pass_id, who)
    return done(Fact(Kind.DELEGATE_REGISTERED, body, note_of(who)), child=child, detail={"pass_id": command.pass_id})


def note_of(who: Delegate) -> str:
    """The erasable note, for people to read and for `delegate_of` to read again."""
    return "\n".join(" ".join(part.split()) for part in who)


def delegate_of(note: str) -> Delegate:
    """The delegate of a note made by `note_of`, or of one that holds the name alone."""
    name, phone, features = (*note.split("\n", 2), "", "")[:3]
    return Delegate(name, phone, features)


def _answers_for(world: World, child: int, by: int) -> bool:
    """The office, a duty leader, or the child's own class teacher: who knows the family's voice."""
    staff, pupil = world.directory.staff[by], world.directory.pupils[child]
    return bool(staff.roles & {Role.OFFICE, Role.DUTY_LEADER}) or world.class_teacher(pupil) == by


def _form_problem(command: c.RegisterDelegate, world: World) -> Decision | None:
    child, last4 = command.child, command.id_last4.upper()
    fits = {
        "pass_id": _PASS_ID.fullmatch(command.pass_id) is not None,
        "name": 0 < len(command.name.strip()) <= 20 and command.name.isprintable(),
        "relation": 0 < len(command.relation.strip()) <= 12 and command.relation.isprintable(),
        "id_last4": _LAST4.fullmatch(last4) is not None,
        "gate": command.gate in gates_of(world, child),
        "adult": command.adult,
        "call_back": command.called_back,
    }
    wrong = [field for field, fit in fits.items() if not fit]
    if wrong:
        return refused(Reason.REASON_NEEDED, child=child, needs=wrong)
    book = world.campus.passes
    if book.facts(command.pass_id) is not None:
        return refused(Reason.STEP_REFUSED, child=child)
    if not _day_fits(command.for_day, world):
        return refused(Reason.PASS_OTHER_DATE, child=child, days_ahead=MAX_DAYS_AHEAD)
    live = [key for key, made in book.of_child(child) if made.facts.for_day == command.for_day and key not in book.revoked]
    return refused(Reason.COLLECTOR_LIMIT, child=child, passes=len(live)) if len(live) >= PASSES_A_DAY else None


def gates_of(world: World, child: int) -> tuple[str, ...]:
    """Where the child may be fetched: its own release gate first, then the gates of this computer."""
    school_class = world.directory.classes.get(world.directory.pupils[child].class_id)
    home = (school_class.release_gate,) if school_class and school_class.release_gate else ()
    return tuple(dict.fromkeys((*home, *world.rules.gates)))


def _day_fits(text: str, world: World) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    today = world.book.day.date
    return len(text) == 10 and today <= day <= today + timedelta(days=MAX_DAYS_AHEAD)


def _guardian_problem(command: c.RegisterDelegate, world: World) -> Decision | None:
    """The word of a guardian whom a restriction keeps away, or whose time is over, counts for nothing."""
    child, today = command.child, world.book.day.date
    listed = world.directory.collectors_of.get(child, ())
    guardian = next((a for a in listed if a.collector == command.guardian and a.guardian and in_force(a, today)), None)
    if guardian is None:
        return refused(Reason.COLLECTOR_UNKNOWN, child=child)
    if restricted(world, child, command.guardian):
        return refused(Reason.COLLECTOR_RESTRICTED, child=child)
    return None


def _barred(command: c.RegisterDelegate, world: World) -> Decision:
    """Somebody tries to send a person who is kept from the child: recorded, and the duty leader is alarmed silently."""
    body = {
        "children": [command.child],
        "reason": Reason.COLLECTOR_RESTRICTED.value,
        "by": command.by,
        "guardian": command.guardian,
        "day": world.day,
        "alarm": "restricted_person",
    }
    return Decision(
        outcome=Outcome.REFUSED, reason=Reason.COLLECTOR_RESTRICTED, child=command.child, alarm=True,
        facts=(Fact(Kind.PICKUP_REFUSED, body, command.name),),
    )  # fmt: skip


def revoke(command: c.RevokeDelegate, world: World, now_ms: int, trusted: bool) -> Decision:
    """Whoever may register may revoke. A pass that has been used stays used."""
    book = world.campus.passes
    facts = book.facts(command.pass_id)
    if facts is None or facts.child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_CASE)
    if not _answers_for(world, facts.child, command.by):
        return refused(Reason.NOT_PERMITTED, child=facts.child)
    if command.pass_id in book.revoked:
        return refused(Reason.PASS_REVOKED, child=facts.child)
    if book.used(command.pass_id):
        return refused(Reason.PASS_USED, child=facts.child)
    body = {"child": facts.child, "pass_id": command.pass_id, "for_day": facts.for_day, "by": command.by, "day": world.day}
    return done(Fact(Kind.DELEGATE_REVOKED, body), child=facts.child)


def call_for_help(command: c.CallForHelp, world: World, now_ms: int, trusted: bool) -> Decision:
    """Recorded, and a silent case for the duty leader. The answer says nothing to whoever looks at the screen."""
    body = {"staff": command.staff, "where": command.where, "day": world.day, "alarm": "duress"}
    if command.access_point:
        body["access_point"] = command.access_point
    return done(Fact(Kind.DURESS, body), person=command.staff, alarm=True)
