"""What goes ahead of its turn: the entries that the other gates should know before a long backlog has come through.

First whatever denies something (a card reported lost, a delegate or a consent revoked), of all the days; then what was written
since the last close of a day, which is a story of its own: where every child is now. They are sent again in their turn, and
only that counts: nothing here is acknowledged, and losing all of it costs nothing but time. Reads the journal, writes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from kiosk.core.entries import Kind
from sync_agent import protocol
from sync_agent.journal_tail import JournalTail, LocalStream
from sync_agent.protocol import Sealed

AHEAD_FROM: Final = 500  # a shorter backlog is through in one batch
MOST_OF_TODAY: Final = 8_000  # a gate whose days nobody closes: the newest of them
CHUNK: Final = 1_000  # beside one batch
CHUNK_BYTES: Final = 2 * 1024 * 1024
DENIALS: Final = frozenset(
    {Kind.CARD_LOST.value, Kind.DELEGATE_REVOKED.value, Kind.CONSENT_WITHDRAWN.value, Kind.CONSENT_RENEWED.value}
)


class Place(NamedTuple):
    """Where an entry stands in the journal, in the order of writing."""

    boot: int
    seq: int


class OutOfTurn(NamedTuple):
    place: Place
    stream: LocalStream
    sealed: Sealed


class Ahead:
    """One catch-up at a time. `cursor`: how far the server has a stream."""

    def __init__(self, journal: JournalTail, cursor: Callable[[LocalStream], int]) -> None:
        self._journal, self._cursor = journal, cursor
        self._plan: deque[OutOfTurn] | None = None
        self._through = Place(0, 0)  # what was written up to there was looked at

    def next(self, waiting: int) -> list[OutOfTurn]:
        """What to send beside the next batch, behind which so many entries wait. Raises JournalUnreadable."""
        if self._plan is None:
            if waiting < AHEAD_FROM:
                return []
            self._plan = deque(self._all_denials())
            self._through = self._begin_of_today()
        self._add_what_is_new(self._plan)
        chunk: list[OutOfTurn] = []
        size = 0
        for one in self._plan:
            size += len(one.sealed.raw)
            if len(chunk) == CHUNK or (chunk and size > CHUNK_BYTES):
                break
            chunk.append(one)
        return chunk

    def sent(self, count: int, *, waiting: int) -> None:
        """The server has heard the first so many; with nothing waiting any more the catch-up is over."""
        if self._plan is None:
            return
        for _ in range(min(count, len(self._plan))):
            self._plan.popleft()
        if not waiting:
            self._plan = None

    def forget(self) -> None:
        """The server was started anew and has heard of nothing."""
        self._plan = None

    def _all_denials(self) -> list[OutOfTurn]:
        begin = self._begin_of_today()
        return [one for one in self._unsent(self._journal.of_kinds(DENIALS)) if one.place < begin]

    def _begin_of_today(self) -> Place:
        """Behind it lies what goes ahead: nothing, if nothing older would hold it up."""
        begin = max(Place(*self._journal.last_cleared()), Place(*self._journal.newest(MOST_OF_TODAY)))
        streams = self._journal.streams()
        older = sum(max(0, _end_before(begin, stream) - self._cursor(stream)) for stream in streams)
        if older >= AHEAD_FROM or not streams:
            return begin
        return Place(streams[-1].boot, streams[-1].last_seq + 1)

    def _add_what_is_new(self, plan: deque[OutOfTurn]) -> None:
        rows = self._journal.since(self._through, most=MOST_OF_TODAY)
        plan.extend(self._unsent(rows))
        if rows:
            self._through = Place(rows[-1][0], rows[-1][1] + 1)

    def _unsent(self, rows: list[tuple[int, int, bytes, bytes]]) -> list[OutOfTurn]:
        streams = {stream.boot: stream for stream in self._journal.streams()}
        return [
            OutOfTurn(Place(boot, seq), streams[boot], Sealed(raw, digest))
            for boot, seq, raw, digest in rows
            if boot in streams and seq > self._cursor(streams[boot]) and len(raw) <= protocol.MAX_ENTRY_BYTES
        ]


def _end_before(place: Place, stream: LocalStream) -> int:
    """How much of a stream was written before that place."""
    if stream.boot < place.boot:
        return stream.last_seq
    return min(stream.last_seq, place.seq - 1) if stream.boot == place.boot else 0
