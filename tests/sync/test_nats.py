"""Gates on a bus: a real hub and a leaf, killed and emptied. Nothing that a bus does makes an entry lost or doubled."""

from __future__ import annotations

import asyncio
import hashlib
import random
from typing import Any

import nats
import pytest
from nats.aio.msg import Msg

from kiosk.core.entries import Kind
from kiosk.core.heads import head_text
from sync_agent import bus, protocol
from sync_agent.ahead import AHEAD_FROM
from sync_agent.ending import ended
from sync_agent.errors import AnswerLost, ServerRefused
from sync_agent.head_sync import EVERY_S, HeadSync
from sync_agent.school_server.bus_consumer import BusConsumer
from sync_agent.transports.nats import Carrier
from sync_agent.up_sync import Step
from tests.support.nats_server import NatsServer
from tests.support.sync_processes import Campus, ServerProcess, wait_until
from tests.support.sync_world import OFFICE, SCHOOL, SyncWorld

CARRIERS = ("nats",)  # the world of these tests


def test_a_hub_a_leaf_and_the_server_are_killed_and_every_entry_is_there_once(campus: Campus) -> None:
    hub = NatsServer(campus.folder / "hub", "hub")
    campus.later(hub.close)
    server = ServerProcess(campus.folder / "server", SYNC_AGENT_NATS=hub.url)
    campus.later(server.close)
    leaf = NatsServer(campus.folder / "leaf", "leaf", hub_port=hub.leaf_port, domain=bus.domain_of("school", "south"))
    campus.later(leaf.close)
    south, north = campus.gate("south"), campus.gate("north")
    agent = campus.agent(south, leaf.url, "--batch", "10", "--answer-timeout", "3")
    other = campus.agent(north, hub.url, "--batch", "10", "--answer-timeout", "3")  # a gate without a leaf
    wait_until(lambda: server.has(south) and server.has(north), "both first entries are there")
    for victim in (hub, leaf, server):
        south.write(25)
        north.write(5)
        victim.kill()
        victim.start()
    leaf.purge()
    south.write(25)
    leaf.forget()
    south.write(5)
    wait_until(lambda: server.has(south) and server.has(north), "all are there once")
    everything = {(north.node, boot, seq, row[1].hex()) for (boot, seq), row in north.everything().items()}
    wait_until(lambda: agent.peers() == everything, "and the other gate's are here")
    assert server.status()["quarantined"] == server.status()["forks"] == 0
    assert [one.process.stop() for one in (agent, other, server)] == [0, 0, 0]
    assert "Traceback" not in server.process.log.read_text()


def test_under_another_nodes_subject_nothing_is_taken(world: SyncWorld) -> None:
    async def ask(subject: str, **headers: str) -> tuple[str, bytes]:
        client = await nats.connect(world.bus, inbox_prefix=bus.answer_prefix(SCHOOL, "south"))
        stated = {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: SCHOOL, **headers}
        found = await client.request(subject, b"{}", timeout=30, headers=stated)
        await client.close()
        return (found.headers or {})[bus.HEADER_STATUS], found.data

    world.gate("south")  # the server is on the bus
    south = bus.ask_subject(SCHOOL, "south")
    post = {bus.HEADER_METHOD: "POST", bus.HEADER_TARGET: protocol.ENTRIES_PATH}
    status, said = world.run(ask(south, **{**post, protocol.HEADER_NODE: "north"}))
    assert status == "400" and b"subject" in said
    assert world.run(ask(south, **{protocol.HEADER_NODE: "south"}))[0] == "400"  # no request line
    status, said = world.run(ask(south, **{**post, bus.HEADER_TARGET: "/api/v1/entries", protocol.HEADER_NODE: "south"}))
    assert status == "404", said
    assert not world.server.everything("south") and not world.server.everything("north")


def test_an_answer_that_the_bus_takes_no_more_is_nobodys_trouble(world: SyncWorld) -> None:
    """The gate asks again. A run of a hundred and fifty kills met a traceback here."""

    async def nobody() -> list[tuple[str, str]]:
        return []

    async def answered_too_late() -> None:
        server = BusConsumer(world.bus, world.server.app, nodes=nobody)
        client = await nats.connect(world.bus)
        headers = {bus.HEADER_METHOD: "GET", bus.HEADER_TARGET: protocol.STATUS_PATH, bus.HEADER_FROM: "9" * 5_000}
        answer_to = bus.answer_prefix(SCHOOL, "south") + ".1"
        named = {**headers, protocol.HEADER_SCHOOL: SCHOOL, protocol.HEADER_NODE: "south"}
        question = Msg(client, bus.ask_subject(SCHOOL, "south"), answer_to, b"", named)
        await client.close()
        await server._asked(client, question)
        again = await nats.connect(world.bus)
        heard = await again.subscribe(answer_to)
        await server._asked(again, question)
        assert (await heard.next_msg(timeout=8)).headers[bus.HEADER_STATUS] == "200", "the next one is answered"
        await again.close()

    world.run(answered_too_late())


