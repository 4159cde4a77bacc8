"""Nodes' keys, codes and revocations in SQLite. What may follow what is enrolling.py's; this keeps it, whole or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sync_agent.school_server.identities import REPLACED, ROTATED, KeptCode, KeyRow

if TYPE_CHECKING:
    from sqlite_utils import Database


def m005_identities(db: Database) -> None:
    for sql in (
        "ALTER TABLE nodes ADD COLUMN revoked_ms INTEGER",
        "ALTER TABLE nodes ADD COLUMN revoked_why TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE node_keys(school TEXT NOT NULL, node TEXT NOT NULL, number INTEGER NOT NULL, public_key TEXT NOT NULL,"
        " since_ms INTEGER NOT NULL, until_ms INTEGER, ended TEXT NOT NULL, starts TEXT NOT NULL,"
        " PRIMARY KEY(school, node, number), UNIQUE(school, node, public_key)) WITHOUT ROWID",
        "INSERT INTO node_keys SELECT school, node, 1, public_key, enrolled_ms, NULL, '', '{}' FROM nodes",
        "CREATE TABLE enrol_codes(school TEXT NOT NULL, node TEXT NOT NULL, salt BLOB NOT NULL, digest BLOB NOT NULL,"
        " made_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, replaces INTEGER NOT NULL, tries INTEGER NOT NULL,"
        " used_ms INTEGER, used_key TEXT NOT NULL, PRIMARY KEY(school, node)) WITHOUT ROWID",
    ):
        db.execute(sql)


class SqliteIdentities:
    """transaction, read: the store's own."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[sqlite3.Connection]],
        read: Callable[[str, tuple[object, ...]], list[Any]],
    ) -> None:
        self._transaction, self._read = transaction, read

    def keep_code(self, code: KeptCode) -> None:
        with self._transaction() as writer:
            writer.execute(
                "INSERT OR REPLACE INTO enrol_codes VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    code.school, code.node, code.salt, code.digest, code.made_ms, code.expires_ms, int(code.replaces), code.tries,
                    code.used_ms, code.used_key,
                ),
            )  # fmt: skip

    def code(self, *, school: str, node: str) -> KeptCode | None:
        rows = self._read("SELECT * FROM enrol_codes WHERE school=? AND node=?", (school, node))
        return _code(rows[0]) if rows else None

    def codes(self, *, school: str) -> list[KeptCode]:
        return [_code(row) for row in self._read("SELECT * FROM enrol_codes WHERE school=? ORDER BY node", (school,))]

    def count_wrong_try(self, *, school: str, node: str) -> int:
        with self._transaction() as writer:
            writer.execute("UPDATE enrol_codes SET tries=tries+1 WHERE school=? AND node=?", (school, node))
            row = writer.execute("SELECT tries FROM enrol_codes WHERE school=? AND node=?", (school, node)).fetchone()
        return 0 if row is None else int(row[0])

    def admit(self, *, school: str, node: str, public_key: str, at_ms: int) -> bool:
        with self._transaction() as writer:
            used = writer.execute(
                "UPDATE enrol_codes SET used_ms=?, used_key=? WHERE school=? AND node=? AND used_ms IS NULL",
                (at_ms, public_key, school, node),
            )
            if used.rowcount != 1:
                return False
            row = writer.execute("SELECT public_key FROM nodes WHERE school=? AND node=?", (school, node)).fetchone()
            if row is None:
                begin_keys(writer, school=school, node=node, public_key=public_key, at_ms=at_ms)
            else:
                _next_key(writer, school=school, node=node, public_key=public_key, ended=REPLACED, at_ms=at_ms)
            return True

    def change_key(self, *, school: str, node: str, old: str, new: str, at_ms: int) -> bool:
        with self._transaction() as writer:
            row = writer.execute(
                "SELECT public_key FROM nodes WHERE school=? AND node=? AND revoked_ms IS NULL", (school, node)
            ).fetchone()
            known = writer.execute(
                "SELECT 1 FROM node_keys WHERE school=? AND node=? AND public_key=?", (school, node, new)
            ).fetchone()
            if row is None or row[0] != old or known is not None:
                return False
            _next_key(writer, school=school, node=node, public_key=new, ended=ROTATED, at_ms=at_ms)
        return True

    def keys(self, *, school: str, node: str) -> list[KeyRow]:
        rows = self._read(
            "SELECT number, public_key, since_ms, until_ms, ended, starts FROM node_keys WHERE school=? AND node=?"
            " ORDER BY number",
            (school, node),
        )
        return [
            KeyRow(number=row[0], public_key=row[1], since_ms=row[2], until_ms=row[3], ended=row[4], starts=json.loads(row[5]))
            for row in rows
        ]

    def revoke(self, *, school: str, node: str, why: str, at_ms: int) -> bool:
        with self._transaction() as writer:
            writer.execute(
                "UPDATE nodes SET revoked_ms=?, revoked_why=? WHERE school=? AND node=? AND revoked_ms IS NULL",
                (at_ms, why, school, node),
            )
            return writer.execute("SELECT 1 FROM nodes WHERE school=? AND node=?", (school, node)).fetchone() is not None


def begin_keys(writer: sqlite3.Connection, *, school: str, node: str, public_key: str, at_ms: int) -> None:
    """A name's first key; nothing where the name is known."""
    added = writer.execute(
        "INSERT INTO nodes(school, node, public_key, enrolled_ms) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        (school, node, public_key, at_ms),
    )
    if added.rowcount == 1:
        writer.execute("INSERT INTO node_keys VALUES (?,?,1,?,?,NULL,'','{}')", (school, node, public_key, at_ms))


def _next_key(writer: sqlite3.Connection, *, school: str, node: str, public_key: str, ended: str, at_ms: int) -> None:
    streams = writer.execute("SELECT incarnation, durable_through FROM streams WHERE school=? AND node=?", (school, node))
    starts = json.dumps(dict(streams.fetchall()), sort_keys=True)
    writer.execute(
        "UPDATE nodes SET public_key=?, revoked_ms=NULL, revoked_why='' WHERE school=? AND node=?", (public_key, school, node)
    )
    writer.execute(
        "UPDATE node_keys SET until_ms=?, ended=? WHERE school=? AND node=? AND until_ms IS NULL", (at_ms, ended, school, node)
    )
    writer.execute(
        "INSERT INTO node_keys SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, NULL, '', ?5 FROM node_keys"
        " WHERE school=?1 AND node=?2",
        (school, node, public_key, at_ms, starts),
    )


def _code(row: tuple[Any, ...]) -> KeptCode:
    return KeptCode(
        school=row[0], node=row[1], salt=bytes(row[2]), digest=bytes(row[3]), made_ms=row[4], expires_ms=row[5],
        replaces=bool(row[6]), tries=row[7], used_ms=row[8], used_key=row[9],
    )  # fmt: skip
