"""View values of the privacy pages under 资料 → 隐私. Filled from facts, settings and the list; the faces only show them."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.roster import Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLine:
    """One category: for how long it is kept, and what was erased of it last. days: 0 = not erased by itself.

    how: days, year_end (days after the end of the school year), at_once, elsewhere (not this program's to erase).
    """

    category: str
    how: str
    days: int
    setting: str
    last_ms: int = 0
    last_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the deletion log. persons: numbers; left: where something may be left."""

    at_ms: int
    node: str
    kind: str
    what: str
    count: int
    through: str = ""
    why: str = ""
    by: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLine:
    child: int
    name: str
    case: str
    since_ms: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    request: str
    child: int
    name: str
    what: str
    old: str
    new: str
    guardian: str
    at_ms: int
    due: str
    overdue: bool
    state: str = "open"  # open, done, refused
    reason: str = ""
    decided_ms: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyView:
    bar: Bar
    kept: tuple[KeptLine, ...] = ()
    log: tuple[LogLine, ...] = ()
    more: int = 0
    holds: tuple[HoldLine, ...] = ()
    requests: tuple[RequestLine, ...] = ()
    leavers: int = 0  # on no list any more, and not past their time
    home: bool = True
    said: str = ""  # what became of the last press, a reason's word
    faces: int = 0
    faces_limit: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChild:
    number: int
    name: str
    class_name: str
    school_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLine:
    """One purpose. state: active, none, withdrawn, expired, statutory. source: list, row, "" ; the rest of a row."""

    purpose: str
    state: str
    source: str = ""
    guardian: str = ""
    how: str = ""
    paper: str = ""
    text_version: str = ""
    basis: str = ""
    valid_from: str = ""
    valid_to: str = ""
    at_ms: int = 0
    withdrawn_ms: int = 0
    may_withdraw: bool = False
    may_renew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyChildView:
    bar: Bar
    text: str = ""
    found: tuple[FoundChild, ...] = ()
    child: FoundChild | None = None
    consents: tuple[ConsentLine, ...] = ()
    guardians: tuple[tuple[int, str], ...] = ()
    hold: HoldLine | None = None
    problems: tuple[str, ...] = ()  # of a sheet of consents; nothing of it was taken
    requests: tuple[RequestLine, ...] = ()
    exported_ms: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSection:
    heading: str
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()  # the first row is its head


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """A text made from the settings in force. digest: of its words; issued_ms: when these words were issued, 0 = never."""

    bar: Bar
    what: str
    title: str
    lead: str
    sections: tuple[TextSection, ...]
    digest: str
    issued_ms: int = 0
    last_digest: str = ""  # of the words that were issued last
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    at_ms: int
    step: str
    words: str
    by: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLine:
    incident: str
    began_ms: int
    steps: tuple[StepLine, ...]
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsView:
    bar: Bar
    incidents: tuple[IncidentLine, ...] = ()
    classes: tuple[tuple[str, str], ...] = ()
    draft: str = ""
    said: str = ""
