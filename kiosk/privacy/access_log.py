"""access.db: who looked at whose page or picture, as long as the law wants it and no longer. Numbers only.

The service's own log has a line of each look too; that log is the system's, and how long it keeps it is the system's setting.
Written by a thread of its own, so that no page waits for the disk; what a power cut takes is in the system's log.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from queue import Empty, Queue
from typing import Final, NamedTuple

FILE_NAME: Final = "access.db"
WAITING_MAX: Final = 10_000
AT_ONCE: Final = 500

log = logging.getLogger("kiosk.privacy")


class Looked(NamedTuple):
    at_ms: int
    staff: int
    what: str
    subject: str


class AccessLog:
    """Raises sqlite3.Error when built: then nothing is kept here, and the service's log has it all the same."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE_NAME
        with closing(self._opened()) as db, db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS looks (at_ms INTEGER NOT NULL, staff INTEGER NOT NULL, what TEXT NOT NULL,"
                " subject TEXT NOT NULL)"
            )
            db.execute("CREATE INDEX IF NOT EXISTS looks_at ON looks (at_ms)")
        self._waiting: Queue[Looked | None] = Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=5)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA secure_delete=ON")
        return db

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def note(self, looked: Looked) -> None:
        """From any thread; never waits."""
        if not self._waiting.full():
            self._waiting.put(looked)

    def _run(self) -> None:
        while True:
            lot, going_on = self._lot()
            try:
                if lot:
                    self.write(lot)
            except sqlite3.Error as error:
                log.warning("%s takes no line (%s); the service's log has it", self._path, error)
            if not going_on:
                return

    def _lot(self) -> tuple[list[Looked], bool]:
        lot, first = list[Looked](), self._waiting.get()
        if first is None:
            return lot, False
        lot.append(first)
        try:
            while len(lot) < AT_ONCE:
                more = self._waiting.get_nowait()
                if more is None:
                    return lot, False
                lot.append(more)
        except Empty:
            pass
        return lot, True

    def write(self, lot: list[Looked]) -> None:
        with closing(self._opened()) as db, db:
            db.executemany("INSERT INTO looks VALUES (?, ?, ?, ?)", lot)

    def of(self, subject: int) -> list[Looked]:
        """Every look at one person, the oldest first. Raises sqlite3.Error."""
        with closing(self._opened()) as db:
            rows = db.execute("SELECT at_ms, staff, what, subject FROM looks WHERE subject = ? ORDER BY at_ms", (str(subject),))
            return [Looked(*row) for row in rows.fetchall()]

    def count(self) -> int:
        """Raises sqlite3.Error."""
        with closing(self._opened()) as db:
            return int(db.execute("SELECT count(*) FROM looks").fetchone()[0])

    def erase_before(self, at_ms: int) -> int:
        """How many lines. Raises sqlite3.Error."""
        with closing(self._opened()) as db:
            with db:
                gone = db.execute("DELETE FROM looks WHERE at_ms < ?", (at_ms,)).rowcount
            if gone:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone
