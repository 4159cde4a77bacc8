"""The store of a school of ordinary size: one SQLite file, one writer, readers beside it.

WAL with synchronous=FULL, so that the end of a transaction is the moment from which an entry may be acknowledged.
Entries are never changed or deleted; triggers see to it. Which row goes where is decided in rules.py, not here.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sync_agent.durable_sqlite import Schema, open_durable, open_reader
from sync_agent.protocol import DirectoryState
from sync_agent.school_server.rules import Known, NewBranchEntry, NewEntry
from sync_agent.school_server.sqlite_identities import SqliteIdentities, begin_keys, m005_identities
from sync_agent.school_server.store import (
    Head,
    Node,
    Refusal,
    SetAside,
    SignedHead,
    StoredDirectory,
    StoredEntry,
    StoreUnavailable,
    StreamRow,
    Totals,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

DATABASE_FILE: Final = "server.db"
_NODE: Final = "node, public_key, enrolled_ms, revoked_ms, revoked_why"
_OUR_FAULT = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.InterfaceError)


def m001_streams_entries_branches(db: Database) -> None:
    for sql in (
        "CREATE TABLE streams(id INTEGER PRIMARY KEY, school TEXT NOT NULL, node TEXT NOT NULL,"
        " incarnation TEXT NOT NULL, durable_through INTEGER NOT NULL DEFAULT 0, quarantined INTEGER NOT NULL DEFAULT 0,"
        " branched INTEGER NOT NULL DEFAULT 0, last_received_ms INTEGER NOT NULL, UNIQUE(school, node, incarnation))",
        "CREATE TABLE entries(position INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES streams(id),"
        " seq INTEGER NOT NULL, kind TEXT NOT NULL, at_ms INTEGER, raw BLOB NOT NULL, hash BLOB NOT NULL,"
        " quarantined TEXT NOT NULL, received_ms INTEGER NOT NULL, UNIQUE(stream, seq))",
        "CREATE INDEX entries_set_aside ON entries(position) WHERE quarantined != ''",
        "CREATE TABLE branches(stream INTEGER NOT NULL REFERENCES streams(id), seq INTEGER NOT NULL, hash BLOB NOT NULL,"
        " prev_hash BLOB NOT NULL, raw BLOB NOT NULL, received_ms INTEGER NOT NULL, PRIMARY KEY(stream, seq, hash))",
        "CREATE TABLE heads(stream INTEGER NOT NULL REFERENCES streams(id), last_seq INTEGER NOT NULL,"
        " hash BLOB NOT NULL, first_seq INTEGER NOT NULL, content_sha256 BLOB NOT NULL, signature BLOB NOT NULL,"
        " received_ms INTEGER NOT NULL, PRIMARY KEY(stream, last_seq, hash, first_seq)) WITHOUT ROWID",
        "CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries"
        " BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END",
        "CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries"
        " BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END",
    ):
        db.execute(sql)


def m002_nodes_directories(db: Database) -> None:
    db.execute(
        "CREATE TABLE nodes(school TEXT NOT NULL, node TEXT NOT NULL, public_key TEXT NOT NULL,"
        " enrolled_ms INTEGER NOT NULL, PRIMARY KEY(school, node)) WITHOUT ROWID"
    )
    # Of a superseded directory only number and digest stay: it names people whom a later one may have erased.
    db.execute(
        "CREATE TABLE directories(school TEXT NOT NULL, number INTEGER NOT NULL, sha256 TEXT NOT NULL, content BLOB,"
        " node TEXT NOT NULL, received_ms INTEGER NOT NULL, PRIMARY KEY(school, number))"
    )


def m003_deliveries(db: Database) -> None:
    """How far another system has the events, and what it would not take. In this file, so that a restore takes both back."""
    db.execute(
        "CREATE TABLE deliveries(school TEXT NOT NULL, receiver TEXT NOT NULL, position INTEGER NOT NULL,"
        " PRIMARY KEY(school, receiver)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE refused_events(id INTEGER PRIMARY KEY, school TEXT NOT NULL, receiver TEXT NOT NULL, node TEXT NOT NULL,"
        " incarnation TEXT NOT NULL, seq INTEGER NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL,"
        " UNIQUE(school, receiver, node, incarnation, seq))"
    )


def m004_signed_heads(db: Database) -> None:
    """How far each gate said that its record goes, and the server's countersignature; none where the hash differed."""
    db.execute(
        "CREATE TABLE signed_heads(stream INTEGER NOT NULL REFERENCES streams(id), seq INTEGER NOT NULL, hash BLOB NOT NULL,"
        " signature BLOB NOT NULL, countersignature BLOB NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(stream, seq, hash))"
        " WITHOUT ROWID"
    )


