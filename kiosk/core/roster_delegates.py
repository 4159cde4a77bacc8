"""Query and answers about delegates: whom a family sends, and the passes that were made. Part of `roster`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosk.core.roster_custody import ChildLine

if TYPE_CHECKING:
    from kiosk.core.roster import Bar, GuardianLine, PickupLine


@dataclass(frozen=True, slots=True)
class DelegatesQuery:
    """The passes of a child, and what a new one may say."""

    child: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassLine:
    """One pass. state: open (for today or a day to come), used, revoked, over. name, phone and features are "" where the
    note with them was erased, or lies at another gate."""

    pass_id: str
    child: int
    for_day: str
    gate: str
    gate_name: str
    relation: str
    id_last4: str
    name: str
    phone: str
    features: str
    guardian_name: str
    by_name: str
    made_ms: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtGate:
    """An open pass of today, for a guard who looks a child up because the code cannot be read."""

    pass_id: str
    name: str
    relation: str
    id_last4: str
    phone: str
    features: str
    pickup: PickupLine


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatesView:
    line: ChildLine
    class_teacher: int
    guardians: tuple[GuardianLine, ...]  # to be called back; never anybody whom a restriction keeps away
    gates: tuple[tuple[str, str], ...]  # (gate, name), the child's own release gate first
    today: str  # YYYY-MM-DD
    last_day: str  # the last day for which a pass may be made now
    passes: tuple[PassLine, ...]  # by day; those of days past are not kept
    bar: Bar
