"""The journal: append-only SQLite record of every fact, chained by hash. It is also the outbox of the sync agent.

WAL with `synchronous=FULL`, asserted on every connection: WAL+NORMAL loses acknowledged facts in a power cut and Python's
default rollback journal loses the last one. One process writes; it holds a lock on the file beside it. Rows are
never changed or removed: triggers refuse, but for the bytes of old entries that the school server holds
(`kiosk.pruning`), whose hashes stay. Free text lives in `notes`, which is erasable; the chain holds only its digest.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import secrets
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kiosk import letting_go
from kiosk.ballast import is_of_room
from kiosk.core.chain_walk import Walk
from kiosk.core.entries import Entry, EntryId, Kind, Sealed, Stream, UnreadableEntry, decode
from kiosk.core.pruned import said_of
from kiosk.durable_files import RESTORING, fsync_folder, make_folder
from kiosk.journal_schema import SCHEMA
from kiosk.migrating import migrate

FILE_NAME = "journal.db"
LOOK_BACK, LOOK_AT_ONCE = 2_000, 50  # entries that are asked for the last trusted time: what a wrong clock wrote gives none
_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)  # the second: SQLite quotes the damage in its message
SALT_BYTES = 16
LOOKED_AT = 1_000  # entries of one read that seeks a few among all of them
COMMIT_BYTES = 3 * 4096  # a commit writes whole pages to the log: about three more than its entries fill

log = logging.getLogger("kiosk.journal")


class Reserve(Protocol):
    """Room that somebody keeps for the journal."""

    def give_up(self) -> bool:
        """Whether there was any: it is free when this returns."""


class JournalError(Exception):
    """Base of what can be wrong with a journal; the message names the file and the remedy."""


class JournalBusy(JournalError):
    """Another process writes to this journal."""


class JournalDamaged(JournalError):
    """The file cannot be read as a journal."""


class JournalTooNew(JournalError):
    """A newer version of this program wrote it."""


class CannotAppend(JournalError):
    """The facts did not become durable. Nobody may be told; write on paper."""


@dataclass(frozen=True, slots=True)
class Note:
    digest: str
    salt: bytes
    text: str


def new_note(text: str) -> Note:
    """Free text with the salted digest that a fact's body carries instead of it."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Note(hashlib.sha256(salt + text.encode()).hexdigest(), salt, text)


