"""The agent: three independent tasks - entries up, entries down, directory - and a status file beside them.

START HERE for the node's side. A task that fails waits with full jitter and tries again for ever; it never stops
another one. Trouble is logged once when it begins and once when it ends, and stands in the status file meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync_agent import protocol
from sync_agent.agent_state import (
    AgentState,
    AgentStatus,
    DirectoryStatus,
    PeerStatus,
    Problem,
    ServerBack,
    StreamStatus,
    write_status,
)
from sync_agent.backoff import FIRST_PAUSE_S, LONGEST_PAUSE_S, Backoff
from sync_agent.directory_sync import DirectorySync
from sync_agent.ending import ended
from sync_agent.enrolment import Enrolment
from sync_agent.errors import JournalUnreadable, Misconfigured, ServerRefused, ServerUnreachable, SyncError
from sync_agent.head_sync import Ask, HeadSync
from sync_agent.journal_tail import JournalTail
from sync_agent.keys import SigningKey
from sync_agent.peers import COMMIT_ENTRIES, Peers
from sync_agent.protocol import Code
from sync_agent.transports import Transport
from sync_agent.up_sync import Step, UpSync

REST: Final = 3.0  # times what a commit took, between two of them
LONGEST_REST_S: Final = 0.5
STATUS_EVERY_S: Final = 1.0  # looked at
LONGEST_UNREACHABLE_S: Final = 1.5  # between two tries to reach a server that does not answer at all
STATUS_AT_LEAST_EVERY_S: Final = 10.0  # written although nothing changed, so that a dead agent is seen

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look. The defaults are for a campus network; tests and demos hurry."""

    journal_every_s: float = 0.25
    peers_every_s: float = 1.0
    directory_every_s: float = 30.0
    compare_every_s: float = 30.0
    first_pause_s: float = FIRST_PAUSE_S
    longest_pause_s: float = LONGEST_PAUSE_S
    batch_entries: int = protocol.DEFAULT_BATCH_ENTRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this agent is. node: the name under which directory and peers are asked for. server: for people to read."""

    school: str
    node: str
    server: str
    key: SigningKey


class Agent:
    """now_ms: the computer's clock, for people. monotonic_s: for pauses. uniform: jitter."""

    def __init__(
        self,
        *,
        folder: Path,
        identity: Identity,
        transport: Transport,
        enrolment: Enrolment,
        pace: Pace,
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float],
        uniform: Callable[[float, float], float],
        countersign: Ask | None = None,
    ) -> None:
        self._folder, self._identity, self._transport, self._enrolment = folder, identity, transport, enrolment
        self._pace, self._now_ms, self._monotonic_s, self._uniform = pace, now_ms, monotonic_s, uniform
        self._journal = JournalTail(folder / "journal.db")
        self._state = AgentState(folder / "agent.db")
        self._peers = Peers(folder / "peers.db")
        self._up = UpSync(
            journal=self._journal,
            state=self._state,
            transport=transport,
            key=identity.key,
            school=identity.school,
            monotonic_s=monotonic_s,
            batch_entries=pace.batch_entries,
            compare_every_s=pace.compare_every_s,
        )
        self._heads = HeadSync(
            journal=self._journal,
            state=self._state,
            ask=countersign or _nobody,
            key=identity.key,
            server_key=enrolment.server_key,
            school=identity.school,
            monotonic_s=monotonic_s,
        )
        self._directory = DirectorySync(
            folder=folder,
            state=self._state,
            transport=transport,
            server_key=enrolment.server_key,
            school=identity.school,
        )
        self._problems: dict[str, Problem] = {}
        self._stuck_since_ms: dict[tuple[str, str], int] = {}
        self._last_contact_ms = self._remembered("last_contact_ms")
        self._shut_out_ms = self._state.shut_out_ms()
        self._asked_ms: int | None = None
        self._directory_checked_ms: int | None = None
        self._seen: list[PeerStatus] = []
        self._seen_at_ms = 0
        self._fetching = False  # more of the others is at the server
        self._forked: list[str] = []
        self._enrolling = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set; then finishes nothing, because nothing needs finishing."""
        tasks = [
            asyncio.create_task(self._keep(part, step, every_s), name=f"sync {part}")
            for part, step, every_s in (
                ("up", self._step_up, self._pace.journal_every_s),
                ("down", self._step_down, self._pace.peers_every_s),
                ("directory", self._step_directory, self._pace.directory_every_s),
                ("heads", self._heads.step, self._pace.directory_every_s),
            )
        ]
        tasks.append(asyncio.create_task(self._keep_status(), name="sync status"))
        waiting = asyncio.create_task(stop.wait(), name="sync stop")
        try:
            # A task of ours ends only by a programming error: then the process ends too and systemd starts it anew.
            done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended([waiting, *tasks])
            self._close()
        for task in done - {waiting}:
            task.result()

    def status(self) -> AgentStatus:
        """What the bar may show. Raises JournalUnreadable."""
        streams = self._up.stream_states()
        return self._status_of(streams)

    async def _keep(self, part: str, step: Callable[[], Awaitable[Step]], every_s: float) -> None:
        backoff = Backoff(uniform=self._uniform, first_s=self._pace.first_pause_s, longest_s=self._pace.longest_pause_s)
        while True:
            try:
                moved = await step()
            except SyncError as error:
                pause_s = await self._trouble(part, error, backoff)
            else:
                backoff.succeeded()
                self._all_well(part)
                pause_s = 0.0 if moved is Step.MOVED else every_s
            await asyncio.sleep(pause_s)

    async def _trouble(self, part: str, error: SyncError, backoff: Backoff) -> float:
        """Notes the trouble, enrols where that is the remedy, and says how long to wait."""
        if isinstance(error, ServerRefused) and error.code == Code.UNKNOWN_NODE:
            try:
                async with self._enrolling:
                    await self._enrol()
            except SyncError as refused:
                error = refused
            else:
                pause_s = backoff.pause_s()
                return 0.0 if backoff.failures == 1 else pause_s  # enrolled, yet refused again: do not hurry
        self._note(part, error)
        if isinstance(error, ServerRefused) and error.code == Code.REVOKED and self._shut_out_ms is None:
            self._shut_out_ms = self._now_ms()
            self._state.shut_out(self._shut_out_ms)
        if isinstance(error, JournalUnreadable):
            return self._pace.first_pause_s  # local: the controller may make the file any moment
        if isinstance(error, ServerUnreachable):
            # Burdens nobody, and counts for nothing: else the first trouble after days without a link would wait a minute.
            return self._uniform(0.0, min(LONGEST_UNREACHABLE_S, self._pace.longest_pause_s))
        return backoff.pause_s(retry_after_s=getattr(error, "retry_after_s", None))

    async def _enrol(self) -> None:
        nodes = {self._identity.node}
        # A new gate enrols and fetches the directory before its controller has ever written a journal.
        with suppress(JournalUnreadable):
            nodes |= {stream.node for stream in self._journal.streams()}
        for node in sorted(nodes):
            await self._enrolment.enrol(self._transport, school=self._identity.school, node=node)

    async def _step_up(self) -> Step:
        again = self._up.sent_again
        try:
            step = await self._up.step()
        finally:  # also where the link broke off in the middle of a comparison
            if self._up.sent_again > again:
                self._state.set_server_back(
                    ServerBack(noticed_ms=self._now_ms(), entries=self._up.sent_again - again, run=self._up.server_run)
                )
        if step is Step.MOVED:
            self._contact()
        return step

    async def _step_down(self) -> Step:
        if self._enrolment.server_key() is None:
            async with self._enrolling:
                if self._enrolment.server_key() is None:
                    await self._enrol()
        relay = await self._transport.relay(have=self._peers.have(self._up.lost))
        self._contact()
        self._asked_ms = self._now_ms()
        self._seen = self._peers_seen(relay)
        self._forked = [f"{seen.node}/{name}" for seen in relay.nodes for name in seen.forked or () if protocol.is_name(name)]
        self._say_fetching(relay.more or sum(len(one.entries) for one in relay.segments) > COMMIT_ENTRIES)
        added = 0
        for commits in (self._peers.announcing(relay.ahead), self._peers.adding(relay.segments)):
            added += await self._a_short_one_at_a_time(commits)
        self._say_fetching(relay.more and bool(added))
        return Step.MOVED if relay.more and added else Step.IDLE

    async def _a_short_one_at_a_time(self, commits: Iterator[int]) -> int:
        """The disk is the gate's first: after every commit it has it to itself, three times as long as that took."""
        added, began_s = 0, self._monotonic_s()
        for count in commits:
            added += count
            await asyncio.sleep(min(LONGEST_REST_S, REST * (self._monotonic_s() - began_s)))
            began_s = self._monotonic_s()
        return added

    def _say_fetching(self, fetching: bool) -> None:
        """At once: the gate takes what it finds for a part of the story only if it knows that there is more of it."""
        begins, self._fetching = fetching and not self._fetching, fetching
        if begins:
            with suppress(JournalUnreadable):
                write_status(self._folder, self.status())

    def _peers_seen(self, relay: protocol.Relay) -> list[PeerStatus]:
        """A server that was started anew has heard of nobody yet: what it said before holds, and grows older."""
        before = {peer.node: peer for peer in self._seen}
        since_s = (relay.server_now_ms - self._seen_at_ms) / 1000
        self._seen_at_ms = relay.server_now_ms
        found = []
        for seen in (one for one in relay.nodes if one.node != self._identity.node):
            known = before.get(seen.node)
            if seen.last_contact_ms is not None:
                ago_s: float | None = max(0.0, (relay.server_now_ms - seen.last_contact_ms) / 1000)
            else:
                ago_s = None if known is None or known.seen_s_ago is None else known.seen_s_ago + max(0.0, since_s)
            found.append(PeerStatus(node=seen.node, seen_s_ago=ago_s, waiting=seen.waiting))
        return found

    async def _step_directory(self) -> Step:
        step = await self._directory.step()
        self._contact()
        self._directory_checked_ms = self._now_ms()
        return step

    async def _keep_status(self) -> None:
        before: AgentStatus | None = None
        written_s = float("-inf")
        while True:
            try:
                now = self.status()
                late = self._monotonic_s() - written_s >= STATUS_AT_LEAST_EVERY_S
                if before is None or late or _differs(now, before):
                    write_status(self._folder, now)
                    before, written_s = now, self._monotonic_s()
                    if self._last_contact_ms is not None and late:
                        self._state.set_fact("last_contact_ms", str(self._last_contact_ms))
                self._all_well("status")
            except SyncError as error:
                self._note("status", error)
            await asyncio.sleep(min(STATUS_EVERY_S, self._pace.peers_every_s))

    def _status_of(self, streams: list[StreamStatus]) -> AgentStatus:
        return AgentStatus(
            written_ms=self._now_ms(),
            server=self._identity.server,
            node=self._identity.node,
            waiting=sum(stream.last_seq - stream.durable_through for stream in streams),
            quarantined=self._state.quarantined(),
            last_contact_ms=self._last_contact_ms,
            asked_ms=self._asked_ms,
            streams=streams,
            peers=self._seen,
            directory=self._directory_status(),
            problems=[*self._problems.values(), *self._stuck_streams()],
            server_back=self._state.server_back(),
            fetching=self._fetching,
            forked=self._forked,
            own_known=self._up.own_known,
            shut_out_ms=self._shut_out_ms,
        )

    def _directory_status(self) -> DirectoryStatus:
        return self._directory.status(checked_ms=self._directory_checked_ms)

    def _stuck_streams(self) -> list[Problem]:
        """Trouble of single streams; the others go on, so it is not the task's own."""
        now_ms = self._now_ms()
        self._stuck_since_ms = {name: self._stuck_since_ms.get(name, now_ms) for name in self._up.stuck}
        return [
            Problem(part="up", kind=type(error).__name__, message=str(error), since_ms=self._stuck_since_ms[name])
            for name, error in self._up.stuck.items()
        ]

    def _contact(self) -> None:
        """The server has taken something that this gate signed."""
        self._last_contact_ms = self._now_ms()
        if self._shut_out_ms is not None:
            self._state.let_in()
            self._shut_out_ms = None

    def _note(self, part: str, error: SyncError) -> None:
        kind = type(error).__name__
        known = self._problems.get(part)
        if known is None or known.kind != kind:
            log.warning("%s: %s", part, error)  # once, not at every try
        since_ms = self._now_ms() if known is None else known.since_ms
        self._problems[part] = Problem(part=part, kind=kind, message=str(error), since_ms=since_ms)

    def _all_well(self, part: str) -> None:
        if self._problems.pop(part, None) is not None:
            log.warning("%s: works again", part)

    def _remembered(self, name: str) -> int | None:
        text = self._state.fact(name)
        return int(text) if text is not None and text.isdigit() else None

    def _close(self) -> None:
        if self._last_contact_ms is not None:
            self._state.set_fact("last_contact_ms", str(self._last_contact_ms))
        self._journal.close()
        self._peers.close()
        self._state.close()


