"""View values of the records: a replayed moment, a child's evidence, the statement of 静校; and rows made of facts.

Pure. `kiosk.record_keeping` fills the views from the journal; the templates and the bundle's page only show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kiosk.core.entries import Entry
from kiosk.core.roster import Bar
from kiosk.web.faces_facts import Names, details, kind_words
from kiosk.web.faces_format import Lang
from kiosk.web.words import known, say

MAX_PLACES = 60  # rows of a replayed moment's tables
MAX_FOUND = 40  # children that a search shows


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One entry of a child's day in words."""

    at_ms: int
    kind: str
    words: str
    details: tuple[tuple[str, str], ...]
    entry: str
    hash: str  # hex
    trusted: bool
    note: str  # the free text, or that it is gone; "" without any
    snapshot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """A stretch of custody in words."""

    custodian: str
    place: str
    from_ms: int
    to_ms: int | None
    began: str  # what it began with, in words
    began_entry: str
    ended: str
    ended_entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawRow:
    sort: str  # gap, overlap, unreadable, remark
    at_ms: int
    words: str
    entries: tuple[str, ...]
    closed: str  # id of the entry that closed it, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """A day that can be looked back on. counts: children on campus through the day, (at_ms, number)."""

    bar: Bar
    day: str
    from_ms: int
    to_ms: int
    counts: tuple[tuple[int, int], ...]
    start_ms: int  # the moment at which the slider begins


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    bar: Bar
    day: str
    child: int
    name: str
    class_name: str
    school_number: str
    segments: tuple[LineRow, ...]
    flaws: tuple[FlawRow, ...]
    facts: tuple[FactRow, ...]
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """counts: (word of the body, number), those that have words first. Empty `entry`: the day was not closed on record."""

    bar: Bar
    day: str
    at_ms: int = 0
    by: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    boarders: int = 0
    entry: str = ""
    hash: str = ""
    signature: str = ""
    public_key: str = ""
    fingerprint: str = ""
    qr: str = ""  # SVG


class Custody(Protocol):
    """`kiosk.evidence.chain.Line`, as far as it is shown."""

    @property
    def segments(self) -> tuple[Any, ...]: ...
    @property
    def flaws(self) -> tuple[Any, ...]: ...
    @property
    def remarks(self) -> tuple[Any, ...]: ...


def fact_rows(
    entries: Iterable[tuple[Entry, bytes]], names: Names, lang: Lang, *, notes: Mapping[str, str | None]
) -> tuple[FactRow, ...]:
    """Every entry of a child's day, oldest first."""
    return tuple(
        FactRow(
            at_ms=entry.at_ms, kind=entry.kind, words=kind_words(entry.kind, lang), details=tuple(details(entry, names, lang)),
            entry=str(entry.id), hash=hash_.hex(), trusted=entry.clock == "trusted", note=_note(entry, notes, lang),
            snapshot=str(entry.body.get("snapshot") or ""),
        )
        for entry, hash_ in entries
    )  # fmt: skip


def _note(entry: Entry, notes: Mapping[str, str | None], lang: Lang) -> str:
    if not isinstance(entry.body.get("note"), str):
        return ""
    return notes.get(str(entry.id)) or say("record.erased", lang)


def line_rows(line: Custody, names: Names, lang: Lang) -> tuple[LineRow, ...]:
    return tuple(
        LineRow(
            custodian=names.person(segment.custodian), place=segment.place, from_ms=segment.from_ms, to_ms=segment.to_ms,
            began=kind_words(segment.began.kind, lang), began_entry=segment.began.entry,
            ended=kind_words(segment.ended.kind, lang) if segment.ended else "",
            ended_entry=segment.ended.entry if segment.ended else "",
        )
        for segment in line.segments
    )  # fmt: skip


def flaw_rows(line: Custody, lang: Lang) -> tuple[FlawRow, ...]:
    """Gaps and overlaps first, then what is worth knowing."""
    flaws = [
        FlawRow(sort=f.sort, at_ms=f.at_ms, words=_why("flaw", f.why, lang), entries=f.entries, closed=f.closed)
        for f in line.flaws
    ]
    remarks = [
        FlawRow(sort="remark", at_ms=r.at_ms, words=_why("remark", r.why, lang), entries=r.entries, closed="")
        for r in line.remarks
    ]
    return (*flaws, *remarks)


def _why(prefix: str, why: str, lang: Lang) -> str:
    key = f"record.{prefix}_{why}"
    return say(key, lang) if known(key) else why
