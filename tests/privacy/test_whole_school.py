"""Done-when 8, whole: a pupil who left is erased at the office's running gate, and nothing of the name is left anywhere.

Two gates as processes, their agents, the school server, copies of both gates. Every byte of every file is looked through, in
UTF-8, UTF-16 and GB18030, for names, pinyin, 学号, cards and telephone of the child and of the mother whom no other child needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.backup import back_up, check, copies
from kiosk.core import commands as c
from kiosk.core.decisions import Outcome
from kiosk.directory import load, snapshot_info
from kiosk.journal import entries_of_kinds, verify
from kiosk.settings import shared_data_dir
from kiosk.snapshots import SnapshotStore
from tests.privacy.leaving_child import CHILD, GONE, MOTHER, NAME, SCHOOL_NUMBER, SHARED, found_in, put_people, put_pictures
from tests.support.gate_folder import GateFolder
from tests.support.people import MADE_AT_MS
from tests.support.running_gate import RunningGate, VirtualDay
from tests.support.school import School
from tests.support.sync_processes import OFFICE, Campus, wait_until

NODES = (OFFICE, "east")


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    found = Campus(tmp_path)
    yield found
    found.close()


def a_day(state: Path, node: str) -> None:
    """What each gate wrote of the child before: facts, words, pictures, and a copy of all of it."""
    put_people(state)
    put_pictures(state)
    school = School(state, directory=load(state / "directory.db"), node=node)
    for n in range(12):
        told = school.ask(c.ExcuseAbsence(child=CHILD, kind="leave_sick", by=105, note=f"{n} {NAME} 在{node}请假 " * 20))
        assert told.decision.outcome is Outcome.GRANTED
    school.ask(c.ExcuseAbsence(child=4, kind="leave_sick", by=105, note=f"和{NAME}一起"))
    school.ask(c.ExcuseAbsence(child=4, kind="leave_sick", by=105, note="韩梅头疼"))
    school.close()


def site_of(gate: RunningGate, server: str, *, office: bool) -> None:
    text = gate.site.read_text(encoding="utf-8")
    node = "[node]\n" + ("office = true\n" if office else "")
    gate.site.write_text(text.replace("[node]\n", node) + f'\n[sync]\nserver = "{server}"\n', encoding="utf-8")


def test_deleting_a_pupil_leaves_nothing_of_the_name_at_gates_server_or_copies(
    campus: Campus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, day = campus.server(), VirtualDay("2026-11-23T19:00:00+08:00")
    gates: dict[str, RunningGate] = {}
    for node in NODES:
        state = tmp_path / node / "state"
        a_day(state, node)
        back_up(state, tmp_path / f"copies-{node}", now_ms=MADE_AT_MS + 20_000_000)
        gate = gates[node] = RunningGate(tmp_path / node, day=day, node=node)
        site_of(gate, server.url, office=node == OFFICE)
        campus.later(gate.close)
    folders = [tmp_path / "server", *(gates[node].state for node in NODES), *(tmp_path / f"copies-{node}" for node in NODES)]
    everything = {node: GateFolder(gates[node].state, node) for node in NODES}
    for node in NODES:
        gates[node].start()
        campus.agent(everything[node], server.url)
    for gate in gates.values():
        gate.ready()
    wait_until(lambda: any(word == NAME for place, word in found_in(folders[0])), "the server has the list")
    assert {word for _, word in found_in(*folders)} == set(GONE)

    office = gates[OFFICE]
    where = ("--config", str(shared_data_dir("sample_school")), "--state", str(office.state))
    assert main(["erase", SCHOOL_NUMBER, "--by", "O1", *where, "--json"]) == 0  # beside the running gate: it is asked
    assert json.loads(capsys.readouterr().out)["persons"] == [CHILD]
    for node in NODES:  # the nightly copy goes over the older ones too
        wait_until(lambda node=node: receipts(gates[node].state) >= {CHILD, MOTHER}, f"the receipts of {node}")
        assert main(["backup", "--state", str(gates[node].state), "--to", str(tmp_path / f"copies-{node}")]) == 0
    wait_until(lambda: found_in(*folders) == [], "nothing of the name is left")

    for node in NODES:
        state = gates[node].state
        assert verify(state / "journal.db").ok
        assert SnapshotStore(state).people_with_photos() == {SHARED}
        assert CHILD not in load(state / "directory.db").pupils
        for copy in copies(tmp_path / f"copies-{node}"):
            check(copy)
        wait_until(lambda node=node: server.has(everything[node]), f"the server has all of {node}")
    assert len({snapshot_info(gates[node].state / "directory.db").sha256 for node in NODES}) == 1


def receipts(state: Path) -> set[int]:
    found = entries_of_kinds(state, frozenset({"erasure_done"}))
    assert all(entry.body["left"] == [] for entry in found), [entry.body for entry in found]
    return {person for entry in found for person in entry.body["persons"]}
