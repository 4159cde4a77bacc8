"""kill -9 of PostgreSQL, all its processes at once, under a school server that receives from two gates; at times of both.

Real processes: a PostgreSQL of the test's own, `sync-agent serve` on it, `sync-agent run` beside each gate, and a reader that
pages through the read API all the time. At the end what the gates wrote is stored once, in order, and was read once.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.journals import GateJournal
from tests.support.plain_http import http_client
from tests.support.postgres import Cluster, throwaway_cluster
from tests.support.sync_processes import TOKEN, AgentProcess, ServerProcess, wait_until

FULL = os.environ.get("KIOSK_FAULTS") == "full"
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261123"))
ROUNDS = 60 if FULL else 3
A_ROUND = 400 if FULL else 120  # entries that each gate writes in one
NODES = ("east", "south")
BATCH = "20"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with throwaway_cluster() as one:
        yield one


class Reader:
    """Another system of the school: asks page after page, and again from the same place when the server has no time."""

    def __init__(self, url: str) -> None:
        self._url, self._stop = url, threading.Event()
        self.got: list[tuple[str, str, int]] = []
        self.refused = 0
        self._thread = threading.Thread(target=self._read, name="reader")
        self._thread.start()

    def close(self) -> list[tuple[str, str, int]]:
        self._stop.set()
        self._thread.join()
        return self.got

    def _read(self) -> None:
        position = 0
        with http_client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
            while not self._stop.is_set():
                try:
                    answer = client.get(f"{self._url}/api/v1/entries?after={position}&limit=37")
                except httpx.HTTPError:
                    self._stop.wait(0.05)
                    continue
                if answer.status_code != httpx.codes.OK:
                    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                    self.refused += 1
                    self._stop.wait(0.05)
                    continue
                page: dict[str, Any] = answer.json()
                self.got += [(one["node"], one["incarnation"], one["seq"]) for one in page["entries"]]
                position = page["next"]
                if not page["entries"]:
                    self._stop.wait(0.02)


@pytest.mark.timeout(3600 if FULL else 300)
def test_postgres_killed_again_and_again_has_every_entry_once(tmp_path: Path, cluster: Cluster) -> None:
    chance = random.Random(SEED)
    server = ServerProcess(tmp_path / "server", store=cluster.url(cluster.database()))
    gates = [GateJournal(tmp_path / node, node) for node in NODES]
    agents = [AgentProcess(gate, server.url, "--batch", BATCH) for gate in gates]
    reader, also = Reader(server.url), 0
    try:
        for number in range(1, ROUNDS + 1):
            for gate in gates:
                gate.write(A_ROUND)
            wanted = chance.randrange((number - 1) * A_ROUND * 2, number * A_ROUND * 2)
            wait_until(lambda wanted=wanted: stored(server) >= wanted, f"{wanted} entries are stored")
            cluster.kill()
            if chance.random() < 0.3:  # as when the power of that computer fails
                also += 1
                server.kill()
                server.start(wait=False)
            elif chance.random() < 0.5:
                wait_until(lambda: not server.answers(), "the server has noticed")
            cluster.start()
        wait_until(lambda: all(server.answers() and server.has(gate) for gate in gates), "everything is stored once")
        everything = {(gate.node, boot, seq) for gate in gates for boot, seq in gate.everything()}
        wait_until(lambda: len(reader.got) >= len(everything), "the reader has everything")
        assert sorted(reader.close()) == sorted(everything)
        totals = server.status()
        assert (totals["quarantined"], totals["forks"], totals["store"]) == (0, 0, "PostgreSQL")
        assert "Traceback" not in server.process.log.read_text()
    finally:
        reader.close()
        for agent in agents:
            agent.process.end()
        server.close()
        for gate in gates:
            gate.close()
    print(f"seed {SEED}: PostgreSQL killed {ROUNDS} times, the server {also} times; {len(everything)} entries once and in order")


def stored(server: ServerProcess) -> int:
    try:
        return int(server.status()["entries"])
    except (httpx.HTTPError, KeyError):  # 503 while PostgreSQL comes back
        return 0
