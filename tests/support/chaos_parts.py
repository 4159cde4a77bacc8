"""The parts of the chaos rig: each a process that is started at once, asked whether it works, and killed -9.

A gate, an agent, the bad link, the school server, PostgreSQL. None of them decides when it is killed.
"""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Protocol

import httpx
import psutil

from tests.support.postgres import Cluster
from tests.support.running_gate import RunningGate
from tests.support.sync_processes import AgentProcess, ServerProcess


def fixed_port() -> int:
    """Free, and below those that the system gives away: it stays ours while its owner is dead."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Part(Protocol):
    """Something that is killed. `start` returns at once; `kill` says what it hit."""

    name: str
    sort: str

    def start(self) -> None: ...

    def ready(self) -> bool: ...

    def ended(self) -> int | None: ...

    def kill(self, chance: random.Random) -> str: ...

    def close(self) -> None: ...


class GatePart:
    sort = "gate"

    def __init__(self, gate: RunningGate, node: str) -> None:
        self.gate, self.name = gate, f"gate {node}"

    def start(self) -> None:
        self.gate.start()

    def ready(self) -> bool:
        return self.gate.answers()

    def ended(self) -> int | None:
        return self.gate.process.poll() if self.gate.process else None

    def kill(self, chance: random.Random) -> str:
        self.gate.kill()
        return self.name

    def close(self) -> None:
        self.gate.close()


class AgentPart:
    sort = "agent"

    def __init__(self, agent: AgentProcess, node: str) -> None:
        self.agent, self.name, self._before = agent, f"agent {node}", 0

    def start(self) -> None:
        self._before = self._written()
        self.agent.start()

    def ready(self) -> bool:
        return self._written() != self._before

    def ended(self) -> int | None:
        return self.agent.process.popen.poll()

    def kill(self, chance: random.Random) -> str:
        self.agent.process.kill()
        return self.name

    def close(self) -> None:
        self.agent.process.end()

    def _written(self) -> int:
        try:
            return (self.agent.gate.folder / "sync_status.json").stat().st_mtime_ns
        except FileNotFoundError:
            return 0


class ServerPart:
    sort = name = "server"

    def __init__(self, server: ServerProcess) -> None:
        self.server = server

    def start(self) -> None:
        self.server.begin()

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.server.url}/", timeout=5, trust_env=False).status_code > 0
        except httpx.TransportError:
            return False

    def ended(self) -> int | None:
        return self.server.process.popen.poll()

    def kill(self, chance: random.Random) -> str:
        self.server.kill()
        return self.name

    def close(self) -> None:
        self.server.close()


class PostgresPart:
    """The first time, and one time of three afterwards, the postmaster and everybody else at once; otherwise only one process of
    it, whichever: PostgreSQL then ends all its others itself. Never the one that recovers alone: the postmaster gives up then.
    """

    sort = name = "postgres"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self._dead, self._began = cluster, False, False

    def start(self) -> None:
        if self._dead:
            self.cluster.start()
        self._dead = False

    def ready(self) -> bool:
        return self.cluster._takes_connections()

    def ended(self) -> int | None:
        return self.cluster._popen.poll()

    def kill(self, chance: random.Random) -> str:
        if self._began and chance.random() < 2 / 3 and (title := self._kill_one(chance)):
            return f"one process of postgres ({title})"
        self.cluster.kill()
        self._dead = self._began = True
        return "postgres whole"

    def close(self) -> None:
        return

    def _kill_one(self, chance: random.Random) -> str:
        """What it calls itself, "" if there was nobody to kill."""
        titles: dict[psutil.Process, str] = {}
        for process in psutil.Process(self.cluster.pid).children():
            with suppress(psutil.NoSuchProcess):
                titles[process] = " ".join(process.cmdline())
        mortal = sorted((p for p, t in titles.items() if t.startswith("postgres: ") and "startup" not in t), key=lambda p: p.pid)
        if not mortal:
            return ""
        one = chance.choice(mortal)
        try:
            one.kill()
        except psutil.NoSuchProcess:
            return ""
        return titles[one].removeprefix("postgres: ")[:60].strip()


class LinkPart:
    """tests/support/bad_link.py; every life of it draws anew."""

    sort = name = "link"

    def __init__(self, seed: int, port: int, target_port: int) -> None:
        self._seed, self.port, self._target_port, self._life = seed, port, target_port, 0
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._life += 1
        command = [sys.executable, "-m", "tests.support.bad_link"]
        command += [f"{self._seed}:{self._life}", str(self.port), str(self._target_port)]
        self.popen = subprocess.Popen(command)

    def ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ended(self) -> int | None:
        return self.popen.poll() if self.popen else None

    def kill(self, chance: random.Random) -> str:
        assert self.popen is not None
        self.popen.kill()
        self.popen.wait()
        return self.name

    def behave(self) -> None:
        assert self.popen is not None
        self.popen.send_signal(signal.SIGUSR1)

    def close(self) -> None:
        if self.popen is not None and self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
