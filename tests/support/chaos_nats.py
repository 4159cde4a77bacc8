"""The chaos rig on NATS: a hub beside the school server, a leaf beside each gate, and the bad link between leaves and hub.

Hub and leaves are real nats-servers on real disks, killed -9 like everything else.
"""

from __future__ import annotations

import random
from pathlib import Path

from sync_agent import bus
from tests.support.chaos_parts import LinkPart, Part, fixed_port
from tests.support.nats_server import NatsServer

SCHOOL = "school"  # of agents and server that are told no other


class NatsPart:
    """sort: hub or leaf."""

    def __init__(self, server: NatsServer, sort: str) -> None:
        self.server, self.sort, self.name = server, sort, server.name

    def start(self) -> None:
        self.server.start(wait=False)

    def ready(self) -> bool:
        return self.server.answers()

    def ended(self) -> int | None:
        return self.server.ended()

    def kill(self, chance: random.Random) -> str:
        self.server.kill()
        return self.name

    def close(self) -> None:
        self.server.close()


class NatsLine:
    """Agents speak to their own leaf only; the school server to the hub only."""

    def __init__(self, folder: Path, nodes: tuple[str, ...], seed: int) -> None:
        self._hub = NatsServer(folder / "hub", "hub", started=False)
        self._link = LinkPart(seed, fixed_port(), self._hub.leaf_port)
        self._leaves = {node: self._leaf(folder / f"leaf-{node}", node) for node in nodes}
        self.parts: list[Part] = [NatsPart(self._hub, "hub"), self._link]
        self.parts += [NatsPart(leaf, "leaf") for leaf in self._leaves.values()]
        self.server_arguments = ["--nats", self._hub.url]
        self.agent_arguments = ["--answer-timeout", "4"]

    def _leaf(self, folder: Path, node: str) -> NatsServer:
        domain = bus.domain_of(SCHOOL, node)
        return NatsServer(folder, f"leaf-{node}", hub_port=self._link.port, domain=domain, started=False)

    def url(self, node: str) -> str:
        return self._leaves[node].url

    def behave(self) -> None:
        self._link.behave()