SCHEMA: Final = Schema(
    "school_server",
    (m001_streams_entries_branches, m002_nodes_directories, m003_deliveries, m004_signed_heads, m005_identities),
)


class SqliteStore:
    """folder: holds server.db. Raises Misconfigured when it cannot be opened."""

    kind: Final = "SQLite"

    def __init__(self, folder: Path) -> None:
        path = folder / DATABASE_FILE
        self._writer = open_durable(path, SCHEMA)
        self._writer.execute("PRAGMA secure_delete=ON")  # a superseded directory names people
        self._reader = open_reader(path)
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self.identities = SqliteIdentities(self._transaction, self._read)
        self._cut_log()

    @contextmanager
    def locked_stream(self, *, school: str, node: str, incarnation: str) -> Iterator[SqliteStream]:
        with self._transaction() as writer:
            row = writer.execute(
                "SELECT id, durable_through FROM streams WHERE school=? AND node=? AND incarnation=?",
                (school, node, incarnation),
            ).fetchone()
            yield SqliteStream(writer, (school, node, incarnation), row)

    def streams(self, *, school: str, node: str | None = None) -> list[StreamRow]:
        rows = self._read(
            "SELECT node, incarnation, durable_through, quarantined, branched, last_received_ms FROM streams"
            " WHERE school=? AND (? IS NULL OR node=?) ORDER BY last_received_ms DESC, id DESC",
            (school, node, node),
        )
        return [
            StreamRow(
                node=row[0],
                incarnation=row[1],
                durable_through=row[2],
                quarantined=row[3],
                branched=bool(row[4]),
                last_received_ms=row[5],
            )
            for row in rows
        ]

    def run_of(self, *, school: str, node: str, incarnation: str, after_seq: int, most: int) -> list[StoredEntry]:
        return self._entries(
            "WHERE e.stream=(SELECT id FROM streams WHERE school=? AND node=? AND incarnation=?) AND e.seq>?"
            " ORDER BY e.seq LIMIT ?",
            (school, node, incarnation, after_seq, most),
        )

    def entries_after(self, *, school: str, position: int, most: int) -> list[StoredEntry]:
        return self._entries("WHERE e.position>? AND s.school=? ORDER BY e.position LIMIT ?", (position, school, most))

    def node(self, *, school: str, node: str) -> Node | None:
        rows = self._read(f"SELECT {_NODE} FROM nodes WHERE school=? AND node=?", (school, node))
        return _node(school, rows[0]) if rows else None

    def nodes(self, *, school: str) -> list[Node]:
        return [_node(school, row) for row in self._read(f"SELECT {_NODE} FROM nodes WHERE school=? ORDER BY node", (school,))]

    def add_node(self, node: Node) -> Node:
        with self._transaction() as writer:
            begin_keys(writer, school=node.school, node=node.node, public_key=node.public_key, at_ms=node.enrolled_ms)
        found = self.node(school=node.school, node=node.node)
        assert found is not None
        return found

    def directory_state(self, *, school: str) -> DirectoryState | None:
        rows = self._read("SELECT number, sha256 FROM directories WHERE school=? ORDER BY number DESC LIMIT 1", (school,))
        return DirectoryState(number=rows[0][0], sha256=rows[0][1]) if rows else None

    def directory_content(self, *, school: str, number: int) -> bytes | None:
        rows = self._read("SELECT content FROM directories WHERE school=? AND number=?", (school, number))
        return bytes(rows[0][0]) if rows and rows[0][0] is not None else None

    def put_directory(self, directory: StoredDirectory, *, school: str, base: int, at_ms: int) -> int | None:
        with self._transaction() as writer:
            current = int(
                writer.execute("SELECT coalesce(max(number), 0) FROM directories WHERE school=?", (school,)).fetchone()[0]
            )
            if base != current or directory.number <= current:
                return current
            writer.execute("UPDATE directories SET content=NULL WHERE school=?", (school,))
            writer.execute(
                "INSERT INTO directories VALUES (?,?,?,?,?,?)",
                (school, directory.number, directory.sha256, directory.content, directory.node, at_ms),
            )
        self._cut_log()
        return None

    def _cut_log(self) -> None:
        """The log has the superseded directory until it is folded in and cut: whoever was erased must not be read there. Where
        somebody reads without a pause it is tried again with the next directory."""
        with self._writing, suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def totals(self, *, school: str) -> Totals:
        row = self._read(
            "SELECT coalesce(sum(durable_through), 0), coalesce(sum(quarantined), 0),"
            " (SELECT count(*) FROM branches JOIN streams s ON s.id=stream WHERE s.school=?1)"
            " FROM streams WHERE school=?1",
            (school,),
        )[0]
        return Totals(entries=row[0], quarantined=row[1], forks=row[2])

    def set_aside(self, *, school: str, most: int) -> list[SetAside]:
        rows = self._read(
            "SELECT s.node, s.incarnation, e.seq, e.quarantined, e.received_ms FROM entries e JOIN streams s ON s.id=e.stream"
            " WHERE s.school=?1 AND e.quarantined != '' UNION ALL"
            " SELECT s.node, s.incarnation, b.seq, 'fork', b.received_ms FROM branches b JOIN streams s ON s.id=b.stream"
            " WHERE s.school=?1 UNION ALL"
            " SELECT s.node, s.incarnation, h.seq, 'another signed head', h.at_ms FROM signed_heads h"
            " JOIN streams s ON s.id=h.stream WHERE s.school=?1 AND h.countersignature=x''"
            " ORDER BY 5 DESC, 3 DESC LIMIT ?2",
            (school, most),
        )
        return [
            SetAside(node=node, incarnation=incarnation, seq=seq, reason=reason, received_ms=at_ms)
            for node, incarnation, seq, reason, at_ms in rows
        ]

    def keep_head(self, head: SignedHead, *, school: str) -> SignedHead:
        with self._transaction() as writer:
            stream = writer.execute(
                "SELECT id FROM streams WHERE school=? AND node=? AND incarnation=?", (school, head.node, head.incarnation)
            ).fetchone()[0]
            writer.execute(
                "INSERT INTO signed_heads VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                (stream, head.seq, head.hash, head.signature, head.countersignature, head.at_ms),
            )
            row = writer.execute(
                "SELECT signature, countersignature, at_ms FROM signed_heads WHERE stream=? AND seq=? AND hash=?",
                (stream, head.seq, head.hash),
            ).fetchone()
        return replace(head, signature=bytes(row[0]), countersignature=bytes(row[1]), at_ms=row[2])

    def delivered_through(self, *, school: str, receiver: str) -> int:
        rows = self._read("SELECT position FROM deliveries WHERE school=? AND receiver=?", (school, receiver))
        return int(rows[0][0]) if rows else 0

    def set_delivered(self, *, school: str, receiver: str, position: int, refused: Refusal | None, at_ms: int) -> None:
        with self._transaction() as writer:
            writer.execute(
                "INSERT INTO deliveries VALUES (?,?,?) ON CONFLICT(school, receiver) DO UPDATE SET position=excluded.position",
                (school, receiver, position),
            )
            if refused is not None:
                writer.execute(
                    "INSERT INTO refused_events(school, receiver, node, incarnation, seq, why, at_ms) VALUES (?,?,?,?,?,?,?)"
                    " ON CONFLICT DO NOTHING",
                    (school, receiver, refused.node, refused.incarnation, refused.seq, refused.why, at_ms),
                )

    def refused_events(self, *, school: str, most: int) -> list[SetAside]:
        rows = self._read(
            "SELECT node, incarnation, seq, why, at_ms FROM refused_events WHERE school=? ORDER BY id DESC LIMIT ?",
            (school, most),
        )
        return [
            SetAside(node=node, incarnation=incarnation, seq=seq, reason=why, received_ms=at_ms)
            for node, incarnation, seq, why, at_ms in rows
        ]

    def close(self) -> None:
        with self._reading:
            self._reader.close()
        with self._writing:
            self._writer.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except _OUR_FAULT:
                raise
            except sqlite3.Error as error:
                raise StoreUnavailable(f"the store cannot be written ({error}); look at free space") from error
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    def _read(self, sql: str, values: tuple[object, ...]) -> list[Any]:
        with self._reading:
            try:
                return self._reader.execute(sql, values).fetchall()
            except _OUR_FAULT:
                raise
            except sqlite3.Error as error:
                raise StoreUnavailable(f"the store cannot be read ({error}); look at the disk") from error

    def _entries(self, where: str, values: tuple[object, ...]) -> list[StoredEntry]:
        rows = self._read(
            "SELECT e.position, s.node, s.incarnation, e.seq, e.raw, e.hash, e.quarantined"
            f" FROM entries e JOIN streams s ON s.id=e.stream {where}",
            values,
        )
        return [
            StoredEntry(
                position=row[0],
                node=row[1],
                incarnation=row[2],
                seq=row[3],
                raw=bytes(row[4]),
                hash=bytes(row[5]),
                quarantined=row[6],
            )
            for row in rows
        ]


