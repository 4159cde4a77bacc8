"""Two questions to the journal from other threads than the loop's: was this read taken already, what does this note say.

Each asker has a read-only connection of its own, so nobody waits for anybody. What the disk cannot answer now is answered "no".
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from kiosk.journal import FILE_NAME, JournalError, connect, read_name


class NonceReader:
    """Whether a read led to a fact, ever; from any thread, with a read-only connection of its own."""

    def __init__(self, state: Path) -> None:
        self._path, self._lock = state / FILE_NAME, threading.Lock()
        self._db: sqlite3.Connection | None = None

    def __call__(self, access_point: str, nonce: str) -> bool:
        """False where the disk cannot be read now: the loop still knows the reads of these days."""
        try:
            with self._lock:
                self._db = self._db or connect(self._path, read_only=True)
                name = read_name(access_point, nonce)
                return self._db.execute("SELECT 1 FROM reads WHERE name = ?", (name,)).fetchone() is not None
        except (sqlite3.Error, JournalError):
            return False

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
            self._db = None


class NoteReader:
    """The free text behind a digest, for pages and printers, from any thread: a read-only connection of its own."""

    def __init__(self, state: Path) -> None:
        self._path, self._lock = state / FILE_NAME, threading.Lock()
        self._db: sqlite3.Connection | None = None

    def __call__(self, digest: str) -> str | None:
        """None when it was erased, lies at another gate, or the disk cannot be read now."""
        try:
            with self._lock:
                self._db = self._db or connect(self._path, read_only=True)
                row = self._db.execute("SELECT text FROM notes WHERE digest = ?", (digest,)).fetchone()
        except (sqlite3.Error, JournalError):
            return None
        return row[0] if row else None

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
            self._db = None
