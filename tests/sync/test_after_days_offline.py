"""Gates that were cut off for days: denials come first, then this morning, then everything, and each gate tells the same story.

Real journals written through the real loop, real agents' parts over HTTP messages to a real server. Sizes are those of a test;
`kiosk bench offline` measures three days of 6,000 entries with everything in processes of its own.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk.bench.offline_load import GATES, LEADER, Size, link_up_ms, opened, play
from kiosk.bench.school import uid_of
from kiosk.clock import FixedClock
from kiosk.controller import Controller
from kiosk.core import commands as c
from kiosk.neighbours import STILL, Neighbours
from kiosk.snapshots import SnapshotStore
from sync_agent import protocol
from sync_agent.agent_state import AgentStatus, DirectoryStatus, PeerStatus, write_status
from tests.support.agent_side import AgentSide
from tests.support.sync_processes import wait_until
from tests.support.sync_world import Clock, Server

SIZE = Size(children=45, day_entries=330, days=3, this_morning=12)
LOST = uid_of(44)
BATCH = 100
AGENT = AgentStatus(
    written_ms=0, server="", node="", waiting=0, quarantined=0, last_contact_ms=0, asked_ms=0, streams=[], peers=[],
    directory=DirectoryStatus(), problems=[],
)  # fmt: skip


class CutOffGate(AgentSide):
    """A gate with its loop, and its agent a step at a time."""

    def __init__(self, folder: Path, node: str, server: Server) -> None:
        super().__init__(folder / node, node, server, batch_entries=BATCH)
        self.folder = folder / node
        self.open_gate()

    def open_gate(self) -> None:
        self.gate: Controller
        self.clock: FixedClock
        self.gate, self.clock = opened(self.folder, self.node, SIZE, now_ms=link_up_ms(SIZE))
        snapshots = SnapshotStore(self.folder, utc_offset_ms=28_800_000)
        self.neighbours = Neighbours(
            controller=self.gate, state=self.folder, snapshots=snapshots, peers_row=0, keep_pictures_days=30
        )
        self.gate.start()

    def restart(self) -> None:
        self.gate.stop()
        self.open_gate()

    def look(self) -> None:
        self.neighbours.look()
        wait_until(lambda: self.gate.ask(c.Tick()) and not self.gate.world.reread, "the state is read back")

    def close(self) -> None:
        self.gate.stop()
        super().close()


class Campus:
    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.server = Server(folder / "server", Clock())
        for node in GATES:
            play(folder / node, node, SIZE)
        self.gates = [CutOffGate(folder, node, self.server) for node in GATES]
        for gate in self.gates:
            self.run(gate.enrol())

    def run(self, work):
        return self.runner.run(work)

    def drain(self) -> None:
        for gate in self.gates:
            self.run(gate.send())
        for gate in self.gates:
            self.run(gate.fetch())
            gate.look()

    def close(self) -> None:
        for gate in self.gates:
            gate.close()
        self.runner.close()
        self.server.stop()


@pytest.fixture
def campus(tmp_path: Path):
    one = Campus(tmp_path)
    yield one
    one.close()


def here(gate: CutOffGate, child: int) -> bool:
    return gate.gate.world.campus.child(child).hold.live


def morning_of(node: str) -> range:
    return SIZE.of_gate(node)[: SIZE.this_morning]


def test_a_lost_card_and_this_morning_are_known_at_the_other_gates_after_one_exchange(campus: Campus) -> None:
    one, other, _ = campus.gates
    one.gate.ask(c.ReportCardLost(uid=LOST, by=LEADER))
    campus.run(one.up.step())  # one batch of the oldest; a thousand more wait behind it
    assert sum(len(seen) for seen in [campus.server.everything(one.node)]) == BATCH
    campus.run(other.pull())
    other.look()
    world = other.gate.world
    assert LOST in world.campus.lost_cards
    assert all(here(other, child) for child in morning_of(one.node))
    stream = f"{one.node}/{one.gate.world.stream.incarnation}"
    assert world.stream.seen.get(stream, 0) == 0, "nothing claims to have seen what came ahead of its turn"
    assert other.gate.ask(c.Read(access_point="east-in-1", scheme="uid", value=LOST)).decision.reason == "card_lost"
    assert campus.run(other.pull()) is False, "it is told once"


def test_it_holds_after_a_restart_too_before_the_rest_has_come(campus: Campus) -> None:
    one, other, _ = campus.gates
    one.gate.ask(c.ReportCardLost(uid=LOST, by=LEADER))
    campus.run(one.up.step())
    relay = campus.run(other.transport.relay(have=[]))
    other.peers.announce(relay.ahead)  # and nothing of what came in its turn
    other.look()
    before = other.gate.world.campus.fingerprint()
    other.restart()
    assert LOST in other.gate.world.campus.lost_cards
    assert all(here(other, child) for child in morning_of(one.node))
    assert other.gate.world.campus.fingerprint()[0] == before[0], "children"


def test_everything_arrives_once_and_in_order_and_every_gate_tells_the_same_story(campus: Campus) -> None:
    campus.drain()
    written = 0
    for gate in campus.gates:
        stored = campus.server.everything(gate.node)
        rows = gate.gate.journal._db.execute("SELECT incarnation, seq, raw, hash FROM entries JOIN incarnations USING (boot)")
        own = {(incarnation, seq): (raw, digest) for incarnation, seq, raw, digest in rows}
        assert stored == own
        written += len(own)
    assert written >= SIZE.days * SIZE.day_entries * len(GATES)
    everybody = {n for node in GATES for n in morning_of(node)}
    stories = []
    for gate in campus.gates:
        assert not gate.peers._connection.execute("SELECT 1 FROM ahead").fetchall(), "their turn has come"
        world = gate.gate.world
        assert {n for n, _ in world.campus.on_campus()} == everybody
        stories.append({n: (world.campus.child(n).hold, world.campus.child(n).arrived_ms) for n in everybody})
        assert not world.campus.conflicts() and not world.unreadable
        assert all(world.stream.seen[stream] == last for stream, last in heads(campus, but=gate.node).items())
    assert stories[0] == stories[1] == stories[2]
    for gate in campus.gates:
        gate.restart()
        again = gate.gate.world.campus
        assert {n: (again.child(n).hold, again.child(n).arrived_ms) for n in everybody} == stories[0]
        assert again.fingerprint() == gate.gate._rebuild().campus.fingerprint()


def heads(campus: Campus, *, but: str) -> dict[str, int]:
    rows = [gate.gate.journal.streams() for gate in campus.gates if gate.node != but]
    return {name: last for found in rows for name, last in found.items()}


def test_what_is_announced_without_the_signature_of_the_node_is_not_taken_and_holds_up_nothing(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, _ = campus.gates
    one.gate.ask(c.ReportCardLost(uid=LOST, by=LEADER))
    send = one.transport.send

    async def forged(batch: protocol.Batch) -> protocol.BatchAnswer:
        assert batch.ahead
        return await send(replace(batch, ahead_signature="0" * 128))

    monkeypatch.setattr(one.transport, "send", forged)
    campus.run(one.up.step())
    assert len(campus.server.everything(one.node)) == BATCH
    campus.run(other.pull())
    other.look()
    assert LOST not in other.gate.world.campus.lost_cards


def test_a_server_that_was_started_anew_is_told_again(campus: Campus) -> None:
    one, other, _ = campus.gates
    one.gate.ask(c.ReportCardLost(uid=LOST, by=LEADER))
    campus.run(one.up.step())
    campus.server.restart()
    campus.server.clock.seconds += 60  # the agent compares
    campus.run(one.up.step())
    campus.run(other.pull())
    other.look()
    assert LOST in other.gate.world.campus.lost_cards


def test_nothing_is_read_back_while_another_gate_is_sending_its_days(campus: Campus) -> None:
    """Else half a story would be told, and the whole of it anew each time that a little more has come."""
    one, other, _ = campus.gates
    campus.run(one.send())
    campus.run(other.fetch())
    sends = PeerStatus(node=one.node, seen_s_ago=0.0, waiting=300)
    write_status(other.folder, replace(AGENT, peers=[sends]))
    for _ in range(STILL):
        other.neighbours.look()
        other.gate.ask(c.Tick())
        assert other.gate.world.reread
    other.look()  # it says so, but it sends nothing
    assert all(here(other, child) for child in morning_of(one.node))
