"""May this adult collect this child, now, here? The release table of domain 7.4 as one function.

`may_collect` looks and judges; it records nothing and releases nobody. A card only says who somebody claims to be:
the answer is at best "the guard may release once these checks are done".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from kiosk.core import tokens
from kiosk.core.child import ChildState, Slip
from kiosk.core.decisions import Outcome, Reason
from kiosk.core.people import Authorisation, Collector, Pupil, within
from kiosk.core.world import World

PHOTO = "photo"
CALL_BACK = "call_back"
SECOND_PERSON = "second_person"
CHILD_RECOGNISES = "child_recognises"
ID_SEEN = "id_seen"
CHECKS = (PHOTO, CHILD_RECOGNISES, CALL_BACK, ID_SEEN, SECOND_PERSON)  # in the order a guard does them


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`needs`: checks that must be done before the guard may press release. Only ASK_GUARD can be released on."""

    outcome: Outcome
    reason: Reason
    needs: tuple[str, ...] = ()
    relation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an adult's right to collect a child rests on: a listed authorisation, or a delegate's pass."""

    relation: str
    guardian: bool = False
    minor: bool = False
    collector: int = 0  # 0: on no list
    in_force: bool = True
    over_limit: bool = False
    by_pass: bool = False
    shown: bool = True  # False: a pass that was registered and could not be read at the gate


def restricted(world: World, child: int, collector: int) -> bool:
    """Whether a restriction in force keeps this adult from this child. Outranks everything."""
    return collector in restricted_to(world, child)


def restricted_to(world: World, child: int) -> set[int]:
    """Everybody whom a restriction in force keeps from this child."""
    today, listed = world.book.day.date, world.directory.restrictions_of.get(child, ())
    return {r.collector for r in listed if within(r.valid_from, r.valid_to, today)}


def barred_as(world: World, child: int, *, name: str, phone: str = "", id_last4: str = "") -> bool:
    """Whether somebody on no list is a person kept from this child: by name, telephone or end of the document's number.

    `phone` may be four digits, as a pass has them. A restriction is not walked around by another form; one child has so few
    of them that an innocent person with the same four digits is rarer than once in a thousand.
    """
    known = (world.directory.collectors.get(number) for number in restricted_to(world, child))
    return any(adult is not None and _same(adult, name, phone, id_last4) for adult in known)


def _same(adult: Collector, name: str, phone: str, id_last4: str) -> bool:
    by_name = bool(name.strip()) and plain(adult.name) == plain(name)
    mine, theirs = digits(adult.phone), digits(phone)
    by_phone = bool(mine) and len(theirs) >= 4 and mine.endswith(theirs)
    return by_name or by_phone or (bool(adult.id_last4) and adult.id_last4.upper() == id_last4.upper())


def plain(text: str) -> str:
    """Without spaces and width, for comparing names: 张 三 is 张三."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def digits(phone: str) -> str:
    """The last eleven digits: +86 138… and 138… are one number."""
    return "".join(c for c in unicodedata.normalize("NFKC", phone) if c in "0123456789")[-11:]


def active_slip(state: ChildState, now_ms: int) -> Slip | None:
    """The leave slip (出门条) that covers this moment; the latest granted wins."""
    return next((s for s in reversed(state.slips) if s.from_ms <= now_ms <= s.to_ms), None)


def may_collect(
    world: World, *, child: int, collector: int, gate: str, now_ms: int, trusted: bool, together: AbstractSet[int] = frozenset()
) -> Verdict:
    """Rows 1, 5–10, 14–16 of the release table. Total: every pair of numbers gets a verdict. `together`: the children of
    the same press, who count against a limit together."""
    directory = world.directory
    pupil, adult = directory.pupils.get(child), directory.collectors.get(collector)
    if restricted(world, child, collector):
        return Verdict(outcome=Outcome.REFUSED, reason=Reason.COLLECTOR_RESTRICTED)
    permission = next((a for a in directory.collectors_of.get(child, ()) if a.collector == collector), None)
    if pupil is None or adult is None or permission is None:
        return Verdict(outcome=Outcome.REFUSED, reason=Reason.COLLECTOR_UNKNOWN)

    who = Standing(
        relation=permission.relation, guardian=permission.guardian, minor=adult.minor, collector=adult.number,
        in_force=in_force(permission, world.book.day.date), over_limit=over_limit(world, adult, child, together),
    )  # fmt: skip
    return judge(world, child, who, gate=gate, now_ms=now_ms, trusted=trusted)


