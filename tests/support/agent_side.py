"""The parts of a gate's agent beside a running gate, a step at a time, over HTTP messages to a server in the same process."""

from __future__ import annotations

from pathlib import Path

from sync_agent import protocol
from sync_agent.agent_state import AgentState
from sync_agent.enrolment import Enrolment
from sync_agent.journal_tail import JournalTail
from sync_agent.keys import load_or_create
from sync_agent.peers import Peers
from sync_agent.transports.http import Caller, HttpTransport
from sync_agent.up_sync import Step, UpSync
from tests.support.sync_world import CODE, SCHOOL, Link, Server


class AgentSide:
    """Works only when it is told to: until then the gate is cut off."""

    def __init__(self, folder: Path, node: str, server: Server, *, batch_entries: int = protocol.DEFAULT_BATCH_ENTRIES) -> None:
        self.node, self.link = node, Link(server)
        key = load_or_create(folder / "keys" / "node.key")
        self.transport = HttpTransport("http://server", Caller(school=SCHOOL, node=node, key=key), transport=self.link)
        self.enrolment = Enrolment(folder=folder / "keys", key=key, code=CODE)
        self.state, self.peers = AgentState(folder / "agent.db"), Peers(folder / "peers.db")
        self.tail = JournalTail(folder / "journal.db")
        self.up = UpSync(
            journal=self.tail, state=self.state, transport=self.transport, key=key, school=SCHOOL,
            monotonic_s=server.clock.monotonic_s, batch_entries=batch_entries,
        )  # fmt: skip

    async def enrol(self) -> None:
        await self.enrolment.enrol(self.transport, school=SCHOOL, node=self.node)

    async def send(self) -> None:
        """Until there is nothing to send."""
        while await self.up.step() is Step.MOVED:
            pass

    async def pull(self) -> bool:
        """One question; whether there is more."""
        relay = await self.transport.relay(have=self.peers.have(self.up.lost))
        return bool(self.peers.add(relay.segments) + self.peers.announce(relay.ahead)) and relay.more

    async def fetch(self) -> None:
        """Until there is nothing to fetch."""
        while await self.pull():
            pass

    def close(self) -> None:
        self.state.close()
        self.peers.close()
        self.tail.close()
