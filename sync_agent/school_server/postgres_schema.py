"""The tables of the school server in PostgreSQL, as numbered steps. A step that has run anywhere is never edited.

All missing steps run in one transaction under an advisory lock, so two servers that start at once do not meet half-way, and
a database that a newer version has written is refused, never guessed at. Nothing here reads or writes an entry.
"""

from __future__ import annotations

from typing import Final, LiteralString

import psycopg

from sync_agent.errors import Misconfigured

_LOCK: Final = 0x6B_69_6F_73_6B  # "kiosk": any number will do, as long as it stays the same

# No foreign key from entries to streams: it would be checked once for every row, and the stream's row, which is never deleted,
# is locked by the very transaction that writes them.
_001_STREAMS: Final[tuple[LiteralString, ...]] = (
    "CREATE TABLE schools(id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL UNIQUE,"
    " last_position bigint NOT NULL DEFAULT 0)",
    "CREATE TABLE streams(id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, school integer NOT NULL REFERENCES schools(id),"
    " node text NOT NULL, incarnation text NOT NULL, durable_through bigint NOT NULL DEFAULT 0,"
    " quarantined bigint NOT NULL DEFAULT 0, branched boolean NOT NULL DEFAULT false, last_received_ms bigint NOT NULL,"
    " UNIQUE(school, node, incarnation))",
    "CREATE TABLE entries(stream bigint NOT NULL, seq bigint NOT NULL, school integer NOT NULL, position bigint NOT NULL,"
    " kind text NOT NULL, at_ms bigint, raw bytea NOT NULL, hash bytea NOT NULL, quarantined text NOT NULL,"
    " received_ms bigint NOT NULL, PRIMARY KEY(stream, seq), UNIQUE(school, position))",
    "CREATE INDEX entries_set_aside ON entries(school, position) WHERE quarantined <> ''",
    "CREATE TABLE branches(stream bigint NOT NULL REFERENCES streams(id), seq bigint NOT NULL, hash bytea NOT NULL,"
    " prev_hash bytea NOT NULL, raw bytea NOT NULL, received_ms bigint NOT NULL, PRIMARY KEY(stream, seq, hash))",
    "CREATE TABLE heads(stream bigint NOT NULL REFERENCES streams(id), last_seq bigint NOT NULL, hash bytea NOT NULL,"
    " first_seq bigint NOT NULL, content_sha256 bytea NOT NULL, signature bytea NOT NULL, received_ms bigint NOT NULL,"
    " PRIMARY KEY(stream, last_seq, hash, first_seq))",
    "CREATE FUNCTION entries_stay() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'entries are never changed or deleted'; END $$",
    "CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON entries"
    " FOR EACH STATEMENT EXECUTE FUNCTION entries_stay()",
)
_002_NODES: Final[tuple[LiteralString, ...]] = (
    "CREATE TABLE nodes(school integer NOT NULL REFERENCES schools(id), node text NOT NULL, public_key text NOT NULL,"
    " enrolled_ms bigint NOT NULL, PRIMARY KEY(school, node))",
    # Of a superseded directory only number and digest stay: it names people whom a later one may have erased.
    "CREATE TABLE directories(school integer NOT NULL REFERENCES schools(id), number bigint NOT NULL, sha256 text NOT NULL,"
    " content bytea, node text NOT NULL, received_ms bigint NOT NULL, PRIMARY KEY(school, number))",
)

# How far another system has the events, and what it would not take. In this database, so that a restore takes both back.
_003_DELIVERIES: Final[tuple[LiteralString, ...]] = (
    "CREATE TABLE deliveries(school integer NOT NULL REFERENCES schools(id), receiver text NOT NULL, position bigint NOT NULL,"
    " PRIMARY KEY(school, receiver))",
    "CREATE TABLE refused_events(id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, school integer NOT NULL"
    " REFERENCES schools(id), receiver text NOT NULL, node text NOT NULL, incarnation text NOT NULL, seq bigint NOT NULL,"
    " why text NOT NULL, at_ms bigint NOT NULL, UNIQUE(school, receiver, node, incarnation, seq))",
)

# How far each gate said that its record goes, and the server's countersignature; none where the hash differed.
_004_SIGNED_HEADS: Final[tuple[LiteralString, ...]] = (
    "CREATE TABLE signed_heads(stream bigint NOT NULL REFERENCES streams(id), seq bigint NOT NULL, hash bytea NOT NULL,"
    " signature bytea NOT NULL, countersignature bytea NOT NULL, at_ms bigint NOT NULL, PRIMARY KEY(stream, seq, hash))",
)

_005_IDENTITIES: Final[tuple[LiteralString, ...]] = (
    "ALTER TABLE nodes ADD COLUMN revoked_ms bigint, ADD COLUMN revoked_why text NOT NULL DEFAULT ''",
    "CREATE TABLE node_keys(school integer NOT NULL REFERENCES schools(id), node text NOT NULL, number integer NOT NULL,"
    " public_key text NOT NULL, since_ms bigint NOT NULL, until_ms bigint, ended text NOT NULL, starts text NOT NULL,"
    " PRIMARY KEY(school, node, number), UNIQUE(school, node, public_key))",
    "INSERT INTO node_keys SELECT school, node, 1, public_key, enrolled_ms, NULL, '', '{}' FROM nodes",
    "CREATE TABLE enrol_codes(school integer NOT NULL REFERENCES schools(id), node text NOT NULL, salt bytea NOT NULL,"
    " digest bytea NOT NULL, made_ms bigint NOT NULL, expires_ms bigint NOT NULL, replaces boolean NOT NULL,"
    " tries integer NOT NULL, used_ms bigint, used_key text NOT NULL, PRIMARY KEY(school, node))",
)

STEPS: Final = (_001_STREAMS, _002_NODES, _003_DELIVERIES, _004_SIGNED_HEADS, _005_IDENTITIES)


def migrate(connection: psycopg.Connection) -> None:
    """Brings the database to this version's schema. Raises Misconfigured when it is a newer one's."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations(number integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        row = connection.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone()
        assert row is not None
        done = int(row[0])
        if done > len(STEPS):
            raise Misconfigured(
                f"the database was written by a newer version (schema {done}, this one knows {len(STEPS)});"
                " install that version again"
            )
        for number, step in enumerate(STEPS[done:], start=done + 1):
            for sql in step:
                connection.execute(sql)
            connection.execute("INSERT INTO migrations(number) VALUES (%s)", (number,))
