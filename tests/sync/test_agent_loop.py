"""The agent as a whole: three tasks that fail apart, pauses, enrolment by itself, and what the bar is told."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.entries import GENESIS, Fact, Kind, Stream
from sync_agent import protocol
from sync_agent.agent import Agent, Identity, Pace
from sync_agent.agent_state import AgentStatus, read_status
from sync_agent.backoff import FIRST_PAUSE_S, LONGEST_PAUSE_S, Backoff
from sync_agent.enrolment import Enrolment
from sync_agent.keys import load_or_create
from sync_agent.node_keys import NodeKeys
from sync_agent.school_server.enrolling import new_code
from sync_agent.transports.http import Caller
from sync_agent.up_sync import signed_batch
from tests.support.journals import MONDAY_MS
from tests.support.sync_requests import post
from tests.support.sync_world import CODE, SCHOOL, Gate, SyncWorld

CARRIERS = ("http", "nats")  # one suite for every way to the server
BRISK = Pace(
    journal_every_s=0.01,
    peers_every_s=0.02,
    directory_every_s=0.02,
    compare_every_s=0.05,
    first_pause_s=0.01,
    longest_pause_s=0.02,
    batch_entries=10,
)
WAIT_S = 30.0


async def live(gate: Gate, until: Callable[[AgentStatus], Any], *, code: str = CODE, pace: Pace = BRISK) -> AgentStatus:
    """Runs the agent until its status file satisfies `until`, and stops it."""
    key = load_or_create(gate.folder / "keys" / "node.key")
    caller = Caller(school=SCHOOL, node=gate.node, key=key)
    clock = gate.server.clock
    async with gate.new_transport(caller) as transport:
        agent = Agent(
            folder=gate.folder,
            identity=Identity(school=SCHOOL, node=gate.node, server="http://server", key=key),
            transport=transport,
            enrolment=Enrolment(folder=gate.folder / "keys", key=key, code=code),
            pace=pace,
            now_ms=clock.now_ms,
            monotonic_s=time.monotonic,
            uniform=random.Random(1).uniform,
        )
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        try:
            return await asyncio.wait_for(_watch(gate, until, running), WAIT_S)
        finally:
            stop.set()
            await running


async def _watch(gate: Gate, until: Callable[[AgentStatus], Any], running: Awaitable[None]) -> AgentStatus:
    while True:
        await asyncio.sleep(0.02)
        status = read_status(gate.folder)
        if status is not None and until(status):
            return status
        assert not asyncio.ensure_future(running).done()


def problems(status: AgentStatus) -> dict[str, str]:
    return {problem.part: problem.kind for problem in status.problems}


class Refuses:
    """The server behind something that answers one path with a fixed answer."""

    def __init__(self, method: str, path: str, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self.where, self.status, self.body, self.headers = (method, path), status, body, headers
        self.times = 0

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if (scope["method"], scope["path"]) != self.where:
                await app(scope, receive, send)
                return
            self.times += 1
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            await send({"type": "http.response.body", "body": self.body})

        return wrapped


def test_a_node_with_the_code_enrols_by_itself_and_sends(world: SyncWorld) -> None:
    gate = world.gate("south", enrolled=False)
    gate.journal.write(25)
    status = world.run(live(gate, lambda s: s.waiting == 0 and s.streams))
    assert world.server.everything("south") == gate.journal.everything()
    assert (status.node, status.last_contact_ms, problems(status)) == ("south", world.clock.now_ms(), {})


def test_a_node_without_the_code_keeps_everything_and_says_what_to_do(world: SyncWorld) -> None:
    gate = world.gate("south", enrolled=False)
    status = world.run(live(gate, lambda s: problems(s).get("up") == "NotEnrolled", code=""))
    assert all("--code" in problem.message for problem in status.problems if problem.kind == "NotEnrolled")
    assert status.waiting == 1


def test_when_entries_cannot_go_up_others_still_come_down(world: SyncWorld) -> None:
    south, north = world.gate("south"), world.gate("north")
    north.journal.write(3)
    world.run(north.drain())
    world.server.wrap = Refuses("POST", protocol.ENTRIES_PATH, 502, b"bad gateway", [])
    status = world.run(live(south, lambda s: problems(s).get("up") == "ServerFailed" and s.peers))
    assert len(south.peers_rows()) == 4
    assert [(peer.node, peer.seen_s_ago) for peer in status.peers] == [("north", 0.0)]
    assert status.waiting == 1


def test_when_nothing_comes_down_entries_still_go_up(world: SyncWorld) -> None:
    gate = world.gate("south")
    world.server.wrap = Refuses("GET", protocol.ENTRIES_PATH, 200, b"<html>", [])
    status = world.run(live(gate, lambda s: s.waiting == 0 and "down" in problems(s)))
    assert problems(status) == {"down": "ServerFailed"}


def test_a_server_that_asks_for_a_pause_is_not_asked_again_meanwhile(world: SyncWorld) -> None:
    gate = world.gate("south")
    busy = Refuses("POST", protocol.ENTRIES_PATH, 503, b"{}", [(b"retry-after", b"60")])
    world.server.wrap = busy
    world.run(live(gate, lambda s: problems(s).get("up") == "ServerBusy" and s.asked_ms))
    assert busy.times == 1


def test_the_bar_is_told_again_when_all_is_well_again(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.link.faults = ["cut"] * 30
    seen: list[AgentStatus] = []

    def troubled_then_well(status: AgentStatus) -> bool:
        seen.append(status)
        return not status.problems and status.waiting == 0

    world.run(live(gate, troubled_then_well))
    assert problems(seen[0]) and seen[0].waiting == 1


def test_a_gate_without_a_journal_is_a_named_state_and_not_an_end(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.close()
    for file in gate.folder.glob("journal.db*"):
        file.unlink()

    def written(status: AgentStatus) -> bool:
        raise AssertionError(status)  # nothing is claimed about a journal that is not there

    async def a_while() -> None:
        with_timeout = live(gate, written)
        try:
            await asyncio.wait_for(with_timeout, 0.3)
        except TimeoutError:
            return

    world.run(a_while())
    gate.journal = type(gate.journal)(gate.folder, "south")
    world.run(live(gate, lambda s: s.waiting == 0 and s.streams))
    assert world.server.everything("south") == gate.journal.everything()


def test_a_status_file_that_is_not_ours_is_no_status(world: SyncWorld) -> None:
    gate = world.gate("south")
    for junk in (b"", b"{", b"[]", b'{"waiting":"many"}', b"\xff"):
        (gate.folder / "sync_status.json").write_bytes(junk)
        assert read_status(gate.folder) is None


def test_a_status_of_a_later_version_is_read_as_far_as_it_is_known(world: SyncWorld) -> None:
    gate = world.gate("south")
    status = world.run(live(gate, lambda s: s.waiting == 0))
    later = msgspec.json.decode(msgspec.json.encode(status)) | {"invented_later": {"x": 1}}
    (gate.folder / "sync_status.json").write_bytes(msgspec.json.encode(later))
    assert read_status(gate.folder) == status


@given(jitter=st.floats(0, 1), failures=st.integers(1, 200), retry_after=st.none() | st.floats(0, 600))
def test_a_pause_is_jittered_bounded_and_never_shorter_than_asked(
    jitter: float, failures: int, retry_after: float | None
) -> None:
    backoff = Backoff(uniform=lambda low, high: low + (high - low) * jitter)
    for _ in range(failures):
        pause_s = backoff.pause_s(retry_after_s=retry_after)
        assert (retry_after or 0) <= pause_s <= (retry_after or 0) + LONGEST_PAUSE_S
    backoff.succeeded()
    assert backoff.pause_s() <= FIRST_PAUSE_S


def test_a_server_put_back_to_before_the_enrolment_enrols_the_node_again(world: SyncWorld) -> None:
    world.server.keep_copy(world.folder / "before")
    gate = world.gate("south")
    gate.journal.write(3)
    world.run(gate.drain())
    world.server.restore(world.folder / "before")
    gate.journal.write(1)
    world.run(live(gate, lambda s: s.waiting == 0 and world.server.everything("south")))
    assert world.server.everything("south") == gate.journal.everything()


def test_a_stream_that_cannot_go_on_stands_among_the_problems(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(3)
    gate.journal.lose(2)
    gate.journal.boot()
    status = world.run(live(gate, lambda s: s.waiting == 3 and s.problems))
    assert [(one.part, one.kind) for one in status.problems] == [("up", "StreamDamaged")]


def test_a_gate_that_the_office_has_revoked_says_since_when_and_is_silent_once_it_is_let_in(world: SyncWorld) -> None:
    gate = world.gate("south")
    world.run(gate.drain())
    identities = world.server.store.identities
    identities.revoke(school=SCHOOL, node="south", why="stolen", at_ms=world.clock.now_ms())
    gate.journal.write(3)
    noticed = world.clock.now_ms()
    status = world.run(live(gate, lambda s: s.shut_out_ms is not None and {"up", "down"} <= set(problems(s))))
    assert (status.shut_out_ms, status.waiting) == (noticed, 3)
    gate.restart_agent()
    world.clock.seconds += 100
    assert world.run(live(gate, lambda s: problems(s))).shut_out_ms == noticed, "it is the same case after a restart"
    shown, kept = new_code(school=SCHOOL, node="south", now_ms=world.clock.now_ms(), hours=1, replaces=True)
    identities.keep_code(kept)
    keys = NodeKeys(gate.folder / "keys")
    again = Enrolment(folder=gate.folder / "keys", key=keys.prepare_next(), code=shown)
    world.run(again.enrol(gate.transport, school=SCHOOL, node="south"))
    keys.adopt_next()
    status = world.run(live(gate, lambda s: s.waiting == 0 and s.shut_out_ms is None))
    assert world.server.everything("south") == gate.journal.everything()
    assert gate.state.shut_out_ms() is None


def test_a_server_that_went_back_is_told_of_and_remembered(world: SyncWorld) -> None:
    gate = world.gate("south")
    world.run(gate.drain())
    world.server.keep_copy(world.folder / "yesterday")
    gate.journal.write(7)
    world.run(gate.drain())
    world.server.restore(world.folder / "yesterday")
    status = world.run(live(gate, lambda s: s.server_back is not None and s.waiting == 0))
    assert status.server_back is not None and status.server_back.entries == 7
    assert world.server.everything("south") == gate.journal.everything()
    gate.restart_agent()
    assert gate.state.server_back() == status.server_back


def test_a_server_that_goes_back_between_two_comparisons_is_told_of_when_it_refuses_what_comes_next(world: SyncWorld) -> None:
    gate = world.gate("south")
    world.run(gate.drain())
    world.server.keep_copy(world.folder / "yesterday")
    gate.journal.write(7)
    went_back = False

    def noticed(status: AgentStatus) -> bool:
        nonlocal went_back
        if not went_back and status.streams and status.waiting == 0:  # it has compared once, at its start
            went_back = True
            world.server.restore(world.folder / "yesterday")
            gate.journal.write(1)
        return went_back and status.server_back is not None and status.waiting == 0

    status = world.run(live(gate, noticed, pace=replace(BRISK, compare_every_s=3_600)))
    assert status.server_back is not None and status.server_back.entries == 7 and status.server_back.run
    assert world.server.everything("south") == gate.journal.everything()


def test_two_versions_of_a_record_are_told_to_every_gate_with_the_name_of_the_stream(world: SyncWorld) -> None:
    gate, other = world.gate("south"), world.gate("north")
    gate.journal.write(3)
    world.run(gate.drain())
    other_chain = Stream(node="south", incarnation=gate.journal.incarnation)
    sealed = [other_chain.seal(Fact(Kind.SEEN, {"child": 7}), at_ms=MONDAY_MS, trusted=True) for _ in range(2)]
    name, entries = ("south", gate.journal.incarnation), [protocol.Sealed(one.raw, one.hash) for one in sealed]
    batch = signed_batch(school=SCHOOL, stream=name, first_seq=1, prev_hash=GENESIS, entries=entries, key=gate.key())
    assert post(world, msgspec.json.encode(batch)).status_code == 200
    stream = f"south/{gate.journal.incarnation}"
    for one in (gate, other):
        assert world.run(live(one, lambda s: s.forked)).forked == [stream]
