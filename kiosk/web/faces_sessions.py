"""View values of the archive of sessions: the sessions of a day, one archive row with its corrections, a teacher's own notes.

Values only. `kiosk.session_desk` fills them from the records; nothing here decides who may see or correct them.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.roster import Bar
from kiosk.core.service_records import SessionClosed
from kiosk.web.faces_format import Lang
from kiosk.web.words import say


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    session: str
    name: str
    room: str
    from_ms: int
    to_ms: int
    teachers: str
    attended: int
    enrolled: int
    corrections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsView:
    """mine: only those that this teacher held."""

    bar: Bar
    day: str
    lines: tuple[SessionLine, ...] = ()
    mine: bool = False
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildState:
    """state: as it stands; first: as it was archived."""

    child: int
    name: str
    class_name: str
    seat: int
    state: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionLine:
    """changes: each in words, from what to what. note: the reason, "" where its words are not here any more."""

    at_ms: int
    by: str
    note: str
    locked: bool
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedView:
    """One archive row as it stands, beside how it was archived. `row`, `closed` and `seen` are what a correction refers to:
    the row as it stands, the entry that archived it, the last correction that this view knows of."""

    bar: Bar
    day: str
    row: SessionClosed
    first: SessionClosed
    closed: str
    seen: str
    closed_ms: int
    closed_by: str
    kind: str
    form: str
    planned: str
    teachers: str
    first_teachers: str
    children: tuple[ChildState, ...]
    guests: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    corrections: tuple[CorrectionLine, ...] = ()
    here: tuple[tuple[int, str], ...] = ()  # teachers of the row as it stands
    others: tuple[tuple[int, str], ...] = ()  # whoever else may have held it, the planned teacher first
    again: int = 0  # rows of another gate that do not count
    locked: bool = False
    may: bool = True  # whether whoever looks may correct it
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthLine:
    """A note of one's own: the day on which it was written and its words."""

    day: str
    text: str


def changed(what: str, before: str, after: str, lang: Lang) -> str:
    """One change of a correction in words."""
    return say("archive.changed", lang, what=what, before=before, after=after)
