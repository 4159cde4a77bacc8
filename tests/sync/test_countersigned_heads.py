"""A gate's head, the server's word on it, and what `kiosk verify` makes of both."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.__main__ import main
from kiosk.core.entries import Fact, Kind, Stream
from kiosk.core.heads import Countersigned, head_text
from kiosk.journal import Journal
from sync_agent import protocol
from sync_agent.errors import ServerFailed
from sync_agent.head_sync import EVERY_ENTRIES, EVERY_S, HeadSync
from sync_agent.keys import signing_key, verify
from sync_agent.school_server.store import SignedHead
from sync_agent.up_sync import Step
from tests.support.journals import MONDAY_MS
from tests.support.keeping import BOOT, NODE, SCHOOL, Keep, Writing, put
from tests.support.sync_requests import post, sentence
from tests.support.sync_world import SERVER_KEY, Gate, SyncWorld


def heads(world: SyncWorld, gate: Gate) -> HeadSync:
    return HeadSync(
        journal=gate.tail, state=gate.state, ask=gate.transport.countersign, key=gate.key(),
        server_key=gate.enrolment.server_key, school=SCHOOL, monotonic_s=world.clock.monotonic_s,
    )  # fmt: skip


def sent(world: SyncWorld, count: int) -> Gate:
    gate = world.gate("south")
    gate.journal.write(count)
    world.run(gate.drain())
    return gate


def head(gate: Gate, seq: int, hash_hex: str) -> dict[str, Any]:
    told = {"node": gate.node, "incarnation": gate.journal.incarnation, "seq": seq, "hash": hash_hex}
    text = head_text(school=SCHOOL, node=gate.node, incarnation=gate.journal.incarnation, seq=seq, hash_hex=hash_hex)
    return {**told, "signature": gate.key().sign(text)}


def stored_hash(world: SyncWorld, gate: Gate, seq: int) -> str:
    return str(world.server.everything(gate.node)[gate.journal.incarnation, seq][1].hex())


def verified(gate: Gate, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = main(["verify", "--state", str(gate.folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


# --- the server --------------------------------------------------------------------------------------------


def test_the_server_countersigns_what_it_has_and_says_the_same_again(world: SyncWorld) -> None:
    gate = sent(world, 4)
    asked = head(gate, 3, stored_hash(world, gate, 3))
    answer = msgspec.json.decode(post(world, asked, protocol.HEADS_PATH).content, type=protocol.HeadAnswer)
    said = Countersigned(
        school=SCHOOL, node="south", incarnation=gate.journal.incarnation, seq=3, hash=asked["hash"],
        seen_ms=world.clock.now_ms(), signature=answer.countersignature,
    )  # fmt: skip
    assert verify(public_hex=SERVER_KEY.public_hex, text=said.text(), signature=answer.countersignature)
    world.clock.seconds += 500
    world.server.restart()
    assert msgspec.json.decode(post(world, asked, protocol.HEADS_PATH).content, type=protocol.HeadAnswer) == answer


def test_a_head_that_differs_is_an_alarm_that_stays(world: SyncWorld, caplog: pytest.LogCaptureFixture) -> None:
    gate = sent(world, 2)
    sentence(post(world, head(gate, 2, "ab" * 32), protocol.HEADS_PATH), status=409, error="other_head")
    assert "ALARM" in caplog.text
    page = world.ask("GET", "/").text
    assert f"south/{gate.journal.incarnation}/2" in page and "another signed head" in page and "一切正常" not in page


def test_a_head_that_is_not_stored_not_signed_or_no_head_is_refused(world: SyncWorld) -> None:
    gate = sent(world, 2)
    asked = head(gate, 9, "ab" * 32)
    sentence(post(world, asked, protocol.HEADS_PATH), status=409, error="hole")
    assert post(world, asked, protocol.HEADS_PATH).json()["durable_through"] == 3
    sentence(post(world, {**asked, "seq": 1}, protocol.HEADS_PATH), status=401, error="bad_signature")
    sentence(post(world, {**asked, "node": "west"}, protocol.HEADS_PATH), status=401, error="unknown_node")
    for wrong in ({"seq": 0}, {"seq": "x"}, {"hash": "AB"}, {"node": "a b"}):
        sentence(post(world, {**asked, **wrong}, protocol.HEADS_PATH), status=400, error="malformed")


def test_a_store_keeps_the_first_countersignature_and_shows_what_has_none(keep: Keep) -> None:
    store = keep.open()
    put(store, Writing().rows(2))
    first = SignedHead(
        node=NODE, incarnation=BOOT, seq=2, hash=bytes(32), signature=b"s" * 64, countersignature=b"c" * 64, at_ms=5
    )  # fmt: skip
    assert store.keep_head(first, school=SCHOOL) == first
    again = SignedHead(
        node=NODE, incarnation=BOOT, seq=2, hash=bytes(32), signature=b"t" * 64, countersignature=b"d" * 64, at_ms=9
    )  # fmt: skip
    assert store.keep_head(again, school=SCHOOL) == first
    other = SignedHead(node=NODE, incarnation=BOOT, seq=2, hash=b"x" * 32, signature=b"s" * 64, countersignature=b"", at_ms=7)
    assert store.keep_head(other, school=SCHOOL) == other
    assert [(one.seq, one.reason, one.received_ms) for one in store.set_aside(school=SCHOOL, most=9)] == [
        (2, "another signed head", 7)
    ]


# --- the gate ----------------------------------------------------------------------------------------------


def test_a_head_goes_every_five_minutes_or_five_hundred_entries_and_when_an_incarnation_has_ended(world: SyncWorld) -> None:
    gate = sent(world, 3)
    one = heads(world, gate)
    assert world.run(one.step()) is Step.IDLE, "not yet five minutes"
    world.clock.seconds += EVERY_S
    assert [world.run(one.step()) for _ in range(2)] == [Step.MOVED, Step.IDLE]
    assert gate.state.countersigned_through() == {("south", gate.journal.incarnation): 4}
    gate.journal.write(EVERY_ENTRIES)
    assert world.run(one.step()) is Step.IDLE, "not acknowledged"
    world.run(gate.drain())
    assert world.run(one.step()) is Step.MOVED
    before = gate.journal.incarnation
    gate.journal.write(1)
    gate.journal.boot()
    world.run(gate.drain())
    assert world.run(one.step()) is Step.MOVED
    assert gate.state.countersigned_through()["south", before] == EVERY_ENTRIES + 5


def test_a_countersignature_by_another_key_is_not_kept(world: SyncWorld) -> None:
    gate = sent(world, 3)

    async def forged(asked: protocol.SignedHead) -> protocol.HeadAnswer:
        return protocol.HeadAnswer(seen_ms=1, countersignature=signing_key(b"f" * 32).sign(b"anything"))

    one = heads(world, gate)
    one._ask = forged
    world.run(one.step())
    world.clock.seconds += EVERY_S
    with pytest.raises(ServerFailed, match="not that of the server"):
        world.run(one.step())
    assert gate.state.countersigned_through() == {}


# --- the proof ---------------------------------------------------------------------------------------------


def test_verify_says_how_far_the_record_is_countersigned(world: SyncWorld, capsys: pytest.CaptureFixture[str]) -> None:
    gate = sent(world, 3)
    assert "countersigned" not in verified(gate, capsys)[1]
    countersigned(world, gate)
    gate.journal.write(2)
    code, found = verified(gate, capsys)
    through = {"node": "south", "incarnation": gate.journal.incarnation, "seq": 4, "seen_ms": world.clock.now_ms()}
    assert (code, found["ok"], found["countersigned"]) == (0, True, [through])
    assert main(["verify", "--state", str(gate.folder)]) == 0
    assert "countersigned by the school server to 4" in capsys.readouterr().out


def test_verify_finds_a_chain_that_was_written_anew_with_every_hash_right(
    world: SyncWorld, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gate = sent(world, 3)
    countersigned(world, gate)
    gate.journal.close()
    written_anew(gate)
    code, found = verified(gate, capsys)
    assert (code, found["ok"], found["first_bad"]["seq"]) == (1, False, 4)
    assert "countersigned this entry, and it is another one here" in found["first_bad"]["why"]


def test_what_the_pinned_key_does_not_bear_proves_nothing(world: SyncWorld, capsys: pytest.CaptureFixture[str]) -> None:
    gate = sent(world, 3)
    countersigned(world, gate)
    with sqlite3.connect(gate.folder / "agent.db") as db:
        db.execute("UPDATE countersigned SET seen_ms=seen_ms-1")
    db.close()
    code, found = verified(gate, capsys)
    assert (code, found["countersigned"], found["countersignatures_unproven"]) == (0, [], 1)


def countersigned(world: SyncWorld, gate: Gate) -> None:
    one = heads(world, gate)
    world.run(one.step())
    world.clock.seconds += EVERY_S
    assert world.run(one.step()) is Step.MOVED


def written_anew(gate: Gate) -> None:
    """The same incarnation from the start, other facts, each hash right."""
    for file in gate.folder.glob("journal.db*"):
        file.unlink()
    stream = Stream(node=gate.node, incarnation=gate.journal.incarnation)
    facts = [Fact(Kind.INCARNATION_OPENED, {"sealed": None}), *(Fact(Kind.SEEN, {"child": 1, "n": n}) for n in range(6))]
    journal = Journal(gate.folder, node=gate.node, incarnation=gate.journal.incarnation)
    journal.append([stream.seal(fact, at_ms=MONDAY_MS, trusted=True) for fact in facts])
    journal.close()


def test_what_a_gate_on_an_old_copy_fetched_back_is_not_missing_from_its_journal(
    world: SyncWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = sent(world, 3)
    image = shutil.copytree(gate.folder, tmp_path / "image")
    gate.journal.write(EVERY_ENTRIES)  # only the server has these afterwards, and this gate beside its journal
    world.run(gate.drain())
    gate.put_back(image)
    gate.journal.boot()
    world.run(gate.drain())
    world.run(gate.drain_down())
    world.run(gate.up.compare())
    world.run(gate.drain())
    asking = heads(world, gate)
    while world.run(asking.step()) is Step.MOVED:
        pass
    code, found = verified(gate, capsys)
    assert (code, found["first_bad"]) == (0, None)
    assert sorted(one["seq"] for one in found["countersigned"]) == [1, 4]  # both ended incarnations, as far as they are here
