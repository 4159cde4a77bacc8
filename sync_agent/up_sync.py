"""Sends what the journal holds and the server has not got: one batch at a time, oldest first, nothing skipped.

The server's `durable_through` is the truth and ours is a cache of it; where they differ the lower one wins and
entries are sent again, which is harmless because the server knows each by node, incarnation and number.
This never writes the journal, never waits and never drops an entry; the caller decides when to step again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from msgspec.structs import replace

from sync_agent import protocol
from sync_agent.agent_state import AgentState, StreamStatus
from sync_agent.ahead import Ahead, OutOfTurn
from sync_agent.bisection import Bisection
from sync_agent.errors import AnswerLost, ServerBroke, ServerFailed, ServerRefused, StreamDamaged, SyncError
from sync_agent.journal_tail import JournalTail, LocalStream
from sync_agent.keys import SigningKey
from sync_agent.protocol import Code, Sealed, Verdict
from sync_agent.transports import Transport

COMPARE_EVERY_S: Final = 30.0  # how often the server is asked what it has: a restored server is noticed this late
_REWINDS = (Code.HOLE, Code.FORK_POINT_UNKNOWN)
_BREAKS = (Code.MALFORMED, Code.TOO_LARGE)
_ABOUT_THE_NODE = (Code.UNKNOWN_NODE, Code.BAD_SIGNATURE, Code.REVOKED, Code.UNSUPPORTED_VERSION)

log = logging.getLogger(__name__)


class Step(Enum):
    """What a step did. MOVED: step again at once. IDLE: nothing to do now."""

    MOVED = "moved"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A batch that left and was not answered."""

    stream: LocalStream
    first_seq: int
    count: int


