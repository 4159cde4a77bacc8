"""Catching up: 200,000 entries in signed batches of 500 through the school server's own receiving, into each of its stores.

Every signature and every link of the chain is checked on the way. Beside it, batch by batch in turn, the bare store: the same
rows in the same tables with the same keys, a commit as durable for each batch, and nothing else. Then the same in turn with
packed batches over HTTP: one keep-alive client, one batch in flight, to `sync-agent serve` as a process of its own.
"""

from __future__ import annotations

import http.client
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx
import msgspec

from kiosk.bench.result import Result, result
from kiosk.bench.school import ARRIVAL_MS
from kiosk.bench.sync_load import ENTRIES, INCARNATION, KEY, NODE, SCHOOL, Load, Row, prepare
from kiosk.bench.throwaway_postgres import NoPostgres, ThrowawayPostgres
from kiosk.clock import steady_s
from sync_agent import protocol
from sync_agent.school_server.opening import open_store
from sync_agent.school_server.receiving import receive
from sync_agent.school_server.sqlite_store import DATABASE_FILE
from sync_agent.school_server.store import Node, Store

ENTRIES_VARIABLE: Final = "KIOSK_BENCH_ENTRIES"  # fewer, to try it out
START_S: Final = 30.0
_NAME: Final = (SCHOOL, NODE, INCARNATION)
_INSERT: Final = (
    "INSERT INTO entries(stream, seq, kind, at_ms, raw, hash, quarantined, received_ms) VALUES (1,?,?,?,?,?,'',?)",
    "UPDATE streams SET durable_through=?, last_received_ms=? WHERE id=1",
)
_COPY: Final = (
    "COPY entries(stream, seq, school, position, kind, at_ms, raw, hash, quarantined, received_ms) FROM STDIN (FORMAT BINARY)"
)
_COPY_TYPES: Final = ("int8", "int8", "int4", "int8", "text", "int8", "bytea", "bytea", "text", "int8")

Bare = Callable[[list[Row]], None]


