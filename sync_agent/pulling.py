"""`sync-agent pull`: all that a gate should know before it starts for the first time, fetched now and not a second at a time.

The directory, every other gate's entries, and what an earlier computer of this name had sent. The gate folds it at its start.
It is what the agent does all day, to its end: whatever ends it half-way, the next pull or the agent goes on from there. It
sends no entry, and writes no journal.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import msgspec

from kiosk.directory import DirectoryError, load
from sync_agent import protocol
from sync_agent.agent_state import AgentState
from sync_agent.directory_sync import DIRECTORY_FILE, DirectorySync
from sync_agent.durable_sqlite import open_reader
from sync_agent.enrolment import Enrolment, NotEnrolled
from sync_agent.errors import JournalUnreadable, PeerChainBroken, ServerFailed
from sync_agent.journal_tail import JournalTail
from sync_agent.node_keys import NodeKeys
from sync_agent.peers import Peers
from sync_agent.transports import Transport
from sync_agent.transports.choosing import transport_to
from sync_agent.transports.http import Caller
from sync_agent.up_sync import Step

PEERS_FILE = "peers.db"

log = logging.getLogger(__name__)


class GateHere(msgspec.Struct, frozen=True, kw_only=True):
    """entries: of that gate, on this disk. waiting: what it has told the server that it has still to send."""

    node: str
    entries: int
    waiting: int


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON document (fields may be added). new: entries that this pull brought. directory: its number, 0 for none."""

    directory: int
    pupils: int
    staff: int
    gates: list[GateHere]
    new: int
    problems: list[str]

    @property
    def whole(self) -> bool:
        return self.directory > 0 and not self.problems


async def pull(*, folder: Path, transport: Transport, enrolment: Enrolment, school: str, node: str) -> Pulled:
    """Raises SyncError; what has come by then stays."""
    if enrolment.server_key() is None:
        raise NotEnrolled(f"node {node} is not enrolled yet; sync-agent enrol with a code from the server comes first")
    state, peers = AgentState(folder / "agent.db"), Peers(folder / PEERS_FILE)
    try:
        directory = DirectorySync(folder=folder, state=state, transport=transport, server_key=enrolment.server_key, school=school)
        while await directory.step() is Step.MOVED:
            continue
        relay, new, problems = await _everything(transport, peers, await _lost(folder, transport, node))
    finally:
        peers.close()
        state.close()
    waiting = {seen.node: seen.waiting for seen in relay.nodes}
    entries = _count(folder / PEERS_FILE)
    names = sorted({*entries, *waiting} - ({node} if node not in entries else set()))
    number = directory.status(checked_ms=None).number
    pupils, staff = _people(folder / DIRECTORY_FILE) if number else (0, 0)
    gates = [GateHere(node=name, entries=entries[name], waiting=waiting.get(name, 0)) for name in names]
    return Pulled(directory=number, pupils=pupils, staff=staff, gates=gates, new=new, problems=problems)


async def pull_now(*, folder: Path, server: str, ca_file: Path | None = None, school: str, node: str) -> Pulled:
    """For the command line. Raises SyncError."""
    key = NodeKeys(folder / "keys").present
    async with transport_to(server, Caller(school=school, node=node, key=key), ca_file=ca_file) as transport:
        enrolment = Enrolment(folder=folder / "keys", key=key, code="")
        return await pull(folder=folder, transport=transport, enrolment=enrolment, school=school, node=node)


async def _everything(transport: Transport, peers: Peers, lost: list[tuple[str, str]]) -> tuple[protocol.Relay, int, list[str]]:
    new, problems = 0, list[str]()
    while True:
        before = peers.have(lost)
        relay = await transport.relay(have=before)
        try:
            new += peers.add(relay.segments)
        except PeerChainBroken as error:  # what was sound is stored, and the stream goes on behind it
            problems.append(str(error))
        peers.announce(relay.ahead)
        if not relay.more:
            return relay, new, problems
        if peers.have(lost) == before and not relay.ahead:
            raise ServerFailed("the server says that there is more, and gives nothing new; look at its log")
        log.info("%d entries so far", new)


async def _lost(folder: Path, transport: Transport, node: str) -> list[tuple[str, str]]:
    """Streams of this name at the server of which this disk has less: of a computer that was replaced, or a disk."""
    here: dict[tuple[str, str], int] = {}
    if (folder / "journal.db").exists():
        journal = JournalTail(folder / "journal.db")
        try:
            here = {(stream.node, stream.incarnation): stream.last_seq for stream in journal.streams()}
        except JournalUnreadable:
            here = {}  # the controller has not opened it yet
        finally:
            journal.close()
    streams = (await transport.status(node)).streams
    names = {(one.node, one.incarnation): one.durable_through for one in streams if one.node == node}
    return [name for name, through in names.items() if through > here.get(name, 0)]


def _count(path: Path) -> Counter[str]:
    try:
        with closing(open_reader(path)) as connection:
            return Counter(dict(connection.execute("SELECT node, count(*) FROM peers GROUP BY node")))
    except sqlite3.Error as error:
        raise JournalUnreadable(f"{path} cannot be read ({error}); is another program in it?") from error


def _people(path: Path) -> tuple[int, int]:
    try:
        directory = load(path)
    except DirectoryError as error:
        raise ServerFailed(f"the directory that came cannot be read ({error})") from error
    return len(directory.pupils), len(directory.staff)


def text(found: Pulled) -> str:
    """For people; Chinese first."""
    lines = [f"名单 directory {found.directory}：{found.pupils} 名学生 pupils，{found.staff} 名教职工 staff"]
    if not found.directory:
        lines = ["服务器上还没有名单 the server has no directory yet: import it at the office's gate, then pull again"]
    for gate in found.gates:
        still = f"，还有 {gate.waiting} 条没送到 still to come from there" if gate.waiting else ""
        lines.append(f"  {gate.node}: {gate.entries} 条 entries{still}")
    lines += [f"  ! {problem}" for problem in found.problems]
    total = sum(gate.entries for gate in found.gates)
    lines.append(f"服务器上的都在这里了 all that the server has is here: {total}，新到 new {found.new}")
    return "\n".join(lines)
