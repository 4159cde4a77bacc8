"""The live pages: which topics are watched, and how news reach everybody who may see them.

An update is rendered once for each language and sent as the same bytes to every page. A gate's own answer never waits
for anything. A page that comes back says how far it had come and gets the rest, or a snapshot.
Runs on the event loop only; `rendering` decides when to look, `channels` remembers, `live` speaks HTTP.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from kiosk.clock import steady_s
from kiosk.controller import Batch
from kiosk.core.commands import ClaimSeat, Command, ConfirmIdentity, FaceCompared, LetGo, Read, Release, ReleaseExceptionally
from kiosk.core.decisions import Answer, Outcome, Reason
from kiosk.core.roster import Query
from kiosk.web.channels import SNAPSHOT_ONLY, Channel, Event, Feed, Form, Page, wire
from kiosk.web.refusals import TooMany, Unavailable
from kiosk.web.rendering import Renderer, Topic
from kiosk.web.topics import ANSWERS, MAX_DIGITS, Topics

HEARTBEAT_S = 15.0
STALE_AFTER_S = 60.0  # a watched topic is looked at this often even when nothing happened: time itself changes it
KEEP_S = 30.0  # a topic that nobody watches is kept this long, so that a page may come back without a snapshot
STUCK_S = 30.0  # a page that takes nothing for this long is let go
ANSWER_LIVES_S = 4.0  # an answer is replayed to a returning screen for this long: as long as a refusal is shown
MAX_PAGES = 1_000
MAX_WATCHED = 1_000  # topics at once


class Hub:
    """`look` asks the controller for a view, `asked()` counts what others asked of it; `tell` makes the public answer
    of a decision, as JSON."""

    def __init__(
        self,
        *,
        look: Callable[[Query], Awaitable[Any]],
        asked: Callable[[], int],
        topics: Topics,
        tell: Callable[[Answer], bytes],
    ) -> None:
        self._known, self._tell = topics, tell
        self._renderer = Renderer(look=look, show=self._show, asked=asked)
        self.run = self._renderer.run  # the task that renders
        self.boot = secrets.token_hex(4)  # cursors of another boot mean nothing here
        self._seq = 0
        self._topics: dict[str, Topic] = {}
        self._marked_by: dict[str, set[Topic]] = {}
        self._feeds: dict[tuple[tuple[str, ...], Form], Feed] = {}
        self.closing = False
        self.pages = 0
        self.renderings = 0

    # --- from the controller ---------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """One committed batch: answers go out now, changed topics as soon as they may."""
        for command, answer in batch.answers:
            if _is_public(command, answer):
                self._answer(answer)
        for name in batch.topics:
            self.mark(name)
        if "rosters" in self._marked_by and any(name.startswith("roster:") for name in batch.topics):
            self.mark("rosters")  # the list of rosters shows the counts of each

    def mark(self, name: str) -> None:
        """The topic looks different now. Costs next to nothing when nobody watches it."""
        for topic in self._marked_by.get(name, ()):
            self._renderer.mark(topic)

    def _answer(self, answer: Answer) -> None:
        watched = [self._topics.get(f"display:{answer.decision.access_point}"), self._topics.get(ANSWERS)]
        channels = [channel for topic in watched if topic for channel in topic.channels.values()]
        if channels:
            self._publish(channels, name="answer", data=self._tell(answer), passing=True)

    def _show(self, topic: Topic, view: Any) -> None:
        for form, channel in topic.channels.items():
            self.renderings += 1
            news = channel.update(form.fragments(topic.name, view))
            if news is not None:
                self._publish((channel,), name=news[0], data=news[1])

    def _publish(self, channels: Iterable[Channel], *, name: str, data: bytes, passing: bool = False) -> None:
        self._seq += 1
        event = Event(self._seq, steady_s(), wire(boot=self.boot, seq=self._seq, name=name, data=data), passing)
        for channel in channels:
            channel.publish(event)

    # --- pages come and go ---------------------------------------------------------------------------

    def join(
        self, names: Sequence[str], form: Form, *, allowed: Callable[[], bool], last_event_id: str = ""
    ) -> tuple[Page, bytes]:
        """A page that watches `names` from now on, and what it must be sent first. Raises a Refusal."""
        if self.closing:
            raise Unavailable("This gate is stopping; try again in a minute.")
        if self.pages >= MAX_PAGES:
            raise TooMany(f"{MAX_PAGES} pages are already open on this gate; close some and try again.")
        feed = self._feed(tuple(dict.fromkeys(names)), form)
        cursor = self._cursor(last_event_id)
        first = feed.after(cursor, passing_since_s=steady_s() - ANSWER_LIVES_S)
        page = Page(feed, cursor=max(feed.newest, cursor), allowed=allowed)
        feed.pages.add(page)
        self.pages += 1
        return page, first

    def leave(self, page: Page) -> None:
        page.gone = True
        if page in page.feed.pages:
            page.feed.pages.remove(page)
            self.pages -= 1

    def _cursor(self, last_event_id: str) -> int:
        boot, _, number = last_event_id.rpartition("-")
        readable = number.isascii() and number.isdecimal() and len(number) <= MAX_DIGITS
        if boot != self.boot or not readable or int(number) > self._seq:
            return SNAPSHOT_ONLY
        return int(number)

    def _feed(self, names: tuple[str, ...], form: Form) -> Feed:
        feed = self._feeds.get((names, form))
        if feed is None:
            topics = [self._topic(name) for name in names]
            channels = [self._channel(topic, form) for topic in topics]
            feed = self._feeds[names, form] = Feed(channels, now_s=steady_s())
            for channel in channels:
                channel.feeds.add(feed)
        feed.left_s = None
        return feed

    def _topic(self, name: str) -> Topic:
        topic = self._topics.get(name)
        if topic is None:
            query = self._known.query(name)
            if len(self._topics) >= MAX_WATCHED:
                raise TooMany(f"{MAX_WATCHED} topics are already watched on this gate; close some pages.")
            topic = self._topics[name] = Topic(name, query=query, every_s=self._known.every_s(name))
            for mark in self._known.marks(name):
                self._marked_by.setdefault(mark, set()).add(topic)
        return topic

    def _channel(self, topic: Topic, form: Form) -> Channel:
        channel = topic.channels.get(form)
        if channel is None:
            channel = Channel(topic=topic.name, form=form, boot=self.boot, born_seq=self._seq)
            topic.channels[form] = channel
            self._renderer.mark(topic)
        return channel

    # --- once a second -----------------------------------------------------------------------------

    def tick(self) -> None:
        """Heartbeats, topics that time has changed, topics and pages that nobody needs any more."""
        now_s = steady_s()
        for key, feed in list(self._feeds.items()):
            if now_s - feed.spoke_s >= HEARTBEAT_S:
                feed.beat(now_s)
            self._let_go(feed)
            if not feed.pages:
                self._maybe_forget(key, now_s)
        for topic in self._topics.values():
            if now_s - topic.looked_s >= STALE_AFTER_S:
                self._renderer.mark(topic)

    def is_stuck(self, page: Page) -> bool:
        """Whether the page has not taken what is being sent to it for too long."""
        return page.sending_s is not None and steady_s() - page.sending_s > STUCK_S

    def _let_go(self, feed: Feed) -> None:
        """Of pages that take nothing, and of pages whose session has ended."""
        for page in feed.pages:
            if page.task is not None and self.is_stuck(page):
                page.task.cancel()
            elif not page.allowed():
                page.expelled = True
                page.leave()

    def _maybe_forget(self, key: tuple[tuple[str, ...], Form], now_s: float) -> None:
        """A feed without pages goes when nobody came back in time, and with it what only it watched."""
        feed = self._feeds[key]
        if feed.left_s is None:
            feed.left_s = now_s
        if now_s - feed.left_s < KEEP_S:
            return
        del self._feeds[key]
        for channel in feed.channels:
            channel.feeds.discard(feed)
            if not channel.feeds:
                self._forget(channel)

    def _forget(self, channel: Channel) -> None:
        topic = self._topics[channel.topic]
        del topic.channels[channel.form]
        if not topic.channels:
            del self._topics[topic.name]
            for mark in self._known.marks(topic.name):
                self._marked_by[mark].discard(topic)
                if not self._marked_by[mark]:
                    del self._marked_by[mark]

    def close(self) -> None:
        """Every page ends, so that the server can stop; the browsers come back by themselves."""
        self.closing = True
        for feed in self._feeds.values():
            for page in feed.pages:
                page.leave()


def _is_public(command: Command, answer: Answer) -> bool:
    """Whether the access point's own screen shows it. What staff press is told to staff: a bystander sees a release
    that was granted, and never a refusal."""
    decision = answer.decision
    if not decision.access_point or decision.reason is Reason.DONE:
        return False
    if isinstance(command, (Release, LetGo, ReleaseExceptionally)):
        return decision.outcome is Outcome.GRANTED
    return isinstance(command, (Read, ClaimSeat, ConfirmIdentity, FaceCompared))
