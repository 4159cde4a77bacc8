"""The writing half of pruning, on the journal's own connection: some entries' bytes at a time, and the notes that went with them.

It knows no rule of what may go: that stands in a fact which is durable, and in the table `pruned`, against which
the journal's triggers hold every change.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from kiosk.core.entries import UnreadableEntry, decode
from kiosk.core.pruned import KEPT_KINDS

AT_ONCE: Final = 256  # entries of one transaction, while nobody waits


def begin(db: sqlite3.Connection, ends: Mapping[str, int]) -> None:
    """stream -> the last seq that a durable fact has named. Raises sqlite3.Error."""
    boots = {f"{node}/{name}": boot for boot, node, name in db.execute("SELECT boot, node, incarnation FROM incarnations")}
    rows = [(boots[stream], seq) for stream, seq in ends.items() if stream in boots]
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(
            "INSERT INTO pruned (boot, through, erased) VALUES (?, ?, 0)"
            " ON CONFLICT (boot) DO UPDATE SET through = max(through, excluded.through)", rows,
        )  # fmt: skip
        db.execute("COMMIT")
    except sqlite3.Error:
        _undo(db)
        raise


def is_left(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM pruned WHERE erased < through LIMIT 1").fetchone() is not None


def some(db: sqlite3.Connection, chores: deque[Callable[[sqlite3.Connection], int]]) -> int:
    """One transaction, of what others want done first; about how many bytes it wrote to the log, 0 when nothing is left to do.
    Raises sqlite3.Error."""
    if chores:
        written = chores[0](db)
        if not written:
            chores.popleft()
        return written + 1
    row = db.execute("SELECT boot, through, erased FROM pruned WHERE erased < through ORDER BY boot LIMIT 1").fetchone()
    if row is None:
        return 0
    boot, through, erased = row
    end = min(through, erased + AT_ONCE)
    kinds = sorted(kind.value for kind in KEPT_KINDS)
    going = f"boot = ? AND seq > ? AND seq <= ? AND kind NOT IN ({','.join('?' * len(kinds))}) AND raw <> x''"
    which = (boot, erased, end, *kinds)
    raws = [raw for (raw,) in db.execute(f"SELECT raw FROM entries WHERE {going}", which)]
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany("DELETE FROM notes WHERE digest = ?", [(note,) for note in map(_note_of, raws) if note])
        db.execute(f"UPDATE entries SET raw = x'' WHERE {going}", which)
        db.execute("UPDATE pruned SET erased = ? WHERE boot = ?", (end, boot))
        db.execute("COMMIT")
    except sqlite3.Error:
        _undo(db)
        raise
    return sum(map(len, raws)) + 4096


def _note_of(raw: bytes) -> str:
    try:
        note = decode(raw).body.get("note")
    except UnreadableEntry:
        return ""
    return note if isinstance(note, str) else ""


def _undo(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")
