"""What earlier versions left on disks and sent is read by this one: opened, migrated, verified, sent to a present server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kiosk.journal import Journal, verify
from sync_agent.agent_state import AgentState
from sync_agent.peers import Peers
from sync_agent.school_server.sqlite_store import SqliteStore
from tests.support.release_fixture import FOLDER, GATE_FILES
from tests.support.sync_requests import post
from tests.support.sync_world import SCHOOL, Gate, SyncWorld

RELEASES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy: what is kept stays as that version wrote it."""
    return Path(shutil.copytree(FOLDER / request.param, tmp_path / "release"))


def expected(release: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((release / "expected.json").read_text("utf-8"))
    return told


def test_the_journal_verifies_as_it_is_and_migrated_and_is_written_on(release: Path) -> None:
    before = verify(release / "journal.db")
    assert (before.ok, before.entries, before.incarnations) == (True, expected(release)["entries"], 2)
    journal = Journal(release, node="south", incarnation="of-today")
    assert len(journal.streams()) == 2 and journal.boot == 3
    journal.close()
    assert verify(release / "journal.db") == before


def test_the_agents_files_keep_cursors_and_other_gates_entries(release: Path) -> None:
    state, peers = AgentState(release / "agent.db"), Peers(release / "peers.db")
    told = expected(release)
    assert sum(state.cursors().values()) == told["entries"] - told["unsent"]
    assert sum(seq for _, _, seq in peers.have()) == told["peers"]
    state.close()
    peers.close()


def test_a_server_of_today_opens_the_store_and_takes_the_rest_from_a_gate_of_then(world: SyncWorld, release: Path) -> None:
    told = expected(release)
    world.server.stop()
    shutil.copy(release / "server.db", world.server.folder / "server.db")
    world.server.start()
    assert world.server.store.totals(school=SCHOOL).entries == told["stored"]
    answer = post(world, (release / "batch.json").read_bytes())
    assert [one["verdict"] for one in answer.json()["verdicts"]] == ["stored"] * told["unsent"]
    assert world.server.store.totals(school=SCHOOL).entries == told["stored"] + told["unsent"]


def test_an_agent_of_today_sends_the_whole_journal_to_an_empty_server(world: SyncWorld, release: Path) -> None:
    folder = release.parent / "gate"
    folder.mkdir()
    for name in GATE_FILES:
        shutil.copy(release / name, folder / name)
    shutil.copytree(release / "keys", folder / "keys")
    (folder / "keys" / "server.pub").unlink(missing_ok=True)
    gate = Gate(folder, "south", world.server)  # the controller of today starts: one more incarnation
    world.run(gate.enrol())
    world.run(gate.drain())
    assert world.server.everything("south") == gate.journal.everything()
    world.run(gate.transport.close())
    gate.close()


def test_a_store_of_then_is_migrated_once(release: Path) -> None:
    for _ in range(2):
        store = SqliteStore(release)
        assert store.refused_events(school=SCHOOL, most=9) == [] and store.totals(school=SCHOOL).quarantined == 0
        store.close()
