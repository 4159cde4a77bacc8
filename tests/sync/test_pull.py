"""`sync-agent pull`: a new gate has everything before its first start, and goes on where it was cut off."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kiosk.directory import Content, publish, snapshot_info
from sync_agent import protocol
from sync_agent.enrolment import Enrolment, NotEnrolled
from sync_agent.errors import AnswerLost
from sync_agent.keys import load_or_create
from sync_agent.peers import Peers
from sync_agent.pulling import GateHere, Pulled, pull, text
from sync_agent.transports.http import Caller, HttpTransport
from tests.support.journals import GateJournal
from tests.support.sync_processes import run_command
from tests.support.sync_world import CODE, SCHOOL, Gate, Link, SyncWorld


@dataclass
class NewGate:
    """A folder with a key in it, and nothing else: no journal, for it has never run."""

    world: SyncWorld
    node: str
    folder: Path

    def __post_init__(self) -> None:
        self.link = Link(self.world.server)

    def do(self, work: Callable[[HttpTransport, Enrolment], Awaitable[Any]]) -> Any:
        key = load_or_create(self.folder / "keys" / "node.key")

        async def once() -> Any:
            caller = Caller(school=SCHOOL, node=self.node, key=key)
            async with HttpTransport("http://server", caller, transport=self.link) as transport:
                return await work(transport, Enrolment(folder=self.folder / "keys", key=key, code=CODE))

        return self.world.run(once())

    def enrol(self) -> NewGate:
        self.do(lambda transport, enrolment: enrolment.enrol(transport, school=SCHOOL, node=self.node))
        return self

    def pull(self) -> Pulled:
        found = self.do(
            lambda transport, enrolment: pull(
                folder=self.folder, transport=transport, enrolment=enrolment, school=SCHOOL, node=self.node
            )
        )
        assert isinstance(found, Pulled)
        return found

    def peers(self) -> dict[tuple[str, str, int], tuple[bytes, bytes]]:
        peers = Peers(self.folder / "peers.db")
        rows = peers._connection.execute("SELECT node, incarnation, seq, raw, hash FROM peers").fetchall()
        peers.close()
        return {(node, boot, seq): (raw, digest) for node, boot, seq, raw, digest in rows}


def campus(world: SyncWorld, entries: int) -> list[Gate]:
    """The office with its directory and another gate, everything sent."""
    gates = [world.gate(node, batch_entries=2_000) for node in ("south", "north")]
    publish(gates[0].folder / "directory.db", Content(school_year_start=2026), 7, 1_000)
    world.run(gates[0].directory.step())
    for gate in gates:
        gate.journal.write(entries)
        world.run(gate.drain())
    return gates


def written(*gates: Gate) -> dict[tuple[str, str, int], tuple[bytes, bytes]]:
    return {(gate.node, boot, seq): row for gate in gates for (boot, seq), row in gate.journal.everything().items()}


def new_gate(world: SyncWorld, node: str = "west") -> NewGate:
    return NewGate(world, node, world.folder / f"new-{node}").enrol()


def test_a_new_gate_pulls_the_directory_and_more_than_one_answer_of_entries(world: SyncWorld) -> None:
    gates, new = campus(world, protocol.MAX_RELAY_ENTRIES), new_gate(world)
    found = new.pull()
    assert new.peers() == written(*gates)
    assert snapshot_info(new.folder / "directory.db") == snapshot_info(gates[0].folder / "directory.db")
    each = protocol.MAX_RELAY_ENTRIES + 1
    assert (found.directory, found.new, found.problems, found.whole) == (7, 2 * each, [], True)
    assert found.gates == [GateHere(node=node, entries=each, waiting=0) for node in ("north", "south")]
    assert not (new.folder / "journal.db").exists(), "the controller's to write"
    again = new.pull()
    assert (again.new, again.gates) == (0, found.gates)


def test_cut_off_half_way_it_goes_on_where_it_was(world: SyncWorld) -> None:
    gates, new = campus(world, protocol.MAX_RELAY_ENTRIES), new_gate(world)
    new.link.faults = ["", "", "", "", "eat"]  # twice the directory, the status, one answer
    with pytest.raises(AnswerLost):
        new.pull()
    half = len(new.peers())
    assert 0 < half < len(written(*gates))
    assert new.pull().new == len(written(*gates)) - half
    assert new.peers() == written(*gates)


def test_what_a_dead_computer_of_that_name_had_sent_comes_back(world: SyncWorld) -> None:
    south, dead = campus(world, 5)
    new = in_the_place_of(world, dead)
    found = new.pull()
    assert {gate.node: gate.entries for gate in found.gates} == {"south": 6, "north": 6}
    assert new.peers() == written(south, dead)
    journal = GateJournal(new.folder, dead.node)  # it starts, and has a stream of its own now
    journal.write(2)
    journal.close()
    assert new.pull().new == 0


def in_the_place_of(world: SyncWorld, dead: Gate) -> NewGate:
    """With its key, as from a backup: who may take the name is another matter."""
    folder = dead.folder.with_name("spare")
    (folder / "keys").mkdir(parents=True)
    shutil.copy(dead.folder / "keys" / "node.key", folder / "keys" / "node.key")
    return NewGate(world, dead.node, folder).enrol()


def test_a_gate_that_has_its_own_records_gets_none_of_them(world: SyncWorld) -> None:
    south, north = campus(world, 5)
    place = NewGate(world, "north", north.folder)
    assert [gate.node for gate in place.pull().gates] == ["south"]
    assert place.peers() == written(south)


def test_a_server_without_a_directory_is_said_and_is_not_fine(world: SyncWorld) -> None:
    found = new_gate(world).pull()
    assert (found.directory, found.whole) == (0, False) and "没有名单" in text(found)


def test_what_another_gate_has_still_to_send_is_said(world: SyncWorld) -> None:
    campus(world, 3)
    assert "没送到" not in text(new_gate(world).pull())
    slow = world.gate("east", batch_entries=2)
    slow.journal.write(9)
    world.run(slow.up.step())
    found = new_gate(world, "far").pull()
    assert {gate.node: gate.waiting for gate in found.gates}["east"] == 8 and "8 条没送到" in text(found)


def test_a_damaged_stream_is_said_and_the_others_are_whole(world: SyncWorld) -> None:
    south, north = campus(world, 5)
    new, relay = new_gate(world), HttpTransport.relay

    async def bent(self: HttpTransport, *, have: list[tuple[str, str, int]]) -> protocol.Relay:
        answer = await relay(self, have=have)
        for segment in answer.segments:
            if segment.node == "south":
                del segment.entries[0]
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpTransport, "relay", bent)
        found = new.pull()
    assert found.problems and not found.whole and found.problems[0] in text(found)
    assert new.peers() == written(north)
    assert new.pull().whole and new.peers() == written(south, north)


def test_before_it_is_enrolled_there_is_nothing_to_pull(world: SyncWorld) -> None:
    with pytest.raises(NotEnrolled, match="enrol"):
        NewGate(world, "west", world.folder / "new").pull()


def test_the_command_says_in_one_sentence_what_is_in_the_way(tmp_path: Path) -> None:
    place = ("--server", "http://127.0.0.1:9", "--node", "west", "--state")
    for arguments, code, words in (
        (("pull", *place, str(tmp_path)), 1, "not enrolled"),
        (("pull", *place, str(tmp_path / "none")), 2, "enrol this gate first"),
        (("pull", "--server", "http://127.0.0.1:9", "--state", str(tmp_path)), 2, "which gate"),
    ):
        done = run_command(*arguments)
        assert (done.returncode, done.stdout) == (code, "") and words in done.stderr and len(done.stderr.splitlines()) == 1
