"""Through HTTP and server-sent events, against a gate in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvloop

from kiosk.bench.result import Result, percentile, result
from kiosk.bench.school import CLASS_SIZE, PIN, gate_in_process, uid_of, write_directory
from kiosk.clock import steady_s
from kiosk.composition import new_device_key
from kiosk.controller import BATCH_LIMIT
from kiosk.core.commands import Read
from kiosk.settings import shared_data_dir

PUPILS, SCHOOL = 16_000, 1_620  # as many as are tapped once each; a real large school
BACKLOG = 20_000  # entries that the sync agent has to drain
CLOCK_START = "2026-11-23T07:45:00+08:00"
READY_S = 60.0
LOAD_S, OPEN_LOOP_S, IDLE_S = 2.0, 10.0, 10.0


@dataclass
class Target:
    """A running gate: where it is, and what lets the bench in."""

    host: str
    port: int
    key: str
    cookie: str
    pid: int
    next_pupil: int = 1

    def tap_bytes(self) -> bytes:
        """The next pupil's arrival as a whole HTTP request: nobody taps twice, so every one is recorded."""
        body = json.dumps({"access_point": "east-in-1", "scheme": "uid", "value": uid_of(self.next_pupil)}).encode()
        self.next_pupil += 1
        head = f"POST /api/v1/reads HTTP/1.1\r\nHost: gate\r\nX-Device-Key: {self.key}\r\nContent-Type: application/json\r\n"
        return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def http(runs: int) -> list[Result]:
    """Taps a second from 1 and from 16 keep-alive clients while 200 rosters are live."""
    found = []
    for clients in (1, 16):
        rates, p99 = [], []
        for _ in range(runs):
            took, spent_s = _with_gate(partial(_closed_loop, clients=clients, rosters=200))
            rates.append(len(took) / spent_s)
            p99.append(percentile(took, 0.99))
        found += [
            result(f"HTTP, {clients} client{'s' * (clients > 1)}, 200 rosters live", "taps/s", rates),
            result(f"HTTP, {clients} client{'s' * (clients > 1)}, p99", "ms", p99),
        ]
    return found


def stream(runs: int) -> list[Result]:
    """From the answer of a tap (its commit) to 200 clients of the same display having the update."""
    p99 = [percentile(_with_gate(lambda t: _fan_out(t, clients=200)), 0.99) for _ in range(runs)]
    return [result("commit to 200 live clients, p99", "ms", p99)]


