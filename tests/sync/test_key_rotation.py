"""A gate changes its key, and is killed before every single step of it: it always has a key that the server takes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sync_agent.errors import AnswerLost, ServerUnreachable
from sync_agent.node_keys import BEFORE_FILE, NEXT_FILE, NodeKeys
from sync_agent.rotating import change, settled
from tests.support.journals import GateJournal
from tests.support.sync_processes import HURRY, Process, ServerProcess, run_command, wait_until
from tests.support.sync_world import SCHOOL, Gate, SyncWorld

STEPS = frozenset({"open", "os.link", "os.rename", "os.remove"})


class Killed(BaseException):
    """From here on the process does nothing more."""


@dataclass
class Doom:
    """Before which step inside the folder the process dies; 0: none. An audit hook cannot be taken away, only be quiet."""

    folder: str = "/nowhere"
    at: int = 0
    steps: int = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.at or event not in STEPS or not str(arguments[0]).startswith(self.folder):
            return
        self.steps += 1
        if self.steps >= self.at:
            raise Killed


DOOM = Doom()
sys.addaudithook(DOOM)


@contextmanager
def killed_before(folder: Path, step: int) -> Iterator[None]:
    DOOM.folder, DOOM.at, DOOM.steps = str(folder), step, 0
    try:
        yield
    finally:
        DOOM.at = 0


def rotate(world: SyncWorld, gate: Gate) -> str:
    keys = NodeKeys(gate.folder / "keys")
    world.run(change(gate.transport, keys, school=SCHOOL, node=gate.node))
    return keys.present.public_hex


def start_again(world: SyncWorld, gate: Gate) -> str:
    """As the agent starts: an unfinished change first, then everything is sent with the key that it has."""
    keys = NodeKeys(gate.folder / "keys")
    key = world.run(settled(gate.transport, keys, school=SCHOOL, node=gate.node, stop=asyncio.Event(), retry_s=0.01))
    world.run(gate.transport.close())
    gate.restart_agent()
    assert gate.key().public_hex == key.public_hex
    gate.journal.write(2)
    world.run(gate.drain())
    assert world.server.everything(gate.node) == gate.journal.everything()
    return key.public_hex


def present(world: SyncWorld, gate: Gate) -> str:
    found = world.server.store.node(school=SCHOOL, node=gate.node)
    assert found is not None
    return str(found.public_key)


def test_a_key_is_changed_and_the_old_one_is_kept_and_good_no_more(world: SyncWorld) -> None:
    gate = world.gate("south")
    world.run(gate.drain())
    before = gate.key()
    after = rotate(world, gate)
    assert after != before.public_hex and present(world, gate) == after == start_again(world, gate)
    assert (gate.folder / "keys" / BEFORE_FILE).read_text().strip() and not (gate.folder / "keys" / NEXT_FILE).exists()
    rows = world.server.store.identities.keys(school=SCHOOL, node="south")
    assert [(row.number, row.public_key, row.ended) for row in rows] == [(1, before.public_hex, "rotated"), (2, after, "")]


def test_killed_before_any_step_it_always_has_a_key_that_the_server_takes(world: SyncWorld) -> None:
    gate, step, killed = world.gate("south"), 0, 0
    world.run(gate.drain())
    while killed == step:
        step += 1
        before = present(world, gate)
        with killed_before(gate.folder / "keys", step):
            try:
                rotate(world, gate)
            except Killed:
                killed += 1
        if step % 2:  # the agent is started, or somebody gives the command once more
            start_again(world, gate)
        else:
            rotate(world, gate)
            assert present(world, gate) != before
            start_again(world, gate)
        assert present(world, gate) == gate.key().public_hex
    assert killed > 8, "reading, making and moving keys are more steps than that"


@pytest.mark.parametrize(("fault", "error"), [("cut", ServerUnreachable), ("eat", AnswerLost)])
def test_a_lost_question_and_a_lost_answer_leave_one_change_behind(world: SyncWorld, fault: str, error: type[Exception]) -> None:
    gate = world.gate("south")
    gate.link.faults = [fault]
    with pytest.raises(error):
        rotate(world, gate)
    begun = (gate.folder / "keys" / NEXT_FILE).read_text()
    gate.link.faults = [fault]  # and once more, when the agent starts: it goes on asking
    start_again(world, gate)
    assert (gate.folder / "keys" / "node.key").read_text() == begun
    assert len(world.server.store.identities.keys(school=SCHOOL, node="south")) == 2


def test_a_change_that_is_refused_leaves_the_present_key(world: SyncWorld) -> None:
    gate = world.gate("south")
    world.server.store.identities.revoke(school=SCHOOL, node="south", why="stolen", at_ms=1)
    keys = NodeKeys(gate.folder / "keys")
    before = keys.present
    keys.prepare_next()
    assert world.run(settled(gate.transport, keys, school=SCHOOL, node="south", stop=asyncio.Event())) == before


def test_by_the_command_while_the_gate_has_something_to_send(tmp_path: Path) -> None:
    server, gate = ServerProcess(tmp_path / "server"), GateJournal(tmp_path / "south", "south")
    place = ["--state", str(gate.folder), "--server", server.url, "--node", "south"]
    refused = run_command("rotate-key", *place)
    assert refused.returncode == 2 and "no key" in refused.stderr
    assert run_command("enrol", *place, "--code", "7-otters-2").returncode == 0
    done = run_command("rotate-key", *place)
    assert (done.returncode, done.stdout) == (0, "south 已换密钥 has key number 2\n"), done.stderr
    gate.write(3)
    agent = Process(["run", *place, *HURRY], tmp_path / "agent.log")
    try:
        wait_until(lambda: server.has(gate), "everything is stored, signed with the new key")
        assert run_command("rotate-key", *place).returncode == 2  # the agent is at work there
    finally:
        agent.end()
        server.close()
        gate.close()
