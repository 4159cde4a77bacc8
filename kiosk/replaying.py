"""Where every child was at a moment, and who answered for it: folded from the journal alone, on any computer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kiosk.core.campus import Campus
from kiosk.core.custody import collection
from kiosk.core.entries import decode
from kiosk.core.people import Directory
from kiosk.core.timetable import day_book
from kiosk.directory import DirectoryError, load
from kiosk.journal import FILE_NAME, JournalError, connect
from kiosk.settings import Settings


class ReplayError(Exception):
    """The moment or the state folder cannot be used."""


def replay(settings: Settings, state: Path, at: str) -> dict[str, Any]:
    """`at`: ISO date and time, local unless it has an offset. Returns the shape of `kiosk replay --json`."""
    zone = timezone(timedelta(milliseconds=settings.plan.utc_offset_ms))
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise ReplayError(f"--at {at!r} is no date and time; write it like 2026-11-23T17:42") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    at_ms = int(moment.timestamp() * 1000)
    campus = _campus_at(state, at_ms)
    try:
        directory = load(state / "directory.db")
    except DirectoryError as error:
        raise ReplayError(str(error)) from error
    rows = _children(settings, directory, campus, at_ms, moment.astimezone(zone).date().isoformat())
    cases = [s.case.case for _, s in campus.on_campus() if s.case] + [c.case for c in campus.conflicts()]
    return {"at": moment.isoformat(), "children": rows, "open_cases": sorted(cases)}


def _campus_at(state: Path, at_ms: int) -> Campus:
    path, campus = state / FILE_NAME, Campus()
    if not path.exists():
        raise ReplayError(f"there is no journal in {state}; name the state folder with --state")
    try:
        connection = connect(path, read_only=True)
    except JournalError as error:
        raise ReplayError(str(error)) from error
    for (raw,) in connection.execute("SELECT raw FROM entries ORDER BY boot, seq"):
        entry = decode(raw)
        if entry.at_ms <= at_ms:
            campus.apply(entry)
    connection.close()
    return campus


def _children(settings: Settings, directory: Directory, campus: Campus, at_ms: int, day: str) -> list[dict[str, Any]]:
    on = datetime.fromisoformat(day).date()
    book = day_book(on, settings.calendar, settings.plan, directory, release_window_min=settings.release_window_min)
    rows = []
    for number, state in sorted(campus.children.items()):
        if state.day != day:
            continue
        windows = book.pupils.get(number)
        collected = bool(state.released_ms) and not state.hold.live
        stage = "NOT_DUE"
        if windows is not None and (state.hold.live or collected):
            due_ms = state.due_ms or windows.release_due_ms
            rung = state.case.rung if state.case else -1
            stage = collection(
                now_ms=at_ms, opens_ms=windows.release_opens_ms, due_ms=due_ms, rung=rung, collected=collected
            ).value
        custodian = state.hold.custodian or None
        rows.append({"child": number, "place": state.place, "custodian": custodian, "collection": stage})
    return rows
