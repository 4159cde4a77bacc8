"""notices.db: what is to be told to whom, and what became of it, so that a notice outlives a restart.

One row per entry and target, which is what keeps a notice from being sent twice. A row has opaque numbers only. The thread
`notices` alone writes; WAL with synchronous=FULL, as for every record of this product.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from kiosk.core.entries import EntryId
from kiosk.migrating import Schema, migrate
from kiosk.notices.facts import Told
from kiosk.notices.words import TEST

if TYPE_CHECKING:
    from sqlite_utils import Database

FILE_NAME: Final = "notices.db"
WAITING_MAX: Final = 5_000  # per target; beyond it the oldest is given up
KEEP_MS: Final = 90 * 86_400_000  # how long a row that is done stays, where no setting says otherwise
FAILED_SHOWN_MS: Final = 86_400_000  # given up this long ago at most: still on the page
SENDS_KEPT_MS: Final = 60_000  # the longest window of any limit


def m001_outbox(db: Database) -> None:
    """state: waiting, sending (a restart finds out), sent, failed. twice: an earlier try may have arrived."""
    db.execute(
        "CREATE TABLE outbox (target TEXT NOT NULL, node TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL,"
        " kind TEXT NOT NULL, body TEXT NOT NULL, at_ms INTEGER NOT NULL, queued_ms INTEGER NOT NULL,"
        " state TEXT NOT NULL DEFAULT 'waiting', tries INTEGER NOT NULL DEFAULT 0, twice INTEGER NOT NULL DEFAULT 0,"
        " error TEXT NOT NULL DEFAULT '', done_ms INTEGER NOT NULL DEFAULT 0,"
        " PRIMARY KEY (target, node, incarnation, seq)) STRICT"
    )
    db.execute("CREATE INDEX outbox_open ON outbox (state, target, queued_ms)")
    db.execute(
        "CREATE TABLE targets (target TEXT PRIMARY KEY, last_sent_ms INTEGER NOT NULL, failures INTEGER NOT NULL,"
        " error TEXT NOT NULL, error_ms INTEGER NOT NULL, ban_ms INTEGER NOT NULL) STRICT"
    )
    db.execute("CREATE TABLE sends (target TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT")
    db.execute("CREATE TABLE seen (one INTEGER PRIMARY KEY CHECK (one = 1), incarnation TEXT NOT NULL, seq INTEGER NOT NULL)")


SCHEMA: Final = Schema("notices", (m001_outbox,))


class Waiting(NamedTuple):
    """A notice that waits for one target."""

    told: Told
    queued_ms: int
    tries: int
    twice: bool


class TargetRecord(NamedTuple):
    """What is remembered of a target. failures: in a row. ban_ms: a platform shut us out until then."""

    last_sent_ms: int = 0
    failures: int = 0
    error: str = ""
    error_ms: int = 0
    ban_ms: int = 0


class Counts(NamedTuple):
    waiting: int = 0
    failed: int = 0


class OutboxDamaged(Exception):
    """The file is no outbox any more; the sentence names it."""


class Outbox:
    """Every method is one transaction. Raises sqlite3.Error when the disk refuses; then nothing of it is done."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. Rows that were being sent when the power went wait again, marked. Raises OutboxDamaged."""
        self._db = _connect(path)
        with self._db:
            self._db.execute("DELETE FROM outbox WHERE kind = ? AND state <> 'sent'", (TEST,))  # whoever pressed is gone
            self._db.execute("UPDATE outbox SET state = 'waiting', twice = 1 WHERE state = 'sending'")

    def add(self, notices: Iterable[tuple[str, Told]], *, now_ms: int, seen: EntryId | None = None) -> int:
        """Rows for (target, fact); what is there already stays as it is. Returns how many are new."""
        rows = [(target, *t.entry, t.kind, json.dumps(t.body, ensure_ascii=False), t.at_ms, now_ms) for target, t in notices]
        with self._db:
            before = self._db.total_changes
            self._db.executemany(
                "INSERT OR IGNORE INTO outbox (target, node, incarnation, seq, kind, body, at_ms, queued_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows,
            )  # fmt: skip
            new = self._db.total_changes - before
            if seen is not None:
                self._db.execute("INSERT OR REPLACE INTO seen VALUES (1, ?, ?)", (seen.incarnation, seen.seq))
            for target in {row[0] for row in rows}:
                self._overflow(target, now_ms)
        return new

    def _overflow(self, target: str, now_ms: int) -> None:
        words = f"等候超过 {WAITING_MAX} 条，放弃最早的 / more than {WAITING_MAX} waited: the oldest were given up"
        newest = "SELECT rowid FROM outbox WHERE target = ?1 AND state = 'waiting' ORDER BY queued_ms DESC, seq DESC LIMIT ?2"
        self._db.execute(
            "UPDATE outbox SET state = 'failed', error = ?3, done_ms = ?4 WHERE target = ?1 AND state = 'waiting'"
            f" AND rowid NOT IN ({newest})", (target, WAITING_MAX, words, now_ms),
        )  # fmt: skip

    def seen(self) -> tuple[str, int] | None:
        """Up to which entry of this gate facts were taken in: (incarnation, seq)."""
        row = self._db.execute("SELECT incarnation, seq FROM seen").fetchone()
        return (row[0], row[1]) if row else None

    def waiting(self, target: str) -> list[Waiting]:
        """Oldest first."""
        rows = self._db.execute(
            "SELECT node, incarnation, seq, kind, body, at_ms, queued_ms, tries, twice FROM outbox"
            " WHERE state = 'waiting' AND target = ? ORDER BY at_ms, seq", (target,),
        )  # fmt: skip
        return [
            Waiting(Told(EntryId(node, incarnation, seq), kind, json.loads(body), at_ms), queued_ms, tries, bool(twice))
            for node, incarnation, seq, kind, body, at_ms, queued_ms, tries, twice in rows
        ]

    def try_now(self, target: str, entries: Sequence[EntryId], *, now_ms: int) -> None:
        """Written before the message goes, so that a power cut in between is noticed."""
        with self._db:
            self._mark(target, entries, "state = 'sending', tries = tries + 1")
            self._db.execute("DELETE FROM sends WHERE at_ms < ? OR at_ms > ?", (now_ms - SENDS_KEPT_MS, now_ms))
            self._db.execute("INSERT INTO sends VALUES (?, ?)", (target, now_ms))

    def accepted(self, target: str, entries: Sequence[EntryId], record: TargetRecord, *, now_ms: int) -> None:
        with self._db:
            self._mark(target, entries, "state = 'sent', error = '', done_ms = ?", now_ms)
            self._remember(target, record)

    def not_accepted(self, target: str, entries: Sequence[EntryId], record: TargetRecord, *, twice: bool) -> None:
        """They wait again, with the words of whoever refused; a test does not, its answer is on the page."""
        with self._db:
            self._mark(target, entries, "state = 'waiting', error = ?, twice = max(twice, ?)", record.error, int(twice))
            self._db.execute("DELETE FROM outbox WHERE target = ? AND kind = ? AND state = 'waiting'", (target, TEST))
            self._remember(target, record)

    def _mark(self, target: str, entries: Sequence[EntryId], what: str, *values: object) -> None:
        where = "target = ? AND node = ? AND incarnation = ? AND seq = ?"
        self._db.executemany(f"UPDATE outbox SET {what} WHERE {where}", [(*values, target, *entry) for entry in entries])

    def _remember(self, target: str, record: TargetRecord) -> None:
        self._db.execute("INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?, ?, ?)", (target, *record))

    def give_up(self, target: str, entries: Sequence[EntryId], *, now_ms: int) -> None:
        """They are failed for good, and say so."""
        words = "error = '放弃 / given up' || CASE error WHEN '' THEN '' ELSE '：' || error END"
        with self._db:
            self._mark(target, entries, f"state = 'failed', {words}, done_ms = ?", now_ms)

    def forget_targets(self, names: Iterable[str], *, now_ms: int) -> int:
        """What waits for a target that the settings do not have any more is given up. Returns how many."""
        kept = list(names)
        marks = ",".join("?" * len(kept))
        words = "对象已从 notices.toml 删除 / the target is not in notices.toml any more"
        with self._db:
            done = self._db.execute(
                f"UPDATE outbox SET state = 'failed', done_ms = ?, error = ? WHERE state = 'waiting' AND target NOT IN ({marks})",
                (now_ms, words, *kept),
            )
            self._db.execute(f"DELETE FROM targets WHERE target NOT IN ({marks})", kept)
        return done.rowcount

    def prune(self, *, now_ms: int, keep_ms: int = KEEP_MS) -> int:
        """How many rows went."""
        with self._db:
            over = "DELETE FROM outbox WHERE state IN ('sent', 'failed') AND done_ms < ?"
            return self._db.execute(over, (now_ms - keep_ms,)).rowcount

    def counts(self, *, now_ms: int) -> Mapping[str, Counts]:
        """By target. failed: given up within a day."""
        rows = self._db.execute(
            "SELECT target, sum(state IN ('waiting', 'sending')), sum(state = 'failed' AND done_ms > ?)"
            " FROM outbox GROUP BY target",
            (now_ms - FAILED_SHOWN_MS,),
        )
        return {target: Counts(waiting, failed) for target, waiting, failed in rows}

    def record(self, target: str) -> TargetRecord:
        columns = "last_sent_ms, failures, error, error_ms, ban_ms"
        row = self._db.execute(f"SELECT {columns} FROM targets WHERE target = ?", (target,)).fetchone()
        return TargetRecord(*row) if row else TargetRecord()

    def sends(self, target: str, *, now_ms: int) -> list[int]:
        """When messages went within the longest window of any limit."""
        rows = self._db.execute(
            "SELECT at_ms FROM sends WHERE target = ? AND at_ms BETWEEN ? AND ?", (target, now_ms - SENDS_KEPT_MS, now_ms)
        )
        return [at_ms for (at_ms,) in rows]

    def close(self) -> None:
        self._db.close()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, check_same_thread=False, timeout=5)
        mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        db.execute("PRAGMA synchronous = FULL")
        assert (mode, db.execute("PRAGMA synchronous").fetchone()[0]) == ("wal", 2)
        if newer := migrate(db, SCHEMA):
            raise sqlite3.DatabaseError(f"it was written by a newer version, which has {newer}")
    except sqlite3.OperationalError:
        raise  # no room, no right, busy: the file itself may be whole
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise OutboxDamaged(f"{path} cannot be used ({error})") from error
    return db
