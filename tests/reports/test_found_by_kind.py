"""The rows that reports are made of are found through an index, here and among other gates; an older file without one is read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kiosk.core.entries import Kind
from kiosk.core.service_records import SERVICE_KINDS
from kiosk.recorded import Records, opened
from sync_agent.peers import SCHEMA, Peers
from tests.support.service_journal import ServiceJournal

KINDS = frozenset(kind.value for kind in SERVICE_KINDS)
PLAN = "EXPLAIN QUERY PLAN "


def written(state: Path) -> None:
    one = ServiceJournal(state)
    one.session("2026-11-23", "S1", {3: "present"})
    one.correct("2026-11-23", "S1", on="2026-11-24", why="点错", states={3: "late"})
    one.close()


def found(records: Records, kinds: frozenset[str]) -> list[int]:
    return [row.seq for stream in records.streams for _, rows in stream.looked_through(kinds) for row in rows]


def asked(state: Path, kinds: frozenset[str]) -> tuple[list[int], list[str]]:
    """What is found, and the statements that found it."""
    said = list[str]()
    with opened(state) as records:
        for db in (records._own, records._peers):
            if db is not None:
                db.set_trace_callback(said.append)
        return found(records, kinds), said


def plan(path: Path, statement: str) -> str:
    db = sqlite3.connect(path)
    try:
        return " ".join(row[3] for row in db.execute(PLAN + statement))
    finally:
        db.close()


def as_a_peer(state: Path, other: Path) -> None:
    """Another gate's folder, whose records come to a gate that has none of its own."""
    rows = sqlite3.connect(other / "journal.db")
    told = rows.execute("SELECT node, incarnation, seq, raw, hash FROM entries JOIN incarnations USING (boot)").fetchall()
    rows.close()
    Peers(state / "peers.db")._connection.executemany(
        "INSERT INTO peers (node, incarnation, seq, raw, hash) VALUES (?, ?, ?, ?, ?)", told
    )


def test_a_gates_own_rows_come_through_the_index(tmp_path: Path) -> None:
    written(tmp_path)
    seqs, said = asked(tmp_path, KINDS)
    assert seqs == [2, 3]
    assert "entries_of_service" in plan(tmp_path / "journal.db", next(s for s in said if "kind IN" in s))


def test_other_gates_rows_come_through_theirs(tmp_path: Path) -> None:
    written(tmp_path / "other")
    ServiceJournal(tmp_path / "own").close()
    as_a_peer(tmp_path / "own", tmp_path / "other")
    seqs, said = asked(tmp_path / "own", KINDS)
    assert seqs == [2, 3]
    assert "peers_of_service" in plan(tmp_path / "own" / "peers.db", next(s for s in said if "instr" in s))


def test_kinds_beside_and_files_of_an_earlier_version_are_read_without_it(tmp_path: Path) -> None:
    written(tmp_path / "other")
    ServiceJournal(tmp_path / "own").close()
    as_a_peer(tmp_path / "own", tmp_path / "other")
    opened_too = frozenset({*KINDS, Kind.INCARNATION_OPENED.value})
    assert asked(tmp_path / "own", opened_too)[0] == [1, 1, 2, 3]
    for name, index in (("journal", "entries_of_service"), ("peers", "peers_of_service")):
        with sqlite3.connect(tmp_path / "own" / f"{name}.db") as db:
            db.execute(f"DROP INDEX {index}")
    assert asked(tmp_path / "own", KINDS)[0] == [2, 3]


def test_the_indexes_name_every_kind_of_service_record(tmp_path: Path) -> None:
    written(tmp_path)
    Peers(tmp_path / "peers.db")
    assert [step.__name__ for step in SCHEMA.steps][-1] == "m003_of_service"
    for name in ("journal", "peers"):
        db = sqlite3.connect(tmp_path / f"{name}.db")
        (sql,) = db.execute("SELECT sql FROM sqlite_master WHERE name LIKE '%_of_service'").fetchone()
        db.close()
        assert all(kind in sql for kind in KINDS)
