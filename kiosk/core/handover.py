"""Roll call and handover by staff: offer, accept, decline, take a group over. Commands -> Decisions.

Every change of custodian is two facts. A count that differs from what is accepted is refused until each exception is
named; the children left out stay with the giver.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiosk.core import commands as c
from kiosk.core.acts import GATE_STAFF, ROLL_MARKS, done, refused, room_of
from kiosk.core.campus_parts import OpenOffer
from kiosk.core.child import DORMITORY, PRESENT_MARKS
from kiosk.core.custody import lapse_due
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.people import Role, within
from kiosk.core.search import for_missing, searches
from kiosk.core.world import World

EXTENDED_CARE = "to_extended_care"
_TEACHING = frozenset({Role.TEACHER, Role.DUTY_LEADER})

KINDS: dict[str, frozenset[Role]] = {  # what is handed over for -> who may take it
    "to_class": _TEACHING,
    "to_session": _TEACHING,  # from the class teacher, or from the session before
    "between_slots": _TEACHING,  # waits for a later session under a named supervisor
    EXTENDED_CARE: _TEACHING,
    "to_duty": _TEACHING,
    "to_offsite": _TEACHING,  # to the teacher who leads a group out of the school
    "to_gatehouse": GATE_STAFF,
    DORMITORY: _TEACHING,  # 生活老师; boarders only
    "guard_shift": GATE_STAFF,
}


def call_roll(command: c.CallRoll, world: World, now_ms: int, trusted: bool) -> Decision:
    unknown = [mark for mark in command.marks.values() if mark not in ROLL_MARKS]
    strangers = [child for child in command.marks if child not in world.directory.pupils]
    if unknown or not command.marks:
        return refused(Reason.REASON_NEEDED, allowed=sorted(ROLL_MARKS))
    if strangers:
        return refused(Reason.NO_SUCH_PERSON, child=strangers[0])
    body = {
        "roster": command.roster,
        "marks": [[child, mark] for child, mark in command.marks.items()],
        "by": command.by,
        "place": room_of(world, command.roster),
        "expected": len(expected(world, command.roster)),
        "counted": sum(1 for mark in command.marks.values() if mark in PRESENT_MARKS),
        "day": world.day,
    }
    absent = [(child, "marked_absent") for child, mark in command.marks.items() if mark == "absent_unexplained"]
    return done(Fact(Kind.ROLL_CALLED, body), *searches(world, absent, now_ms))


def expected(world: World, roster: str) -> tuple[int, ...]:
    """The children who belong on a roster today, in no particular order."""
    kind, _, key = roster.partition(":")
    if kind == "class":
        return world.directory.pupils_of_class.get(key, ())
    if kind == "staff":
        return tuple(child for child, state in world.campus.on_campus() if str(state.hold.custodian) == key)
    session = world.directory.sessions.get(key)
    if session is not None and session.kind == "extended_care":
        windows = world.book.pupils
        return tuple(
            child for child, day in windows.items() if day.extended_care and day.extended_care.session == key
        )
    today = world.book.day.date
    return tuple(
        e.child for e in world.directory.members_of.get(key, ()) if within(e.valid_from, e.valid_to, today)
    )


def offer(command: c.Offer, world: World, now_ms: int, trusted: bool) -> Decision:
    giver = command.giver if command.giver is not None else command.by
    leader = Role.DUTY_LEADER in world.directory.staff[command.by].roles
    if giver != command.by and not leader:
        return refused(Reason.NOT_PERMITTED)
    if command.kind not in KINDS:
        return refused(Reason.REASON_NEEDED, allowed=sorted(KINDS))
    taker = world.directory.staff.get(command.taker)
    if taker is None or not taker.roles & KINDS[command.kind] or command.taker == giver or not command.children:
        return refused(Reason.NO_SUCH_PERSON)
    children = tuple(dict.fromkeys(command.children))  # a child named twice is one child
    if command.counted is not None and command.counted != len(children):
        return refused(Reason.COUNT_DIFFERS, expected=len(children), counted=command.counted)
    for child in children:
        hold = world.campus.child(child).hold
        if hold.custodian != giver or hold.handover or not hold.live:
            return refused(Reason.STEP_REFUSED, child=child, custody=hold.custody.value)
        pupil = world.directory.pupils.get(child)
        if command.kind == DORMITORY and not (pupil and pupil.boarder):
            return refused(Reason.STEP_REFUSED, child=child, allowed=["boarder"])
    left, held = command.exceptions, {n for n in command.exceptions if world.campus.child(n).hold.custodian == giver}
    if set(left) & set(children) or set(left) - held or not all(why.strip() for why in left.values()):
        return refused(Reason.COUNT_DIFFERS, expected=len(children), counted=command.counted)
    fact = offer_fact(world, command.kind, giver, command.taker, command.place, children, command.by)
    if left:
        fact.body["exceptions"] = [[child, why] for child, why in left.items()]
    return done(fact, *for_missing(world, left.items(), now_ms))


def offer_fact(
    world: World, kind: str, giver: int, taker: int, place: str, children: Iterable[int], by: int
) -> Fact:
    listed = list(children)
    body: dict[str, Any] = {
        "reason": kind,
        "giver": giver,
        "taker": taker,
        "place": place,
        "children": listed,
        "expected": len(listed),
        "by": by,
        "day": world.day,
    }
    if kind == EXTENDED_CARE:
        body["until_ms"] = extended_end_ms(world)
    return Fact(Kind.HANDOVER_OFFERED, body)


def extended_end_ms(world: World) -> int:
    """When extended care ends today: the T0 of every child handed over to it."""
    ends = [d.extended_care.end_ms for d in world.book.pupils.values() if d.extended_care]
    return max(ends, default=world.book.gate_closes_ms)


def accept(command: c.Accept, world: World, now_ms: int, trusted: bool) -> Decision:
    found = world.campus.offers.get(command.handover)
    children = world.campus.open_children(found) if found else ()
    if found is None or not children:
        return refused(Reason.STEP_REFUSED)
    if command.by != found.taker:
        return refused(Reason.NOT_PERMITTED, taker=found.taker)
    taken = [child for child in children if child not in command.exceptions]
    if command.counted != len(taken) or set(command.exceptions) - set(children):
        return refused(Reason.COUNT_DIFFERS, expected=len(taken), counted=command.counted)
    return done(*acceptance(world, found, taken, command.exceptions, command.counted, command.by, now_ms))


def acceptance(
    world: World, found: OpenOffer, taken: list[int], exceptions: Any, counted: int, by: int, now_ms: int
) -> list[Fact]:
    """What an acceptance records: who was taken, who stays with the giver, who is looked for."""
    facts = []
    if taken:
        body: dict[str, Any] = {
            "handover": found.id,
            "reason": found.kind,
            "giver": found.giver,
            "taker": found.taker,
            "place": found.place,
            "children": taken,
            "expected": len(taken) + len(exceptions),
            "counted": counted,
            "exceptions": [[child, why] for child, why in exceptions.items()],
            "day": world.day,
        }
        if found.until_ms:
            body["until_ms"] = found.until_ms
        facts.append(Fact(Kind.HANDOVER_ACCEPTED, body))
    if exceptions:
        facts.append(declined(world, found.id, list(exceptions), by, "exception"))
        facts += for_missing(world, exceptions.items(), now_ms)
    return facts


def declined(world: World, handover: str, children: list[int], by: int, reason: str, note: str = "") -> Fact:
    body = {"handover": handover, "children": children, "by": by, "reason": reason, "day": world.day}
    return Fact(Kind.HANDOVER_DECLINED, body, note)


def decline(command: c.Decline, world: World, now_ms: int, trusted: bool) -> Decision:
    found = world.campus.offers.get(command.handover)
    children = world.campus.open_children(found) if found else ()
    if found is None or not children:
        return refused(Reason.STEP_REFUSED)
    if command.by not in (found.taker, found.giver):
        return refused(Reason.NOT_PERMITTED, taker=found.taker)
    return done(declined(world, found.id, list(children), command.by, "declined", command.reason))


def takeable(world: World, roster: str, taker: int) -> tuple[int, ...]:
    """Children who are here by tap or by roll call while somebody else still answers for them.

    What was seen here before that somebody took the child over says nothing any more.
    """
    room, found = room_of(world, roster), []
    kind, _, key = roster.partition(":")
    candidates = set(expected(world, roster))
    if kind == "session":
        candidates |= {child for child, state in world.campus.on_campus() if state.session == key}
    for child in candidates:
        state = world.campus.child(child)
        mark, marked_ms = state.marks.get(roster, ("", 0))
        here = state.session == key if kind == "session" else bool(room) and state.place == room
        by_tap = here and state.last_seen_ms > state.since_ms and (not mark or state.last_seen_ms > marked_ms)
        by_roll = mark in PRESENT_MARKS and marked_ms >= state.since_ms
        if state.hold.live and state.hold.custodian != taker and (by_tap or by_roll):
            found.append(child)
    return tuple(sorted(found))


def take_group(command: c.TakeGroup, world: World, now_ms: int, trusted: bool) -> Decision:
    """The next teacher takes everybody who is here over by sight of the roster.

    For each giver the offer that the timetable implies is recorded in the giver's name, then the acceptance. A child
    with an open offer to somebody else stays out of it.
    """
    here = [n for n in takeable(world, command.roster, command.by) if not world.campus.child(n).hold.handover]
    taken = [child for child in here if child not in command.exceptions]
    if command.counted != len(taken):
        return refused(Reason.COUNT_DIFFERS, expected=len(taken), counted=command.counted)
    if not taken:
        return refused(Reason.STEP_REFUSED)
    givers: dict[int, list[int]] = {}
    for child in taken:
        givers.setdefault(world.campus.child(child).hold.custodian, []).append(child)
    room, kind, facts = room_of(world, command.roster), _kind(world, command.roster), list[Fact]()
    for giver, children in givers.items():
        handover = world.next_entry_id(len(facts) + 1)
        facts.append(offer_fact(world, kind, giver, command.by, room, children, command.by))
        until_ms = facts[-1].body.get("until_ms", 0)
        found = OpenOffer(handover, kind, giver, command.by, room, tuple(children), now_ms, until_ms)
        facts += acceptance(world, found, children, {}, len(children), command.by, now_ms)
        left = [[n, why] for n, why in command.exceptions.items() if world.campus.child(n).hold.custodian == giver]
        facts[-1].body["exceptions"] = left
        facts[-1].body["expected"] += len(left)
    return done(*facts, *for_missing(world, command.exceptions.items(), now_ms))


def _kind(world: World, roster: str) -> str:
    kind, _, key = roster.partition(":")
    session = world.directory.sessions.get(key) if kind == "session" else None
    if session is None:
        return "to_class"
    return EXTENDED_CARE if session.kind == "extended_care" else "to_session"


def lapses_due(world: World, now_ms: int) -> list[Fact]:
    """Offers that nobody answered in time go back to the giver."""
    facts = []
    for found in world.campus.open_offers():
        if lapse_due(found.at_ms, world.rules.offer_lapse_ms, now_ms):
            children = list(world.campus.open_children(found))
            facts.append(
                Fact(Kind.HANDOVER_LAPSED, {"handover": found.id, "children": children, "day": world.day})
            )
    return facts
