"""A school server in this process and gates around it: real store, real HTTP messages, a link that can fail."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from sync_agent import protocol
from sync_agent.agent_state import AgentState
from sync_agent.directory_sync import DirectorySync
from sync_agent.ending import ended
from sync_agent.enrolment import Enrolment
from sync_agent.errors import ServerUnreachable, SyncError
from sync_agent.journal_tail import JournalTail
from sync_agent.keys import SigningKey, load_or_create, signing_key
from sync_agent.peers import Peers
from sync_agent.school_server.app import create_app
from sync_agent.school_server.bus_consumer import BusConsumer
from sync_agent.school_server.opening import open_store
from sync_agent.school_server.settings import School, ServerSettings
from sync_agent.school_server.sqlite_store import DATABASE_FILE
from sync_agent.transports.http import Caller, HttpTransport
from sync_agent.transports.nats import Carrier, NatsTransport
from sync_agent.up_sync import Step, UpSync
from tests.support.journals import MONDAY_MS, GateJournal

if TYPE_CHECKING:
    from tests.support.postgres import Cluster

SCHOOL, CODE, TOKEN, OFFICE = "yucai", "7-otters-2", "read-me", "south"
PUPILS_TOKEN = "who-is-who"
SERVER_KEY = signing_key(bytes(range(32)))
STEPS_AT_MOST = 2_000
ANSWER_S = 8.0  # longer than a bus takes to deliver what a test has cut off


class Clock:
    """A hand-turned clock for pauses and for people."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic_s(self) -> float:
        return self.seconds

    def now_ms(self) -> int:
        return MONDAY_MS + int(self.seconds * 1000)


class Server:
    """The school server; it can be stopped, started again, and put back to an older copy of its store.

    cluster: it stores there and not in SQLite.
    """

    def __init__(self, folder: Path, clock: Clock, cluster: Cluster | None = None) -> None:
        self.folder, self.clock, self._cluster = folder, clock, cluster
        self._database = cluster.database() if cluster else ""
        self.wrap: Any = lambda app: app
        self.start()

    def start(self) -> None:
        self.store: Any = open_store(self.folder, self._cluster.url(self._database) if self._cluster else "")
        school = School(code=CODE, office=frozenset({OFFICE}), pupils_token=PUPILS_TOKEN)
        settings = ServerSettings(schools={SCHOOL: school}, read_token=TOKEN)
        clock = self.clock
        self.app: Starlette = create_app(self.store, settings, key=SERVER_KEY, now_ms=clock.now_ms, monotonic_s=clock.monotonic_s)

    def stop(self) -> None:
        self.store.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def keep_copy(self, to: Path) -> None:
        to.mkdir(parents=True, exist_ok=True)
        if self._cluster is not None:
            self.stop()
            (to / "database").write_text(self._cluster.database(template=self._database))
            self.start()
            return
        with sqlite3.connect(self.folder / DATABASE_FILE) as source, sqlite3.connect(to / DATABASE_FILE) as copy:
            source.backup(copy)
        source.close()
        copy.close()

    def restore(self, copy: Path) -> None:
        """What a person does with yesterday's backup."""
        self.stop()
        if self._cluster is not None:
            self._cluster.drop(self._database)
            self._database = self._cluster.database(template=(copy / "database").read_text())
            self.start()
            return
        for file in self.folder.glob(DATABASE_FILE + "*"):
            file.unlink()
        shutil.copy(copy / DATABASE_FILE, self.folder / DATABASE_FILE)
        self.start()

    def everything(self, node: str) -> dict[tuple[str, int], tuple[bytes, bytes]]:
        """(incarnation, seq) -> (raw, hash) as stored. The primary key makes each unique."""
        found = self.store.entries_after(school=SCHOOL, position=0, most=1_000_000)
        return {(e.incarnation, e.seq): (e.raw, e.hash) for e in found if e.node == node}


class Link(httpx.AsyncBaseTransport):
    """HTTP to the server in this process, or NATS to it by a real bus.

    `faults` are used up one by one: cut, eat (answer), twice (request).
    """

    def __init__(self, server: Server, carrier: Carrier | None = None) -> None:
        self.server, self.carrier = server, carrier
        self.faults: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "cut":
            raise httpx.ConnectError("cut", request=request)
        body = await request.aread()
        answer = await self._once(request, body)
        if fault == "twice":
            answer = await self._once(request, body)
        if fault == "eat":
            await answer.aread()
            raise httpx.ReadError("eaten", request=request)
        return answer

    async def _once(self, request: httpx.Request, body: bytes) -> httpx.Response:
        again = httpx.Request(request.method, request.url, headers=request.headers, content=body or None)
        if self.carrier is not None:
            return await self.carrier.handle_async_request(again)
        target = httpx.ASGITransport(self.server.wrap(self.server.app), raise_app_exceptions=False)
        return await target.handle_async_request(again)

    async def aclose(self) -> None:
        if self.carrier is not None:
            await self.carrier.aclose()


