"""Nodes' keys, codes and revocations in PostgreSQL. What may follow what is enrolling.py's; this keeps it, all or none."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, LiteralString

import psycopg

from sync_agent.school_server.identities import REPLACED, ROTATED, KeptCode, KeyRow

_SCHOOL: Final = "(SELECT id FROM schools WHERE name=%(school)s)"
_CODE: Final = "salt, digest, made_ms, expires_ms, replaces, tries, used_ms, used_key"


class PostgresIdentities:
    """writing, read, locked_school: the store's own. Every change holds the school's row, so no two of them cross."""

    def __init__(
        self,
        writing: Callable[[], AbstractContextManager[psycopg.Connection]],
        read: Callable[..., list[Any]],
        locked_school: Callable[[psycopg.Connection, str], int],
    ) -> None:
        self._writing, self._read, self._locked_school = writing, read, locked_school

    def keep_code(self, code: KeptCode) -> None:
        with self._writing() as connection, connection.transaction():
            school = self._locked_school(connection, code.school)
            connection.execute("DELETE FROM enrol_codes WHERE school=%s AND node=%s", (school, code.node))
            connection.execute(
                f"INSERT INTO enrol_codes(school, node, {_CODE}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
                (
                    school, code.node, code.salt, code.digest, code.made_ms, code.expires_ms, code.replaces, code.tries,
                    code.used_ms, code.used_key,
                ),
            )  # fmt: skip

    def code(self, *, school: str, node: str) -> KeptCode | None:
        rows = self._read(
            f"SELECT node, {_CODE} FROM enrol_codes WHERE school={_SCHOOL} AND node=%(node)s", school=school, node=node
        )
        return _code(school, rows[0]) if rows else None

    def codes(self, *, school: str) -> list[KeptCode]:
        rows = self._read(
            f'SELECT node, {_CODE} FROM enrol_codes WHERE school={_SCHOOL} ORDER BY node COLLATE "C"', school=school
        )
        return [_code(school, row) for row in rows]

    def count_wrong_try(self, *, school: str, node: str) -> int:
        with self._writing() as connection, connection.transaction():
            row = connection.execute(
                f"UPDATE enrol_codes SET tries=tries+1 WHERE school={_SCHOOL} AND node=%(node)s RETURNING tries",
                {"school": school, "node": node},
            ).fetchone()
        return 0 if row is None else int(row[0])

    def admit(self, *, school: str, node: str, public_key: str, at_ms: int) -> bool:
        with self._writing() as connection, connection.transaction():
            of_school = self._locked_school(connection, school)
            used = connection.execute(
                "UPDATE enrol_codes SET used_ms=%s, used_key=%s WHERE school=%s AND node=%s AND used_ms IS NULL",
                (at_ms, public_key, of_school, node),
            )
            if used.rowcount != 1:
                return False
            if _present_key(connection, of_school, node) is None:
                begin_keys(connection, school=of_school, node=node, public_key=public_key, at_ms=at_ms)
            else:
                _next_key(connection, school=of_school, node=node, public_key=public_key, ended=REPLACED, at_ms=at_ms)
        return True

    def change_key(self, *, school: str, node: str, old: str, new: str, at_ms: int) -> bool:
        with self._writing() as connection, connection.transaction():
            of_school = self._locked_school(connection, school)
            known = connection.execute(
                "SELECT 1 FROM node_keys WHERE school=%s AND node=%s AND public_key=%s", (of_school, node, new)
            ).fetchone()
            if known is not None or not _holds(connection, of_school, node, old):
                return False
            _next_key(connection, school=of_school, node=node, public_key=new, ended=ROTATED, at_ms=at_ms)
        return True

    def keys(self, *, school: str, node: str) -> list[KeyRow]:
        rows = self._read(
            "SELECT number, public_key, since_ms, until_ms, ended, starts FROM node_keys"
            f" WHERE school={_SCHOOL} AND node=%(node)s ORDER BY number",
            school=school,
            node=node,
        )
        return [
            KeyRow(number=row[0], public_key=row[1], since_ms=row[2], until_ms=row[3], ended=row[4], starts=json.loads(row[5]))
            for row in rows
        ]

    def revoke(self, *, school: str, node: str, why: str, at_ms: int) -> bool:
        with self._writing() as connection, connection.transaction():
            of_school = self._locked_school(connection, school)
            connection.execute(
                "UPDATE nodes SET revoked_ms=%s, revoked_why=%s WHERE school=%s AND node=%s AND revoked_ms IS NULL",
                (at_ms, why.replace("\0", " "), of_school, node),
            )
            return _present_key(connection, of_school, node) is not None


def begin_keys(connection: psycopg.Connection, *, school: int, node: str, public_key: str, at_ms: int) -> None:
    """A name's first key; nothing where the name is known."""
    added = connection.execute(
        "INSERT INTO nodes(school, node, public_key, enrolled_ms) VALUES (%s,%s,%s,%s) ON CONFLICT DO NOTHING",
        (school, node, public_key, at_ms),
    )
    if added.rowcount == 1:
        connection.execute("INSERT INTO node_keys VALUES (%s,%s,1,%s,%s,NULL,'','{}')", (school, node, public_key, at_ms))


def _next_key(connection: psycopg.Connection, *, school: int, node: str, public_key: str, ended: str, at_ms: int) -> None:
    streams = connection.execute("SELECT incarnation, durable_through FROM streams WHERE school=%s AND node=%s", (school, node))
    starts = json.dumps(dict(streams.fetchall()), sort_keys=True)
    connection.execute(
        "UPDATE nodes SET public_key=%s, revoked_ms=NULL, revoked_why='' WHERE school=%s AND node=%s", (public_key, school, node)
    )
    connection.execute(
        "UPDATE node_keys SET until_ms=%s, ended=%s WHERE school=%s AND node=%s AND until_ms IS NULL",
        (at_ms, ended, school, node),
    )
    next_number: LiteralString = "(SELECT coalesce(max(number), 0) + 1 FROM node_keys WHERE school=%(school)s AND node=%(node)s)"
    connection.execute(
        f"INSERT INTO node_keys VALUES (%(school)s, %(node)s, {next_number}, %(key)s, %(at)s, NULL, '', %(starts)s)",
        {"school": school, "node": node, "key": public_key, "at": at_ms, "starts": starts},
    )


def _present_key(connection: psycopg.Connection, school: int, node: str) -> str | None:
    row = connection.execute("SELECT public_key FROM nodes WHERE school=%s AND node=%s", (school, node)).fetchone()
    return None if row is None else str(row[0])


def _holds(connection: psycopg.Connection, school: int, node: str, key: str) -> bool:
    """Whether it is the node's present key, and the node is not revoked."""
    row = connection.execute(
        "SELECT 1 FROM nodes WHERE school=%s AND node=%s AND public_key=%s AND revoked_ms IS NULL", (school, node, key)
    ).fetchone()
    return row is not None


def _code(school: str, row: tuple[Any, ...]) -> KeptCode:
    return KeptCode(
        school=school, node=row[0], salt=row[1], digest=row[2], made_ms=row[3], expires_ms=row[4], replaces=row[5], tries=row[6],
        used_ms=row[7], used_key=row[8],
    )  # fmt: skip
