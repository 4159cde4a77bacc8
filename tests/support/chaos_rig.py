"""A whole campus as processes, each of which is killed -9 again and again at moments drawn from a seed, and started at once.

Two gates with children tapping, an agent beside each, a line between agents and school server, the server, its PostgreSQL. The
line is a parameter: `HttpLine` is a proxy that misbehaves, `NatsLine` a bus with such a proxy in it. Each part has a thread that
kills it, so that restarts overlap; a part waits for the slowest before it gets ahead. Everything that happened is in a
history of JSON lines.
"""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Protocol

from tests.support.chaos_nats import NatsLine
from tests.support.chaos_parts import AgentPart, GatePart, LinkPart, Part, PostgresPart, ServerPart, fixed_port
from tests.support.chaos_taps import History, Taps
from tests.support.gate_folder import GateFolder
from tests.support.postgres import Cluster
from tests.support.running_gate import RunningGate, VirtualDay, wait_until
from tests.support.sync_processes import AgentProcess, ServerProcess

NODES = ("east", "south")
BATCH = "20"
START = "2026-11-23T17:34:00+08:00"  # homework has ended: late arrivals, rooms, and half of the older children may leave
WHILE_IT_STARTS = 0.15  # of the kills
AHEAD = 2  # kills by which a part may be before the slowest one's pace
DRAIN_S = 120.0
# Of 100 kills over HTTP, of each part of that sort; over NATS hub and leaves come on top.
SHARES = {"gate": 16, "agent": 16, "link": 12, "server": 10, "postgres": 14, "hub": 14, "leaf": 14}


class Line(Protocol):
    """What lies between agents and server: its parts, what the programs are told of it, and how it is made to behave at last."""

    parts: list[Part]
    server_arguments: list[str]
    agent_arguments: list[str]

    def url(self, node: str) -> str:
        """What the agent of that gate is told."""

    def behave(self) -> None: ...


class HttpLine:
    """The default transport, through one bad link."""

    def __init__(self, seed: int, server_port: int) -> None:
        port = fixed_port()
        self.link = LinkPart(seed, port, server_port)
        self.parts: list[Part] = [self.link]
        self.server_arguments: list[str] = []
        self.agent_arguments: list[str] = []

    def url(self, node: str) -> str:
        return f"http://127.0.0.1:{self.link.port}"

    def behave(self) -> None:
        self.link.behave()


