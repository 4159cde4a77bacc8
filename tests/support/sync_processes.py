"""The real sync-agent as processes: a school server and agents, started, killed and asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import httpx

from tests.support.journals import GateJournal
from tests.support.plain_http import http_client

CODE, TOKEN, OFFICE = "7-otters-2", "read-me", "south"
WAIT_S = 60.0
LOOK_EVERY_S = 0.05
HURRY = ["--longest-pause", "0.2", "--peers-every", "0.1", "--directory-every", "0.2", "--compare-every", "0.3"]


def wait_until(done: Callable[[], Any], what: str) -> Any:
    """The first true answer. Bounded; no timing is asserted by it."""
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        if answer := done():
            return answer
        time.sleep(LOOK_EVERY_S)
    raise AssertionError(f"waited {WAIT_S:.0f} s in vain: {what}")


class Kept(Protocol):
    """A gate as far as its folder is concerned: whoever wrote the journal in it."""

    @property
    def folder(self) -> Path: ...

    @property
    def node(self) -> str: ...

    def everything(self) -> dict[tuple[str, int], tuple[bytes, bytes]]: ...


class Process:
    """One started command; its stderr goes to a file that a failing test can show."""

    def __init__(self, arguments: list[str], log: Path, **environment: str) -> None:
        self.log = log
        self._file: IO[bytes] = log.open("ab")
        command = [sys.executable, "-m", "sync_agent", *arguments]
        self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._file, env={**os.environ, **environment})

    def kill(self) -> None:
        self.popen.kill()
        self._reap()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self._reap()

    def pause(self) -> None:
        """It hangs: alive, connected and silent."""
        self.popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Whatever state it is in."""
        if self.popen.poll() is None:
            self.go_on()
            self.kill()

    def _reap(self) -> int:
        code = self.popen.wait(WAIT_S)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        self._file.close()
        return code


class ServerProcess:
    """`sync-agent serve`; comes back on the same port after a kill. store: an address, or "" for SQLite in the folder."""

    def __init__(self, folder: Path, *, store: str = "", port: int = 0, more: Sequence[str] = (), **environment: str) -> None:
        self.folder, self.port, self._store = folder, port, store
        self._more, self._environment = more, environment
        self._client = http_client(timeout=WAIT_S)
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def begin(self) -> None:
        """Starts it and looks no further."""
        arguments = ["serve", "--state", str(self.folder), "--port", str(self.port), "--code", CODE]
        arguments += ["--office", OFFICE, "--read-token", TOKEN, *self._more]
        self.process = Process(arguments, self.folder / "log.txt", SYNC_AGENT_STORE=self._store, **self._environment)

    def start(self, *, wait: bool = True) -> None:
        self.begin()
        assert self.process.popen.stdout is not None
        line = self.process.popen.stdout.readline().decode().strip()
        assert line.startswith("http://"), self.process.log.read_text()
        self.url, self.port = line, int(line.rsplit(":", 1)[1])
        if wait:
            wait_until(self.answers, "the server answers")

    def kill(self) -> None:
        self.process.kill()

    def close(self) -> None:
        self._client.close()
        self.process.end()

    def entries(self) -> list[dict[str, Any]]:
        """Everything by the read API, in the order of storing."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": 0, "more": True}
        while page["more"]:
            page = self._get(f"/api/v1/entries?after={page['next']}&limit=2000").json()
            found += page["entries"]
        return found

    def has(self, gate: Kept) -> bool:
        """Every entry of the gate once, in order, with its hash."""
        through = sum(one["durable_through"] for one in self.status()["streams"] if one["node"] == gate.node)
        if through != len(gate.everything()):
            return False
        mine = [(one["incarnation"], one["seq"], one["hash"]) for one in self.entries() if one["node"] == gate.node]
        assert len(set(mine)) == len(mine)
        for boot in {name for name, _, _ in mine}:
            numbers = [seq for name, seq, _ in mine if name == boot]
            assert numbers == list(range(1, len(numbers) + 1)), numbers
        return set(mine) == {(boot, seq, row[1].hex()) for (boot, seq), row in gate.everything().items()}

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._get("/sync/v1/status").json()
        return found

    def _get(self, path: str) -> httpx.Response:
        return self._client.get(self.url + path, headers={"Authorization": f"Bearer {TOKEN}"})

    def answers(self) -> bool:
        """Whether it can read its store."""
        try:
            return self._get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False


class RespawnedServer:
    """tests/support/crashing_server.py under a supervisor that starts it anew whenever it dies, as systemd does."""

    def __init__(self, folder: Path, *, port: int, word: str) -> None:
        self._command = [sys.executable, "-m", "tests.support.crashing_server", str(folder), str(port), CODE, word]
        self._folder, self._stopping, self.deaths = folder, False, 0
        folder.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._supervise, name="supervisor")
        self._thread.start()

    def close(self) -> None:
        self._stopping = True
        while self._thread.is_alive():  # it may be starting the next one at this very moment
            self._popen.kill()
            self._thread.join(LOOK_EVERY_S)

    def _supervise(self) -> None:
        with (self._folder / "log.txt").open("ab") as log:
            while not self._stopping:
                self._popen = subprocess.Popen(self._command, stdout=log, stderr=log)
                self._popen.wait()
                self.deaths += 1


class AgentProcess:
    """`sync-agent run` beside a gate's journal."""

    def __init__(self, gate: Kept, url: str, *more: str) -> None:
        self.gate, self.url, self.more = gate, url, more
        self.start()

    def start(self) -> None:
        arguments = ["run", "--state", str(self.gate.folder), "--server", self.url, "--code", CODE, *HURRY, *self.more]
        self.process = Process(arguments, self.gate.folder / "agent.log")

    def bar(self) -> dict[str, Any]:
        """What the gate's bar reads, {} while there is nothing yet."""
        try:
            found: dict[str, Any] = json.loads((self.gate.folder / "sync_status.json").read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def peers(self) -> set[tuple[str, str, int, str]]:
        path = self.gate.folder / "peers.db"
        if not path.exists():
            return set()
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            rows = db.execute("SELECT node, incarnation, seq, hash FROM peers").fetchall()
        except sqlite3.OperationalError:
            return set()  # the agent has not made its tables yet
        finally:
            db.close()
        return {(node, incarnation, seq, digest.hex()) for node, incarnation, seq, digest in rows}


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`sync-agent` to its end."""
    command = [sys.executable, "-m", "sync_agent", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_AGENT")}
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, env=environment, check=False)


class Campus:
    """Everything that a test started, to be stopped together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._closing: list[Callable[[], Any]] = []

    def server(self) -> ServerProcess:
        server = ServerProcess(self.folder / "server")
        self._closing.append(server.close)
        return server

    def gate(self, node: str) -> GateJournal:
        journal = GateJournal(self.folder / node, node)
        self._closing.append(journal.close)
        return journal

    def agent(self, gate: Kept, url: str, *more: str) -> AgentProcess:
        agent = AgentProcess(gate, url, *more)
        self._closing.append(lambda: agent.process.end())
        return agent

    def later(self, close: Callable[[], Any]) -> None:
        self._closing.append(close)

    def close(self) -> None:
        for close in reversed(self._closing):
            close()
