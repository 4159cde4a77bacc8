"""When a watched topic is looked at again: at once when it was quiet, seldom enough in a rush.

Looking and rendering may take a share of one core and no more: a rush at the gates outranks the pages about it.
Each topic waits in line once at most. Runs on the event loop; never polls.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from kiosk.clock import steady_s
from kiosk.core.roster import Query
from kiosk.web.channels import Channel, Form
from kiosk.web.refusals import Refusal

LOOKS_AT_ONCE = 4  # topics asked of the controller together
SHARE = 0.4  # of one core, in the long run
SHARE_IN_A_RUSH = 0.15
RUSH_PER_S = 150.0  # requests at the controller; three times what a large school's gates bring
RUSH_WINDOW_S = 0.1  # over which they are counted
BURST_S = 0.1  # may be spent at once after a quiet time

log = logging.getLogger(__name__)


class Topic:
    """One thing that pages watch. query: None for a topic without a state. every_s: the least time between two looks.
    due: it changed since it was last looked at."""

    __slots__ = ("channels", "due", "every_s", "looked_s", "name", "query")

    def __init__(self, name: str, *, query: Query | None, every_s: float) -> None:
        self.name, self.query, self.every_s = name, query, every_s
        self.channels: dict[Form, Channel] = {}
        self.due = False
        self.looked_s = -every_s


class Renderer:
    """`look` asks the controller for a view; `show` renders and publishes it for every form of the topic; `asked`
    says how many requests the controller has been given since the start."""

    def __init__(
        self,
        *,
        look: Callable[[Query], Awaitable[Any]],
        show: Callable[[Topic, Any], None],
        asked: Callable[[], int] = lambda: 0,
    ) -> None:
        self._look, self._show, self._asked = look, show, asked
        self._counted, self._counted_s, self._share = asked(), steady_s(), SHARE
        self._ready: deque[Topic] = deque()  # holds a topic once at most
        self._work = asyncio.Event()
        self._credit_s, self._credited_s = BURST_S, steady_s()
        self._broken: set[str] = set()

    def mark(self, topic: Topic) -> None:
        """The topic looks different now."""
        if topic.due or topic.query is None:
            return
        topic.due = True
        wait_s = topic.looked_s + topic.every_s - steady_s()
        if wait_s <= 0:
            self._make_ready(topic)
        else:
            asyncio.get_running_loop().call_later(wait_s, self._make_ready, topic)

    def _make_ready(self, topic: Topic) -> None:
        self._ready.append(topic)
        self._work.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._ready:
                await self._afford()
                await self._render([self._ready.popleft() for _ in range(min(LOOKS_AT_ONCE, len(self._ready)))])

    async def _afford(self) -> None:
        """Waits until there is credit again."""
        now_s = steady_s()
        share = self._share_now(now_s)
        earned_s = (now_s - self._credited_s) * share
        self._credit_s, self._credited_s = min(BURST_S, self._credit_s + earned_s), now_s
        if self._credit_s < 0:
            await asyncio.sleep(-self._credit_s / share)

    def _share_now(self, now_s: float) -> float:
        """How much of a core the pages may have, judged by how busy the gates were a moment ago."""
        window_s = now_s - self._counted_s
        if window_s >= RUSH_WINDOW_S:
            asked = self._asked()
            per_s = (asked - self._counted) / window_s
            self._counted, self._counted_s = asked, now_s
            self._share = SHARE_IN_A_RUSH if per_s > RUSH_PER_S else SHARE
        return self._share

    async def _render(self, topics: Sequence[Topic]) -> None:
        began_s = steady_s()
        for topic in topics:
            topic.due, topic.looked_s = False, began_s
        watched = [topic for topic in topics if topic.channels]
        views = await asyncio.gather(*(self._view(topic) for topic in watched), return_exceptions=True)
        self._credit_s -= steady_s() - began_s  # the controller's thread shares the core with this one
        for topic, view in zip(watched, views, strict=True):
            began_s = steady_s()
            try:
                if isinstance(view, BaseException):
                    raise view
                self._show(topic, view)
                self._broken.discard(topic.name)
            except Exception as error:
                self._complain(topic, error)
            self._credit_s -= steady_s() - began_s
            await asyncio.sleep(0)  # a tap may pass between two renderings

    async def _view(self, topic: Topic) -> Any:
        assert topic.query is not None
        return await self._look(topic.query)

    def _complain(self, topic: Topic, error: Exception) -> None:
        """Once when a topic cannot be shown; it is looked at again when it changes or has become stale."""
        if topic.name in self._broken:
            return
        self._broken.add(topic.name)
        if isinstance(error, Refusal):
            log.warning("live topic %s cannot be shown: %s", topic.name, error.sentence)
        else:
            log.error("live topic %s cannot be shown", topic.name, exc_info=error)