def _node(school: str, row: tuple[Any, ...]) -> Node:
    return Node(school=school, node=row[0], public_key=row[1], enrolled_ms=row[2], revoked_ms=row[3], revoked_why=row[4])


class SqliteStream:
    """One stream inside the writer's transaction. Lives only as long as that."""

    def __init__(self, writer: sqlite3.Connection, name: tuple[str, str, str], row: tuple[int, int] | None) -> None:
        self._writer, self._name = writer, name
        self._id: int | None = None if row is None else row[0]
        self._durable_through = 0 if row is None else row[1]

    def known(self, *, first_seq: int, last_seq: int) -> Known:
        span = (self._id, first_seq - 1, last_seq)
        hashes: dict[int, bytes] = {}
        if first_seq - 1 <= self._durable_through:
            rows = self._writer.execute("SELECT seq, hash FROM entries WHERE stream=? AND seq BETWEEN ? AND ?", span)
            hashes = {seq: bytes(digest) for seq, digest in rows}
        branches = self._writer.execute("SELECT seq, hash FROM branches WHERE stream=? AND seq BETWEEN ? AND ?", span)
        return Known(
            durable_through=self._durable_through,
            hashes=hashes,
            branches=frozenset((seq, bytes(digest)) for seq, digest in branches),
        )

    def write(self, *, entries: Sequence[NewEntry], branch: Sequence[NewBranchEntry], head: Head | None, at_ms: int) -> None:
        stream = self._opened(at_ms)
        self._writer.executemany(
            "INSERT INTO entries(stream, seq, kind, at_ms, raw, hash, quarantined, received_ms) VALUES (?,?,?,?,?,?,?,?)",
            [(stream, entry.seq, entry.kind, entry.at_ms, entry.raw, entry.hash, entry.quarantined, at_ms) for entry in entries],
        )
        self._writer.executemany(
            "INSERT INTO branches VALUES (?,?,?,?,?,?)",
            [(stream, entry.seq, entry.hash, entry.prev_hash, entry.raw, at_ms) for entry in branch],
        )
        if head is not None:
            self._writer.execute(
                "INSERT INTO heads VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                (stream, head.last_seq, head.hash, head.first_seq, head.content_sha256, head.signature, at_ms),
            )
        self._writer.execute(
            "UPDATE streams SET durable_through=max(durable_through, ?), quarantined=quarantined+?,"
            " branched=max(branched, ?), last_received_ms=? WHERE id=?",
            (
                entries[-1].seq if entries else 0,
                sum(1 for entry in entries if entry.quarantined),
                int(bool(branch)),
                at_ms,
                stream,
            ),
        )

    def _opened(self, at_ms: int) -> int:
        if self._id is None:
            added = self._writer.execute(
                "INSERT INTO streams(school, node, incarnation, last_received_ms) VALUES (?,?,?,?)", (*self._name, at_ms)
            )
            assert added.lastrowid is not None
            self._id = added.lastrowid
        return self._id
