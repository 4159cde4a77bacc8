"""Answers about a session as a service record: its teachers, what still has to be said before it is closed, guests, patrols.

Part of `kiosk.core.roster`, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.roster_custody import ChildLine


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherLine:
    """Somebody who checked in to a session. here: and not out again."""

    staff: int
    name: str
    since_ms: int
    here: bool
    for_name: str = ""  # of whoever should have been there
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """An enrolled child of whom nobody has said why it was not there. absent: somebody called it absent."""

    child: int
    name: str
    class_name: str
    seat: int
    absent: bool
    searched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """standing: a word of `kiosk.core.service.Standing`. counts: of the states, with "" for unresolved ones."""

    session: str
    standing: str
    planned: int
    planned_name: str
    teachers: tuple[TeacherLine, ...]
    counts: tuple[tuple[str, int], ...]
    unresolved: tuple[OpenRow, ...]
    me_here: bool  # the viewer is checked in
    me_came: bool  # and may be out again: may close
    me_leads: bool
    needs_reason: bool  # the viewer would stand in for the planned teacher
    missing: bool  # nobody is checked in, and the duty office knows
    guests: int
    early: bool  # closed now, it would be closed before its end
    closed_ms: int | None = None
    closed_by_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLine:
    """A child of this class who is at a session without being enrolled there."""

    line: ChildLine
    session: str
    title: str
    room: str


@dataclass(frozen=True, slots=True)
class PatrolQuery:
    """For whoever walks round: the sessions that run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLine:
    at_ms: int
    by_name: str
    counted: int
    teacher_present: bool
    finding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolLine:
    """present: children in the room by the records, as a first guess for who counts. running: it may be looked at now."""

    session: str
    title: str
    room: str
    start_ms: int
    end_ms: int
    standing: str
    teacher_name: str
    expected: int
    present: int
    running: bool
    due: bool
    seen: tuple[SeenLine, ...]