def test_what_only_the_bus_has_counts_for_nothing_waits_once_and_is_stored_when_the_server_comes(
    world: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = world.gate("south")
    world.run(gate.drain())
    before = gate.state.cursors()
    gate.journal.write(3)
    world.leave_bus()
    world.run(gate.link.aclose())
    gate.link.carrier = Carrier(world.bus, school=SCHOOL, node="south", answer_timeout_s=0.3)
    sent: list[protocol.Batch] = []
    send = gate.transport.send

    async def noted(batch: protocol.Batch) -> protocol.BatchAnswer:
        sent.append(batch)
        return await send(batch)

    monkeypatch.setattr(gate.transport, "send", noted)
    with pytest.raises(AnswerLost):
        world.run(gate.up.step())
    with pytest.raises(AnswerLost):
        world.run(gate.transport.send(sent[0]))
    assert gate.state.cursors() == before
    assert len(world.server.everything("south")) == 1 and world.run(waiting(world.bus)) == 1
    world.join_bus()

    async def stored() -> None:
        async with asyncio.timeout(30):
            while len(world.server.everything("south")) == 1:
                await asyncio.sleep(0.02)

    world.run(stored())
    world.run(gate.drain())
    assert world.server.everything("south") == gate.journal.everything()


async def waiting(url: str) -> int:
    """Batches in the stream."""
    client = await nats.connect(url)
    try:
        return int((await client.jetstream().stream_info(bus.STREAM)).state.messages)
    finally:
        await client.close()


def test_an_answer_of_more_than_four_megabytes_comes_although_the_clock_goes_on(world: SyncWorld) -> None:
    south, north = world.gate("south", batch_entries=500), world.gate("north")
    south.journal.write(2_000, note="x" * 2_500)  # more than one answer holds, in the largest that there is
    world.run(south.drain())

    def ticking(app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            world.clock.seconds += 0.01
            await app(scope, receive, send)

        return wrapped

    world.server.wrap = ticking
    assert world.run(north.pull()) is Step.MOVED
    assert sum(len(raw) for raw, _ in north.peers_rows().values()) > protocol.MAX_RELAY_BYTES * 0.99
    world.run(north.drain_down())
    assert len(north.peers_rows()) == 2_001


def test_a_directory_larger_than_a_message_goes_and_comes_in_pieces(world: SyncWorld) -> None:
    office, other = world.gate(OFFICE), world.gate("north")
    content = random.Random(1).randbytes(bus.PIECE_BYTES * 5 // 2 + 1)  # three pieces there, two back
    assert len(content) > protocol.MAX_BODY_BYTES
    digest = hashlib.sha256(content).hexdigest()
    world.run(office.transport.put_directory(content, number=1, base=0, sha256=digest))
    found = world.run(other.transport.directory(sha256=""))
    assert found.snapshot is not None and found.snapshot.content == content
    assert world.run(other.transport.directory(sha256=digest)).snapshot is None  # known: 304


def test_what_goes_ahead_of_its_turn_comes_over_the_bus_too(world: SyncWorld) -> None:
    south, north = world.gate("south", batch_entries=100), world.gate("north")
    south.journal.write(AHEAD_FROM + 200)
    south.journal.write(1, kind=Kind.CARD_LOST)
    assert world.run(south.up.step()) is Step.MOVED  # one batch; the others wait
    relay = world.run(north.transport.relay(have=north.peers.have(north.up.lost)))
    lost = max(seq for _, seq in south.journal.everything())
    assert lost in {one.seq for one in relay.ahead} and lost not in {seq for _, seq in world.server.everything("south")}
    assert north.peers.announce(relay.ahead)
    world.run(south.drain())
    assert world.server.everything("south") == south.journal.everything()


def test_a_head_is_countersigned_over_the_bus_and_a_wrong_one_is_an_alarm(
    world: SyncWorld, caplog: pytest.LogCaptureFixture
) -> None:
    gate = world.gate("south")
    gate.journal.write(3)
    world.run(gate.drain())
    heads = HeadSync(
        journal=gate.tail, state=gate.state, ask=gate.transport.countersign, key=gate.key(),
        server_key=gate.enrolment.server_key, school=SCHOOL, monotonic_s=world.clock.monotonic_s,
    )  # fmt: skip
    assert world.run(heads.step()) is Step.IDLE
    world.clock.seconds += EVERY_S
    assert world.run(heads.step()) is Step.MOVED
    assert gate.state.countersigned_through() == {("south", gate.journal.incarnation): 4}
    text = head_text(school=SCHOOL, node="south", incarnation=gate.journal.incarnation, seq=4, hash_hex="ab" * 32)
    wrong = protocol.SignedHead(
        node="south", incarnation=gate.journal.incarnation, seq=4, hash="ab" * 32, signature=gate.key().sign(text)
    )
    with pytest.raises(ServerRefused) as refused:
        world.run(gate.transport.countersign(wrong))
    assert refused.value.code == protocol.Code.OTHER_HEAD and "ALARM" in caplog.text


def test_what_swallows_a_cancellation_is_ended_all_the_same() -> None:
    """As `asyncio.wait_for` does up to Python 3.11 when the cancellation comes together with the answer."""

    async def stubborn(times: int) -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                times -= 1
                if times < 0:
                    raise

    async def end_both() -> list[bool]:
        tasks = [asyncio.create_task(stubborn(times)) for times in (0, 1)]
        await asyncio.sleep(0)
        await ended(tasks)
        return [task.cancelled() for task in tasks]

    assert asyncio.run(end_both()) == [True, True]