def open_loop(runs: int) -> list[Result]:
    """50 taps a second arriving at random with 500 rosters live."""
    tap99, worst, roster99 = [], [], []
    for _ in range(max(1, runs // 2)):
        taps, rosters = _with_gate(lambda t: _random_arrivals(t, rate=50, rosters=500))
        tap99.append(percentile(taps, 0.99))
        worst.append(max(taps))
        roster99.append(percentile(rosters, 0.99))
    return [
        result("open loop 50/s, 500 rosters: tap p99", "ms", tap99),
        result("open loop 50/s, 500 rosters: worst tap", "ms", worst),
        result("open loop 50/s, 500 rosters: roster p99", "ms", roster99),
    ]


def drain(runs: int) -> list[Result]:
    """The same taps, alone and while the sync agent sends a backlog to a school server at full speed."""
    alone, draining = [], []
    for _ in range(max(1, runs // 2)):
        taps, _ = _with_gate(lambda t: _random_arrivals(t, rate=50, rosters=200))
        alone.append(percentile(taps, 0.99))
        taps, _ = _with_gate(lambda t: _random_arrivals(t, rate=50, rosters=200), backlog=BACKLOG)
        draining.append(percentile(taps, 0.99))
    return [result("open loop 50/s, agent draining: tap p99 (limit: alone)", "ms", draining, alone)]


def idle(runs: int) -> list[Result]:
    """Memory of the gate process, and its share of a core while nothing happens and 200 rosters are open."""
    rss, cpu = [], []
    for _ in range(max(1, runs // 2)):
        used, share = _with_gate(lambda t: _doing_nothing(t, rosters=200), pupils=SCHOOL)
        rss.append(used)
        cpu.append(share)
    return [result("gate process, RSS", "MiB", rss), result("idle with 200 rosters open", "% core", cpu)]


# --- the gate under test -----------------------------------------------------------------------------------


T = TypeVar("T")


def _with_gate(work: Callable[[Target], Coroutine[Any, Any, T]], *, pupils: int = PUPILS, backlog: int = 0) -> T:
    """A fresh gate, started and stopped around `work`; with a backlog, a sync agent and a school server as well."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        state, port = Path(folder) / "state", _free_port()
        state.mkdir()
        (state / "site.toml").write_text('[node]\nid = "east"\n')
        write_directory(state, pupils)
        if backlog:
            _write_backlog(state, backlog)
        key = new_device_key(state, [])
        gate = _started(
            running, state, "kiosk", "serve", "--config", str(shared_data_dir("sample_school")), "--state", str(state),
            "--site", str(state / "site.toml"), "--port", str(port), "--clock-start", CLOCK_START,
        )  # fmt: skip
        cookie = _sign_in(port, gate, state)
        if backlog:
            server = str(_free_port())
            # In life the server is another computer: it gets what the others leave of this one.
            _started(
                running, state, "sync_agent", "serve", "--state", str(state / "server"), "--port", server, "--code", "bench",
                niceness=15,
            )  # fmt: skip
            _started(
                running, state, "sync_agent", "run", "--state", str(state), "--server", f"http://127.0.0.1:{server}",
                "--node", "east", "--code", "bench", "--longest-pause", "0.2",
            )  # fmt: skip
        return uvloop.run(work(Target("127.0.0.1", port, key, cookie, gate.pid)))


def _started(running: ExitStack, state: Path, *module: str, niceness: int = 0) -> subprocess.Popen[bytes]:
    log = running.enter_context((state / f"{module[0]}-{module[1]}.log").open("wb"))
    command = ["nice", "-n", str(niceness), sys.executable, "-m", *module]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    running.enter_context(process)
    running.callback(process.terminate)
    return process


def _write_backlog(state: Path, entries: int) -> None:
    """Taps of an unknown card, which are facts as well and touch no pupil."""
    gate, _ = gate_in_process(state, 1)
    for _ in range(entries):
        gate.submit(Read(access_point="room-101", scheme="uid", value="DEADBEEF"))
        if len(gate.inbox) >= BATCH_LIMIT:
            gate.turn(gate.inbox.take_all())
    gate.start()
    gate.stop()


def _sign_in(port: int, process: subprocess.Popen[bytes], state: Path) -> str:
    end_s = steady_s() + READY_S
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        while steady_s() < end_s and process.poll() is None:
            try:
                if client.get("/healthz").is_success:
                    client.post("/sign-in", json={"staff_number": "D001", "pin": PIN}).raise_for_status()
                    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            except httpx.TransportError:
                time.sleep(0.05)
    raise RuntimeError(f"the gate did not start: {(state / 'kiosk-serve.log').read_text()[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- clients -------------------------------------------------------------------------------------------------


async def _tap(target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    """One tap on an open connection; milliseconds until its answer is read."""
    request = target.tap_bytes()
    began_s = steady_s()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if b" 200 " not in head[:20] or b'"granted"' not in body:
        raise RuntimeError(f"a tap was not granted: {head[:60]!r} {body[:200]!r}")
    return (steady_s() - began_s) * 1000


class Watcher:
    """One live page. `heard_s` gets the time of every update that is not the first snapshot."""

    def __init__(self) -> None:
        self.heard_s: list[float] = []

    async def watch(self, target: Target, topic: str) -> None:
        reader, writer = await asyncio.open_connection(target.host, target.port, limit=1 << 22)
        writer.write(f"GET /live?topic={topic} HTTP/1.1\r\nHost: gate\r\nCookie: {target.cookie}\r\n\r\n".encode())
        await writer.drain()
        try:
            while await reader.read(1 << 16):
                self.heard_s.append(steady_s())
        finally:
            writer.close()


async def _rosters(target: Target, count: int) -> tuple[list[Watcher], list[asyncio.Task[None]]]:
    """Rosters of the classes that will be tapped next, so that they really change."""
    first = (target.next_pupil - 1) // CLASS_SIZE
    watchers = [Watcher() for _ in range(count)]
    tasks = [
        asyncio.create_task(w.watch(target, f"roster:class:primary-2024-{first + 1 + n % 36}")) for n, w in enumerate(watchers)
    ]
    while not all(w.heard_s for w in watchers):
        await asyncio.sleep(0.05)
        for task in tasks:
            if task.done():
                task.result()
    await asyncio.sleep(0.5)
    return watchers, tasks


async def _closed_loop(target: Target, *, clients: int, rosters: int) -> tuple[list[float], float]:
    _, tasks = await _rosters(target, rosters)
    took: list[float] = []
    end_s = steady_s() + LOAD_S

    async def one() -> None:
        reader, writer = await asyncio.open_connection(target.host, target.port)
        while steady_s() < end_s and target.next_pupil <= PUPILS:
            took.append(await _tap(target, reader, writer))
        writer.close()

    began_s = steady_s()
    await asyncio.gather(*(one() for _ in range(clients)))
    spent_s = steady_s() - began_s
    await _end(tasks)
    return took, spent_s


async def _fan_out(target: Target, *, clients: int) -> list[float]:
    watchers = [Watcher() for _ in range(clients)]
    tasks = [asyncio.create_task(w.watch(target, "display:east-in-1")) for w in watchers]
    await asyncio.sleep(2)
    reader, writer = await asyncio.open_connection(target.host, target.port)
    ages_ms: list[float] = []
    for _ in range(40):
        for watcher in watchers:
            watcher.heard_s.clear()
        took_ms = await _tap(target, reader, writer)
        answered_s = steady_s()
        await asyncio.sleep(0.15)
        ages_ms += [max(0.0, (w.heard_s[0] - answered_s) * 1000) if w.heard_s else 1_000.0 for w in watchers]
        assert took_ms > 0
    writer.close()
    await _end(tasks)
    return ages_ms


async def _random_arrivals(target: Target, *, rate: float, rosters: int) -> tuple[list[float], list[float]]:
    watchers, tasks = await _rosters(target, rosters)
    chance, taps_ms, rosters_ms = random.Random(1), list[float](), list[float]()
    idle_connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def one() -> None:
        pair = idle_connections.pop() if idle_connections else await asyncio.open_connection(target.host, target.port)
        taps_ms.append(await _tap(target, *pair))
        idle_connections.append(pair)

    async def sampled(watcher: Watcher, pupil: int) -> None:
        """From before a tap to the next update of that class's roster."""
        began_s, had = steady_s(), len(watcher.heard_s)
        await one()
        while len(watcher.heard_s) == had and steady_s() - began_s < 2:
            await asyncio.sleep(0.001)
        rosters_ms.append((watcher.heard_s[had] - began_s) * 1000 if len(watcher.heard_s) > had else 2_000.0)

    end_s, running = steady_s() + OPEN_LOOP_S, list[asyncio.Task[None]]()
    first = (target.next_pupil - 1) // CLASS_SIZE
    while steady_s() < end_s:
        position = (target.next_pupil - 1) // CLASS_SIZE - first
        sample = chance.random() < 0.1 and position < len(watchers)
        running.append(asyncio.create_task(sampled(watchers[position % 36], target.next_pupil) if sample else one()))
        await asyncio.sleep(chance.expovariate(rate))
    await asyncio.gather(*running)
    for _, writer in idle_connections:
        writer.close()
    await _end(tasks)
    return taps_ms, rosters_ms


async def _doing_nothing(target: Target, *, rosters: int) -> tuple[float, float]:
    _, tasks = await _rosters(target, rosters)
    before, began_s = _cpu_s(target.pid), steady_s()
    await asyncio.sleep(IDLE_S)
    share = (_cpu_s(target.pid) - before) / (steady_s() - began_s) * 100
    used = _rss_mib(target.pid)
    await _end(tasks)
    return used, share


def _rss_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