def judge(world: World, child: int, who: Standing, *, gate: str, now_ms: int, trusted: bool) -> Verdict:
    """The rules that every adult meets, whatever the right to collect rests on. `child` is a pupil."""
    pupil, state = world.directory.pupils[child], world.campus.child(child)
    slip = active_slip(state, now_ms)
    refusal = (
        _person_refusal(world, pupil, who)
        or _presence_refusal(world, child, state)
        or _window_refusal(world, child, now_ms, slip is not None)
    )
    if refusal is not None:
        return Verdict(outcome=Outcome.REFUSED, reason=refusal, relation=who.relation)
    reason, needs = _checks(world, pupil, who, slip, gate, now_ms, trusted)
    ordered = tuple(check for check in CHECKS if check in needs)
    return Verdict(outcome=Outcome.ASK_GUARD, reason=reason, needs=ordered, relation=who.relation)


def _person_refusal(world: World, pupil: Pupil, adult: Standing) -> Reason | None:
    """A minor never collects a low grade, and others only with the family's consent (row 14)."""
    if adult.minor and (world.low_grade(pupil) or not pupil.minor_collector_consent):
        return Reason.COLLECTOR_MINOR
    return None


def _presence_refusal(world: World, child: int, state: ChildState) -> Reason | None:
    """A child already released must not be released again; one never seen today is left to the guard's eyes."""
    gone = not state.hold.live and state.released_ms and state.day == world.day
    return Reason.NOT_ON_CAMPUS if gone else None


def _window_refusal(world: World, child: int, now_ms: int, has_slip: bool) -> Reason | None:
    """Before the child's own last session ends, only a leave slip opens the gate (A16, row 10)."""
    windows = world.pupil_day(child)
    if has_slip or windows is None or not windows.teaching or now_ms >= windows.release_opens_ms:
        return None
    return Reason.NOT_YET_DISMISSED if now_ms < windows.dismissal_ms else Reason.IN_SESSION


def _checks(
    world: World, pupil: Pupil, adult: Standing, slip: Slip | None, gate: str, now_ms: int, trusted: bool
) -> tuple[Reason, set[str]]:
    """What the guard must still do, and the strongest reason why."""
    needs = {ID_SEEN} if adult.by_pass else {PHOTO}  # of a delegate there is no photo on file, but a number to compare
    reason = Reason.LEAVE_SLIP if slip else Reason.PASS_PRESENT if adult.by_pass else Reason.COLLECTOR_PRESENT
    freshness = world.freshness(now_ms, trusted)
    if not adult.guardian:
        needs.add(CHILD_RECOGNISES)
        if freshness != "green" and not world.rules.offline_delegates:
            needs.add(CALL_BACK)  # row 16: delegation cannot be verified offline
    if freshness == "amber":
        needs.add(CALL_BACK)
        reason = Reason.LIST_AMBER
    if freshness == "red":
        needs |= {SECOND_PERSON, ID_SEEN}
        reason = Reason.LIST_STALE if trusted else Reason.CLOCK_UNTRUSTED
    if slip and slip.collector is not None and slip.collector != adult.collector:
        needs.add(CALL_BACK)
        reason = Reason.LEAVE_SLIP_DIFFERS
    if world.campus.lost():  # hold and verify: nobody leaves before it is certain who goes with whom
        needs |= {CHILD_RECOGNISES, ID_SEEN}
        reason = Reason.GATE_HOLD
    if world.campus.cards.is_cloned(adult.collector, world.campus.closed_cases):
        needs.add(ID_SEEN)
        reason = Reason.CARD_CLONED
    if adult.over_limit:
        needs.add(SECOND_PERSON)
        reason = Reason.COLLECTOR_LIMIT
    if (elsewhere := tokens.why_not(world, pupil.number, trusted)) is not None:
        needs.add(SECOND_PERSON)
        reason = elsewhere
    if not adult.shown:  # registered, and the code cannot be read: the family and a colleague stand in for it
        needs |= {CALL_BACK, SECOND_PERSON}
    if not adult.in_force:
        needs |= {CALL_BACK, SECOND_PERSON}
        reason = Reason.COLLECTOR_EXPIRED  # row 6: hold, the class teacher calls back
    return reason, needs


def in_force(permission: Authorisation, today: date) -> bool:
    return within(permission.valid_from, permission.valid_to, today)


def over_limit(world: World, adult: Collector, child: int, together: AbstractSet[int]) -> bool:
    """Whether a bus's or care centre's collector has as many children as agreed without this one (row 15): those taken
    today, and those who go `together` with it in one press."""
    if not adult.daily_limit:
        return False
    taken = world.campus.collected_by(adult.number, world.day)
    return len((taken | together) - {child}) >= adult.daily_limit
