"""Answers about custody: a child as staff see it, escorts, outings, the watch, offers that came back, searches.

Part of `kiosk.core.roster`, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLine:
    """A child as staff see it anywhere."""

    child: int
    name: str
    class_name: str
    seat: int
    school_number: str
    on_campus: bool
    place: str
    custodian: int | None
    custodian_name: str
    collection: str  # NOT_DUE | WAITING | OVERDUE | ESCALATED | COLLECTED
    last_seen_ms: int | None
    now_in: str  # name of the session or lesson that runs for the child now, "" when none
    ends_ms: int | None  # when it ends
    release_opens_ms: int | None
    leaves_alone: bool
    has_photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EscortLine:
    """放学护送 on its way. children: those who are still with it, to be counted at the gate."""

    escort: str
    teacher: int
    teacher_name: str
    gate: str
    gate_name: str
    departed_ms: int
    due_ms: int  # from then on it is late
    children: tuple[ChildLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """A group outside the school with its teacher."""

    group: str
    teacher: int
    teacher_name: str
    venue: str
    out_ms: int
    children: tuple[ChildLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftLine:
    """Who has the watch at the gate."""

    guard: int
    guard_name: str
    since_ms: int
    gate: str = ""
    gate_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftOfferLine:
    """An offered watch. The figures are what the giver saw; children: held at the gatehouse, to be counted by the taker."""

    shift: str
    gate: str
    gate_name: str
    giver: int
    giver_name: str
    taker: int
    taker_name: str
    offered_ms: int
    lapses_ms: int
    on_site: int
    open_cases: int
    visitors: int
    children: tuple[ChildLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftReturnLine:
    """An offered watch that stayed with its giver, who must be told. how: lapsed, declined."""

    giver: int
    taker_name: str
    how: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLine:
    """A release that may still be taken back, by `guard` only, until `until_ms`."""

    release: str
    line: ChildLine
    guard: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLine:
    staff: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextGroup:
    """Children of one roster who belong to the same session next, or wait between slots (session "")."""

    kind: str  # handover kind
    session: str
    title: str
    room: str
    taker: int
    taker_name: str
    children: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLine:
    """An offer, or some children of one, that went back to the giver. how: lapsed, declined, exception."""

    handover: str
    how: str
    at_ms: int
    taker_name: str
    children: tuple[ChildLine, ...]  # those whom the giver still holds
    kind: str = ""  # of the offer, so that it can be made again
    taker: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideLine:
    """One of the releases of a child that was let go more than once: where, when, who let it go, to whom.

    to_name: "" for a child alone, and for an adult on no list, of whom only `relation` and `id_last4` leave the gate.
    """

    entry: str
    at_ms: int
    doubted: bool  # by a clock that nobody trusted
    node: str
    gate_name: str
    home: bool  # the child's own release gate
    mode: str
    guard_name: str
    second_name: str
    to_name: str
    relation: str
    id_last4: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLine:
    """Somebody looks for a child. incident_ms: since when it counts as lost and the gates are on hold."""

    line: ChildLine
    why: str
    opened_ms: int
    due_ms: int
    owner_name: str
    last_place: str
    last_adult_name: str
    last_seen_ms: int
    incident_ms: int | None
