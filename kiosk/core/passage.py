"""A read at an access point -> Decision(outcome, reason). The heart of every tap.

Direction is explicit: an access point leads from one area to another, and a tap never toggles. Arrival fails open
(a child outside the fence is the greater danger); release fails closed to staff. Total: no input raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from kiosk.core import late_reads, other_reads, passes, recognised, sun_taps, tokens, vetting
from kiosk.core.child import PRESENT_MARKS, ChildState
from kiosk.core.commands import Read
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.people import Pupil, within
from kiosk.core.pickup import active_slip
from kiosk.core.recognised import identify
from kiosk.core.rules import MINUTE_MS, AccessKind, AccessPoint
from kiosk.core.timetable import PupilDay, SessionTime
from kiosk.core.world import SNAPSHOT, World

AT_GATE = "校门"
ON_CAMPUS = "校园"


def decide(read: Read, world: World, now_ms: int, trusted: bool) -> Decision:
    """The answer to a read. A network reader that asks again with the same nonce gets the same answer; nothing is new."""
    at_ms = late_reads.moment_ms(read, now_ms, trusted)
    before = world.campus.answered.get((read.access_point, read.nonce)) if read.nonce else None
    if before is not None:
        return Decision(
            outcome=Outcome(before.outcome), reason=Reason(before.reason), access_point="" if at_ms else read.access_point,
            child=before.child or None, person=before.person or None, adult=before.adult,
        )  # fmt: skip
    if at_ms is None:
        of_today = world.local_date(now_ms) == world.book.day.date  # a clock was set right, and no tick has turned the page yet
        decision = _decide(read, world, now_ms, trusted and of_today)
    else:
        if late_reads.of_other_times(at_ms, now_ms):
            return late_reads.NOTHING
        as_of_then = _decide(replace(read, snapshot=""), world, at_ms, trusted)
        decision = late_reads.told(as_of_then, read, at_ms, world, now_ms, trusted)
    if not read.nonce:
        return decision
    named = tuple(Fact(fact.kind, {**fact.body, "nonce": read.nonce}, fact.note) for fact in decision.facts)
    return msgspec.structs.replace(decision, facts=named)


def _decide(read: Read, world: World, now_ms: int, trusted: bool) -> Decision:
    """Who is it, and what does this access point do with them?"""
    point = world.rules.access_points.get(read.access_point)
    if point is None:
        return Decision(
            outcome=Outcome.REFUSED, reason=Reason.NO_SUCH_ACCESS_POINT, access_point=read.access_point
        )
    if passes.is_pass(read.value):  # by a scanner that says "qr", or one that types like a keyboard
        return passes.decide(read, point, world, now_ms, trusted)
    seen = sun_taps.examined(read, world)
    if seen is None:
        return sun_taps.with_assurance(_of_card(read, point, world, now_ms, trusted), read.assurance)
    if seen.refusal is not None:
        holders, _ = identify(seen.read, world)
        return sun_taps.refused(seen, holders[0] if len(holders) == 1 else 0, world, point, now_ms)
    return sun_taps.recorded(_of_card(seen.read, point, world, now_ms, trusted), seen, world)


def _of_card(read: Read, point: AccessPoint, world: World, now_ms: int, trusted: bool) -> Decision:
    """A card, a number or another name of somebody, as far as it was proven."""
    holders, uid = identify(read, world)
    if read.random_uid or not holders:
        return other_reads.unknown(read, world, point)
    if (unused := recognised.unused(read, holders, world, point)) is not None:
        return unused
    if len(holders) > 1:
        return other_reads.ambiguous(read, world, point, holders)
    person = holders[0]
    if other_reads.is_lost(world, uid):
        return other_reads.lost(world, point, person, read)
    if person in world.directory.pupils:
        doubt = sun_taps.doubt(read, uid, world)
        return decide_child(person, point, world, now_ms, trusted, snapshot=read.snapshot, scheme=read.scheme, doubt=doubt)
    if person in world.directory.collectors:
        return other_reads.collector(person, point, world, now_ms, trusted, read, uid)
    if (kept := vetting.at_point(world, person, point, now_ms)) is not None:
        return kept
    return Decision(outcome=Outcome.GRANTED, reason=Reason.STAFF, access_point=point.id, person=person, open_door=True)


def decide_child(
    child: int,
    point: AccessPoint,
    world: World,
    now_ms: int,
    trusted: bool,
    *,
    snapshot: str = "",
    scheme: str = "uid",
    closes: tuple[str, ...] = (),
    doubt: str = "",
) -> Decision:
    """A known child at an access point, by card or confirmed by the guard (then `closes` names the claim)."""
    tap = _Tap(child, point, world, now_ms, trusted, snapshot, scheme, closes, doubt)
    if tap.repeated:
        return tap.same_again()
    emergency = world.campus.emergency
    if emergency and not emergency.drill and point.kind is AccessKind.EXIT:
        return tap.record(Kind.SEEN, Reason.EMERGENCY, place=AT_GATE, open_door=True)  # row 12
    return _BY_POINT[point.kind](tap)


class _Tap:
    """One child's tap with all that the rules below look at, and the few ways to answer it."""

    __slots__ = (
        "child", "closes", "doubt", "now_ms", "point", "pupil", "scheme", "snapshot", "state", "trusted", "windows", "world",
    )  # fmt: skip

    def __init__(
        self, child: int, point: AccessPoint, world: World, now_ms: int, trusted: bool,
        snapshot: str, scheme: str, closes: tuple[str, ...], doubt: str,
    ) -> None:  # fmt: skip
        self.child, self.point, self.world = child, point, world
        self.now_ms, self.trusted, self.scheme, self.closes, self.doubt = now_ms, trusted, scheme, closes, doubt
        self.pupil: Pupil = world.directory.pupils[child]
        self.state: ChildState = world.campus.child(child)
        self.windows: PupilDay | None = world.pupil_day(child)
        self.closes += world.campus.unused_requests(child)  # here again: the guard need not look for the child any more
        self.snapshot = snapshot if world.consented(child, SNAPSHOT) else ""  # consent first, checked here

    @property
    def present(self) -> bool:
        return self.state.hold.live

    @property
    def repeated(self) -> bool:
        """The same child at the same place (or at a second reader beside it) within a few seconds."""
        state = self.state
        if not state.last_seen_ms or not 0 <= self.now_ms - state.last_seen_ms < self.world.rules.repeat_ms:
            return False
        before = self.world.rules.access_points.get(state.last_point)
        here = self.point
        return before is not None and (before.kind, before.room, before.gate) == (here.kind, here.room, here.gate)

    def body(self, reason: Reason, **more: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "child": self.child,
            "access_point": self.point.id,
            "reason": reason.value,
            "day": self.world.day,
            "scheme": self.scheme,
            **sun_taps.flagged(self.doubt),
            **more,
        }
        if self.snapshot:
            body["snapshot"] = self.snapshot
        if self.closes:
            body["requests"] = list(self.closes)
        return body

    def record(self, kind: Kind, reason: Reason, *, open_door: bool, room: str = "", **more: Any) -> Decision:
        return Decision(
            outcome=Outcome.GRANTED,
            reason=reason,
            facts=(Fact(kind, self.body(reason, **more)),),
            access_point=self.point.id,
            child=self.child,
            room=room,
            open_door=open_door,
        )

    def same_again(self) -> Decision:
        """What was said a moment ago, said again; nothing new is recorded."""
        granted = self.state.last_outcome == Outcome.GRANTED
        return Decision(
            outcome=Outcome(self.state.last_outcome),
            reason=Reason.REPEAT if granted else Reason(self.state.last_reason),
            access_point=self.point.id,
            child=self.child,
        )

    def turn_back(self, reason: Reason, *, outcome: Outcome = Outcome.REFUSED, room: str = "") -> Decision:
        """Refused or left to the guard; recorded either way. At a gate the guard sees the child on the queue."""
        queue = {"queue": "child", "candidates": [self.child]} if outcome is Outcome.ASK_GUARD else {}
        body = self.body(reason, outcome=outcome.value, **queue)
        if room:
            body["room"] = room
        return Decision(
            outcome=outcome,
            reason=reason,
            facts=(Fact(Kind.READ_REFUSED, body),),
            access_point=self.point.id,
            child=self.child,
            room=room,
        )


