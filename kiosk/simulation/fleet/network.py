"""The way between gates and school server: cut off, lost, eaten, doubled, or so late that nobody waits for it any more.

A `Line` is the transport that the product's own sync code is given. Every message crosses as the exact bytes of the protocol.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

import msgspec

from kiosk.simulation.fleet.school_server import SchoolServer
from sync_agent import protocol
from sync_agent.errors import AnswerLost, ServerBusy, ServerRefused, ServerUnreachable
from sync_agent.school_server.refusals import STATUS_OF, Refused
from sync_agent.school_server.store import StoreUnavailable
from sync_agent.transports import DirectoryAnswer

T = TypeVar("T")
LATE_MS = (20_000, 240_000, 2_400_000)  # how late what nobody waits for still arrives


class Network:
    """`cut`: gates without a link. What was sent twice or came too late waits in `late` for its time."""

    def __init__(self, server: SchoolServer, now_ms: Callable[[], int]) -> None:
        self.server, self._now_ms = server, now_ms
        self.cut: set[int] = set()
        self.late: list[tuple[int, int, bytes]] = []
        self._order = count()

    def line(self, gate: int, node: str) -> Line:
        return Line(self, gate, node)

    def deliver_late(self) -> None:
        """Whatever is due arrives, out of its order; nobody hears the answer."""
        while self.late and self.late[0][0] <= self._now_ms():
            _, _, body = heapq.heappop(self.late)
            try:
                self.server.entries(body)
            except (Refused, StoreUnavailable):
                continue

    def keep_for_later(self, body: bytes) -> None:
        order = next(self._order)
        heapq.heappush(self.late, (self._now_ms() + LATE_MS[order % len(LATE_MS)], order, body))


class Line:
    """One gate's transport. `befalls`: what happens to the next requests, in their order."""

    def __init__(self, network: Network, gate: int, node: str) -> None:
        self._network, self._gate, self._node = network, gate, node
        self.befalls: list[str] = []

    async def send(self, batch: protocol.Batch) -> protocol.BatchAnswer:
        body = msgspec.json.encode(batch)
        answer = self._asked(lambda: self._network.server.entries(body), body)
        return msgspec.json.decode(answer, type=protocol.BatchAnswer)

    async def status(self, node: str) -> protocol.ServerStatus:
        answer = self._asked(lambda: self._network.server.status(node))
        return msgspec.json.decode(answer, type=protocol.ServerStatus)

    async def relay(self, *, have: list[tuple[str, str, int]]) -> protocol.Relay:
        answer = self._asked(lambda: self._network.server.relay(self._node, protocol.have_text(have)))
        return msgspec.json.decode(answer, type=protocol.Relay)

    async def directory(self, *, sha256: str) -> DirectoryAnswer:
        raise ServerUnreachable("the directory does not change in this story")

    async def put_directory(self, content: bytes, *, number: int, base: int, sha256: str) -> None:
        raise ServerUnreachable("the directory does not change in this story")

    async def enrol(self, request: protocol.EnrolRequest) -> protocol.EnrolAnswer:
        raise ServerUnreachable("every gate is enrolled when this story begins")

    def _asked(self, ask: Callable[[], bytes], body: bytes = b"") -> bytes:
        fault = self.befalls.pop(0) if self.befalls else ""
        if self._gate in self._network.cut:
            raise ServerUnreachable("cut off")
        if fault == "lost" or (fault == "late" and not body):
            raise AnswerLost("the request was lost")
        if fault == "late":
            self._network.keep_for_later(body)
            raise AnswerLost("the request has not arrived yet")
        if fault == "again" and body:
            self._network.keep_for_later(body)
        answer = _answered(ask)
        if fault == "twice":
            answer = _answered(ask)
        if fault == "eaten":
            raise AnswerLost("the answer was eaten")
        return answer


def _answered(ask: Callable[[], bytes]) -> bytes:
    """As `transports/http.py` reads the refusals of `school_server/app.py`."""
    try:
        return ask()
    except Refused as refused:
        status = int(STATUS_OF[refused.code])
        raise ServerRefused(
            refused.message, status=status, code=refused.code.value, durable_through=refused.durable_through
        ) from refused
    except StoreUnavailable as error:
        raise ServerBusy(str(error), retry_after_s=5.0) from error


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that waits for nothing, because on a simulated line everything has happened already."""
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    work.close()
    raise AssertionError("a simulated line never waits")
