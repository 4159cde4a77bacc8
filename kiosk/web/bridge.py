"""Between the event loop and the controller's thread: commands over, answers back, one wake-up a batch.

Holds no state of the campus and renders nothing. Everything but `_answered` and `_committed` runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from kiosk.clock import steady_s
from kiosk.controller import Batch
from kiosk.core.commands import Command, Look
from kiosk.core.roster import Query
from kiosk.web.gate import Inbox
from kiosk.web.refusals import TooMany, Unavailable

MAX_WAITING = 2_000  # requests that wait for the controller at once; more are told to come back
ANSWER_WITHIN_S = 5.0  # then the asker is told that nothing is certain


class Bridge:
    """Give `start` the loop and what to do with each committed batch."""

    def __init__(self, controller: Inbox) -> None:
        self._controller = controller
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_batch: Callable[[Batch], None] = lambda batch: None
        # An answer with its asker, or a batch with None. Bounded by MAX_WAITING and the controller's inbox.
        self._news: deque[tuple[asyncio.Future[Any] | None, Any]] = deque()
        self._woken = False
        self._deadlines: deque[tuple[float, asyncio.Future[Any]]] = deque()  # in order of asking
        self.waiting = 0  # not answered yet
        self.asked = 0  # since the start, looks of the live pages not counted

    def start(self, loop: asyncio.AbstractEventLoop, on_batch: Callable[[Batch], None]) -> None:
        self._loop, self._on_batch = loop, on_batch
        self._controller.listeners.append(self._committed)

    def stop(self) -> None:
        """Nothing is told to this loop any more; who still waits is told that the gate stops."""
        self._controller.listeners.remove(self._committed)
        self._loop = None
        for _, future in self._deadlines:
            if not future.done():
                future.set_exception(Unavailable("This gate is stopping; try again in a minute."))

    def ask(self, command: Command) -> asyncio.Future[Any]:
        """Puts a command into the inbox. The future has the Answer, or the view for a Look."""
        if self.waiting >= MAX_WAITING:
            raise TooMany(f"{MAX_WAITING} requests already wait for the gate; try again in a moment.", retry_after_s=1)
        loop = self._loop
        if loop is None:
            raise Unavailable("This gate is not running yet; try again in a few seconds.")
        future: asyncio.Future[Any] = loop.create_future()
        self._deadlines.append((steady_s() + ANSWER_WITHIN_S, future))
        self.waiting += 1
        self.asked += type(command) is not Look
        self._controller.submit(command, partial(self._answered, future))
        return future

    async def look(self, query: Query) -> Any:
        """The view for one of `kiosk.core.roster`'s queries."""
        return await self.ask(Look(query=query))

    def sweep(self) -> None:
        """Call about once a second: whoever has waited too long is told so, and is no longer counted."""
        now_s = steady_s()
        while self._deadlines and (self._deadlines[0][1].done() or self._deadlines[0][0] < now_s):
            _, future = self._deadlines.popleft()
            if not future.done():
                self.waiting -= 1
                future.set_exception(
                    Unavailable(f"The gate did not answer within {ANSWER_WITHIN_S:.0f} s; use the paper register.")
                )

    # --- on the controller's thread --------------------------------------------------------------

    def _answered(self, future: asyncio.Future[Any], answer: Any) -> None:
        self._news.append((future, answer))
        self._wake()

    def _committed(self, batch: Batch) -> None:
        self._news.append((None, batch))
        self._wake()

    def _wake(self) -> None:
        # The loop clears the flag before it empties the queue, so news that finds the flag set is never left behind:
        # a whole batch costs one wake-up, however many requests it answers.
        loop = self._loop
        if not self._woken and loop is not None:
            self._woken = True
            try:
                loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # the loop was closed between two lines: nobody is left to tell
                self._loop = None

    # --- on the loop ------------------------------------------------------------------------------

    def _drain(self) -> None:
        self._woken = False
        news = self._news
        while news:
            future, answer = news.popleft()
            if future is None:
                self._on_batch(answer)
            elif not future.done():
                self.waiting -= 1
                future.set_result(answer)
            elif future.cancelled():
                self.waiting -= 1
