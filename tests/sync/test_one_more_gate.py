"""A fourth gate joins a running campus by the manual, and a dead one is replaced by it: the commands are read out of it.

Three gates, their agents and the school server run as they ship, the gates started by their unit files. Children come meanwhile.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.directory import snapshot_info
from kiosk.settings import Settings, load
from tests.support import fault_school as school
from tests.support.gate_folder import GateFolder
from tests.support.running_gate import VirtualDay, press, tap, wait_until
from tests.support.school_computers import SCHOOL, Computer, manual_commands
from tests.support.sync_processes import CODE, ServerProcess

HEADING = "One more gate, in ten commands"
NEW, OFFICE, DEAD = "gate-west", "south", "north"
DOORS = {"east": "east-in-1", "south": "south-in-1", "north": "south-in-2", NEW: "south-in-3"}
LOST_CARD, RELEASED, FIRST = 40, 3, 200
SHUT_OUT = "服务器不再接收本机的记录"
NEW_CODE = re.compile(r"^[A-Z2-9]{4}(-[A-Z2-9]{4}){2}$")


class RunningCampus:
    """Three gates at work. `somebody_comes` is one more child at the east gate, who was nowhere before."""

    def __init__(self, folder: Path) -> None:
        self.day, self.stick = VirtualDay("2026-11-23T17:34:00+08:00"), folder / "stick"
        self.stick.mkdir()
        self.folder, self._next = folder, count(100)
        self.server = ServerProcess(folder / "server/var/lib/campus-school", more=["--school", SCHOOL])
        self.gates: dict[str, Computer] = {}
        try:
            for node in (OFFICE, "east", DEAD):
                self.gates[node] = computer = self.computer(node)
                computer.settle(self.server.url, like=None if node == OFFICE else self.gates[OFFICE])
                computer.do("sh systemd/install.sh")
                computer.enable(["kiosk", "sync-agent"], SYNC_AGENT_CODE=CODE)
            self.settings: Settings = load(self.gates[OFFICE].config)
            self._a_day_begins()
        except BaseException:
            self.close()
            raise

    def computer(self, node: str, place: str = "") -> Computer:
        return Computer(self.folder / (place or node), stick=self.stick, node=node, day=self.day)

    def _a_day_begins(self) -> None:
        children = iter(range(1, 100))
        for node, computer in self.gates.items():
            with computer.running().reader() as reader:
                for _ in range(6):
                    child = next(children)
                    assert tap(reader, child, DOORS[node])["outcome"] == "granted"
                    if child % 2 == 0:
                        tap(reader, child, school.room_of(child))
        with self.gates[OFFICE].running().signed_in("O001") as office:
            assert press(office, "card_lost", uid=school.uid_of(LOST_CARD))["outcome"] == "granted"
        wait_until(lambda: self.same_everywhere(18), "three gates know the same eighteen children")
        with self.gates["east"].running().signed_in("G001") as guard:
            wanted = {"children": [RELEASED], "collector": school.guardian_of(RELEASED), "access_point": "east-desk"}

            def released() -> bool:
                """One may, as soon as the gate has compared its records with the server: until then it has no right."""
                answer = press(guard, "release", verified=["photo"], **wanted)
                assert answer["outcome"] == "granted" or answer["reason"] == "right_unproven", answer
                return bool(answer["outcome"] == "granted")

            wait_until(released, "the gate knows that the right is its own")

    def somebody_comes(self) -> int:
        child = next(self._next)
        with self.gates["east"].running().reader() as reader:
            assert tap(reader, child, DOORS["east"])["outcome"] == "granted"
        return child

    def same_everywhere(self, at_least: int, *more: Computer) -> bool:
        first, *others = [computer.knows(self.settings) for computer in (*self.gates.values(), *more)]
        return len(first["children"]) >= at_least and all(other == first for other in others)

    def by_the_manual(self, computer: Computer, *, replace: bool) -> None:
        """Every command under the heading, on the computer that it is for; a child comes before each of them."""
        code, computers = "", {"at the school server": self.at_server(), "at a gate that works": self.gates[OFFICE]}
        for where, line in manual_commands(HEADING):
            self.somebody_comes()
            line = line.replace(NEW, computer.node) + (" --replace" if replace and not code else "")
            said = computers.get(where, computer).do(re.sub(r"(?<=--code )\S+", code, line))
            code = code or said.strip()
            assert NEW_CODE.match(code)

    def at_server(self) -> Computer:
        """Somebody sits down at the school server, which runs."""
        shutil.rmtree(self.folder / "server/opt", ignore_errors=True)
        shutil.rmtree(self.folder / "server/person", ignore_errors=True)
        return self.computer("server")

    def close(self) -> None:
        for computer in self.gates.values():
            computer.close()
        self.server.close()


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCampus]:
    one = RunningCampus(tmp_path_factory.mktemp("campus"))
    yield one
    one.close()


def wait_for_the_same_page(campus: RunningCampus, new: Computer) -> set[str]:
    """The list of who is here, as the running gates themselves show it to a duty leader; its names."""
    with campus.gates["east"].running().signed_in("D001") as there, new.running().signed_in("D001") as here:
        found = wait_until(lambda: _names(there) & _names(here) == _names(there) | _names(here) and _names(here), "one list")
    return set(found)


def _names(leader: httpx.Client) -> set[str]:
    return set(re.findall(r"学生\d+", leader.get("/muster").text))


def first_tap(campus: RunningCampus, computer: Computer, child: int) -> dict[str, Any]:
    with computer.running().reader() as reader:
        answer = tap(reader, child, DOORS[computer.node])
    assert answer["outcome"] == "granted", answer
    entry: dict[str, Any] = answer["entry"]
    wait_until(lambda: any(_is(one, entry) for one in campus.server.entries()), "the server has the tap")
    for other in campus.gates.values():
        with other.running().signed_in("D001") as leader:
            wait_until(lambda leader=leader: f"学生{child}" in _names(leader), f"{other.node} shows the child")
    return entry


def _is(one: dict[str, Any], entry: dict[str, Any]) -> bool:
    return (one["node"], one["incarnation"], one["seq"]) == (entry["node"], entry["incarnation"], entry["seq"])


def test_the_manual_needs_at_most_ten_commands_and_the_install_script_makes_a_whole_gate(tmp_path: Path) -> None:
    assert 0 < len(manual_commands(HEADING)) <= 10
    computer = Computer(tmp_path / "new", stick=tmp_path, node=NEW, day=VirtualDay("2026-11-23T17:34:00+08:00"))
    for _ in range(2):  # again is fine
        computer.do("sh systemd/install.sh")
    assert load(computer.config).site.node == "gate-main", "settings to begin with"
    for program in ("kiosk", "sync-agent"):
        assert (computer.root / "usr/local/bin" / program).readlink() == Path("/opt/campus-kiosk/.venv/bin", program)
    assert {path.name for path in (computer.root / "etc/systemd/system").iterdir()} >= {"kiosk.service", "kiosk-backup.timer"}
    assert (computer.state / "keys").stat().st_mode & 0o077 == 0


def test_a_fourth_gate_joins_by_the_manual_and_has_the_whole_state(campus: RunningCampus) -> None:
    new = campus.computer(NEW)
    try:
        campus.by_the_manual(new, replace=False)
        wait_until(lambda: campus.same_everywhere(18, new), "the new gate tells the same of every child as the others")
        children = new.knows(campus.settings)["children"]
        assert len({row["custodian"] for row in children}) > 1, "not everybody is in the same hands"
        digests = {snapshot_info(one.state / "directory.db").sha256 for one in (new, *campus.gates.values())}
        assert len(digests) == 1
        everybody = wait_for_the_same_page(campus, new)
        assert len(everybody) > 18 and f"学生{RELEASED}" not in everybody
        with new.running().reader() as reader:
            assert tap(reader, LOST_CARD, DOORS[NEW])["reason"] == "card_lost"
        entry = first_tap(campus, new, FIRST)
        assert entry["node"] == NEW
    finally:
        new.close()


def test_a_revoked_gate_keeps_recording_tells_the_duty_leader_and_sends_everything_once_it_is_let_in(
    campus: RunningCampus,
) -> None:
    east, server = campus.gates["east"], campus.at_server()
    place = f"--state /var/lib/campus-school --school {SCHOOL}"
    server.do(f"sync-agent revoke east {place} --why stolen")
    child = campus.somebody_comes()
    with east.running().signed_in("D001") as leader:
        wait_until(lambda: SHUT_OUT in leader.get("/duty").text, "the duty page says so")
        assert f"学生{child}" in _names(leader), "it records as before"
        east.stop_agent()
        code = server.do(f"sync-agent code east {place}").strip()
        east.do(f"sync-agent enrol --config /etc/campus-kiosk --state /var/lib/campus-kiosk --code {code}")
        east.enable(["sync-agent"])
        wait_until(lambda: campus.server.has(GateFolder(east.state, "east")), "what waited is stored")
        wait_until(lambda: SHUT_OUT not in leader.get("/duty").text, "the case has ended by itself")


def test_a_dead_gate_is_replaced_by_the_same_commands_and_has_what_it_had_sent(campus: RunningCampus) -> None:
    dead = campus.gates.pop(DEAD)
    wait_until(lambda: campus.server.has(GateFolder(dead.state, DEAD)), "it had sent everything")
    dead.close()
    new = campus.computer(DEAD, "spare")
    try:
        campus.by_the_manual(new, replace=True)
        wait_until(lambda: campus.same_everywhere(18, new), "it tells the same of every child as the others")
        wait_for_the_same_page(campus, new)
        first_tap(campus, new, FIRST + 1)
        nodes = {one["node"]: one for one in campus.server.status()["nodes"]}
        assert nodes[DEAD]["revoked_ms"] is None
    finally:
        new.close()
