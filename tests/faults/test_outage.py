"""The school server is away for the whole arrival rush, or dies and is cut off while it receives: every entry arrives once.

Real processes: `kiosk serve`, `sync-agent run`, `sync-agent serve`. What the guard saw meanwhile is read from the guard's page.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.chaos_proxy import ChaosProxy
from tests.support.gate_folder import GateFolder
from tests.support.running_gate import RunningGate, VirtualDay, tap, wait_until
from tests.support.sync_processes import AgentProcess, ServerProcess

FULL = os.environ.get("KIOSK_FAULTS") == "full"
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261123"))
ARRIVALS = 1_588  # of the sample school's arrival profile
RUSH, NOON = "2026-11-23T07:20:00+08:00", "2026-11-23T12:00:00+08:00"
TROUBLES = 60 if FULL else 12
BATCH = "10"  # so that there are some hundred and sixty requests to disturb
ANSWER_DELAY_S = 0.02  # of the link


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outage")


@pytest.fixture(scope="module")
def rush(folder: Path) -> Iterator[dict[str, Any]]:
    """A morning without the server: everybody arrives, the agent knocks in vain. Then noon, after one kill -9 of the gate."""
    server = ServerProcess(folder / "server")
    server.kill()
    gate = RunningGate(folder / "gate", day=VirtualDay(RUSH, speed=60)).start().ready()
    agent = AgentProcess(GateFolder(gate.state, "east"), server.url)
    try:
        with gate.reader() as reader:
            for child in range(1, ARRIVALS + 1):
                assert tap(reader, child, "east-in-1")["entry"] is not None
        bar = wait_until(lambda: _waiting(agent) >= ARRIVALS and _waiting(agent), "the agent has counted what waits")
        with gate.signed_in("G001") as guard:
            page = wait_until(lambda: _bar_of(guard, ARRIVALS), "the guard's page shows how many wait")
        gate.kill()
        gate.day = VirtualDay(NOON)
        gate.start().ready()
        yield {"gate": gate, "agent": agent, "server": server, "bar": bar, "page": page}
    finally:
        agent.process.end()
        server.close()
        gate.close()


def _waiting(agent: AgentProcess) -> int:
    return int(agent.bar().get("waiting", 0))


def _bar_of(guard: httpx.Client, at_least: int) -> int:
    """How many wait, as the bar of the guard's page says it; 0 while it says less than `at_least`."""
    said = re.search(r"待上传\s*([\d,]+)", guard.get("/guard/east").text)
    count = int(said[1].replace(",", "")) if said else 0
    return count if count >= at_least else 0


def test_while_the_server_was_away_the_bar_said_how_many_wait(rush: dict[str, Any]) -> None:
    assert rush["bar"] >= ARRIVALS
    assert rush["page"] >= ARRIVALS


def test_back_at_noon_the_server_gets_every_entry_once_and_in_order(rush: dict[str, Any]) -> None:
    gate, agent, server = rush["gate"], rush["agent"], rush["server"]
    server.start()
    here = GateFolder(gate.state, "east")
    wait_until(lambda: _waiting(agent) == 0 and agent.bar() and server.has(here), "everything is at the server")
    assert len(here.everything()) >= ARRIVALS + 6  # and what two boots have to say
    with gate.reader() as reader:
        wait_until(lambda: reader.get("/healthz").json()["waiting"] == 0, "the gate's bar knows it")


@pytest.mark.timeout(900 if FULL else 600)
def test_a_server_killed_and_cut_off_while_it_receives_has_every_entry_once(rush: dict[str, Any], folder: Path) -> None:
    """A new agent and a new server for a copy of that journal, and a link that cuts and eats answers."""
    copy = folder / "copy"
    copy.mkdir()
    with (
        closing(sqlite3.connect(rush["gate"].state / "journal.db")) as source,
        closing(sqlite3.connect(copy / "journal.db")) as to,
    ):
        source.backup(to)
    here, chance = GateFolder(copy, "east"), random.Random(SEED)
    server = ServerProcess(folder / "second server")
    proxy = ChaosProxy(server.port)
    proxy.delay(ANSWER_DELAY_S)
    agent = AgentProcess(here, proxy.url, "--batch", BATCH)
    done: dict[str, int] = {"kill": 0, "cut": 0, "eat": 0, "agent": 0}
    try:
        for n in range(TROUBLES):
            so_far = n * ARRIVALS // TROUBLES
            wait_until(lambda so_far=so_far: server.status()["entries"] >= so_far, f"the server has {so_far} entries")
            what = chance.choice(sorted(done))
            done[what] += 1
            _trouble(what, server, proxy, agent, chance)
        wait_until(lambda: _waiting(agent) == 0 and server.has(here), "everything is at the server")
    finally:
        agent.process.end()
        server.close()
        proxy.close()
    print(f"seed {SEED}: {done}, {proxy.eaten} answers eaten, {len(here.everything())} entries once and in order")


def _trouble(what: str, server: ServerProcess, proxy: ChaosProxy, agent: AgentProcess, chance: random.Random) -> None:
    if what == "kill":
        server.kill()
        server.start()
    elif what == "agent":
        agent.process.kill()
        agent.start()
    elif what == "eat":
        proxy.eat_answers(chance.randint(1, 3))
    else:
        proxy.cut()
        time.sleep(chance.uniform(0, 0.2))
        proxy.heal()
        proxy.delay(ANSWER_DELAY_S)