class UpSync:
    """One gate's outbox. Not for several tasks: one batch is in flight at a time."""

    def __init__(
        self,
        *,
        journal: JournalTail,
        state: AgentState,
        transport: Transport,
        key: SigningKey,
        school: str,
        monotonic_s: Callable[[], float],
        batch_entries: int = protocol.DEFAULT_BATCH_ENTRIES,
        compare_every_s: float = COMPARE_EVERY_S,
    ) -> None:
        self._journal, self._state, self._transport, self._key = journal, state, transport, key
        self._school, self._monotonic_s = school, monotonic_s
        self._most = min(batch_entries, protocol.MAX_BATCH_ENTRIES)
        self._compare_every_s, self._compared_at_s = compare_every_s, float("-inf")
        self._cursors = state.cursors()
        self._bisection = Bisection()
        self._suspect: tuple[str, str] | None = None  # the stream that the bisection is about
        self.server_run = ""  # the start of the server that was spoken to last
        self._doubt: _Doubt | None = None
        self._rewound: tuple[tuple[str, str], int] | None = None
        self._resting: set[tuple[str, str]] = set()
        self._ahead = Ahead(journal, self._cursor)
        self.stuck: dict[tuple[str, str], SyncError] = {}  # streams that cannot be sent on, and why
        self.sent_again = 0  # entries that the server had and has no more: it went back to an older copy
        self.lost: dict[tuple[str, str], int] = {}  # our own streams, as far as the server has them and this disk has not

    async def step(self) -> Step:
        """One comparison or one batch. Raises SyncError; whatever it raises, nothing is lost by calling it again."""
        if self._doubt is not None:
            await self._settle_doubt(self._doubt)
        if self._monotonic_s() - self._compared_at_s >= self._compare_every_s:
            await self.compare()
        for stream in self._journal.streams():
            if self._cursor(stream) < stream.last_seq and _name(stream) not in self._resting:
                try:
                    return await self._send_from(stream)
                except StreamDamaged as error:
                    self._rest(stream, error)
                except ServerRefused as refusal:
                    if refusal.code in _ABOUT_THE_NODE:
                        raise
                    self._rest(stream, refusal)
        return Step.IDLE

    async def compare(self) -> None:
        """Asks the server what it has of this gate and goes back to that where it is less than we thought."""
        for node in sorted({stream.node for stream in self._journal.streams()}):
            status = await self._transport.status(node)
            if status.run != self.server_run:
                self._ahead.forget()
            self.server_run = status.run
            theirs = {found.incarnation: found for found in status.streams if found.node == node}
            ours = {stream.incarnation: stream for stream in self._journal.streams() if stream.node == node}
            for stream in ours.values():
                await self._compare_stream(stream, theirs.get(stream.incarnation))
            for incarnation, found in theirs.items():
                here = ours.get(incarnation)
                self._note_lost(found, 0 if here is None else here.last_seq)
        self._compared_at_s = self._monotonic_s()
        self._resting.clear()

    @property
    def own_known(self) -> bool | None:
        """Whether this disk has all that the server has of us, as last compared; None before the first comparison."""
        return None if self._compared_at_s == float("-inf") else not self.lost

    def stream_states(self) -> list[StreamStatus]:
        """For the bar and the command line, from the journal and the cursors."""
        return stream_states(self._journal, self._cursors)

    def _rest(self, stream: LocalStream, error: SyncError) -> None:
        """This stream cannot go on; others must not wait for it. It is tried again after the next comparison."""
        if _name(stream) not in self.stuck:
            log.error("%s/%s cannot be sent on: %s", *_name(stream), error)
        self._resting.add(_name(stream))
        self.stuck[_name(stream)] = error

    async def _compare_stream(self, stream: LocalStream, theirs: protocol.StreamState | None) -> None:
        durable = 0 if theirs is None else theirs.durable_through
        cursor = self._cursor(stream)
        if theirs is not None:
            self._state.set_quarantined((stream.node, stream.incarnation), count=theirs.quarantined)
        if durable >= cursor:
            return  # it may have stored a batch whose answer was lost; sending that again compares the hashes
        if theirs is not None and theirs.forked and await self._branch_is_stored(stream, cursor):
            return
        log.warning("the server has %s/%s only to %d, not %d: sending again", *_name(stream), durable, cursor)
        self.sent_again += cursor - durable
        self._move(stream, durable)

    def _note_lost(self, theirs: protocol.StreamState, last_seq: int) -> None:
        """More of us at the server than on this disk: it went back to an older copy. What is gone here is fetched again."""
        name = (theirs.node, theirs.incarnation)
        if theirs.durable_through <= last_seq:
            self.lost.pop(name, None)
            return
        if name not in self.lost:
            log.warning("this disk has %s/%s to %d, the server to %d: fetching it back", *name, last_seq, theirs.durable_through)
        self.lost[name] = theirs.durable_through

    async def _branch_is_stored(self, stream: LocalStream, cursor: int) -> bool:
        """In a forked stream `durable_through` speaks of the other branch; an empty batch asks about ours."""
        try:
            answer = await self._transport.send(self._batch(stream, cursor, []))
        except ServerRefused as refusal:
            if refusal.code in _REWINDS:
                return False
            raise
        return answer.durable_through >= cursor

    async def _send_from(self, stream: LocalStream) -> Step:
        cursor = self._cursor(stream)
        entries = self._next_entries(stream, cursor)
        first_seq = cursor + 1
        waiting = self._waiting(stream) - len(entries)
        out_of_turn = self._ahead.next(waiting)
        try:
            answer = await self._transport.send(self._with_ahead(self._batch(stream, cursor, entries), out_of_turn, waiting))
        except ServerRefused as refusal:
            return self._refused(stream, refusal, first_seq=first_seq, entries=entries)
        except ServerBroke:
            self._broke(stream, first_seq=first_seq, count=len(entries))
            raise
        except (AnswerLost, ServerFailed):
            self._doubt = _Doubt(stream, first_seq, len(entries))
            raise
        self._ahead.sent(len(out_of_turn), waiting=waiting)
        return self._accept(stream, answer, cursor, len(entries))

    def _next_entries(self, stream: LocalStream, cursor: int) -> list[Sealed]:
        bisection = self._bisection_of(stream)
        size = bisection.size(cursor=cursor, most=self._most)
        entries = self._journal.read(stream, after_seq=cursor, max_entries=size, max_bytes=protocol.SOFT_BATCH_BYTES)
        if bisection.unread and len(entries) == 1:
            return [entries[0]._replace(unread=True)]
        return entries

    def _batch(self, stream: LocalStream, cursor: int, entries: list[Sealed]) -> protocol.Batch:
        return signed_batch(
            school=self._school,
            stream=_name(stream),
            first_seq=cursor + 1,
            prev_hash=self._journal.hash_at(stream, cursor),
            entries=entries,
            key=self._key,
        )

    def _waiting(self, stream: LocalStream) -> int:
        return sum(one.last_seq - self._cursor(one) for one in self._journal.streams() if one.node == stream.node)

    def _with_ahead(self, batch: protocol.Batch, out_of_turn: list[OutOfTurn], waiting: int) -> protocol.Batch:
        """The same batch, and beside it what the others should know before the rest has come through."""
        chosen = [one for one in out_of_turn if one.stream.node == batch.node]
        if not chosen:
            return replace(batch, waiting=max(0, waiting))
        sealed = [one.sealed for one in chosen]
        ahead = [
            protocol.announced(one.sealed, node=one.stream.node, incarnation=one.stream.incarnation, seq=one.place.seq)
            for one in chosen
        ]
        text = protocol.ahead_text(school=self._school, node=batch.node, entries=ahead, sealed=sealed)
        return replace(batch, waiting=max(0, waiting), ahead=ahead, ahead_signature=self._key.sign(text))

    def _accept(self, stream: LocalStream, answer: protocol.BatchAnswer, cursor: int, count: int) -> Step:
        aside = [found for found in answer.verdicts if found.verdict in (Verdict.QUARANTINED, Verdict.FORKED)]
        if aside:
            first = aside[0]
            log.warning(
                "the server set %d entries aside, the first %s/%s/%d: %s", len(aside), *_name(stream), first.seq, first.reason
            )
        # Never beyond what was just compared: what the server holds there may be another branch's.
        durable = min(answer.durable_through, cursor + count)
        self._move(stream, durable)
        if durable <= cursor:
            raise ServerFailed(f"the server took {stream.node}/{stream.incarnation}/{cursor + 1} but does not count it")
        self._bisection = self._bisection_of(stream).stored(through=durable)
        self.stuck.pop(_name(stream), None)
        return Step.MOVED

    def _refused(self, stream: LocalStream, refusal: ServerRefused, *, first_seq: int, entries: list[Sealed]) -> Step:
        if refusal.code in _REWINDS and refusal.durable_through is not None:
            if refusal.durable_through < first_seq - 1:
                again, self._rewound = (_name(stream), first_seq) == self._rewound, (_name(stream), first_seq)
                if refusal.code == Code.HOLE and not again:
                    self._compared_at_s = float("-inf")  # it has less than it had: the comparison says so, and counts it
                    return Step.MOVED
                log.warning("the server wants %s/%s again from %d", *_name(stream), refusal.durable_through + 1)
                self._move(stream, refusal.durable_through)
                if not again:
                    return Step.MOVED  # a second time from the same place is not hurried
        elif refusal.code in _BREAKS and not entries[0].unread:
            self._broke(stream, first_seq=first_seq, count=len(entries))
            return Step.MOVED
        raise refusal

    async def _settle_doubt(self, doubt: _Doubt) -> None:
        """Was it the batch or the weather? Only a server that was started anew, and has not got it, fell over it."""
        status = await self._transport.status(doubt.stream.node)
        self._doubt = None
        before, self.server_run = self.server_run, status.run
        if before in ("", status.run):
            return
        found = [theirs for theirs in status.streams if (theirs.node, theirs.incarnation) == _name(doubt.stream)]
        durable = found[0].durable_through if found else 0
        if durable < doubt.first_seq + doubt.count - 1:
            self._broke(doubt.stream, first_seq=doubt.first_seq, count=doubt.count)

    def _broke(self, stream: LocalStream, *, first_seq: int, count: int) -> None:
        self._bisection = self._bisection_of(stream).broke(first_seq=first_seq, count=count)
        self._suspect = (stream.node, stream.incarnation)
        log.warning("the server failed on %s/%s/%d and the %d after it: sending less", *_name(stream), first_seq, count - 1)

    def _bisection_of(self, stream: LocalStream) -> Bisection:
        return self._bisection if self._suspect == (stream.node, stream.incarnation) else Bisection()

    def _cursor(self, stream: LocalStream) -> int:
        return min(self._cursors.get((stream.node, stream.incarnation), 0), stream.last_seq)

    def _move(self, stream: LocalStream, durable_through: int) -> None:
        key = (stream.node, stream.incarnation)
        self._state.set_cursor(key, durable_through=durable_through)
        self._cursors[key] = durable_through


