"""Facts that became durable just before the power went, and were not in the outbox yet. Reads the journal, writes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from kiosk.core.entries import EntryId, UnreadableEntry, decode
from kiosk.journal import FILE_NAME, JournalDamaged, connect
from kiosk.notices.facts import Told, of_entry

READ_MAX: Final = 5_000  # entries; of more, the newest


def missed(state: Path, seen: tuple[str, int], *, since_ms: int) -> list[Told]:
    """What the journal holds after `seen` (incarnation, seq), not older than `since_ms`. Empty where it cannot be read:
    the controller, which needs the journal more, has said so."""
    try:
        journal = connect(state / FILE_NAME, read_only=True)
    except (JournalDamaged, sqlite3.Error):
        return []
    try:
        row = journal.execute("SELECT boot FROM incarnations WHERE incarnation = ?", (seen[0],)).fetchone()
        found = journal.execute(
            "SELECT raw FROM entries WHERE boot > ?1 OR (boot = ?1 AND seq > ?2) ORDER BY boot DESC, seq DESC LIMIT ?3",
            (row[0], seen[1], READ_MAX),
        ).fetchall() if row else []  # fmt: skip
    except sqlite3.Error:
        return []
    finally:
        journal.close()
    return [told for (raw,) in reversed(found) if (told := _told(raw)) is not None and told.at_ms >= since_ms]


def head(state: Path) -> EntryId | None:
    """The last entry of this gate's journal."""
    try:
        journal = connect(state / FILE_NAME, read_only=True)
    except (JournalDamaged, sqlite3.Error):
        return None
    try:
        row = journal.execute("SELECT raw FROM entries ORDER BY boot DESC, seq DESC LIMIT 1").fetchone()
        return decode(row[0]).id if row else None
    except (sqlite3.Error, UnreadableEntry):
        return None
    finally:
        journal.close()


def _told(raw: bytes) -> Told | None:
    try:
        return of_entry(decode(raw))
    except UnreadableEntry:
        return None
