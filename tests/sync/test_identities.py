"""Codes, keys and revocations: over both stores, over HTTP, and by the commands as they ship."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.core.entries import GENESIS
from kiosk.core.heads import head_text
from sync_agent import protocol
from sync_agent.durable_sqlite import Schema, open_durable
from sync_agent.errors import ServerRefused
from sync_agent.keys import SigningKey, signing_key
from sync_agent.protocol import Sealed
from sync_agent.school_server import sqlite_store
from sync_agent.school_server.announced import sound
from sync_agent.school_server.enrolling import CODE_LETTERS, TRIES_ALLOWED, new_code
from sync_agent.school_server.identities import REPLACED, ROTATED, KeyRow
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.store import Node, Store
from sync_agent.up_sync import signed_batch
from tests.support.journals import GateJournal
from tests.support.keeping import BOOT, NODE, SCHOOL, Keep, Writing, put
from tests.support.sync_processes import HURRY, Process, ServerProcess, run_command, wait_until
from tests.support.sync_requests import post, sentence
from tests.support.sync_world import Gate, SyncWorld

OLD, NEW = signing_key(b"o" * 32), signing_key(b"n" * 32)


# --- the stores ----------------------------------------------------------------------------------------------


def test_a_code_is_used_once_and_gives_the_name_its_key(keep: Keep) -> None:
    store = keep.open()
    shown, kept = new_code(school=SCHOOL, node=NODE, now_ms=5, hours=1, replaces=False)
    assert set(shown) <= {*CODE_LETTERS, "-"} and shown.encode() not in kept.digest
    store.identities.keep_code(kept)
    assert store.identities.code(school=SCHOOL, node=NODE) == kept == store.identities.codes(school=SCHOOL)[0]
    assert store.identities.count_wrong_try(school=SCHOOL, node=NODE) == 1
    assert store.identities.count_wrong_try(school=SCHOOL, node="other") == 0
    assert store.identities.admit(school=SCHOOL, node=NODE, public_key=OLD.public_hex, at_ms=6)
    assert not keep.open().identities.admit(school=SCHOOL, node=NODE, public_key=NEW.public_hex, at_ms=7)
    assert store.node(school=SCHOOL, node=NODE) == Node(school=SCHOOL, node=NODE, public_key=OLD.public_hex, enrolled_ms=6)
    used = store.identities.code(school=SCHOOL, node=NODE)
    assert used is not None and (used.used_ms, used.used_key) == (6, OLD.public_hex)


def test_every_key_of_a_node_is_kept_with_where_it_begins(keep: Keep) -> None:
    store, rows = keep.open(), Writing().rows(7)
    store.add_node(Node(school=SCHOOL, node=NODE, public_key=OLD.public_hex, enrolled_ms=1))
    put(store, rows[:4])
    assert not store.identities.change_key(school=SCHOOL, node=NODE, old=NEW.public_hex, new="aa" * 32, at_ms=2)
    assert store.identities.change_key(school=SCHOOL, node=NODE, old=OLD.public_hex, new=NEW.public_hex, at_ms=3)
    assert not store.identities.change_key(school=SCHOOL, node=NODE, old=NEW.public_hex, new=OLD.public_hex, at_ms=4)
    put(store, rows[4:])
    store.identities.keep_code(new_code(school=SCHOOL, node=NODE, now_ms=5, hours=1, replaces=True)[1])
    assert store.identities.admit(school=SCHOOL, node=NODE, public_key="cc" * 32, at_ms=9)
    keys = keep.open().identities.keys(school=SCHOOL, node=NODE)
    assert [(key.number, key.ended, key.since_ms, key.until_ms, dict(key.starts)) for key in keys] == [
        (1, ROTATED, 1, 3, {}),
        (2, REPLACED, 3, 9, {BOOT: 4}),
        (3, "", 9, None, {BOOT: 7}),
    ]
    assert [speaks_for(keys, seq) for seq in (1, 4, 5, 7, 8)] == [1, 1, 2, 2, 3]


def speaks_for(keys: list[KeyRow], seq: int) -> int:
    """Which key an auditor goes by: the newest that had begun before that entry."""
    return [key.number for key in keys if key.number == 1 or key.starts.get(BOOT, 0) < seq][-1]


def test_a_revoked_node_stays_revoked_until_a_code_lets_it_in(keep: Keep) -> None:
    store = keep.open()
    assert not store.identities.revoke(school=SCHOOL, node=NODE, why="", at_ms=1)
    store.add_node(Node(school=SCHOOL, node=NODE, public_key=OLD.public_hex, enrolled_ms=1))
    assert store.identities.revoke(school=SCHOOL, node=NODE, why="stolen", at_ms=2)
    assert store.identities.revoke(school=SCHOOL, node=NODE, why="again", at_ms=3)
    found = store.nodes(school=SCHOOL)[0]
    assert (found.revoked_ms, found.revoked_why) == (2, "stolen")
    assert not store.identities.change_key(school=SCHOOL, node=NODE, old=OLD.public_hex, new=NEW.public_hex, at_ms=4)
    store.identities.keep_code(new_code(school=SCHOOL, node=NODE, now_ms=5, hours=1, replaces=True)[1])
    assert store.identities.admit(school=SCHOOL, node=NODE, public_key=NEW.public_hex, at_ms=6)
    again = keep.open().node(school=SCHOOL, node=NODE)
    assert again is not None and (again.revoked_ms, again.revoked_why, again.public_key) == (None, "", NEW.public_hex)


def test_nodes_of_an_older_database_keep_their_keys(tmp_path: Path) -> None:
    path = tmp_path / sqlite_store.DATABASE_FILE
    old = open_durable(path, Schema("school_server", sqlite_store.SCHEMA.steps[:4]))
    old.execute("INSERT INTO nodes VALUES (?,?,?,?)", (SCHOOL, NODE, OLD.public_hex, 4))
    old.close()
    store = sqlite_store.SqliteStore(tmp_path)
    assert [(key.public_key, key.since_ms) for key in store.identities.keys(school=SCHOOL, node=NODE)] == [(OLD.public_hex, 4)]
    store.close()


# --- over HTTP -----------------------------------------------------------------------------------------------


def code(world: SyncWorld, node: str = "east", *, replaces: bool = False, hours: float = 1) -> str:
    store: Store = world.server.store
    shown, kept = new_code(school=SCHOOL, node=node, now_ms=world.clock.now_ms(), hours=hours, replaces=replaces)
    store.identities.keep_code(kept)
    return shown


def enrol(world: SyncWorld, shown: str, key: str = OLD.public_hex, node: str = "east") -> Any:
    return post(world, {"node": node, "public_key": key, "code": shown}, protocol.ENROL_PATH)


def test_a_code_is_for_one_name_and_good_once_however_it_is_typed(world: SyncWorld) -> None:
    shown = code(world)
    sentence(enrol(world, shown, node="west"), status=403, error="wrong_code")
    assert enrol(world, " ".join(shown.lower().split("-"))).status_code == 200
    assert enrol(world, shown).status_code == 200  # the answer was lost
    sentence(enrol(world, shown, NEW.public_hex), status=403, error="wrong_code")
    sentence(enrol(world, code(world), NEW.public_hex), status=409, error="other_key")


def test_a_code_expires(world: SyncWorld) -> None:
    shown = code(world)
    world.clock.seconds += 3601
    assert "has expired" in sentence(enrol(world, shown), status=403, error="wrong_code")


def test_a_code_that_was_guessed_at_too_often_is_void(world: SyncWorld) -> None:
    shown = code(world)
    for _ in range(TRIES_ALLOWED):
        sentence(enrol(world, "guess"), status=403, error="wrong_code")
    sentence(enrol(world, shown), status=429, error="too_many_tries")
    world.clock.seconds += 61
    assert "guessed at" in sentence(enrol(world, shown), status=403, error="wrong_code")
    assert enrol(world, code(world)).status_code == 200


def change(old: Any, new: Any, *, node: str = "east", proof: Any = None) -> dict[str, str]:
    text = protocol.key_text(school=SCHOOL, node=node, old_key=old.public_hex, new_key=new.public_hex)
    return {
        "node": node, "old_key": old.public_hex, "new_key": new.public_hex, "signature": old.sign(text),
        "proof": (proof or new).sign(text),
    }  # fmt: skip


def test_a_key_changes_when_both_keys_have_signed_and_again_is_fine(world: SyncWorld) -> None:
    assert enrol(world, code(world)).status_code == 200
    sentence(post(world, change(OLD, NEW, proof=OLD), protocol.KEY_PATH), status=401, error="bad_signature")
    for _ in range(2):
        answer = post(world, change(OLD, NEW), protocol.KEY_PATH)
        assert answer.json() == {"node": "east", "public_key": NEW.public_hex, "number": 2}
    sentence(post(world, change(OLD, signing_key(b"x" * 32)), protocol.KEY_PATH), status=409, error="other_key")
    sentence(post(world, change(NEW, OLD), protocol.KEY_PATH), status=409, error="other_key")
    sentence(post(world, change(signing_key(b"x" * 32), NEW), protocol.KEY_PATH), status=401, error="bad_signature")
    sentence(post(world, change(OLD, NEW, node="west"), protocol.KEY_PATH), status=401, error="unknown_node")
    sentence(post(world, {"node": "east"}, protocol.KEY_PATH), status=400, error="malformed")


def test_of_a_revoked_gate_nothing_is_stored_and_nothing_is_lost(world: SyncWorld) -> None:
    gate, other = world.gate("west"), world.gate("north")
    gate.journal.write(3)
    world.run(gate.drain())
    stored = world.server.everything("west")
    world.server.store.identities.revoke(school=SCHOOL, node="west", why="stolen", at_ms=world.clock.now_ms())
    gate.journal.write(4)
    with pytest.raises(ServerRefused) as refused:
        world.run(gate.up.step())
    assert refused.value.code == "revoked" and "stolen" in str(refused.value)
    assert world.server.everything("west") == stored
    with pytest.raises(ServerRefused):
        world.run(gate.pull())
    told = {seen.node: seen.revoked_ms for seen in world.run(other.transport.relay(have=[])).nodes}
    assert told == {"north": None, "west": world.clock.now_ms()}
    assert "已吊销" in world.ask("GET", "/").text


def test_of_a_revoked_gate_no_head_is_countersigned(world: SyncWorld) -> None:
    gate = world.gate("west")
    gate.journal.write(3)
    world.run(gate.drain())
    (_, seq), (_, digest) = max(world.server.everything("west").items())
    told = {"node": "west", "incarnation": gate.journal.incarnation, "seq": seq, "hash": digest.hex()}
    text = head_text(school=SCHOOL, node="west", incarnation=gate.journal.incarnation, seq=seq, hash_hex=digest.hex())
    signed = {**told, "signature": gate.key().sign(text)}
    world.server.store.identities.revoke(school=SCHOOL, node="west", why="stolen", at_ms=world.clock.now_ms())
    assert "stolen" in sentence(post(world, signed, protocol.HEADS_PATH), status=403, error="revoked")
    forged = {**told, "signature": NEW.sign(text)}
    sentence(post(world, forged, protocol.HEADS_PATH), status=401, error="bad_signature")


def ahead_of_turn(gate: Gate, head_by: SigningKey, ahead_by: SigningKey) -> bytes:
    """A batch of the first two entries that announces the fourth."""
    sealed = [Sealed(raw, digest) for _, (raw, digest) in sorted(gate.journal.everything().items())]
    stream = (gate.node, gate.journal.incarnation)
    batch = signed_batch(school=SCHOOL, stream=stream, first_seq=1, prev_hash=GENESIS, entries=sealed[:2], key=head_by)
    ahead = [protocol.announced(sealed[3], node=gate.node, incarnation=gate.journal.incarnation, seq=4)]
    text = protocol.ahead_text(school=SCHOOL, node=gate.node, entries=ahead, sealed=sealed[3:4])
    return msgspec.json.encode(msgspec.structs.replace(batch, ahead=ahead, ahead_signature=ahead_by.sign(text)))


def test_of_a_revoked_gate_nothing_is_believed_ahead_of_its_turn(world: SyncWorld) -> None:
    gate, other = world.gate("west"), world.gate("north")
    gate.journal.write(4)
    world.run(gate.enrol())
    before = gate.key()
    world.server.store.identities.revoke(school=SCHOOL, node="west", why="stolen", at_ms=world.clock.now_ms())
    for by in (before, NEW):
        assert post(world, ahead_of_turn(gate, before, by)).status_code == 403
    assert not world.run(other.transport.relay(have=[])).ahead
    shown = code(world, "west", replaces=True)
    assert enrol(world, shown, NEW.public_hex, "west").status_code == 200
    assert post(world, ahead_of_turn(gate, NEW, before)).status_code == 200  # what is in its turn is not held up
    assert not world.run(other.transport.relay(have=[])).ahead
    assert post(world, ahead_of_turn(gate, NEW, NEW)).status_code == 200
    assert [one.seq for one in world.run(other.transport.relay(have=[])).ahead] == [4]


def test_an_announcement_is_refused_by_itself_when_its_gate_is_revoked(world: SyncWorld) -> None:
    gate = world.gate("west")
    gate.journal.write(4)
    world.run(gate.enrol())
    store: Store = world.server.store
    store.identities.revoke(school=SCHOOL, node="west", why="stolen", at_ms=world.clock.now_ms())
    node = store.node(school=SCHOOL, node="west")
    assert node is not None
    batch = msgspec.json.decode(ahead_of_turn(gate, gate.key(), gate.key()), type=protocol.Batch)
    with pytest.raises(Refused) as refused:
        sound(store, batch, school=SCHOOL, node=node)
    assert refused.value.code == "revoked"


# --- the commands --------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    one = ServerProcess(tmp_path / "server")
    yield one
    one.close()


def at_server(server: ServerProcess, *words: str) -> str:
    done = run_command(*words, "--state", str(server.folder))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_gate_is_let_in_shut_out_and_let_in_again_with_what_waited(server: ServerProcess, tmp_path: Path) -> None:
    gate = GateJournal(tmp_path / "west", "west")
    place = ["--state", str(gate.folder), "--server", server.url, "--node", "west"]

    def enrol_gate(shown: str) -> None:
        done = run_command("enrol", *place, "--code", shown)
        assert done.returncode == 0, done.stderr

    enrol_gate(at_server(server, "code", "west"))
    gate.write(3)
    agent = Process(["run", *place, *HURRY], tmp_path / "agent.log")
    try:
        wait_until(lambda: server.has(gate), "everything is stored")
        at_server(server, "revoke", "west", "--why", "stolen")
        gate.write(4)
        wait_until(lambda: "revoked" in run_command("status", "--state", str(gate.folder)).stdout, "the gate says so")
        assert run_command("enrol", *place, "--code", "x").returncode == 2  # the agent is at work there
    finally:
        agent.end()
    assert not server.has(gate)
    nodes = msgspec.json.decode(at_server(server, "nodes", "--json"))["nodes"]
    assert [(one["node"], one["why"], one["keys"]) for one in nodes] == [("west", "stolen", 1)]
    done = run_command("enrol", *place, "--code", "WRONG")
    assert done.returncode == 1 and "not the enrolment code" in done.stderr
    enrol_gate(at_server(server, "code", "west"))
    agent = Process(["run", *place, *HURRY], tmp_path / "agent.log")
    try:
        wait_until(lambda: server.has(gate), "what waited is stored")
    finally:
        agent.end()
        gate.close()


def test_another_computer_takes_a_dead_gates_name_and_the_dead_one_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"

    def place(folder: Path) -> list[str]:
        return ["--state", str(folder), "--server", server.url, "--node", "west"]

    assert run_command("enrol", *place(old), "--code", at_server(server, "code", "west")).returncode == 0
    refused = run_command("code", "west", "--state", str(server.folder))
    assert refused.returncode == 2 and "--replace" in refused.stderr
    shown = at_server(server, "code", "west", "--replace")
    assert run_command("enrol", *place(new), "--code", shown).returncode == 0
    journal = GateJournal(old, "west")
    journal.write(1)
    agent = Process(["run", *place(old), *HURRY], tmp_path / "agent.log")
    try:
        wait_until(lambda: "another machine is node west" in run_command("status", "--state", str(old)).stdout, "it is refused")
    finally:
        agent.end()
        journal.close()
    assert server.entries() == []


def test_a_code_is_in_no_file_of_the_server(server: ServerProcess) -> None:
    shown = at_server(server, "code", "west")
    plain = shown.replace("-", "")
    for file in server.folder.rglob("*"):
        if file.is_file():
            assert shown.encode() not in file.read_bytes() and plain.encode() not in file.read_bytes(), file
    with sqlite3.connect(server.folder / sqlite_store.DATABASE_FILE) as db:
        assert db.execute("SELECT count(*) FROM enrol_codes").fetchone() == (1,)
    db.close()