# --- entrance ------------------------------------------------------------------------------------


def _arrive(tap: _Tap) -> Decision:
    if tap.present:  # soft anti-passback: let in, flagged
        return tap.record(Kind.SEEN, Reason.ALREADY_IN, open_door=True, flag="already_in")
    reason, custodian = _arrival(tap)
    more: dict[str, Any] = {"custodian": custodian, "place": ON_CAMPUS}
    if tap.state.released_ms and tap.now_ms - tap.state.released_ms < tap.world.rules.anti_passback_ms:
        more["flag"] = "in_after_out"
    return tap.record(Kind.ARRIVED, reason, open_door=True, **more)


def _arrival(tap: _Tap) -> tuple[Reason, int]:
    """Why this arrival is what it is, and who answers for the child from now on."""
    world, windows = tap.world, tap.windows
    teacher = world.class_teacher(tap.pupil)
    if not tap.trusted:
        return Reason.RECORDED, teacher  # an untrusted clock knows neither the hour nor the day: nothing is judged by it
    if windows is None or not windows.teaching:
        expected = windows is not None and windows.sessions  # enrolled for the weekend day or the holiday opening
        return (Reason.RECORDED if expected else Reason.NON_SERVICE_DAY), world.fallback_custodian()
    if tap.now_ms < windows.arrive_opens_ms:
        return Reason.EARLY_ARRIVAL, world.rules.early_duty_teacher or world.fallback_custodian()
    if tap.state.released_ms and tap.state.day == world.day:
        return Reason.RECORDED, teacher  # back from leave: was not late this morning
    return (Reason.LATE if tap.now_ms >= windows.late_after_ms else Reason.ON_TIME), teacher