@dataclass
class Gate:
    """One gate's side: journal, agent files, and the three steps of the agent over a link."""

    folder: Path
    node: str
    server: Server
    batch_entries: int = 5
    bus: str = ""
    link: Link = field(init=False)
    journal: GateJournal = field(init=False)

    def __post_init__(self) -> None:
        carrier = Carrier(self.bus, school=SCHOOL, node=self.node, answer_timeout_s=ANSWER_S) if self.bus else None
        self.link = Link(self.server, carrier)
        self.journal = GateJournal(self.folder, self.node)
        self.open_agent()

    def open_agent(self) -> None:
        key = self.key()
        caller = Caller(school=SCHOOL, node=self.node, key=key)
        self.transport = self.new_transport(caller)
        self.enrolment = Enrolment(folder=self.folder / "keys", key=key, code=CODE)
        self.state = AgentState(self.folder / "agent.db")
        self.peers = Peers(self.folder / "peers.db")
        self.tail = JournalTail(self.folder / "journal.db")
        clock = self.server.clock
        self.up = UpSync(
            journal=self.tail,
            state=self.state,
            transport=self.transport,
            key=key,
            school=SCHOOL,
            monotonic_s=clock.monotonic_s,
            batch_entries=self.batch_entries,
        )
        self.directory = DirectorySync(
            folder=self.folder,
            state=self.state,
            transport=self.transport,
            server_key=self.enrolment.server_key,
            school=SCHOOL,
        )

    def new_transport(self, caller: Caller) -> HttpTransport:
        if self.bus:
            return NatsTransport(self.bus, caller, transport=self.link)
        return HttpTransport("http://server", caller, transport=self.link)

    def key(self) -> SigningKey:
        return load_or_create(self.folder / "keys" / "node.key")

    async def enrol(self) -> None:
        await self.enrolment.enrol(self.transport, school=SCHOOL, node=self.node)

    async def pull(self) -> Step:
        relay = await self.transport.relay(have=self.peers.have(self.up.lost))
        added = self.peers.add(relay.segments)
        return Step.MOVED if relay.more and added else Step.IDLE

    async def drain(self) -> None:
        """Steps until there is nothing to do; trouble is stepped over, as the agent's loop does after its pause."""
        for _ in range(STEPS_AT_MOST):
            try:
                if await self.up.step() is Step.IDLE:
                    return
            except SyncError:
                continue
        raise AssertionError(f"{self.node} is not done after {STEPS_AT_MOST} steps")

    async def drain_down(self) -> None:
        for _ in range(STEPS_AT_MOST):
            try:
                if await self.pull() is Step.IDLE:
                    return
            except SyncError:
                continue
        raise AssertionError(f"{self.node} has not got everything after {STEPS_AT_MOST} steps")

    def close_agent(self) -> None:
        self.state.close()
        self.peers.close()
        self.tail.close()

    def restart_agent(self, *, forget: bool = False) -> None:
        """As after kill -9; forget: agent.db is gone too."""
        self.close_agent()
        if forget:
            for file in self.folder.glob("agent.db*"):
                file.unlink()
        self.open_agent()

    def put_back(self, image: Path) -> None:
        """Somebody puts an older copy of this gate's disk in."""
        self.close()
        shutil.rmtree(self.folder)
        shutil.copytree(image, self.folder)
        self.journal = GateJournal(self.folder, self.node)
        self.open_agent()

    def peers_rows(self) -> dict[tuple[str, str, int], tuple[bytes, bytes]]:
        rows = self.peers._connection.execute("SELECT node, incarnation, seq, raw, hash FROM peers")
        return {(node, incarnation, seq): (raw, digest) for node, incarnation, seq, raw, digest in rows}

    def close(self) -> None:
        self.close_agent()
        self.journal.close()


class SyncWorld:
    """A server and its gates, to be closed together. `run` runs a coroutine of theirs."""

    def __init__(self, folder: Path, cluster: Cluster | None = None, bus: str = "") -> None:
        self.folder, self.clock, self.bus = folder, Clock(), bus
        self.runner = asyncio.Runner()
        self.server = Server(folder / "server", self.clock, cluster)
        self.gates: list[Gate] = []
        self._listening: asyncio.Task[None] | None = None
        if bus:
            self.join_bus()

    def join_bus(self) -> None:
        """The server's ear on the bus; it works while something is run here."""
        self._listening = self.run(self._listen())

    def leave_bus(self) -> None:
        if self._listening is not None:
            self.run(ended([self._listening]))
        self._listening = None

    async def _listen(self) -> asyncio.Task[None]:

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self.server.wrap(self.server.app)(scope, receive, send)

        async def nodes() -> list[tuple[str, str]]:
            return []

        return asyncio.create_task(BusConsumer(self.bus, app, nodes=nodes).run())

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def gate(self, node: str, *, batch_entries: int = 5, enrolled: bool = True) -> Gate:
        gate = Gate(self.folder / node, node, self.server, batch_entries, self.bus)
        self.gates.append(gate)
        if enrolled:
            self.run(self._enrol(gate))
        return gate

    async def _enrol(self, gate: Gate) -> None:
        for _ in range(STEPS_AT_MOST):
            try:
                return await gate.enrol()
            except ServerUnreachable:  # the server has not come to the bus yet
                await asyncio.sleep(0.02)
        raise AssertionError("no school server comes to the bus")

    def ask(self, method: str, target: str, **arguments: Any) -> httpx.Response:
        """A bare request to the server, with the protocol's version unless headers are given."""
        headers = arguments.pop("headers", {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: SCHOOL})
        transport = httpx.ASGITransport(self.server.app, raise_app_exceptions=False)

        async def once() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                return await client.request(method, target, headers=headers, **arguments)

        answer: httpx.Response = self.run(once())
        return answer

    def close(self) -> None:
        for gate in self.gates:
            self.run(gate.transport.close())
            gate.close()
        self.leave_bus()
        self.server.stop()
        self.runner.close()


def in_memory() -> Path | None:
    """A folder where fsync costs nothing, if there is one: these tests are about rules, not about disks."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and os.access(shared, os.W_OK) else None


async def endless(chunk: bytes, count: int) -> AsyncIterator[bytes]:
    """A body without a stated length."""
    for _ in range(count):
        yield chunk
