"""`kiosk muster`: the on-site list from the records of one state folder alone, with the gate dead and the server off.

The same view as the page's, made from the same fold at the last moment that the records know, or at any other.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from drivers.errors import DriverError
from drivers.escpos import Line, document
from drivers.protocols import Printer
from drivers.registry import load as load_driver
from kiosk.core.entries import UnreadableEntry, decode
from kiosk.core.people import Directory
from kiosk.core.roster_safety import MusterQuery, MusterView
from kiosk.core.views import view as view_of
from kiosk.directory import DirectoryError, index, load
from kiosk.directory_schema import Content
from kiosk.journal_lookups import NoteReader
from kiosk.paper import as_text, muster_slip
from kiosk.recorded import RecordsError, opened
from kiosk.replaying import DIRECTORY_FILE, ReplayError, film
from kiosk.settings import Settings

TEXT_COLUMNS = 84


class MusterError(Exception):
    """There is no list to be had; the sentence says why and what to do."""


def muster_at(settings: Settings, state: Path, at: str | None = None) -> MusterView:
    """at: ISO, local unless it has an offset; None: the last moment on record. Raises MusterError."""
    zone = timezone(timedelta(milliseconds=settings.plan.utc_offset_ms))
    try:
        at_ms = _last_ms(state) if at is None else _moment_ms(at, zone)
        day = datetime.fromtimestamp(at_ms / 1000, zone).date()
        world = film(settings, state, day, _people(state)).at(at_ms)
    except (RecordsError, ReplayError) as error:
        raise MusterError(str(error)) from error
    found: MusterView = view_of(world, MusterQuery(), at_ms, True)
    return found


def _moment_ms(at: str, zone: timezone) -> int:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise MusterError(f"--at {at!r} is no date and time; write it like 2026-11-23T10:42") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def _last_ms(state: Path) -> int:
    """When the youngest entry was written, this gate's or another's."""
    found = list[int]()
    with opened(state) as records:
        for stream in records.streams:
            row = stream.row(stream.last)
            if row is not None:
                try:
                    found.append(decode(row.raw).at_ms)
                except UnreadableEntry:
                    continue  # damaged or of a later version; the other streams still say when
    if not found:
        raise MusterError(f"nothing is on record in {state}; name the state folder of a gate with --state")
    return max(found)


def _people(state: Path) -> Directory:
    """A list of numbers is still a list: without the people file children are shown by number."""
    try:
        return load(state / DIRECTORY_FILE)
    except DirectoryError as error:
        print(f"{error}; the list shows numbers instead of names", file=sys.stderr)
        return index(Content(), number=0, made_at_ms=0)


def as_json(found: MusterView) -> dict[str, Any]:
    """The list for machines: the view without what only a page needs."""
    shown = asdict(found)
    del shown["bar"], shown["searched"]
    return shown


def write(found: MusterView, state: Path, *, how: str) -> None:
    """how: json, escpos (bytes on stdout) or text."""
    if how == "json":
        print(json.dumps(as_json(found), ensure_ascii=False))
    elif how == "escpos":
        sys.stdout.buffer.write(document(_slip(found, state, columns=48), columns=48))
        sys.stdout.buffer.flush()
    else:
        print(as_text(_slip(found, state, columns=TEXT_COLUMNS)))


def print_on_paper(found: MusterView, state: Path, settings: Settings) -> list[str]:
    """On every configured printer, here and now: the names of those that printed. Raises MusterError when none did."""
    printed, trouble = list[str](), list[str]()
    for device in settings.site.devices:
        if settings.site.printing.device not in ("", device.name):
            continue
        try:
            driver = load_driver(device.url, device.name, **device.options)
            if isinstance(driver, Printer):
                driver.print(_slip(found, state, columns=driver.columns))
                printed.append(device.name)
        except DriverError as error:
            trouble.append(f"{device.name}: {error}")
    if not printed:
        raise MusterError("; ".join(trouble) or "no printer is set up in site.toml; print the text, or --escpos to a file")
    return printed


def _slip(found: MusterView, state: Path, *, columns: int) -> list[Line]:
    notes = NoteReader(state)
    try:
        return muster_slip(found, columns=columns, note=notes)
    finally:
        notes.close()
