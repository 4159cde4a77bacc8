"""Real processes, real HTTP, real kills: entries arrive exactly once and in order through all of it."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from kiosk.directory import Content, publish, snapshot_info
from tests.support.chaos_proxy import ChaosProxy
from tests.support.journals import GateJournal
from tests.support.sync_processes import Campus, Process, RespawnedServer, run_command, wait_until


def test_the_arrival_rush_with_the_link_cut_is_there_once_in_order_when_it_is_back(campus: Campus) -> None:
    server = campus.server()
    proxy = ChaosProxy(server.port)
    campus.later(proxy.close)
    gate = campus.gate("south")
    agent = campus.agent(gate, proxy.url)
    wait_until(lambda: server.has(gate), "the first entry is there")
    proxy.cut()
    for _ in range(40):
        gate.write(30)
    wait_until(lambda: agent.bar().get("waiting") == 1_200, "the bar says how many are waiting")
    wait_until(lambda: any(p["part"] == "up" for p in agent.bar()["problems"]), "and why")
    proxy.heal()
    wait_until(lambda: server.has(gate), "all are there")
    wait_until(lambda: agent.bar()["waiting"] == 0 and not agent.bar()["problems"], "the bar says so")


def test_answers_eaten_after_the_commit_double_nothing(campus: Campus) -> None:
    server = campus.server()
    proxy = ChaosProxy(server.port)
    campus.later(proxy.close)
    gate = campus.gate("south")
    gate.write(300)
    proxy.eat_answers(6)
    campus.agent(gate, proxy.url, "--batch", "40")
    wait_until(lambda: proxy.eaten == 6, "six answers are eaten")
    proxy.delay(0.02)
    gate.write(50)
    wait_until(lambda: server.has(gate), "all are there once")


def test_a_server_killed_again_and_again_while_entries_come_keeps_each_once(campus: Campus) -> None:
    server = campus.server()
    gate = campus.gate("south")
    agent = campus.agent(gate, server.url, "--batch", "20")
    chance = random.Random(20)
    for _ in range(4):
        for _ in range(10):
            gate.write(15)
            time.sleep(chance.uniform(0, 0.02))
        server.kill()
        gate.write(20)
        server.start()
    wait_until(lambda: server.has(gate), "all are there once")
    assert server.status()["quarantined"] == server.status()["forks"] == 0
    assert agent.process.popen.poll() is None


def test_an_agent_killed_again_and_again_sends_nothing_twice_and_forgets_nothing(campus: Campus) -> None:
    server = campus.server()
    south, north = campus.gate("south"), campus.gate("north")
    campus.agent(north, server.url)
    agent = campus.agent(south, server.url, "--batch", "10")
    for _ in range(3):
        south.write(200)
        time.sleep(0.6)
        agent.process.kill()
        agent.start()
    south.boot()
    north.write(30)
    wait_until(lambda: server.has(south) and server.has(north), "all are there once")
    expected = {(north.node, boot, seq, row[1].hex()) for (boot, seq), row in north.everything().items()}
    wait_until(lambda: agent.peers() == expected, "and the other gate's are here")


def test_a_server_put_back_to_yesterdays_copy_gets_everything_again(campus: Campus) -> None:
    server = campus.server()
    gate = campus.gate("south")
    gate.write(50)
    agent = campus.agent(gate, server.url)
    wait_until(lambda: server.has(gate), "all are there")
    copy = campus.folder / "yesterday"
    assert server.process.stop() == 0
    shutil.copytree(server.folder, copy)
    server.start()
    gate.write(50)
    wait_until(lambda: server.has(gate), "the new ones are there")
    server.kill()
    shutil.rmtree(server.folder)
    shutil.copytree(copy, server.folder)
    with sqlite3.connect(server.folder / "server.db") as db:
        assert db.execute("SELECT count(*) FROM entries").fetchone()[0] == 51
    db.close()
    server.start()
    wait_until(lambda: server.has(gate), "they are there again, with no new entry having been written")
    assert agent.process.popen.poll() is None


def test_a_batch_that_kills_the_server_process_is_bisected_down_to_one_entry(campus: Campus) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gate = campus.gate("south")
    gate.write(10)
    gate.write(1, note="POISON")
    gate.write(4)
    server = RespawnedServer(campus.folder / "server", port=port, word="POISON")
    campus.later(server.close)
    agent = campus.agent(gate, f"http://127.0.0.1:{port}", "--batch", "4")
    wait_until(lambda: agent.bar().get("waiting") == 0, "everything is taken in the end")
    with sqlite3.connect(campus.folder / "server" / "server.db") as db:
        rows = db.execute("SELECT seq, quarantined FROM entries ORDER BY seq").fetchall()
    db.close()
    assert [seq for seq, _ in rows] == list(range(1, 17))
    assert [seq for seq, reason in rows if reason] == [12]
    assert "unread" in rows[11][1]


def test_a_hanging_server_stops_nobody_and_a_stopped_agent_leaves_at_once(campus: Campus) -> None:
    server = campus.server()
    gate = campus.gate("south")
    agent = campus.agent(gate, server.url)
    wait_until(lambda: server.has(gate), "the first entry is there")
    server.process.pause()
    gate.write(10)
    wait_until(lambda: agent.bar().get("waiting") == 10, "the bar goes on counting")
    assert agent.process.stop() == 0
    server.process.go_on()


def test_the_directory_goes_from_the_office_to_the_gates(campus: Campus) -> None:
    server = campus.server()
    office, north = campus.gate("south"), campus.gate("north")
    publish(office.folder / "directory.db", Content(school_year_start=2026), 1, 1_000)
    campus.agent(office, server.url)
    agent = campus.agent(north, server.url)
    wait_until((north.folder / "directory.db").exists, "the directory is at the other gate")
    publish(office.folder / "directory.db", Content(school_year_start=2027), 2, 2_000)
    wait_until(lambda: snapshot_info(north.folder / "directory.db").number == 2, "the newer one as well")
    wait_until(lambda: agent.bar()["directory"]["state"] == "current", "and it is known to be current")
    assert (north.folder / "directory.db").read_bytes() == (office.folder / "directory.db").read_bytes()


def test_a_new_gate_has_directory_and_peers_before_its_controller_ever_ran(campus: Campus) -> None:
    server = campus.server()
    south = campus.gate("south")
    publish(south.folder / "directory.db", Content(school_year_start=2026), 1, 1_000)
    south.write(3)
    campus.agent(south, server.url)
    wait_until(lambda: server.has(south), "the school has a day already")
    empty = campus.folder / "east"
    empty.mkdir()
    new = NoJournal(empty)
    agent = campus.agent(new, server.url, "--node", "east")
    expected = {("south", boot, seq, row[1].hex()) for (boot, seq), row in south.everything().items()}
    wait_until(lambda: agent.peers() == expected, "the peers' entries are here")
    wait_until((empty / "directory.db").exists, "and the directory")


class NoJournal(GateJournal):
    """A state folder that no controller has written into."""

    def __init__(self, folder: object) -> None:
        self.folder, self.node = folder, "east"  # type: ignore[assignment]


def test_the_command_line_says_what_is_waiting_and_the_keys_are_private(campus: Campus) -> None:
    server = campus.server()
    gate = campus.gate("south")
    gate.write(4)
    alone = run_command("status", "--state", str(gate.folder), "--json")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert json.loads(alone.stdout) == {
        "streams": [{"node": "south", "incarnation": gate.incarnation, "last_seq": 5, "durable_through": 0}],
        "waiting": 5,
        "quarantined": 0,
        "last_contact": None,
        "problems": [],
    }
    agent = campus.agent(gate, server.url)
    wait_until(lambda: agent.bar().get("waiting") == 0, "all are sent")
    assert agent.process.stop() == 0
    found = json.loads(run_command("status", "--state", str(gate.folder), "--json").stdout)
    assert (found["waiting"], found["streams"][0]["durable_through"]) == (0, 5)
    assert found["last_contact"].endswith("Z")
    assert "待上传" in run_command("status", "--state", str(gate.folder)).stdout
    for key in ("node.key", "server.pub"):
        assert stat.S_IMODE((gate.folder / "keys" / key).stat().st_mode) == 0o600


def test_a_quarantined_entry_is_counted_at_the_gate_and_makes_status_not_fine(campus: Campus) -> None:
    server = campus.server()
    gate = campus.gate("south")
    gate.write(4)
    gate.spoil(3, b"{}")
    agent = campus.agent(gate, server.url)
    wait_until(lambda: agent.bar().get("quarantined") == 1, "the gate knows")
    answer = run_command("status", "--state", str(gate.folder), "--json")
    assert (answer.returncode, json.loads(answer.stdout)["quarantined"]) == (1, 1)
    assert server.has(gate)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "usage"),
        (["fly"], 2, "invalid choice"),
        (["status", "--state", "nowhere"], 1, "not there yet"),
        (["run", "--state", "nowhere", "--server", "http://127.0.0.1:1"], 2, "not a folder"),
        (["run", "--state", ".", "--server", "ftp://x"], 2, "address"),
        (["run", "--state", ".", "--server", "http://x", "--node", "a b"], 2, "name"),
        (["run", "--state", ".", "--server", "http://x", "--batch", "0"], 2, "must be from 1"),
        (["run", "--state", ".", "--config", "nowhere"], 2, "nowhere cannot be used"),
        (["serve", "--state", "/dev/null/x"], 2, "cannot be opened"),
    ],
)
def test_wrong_use_is_one_sentence_and_an_exit_code(arguments: list[str], code: int, words: str) -> None:
    answer = run_command(*arguments)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_in_use_is_one_sentence(campus: Campus) -> None:
    server = campus.server()
    answer = run_command("serve", "--state", str(campus.folder / "other"), "--port", str(server.port))
    assert (answer.returncode, "another server" in answer.stderr, "Traceback" in answer.stderr) == (2, True, False)


def test_two_agents_or_two_servers_in_one_folder_are_refused(campus: Campus) -> None:
    server = campus.server()
    gate = campus.gate("south")
    agent = campus.agent(gate, server.url)
    wait_until(agent.bar, "the agent is up")
    for answer in (
        run_command("run", "--state", str(gate.folder), "--server", server.url),
        run_command("serve", "--state", str(server.folder), "--port", "0"),
    ):
        assert (answer.returncode, "another sync-agent" in answer.stderr) == (2, True)


def test_a_server_told_to_stop_the_moment_it_says_its_address_stops(tmp_path: Path) -> None:
    for n in range(3):
        arguments = ["serve", "--state", str(tmp_path), "--port", "0", "--code", "c"]
        server = Process(arguments, tmp_path / f"log{n}.txt")
        assert server.popen.stdout is not None and server.popen.stdout.readline().startswith(b"http://")
        assert server.stop() == 0


def test_a_stopped_server_takes_its_address_away_and_leaves_a_whole_store(campus: Campus) -> None:
    server = campus.server()
    address = json.loads((server.folder / "server.json").read_bytes())
    assert (address["url"], address["pid"]) == (server.url, server.process.popen.pid)
    assert server.process.stop() == 0
    assert not (server.folder / "server.json").exists()
    with sqlite3.connect(server.folder / "server.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    assert stat.S_IMODE(os.stat(server.folder / "keys" / "server.key").st_mode) == 0o600
