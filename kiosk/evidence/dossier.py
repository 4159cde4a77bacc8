"""Gathers one child's day from the records: entries, custody, notes, and what was in force. Reads; decides and writes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from kiosk.checking import OVERLAY
from kiosk.core.entries import Entry, Kind
from kiosk.core.people import Directory, Pupil
from kiosk.core.policy import PolicyRefused
from kiosk.core.timetable import PlanGap, day_book
from kiosk.evidence.bundle import Kept, Stretch
from kiosk.evidence.chain import Line, line_of
from kiosk.evidence.mentions import LATER_DAYS, day_of, of_child_day
from kiosk.journal import FILE_NAME, connect
from kiosk.policies import load_policy
from kiosk.recorded import DAY_MS, Placed, Records, RecordsError, StreamRows, day_bounds, opened
from kiosk.settings import Settings, SharedDataMissing


class NoSuchChild(RecordsError):
    """Nobody in the people list has this school number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is on record of one child's day. whole: every entry of its streams, where that was asked for."""

    child: int
    pupil: Pupil | None
    day: date
    since: str  # the entry with which the custody began in which the child came into the day, "" for none
    entries: tuple[Placed, ...]
    line: Line
    stretches: Mapping[str, Stretch]
    notes: tuple[dict[str, Any], ...]
    policy: dict[str, Any]
    timetable: dict[str, Any]
    whole: tuple[Kept, ...] = ()


def child_of(directory: Directory, school_number: str) -> int:
    """The opaque number behind a school number. Raises NoSuchChild."""
    found = next((p.number for p in directory.pupils.values() if p.school_number == school_number), None)
    if found is None:
        raise NoSuchChild(f"nobody has the school number {school_number!r}; look it up on the office page, or import the list")
    return found


def gather(
    settings: Settings, state: Path, directory: Directory, *, child: int, day: date, whole_chain: bool = False
) -> Dossier:
    """Raises RecordsError."""
    start_ms, end_ms = day_bounds(day, settings.plan.utc_offset_ms)
    offset_ms = settings.plan.utc_offset_ms
    with opened(state) as records:
        read_to_ms = end_ms + LATER_DAYS * DAY_MS
        window = records.window(start_ms, read_to_ms)
        kept, since = _of_child(window, child, day, start_ms, offset_ms)
        of_the_day = [one.entry for one in window if day_of(one.entry, offset_ms) == day]
        if whole_chain:
            window = records.whole({entry.stream for entry in [*of_the_day, *(one.entry for one in kept)]}, read_to_ms)
            kept, since = _of_child(window, child, day, start_ms, offset_ms)
        stretches = _stretches(records, [*of_the_day, *(one.entry for one in kept)], from_first=whole_chain)
        whole = tuple(_rows(records, stretches)) if whole_chain else ()
        adopted = {kind: _adopted(records, window, kind, end_ms) for kind in _ADOPTED}
    return Dossier(
        child=child, pupil=directory.pupils.get(child), day=day, since=since, entries=tuple(kept),
        line=line_of(child, [one.entry for one in kept]), stretches=stretches, notes=_notes(state, kept),
        policy=_policy(settings), timetable=_timetable(settings, directory, child, day, adopted), whole=whole,
    )  # fmt: skip


def _of_child(window: list[Placed], child: int, day: date, start_ms: int, offset_ms: int) -> tuple[list[Placed], str]:
    """The child's entries of the day, and with which one it came into the day."""
    entries = [one.entry for one in window]
    since = came_with(line_of(child, entries), start_ms)
    mine = {entry.id for entry in of_child_day(entries, child, day, offset_ms, since=since)}
    return [one for one in window if one.entry.id in mine], since


def came_with(line: Line, start_ms: int) -> str:
    """The entry that began the custody in which a child came into the day, "" when it came from outside."""
    for at, segment in enumerate(line.segments):
        if segment.from_ms < start_ms and (segment.to_ms is None or segment.to_ms >= start_ms):
            while at and line.segments[at - 1].ended == line.segments[at].began:
                at -= 1
            return line.segments[at].began.entry
    return ""


def _stretches(records: Records, entries: list[Entry], *, from_first: bool) -> dict[str, Stretch]:
    """For each stream the hashes from the first of these entries to the last, and the one before."""
    seqs: dict[str, list[int]] = {}
    for entry in entries:
        seqs.setdefault(entry.stream, []).append(entry.seq)
    found = {}
    for stream in records.streams:
        if stream.name in seqs:
            first = 1 if from_first else min(seqs[stream.name])
            found[stream.name] = _stretch(stream, first, max(seqs[stream.name]))
    return found


