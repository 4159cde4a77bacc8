"""Entries go up once and in order, whatever the link and the server do."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_agent.errors import AnswerLost, ServerBroke, ServerBusy, ServerFailed, ServerRefused, ServerUnreachable
from sync_agent.protocol import MAX_ENTRY_BYTES
from sync_agent.up_sync import Step
from tests.support.sync_world import SCHOOL, Gate, SyncWorld

CARRIERS = ("http", "nats")  # one suite for every way to the server


def all_there(world: SyncWorld, gate: Gate) -> bool:
    return world.server.everything(gate.node) == gate.journal.everything()


def settle(world: SyncWorld, gate: Gate) -> None:
    """Lets the next comparison with the server be due, and drains."""
    world.clock.seconds += 60
    world.run(gate.drain())


def test_every_entry_of_every_boot_arrives_byte_for_byte(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(12)
    gate.journal.boot()
    gate.journal.write(3)
    world.run(gate.drain())
    assert all_there(world, gate)
    assert [s.last_seq - s.durable_through for s in gate.up.stream_states()] == [0, 0]


def test_nothing_is_stored_twice_when_a_request_comes_twice(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(7)
    gate.link.faults = ["", "twice", "twice"]
    world.run(gate.drain())
    assert all_there(world, gate)


def test_a_batch_whose_answer_was_eaten_after_the_commit_is_sent_again_and_known(world: SyncWorld) -> None:
    gate = world.gate("south", batch_entries=100)
    gate.journal.write(7)
    gate.link.faults = ["", "eat"]
    with pytest.raises(AnswerLost):
        world.run(gate.up.step())
    assert all_there(world, gate)  # stored, though nobody heard
    assert gate.up.stream_states()[0].durable_through == 0  # and not believed before it is heard
    world.run(gate.drain())
    assert gate.up.stream_states()[0].durable_through == 8
    assert all_there(world, gate)


def test_a_cut_link_loses_nothing_and_says_so(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(3)
    gate.link.faults = ["cut"]
    with pytest.raises(ServerUnreachable, match="cannot be reached"):
        world.run(gate.up.step())
    world.run(gate.drain())
    assert all_there(world, gate)


def test_an_agent_that_forgot_everything_sends_again_and_harms_nothing(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(9)
    world.run(gate.drain())
    gate.restart_agent(forget=True)
    world.run(gate.drain())
    assert all_there(world, gate)


def test_a_server_restored_from_an_older_copy_gets_the_rest_again(world: SyncWorld, tmp_path: Path) -> None:
    gate = world.gate("south")
    gate.journal.write(6)
    world.run(gate.drain())
    world.server.keep_copy(tmp_path / "yesterday")
    gate.journal.write(6)
    gate.journal.boot()
    gate.journal.write(2)
    world.run(gate.drain())
    world.server.restore(tmp_path / "yesterday")
    assert not all_there(world, gate)
    settle(world, gate)
    assert all_there(world, gate)


def test_a_restored_server_is_noticed_by_the_next_entry_too(world: SyncWorld, tmp_path: Path) -> None:
    gate = world.gate("south")
    world.server.keep_copy(tmp_path / "empty")
    gate.journal.write(6)
    world.run(gate.drain())
    world.server.restore(tmp_path / "empty")
    gate.journal.write(1)
    world.run(gate.drain())  # no comparison is due: the hole is refused and the client goes back
    assert all_there(world, gate)


def test_two_computers_with_one_journal_are_a_fork_and_both_are_kept(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(4)
    world.run(gate.drain())
    clone = world.gate("clone", enrolled=False)
    clone.close()
    for file in gate.folder.rglob("*"):
        if file.is_file() and "agent.db" not in file.name:
            (clone.folder / file.relative_to(gate.folder)).parent.mkdir(exist_ok=True)
            (clone.folder / file.relative_to(gate.folder)).write_bytes(file.read_bytes())
    gate.journal.write(3, note="the original")
    world.run(gate.drain())
    copied = _append_to_copy(clone.folder, count=6)
    clone.open_agent()
    world.run(clone.drain())
    assert world.server.everything("south") == gate.journal.everything()  # the first chain stands
    totals = world.server.store.totals(school=SCHOOL)
    assert totals.forks == copied
    assert world.server.store.streams(school=SCHOOL)[0].branched
    clone.restart_agent(forget=True)
    settle(world, clone)
    settle(world, gate)
    assert world.server.store.totals(school=SCHOOL).forks == copied  # kept once, not again
    assert (gate.up.stream_states()[0].durable_through, clone.up.stream_states()[0].durable_through) == (8, 11)


def _append_to_copy(folder: Path, *, count: int) -> int:
    """Goes on in the same incarnation, which only a cloned running machine can do."""
    import sqlite3

    from kiosk.core.entries import Fact, Kind, Stream, decode

    db = sqlite3.connect(folder / "journal.db")
    raw, digest = db.execute("SELECT raw, hash FROM entries WHERE boot=1 ORDER BY seq DESC LIMIT 1").fetchone()
    stream = Stream(node="south", incarnation=decode(raw).incarnation)
    stream.seq, stream.head = decode(raw).seq, digest
    for _ in range(count):
        sealed = stream.seal(Fact(Kind.SEEN, {"note": "the clone"}), at_ms=5, trusted=True)
        db.execute("INSERT INTO entries VALUES (1, ?, ?, ?, ?)", (sealed.entry.seq, "seen", sealed.raw, sealed.hash))
    db.commit()
    db.close()
    return count


def test_a_rotten_entry_is_quarantined_counted_and_the_rest_goes_on(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(6)
    gate.journal.spoil(4, b"\x00\xff rot \xfe")
    world.run(gate.drain())
    settle(world, gate)
    assert all_there(world, gate)  # every byte, the rotten ones too
    assert gate.state.quarantined() == 1
    assert world.server.store.set_aside(school=SCHOOL, most=9)[0].seq == 4


class Breaks:
    """The server with a mistake in it: it breaks on every batch that holds the word, unless it is not opened."""

    def __init__(self, app: object, word: bytes) -> None:
        self.app, self.word, self.times = app, word, 0

    async def __call__(self, scope: dict, receive, send) -> None:  # type: ignore[no-untyped-def,type-arg]
        import zstandard

        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        packed = any(name == b"content-encoding" for name, _ in scope["headers"])
        if self.word in (zstandard.ZstdDecompressor().decompressobj().decompress(body) if packed else body):
            self.times += 1
            answer = b'{"error":"failed","message":"planted"}'
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": answer})
            return

        async def again() -> dict:  # type: ignore[type-arg]
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)  # type: ignore[operator]


def test_a_batch_that_breaks_the_server_is_bisected_down_to_one_entry(world: SyncWorld) -> None:
    gate = world.gate("south", batch_entries=500)
    gate.journal.write(300)
    gate.journal.write(1, note="POISON")
    gate.journal.write(200)
    broken = Breaks(None, b"POISON")

    def wrap(app: object) -> Breaks:
        broken.app = app
        return broken

    world.server.wrap = wrap
    with pytest.raises(ServerBroke):
        world.run(gate.up.step())
    world.run(gate.drain())
    assert all_there(world, gate)
    aside = world.server.store.set_aside(school=SCHOOL, most=9)
    assert [(one.seq, "unread" in one.reason) for one in aside] == [(302, True)]
    assert broken.times <= 12  # log2(500) halves and three strikes


def test_weather_alone_never_sends_an_entry_to_quarantine(world: SyncWorld) -> None:
    gate = world.gate("south", batch_entries=1)
    gate.journal.write(2)
    gate.link.faults = [""] + ["eat", "", "cut", "cut", "", "eat", ""] * 20
    world.run(gate.drain())
    assert all_there(world, gate)
    assert world.server.store.totals(school=SCHOOL).quarantined == 0


def test_a_node_that_is_not_enrolled_keeps_everything_and_is_told(world: SyncWorld) -> None:
    gate = world.gate("south", enrolled=False)
    gate.journal.write(2)
    with pytest.raises(ServerRefused, match="not enrolled") as refused:
        world.run(gate.up._send_from(gate.tail.streams()[0]))
    assert refused.value.code == "unknown_node"
    world.run(gate.enrol())
    world.run(gate.drain())
    assert all_there(world, gate)


def test_a_full_disk_on_the_server_is_a_pause_and_not_a_suspicion(world: SyncWorld) -> None:
    gate = world.gate("south", batch_entries=100)
    gate.journal.write(50)
    writer = world.server.store._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(ServerBusy) as busy:
        world.run(gate.up.step())
    assert busy.value.retry_after_s == 5
    assert world.server.everything("south") == {}
    writer.execute("PRAGMA max_page_count=1000000")
    assert world.run(gate.up.step()) is Step.MOVED
    assert all_there(world, gate)


def test_an_answer_from_something_else_than_the_server_is_not_believed(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(2)

    async def portal(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<html>please sign in to the wireless network</html>"})

    world.server.wrap = lambda app: portal
    with pytest.raises(ServerFailed, match="is it the school server"):
        world.run(gate.up.step())
    world.server.wrap = lambda app: app
    world.run(gate.drain())
    assert all_there(world, gate)


def test_a_gate_whose_card_was_restored_loses_nothing_that_the_server_has(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(5)
    gate.journal.close()
    old = (gate.folder / "journal.db").read_bytes()
    gate.journal.boot()
    gate.journal.write(3)
    world.run(gate.drain())
    before = gate.journal.everything()
    gate.journal.close()
    gate.close_agent()
    for file in gate.folder.glob("journal.db*"):
        file.unlink()
    (gate.folder / "journal.db").write_bytes(old)
    gate.journal.boot()  # a new incarnation, so no number is used twice
    gate.journal.write(4)
    gate.open_agent()
    settle(world, gate)
    assert world.server.everything("south") == before | gate.journal.everything()
    assert world.server.store.totals(school=SCHOOL).forks == 0


def test_a_damaged_stream_stands_still_and_the_others_go_on(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(6)
    gate.journal.lose(4)
    damaged = gate.journal.incarnation
    gate.journal.boot()
    gate.journal.write(3)
    world.run(gate.drain())
    stored = world.server.everything("south")
    assert sorted(seq for boot, seq in stored if boot == damaged) == [1, 2, 3]  # to the hole and not beyond
    assert sum(boot == gate.journal.incarnation for boot, _ in stored) == 4
    assert [str(error).split(";")[0].endswith(f"south/{damaged}/4") for error in gate.up.stuck.values()] == [True]
    gate.journal.write(2)
    settle(world, gate)
    assert sum(s.last_seq - s.durable_through for s in gate.up.stream_states()) == 4  # the bar goes on saying so


def test_an_entry_too_long_for_the_protocol_is_shown_and_holds_nobody_else_up(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(1)
    gate.journal.write(1, note="x" * (MAX_ENTRY_BYTES + 1))
    gate.journal.boot()
    world.run(gate.drain())
    assert [stream.last_seq - stream.durable_through for stream in gate.up.stream_states()] == [1, 0]
    assert ["entries[0] has" in str(error) for error in gate.up.stuck.values()] == [True]
