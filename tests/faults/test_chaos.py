"""kill -9 of everything, one after another and at once: two gates, their agents, the link, the school server, its PostgreSQL;
over NATS also the hub and the leaf beside each gate.

What was captured at the gates is stored once, in order and without holes, byte for byte; whatever a reader was told "recorded"
is there; both gates know and tell the same. CI kills a few times over HTTP. KIOSK_FAULTS=full kills two thousand times over HTTP
in an hour, 250 a run, and three hundred times over NATS, 150 a run.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from kiosk.core.campus import Campus
from kiosk.core.entries import Kind, decode
from tests.support.chaos_rig import NODES, Rig
from tests.support.journal_facts import check_numbers, check_verified, read_journal
from tests.support.postgres import Cluster, throwaway_cluster

FULL = os.environ.get("KIOSK_FAULTS") == "full"
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261123"))
KILLS = {"http": 2000, "nats": 300} if FULL else {"http": 10, "nats": 0}
KILLS_OF_A_RUN = {"http": 250, "nats": 150}
if FULL and "KIOSK_CHAOS_KILLS" in os.environ:
    KILLS = dict.fromkeys(KILLS, int(os.environ["KIOSK_CHAOS_KILLS"]))
RUNS = [(carrier, run) for carrier, kills in KILLS.items() for run in range(-(-kills // KILLS_OF_A_RUN[carrier]))]
TAPS = {Kind.ARRIVED, Kind.SEEN, Kind.READ_REFUSED, Kind.SESSION_ENTERED, Kind.RELEASED, Kind.PICKUP_REQUESTED}
Row = tuple[str, str, int, bytes, bytes]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with throwaway_cluster() as one:
        yield one


@pytest.mark.timeout(1800 if FULL else 600)
@pytest.mark.parametrize(("carrier", "run"), RUNS)
def test_everything_killed_again_and_again_has_every_entry_once(
    tmp_path: Path, cluster: Cluster, carrier: str, run: int
) -> None:
    seed, kills, fine = SEED + run, min(KILLS[carrier], KILLS_OF_A_RUN[carrier]), False
    rig = Rig(tmp_path, cluster, seed, carrier=carrier)
    try:
        rig.kill(kills)
        rig.settle()
        stored = check(rig)
        fine = True
    finally:
        if not fine:
            print(f"seed {seed}, history {rig.history.path}")
        rig.close(fine=fine)
    acked = sum(len(taps.acked) for taps in rig.taps)
    hit = ", ".join(f"{name} {count}" for name, count in sorted(rig.killed.items()))
    print(
        f"{carrier}, seed {seed}: {sum(rig.killed.values())} kills ({hit}); {stored} entries captured = stored, {acked} answers "
        "acknowledged, 0 lost, 0 doubled, 0 holes"
    )
    assert sum(rig.killed.values()) == kills


def check(rig: Rig) -> int:
    """Captured = stored. Returns how many entries that is."""
    captured = sorted(row for node in NODES for row in captured_at(rig, node))
    stored = stored_in(rig.cluster, rig.database)
    assert stored == captured, difference(captured, stored)
    status = rig.server.status()
    assert (status["quarantined"], status["forks"], status["store"]) == (0, 0, "PostgreSQL")
    by_name = {(node, incarnation, seq): raw for node, incarnation, seq, raw, _ in stored}
    folds = []
    for node, gate, taps in zip(NODES, rig.gates.values(), rig.taps, strict=True):
        written = read_journal(gate.state)
        check_numbers(written)
        assert check_verified(gate.state) == len(written)
        for one, (child, point) in taps.acked.items():
            raw = by_name.get((one.node, one.incarnation, one.seq))
            assert raw is not None, f"acknowledged and lost: {one}, child {child} at {point}"
            assert (decode(raw).body.get("child"), decode(raw).body["access_point"]) == (child, point)
        mine = [w.entry for w in written if w.entry.kind in TAPS and "child" in w.entry.body]
        recorded = Counter((entry.body["child"], entry.body["access_point"]) for entry in mine)
        doubled = {tap: count for tap, count in recorded.items() if count > taps.sent[tap]}
        assert not doubled, f"{node} recorded more often than tapped: {doubled}"
        folds.append(fold_at(rig, node))
        assert "Traceback" not in gate.said(), gate.said()[-3000:]
    assert folds[0] == folds[1] == fold([raw for *_, raw, _ in stored]), "the gates tell different stories"
    assert "Traceback" not in rig.server.process.log.read_text()
    return len(stored)


def captured_at(rig: Rig, node: str) -> list[Row]:
    return [(node, boot, seq, raw, digest) for (boot, seq), (raw, digest) in rig.folders[node].everything().items()]


def stored_in(cluster: Cluster, database: str) -> list[Row]:
    with psycopg.connect(cluster.url(database)) as connection:
        rows = connection.execute(
            "SELECT node, incarnation, seq, raw, hash FROM entries JOIN streams ON streams.id = entries.stream"
        ).fetchall()
    return sorted((node, incarnation, seq, bytes(raw), bytes(digest)) for node, incarnation, seq, raw, digest in rows)


def difference(captured: list[Row], stored: list[Row]) -> str:
    lost, more = sorted(set(captured) - set(stored)), sorted(set(stored) - set(captured))
    return f"{len(lost)} lost: {[row[:3] for row in lost[:5]]}; {len(more)} too many: {[row[:3] for row in more[:5]]}"


def fold_at(rig: Rig, node: str) -> tuple[object, ...]:
    """Of what this gate has on its disk: its own entries first, then the others', in the order in which they came."""
    with closing(sqlite3.connect(f"{(rig.gates[node].state / 'peers.db').as_uri()}?mode=ro", uri=True)) as peers:
        others = [raw for (raw,) in peers.execute("SELECT raw FROM peers ORDER BY id")]
    return fold([raw for (_, _), (raw, _) in rig.folders[node].everything().items()] + others)


def fold(entries: list[bytes]) -> tuple[object, ...]:
    campus = Campus()
    for raw in entries:
        campus.apply(decode(raw))
    return campus.fingerprint()