def _stretch(stream: StreamRows, first: int, last: int) -> Stretch:
    hashes = [bytes(row.hash) for row in stream.select(first - 1, last)]
    return Stretch(first, tuple(hashes if first > 1 else [bytes(32), *hashes]))


def _rows(records: Records, stretches: Mapping[str, Stretch]) -> list[Kept]:
    found = []
    for stream in records.streams:
        if stream.name in stretches:
            previous = bytes(32)
            for row in stream.select(1, len(stretches[stream.name].hashes) - 1):
                found.append(Kept(stream.name, row.seq, previous, row.hash, row.raw))
                previous = row.hash
    return found


def _notes(state: Path, kept: list[Placed]) -> tuple[dict[str, Any], ...]:
    """The free text behind the digests. It is kept at the gate where it was written, and may have been erased."""
    found = []
    with closing(connect(state / FILE_NAME, read_only=True)) as connection:
        for one in kept:
            digest = one.entry.body.get("note")
            if not isinstance(digest, str):
                continue
            try:
                row = connection.execute("SELECT salt, text FROM notes WHERE digest = ?", (digest,)).fetchone()
            except sqlite3.Error as error:
                raise RecordsError(f"the notes in {state} cannot be read ({error}); run `kiosk verify`") from error
            salt, text = (bytes(row[0]).hex(), row[1]) if row else (None, None)
            found.append({"entry": str(one.entry.id), "digest": digest, "salt": salt, "text": text})
    return tuple(found)


# --- what was in force -------------------------------------------------------------------------------------

_ADOPTED = (Kind.SETTINGS_ADOPTED, Kind.DIRECTORY_ADOPTED)
_OPENING = 8  # entries of an incarnation within which it says what it runs by


def _adopted(records: Records, window: list[Placed], kind: Kind, end_ms: int) -> dict[str, Any]:
    """What this gate's journal last said, before the day was over, that it runs by."""
    own = {stream.name: stream for stream in records.streams if stream.boot}
    for one in reversed(window):
        if one.entry.kind == kind and one.entry.stream in own and one.moment_ms < end_ms:
            return one.entry.body
    for stream in sorted(own.values(), key=lambda s: -s.boot):
        if stream.first_at(end_ms) == 1:
            continue
        for row in stream.select(1, _OPENING):
            body: dict[str, Any] = json.loads(row.raw)["body"] if kind.value.encode() in row.raw else {}
            if body:
                return body
    return {}


def _policy(settings: Settings) -> dict[str, Any]:
    """The city's rules that the school's plan is held against, and the national overlay, in full."""
    overlay = OVERLAY if settings.school.national_overlay else ""
    return {"city": _loaded(settings.school.city), "variant": settings.school.variant, "overlay": _loaded(overlay)}


def _loaded(name: str) -> Any:
    if not name:
        return None
    try:
        return plain(load_policy(name))
    except (PolicyRefused, SharedDataMissing) as error:
        return {"id": name, "unusable": str(error)}


def _timetable(
    settings: Settings, directory: Directory, child: int, day: date, adopted: Mapping[Kind, dict[str, Any]]
) -> dict[str, Any]:
    """The day, the bells and the child's own windows by the settings that are here now, and whether those were in force then."""
    recorded = adopted[Kind.SETTINGS_ADOPTED].get("digest")
    number = adopted[Kind.DIRECTORY_ADOPTED].get("number")
    document: dict[str, Any] = {
        "settings": {"digest": settings.digest, "on_record": recorded, "same": recorded == settings.digest},
        "people_list": {"number": directory.number, "on_record": number, "same": number == directory.number},
        "utc_offset_ms": settings.plan.utc_offset_ms,
        "ladder": plain(settings.rules.ladder),
        "handover_max_grade": settings.rules.handover_max_grade,
        "release_window_min": settings.release_window_min,
        "freshness": plain(settings.rules.freshness),
    }
    try:
        book = day_book(day, settings.calendar, settings.plan, directory, release_window_min=settings.release_window_min)
    except PlanGap as error:
        return {**document, "day": None, "child": None, "gap": str(error)}
    bells = settings.plan.schedules.get(book.day.season)
    return {**document, "day": plain(book.day), "bells": plain(bells), "child": plain(book.pupils.get(child))}


def plain(value: Any) -> Any:
    """A frozen value as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(inner) for inner in value)
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
