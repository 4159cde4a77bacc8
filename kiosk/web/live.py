"""`GET /live` and `GET /api/v1/stream`: one connection, several topics, each allowed by role.

A plain ASGI endpoint, because hundreds of these stay open: no request object, no response object, no queue.
Says what is on the wire; what a topic means is in `topics`, what is sent is made in `stream`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from kiosk.clock import steady_s
from kiosk.web.channels import Form, Page
from kiosk.web.raw import NO_SNIFF, NO_STORE
from kiosk.web.refusals import Malformed
from kiosk.web.stream import Hub
from kiosk.web.topics import MAX_TOPICS

BEAT = b"event: beat\ndata: {}\n\n"
SIGNED_OUT = b"event: signed_out\ndata: {}\n\n"
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        NO_STORE,
        NO_SNIFF,
        (b"x-accel-buffering", b"no"),
    ],
}
RETRY_FROM_MS, RETRY_SPREAD_MS, RETRY_STEP_MS = 500, 2_000, 137  # after a restart, pages come back one by one


def topics_of(scope: Scope) -> tuple[str, ...]:
    """The `topic` parameters, in order. Raises Malformed."""
    names = tuple(dict.fromkeys(parse_qs(scope["query_string"].decode("latin-1")).get("topic", ())))
    if len(names) > MAX_TOPICS:
        raise Malformed(f"A connection can watch {MAX_TOPICS} topics; this one asks for {len(names)}.")
    return names


def last_event_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"last-event-id":
            return str(value.decode("latin-1"))[:64]
    return ""


class Live:
    """Serves pages from the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._served = 0

    async def serve(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        topics: tuple[str, ...],
        form: Form,
        allowed: Callable[[], bool],
    ) -> None:
        page, first = self._hub.join(topics, form, allowed=allowed, last_event_id=last_event_id(scope))
        page.task = asyncio.current_task()
        watcher = asyncio.create_task(_until_gone(receive, page))
        try:
            await send(_START)
            await _say(send, page, self._retry() + first)
            await self._tell(send, page)
        except asyncio.CancelledError:
            if not self._hub.is_stuck(page):
                raise
        finally:
            watcher.cancel()
            self._hub.leave(page)

    async def _tell(self, send: Send, page: Page) -> None:
        feed = page.feed
        while not page.gone:
            if feed.newest > page.cursor:
                news = feed.after(page.cursor)
                page.cursor = feed.newest
                if news:
                    await _say(send, page, news)
            elif feed.beats != page.beats:
                page.beats = feed.beats
                await _say(send, page, BEAT)
            else:
                await page.news()
        if page.expelled:
            await _say(send, page, SIGNED_OUT)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _retry(self) -> bytes:
        self._served += 1
        return b"retry: %d\n\n" % (RETRY_FROM_MS + self._served * RETRY_STEP_MS % RETRY_SPREAD_MS)


async def _say(send: Send, page: Page, body: bytes) -> None:
    page.sending_s = steady_s()
    await send({"type": "http.response.body", "body": body, "more_body": True})
    page.sending_s = None


async def _until_gone(receive: Receive, page: Page) -> None:
    """The server reports a closed connection only to somebody who waits for it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    page.leave()