async def _nobody(head: protocol.SignedHead) -> protocol.HeadAnswer:
    """A transport without countersignatures: as a server that does not know the request."""
    raise ServerRefused("nobody countersigns here", status=404, code=Code.NOT_FOUND)


def node_of(journal: JournalTail) -> str:
    """The name of the newest incarnation. Raises JournalUnreadable while there is none, Misconfigured for a bad name."""
    streams = journal.streams()
    if not streams:
        raise JournalUnreadable("journal.db holds no incarnation yet; the gate's controller opens one when it starts")
    for stream in streams:
        if not protocol.is_name(stream.node) or not protocol.is_name(stream.incarnation):
            raise Misconfigured(
                f"the journal names {stream.node!r}/{stream.incarnation!r}; names are 1 to 64 of A-Z a-z 0-9 . _ -"
            )
    return streams[-1].node


def _differs(now: AgentStatus, before: AgentStatus) -> bool:
    """Whether a reader would see anything new. That time has passed is no news; it is written every ten seconds."""
    return _news(now) != _news(before)


def _news(status: AgentStatus) -> tuple[object, ...]:
    return (
        status.waiting,
        status.quarantined,
        status.last_contact_ms is None,
        status.streams,
        [(peer.node, peer.seen_s_ago is None, peer.waiting > 0) for peer in status.peers],
        status.fetching,
        status.own_known,
        status.directory.number,
        status.directory.state,
        status.problems,
        status.server_back,
        status.forked,
        status.shut_out_ms,
    )