# --- exit ----------------------------------------------------------------------------------------


def _leave(tap: _Tap) -> Decision:
    """Rows 2–4, 10 and 11 of the release table: a child on its own at the exit."""
    slip = active_slip(tap.state, tap.now_ms)
    if not tap.present:
        return tap.turn_back(Reason.NOT_ON_CAMPUS, outcome=Outcome.ASK_GUARD)
    if slip is not None:
        if slip.alone and tap.world.campus.lost():
            return tap.turn_back(Reason.GATE_HOLD, outcome=Outcome.ASK_GUARD)
        if slip.alone and not tap.world.low_grade(tap.pupil):
            return _go(tap, Reason.LEAVE_SLIP, mode="slip_alone", kind=slip.kind)
        return tap.turn_back(Reason.LEAVE_SLIP_DIFFERS)
    if tap.world.low_grade(tap.pupil) or not tap.pupil.leaves_alone:
        return tap.turn_back(Reason.NEEDS_ADULT)
    if not tap.trusted:
        return tap.turn_back(Reason.CLOCK_UNTRUSTED, outcome=Outcome.ASK_GUARD)
    if tap.world.campus.lost():
        return tap.turn_back(Reason.GATE_HOLD, outcome=Outcome.ASK_GUARD)
    windows = tap.windows
    if windows is not None and windows.teaching and tap.now_ms < windows.release_opens_ms:
        early = tap.now_ms < windows.dismissal_ms
        return tap.turn_back(Reason.NOT_YET_DISMISSED if early else Reason.IN_SESSION)
    return _go(tap, Reason.LEAVES_ALONE, mode="alone")


def _go(tap: _Tap, reason: Reason, *, mode: str, kind: str = "") -> Decision:
    if (elsewhere := tokens.why_not(tap.world, tap.child, tap.trusted)) is not None:
        return tap.turn_back(elsewhere, outcome=Outcome.ASK_GUARD)
    if tap.doubt == sun_taps.ASKS:
        return tap.turn_back(Reason.CARD_UNPROVEN, outcome=Outcome.ASK_GUARD)
    more: dict[str, Any] = {"mode": mode, "custodian": tap.state.hold.custodian}
    if kind:
        more["slip"] = kind
    if tap.now_ms - tap.state.arrived_ms < tap.world.rules.anti_passback_ms:
        more["flag"] = "out_after_in"
    return tap.record(Kind.RELEASED, reason, open_door=True, **more)


# --- rooms ---------------------------------------------------------------------------------------


