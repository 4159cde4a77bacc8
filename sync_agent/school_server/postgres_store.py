"""The store of a district, or of a school whose one machine is not enough: the same tables in PostgreSQL.

A batch is one transaction: the rows of stream and school are locked, what is there is compared, entries come in by COPY, the
cursor is moved, all is committed durably. The primary key (stream, seq) refuses a second entry of one number. Positions are
counted up in the school's row, which stays locked until the commit: whoever reads page by page never passes over one that
becomes visible later. Statements that need no answer travel together: on a busy computer each way there and back costs more
than the work. Which row goes where is decided in rules.py, not here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, LiteralString

import psycopg

from sync_agent.errors import Misconfigured
from sync_agent.protocol import DirectoryState
from sync_agent.school_server.postgres_connections import Address, Connections, Limits, refused_for_good
from sync_agent.school_server.postgres_identities import PostgresIdentities, begin_keys
from sync_agent.school_server.postgres_schema import migrate
from sync_agent.school_server.rules import Known, NewBranchEntry, NewEntry
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

_SCHOOL: Final = "(SELECT id FROM schools WHERE name=%(school)s)"
_NODE: Final = "node, public_key, enrolled_ms, revoked_ms, revoked_why"
_COPY: Final = (
    "COPY entries(stream, seq, school, position, kind, at_ms, raw, hash, quarantined, received_ms) FROM STDIN (FORMAT BINARY)"
)
_COPY_TYPES: Final = ("int8", "int8", "int4", "int8", "text", "int8", "bytea", "bytea", "text", "int8")

log = logging.getLogger(__name__)


class PostgresStore:
    """url: postgresql://… Raises Misconfigured when the server is there and it cannot work with it.

    A server that is not there now may come: then every method raises StoreUnavailable until it does.
    """

    kind: Final = "PostgreSQL"

    def __init__(self, url: str, *, limits: Limits | None = None) -> None:
        self._address = Address(url)
        limits = limits or Limits()
        self._writers = Connections(self._address, limits)
        self._readers = Connections(self._address, limits, read_only=True)
        self.identities = PostgresIdentities(self._writing, self._read, _locked_school)
        self._migrated = False
        self._open_at_start()

    @contextmanager
    def locked_stream(self, *, school: str, node: str, incarnation: str) -> Iterator[PostgresStream]:
        name = {"school": school, "node": node, "incarnation": incarnation}
        with self._writing() as connection:
            try:
                stream = PostgresStream(connection, _begun(connection, name))
                yield stream
                stream.commit()
            finally:
                _end(connection)  # what is not committed by now never was; a stream that got nothing leaves no trace

    def streams(self, *, school: str, node: str | None = None) -> list[StreamRow]:
        rows = self._read(
            "SELECT node, incarnation, durable_through, quarantined, branched, last_received_ms FROM streams"
            f" WHERE school={_SCHOOL} AND (%(node)s::text IS NULL OR node=%(node)s) ORDER BY last_received_ms DESC, id DESC",
            school=school,
            node=node,
        )
        return [
            StreamRow(
                node=row[0],
                incarnation=row[1],
                durable_through=row[2],
                quarantined=row[3],
                branched=row[4],
                last_received_ms=row[5],
            )
            for row in rows
        ]

    def run_of(self, *, school: str, node: str, incarnation: str, after_seq: int, most: int) -> list[StoredEntry]:
        return self._entries(
            f"WHERE e.stream=(SELECT id FROM streams WHERE school={_SCHOOL} AND node=%(node)s AND incarnation=%(incarnation)s)"
            " AND e.seq>%(after)s ORDER BY e.seq LIMIT %(most)s",
            school=school,
            node=node,
            incarnation=incarnation,
            after=after_seq,
            most=most,
        )

    def entries_after(self, *, school: str, position: int, most: int) -> list[StoredEntry]:
        return self._entries(
            f"WHERE e.school={_SCHOOL} AND e.position>%(after)s ORDER BY e.position LIMIT %(most)s",
            school=school,
            after=position,
            most=most,
        )

    def node(self, *, school: str, node: str) -> Node | None:
        rows = self._read(f"SELECT {_NODE} FROM nodes WHERE school={_SCHOOL} AND node=%(node)s", school=school, node=node)
        return _node(school, rows[0]) if rows else None

    def nodes(self, *, school: str) -> list[Node]:
        rows = self._read(f'SELECT {_NODE} FROM nodes WHERE school={_SCHOOL} ORDER BY node COLLATE "C"', school=school)
        return [_node(school, row) for row in rows]

    def add_node(self, node: Node) -> Node:
        with self._writing() as connection, connection.transaction():
            of_school = _locked_school(connection, node.school)
            begin_keys(connection, school=of_school, node=node.node, public_key=node.public_key, at_ms=node.enrolled_ms)
        found = self.node(school=node.school, node=node.node)
        assert found is not None
        return found

    def directory_state(self, *, school: str) -> DirectoryState | None:
        rows = self._read(
            f"SELECT number, sha256 FROM directories WHERE school={_SCHOOL} ORDER BY number DESC LIMIT 1", school=school
        )
        return DirectoryState(number=rows[0][0], sha256=rows[0][1]) if rows else None

    def directory_content(self, *, school: str, number: int) -> bytes | None:
        rows = self._read(
            f"SELECT content FROM directories WHERE school={_SCHOOL} AND number=%(number)s", school=school, number=number
        )
        return bytes(rows[0][0]) if rows and rows[0][0] is not None else None

    def put_directory(self, directory: StoredDirectory, *, school: str, base: int, at_ms: int) -> int | None:
        with self._writing() as connection, connection.transaction():
            of_school = _locked_school(connection, school)
            current = int(
                _one(connection.execute("SELECT coalesce(max(number), 0) FROM directories WHERE school=%s", (of_school,)))[0]
            )
            if base != current or directory.number <= current:
                return current
            connection.execute("UPDATE directories SET content=NULL WHERE school=%s AND content IS NOT NULL", (of_school,))
            connection.execute(
                "INSERT INTO directories VALUES (%s,%s,%s,%s,%s,%s)",
                (of_school, directory.number, directory.sha256, directory.content, directory.node, at_ms),
            )
        return None

    def totals(self, *, school: str) -> Totals:
        row = self._read(
            "SELECT coalesce(sum(durable_through), 0)::bigint, coalesce(sum(quarantined), 0)::bigint,"
            f" (SELECT count(*) FROM branches JOIN streams s ON s.id=stream WHERE s.school={_SCHOOL})"
            f" FROM streams WHERE school={_SCHOOL}",
            school=school,
        )[0]
        return Totals(entries=row[0], quarantined=row[1], forks=row[2])

    def set_aside(self, *, school: str, most: int) -> list[SetAside]:
        rows = self._read(
            "SELECT s.node, s.incarnation, e.seq, e.quarantined, e.received_ms FROM entries e JOIN streams s ON s.id=e.stream"
            f" WHERE e.school={_SCHOOL} AND e.quarantined <> '' UNION ALL"
            " SELECT s.node, s.incarnation, b.seq, 'fork', b.received_ms FROM branches b JOIN streams s ON s.id=b.stream"
            f" WHERE s.school={_SCHOOL} UNION ALL"
            " SELECT s.node, s.incarnation, h.seq, 'another signed head', h.at_ms FROM signed_heads h"
            f" JOIN streams s ON s.id=h.stream WHERE s.school={_SCHOOL} AND h.countersignature=''::bytea"
            " ORDER BY 5 DESC, 3 DESC LIMIT %(most)s",
            school=school,
            most=most,
        )
        return [
            SetAside(node=node, incarnation=incarnation, seq=seq, reason=reason, received_ms=at_ms)
            for node, incarnation, seq, reason, at_ms in rows
        ]

    def keep_head(self, head: SignedHead, *, school: str) -> SignedHead:
        with self._writing() as connection, connection.transaction():
            stream = _one(
                connection.execute(
                    f"SELECT id FROM streams WHERE school={_SCHOOL} AND node=%(node)s AND incarnation=%(incarnation)s",
                    {"school": school, "node": head.node, "incarnation": head.incarnation},
                )
            )[0]
            connection.execute(
                "INSERT INTO signed_heads VALUES (%s,%s,%s,%s,%s,%s) ON CONFLICT DO NOTHING",
                (stream, head.seq, head.hash, head.signature, head.countersignature, head.at_ms),
            )
            row = _one(
                connection.execute(
                    "SELECT signature, countersignature, at_ms FROM signed_heads WHERE stream=%s AND seq=%s AND hash=%s",
                    (stream, head.seq, head.hash),
                )
            )
        return replace(head, signature=bytes(row[0]), countersignature=bytes(row[1]), at_ms=row[2])

    def delivered_through(self, *, school: str, receiver: str) -> int:
        rows = self._read(
            f"SELECT position FROM deliveries WHERE school={_SCHOOL} AND receiver=%(receiver)s", school=school, receiver=receiver
        )
        return int(rows[0][0]) if rows else 0

    def set_delivered(self, *, school: str, receiver: str, position: int, refused: Refusal | None, at_ms: int) -> None:
        with self._writing() as connection, connection.transaction():
            of_school = _locked_school(connection, school)
            connection.execute(
                "INSERT INTO deliveries VALUES (%s,%s,%s) ON CONFLICT(school, receiver) DO UPDATE SET position=excluded.position",
                (of_school, receiver, position),
            )
            if refused is not None:
                connection.execute(
                    "INSERT INTO refused_events(school, receiver, node, incarnation, seq, why, at_ms)"
                    " VALUES (%s,%s,%s,%s,%s,%s,%s) ON CONFLICT DO NOTHING",
                    (of_school, receiver, refused.node, refused.incarnation, refused.seq, refused.why, at_ms),
                )

    def refused_events(self, *, school: str, most: int) -> list[SetAside]:
        rows = self._read(
            f"SELECT node, incarnation, seq, why, at_ms FROM refused_events WHERE school={_SCHOOL} ORDER BY id DESC"
            " LIMIT %(most)s",
            school=school,
            most=most,
        )
        return [
            SetAside(node=node, incarnation=incarnation, seq=seq, reason=why, received_ms=at_ms)
            for node, incarnation, seq, why, at_ms in rows
        ]

    def close(self) -> None:
        self._readers.close()
        self._writers.close()

    def _open_at_start(self) -> None:
        """Says at once what a person has to mend; waits for what may come by itself."""
        try:
            connection = self._writers.open()
        except psycopg.Error as error:
            said = f"the store {self._address.name} cannot be opened ({self._address.said(error)})"
            if refused_for_good(error):
                raise Misconfigured(f"{said}; check role, password, database and pg_hba.conf") from None
            log.warning("%s; requests are answered 503 until it can", said)
            return
        try:
            migrate(connection)
        except psycopg.ProgrammingError as error:
            raise Misconfigured(
                f"the tables of {self._address.name} cannot be made ({self._address.said(error)}); let the role own the database"
            ) from None
        except psycopg.Error as error:
            log.warning("%s cannot be used yet (%s)", self._address.name, self._address.said(error))
            return
        finally:
            connection.close()
        self._migrated = True

    def _ready(self) -> None:
        """The tables, if PostgreSQL was not there when the school server was started."""
        if self._migrated:
            return
        try:
            with self._writers.lend() as connection:
                migrate(connection)
        except Misconfigured as error:
            raise StoreUnavailable(str(error)) from error
        self._migrated = True

    @contextmanager
    def _writing(self) -> Iterator[psycopg.Connection]:
        self._ready()
        with self._writers.lend() as connection:
            yield connection

    def _read(self, sql: LiteralString, **values: object) -> list[Any]:
        self._ready()
        with self._readers.lend() as connection:
            return connection.execute(sql, values, binary=True).fetchall()

    def _entries(self, where: LiteralString, **values: object) -> list[StoredEntry]:
        rows = self._read(
            "SELECT e.position, s.node, s.incarnation, e.seq, e.raw, e.hash, e.quarantined"
            f" FROM entries e JOIN streams s ON s.id=e.stream {where}",
            **values,
        )
        return [
            StoredEntry(position=row[0], node=row[1], incarnation=row[2], seq=row[3], raw=row[4], hash=row[5], quarantined=row[6])
            for row in rows
        ]


def _node(school: str, row: tuple[Any, ...]) -> Node:
    return Node(school=school, node=row[0], public_key=row[1], enrolled_ms=row[2], revoked_ms=row[3], revoked_why=row[4])


class PostgresStream:
    """One stream inside its transaction, its row locked. Lives only as long as that."""

    def __init__(self, connection: psycopg.Connection, row: _Row) -> None:
        self._connection = connection
        self._id, self._durable_through, self._branched, self._school, self._position = row
        self._at_last: list[tuple[LiteralString, tuple[object, ...]]] = []

    def known(self, *, first_seq: int, last_seq: int) -> Known:
        span = (self._id, first_seq - 1, last_seq)
        hashes: dict[int, bytes] = {}
        branches: frozenset[tuple[int, bytes]] = frozenset()
        if 0 < self._durable_through >= first_seq - 1:
            rows = self._connection.execute(
                "SELECT seq, hash FROM entries WHERE stream=%s AND seq BETWEEN %s AND %s", span, binary=True
            )
            hashes = dict(rows.fetchall())
        if self._branched:
            rows = self._connection.execute(
                "SELECT seq, hash FROM branches WHERE stream=%s AND seq BETWEEN %s AND %s", span, binary=True
            )
            branches = frozenset(rows.fetchall())
        return Known(durable_through=self._durable_through, hashes=hashes, branches=branches)

    def write(self, *, entries: Sequence[NewEntry], branch: Sequence[NewBranchEntry], head: Head | None, at_ms: int) -> None:
        if entries:
            self._copy(entries, at_ms)
            self._at_last.append(("UPDATE schools SET last_position=%s WHERE id=%s", (self._position, self._school)))
        if branch:
            with self._connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO branches VALUES (%s,%s,%s,%s,%s,%s)",
                    [(self._id, entry.seq, entry.hash, entry.prev_hash, entry.raw, at_ms) for entry in branch],
                )
        if head is not None:
            evidence = (self._id, head.last_seq, head.hash, head.first_seq, head.content_sha256, head.signature, at_ms)
            self._at_last.append(("INSERT INTO heads VALUES (%s,%s,%s,%s,%s,%s,%s) ON CONFLICT DO NOTHING", evidence))
        through, aside = entries[-1].seq if entries else 0, sum(1 for entry in entries if entry.quarantined)
        self._at_last.append(
            (
                "UPDATE streams SET durable_through=greatest(durable_through, %s), quarantined=quarantined+%s,"
                " branched=branched OR %s, last_received_ms=%s WHERE id=%s",
                (through, aside, bool(branch), at_ms, self._id),
            )
        )

    def commit(self) -> None:
        """Durable when it returns. Nothing to do where nothing was written."""
        if not self._at_last:
            return
        with self._connection.pipeline():  # if one fails, those after it are not done: there is no commit without all of it
            for sql, values in self._at_last:
                self._connection.execute(sql, values)
            done = self._connection.execute("COMMIT", prepare=False)
        if done.statusmessage != "COMMIT":
            raise StoreUnavailable("PostgreSQL took the batch back; it is sent again")

    def _copy(self, entries: Sequence[NewEntry], at_ms: int) -> None:
        stream, school, position = self._id, self._school, self._position
        with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_COPY_TYPES)
            for position, entry in enumerate(entries, start=self._position + 1):
                kind, why = _text(entry.kind), _text(entry.quarantined)
                copy.write_row((stream, entry.seq, school, position, kind, entry.at_ms, entry.raw, entry.hash, why, at_ms))
        self._position = position


_Row = tuple[int, int, bool, int, int]  # the stream's id, cursor and whether branched; its school's id and last position
_LOCK_BOTH: Final[LiteralString] = (
    "SELECT t.id, t.durable_through, t.branched, s.id, s.last_position FROM streams t JOIN schools s ON s.id=t.school"
    " WHERE s.name=%(school)s AND t.node=%(node)s AND t.incarnation=%(incarnation)s FOR UPDATE OF t FOR NO KEY UPDATE OF s"
)


def _begun(connection: psycopg.Connection, name: dict[str, str]) -> _Row:
    """A transaction in which stream and school are nobody else's; the stream is made if it is not there."""
    with connection.pipeline():
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED", prepare=False)
        found = connection.execute(_LOCK_BOTH, name)
    row = found.fetchone()
    if row is None:
        _school(connection, name["school"])
        connection.execute(
            "INSERT INTO streams(school, node, incarnation, last_received_ms)"
            f" VALUES ({_SCHOOL}, %(node)s, %(incarnation)s, 0) ON CONFLICT DO NOTHING",
            name,
        )
        row = _one(connection.execute(_LOCK_BOTH, name))
    return row[0], row[1], row[2], row[3], row[4]


def _end(connection: psycopg.Connection) -> None:
    """Rolls back what is still open; a connection on which that fails is thrown away by whoever lent it."""
    with suppress(psycopg.Error):
        connection.rollback()


def _school(connection: psycopg.Connection, name: str) -> None:
    connection.execute("INSERT INTO schools(name) VALUES (%s) ON CONFLICT DO NOTHING", (name,))


def _locked_school(connection: psycopg.Connection, name: str) -> int:
    _school(connection, name)
    return int(_one(connection.execute("SELECT id FROM schools WHERE name=%s FOR NO KEY UPDATE", (name,)))[0])


def _one(cursor: psycopg.Cursor[Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None
    return row


def _text(text: str) -> str:
    """PostgreSQL's text holds no NUL. These columns are for people and for searching; the entry's own bytes have everything."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