class Rig:
    """Made with everything running. `kill` spreads the kills; `settle` lets all drain and stops the gates."""

    def __init__(self, folder: Path, cluster: Cluster, seed: int, *, carrier: str = "http") -> None:
        self.seed, self.history, self.killed = seed, History(seed), Counter[str]()
        self.cluster, self.database = cluster, cluster.database()
        server_port = fixed_port()
        self.line: Line = HttpLine(seed, server_port) if carrier == "http" else NatsLine(folder / "nats", NODES, seed)
        self.parts: list[Part] = []
        self.taps: list[Taps] = []
        try:
            self._start_all(folder, server_port)
        except BaseException:
            self.close(fine=False)
            raise

    def _start_all(self, folder: Path, server_port: int) -> None:
        for part in self.line.parts:
            part.start()
            self.parts.append(part)
        self.server = ServerProcess(
            folder / "server", store=self.cluster.url(self.database), port=server_port, more=self.line.server_arguments
        )
        self.parts += [ServerPart(self.server), PostgresPart(self.cluster)]
        day = VirtualDay(START)
        self.gates: dict[str, RunningGate] = {}
        self.folders: dict[str, GateFolder] = {}
        for node in NODES:
            home = folder / node
            if self.gates:  # everybody has the same list, with PINs that the same pepper opens
                first = self.gates[NODES[0]].state
                (home / "state" / "keys").mkdir(parents=True)
                shutil.copy(first / "directory.db", home / "state" / "directory.db")
                shutil.copy(first / "keys" / "pepper", home / "state" / "keys" / "pepper")
            gate = RunningGate(home, day=day, node=node, port=fixed_port())
            self.gates[node], self.folders[node] = gate, GateFolder(gate.state, node)
            part = GatePart(gate, node)
            part.start()
            self.parts.append(part)
        for node, here in self.folders.items():
            more = ("--batch", BATCH, "--node", node, *self.line.agent_arguments)
            self.parts.append(AgentPart(AgentProcess(here, self.line.url(node), *more), node))
        for part in self.parts:
            wait_until(part.ready, f"{part.name} works")
        self.taps = [Taps(gate, node, random.Random(f"{self.seed}:{node}"), self.history) for node, gate in self.gates.items()]

    # --- killing -----------------------------------------------------------------------------------

    def kill(self, kills: int) -> None:
        """So many kills -9, spread over all parts."""
        quota = shares(self.parts, kills)
        self._done, self._failed = dict.fromkeys(quota, 0), list[str]()
        self._progress = threading.Condition()
        threads = [
            threading.Thread(target=self._keep_killing, args=(part, quota), name=f"killer of {part.name}", daemon=True)
            for part in self.parts
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self._failed, f"seed {self.seed}, history {self.history.path}: {self._failed}"

    def _keep_killing(self, part: Part, quota: dict[str, int]) -> None:
        chance = random.Random(f"{self.seed}:{part.name}")
        try:
            for number in range(1, quota[part.name] + 1):
                self._wait_for_the_others(part, quota, number, chance)
                self._kill_one(part, chance)
                with self._progress:
                    self._done[part.name] = number
                    self._progress.notify_all()
            wait_until(part.ready, f"{part.name} works after its last kill", within_s=DRAIN_S)
        except BaseException as error:
            self._failed.append(f"{part.name}: {error!r}")
            self.history.note("failed", part=part.name, why=repr(error))
            with self._progress:
                self._done[part.name] = quota[part.name]
                self._progress.notify_all()

    def _wait_for_the_others(self, part: Part, quota: dict[str, int], number: int, chance: random.Random) -> None:
        ahead = chance.uniform(0, AHEAD)
        with self._progress:
            while not self._failed:
                slowest = min(self._done[name] / most for name, most in quota.items() if most)
                if number <= slowest * quota[part.name] + ahead + 1:
                    return
                self._progress.wait(1.0)

    def _kill_one(self, part: Part, chance: random.Random) -> None:
        starting = chance.random() < WHILE_IT_STARTS
        if not starting:
            wait_until(part.ready, f"{part.name} works", within_s=DRAIN_S)
        time.sleep(chance.uniform(0.0, 1.2))
        ended = part.ended()
        assert ended is None, f"it ended by itself with {ended}"
        hit = part.kill(chance)
        self.history.note("killed", part=hit, while_it="started" if starting else "worked")
        with self._progress:
            self.killed[hit.split(" (")[0]] += 1
        part.start()

    # --- the end -----------------------------------------------------------------------------------

    def settle(self) -> None:
        """No more taps and no more trouble: everything drains; the gates stop as systemd stops them, and that drains too."""
        for taps in self.taps:
            taps.close()
            assert taps.failed is None, repr(taps.failed)
        self.line.behave()
        self.history.note("calm")
        wait_until(self.drained, "everything is stored and everybody knows everything", within_s=DRAIN_S)
        for node, gate in self.gates.items():
            assert gate.stop() == 0, f"{node}: {gate.said()[-1500:]}"
        wait_until(self.drained, "what the gates said at the end too", within_s=DRAIN_S)
        self.history.note("drained")

    def drained(self) -> bool:
        streams = {node: here.everything() for node, here in self.folders.items()}
        if not self.server.answers() or self.server.status()["entries"] != sum(map(len, streams.values())):
            return False
        for agent in (part.agent for part in self.parts if isinstance(part, AgentPart)):
            others = {
                (node, boot, seq, row[1].hex())
                for node, stream in streams.items()
                if node != agent.gate.node
                for (boot, seq), row in stream.items()
            }
            if agent.peers() != others:
                return False
        return True

    def close(self, *, fine: bool) -> None:
        for taps in self.taps:
            taps.close()
        for part in reversed(self.parts):
            part.close()
        self.history.close(fine=fine)


def shares(parts: list[Part], kills: int) -> dict[str, int]:
    """Part -> its number of kills; all of them together are exactly `kills`."""
    weights = {part.name: SHARES[part.sort] for part in parts}
    total = sum(weights.values())
    found = {name: kills * weight // total for name, weight in weights.items()}
    for name in sorted(found, key=lambda name: -weights[name])[: kills - sum(found.values())]:
        found[name] += 1
    return found
