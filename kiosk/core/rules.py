"""The school's own figures that decisions depend on, and the places of the campus, as frozen values.

Made by `kiosk.settings` from TOML. The core reads them; nothing here has a default that a city
document would contradict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MINUTE_MS = 60_000


class AccessKind(StrEnum):
    """An access point leads from one area to another; a tap never toggles."""

    ENTRANCE = "entrance"  # street -> campus
    EXIT = "exit"  # campus -> street
    ROOM = "room"  # campus -> a room of the campus
    ROOM_EXIT = "room_exit"  # out of a room, back onto the campus
    DESK = "desk"  # the guard's or a teacher's own reader: pickup cards, sign-in, enrolment


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint:
    id: str  # east-in-1
    name: str  # 东门 1 号通道
    kind: AccessKind
    gate: str = ""  # gate id, for entrances, exits and gate desks
    room: str = ""  # room name, for ROOM and ROOM_EXIT
    relay: str = ""  # device name of the relay board that opens it, "" where there is no barrier
    relay_channel: int = 1
    pulse_s: float = 3.0
    camera: str = ""  # device name of the camera that looks at it
    turn_sensor: str = ""  # device name of the board that says when somebody went through, "" = every tap is believed
    turn_input: int = 1
    turn_within_s: float = 8.0  # a granted passage that is not used by then is taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    id: str  # east
    name: str  # 东门


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the ladder for a child not collected (domain 7.2)."""

    at_min: int  # minutes after T0
    state: str  # waiting, late, calling, gatehouse, leader, police_help
    tell: tuple[str, ...]  # session_teacher, guardian_1, class_teacher, chief_duty, guard, duty_leader, ...
    do: str  # what must be done, in Chinese
    do_en: str = ""
    adults: int = 1  # how many stay with the child from here on; whoever acknowledges names the other
    acknowledge: bool = True  # somebody must acknowledge, or the next rung fires early


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the pickup list may be: green up to, amber up to, red beyond. Milliseconds."""

    green_ms: int = 15 * MINUTE_MS
    amber_ms: int = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceRules:
    """What a likeness means, in thousandths on the scale of the engine. Chosen by the school from its own measurement."""

    engine: str = "dlib"
    clear: int = 500  # from here on the guard reads that the photo fits
    mismatch: int = 400  # below it, that somebody should look
    claims: bool = True  # a clear match lets the claim of a pupil without a card stand, on the way in
    candidates: bool = False  # nobody was named: compare with the few who are expected here now


@dataclass(frozen=True, slots=True, kw_only=True)
class VettingRules:
    """What staff from outside must have (`kiosk.core.people.VETTED`). Who is on the black list never comes in."""

    whitelist: frozenset[str] = frozenset()
    blacklist: frozenset[str] = frozenset()
    demands: frozenset[str] = frozenset({"record"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    node: str  # this gate computer's id
    gates: Mapping[str, Gate]
    access_points: Mapping[str, AccessPoint]
    ladder: tuple[Rung, ...]
    serves: frozenset[str] = frozenset()  # gates whose children this node watches over and releases; empty = all
    handover_max_grade: int = 2  # primary grades up to here are released to an adult only (办法 art. 31)
    repeat_ms: int = 5_000  # the same credential within this time is a repeat
    anti_passback_ms: int = 60_000  # in and out within this time: kept, flagged
    impossible_ms: int = 60_000  # the same card at two gates within it: one of them is a copy
    unproven_asks: frozenset[str] = frozenset()  # kinds of cards whose bare number has the guard look
    freshness: Freshness = field(default_factory=Freshness)
    offer_lapse_ms: int = 10 * MINUTE_MS  # an unanswered handover offer goes back to the giver
    acknowledge_within_ms: int = 5 * MINUTE_MS  # an unacknowledged rung fires the next one early
    eta_pause_max_ms: int = 30 * MINUTE_MS
    roll_due_ms: int = 10 * MINUTE_MS  # after a session starts
    locate_after_ms: int = 10 * MINUTE_MS  # expected in a room and not there: somebody looks for the child
    away_ms: int = 10 * MINUTE_MS  # out of a room in the middle of a session (toilet) and not back
    locate_limit_ms: int = 15 * MINUTE_MS  # not found by then: a lost child, gates on hold
    escort_after_ms: int = 0  # a group still in its room so long after its end is shown; 0 = this school has no escorts
    escort_limit_ms: int = 15 * MINUTE_MS  # an escort that has not counted at the gate by then is shown
    teacher_due_ms: int = 2 * MINUTE_MS  # nobody checked in so long after a session's start: the duty office knows; 0 = not said
    patrol_after_ms: int = 0  # a session that runs so long without a patrol is shown; 0 = no patrols
    vetting: VettingRules = field(default_factory=VettingRules)
    class_hour_min: int = 0  # minutes of one 课时; 0 = a session is one
    undo_ms: int = 10_000  # a release may be taken back by whoever pressed it
    session_lead_ms: int = 20 * MINUTE_MS  # how early before its start a session's room takes its children
    changeover_ms: int = 5 * MINUTE_MS  # the same, for a child whose session before it still runs
    seat_claim_ms: int = 10 * MINUTE_MS  # an unanswered no-card claim is dropped from the guard's queue
    offline_delegates: bool = False  # a delegate registered after the last sync needs a teacher's call-back
    early_duty_teacher: int | None = None  # custodian of children who arrive before the gate opens
    duty_leader: int | None = None
    muster_points: tuple[str, ...] = ("操场",)  # where people gather in an emergency, as the check-off offers them
    public_name: str = ""  # school name on the display
    agreement_required: bool = False  # the city's document asks for a signed agreement of whoever takes part
    face: FaceRules | None = None  # None: no face is compared on this computer