def _enter_room(tap: _Tap) -> Decision:
    world, room = tap.world, tap.point.room
    mine = _own_session(tap)
    if mine is not None and mine.room == room:
        return _enter(tap, mine, _punctuality(tap, mine))
    if mine is not None:
        return tap.turn_back(Reason.WRONG_ROOM, room=mine.room)
    running = session_in_room(world, room, tap.now_ms)
    if running is not None:
        return msgspec.structs.replace(_enter(tap, running, Reason.GUEST), detail=_places(world, running.session))
    if tap.windows is None or not tap.windows.service:
        return tap.record(Kind.SEEN, Reason.NON_SERVICE_DAY, open_door=True, place=room)
    own = world.directory.classes.get(tap.pupil.class_id)
    if own is not None and own.room == room and tap.present:
        return tap.record(Kind.SEEN, Reason.RECORDED, open_door=True, place=room)
    return tap.turn_back(Reason.OUTSIDE_WINDOW)


def _places(world: World, session: str) -> dict[str, int]:
    """How full the session is, for whoever has to find a place for a guest; nothing where it has no limit."""
    capacity, today = world.directory.sessions[session].capacity, world.book.day.date
    taken = sum(1 for e in world.directory.members_of.get(session, ()) if within(e.valid_from, e.valid_to, today))
    return {"taken": taken, "capacity": capacity} if capacity else {}


def _own_session(tap: _Tap) -> SessionTime | None:
    """The child's session that this tap is about: the one of this room if it runs or begins soon, else the one that runs.

    Where two follow each other in one room, whoever was called away from the first comes for the second.
    """
    windows, now_ms, rules = tap.windows, tap.now_ms, tap.world.rules
    if windows is None:
        return None
    mine = (*windows.sessions, windows.extended_care) if windows.extended_care else windows.sessions
    open_now = [s for s in mine if s.start_ms - rules.session_lead_ms <= now_ms < s.end_ms]
    running = next((s for s in open_now if s.start_ms <= now_ms), None)
    found: SessionTime | None = None
    for session in open_now:
        soon = running is None or now_ms >= session.start_ms - rules.changeover_ms
        if session.room == tap.point.room and (session is running or soon):
            found = session
            if session is not running or not _called_away(tap, session):
                break
    return found or running or next(iter(open_now), None)


def _called_away(tap: _Tap, session: SessionTime) -> bool:
    """The roll of the session says that the child is not in it, and no tap since says otherwise."""
    mark, _ = tap.state.marks.get(f"session:{session.session}", ("", 0))
    return bool(mark) and mark not in PRESENT_MARKS and tap.state.session != session.session


def session_in_room(world: World, room: str, now_ms: int) -> SessionTime | None:
    lead_ms, times = world.rules.session_lead_ms, world.book.session_times.values()
    return next((s for s in times if s.room == room and s.start_ms - lead_ms <= now_ms < s.end_ms), None)


def _punctuality(tap: _Tap, session: SessionTime) -> Reason:
    if not tap.trusted:
        return Reason.RECORDED
    return Reason.ON_TIME if tap.now_ms <= session.start_ms + MINUTE_MS else Reason.LATE


def _enter(tap: _Tap, session: SessionTime, reason: Reason) -> Decision:
    """`custodian` counts only for a child who was not known to be on campus."""
    return tap.record(
        Kind.SESSION_ENTERED, reason, open_door=True, room=session.room,
        session=session.session, place=session.room, custodian=session.teacher or tap.world.fallback_custodian(),
    )  # fmt: skip


def _leave_room(tap: _Tap) -> Decision:
    if not tap.state.session:
        return tap.record(Kind.SEEN, Reason.RECORDED, open_door=True, place=ON_CAMPUS)
    return tap.record(
        Kind.SESSION_LEFT, Reason.SESSION_LEFT, open_door=True, session=tap.state.session, place=ON_CAMPUS
    )


def _at_desk(tap: _Tap) -> Decision:
    """A child's card at a staff desk is shown to staff; it moves nothing."""
    return tap.turn_back(Reason.IDENTITY_UNCONFIRMED, outcome=Outcome.ASK_GUARD)


_BY_POINT: dict[AccessKind, Callable[[_Tap], Decision]] = {
    AccessKind.ENTRANCE: _arrive,
    AccessKind.EXIT: _leave,
    AccessKind.ROOM: _enter_room,
    AccessKind.ROOM_EXIT: _leave_room,
    AccessKind.DESK: _at_desk,
}
