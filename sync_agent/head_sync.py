"""Has the gate's heads countersigned: every five minutes or 500 entries, and once for the last entry of an ended incarnation.

Only what the server has acknowledged is signed. What comes back is checked and kept in agent.db, where `kiosk verify` finds it.
It holds up nothing: the entries themselves go their own way. A server that does not know this request is not asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from kiosk.core.heads import Countersigned, head_text
from sync_agent import protocol
from sync_agent.agent_state import AgentState
from sync_agent.errors import JournalUnreadable, ServerFailed, ServerRefused, StreamDamaged
from sync_agent.journal_tail import JournalTail, LocalStream
from sync_agent.keys import SigningKey, verify
from sync_agent.protocol import Code
from sync_agent.up_sync import Step

EVERY_S: Final = 300.0
EVERY_ENTRIES: Final = 500
Ask = Callable[[protocol.SignedHead], Awaitable[protocol.HeadAnswer]]

log = logging.getLogger(__name__)


class HeadSync:
    """ask: one request to the server. monotonic_s: for the five minutes."""

    def __init__(
        self,
        *,
        journal: JournalTail,
        state: AgentState,
        ask: Ask,
        key: SigningKey,
        server_key: Callable[[], str | None],
        school: str,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._journal, self._state, self._ask, self._key = journal, state, ask, key
        self._server_key, self._school, self._monotonic_s = server_key, school, monotonic_s
        self._asked_at_s: dict[tuple[str, str], float] = {}
        self._refused: set[tuple[str, str]] = set()  # until the next start: a person has to look
        self._not_before_s: dict[tuple[str, str], float] = {}
        self._unknown = False

    async def step(self) -> Step:
        """One head at most. Raises SyncError."""
        server_key = self._server_key()
        if self._unknown or server_key is None:
            return Step.IDLE
        try:
            return await self._next(server_key)
        except (JournalUnreadable, StreamDamaged):
            return Step.IDLE  # what sends the entries says so

    async def _next(self, server_key: str) -> Step:
        streams, cursors, have = self._journal.streams(), self._state.cursors(), self._state.countersigned_through()
        for index, stream in enumerate(streams):
            name = (stream.node, stream.incarnation)
            # As far as the journal has it: `kiosk verify` finds in the journal whatever was countersigned.
            through = min(cursors.get(name, 0), stream.written)
            ended = index < len(streams) - 1 and through == stream.written
            if name not in self._refused and self._is_due(name, fresh=through - have.get(name, 0), ended=ended):
                await self._one(stream, through, server_key)
                return Step.MOVED
        return Step.IDLE

    def _is_due(self, name: tuple[str, str], *, fresh: int, ended: bool) -> bool:
        if fresh <= 0 or self._monotonic_s() < self._not_before_s.get(name, float("-inf")):
            return False
        asked_s = self._asked_at_s.setdefault(name, self._monotonic_s())
        return ended or fresh >= EVERY_ENTRIES or self._monotonic_s() - asked_s >= EVERY_S

    async def _one(self, stream: LocalStream, seq: int, server_key: str) -> None:
        name = (stream.node, stream.incarnation)
        hash_hex = self._journal.hash_at(stream, seq).hex()
        text = head_text(school=self._school, node=stream.node, incarnation=stream.incarnation, seq=seq, hash_hex=hash_hex)
        head = protocol.SignedHead(
            node=stream.node, incarnation=stream.incarnation, seq=seq, hash=hash_hex, signature=self._key.sign(text)
        )
        try:
            answer = await self._ask(head)
        except ServerRefused as refusal:
            self._not_given(name, refusal)
            return
        said = Countersigned(
            school=self._school,
            node=stream.node,
            incarnation=stream.incarnation,
            seq=seq,
            hash=hash_hex,
            seen_ms=answer.seen_ms,
            signature=answer.countersignature,
        )
        if not verify(public_hex=server_key, text=said.text(), signature=said.signature):
            raise ServerFailed("the countersignature is not that of the server that this node is enrolled with")
        self._state.keep_countersigned(said)
        self._asked_at_s[name] = self._monotonic_s()

    def _not_given(self, name: tuple[str, str], refusal: ServerRefused) -> None:
        """A server of an earlier version; entries that it has lost and gets again; or another chain, which it has said aloud."""
        if refusal.code == Code.NOT_FOUND:
            self._unknown = True
        elif refusal.code == Code.OTHER_HEAD:
            log.error("the server has another record of %s/%s: %s", *name, refusal)
            self._refused.add(name)
        elif refusal.code == Code.HOLE:
            self._not_before_s[name] = self._monotonic_s() + EVERY_S
        else:
            raise refusal