def sync(runs: int) -> list[Result]:
    """Each figure is a median of half as many runs: one takes the better part of a minute."""
    load = prepare(int(os.environ.get(ENTRIES_VARIABLE, str(ENTRIES))))
    found: list[Result] = []
    for name, place in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        here: list[tuple[float, float]] = []
        over_http: list[tuple[float, float]] = []
        try:
            for _ in range(max(1, runs // 2)):
                with place() as (store, _, bare):
                    here.append(_received(store, bare, load))
                with place() as (store, where, bare):
                    over_http.append(_over_http(store, where, bare, load))
        except NoPostgres as error:
            print(f"catch-up into {name} is not measured: {error}", file=sys.stderr)
            continue
        found += [
            result(f"catch-up into {name} (limit: bare store)", "entries/s", *_pairs(here)),
            result(f"catch-up into {name}, HTTP (limit: bare store)", "entries/s", *_pairs(over_http)),
        ]
    return found


def _pairs(rates: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [ours for ours, _ in rates], [bare for _, bare in rates]


def _received(store: Store, bare: Bare, load: Load) -> tuple[float, float]:
    rates = _in_turn(lambda n: receive(store, load.bodies[n], school=SCHOOL, at_ms=ARRIVAL_MS), bare, load)
    _check(store, load)
    return rates


def _in_turn(send: Callable[[int], object], bare: Bare, load: Load) -> tuple[float, float]:
    """Entries a second, ours and bare. What else the computer does falls on both alike."""
    ours_s = bare_s = 0.0
    for number, rows in enumerate(load.rows):
        began_s = steady_s()
        send(number)
        between_s = steady_s()
        bare(list(rows))
        ours_s, bare_s = ours_s + between_s - began_s, bare_s + steady_s() - between_s
    return load.entries / ours_s, load.entries / bare_s


def _check(store: Store, load: Load) -> None:
    totals = store.totals(school=SCHOOL)
    if (totals.entries, totals.quarantined, totals.forks) != (load.entries, 0, 0):
        raise RuntimeError(f"{load.entries} entries were sent and {totals} are there")


# --- the two stores, each with the same tables once more for the bare rows -------------------------------------------


@contextmanager
def _sqlite() -> Iterator[tuple[Store, tuple[Path, str], Bare]]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        ours, bare = Path(folder) / "ours", Path(folder) / "bare"
        store = _opened(opened, ours, "")
        _opened(opened, bare, "").close()
        db = sqlite3.connect(bare / DATABASE_FILE, isolation_level=None)
        opened.callback(db.close)
        db.execute("PRAGMA synchronous=FULL")
        db.execute("INSERT INTO streams(id, school, node, incarnation, last_received_ms) VALUES (1,?,?,?,0)", _NAME)

        def write(rows: list[Row]) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(_INSERT[0], [(*row, ARRIVAL_MS) for row in rows])
            db.execute(_INSERT[1], (rows[-1][0], ARRIVAL_MS))
            db.execute("COMMIT")

        yield store, (ours, ""), write


@contextmanager
def _postgres() -> Iterator[tuple[Store, tuple[Path, str], Bare]]:
    try:
        import psycopg
    except ImportError as error:
        raise NoPostgres("psycopg is not installed: install campus-kiosk[postgres]") from error
    with ExitStack() as opened:
        folder = Path(tempfile.mkdtemp(prefix="kiosk-pg-"))
        opened.callback(shutil.rmtree, folder, ignore_errors=True)
        server = ThrowawayPostgres(folder)
        opened.callback(server.stop)
        for name in ("ours", "bare"):
            server.ask("postgres", f"CREATE DATABASE {name}")
        store = _opened(opened, folder / "state", server.url("ours"))
        _opened(opened, folder / "state", server.url("bare")).close()
        db = opened.enter_context(psycopg.connect(server.url("bare"), autocommit=True))
        db.execute("INSERT INTO streams(school, node, incarnation, last_received_ms) VALUES (1,%s,%s,0)", _NAME[1:])

        def write(rows: list[Row]) -> None:
            with db.transaction(), db.cursor() as cursor:
                with cursor.copy(_COPY) as copy:
                    copy.set_types(_COPY_TYPES)
                    for seq, kind, at_ms, raw, digest in rows:
                        copy.write_row((1, seq, 1, seq, kind, at_ms, raw, digest, "", ARRIVAL_MS))
                cursor.execute("UPDATE streams SET durable_through=%s, last_received_ms=%s WHERE id=1", (rows[-1][0], ARRIVAL_MS))

        yield store, (folder / "state", server.url("ours")), write


def _opened(opened: ExitStack, folder: Path, address: str) -> Store:
    """With the gate's key in it."""
    store = open_store(folder, address)
    opened.callback(store.close)
    store.add_node(Node(school=SCHOOL, node=NODE, public_key=KEY.public_hex, enrolled_ms=ARRIVAL_MS))
    return store


# --- over HTTP -------------------------------------------------------------------------------------------------------


def _over_http(store: Store, place: tuple[Path, str], bare: Bare, load: Load) -> tuple[float, float]:
    folder, address = place
    environment = {**os.environ, "SYNC_AGENT_STORE": address}
    command = [sys.executable, "-m", "sync_agent", "serve", "--state", str(folder), "--port", "0", "--school", SCHOOL]
    with (
        (folder / "serve.log").open("wb") as log,
        subprocess.Popen([*command, "--code", "bench"], env=environment, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().decode().strip()
            if not url.startswith("http://"):
                raise RuntimeError(f"the school server did not start: {(folder / 'serve.log').read_text()[-500:]}")
            _wait_until_it_answers(url)
            rates = _post_all(url.removeprefix("http://"), bare, load)
        finally:
            process.terminate()
    _check(store, load)
    return rates


def _wait_until_it_answers(url: str) -> None:
    end_s = steady_s() + START_S
    while True:
        try:
            httpx.get(f"{url}/healthz", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            if steady_s() > end_s:
                raise
            time.sleep(0.05)


def _post_all(host: str, bare: Bare, load: Load) -> tuple[float, float]:
    headers = {protocol.HEADER_VERSION: str(protocol.VERSION), protocol.HEADER_SCHOOL: SCHOOL, "Content-Encoding": "zstd"}
    connection = http.client.HTTPConnection(host)

    def post(number: int) -> None:
        connection.request("POST", protocol.ENTRIES_PATH, body=load.packed[number], headers=headers)
        answer = connection.getresponse()
        said, last_seq = answer.read(), load.rows[number][-1][0]
        if answer.status != http.client.OK or msgspec.json.decode(said, type=protocol.BatchAnswer).durable_through != last_seq:
            raise RuntimeError(f"a batch was not stored: {answer.status} {said[:200]!r}")

    try:
        return _in_turn(post, bare, load)
    finally:
        connection.close()
