"""Commands about sessions of the after-school service: who takes one, how it is closed, who looked at it.

Part of `kiosk.core.commands`, which has them as `ServiceCommand`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.core.service_records import SessionClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """`by` is there and takes a session. staff: somebody else, named by a duty leader. Who is not the planned teacher says
    for whom and why (SUBSTITUTIONS; `other` needs the note)."""

    session: str
    by: int
    staff: int | None = None
    standing_in_for: int = 0
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOut:
    session: str
    by: int
    staff: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession:
    """结束并归档. states: what the teacher says of children of whom the records do not; why: for each absent_unexplained one a
    word of WHY_UNEXPLAINED. note: needed where somebody closes early, or closes what somebody else held."""

    session: str
    by: int
    states: Mapping[int, str] = field(default_factory=dict)
    why: Mapping[int, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRest:
    """A duty leader archives every session of today that is over and that nobody closed, as recorded, with one reason."""

    by: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectSession:
    """Of an archived row, with a reason. `closed` and `row` are of the archive, as the edge read them."""

    closed: str
    row: SessionClosed
    by: int
    note: str
    states: Mapping[int, str] = field(default_factory=dict)
    teachers: tuple[int, ...] | None = None
    class_hours: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockMonth:
    month: str  # YYYY-MM
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Patrol:
    """巡查: what somebody saw at a session that runs. counted: children in the room, by sight."""

    session: str
    counted: int
    teacher_present: bool
    finding: str  # a word of FINDINGS
    by: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteGrowth:
    """Interest or potential of a child, in a teacher's words, for the child's file of this term."""

    child: int
    text: str
    by: int
    session: str = ""


ServiceCommand = CheckIn | CheckOut | CloseSession | CloseRest | CorrectSession | LockMonth | Patrol | NoteGrowth
