"""Other gates' entries and the directory come down whole, or not at all."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path

import msgspec
import pytest

from kiosk.core.entries import GENESIS, Fact, Kind, Stream, chain_hash
from kiosk.directory import Content, publish, snapshot_info
from sync_agent import protocol
from sync_agent.errors import (
    DirectoryConflict,
    PeerChainBroken,
    ServerFailed,
    ServerRefused,
    SnapshotRejected,
    SnapshotUnreadable,
)
from sync_agent.keys import SigningKey, signing_key
from sync_agent.protocol import Item, Segment
from sync_agent.up_sync import Step
from tests.support.sync_world import SCHOOL, Gate, SyncWorld

CARRIERS = ("http", "nats")  # one suite for every way to the server


def peers_of(*gates: Gate) -> dict[tuple[str, str, int], tuple[bytes, bytes]]:
    return {(gate.node, boot, seq): row for gate in gates for (boot, seq), row in gate.journal.everything().items()}


def test_each_gate_gets_every_other_gates_entries_byte_for_byte(world: SyncWorld) -> None:
    south, north, east = (world.gate(node) for node in ("south", "north", "east"))
    for gate in (south, north, east):
        gate.journal.write(5)
        gate.journal.boot()
        world.run(gate.drain())
    for gate, others in ((south, (north, east)), (north, (south, east)), (east, (south, north))):
        world.run(gate.drain_down())
        assert gate.peers_rows() == peers_of(*others)


def test_new_entries_are_fetched_without_the_old_ones(world: SyncWorld) -> None:
    south, north = world.gate("south"), world.gate("north")
    world.run(south.drain())
    world.run(north.drain_down())
    south.journal.write(3)
    world.run(south.drain())
    relay = world.run(north.transport.relay(have=north.peers.have()))
    assert [(one.first_seq, len(one.entries)) for one in relay.segments] == [(2, 3)]


def test_an_answer_that_was_eaten_or_came_twice_leaves_no_hole_and_no_double(world: SyncWorld) -> None:
    south, north = world.gate("south"), world.gate("north")
    south.journal.write(4)
    world.run(south.drain())
    north.link.faults = ["eat", "twice", "cut"]
    world.run(north.drain_down())
    assert north.peers_rows() == peers_of(south)


def test_more_than_one_answer_holds_comes_in_several(world: SyncWorld) -> None:
    south, north = world.gate("south", batch_entries=2_000), world.gate("north")
    south.journal.write(protocol.MAX_RELAY_ENTRIES + 10)
    world.run(south.drain())
    assert world.run(north.pull()) is Step.MOVED
    assert world.run(north.pull()) is Step.IDLE
    assert north.peers_rows() == peers_of(south)


def test_a_restarted_agent_knows_what_it_has(world: SyncWorld) -> None:
    south, north = world.gate("south"), world.gate("north")
    south.journal.write(4)
    world.run(south.drain())
    world.run(north.drain_down())
    north.restart_agent()
    assert north.peers.have() == [("south", south.journal.incarnation, 5)]
    assert world.run(north.pull()) is Step.IDLE


def sealed_items(count: int, *, node: str = "south") -> list[Item]:
    stream = Stream(node=node, incarnation="boot1")
    items = []
    for _ in range(count):
        sealed = stream.seal(Fact(Kind.SEEN, {}), at_ms=1, trusted=True)
        items.append(Item(hash=sealed.hash.hex(), entry=msgspec.Raw(sealed.raw)))
    return items


def segment(items: list[Item], *, first_seq: int = 1) -> Segment:
    return Segment(node="south", incarnation="boot1", first_seq=first_seq, entries=items)


def test_a_hole_from_the_server_is_never_stored(world: SyncWorld) -> None:
    gate = world.gate("north")
    with pytest.raises(PeerChainBroken, match="left out south/boot1/1"):
        gate.peers.add([segment(sealed_items(3)[1:], first_seq=2)])
    assert gate.peers_rows() == {}


def test_a_broken_chain_from_the_server_is_stored_up_to_the_break(world: SyncWorld) -> None:
    gate = world.gate("north")
    items = sealed_items(4)
    items[2] = Item(hash=items[2].hash, entry=items[1].entry)
    with pytest.raises(PeerChainBroken, match="breaks at 3"):
        gate.peers.add([segment(items)])
    assert [seq for _, _, seq in gate.peers_rows()] == [1, 2]


def test_a_stream_that_comes_in_two_pieces_at_once_is_joined(world: SyncWorld) -> None:
    gate = world.gate("north")
    items = sealed_items(4)
    assert gate.peers.add([segment(items[:2]), segment(items[1:], first_seq=2)]) == 4


def test_an_answer_that_is_not_of_the_protocol_is_named(world: SyncWorld) -> None:
    gate = world.gate("north")
    with pytest.raises(ServerFailed, match="not of this protocol"):
        gate.peers.add([segment([Item(hash="00")])])


def test_what_claims_another_place_is_kept_aside_and_never_among_the_peers(world: SyncWorld) -> None:
    gate = world.gate("north")
    liar = sealed_items(1, node="east")
    gate.peers.add([segment(liar)])
    assert gate.peers_rows() == {}
    assert gate.peers._connection.execute("SELECT count(*) FROM aside").fetchone() == (1,)
    gate.restart_agent()
    assert gate.peers.have() == [("south", "boot1", 1)]  # not asked for again


def test_an_entry_that_the_server_could_not_read_may_be_read_by_a_newer_gate(world: SyncWorld) -> None:
    gate = world.gate("north")
    raw = b"{future envelope}"
    gate.peers.add(
        [segment([Item(hash=chain_hash(GENESIS, raw).hex(), octets="e2Z1dHVyZSBlbnZlbG9wZX0=", quarantined="unreadable")])]
    )
    assert [row[0] for row in gate.peers_rows().values()] == [raw]


def test_a_rotten_entry_reaches_the_peers_only_as_set_aside(world: SyncWorld) -> None:
    south, north = world.gate("south"), world.gate("north")
    south.journal.write(3)
    good = south.journal.everything()[south.journal.incarnation, 3][0]
    south.journal.spoil(3, good.replace(b'"seen"', b'"sEEn"'))
    world.run(south.drain())
    world.run(north.drain_down())
    assert sorted(seq for _, _, seq in north.peers_rows()) == [1, 2, 4]
    assert north.peers._connection.execute("SELECT seq FROM aside").fetchall() == [(3,)]


# ---- directory -----------------------------------------------------------------------------------------


def make_directory(gate: Gate, number: int, *, year: int = 2026) -> bytes:
    publish(gate.folder / "directory.db", Content(school_year_start=year), number, 1_000)
    return (gate.folder / "directory.db").read_bytes()


def number_at(gate: Gate) -> int:
    return snapshot_info(gate.folder / "directory.db").number


def test_a_directory_imported_at_the_office_reaches_every_gate(world: SyncWorld) -> None:
    office, north = world.gate("south"), world.gate("north")
    content = make_directory(office, 1)
    assert world.run(office.directory.step()) is Step.IDLE
    assert world.run(north.directory.step()) is Step.MOVED
    assert (north.folder / "directory.db").read_bytes() == content
    assert world.run(north.directory.step()) is Step.IDLE
    assert north.directory.status(checked_ms=None).state == "current"


def test_only_the_office_may_send_a_directory(world: SyncWorld) -> None:
    north = world.gate("north")
    content = make_directory(north, 1)
    with pytest.raises(ServerRefused, match="not the office") as refused:
        world.run(north.transport.put_directory(content, number=1, base=0, sha256=hashlib.sha256(content).hexdigest()))
    assert refused.value.status == 403
    assert world.run(north.directory.step()) is Step.IDLE
    assert north.directory.status(checked_ms=None).state == "local"


def test_the_newer_directory_replaces_the_older_and_not_the_other_way_round(world: SyncWorld) -> None:
    office, north = world.gate("south"), world.gate("north")
    make_directory(office, 1)
    world.run(office.directory.step())
    make_directory(north, 3)
    world.run(north.directory.step())
    assert number_at(north) == 3  # ahead of the server: it was restored, and the office will send again
    make_directory(office, 4)
    world.run(office.directory.step())
    world.run(north.directory.step())
    assert number_at(north) == 4


def test_an_office_sends_again_what_a_restored_server_forgot(world: SyncWorld) -> None:
    office, north = world.gate("south"), world.gate("north")
    world.server.keep_copy(world.folder / "old")
    content = make_directory(office, 5)
    world.run(office.directory.step())
    world.server.restore(world.folder / "old")
    world.run(office.directory.step())
    world.run(north.directory.step())
    assert (north.folder / "directory.db").read_bytes() == content


def test_a_put_with_a_base_that_is_not_current_changes_nothing(world: SyncWorld) -> None:
    office = world.gate("south")
    make_directory(office, 5)
    world.run(office.directory.step())
    with pytest.raises(ServerRefused) as refused:
        world.run(office.transport.put_directory(b"x", number=9, base=4, sha256=hashlib.sha256(b"x").hexdigest()))
    assert (refused.value.code, refused.value.number) == ("stale_base", 5)


def test_an_office_that_never_agreed_does_not_overwrite_the_schools_directory(world: SyncWorld) -> None:
    office, north = world.gate("south"), world.gate("north")
    make_directory(office, 5)
    world.run(office.directory.step())
    office.restart_agent(forget=True)
    (office.folder / "directory.db").unlink()
    make_directory(office, 9, year=1999)  # some sample school
    for _ in range(2):
        with pytest.raises(DirectoryConflict, match="import once more"):
            world.run(office.directory.step())
    assert office.directory.status(checked_ms=None).state == "conflict"
    world.run(north.directory.step())
    assert number_at(north) == 5
    make_directory(office, 10)  # the person was told and imports once more
    world.run(office.directory.step())
    world.run(north.directory.step())
    assert number_at(north) == 10


def test_a_restored_office_card_takes_the_servers_newer_directory(world: SyncWorld) -> None:
    office = world.gate("south")
    make_directory(office, 1)
    world.run(office.directory.step())
    old = (office.folder / "directory.db").read_bytes()
    make_directory(office, 2)
    world.run(office.directory.step())
    (office.folder / "directory.db").write_bytes(old)
    office.restart_agent(forget=True)
    world.run(office.directory.step())
    assert number_at(office) == 2


def test_a_directory_with_another_signature_is_not_taken(world: SyncWorld) -> None:
    office, north = world.gate("south"), world.gate("north")
    make_directory(office, 1)
    world.run(office.directory.step())
    other: SigningKey = signing_key(bytes(32))
    (north.folder / "keys" / "server.pub").write_text(other.public_hex + "\n")
    north.restart_agent()
    with pytest.raises(SnapshotRejected, match="not from the server"):
        world.run(north.directory.step())
    assert not (north.folder / "directory.db").exists()


def test_a_file_that_is_no_directory_is_not_swapped_in(world: SyncWorld) -> None:
    office, north = world.gate("south"), world.gate("north")
    make_directory(north, 1)
    junk = b"SQLite format 3\x00 but not ours" * 40
    world.run(office.transport.put_directory(junk, number=2, base=0, sha256=hashlib.sha256(junk).hexdigest()))
    with pytest.raises(SnapshotRejected, match="was not taken"):
        world.run(north.directory.step())
    assert number_at(north) == 1


def test_a_damaged_directory_is_replaced_at_a_gate_and_reported_at_the_office(world: SyncWorld) -> None:
    office, north = world.gate("south"), world.gate("north")
    make_directory(office, 1)
    world.run(office.directory.step())
    world.run(north.directory.step())
    for gate in (office, north):
        (gate.folder / "directory.db").write_bytes(b"rot")
    world.run(north.directory.step())
    assert number_at(north) == 1
    with pytest.raises(SnapshotUnreadable):
        world.run(office.directory.step())


def test_the_server_keeps_only_the_current_directorys_content(world: SyncWorld) -> None:
    office = world.gate("south")
    for number in (1, 2, 3):
        make_directory(office, number)
        world.run(office.directory.step())
    with sqlite3.connect(world.server.folder / "server.db") as db:
        rows = db.execute("SELECT number, content IS NULL FROM directories WHERE school=?", (SCHOOL,)).fetchall()
    db.close()
    assert rows == [(1, 1), (2, 1), (3, 0)]


def goes_on(world: SyncWorld, gate: Gate) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    """After its disk was copied: later in the same incarnation, and a whole one after it. All that it has written then."""
    gate.journal.write(4)
    gate.journal.boot()
    gate.journal.write(2)
    world.run(gate.drain())
    return gate.journal.everything()


def test_a_gate_on_an_older_copy_of_its_disk_gets_back_what_it_lost(world: SyncWorld, tmp_path: Path) -> None:
    south, north = world.gate("south"), world.gate("north")
    south.journal.write(3)
    world.run(south.drain())
    image = shutil.copytree(south.folder, tmp_path / "image")
    before = goes_on(world, south)

    south.put_back(image)
    south.journal.boot()
    south.journal.write(1)
    lost = set(before) - set(south.journal.everything())
    assert len(lost) == 7
    world.run(south.drain())
    world.run(south.drain_down())
    got = {(boot, seq): row for (node, boot, seq), row in south.peers_rows().items() if node == "south"}
    assert {name: got[name] for name in lost} == {name: before[name] for name in lost}
    assert all(before.get(name, row) == row for name, row in got.items())
    world.run(north.drain_down())
    assert north.peers_rows() == {("south", *name): row for name, row in {**before, **south.journal.everything()}.items()}


def test_what_came_back_is_sent_on_when_the_server_has_lost_it_too(world: SyncWorld, tmp_path: Path) -> None:
    south, north = world.gate("south"), world.gate("north")
    south.journal.write(3)
    world.run(south.drain())
    image = shutil.copytree(south.folder, tmp_path / "image")
    world.server.keep_copy(tmp_path / "yesterday")
    before = goes_on(world, south)
    south.put_back(image)
    south.journal.boot()
    world.run(south.drain())
    world.run(south.drain_down())

    world.server.restore(tmp_path / "yesterday")
    world.run(south.up.compare())
    world.run(south.drain())
    everything = {**before, **south.journal.everything()}
    assert world.server.everything("south") == everything
    world.run(north.drain_down())
    assert north.peers_rows() == {("south", *name): row for name, row in everything.items()}


def test_a_gate_that_lost_nothing_is_sent_nothing_of_its_own(world: SyncWorld) -> None:
    south = world.gate("south")
    south.journal.write(3)
    south.journal.boot()
    world.run(south.drain())
    world.run(south.up.compare())
    world.run(south.drain_down())
    assert south.up.lost == {} and south.peers_rows() == {}
