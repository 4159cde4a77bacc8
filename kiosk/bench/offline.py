"""Three days offline: three gates with 6,000 entries a day each, and then the link comes up.

Everything runs as it does at a school: each gate's loop with its journal and the thread that looks at what came, in a process
of its own; beside each its `sync-agent run`, which has been trying all the time; one `sync-agent serve`. The moment of the
link-up is the first answer of the server. At one gate cards are tapped before, meanwhile and afterwards: that gate and its agent
have one core and the disk, as a gate computer has its own; the rest of the campus has the other cores, and its files in memory.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import httpx

from kiosk.bench.offline_gate import BUSY, QUIET, Watched, run_gate
from kiosk.bench.offline_load import GATES, Size, play
from kiosk.bench.result import Result, percentile, result
from kiosk.clock import steady_s
from sync_agent import protocol

DAYS_VARIABLE: Final = "KIOSK_BENCH_OFFLINE_ENTRIES"  # entries a day of each gate, fewer to try it out
READY_S, DRAIN_S, QUIET_S, SETTLED_S = 120.0, 240.0, 10.0, 4.0
SCHOOL: Final = "default"


def offline(runs: int) -> list[Result]:
    """Half as many runs: one takes a minute. Taps of all of them together, or a single one would decide a p99."""
    size = Size()
    if (fewer := os.environ.get(DAYS_VARIABLE)) is not None:
        size = replace(size, day_entries=int(fewer), children=max(45, int(fewer) // 250 * 45))
    found = [one_link_up(size) for _ in range(max(1, runs // 2))]
    quiet = [tap for one in found for tap in one[QUIET]]
    busy = [tap for one in found for tap in one[BUSY]]
    count = size.days * size.day_entries * len(GATES)
    return [
        result(f"{count:,} entries of 3 gates, all at the server", "s", [one["stored"] for one in found]),
        result("the same, folded at every gate", "s", [one["whole"] for one in found]),
        result("who came in this morning, known at every gate", "s", [one["custody"] for one in found]),
        result("tap meanwhile, p50 (limit: quiet)", "ms", [percentile(busy, 0.5)], [percentile(quiet, 0.5)]),
        result("tap meanwhile, p99 (limit: quiet)", "ms", [percentile(busy, 0.99)], [percentile(quiet, 0.99)]),
        result("tap meanwhile, worst (limit: quiet)", "ms", [max(busy)], [max(quiet)]),
    ]


def one_link_up(size: Size) -> dict[str, Any]:
    with ExitStack() as running:
        name = running.enter_context(tempfile.TemporaryDirectory())
        elsewhere = running.enter_context(tempfile.TemporaryDirectory(dir=_in_memory()))
        place = {gate: Path(name if gate == GATES[0] else elsewhere) / gate for gate in GATES}
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(play, place.values(), GATES, [size] * len(GATES)))
        heads = {gate: _head(place[gate]) for gate in GATES}
        port = _free_port()
        gates = {gate: _gate(running, context, place[gate], gate, size, heads) for gate in GATES}
        for gate in GATES:
            _agent(running, place[gate], gate, port)
        tapped = gates[GATES[0]]
        tapped.send(("taps", QUIET))
        time.sleep(SETTLED_S + QUIET_S)
        _server(running, Path(elsewhere) / "server", port)
        began_s = steady_s()
        tapped.send(("taps", BUSY))
        stored_s = _until(lambda: _stored(port) >= sum(seq for _, seq in heads.values()), "the server has everything")
        seen: list[dict[str, float]] = []
        _until(lambda: _asked(gates, seen), "every gate has everything")
        tapped.send(("taps", QUIET))
        time.sleep(QUIET_S)
        tapped.send(("stop", ""))
        taps = tapped.recv()
        return {
            **taps,
            "stored": stored_s - began_s,
            "whole": max(one["whole"] for one in seen) - began_s,
            "custody": max(one["custody"] for one in seen) - began_s,
        }


def _head(state: Path) -> tuple[str, int]:
    """(node/incarnation, last seq) of the stream that was written in the days offline."""
    with sqlite3.connect(f"file:{state / 'journal.db'}?mode=ro", uri=True) as db:
        node, incarnation, last = db.execute(
            "SELECT node, incarnation, max(seq) FROM incarnations JOIN entries USING (boot) GROUP BY boot"
        ).fetchone()
    db.close()
    return f"{node}/{incarnation}", int(last)


def _gate(
    running: ExitStack, context: Any, state: Path, gate: str, size: Size, heads: dict[str, tuple[str, int]]
) -> Connection:
    others = [other for other in GATES if other != gate]
    watched = Watched(
        streams={heads[other][0]: heads[other][1] for other in others},
        children=tuple(child for other in others for child in size.of_gate(other)[: size.this_morning]),
    )
    ours: Connection
    ours, theirs = context.Pipe()
    process = context.Process(target=run_gate, args=(theirs, state, gate, size, watched), daemon=True)
    process.start()
    assert process.pid is not None
    _on_its_computer(process.pid, gate)
    running.callback(process.join, READY_S)
    running.callback(_let_go, ours)
    if not ours.poll(READY_S) or ours.recv() != "ready":
        raise RuntimeError(f"{gate} did not start")
    return ours


def _let_go(gate: Connection) -> None:
    gate.send(("end", ""))


def _agent(running: ExitStack, state: Path, gate: str, port: int) -> None:
    process = _started(
        running, state / "agent.log", "run", "--state", str(state), "--server", f"http://127.0.0.1:{port}", "--node", gate,
        "--code", "bench",
    )  # fmt: skip
    _on_its_computer(process.pid, gate)


def _server(running: ExitStack, state: Path, port: int) -> None:
    """Returns with its first answer."""
    state.mkdir()
    process = _started(running, state / "serve.log", "serve", "--state", str(state), "--port", str(port), "--code", "bench")
    _on_its_computer(process.pid, "server")
    end_s = steady_s() + READY_S
    while process.poll() is None and steady_s() < end_s:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.02)
    raise RuntimeError(f"the school server did not start: {(state / 'serve.log').read_text()[-500:]}")


def _in_memory() -> str | None:
    """The other computers of the campus have disks of their own: here theirs must not be waited for."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _on_its_computer(pid: int, place: str) -> None:
    """The tapped gate has a core of its own, and so has the rest. On a computer with one core they share it."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(pid, cores[:1] if place == GATES[0] else cores[1:])


def _started(running: ExitStack, log: Path, *command: str) -> subprocess.Popen[bytes]:
    """With the niceness of systemd/sync-agent.service."""
    out = running.enter_context(log.open("wb"))
    process = subprocess.Popen(["nice", "-n", "10", sys.executable, "-m", "sync_agent", *command], stdout=out, stderr=out)
    running.callback(process.wait)
    running.callback(process.terminate)
    return process


def _stored(port: int) -> int:
    answer = httpx.get(f"http://127.0.0.1:{port}{protocol.STATUS_PATH}", trust_env=False)
    found: int = answer.raise_for_status().json()["entries"]
    return found


def _asked(gates: dict[str, Connection], seen: list[dict[str, float]]) -> bool:
    for gate in gates.values():
        gate.send(("when", ""))
    seen[:] = [gate.recv() for gate in gates.values()]
    return all({"whole", "custody"} <= set(one) for one in seen)


def _until(ready: Callable[[], bool], what: str) -> float:
    end_s = steady_s() + DRAIN_S
    while not ready():
        if steady_s() > end_s:
            raise RuntimeError(f"not within {DRAIN_S:.0f} s: {what}")
        time.sleep(0.1)
    return steady_s()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
