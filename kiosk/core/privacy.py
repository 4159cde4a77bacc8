"""Decides what staff do on the privacy side: whom to erase, what to hold, what leaves the house, what a family asked for.

Nobody is erased who is on campus or under a hold, and nobody twice. It erases nothing itself: that begins when the fact is
durable.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from kiosk.core import commands_privacy as c
from kiosk.core.acts import done, permitted_to, refused
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.people import Role
from kiosk.core.world import World

ANSWER_WITHIN_DAYS: Final = 15  # of a request for correction; no text gives a number, "及时" is what the law says
ERASE_REASONS: Final = frozenset({"left", "asked", "office"})
LEDGER_PURPOSES: Final = (
    "attendance_card", "face_match", "snapshot", "guardian_photo", "messaging", "leaves_alone", "extended_care",
)  # fmt: skip
BASES: Final = ("consent", "statutory_duty", "emergency")
WAYS: Final = ("paper", "signed_online", "spoken")
NOTICES: Final = ("notice", "signs", "assessment", "audit")


def erase(command: c.ErasePersons, world: World, now_ms: int, trusted: bool) -> Decision:
    """Whoever is held or here stays; the others go. Refused when that leaves nobody."""
    if command.by and not permitted_to(world, command.by, frozenset({Role.DUTY_LEADER, Role.OFFICE})):
        return refused(Reason.NOT_PERMITTED)
    book, campus = world.campus.privacy, world.campus
    wanted = [p for p in dict.fromkeys(command.persons) if p > 0 and p not in book.erased and p not in world.directory.staff]
    held = [person for person in wanted if book.held(person) or _of_held_child(world, person)]
    here = [person for person in wanted if campus.child(person).hold.live]
    going = [person for person in wanted if person not in held and person not in here]
    if command.why not in ERASE_REASONS or not going:
        return refused(Reason.ON_HOLD if held else Reason.STILL_HERE if here else Reason.NO_SUCH_PERSON)
    body = {"persons": going, "why": command.why, "by": command.by, "day": world.day}
    return done(Fact(Kind.PERSON_ERASED, body), detail={"persons": going, "held": held, "here": here})


def _of_held_child(world: World, person: int) -> bool:
    """A guardian of a child whose data are held is part of what is held."""
    return any(world.campus.privacy.held(link.child) for link in world.directory.children_of.get(person, ()))


def erasure_done(command: c.ErasureDone, world: World, now_ms: int, trusted: bool) -> Decision:
    body: dict[str, Any] = {
        "persons": list(command.persons), "notes": command.notes, "pictures": command.pictures, "photos": command.photos,
        "templates": command.templates, "copies": command.copies, "number": command.directory, "left": list(command.left),
        "day": world.day,
    }  # fmt: skip
    return done(Fact(Kind.ERASURE_DONE, body))


def retention(command: c.RetentionErased, world: World, now_ms: int, trusted: bool) -> Decision:
    body = {"category": command.category, "count": command.count, "through": command.through, "day": world.day}
    return done(Fact(Kind.ERASED_BY_RETENTION, body))


def set_hold(command: c.SetHold, world: World, now_ms: int, trusted: bool) -> Decision:
    return _hold(command, world, Kind.HOLD_SET)


def lift_hold(command: c.LiftHold, world: World, now_ms: int, trusted: bool) -> Decision:
    return _hold(command, world, Kind.HOLD_LIFTED)


def _hold(command: c.SetHold | c.LiftHold, world: World, kind: Kind) -> Decision:
    """With a reason in words; once set it is not set again, and only what stands is lifted."""
    case = command.case.strip()
    if not command.reason.strip():
        return refused(Reason.REASON_NEEDED, child=command.child or None)
    if (not command.child and not case) or command.child in world.campus.privacy.erased or command.child < 0:
        return refused(Reason.NO_SUCH_PERSON)
    now = world.campus.privacy.holds.get((command.child, case))
    if (now is not None and now.stands) is (kind is Kind.HOLD_SET):
        return refused(Reason.STEP_REFUSED, child=command.child or None)
    body = {"child": command.child, "case": case, "by": command.by, "day": world.day}
    return done(Fact(kind, body, command.reason.strip()), child=command.child or None)


def export(command: c.ExportChild, world: World, now_ms: int, trusted: bool) -> Decision:
    """On record before the file is made, with who approved it."""
    if command.child in world.campus.privacy.erased:
        return refused(Reason.NO_SUCH_PERSON)
    body = {"child": command.child, "guardian": command.guardian, "by": command.by, "day": world.day}
    return done(Fact(Kind.CHILD_EXPORTED, body), child=command.child)


def ask_correction(command: c.AskCorrection, world: World, now_ms: int, trusted: bool) -> Decision:
    if command.child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_PERSON)
    if not command.what.strip() or not command.new.strip():
        return refused(Reason.REASON_NEEDED, child=command.child)
    due = (date.fromisoformat(world.day) + timedelta(days=ANSWER_WITHIN_DAYS)).isoformat()
    body = {
        "child": command.child, "what": command.what.strip(), "guardian": command.guardian, "due": due, "by": command.by,
        "day": world.day,
    }  # fmt: skip
    words = msgspec.json.encode({"old": command.old.strip(), "new": command.new.strip()}).decode()
    return done(Fact(Kind.CORRECTION_ASKED, body, words), child=command.child)


def decide_correction(command: c.DecideCorrection, world: World, now_ms: int, trusted: bool) -> Decision:
    """Once. A refusal says why in writing."""
    book = world.campus.privacy
    found = book.asked.get(command.request)
    if found is None or command.request in book.decided:
        return refused(Reason.NO_SUCH_CASE)
    if not command.granted and not command.reason.strip():
        return refused(Reason.REASON_NEEDED, child=found.child)
    body = {
        "child": found.child, "request": command.request, "granted": command.granted, "by": command.by, "day": world.day,
    }  # fmt: skip
    return done(Fact(Kind.CORRECTION_DECIDED, body, command.reason.strip()), child=found.child)


def consent_row(command: c.RecordConsentRow, world: World, now_ms: int, trusted: bool) -> Decision:
    """A line of the ledger: whoever signed is one of the child's guardians, or nobody of the list (0)."""
    if command.child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_PERSON)
    guardians = {a.collector for a in world.directory.collectors_of.get(command.child, ()) if a.guardian}
    if command.guardian and command.guardian not in guardians:
        return refused(Reason.NO_SUCH_PERSON, child=command.child)
    words_known = command.purpose in LEDGER_PURPOSES and command.basis in BASES and command.how in WAYS
    if not words_known or not _dates_fit(command.valid_from, command.valid_to):
        return refused(Reason.REASON_NEEDED, child=command.child, allowed=list(LEDGER_PURPOSES))
    body = {
        "child": command.child, "purpose": command.purpose, "guardian": command.guardian, "how": command.how,
        "text_version": command.text_version, "basis": command.basis, "valid_from": command.valid_from,
        "valid_to": command.valid_to, "by": command.by, "day": world.day,
    }  # fmt: skip
    return done(Fact(Kind.CONSENT_RECORDED, body, command.paper.strip()), child=command.child)


def _dates_fit(first: str, last: str) -> bool:
    try:
        days = [date.fromisoformat(text) for text in (first, last) if text]
    except ValueError:
        return False
    return len(days) < 2 or days[0] <= days[1]


def issue(command: c.IssueNotice, world: World, now_ms: int, trusted: bool) -> Decision:
    if command.what not in NOTICES:
        return refused(Reason.REASON_NEEDED, allowed=list(NOTICES))
    body = {"what": command.what, "digest": command.digest, "by": command.by, "day": world.day}
    return done(Fact(Kind.NOTICE_ISSUED, body))


def incident(command: c.ReportIncident, world: World, now_ms: int, trusted: bool) -> Decision:
    if not command.words.strip() or not command.step:
        return refused(Reason.REASON_NEEDED)
    body = {
        "step": command.step, "of": command.incident, "count": command.children, "by": command.by, "day": world.day,
    }  # fmt: skip
    return done(Fact(Kind.PRIVACY_INCIDENT, body, command.words.strip()))