def signed_batch(
    *, school: str, stream: tuple[str, str], first_seq: int, prev_hash: bytes, entries: Sequence[Sealed], key: SigningKey
) -> protocol.Batch:
    """A run of one stream (node, incarnation) as it is sent."""
    node, incarnation = stream
    head_hash = entries[-1].hash if entries else prev_hash
    text = protocol.batch_text(
        school=school,
        node=node,
        incarnation=incarnation,
        first_seq=first_seq,
        prev_hash=prev_hash,
        count=len(entries),
        head_hash=head_hash,
        content_sha256=protocol.content_digest(entries),
    )
    return protocol.Batch(
        node=node,
        incarnation=incarnation,
        first_seq=first_seq,
        prev_hash=prev_hash.hex(),
        entries=[protocol.pack(sealed) for sealed in entries],
        head_hash=head_hash.hex(),
        signature=key.sign(text),
    )


def stream_states(journal: JournalTail, cursors: dict[tuple[str, str], int]) -> list[StreamStatus]:
    """Every incarnation with how much of it the server is known to hold."""
    return [
        StreamStatus(
            node=stream.node,
            incarnation=stream.incarnation,
            last_seq=stream.last_seq,
            durable_through=min(cursors.get((stream.node, stream.incarnation), 0), stream.last_seq),
        )
        for stream in journal.streams()
    ]


def _name(stream: LocalStream) -> tuple[str, str]:
    return stream.node, stream.incarnation
