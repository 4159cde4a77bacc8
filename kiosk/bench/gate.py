"""The loop with its journal, against the same SQLite writing the same bytes in the same group sizes."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from pathlib import Path

from kiosk.bench.result import Result, percentile, result
from kiosk.bench.school import gate_in_process, uid_of
from kiosk.clock import steady_s
from kiosk.controller import Controller
from kiosk.core.commands import Read
from kiosk.journal import connect

SINGLE_TAPS, RUSH_TAPS = 300, 1_600
DAY_ENTRIES = 6_700


def one_tap(runs: int) -> list[Result]:
    """One tap at a time: put into the inbox, decided, durable, told; against a bare commit of the same bytes."""
    p50, p99, bare50 = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            gate, _ = gate_in_process(Path(folder), SINGLE_TAPS)
            gate.start()
            took = []
            for n in range(1, SINGLE_TAPS + 1):
                began_s = steady_s()
                gate.ask(Read(access_point="east-in-1", scheme="uid", value=uid_of(n)))
                took.append((steady_s() - began_s) * 1000)
            rows = _rows(Path(folder))
            gate.stop()
        p50.append(percentile(took, 0.5))
        p99.append(percentile(took, 0.99))
        bare50.append(percentile(_bare(rows, 1), 0.5))
    return [
        result("one tap alone, p50 (limit: bare commit)", "ms", p50, bare50),
        result("one tap alone, p99", "ms", p99),
    ]


def rush(runs: int) -> list[Result]:
    """Durable taps a second when 10 or 50 wait at a time."""
    found = []
    for group in (10, 50):
        ours, bare = [], []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                gate, _ = gate_in_process(Path(folder), RUSH_TAPS)
                ours.append(RUSH_TAPS / _rush_s(gate, group))
                rows = _rows(Path(folder))
                gate.stop()
            bare.append(len(rows) / (sum(_bare(rows, group)) / 1000))
        found.append(result(f"rush in groups of {group} (limit: bare SQLite)", "taps/s", ours, bare))
    return found


def _rush_s(gate: Controller, group: int) -> float:
    """Through the inbox and the loop's own turn, `group` commands waiting each time."""
    told = threading.Semaphore(0)
    reads = [Read(access_point="east-in-1", scheme="uid", value=uid_of(n)) for n in range(1, RUSH_TAPS + 1)]
    began_s = steady_s()
    for start in range(0, len(reads), group):
        for read in reads[start : start + group]:
            gate.submit(read, lambda _: told.release())
        gate.turn(gate.inbox.take_all())
    took_s = steady_s() - began_s
    gate.start()
    return took_s


def _rows(state: Path) -> list[tuple[int, int, str, bytes, bytes]]:
    connection = connect(state / "journal.db", read_only=True)
    rows = connection.execute("SELECT boot, seq, kind, raw, hash FROM entries WHERE kind = 'arrived'").fetchall()
    connection.close()
    return rows


def _bare(rows: list[tuple[int, int, str, bytes, bytes]], group: int) -> list[float]:
    """Milliseconds of each commit of `group` rows into an empty database of the same make."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        db: sqlite3.Connection = connect(Path(folder) / "bare.db")
        db.execute(
            "CREATE TABLE entries (boot INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, raw BLOB NOT NULL,"
            " hash BLOB NOT NULL, PRIMARY KEY (boot, seq)) WITHOUT ROWID"
        )
        for start in range(0, len(rows), group):
            began_s = steady_s()
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows[start : start + group])
            db.execute("COMMIT")
            took.append((steady_s() - began_s) * 1000)
        db.close()
    return took


def restart(runs: int) -> list[Result]:
    """From nothing in memory to the first decision, with a full day in the journal; imports not counted."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        gate, clock = gate_in_process(Path(folder), 1_620)
        gate.start()
        for n in range(DAY_ENTRIES):
            if n % 1_620 == 0:
                clock.advance(60_000)
            gate.submit(Read(access_point="east-in-1", scheme="uid", value=uid_of(n % 1_620 + 1)))
        gate.ask(Read(access_point="east-in-1", scheme="uid", value="DEADBEEF"))
        gate.stop()
        for _ in range(runs):
            began_s = steady_s()
            gate, _ = gate_in_process(Path(folder), 1_620)
            gate.start()
            gate.ask(Read(access_point="east-in-1", scheme="uid", value=uid_of(1)))
            took.append((steady_s() - began_s) * 1000)
            gate.stop()
    return [result(f"restart with {DAY_ENTRIES:,} entries to first decision", "ms", took)]
