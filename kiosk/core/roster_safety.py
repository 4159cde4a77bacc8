"""Queries and answers for the muster page, the gate register and the list of children who still wait. Part of `roster`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosk.core.roster_custody import ChildLine

if TYPE_CHECKING:
    from kiosk.core.roster import Bar

# --- queries -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MusterQuery:
    """The emergency that runs, else today's last one, else who is on site now."""


@dataclass(frozen=True, slots=True)
class WaitingQuery:
    """待接名单: children who wait to be collected at a gate."""

    gate: str


@dataclass(frozen=True, slots=True)
class RegisterQuery:
    gate: str


# --- the muster ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterRow:
    """A child of the frozen list. place, custodian_name, last_seen_ms: as it stood when the list was frozen.

    what: missing, mustered, released; `on_site` while there is no emergency; `extra` for one who is not on the list.
    hint: the exit at which it tapped out since, not counted yet.
    """

    child: int
    name: str
    class_name: str
    seat: int
    place: str
    custodian_name: str
    last_seen_ms: int | None
    what: str
    point: str = ""
    at_ms: int | None = None
    by_name: str = ""
    released_to: str = ""
    hint: str = ""
    hint_ms: int | None = None
    gate: str = ""  # where the child is released


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterClass:
    class_id: str
    name: str
    room: str
    teacher_name: str
    expected: int
    missing: int
    rows: tuple[MusterRow, ...]  # missing first, then by seat


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterPlace:
    place: str
    expected: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterGroup:
    """A group that was outside the school with its teacher: listed apart, not looked for here."""

    venue: str
    teacher_name: str
    rows: tuple[MusterRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterAdult:
    """A member of staff, or a visitor (then `note` is the digest of the name, which is put in where the page is made)."""

    key: str  # staff:<number> or visit:<visit>
    name: str
    detail: str  # roles, or purpose
    here: bool  # checked off
    out_ms: int | None = None  # a visitor who left
    point: str = ""
    note: str = ""
    gate_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterView:
    state: str  # none, running, over
    drill: bool
    since_ms: int  # when the list was frozen; now, where there is no emergency
    by_name: str
    ended_ms: int | None
    expected: int
    mustered: int
    released: int
    missing: int
    searched: tuple[MusterRow, ...]  # who is missing, last place and last adult; only when they are few enough to be looked for
    classes: tuple[MusterClass, ...]
    places: tuple[MusterPlace, ...]
    outside: tuple[MusterGroup, ...]
    extra: tuple[MusterRow, ...]
    staff: tuple[MusterAdult, ...]
    visitors: tuple[MusterAdult, ...]
    unseen_gates: tuple[str, ...]  # at the moment of freezing
    points: tuple[str, ...]  # muster points of this school
    bar: Bar


# --- the register ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLine:
    """One visitor. name, organisation and plate are put in where the page is made, from the note."""

    visit: str
    gate_name: str
    purpose: str
    host_name: str
    id_type: str
    id_last4: str
    in_ms: int
    out_ms: int | None
    by_name: str
    note: str
    earlier_shift: bool  # came in before the present watch began, and is still in
    day: str
    name: str = ""
    organisation: str = ""
    plate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageLine:
    """A late pupil, or an early leaver. detail: relation of the collector, or the kind of leave."""

    line: ChildLine
    at_ms: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLine:
    """A member of staff whom somebody may come to see."""

    staff: int
    name: str
    initials: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterView:
    gate: str
    gate_name: str
    inside: tuple[VisitLine, ...]  # not out yet, whole campus, newest first
    today: tuple[VisitLine, ...]  # of this gate and already out, newest first
    late: tuple[PassageLine, ...]
    early: tuple[PassageLine, ...]
    hosts: tuple[HostLine, ...]
    guard_name: str  # who has the watch
    bar: Bar


# --- still waiting ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneTail:
    name: str
    relation: str
    tail: str  # last four digits: enough to know whom one has on the line


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLine:
    line: ChildLine
    due_ms: int | None
    guardians: tuple[PhoneTail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    gate: str
    gate_name: str
    now_ms: int
    lines: tuple[WaitingLine, ...]  # whoever waits longest first
    bar: Bar
