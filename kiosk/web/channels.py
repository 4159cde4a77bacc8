"""What has been published, kept once: events, channels with a bounded memory, and feeds that many pages share.

An event is bytes from the moment it is made, and everybody gets the same bytes. Nobody has a queue: a page has a
cursor into the memory of its channels, and a page that fell behind that memory starts again from a snapshot.
Knows no topic's meaning, no HTTP and no clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

KEPT_EVENTS = 64  # a channel's memory, whichever bound is reached first
KEPT_BYTES = 64 * 1024
SNAPSHOT_ONLY = -1  # a cursor that stands behind every memory


class Form(Protocol):
    """One way of showing views: a language, masked or not, as HTML or as data. Hashable."""

    def fragments(self, topic: str, view: Any) -> dict[str, str]:
        """The view as named pieces. A piece whose text did not change is not sent again."""
        ...

    def encode(self, topic: str, fragments: Mapping[str, str]) -> tuple[str, bytes]:
        """(event name, one line of data) for the pieces that changed, or for all of them."""
        ...


class Event(NamedTuple):
    """seq: one numbering for all channels, so one number says how far a page has come in every topic it has.
    passing: an answer on a public screen, which must not come back after it was cleared."""

    seq: int
    at_s: float
    data: bytes
    passing: bool


def wire(*, boot: str, seq: int, name: str, data: bytes) -> bytes:
    """One server-sent event. `data` has no line break (JSON)."""
    return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (boot.encode(), seq, name.encode(), data)


class Channel:
    """One topic in one form."""

    __slots__ = ("_snapshot", "boot", "events", "feeds", "form", "lost_seq", "newest", "shown", "size", "topic")

    def __init__(self, *, topic: str, form: Form, boot: str, born_seq: int) -> None:
        self.topic, self.form, self.boot = topic, form, boot
        self.events: deque[Event] = deque()
        self.size = 0
        self.lost_seq = born_seq  # events up to here cannot be replayed any more
        self.newest = born_seq
        self.shown: dict[str, str] | None = None  # None until it was rendered once
        self.feeds: set[Feed] = set()
        self._snapshot: bytes | None = None

    def update(self, fragments: dict[str, str]) -> tuple[str, bytes] | None:
        """Takes the newest pieces; returns what must be sent, or None when nothing looks different."""
        before, self.shown = self.shown, fragments
        if before is None or before.keys() != fragments.keys():
            changed: Mapping[str, str] = fragments  # a list has other members: the page rebuilds it from all of them
        else:
            changed = {name: text for name, text in fragments.items() if before[name] != text}
        if not changed:
            return None
        self._snapshot = None
        return self.form.encode(self.topic, changed)

    def publish(self, event: Event) -> None:
        self.events.append(event)
        self.newest = event.seq
        self.size += len(event.data)
        while len(self.events) > KEPT_EVENTS or (self.size > KEPT_BYTES and len(self.events) > 1):
            gone = self.events.popleft()
            self.lost_seq, self.size = gone.seq, self.size - len(gone.data)
        for feed in self.feeds:
            feed.hear(event)

    def snapshot(self) -> bytes:
        """Everything as it is now, as one event; b"" before the first rendering. Encoded once per change."""
        if self._snapshot is None:
            if self.shown is None:
                return b""
            name, data = self.form.encode(self.topic, self.shown)
            self._snapshot = wire(boot=self.boot, seq=self.newest, name=name, data=data)
        return self._snapshot


class Page:
    """One connection: a cursor, and what it waits for.

    allowed: asked about once a second; a session may end while its page is open. sending_s: when the present send
    began, None between sends. expelled: it ended because it was not allowed any more.
    """

    __slots__ = ("_waits", "allowed", "beats", "cursor", "expelled", "feed", "gone", "sending_s", "task")

    def __init__(self, feed: Feed, *, cursor: int, allowed: Callable[[], bool]) -> None:
        self.feed, self.cursor, self.beats, self.allowed = feed, cursor, feed.beats, allowed
        self.gone = self.expelled = False
        self.sending_s: float | None = None
        self.task: asyncio.Task[Any] | None = None
        self._waits: asyncio.Future[None] | None = None

    async def news(self) -> None:
        """Returns when the feed has something, or the page must end."""
        # A bare future of its own costs no more than a callback on a shared one, and a cancelled page
        # cannot cancel the wait of its neighbours.
        self._waits = asyncio.get_running_loop().create_future()
        await self._waits

    def wake(self) -> None:
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(None)

    def leave(self) -> None:
        self.gone = True
        self.wake()


class Feed:
    """The same channels for many pages: what one of them is sent is prepared once for all."""

    __slots__ = ("_prepared", "beats", "channels", "left_s", "newest", "pages", "spoke_s")

    def __init__(self, channels: Sequence[Channel], *, now_s: float) -> None:
        self.channels = tuple(channels)
        self.pages: set[Page] = set()
        self.newest = max((channel.newest for channel in channels), default=0)
        self.spoke_s, self.beats = now_s, 0
        self.left_s: float | None = None  # since when it has no page
        self._prepared: dict[int, bytes] = {}  # cursor -> bytes up to `newest`

    def hear(self, event: Event) -> None:
        self.newest, self.spoke_s = event.seq, event.at_s
        self._prepared.clear()
        for page in self.pages:
            page.wake()

    def beat(self, now_s: float) -> None:
        """Nothing happened for a while: every page is told so, that it may notice a dead connection."""
        self.spoke_s = now_s
        self.beats += 1
        for page in self.pages:
            page.wake()

    def after(self, cursor: int, *, passing_since_s: float = 0.0) -> bytes:
        """What a page at `cursor` lacks. Answers older than `passing_since_s` are left out."""
        if passing_since_s:
            return self._collect(cursor, passing_since_s)  # a page that came back: rare, and its own
        prepared = self._prepared.get(cursor)
        if prepared is None:
            prepared = self._prepared[cursor] = self._collect(cursor, 0.0)
        return prepared

    def _collect(self, cursor: int, passing_since_s: float) -> bytes:
        missing: list[tuple[int, bytes]] = []
        for channel in self.channels:
            if channel.lost_seq > cursor:
                missing.append((channel.newest, channel.snapshot()))
                continue
            for event in reversed(channel.events):
                if event.seq <= cursor:
                    break
                if not event.passing or event.at_s >= passing_since_s:
                    missing.append((event.seq, event.data))
        # The page remembers the last number only, so numbers must come in order.
        missing.sort(key=lambda item: item[0])
        return b"".join(data for _, data in missing)
