"""The writing half of erasing free texts, on the journal's own connection: some at a time while nobody waits.

A deleted row is overwritten, and the log that still has it is folded in and cut to nothing; only then is it said to be done.
It knows no rule of what may go.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Final

AT_ONCE: Final = 128  # rows of one transaction
TRIES_MAX: Final = 500  # to cut the log while somebody reads from it


class NoteErasing:
    """A chore of the journal: called again until it answers 0. `done` is set when nothing of the texts is in the files."""

    def __init__(self, digests: Sequence[str], *, rebuild: bool = False) -> None:
        """rebuild: the whole table is written anew, which leaves nothing between its rows either."""
        self._left, self._rebuild, self._tries = list(digests), rebuild, 0
        self.erased = 0
        self.done = threading.Event()

    def __call__(self, db: sqlite3.Connection) -> int:
        """About how many bytes it wrote; 0 when it is done or gave up. Raises sqlite3.Error."""
        db.execute("PRAGMA secure_delete=ON")
        if self._left:
            return self._delete(db)
        if self._rebuild:
            self._write_anew(db)
            self._rebuild = False
            return 1
        self._tries += 1
        if _cut_log(db):
            self.done.set()
        return 0 if self.done.is_set() or self._tries >= TRIES_MAX else 1

    def _delete(self, db: sqlite3.Connection) -> int:
        lot, self._left = self._left[:AT_ONCE], self._left[AT_ONCE:]
        with _transaction(db):
            for digest in lot:
                self.erased += db.execute("DELETE FROM notes WHERE digest = ?", (digest,)).rowcount
        return 4096 + len(lot) * 256

    def _write_anew(self, db: sqlite3.Connection) -> None:
        with _transaction(db):
            db.execute("CREATE TABLE notes_again (digest TEXT PRIMARY KEY, salt BLOB NOT NULL, text TEXT NOT NULL)")
            db.execute("INSERT INTO notes_again SELECT digest, salt, text FROM notes ORDER BY rowid")
            db.execute("DROP TABLE notes")
            db.execute("ALTER TABLE notes_again RENAME TO notes")


def _cut_log(db: sqlite3.Connection) -> bool:
    """Whether the log is empty now; somebody who reads from it is not waited for."""
    waited = db.execute("PRAGMA busy_timeout").fetchone()[0]
    db.execute("PRAGMA busy_timeout=0")
    try:
        busy: int = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        db.execute(f"PRAGMA busy_timeout={waited}")
    return not busy


class _transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        elif self._db.in_transaction:
            self._db.execute("ROLLBACK")