def new_incarnation() -> str:
    """A name for this boot that no other boot of any computer has: 16 hex digits."""
    return secrets.token_hex(8)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Every connection to a journal is made here, so that none can be a weaker one."""
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(
            f"file:{path}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=5
        )
        if read_only:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            return connection
        journal_mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous=FULL")
        synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    except _UNREADABLE as error:
        raise JournalDamaged(f"{path} cannot be opened as a journal ({error}); restore the last backup beside it") from error
    assert (journal_mode, synchronous) == ("wal", 2), (journal_mode, synchronous)
    connection.execute("PRAGMA wal_autocheckpoint=0")  # checkpoints happen when the inbox is empty
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    if newer := migrate(connection, SCHEMA):
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        connection.close()
        raise JournalTooNew(f"{path} was written by a newer version (it has {newer}); install that version again")


def refuse_half_restored(state: Path) -> None:
    """A gate that began a new journal amid a restore would stand there without its records. Raises JournalDamaged."""
    if (state / RESTORING).exists() and not (state / FILE_NAME).exists():
        raise JournalDamaged(f"a restore into {state} was cut off; run `kiosk restore` again, it goes on from there")


def last_trusted_ms(state: Path) -> int:
    """The latest time that a trusted clock gave, among the newest entries; 0 without one: a clock behind it is wrong."""
    path = state / FILE_NAME
    if not path.exists():
        return 0
    connection = connect(path, read_only=True)
    try:
        for offset in range(0, LOOK_BACK, LOOK_AT_ONCE):
            rows = connection.execute(
                "SELECT raw FROM entries WHERE raw <> x'' ORDER BY boot DESC, seq DESC LIMIT ? OFFSET ?", (LOOK_AT_ONCE, offset)
            ).fetchall()
            trusted = [entry.at_ms for (raw,) in rows if (entry := decode(raw)).clock == "trusted"]
            if trusted or not rows:
                return max(trusted, default=0)
    except _UNREADABLE as error:
        raise JournalDamaged(f"{path} cannot be read ({error}); restore the last backup beside it") from error
    finally:
        connection.close()
    return 0


class Journal:
    """The writing side. Opened once by the controller; all calls come from its thread."""

    def __init__(self, state: Path, *, node: str, incarnation: str, reserve: Reserve | None = None) -> None:
        """reserve: given up by an append that finds no room, which is then tried once more."""
        self.path = state / FILE_NAME
        self.node, self.incarnation, self._reserve = node, incarnation, reserve
        make_folder(state, mode=0o777)
        refuse_half_restored(state)
        self._lock = _lock(state / "journal.lock")
        self._create()
        self._db = connect(self.path)
        _migrate(self._db)
        last = self._db.execute("SELECT max(boot) FROM incarnations").fetchone()[0]
        self.boot: int = (last or 0) + 1
        self.log_bytes = 0  # about what the log has grown by since the last checkpoint
        self.prunes = letting_go.is_left(self._db)  # there are bytes to let go of while nobody waits
        self.chores: deque[Callable[[sqlite3.Connection], int]] = deque()  # likewise, until each has answered 0

    def _create(self) -> None:
        """A new database is created, closed and its folder synced before the first entry relies on it."""
        if self.path.exists():
            return
        connection = connect(self.path)
        _migrate(connection)
        connection.close()
        fsync_folder(self.path.parent)

    def append(self, sealed: Sequence[Sealed], notes: Sequence[Note] = ()) -> None:
        """One transaction, one fsync. Returns when the facts would survive a power cut. Raises CannotAppend."""
        if not sealed:
            return
        try:
            self._commit(sealed, notes)
        except sqlite3.Error as error:
            if not self._made_room(error):
                raise self._cannot(error) from error
            try:
                self._commit(sealed, notes)
            except sqlite3.Error as again:
                raise self._cannot(again) from again
        self.log_bytes += COMMIT_BYTES + sum(len(one.raw) for one in sealed)

    def _commit(self, sealed: Sequence[Sealed], notes: Sequence[Note]) -> None:
        """All of it or nothing. Raises sqlite3.Error."""
        db, boot = self._db, self.boot
        try:
            db.execute("BEGIN IMMEDIATE")
            if sealed[0].entry.seq == 1:
                db.execute("INSERT INTO incarnations VALUES (?, ?, ?)", (boot, self.incarnation, self.node))
            db.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?)",
                [(boot, entry.seq, entry.kind, raw, hash_) for entry, raw, hash_ in sealed],
            )
            if names := [(read_name(body["access_point"], body["nonce"]),) for body in _named_reads(sealed)]:
                db.executemany("INSERT OR IGNORE INTO reads VALUES (?)", names)
            if notes:
                db.executemany("INSERT INTO notes VALUES (?, ?, ?)", [(n.digest, n.salt, n.text) for n in notes])
            db.execute("COMMIT")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _made_room(self, error: sqlite3.Error) -> bool:
        """Whether the error was one of room, and there was some in reserve."""
        return self._reserve is not None and is_of_room(error, self.path.parent) and self._reserve.give_up()

    def _cannot(self, error: sqlite3.Error) -> CannotAppend:
        return CannotAppend(f"{self.path} took no entry ({error}); free the disk, write on paper meanwhile")

    def checkpoint(self) -> bool:
        """Moves the log into the database file; called when nobody waits. False when the disk refused: the log has it all."""
        self.log_bytes = 0  # refused or not: the next try is due after as much again
        try:
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error:
            return False
        return True

    def prune_through(self, ends: Mapping[str, int]) -> None:
        """stream -> through which seq a durable fact lets go of bytes; `prune_some` does it. Tomorrow, if the disk refuses."""
        try:
            letting_go.begin(self._db, ends)
        except sqlite3.Error as error:
            log.warning("%s lets go of no bytes today (%s)", self.path, error)
        else:
            self.prunes = True

    def prune_some(self) -> None:
        """A little of it; called when nobody waits. A disk that refuses is left alone until the next start."""
        try:
            written = letting_go.some(self._db, self.chores)
        except sqlite3.Error as error:
            log.warning("%s lets go of no more bytes before the next start (%s)", self.path, error)
            self.prunes = False
            return
        self.log_bytes += written
        self.prunes = written > 0 or bool(self.chores)

    def head(self) -> tuple[EntryId, bytes, int] | None:
        """The last entry written by any incarnation: its id, hash and tick; None in a new journal."""
        row = self._db.execute("SELECT raw, hash FROM entries ORDER BY boot DESC, seq DESC LIMIT 1").fetchone()
        if row is None:
            return None
        entry = decode(row[0])
        return entry.id, bytes(row[1]), entry.tick

    def resumed(self) -> Stream | None:
        """The writing end of this incarnation as the disk has it, or None when nothing of it is durable yet."""
        row = self._db.execute(
            "SELECT raw, hash FROM entries WHERE boot = ? ORDER BY seq DESC LIMIT 1", (self.boot,)
        ).fetchone()
        if row is None:
            return None
        last = decode(row[0])
        stream = Stream(node=self.node, incarnation=self.incarnation, tick=last.tick, seen=last.based_on)
        stream.seq, stream.head = last.seq, bytes(row[1])
        return stream

    def streams(self) -> dict[str, int]:
        """Every earlier incarnation of this journal with its last seq."""
        return {f"{node}/{incarnation}": last for _, node, incarnation, last in self._lengths()}

    def from_place(self, at: tuple[int, int], *, most: int) -> list[tuple[int, int, bytes]]:
        """(boot, seq, raw) from one place in the order of writing on, that included."""
        return self._db.execute(
            "SELECT boot, seq, raw FROM entries WHERE (boot, seq) >= (?, ?) AND raw <> x'' ORDER BY boot, seq LIMIT ?",
            (*at, most),
        ).fetchall()

    def let_go(self) -> Entry | None:
        """The close of a day up to which this journal has no whole story any more; None while it has all of it."""
        place = self._db.execute("SELECT boot, through FROM pruned ORDER BY boot DESC LIMIT 1").fetchone()
        sql = "SELECT raw FROM entries WHERE (boot, seq) > (?, ?) AND kind = 'campus_cleared' ORDER BY boot, seq"
        closes = (decode(raw) for (raw,) in self._db.execute(sql, place)) if place else ()
        return next((close for close in closes if close.clock == "trusted"), None)

    def of_kinds(self, kinds: frozenset[str]) -> Iterator[Entry]:
        """Standing facts of all times."""
        return (entry for found in self.looked_through(kinds) for _, _, entry in found)

    def looked_through(self, kinds: frozenset[str], *, newest_first: bool = False) -> Iterator[list[tuple[int, int, Entry]]]:
        """(boot, seq, fact) of some kinds, a short read at a time: an empty list where none of them is among so many."""
        sql = f"SELECT seq, raw FROM entries WHERE boot = ? AND seq BETWEEN ? AND ? AND kind IN ({','.join('?' * len(kinds))})"
        turn = -1 if newest_first else 1
        for boot, _, _, last in self._lengths()[::turn]:
            for first in range(1, last + 1, LOOKED_AT)[::turn]:
                rows = self._db.execute(f"{sql} ORDER BY seq", (boot, first, first + LOOKED_AT - 1, *sorted(kinds))).fetchall()
                yield [(boot, seq, decode(raw)) for seq, raw in rows[::turn]]

    def _lengths(self) -> list[tuple[int, str, str, int]]:
        """(boot, node, incarnation, last seq) of all that have an entry, each found by one leap."""
        rows = self._db.execute(
            "SELECT boot, node, incarnation, (SELECT max(seq) FROM entries WHERE entries.boot = incarnations.boot)"
            " FROM incarnations ORDER BY boot"
        )
        return [row for row in rows if row[3]]

    def note(self, digest: str) -> str | None:
        """The free text behind a digest, or None when it was erased."""
        row = self._db.execute("SELECT text FROM notes WHERE digest = ?", (digest,)).fetchone()
        return row[0] if row else None

    def erase_note(self, digest: str) -> bool:
        return self._db.execute("DELETE FROM notes WHERE digest = ?", (digest,)).rowcount > 0

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # a disk that is full or gone: the log stays and is read at the next start
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()
        os.close(self._lock)


def _named_reads(sealed: Sequence[Sealed]) -> Iterator[dict[str, Any]]:
    return (one.entry.body for one in sealed if one.entry.body.get("nonce") and one.entry.body.get("access_point"))


def read_name(access_point: str, nonce: str) -> str:
    return f"{access_point} {nonce}"


def entries_of_kinds(state: Path, kinds: frozenset[str]) -> list[Entry]:
    """Facts of all times, read beside a running gate; none where there is no journal yet."""
    path = state / FILE_NAME
    if not path.exists():
        return []
    connection = connect(path, read_only=True)
    try:
        marks = ",".join("?" * len(kinds))
        rows = connection.execute(f"SELECT raw FROM entries WHERE kind IN ({marks}) ORDER BY boot, seq", sorted(kinds)).fetchall()
    finally:
        connection.close()
    return [decode(raw) for (raw,) in rows]


@dataclass(frozen=True, slots=True)
class Verification:
    """What `kiosk verify` found. first_bad: node, incarnation, seq and why, of the first entry that cannot be trusted."""

    ok: bool
    entries: int
    incarnations: int
    first_bad: dict[str, Any] | None


def verify(path: Path) -> Verification:
    """Walks the whole chain: numbers without a gap, hashes, and each incarnation sealing the one before.

    SQLite does not notice a flipped bit; this does. Raises JournalDamaged when the file is no database any more.
    """
    if not path.exists():
        raise JournalDamaged(f"there is no journal at {path}; name the state folder with --state")
    connection = connect(path, read_only=True)
    count, walk = 0, Walk()
    try:
        walk.said = _said_of_pruned(connection)
        boots = connection.execute("SELECT boot, node, incarnation FROM incarnations ORDER BY boot").fetchall()
        for boot, node, incarnation in boots:
            walk.open(node, incarnation)
            for seq, kind, raw, hash_ in connection.execute(
                "SELECT seq, kind, raw, hash FROM entries WHERE boot = ? ORDER BY seq", (boot,)
            ):
                why = walk.step(seq, kind, raw, hash_)
                if why:
                    bad = {"node": node, "incarnation": incarnation, "seq": seq, "why": why}
                    return Verification(False, count, len(boots), bad)
                count += 1
        orphans = connection.execute("SELECT count(*) FROM entries WHERE boot NOT IN (SELECT boot FROM incarnations)")
        lost = orphans.fetchone()[0]
        if lost:
            bad = {"node": "", "incarnation": "", "seq": 0, "why": f"{lost} entries belong to no incarnation"}
            return Verification(False, count, len(boots), bad)
    except _UNREADABLE as error:
        why = f"the file is damaged here: {error}"
        bad = {"node": walk.node, "incarnation": walk.incarnation, "seq": walk.seq + 1, "why": why}
        return Verification(False, count, count and 1, bad)
    finally:
        connection.close()
    return Verification(True, count, len(boots), None)


def _said_of_pruned(connection: sqlite3.Connection) -> dict[str, dict[int, str]]:
    """By facts of the same chain, which the walk comes to as well."""
    rows = connection.execute("SELECT raw FROM entries WHERE kind = ?", (Kind.RECORDS_PRUNED.value,)).fetchall()
    found = list[Entry]()
    for (raw,) in rows:
        with contextlib.suppress(UnreadableEntry, TypeError):
            found.append(decode(raw))
    return said_of(found)


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise JournalBusy(f"{path.parent} is in use by another kiosk; stop that one or name another --state") from error
    return descriptor
