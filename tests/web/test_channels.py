"""The memory of the live line: bounded, shared, replayed in order; rendered seldom in a rush."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from kiosk.web.channels import KEPT_BYTES, KEPT_EVENTS, SNAPSHOT_ONLY, Channel, Event, Feed, Page
from kiosk.web.limits import MAX_KEYS, RateLimit
from kiosk.web.rendering import LOOKS_AT_ONCE, Renderer, Topic
from kiosk.web.sessions import MAX_SESSIONS, Sessions
from kiosk.web.topics import QUICK_S


class Lines:
    """A form in which a view is a dictionary of lines."""

    def fragments(self, topic: str, view: Any) -> dict[str, str]:
        return dict(view)

    def encode(self, topic: str, fragments: Mapping[str, str]) -> tuple[str, bytes]:
        return "patch", "|".join(fragments.values()).encode()


def channel(topic: str = "roster:a", born_seq: int = 0) -> Channel:
    return Channel(topic=topic, form=Lines(), boot="b", born_seq=born_seq)


def event(seq: int, data: bytes = b"x", *, at_s: float = 0.0, passing: bool = False) -> Event:
    return Event(seq, at_s, data, passing)


def always() -> bool:
    return True


def feed(*channels: Channel) -> Feed:
    one = Feed(channels, now_s=0.0)
    for each in channels:
        each.feeds.add(one)
    return one


def test_only_pieces_that_changed_are_sent_and_nothing_when_none_did() -> None:
    one = channel()
    assert one.update({"a": "1", "b": "2"}) == ("patch", b"1|2")
    assert one.update({"a": "1", "b": "3"}) == ("patch", b"3")
    assert one.update({"a": "1", "b": "3"}) is None
    assert one.update({"a": "1", "c": "4"}) == ("patch", b"1|4")  # other members: all of them


def test_a_channel_remembers_a_bounded_number_of_events_and_bytes() -> None:
    many, large = channel(), channel()
    for seq in range(1, 500):
        many.publish(event(seq))
        large.publish(event(seq, b"x" * 10_000))
    assert len(many.events) == KEPT_EVENTS
    assert sum(len(each.data) for each in large.events) <= KEPT_BYTES
    assert large.lost_seq == 499 - len(large.events)


def test_a_page_gets_the_events_of_its_channels_in_one_order() -> None:
    first, second = channel("a"), channel("b")
    both = feed(first, second)
    first.publish(event(1, b"1"))
    second.publish(event(2, b"2"))
    first.publish(event(3, b"3"))
    assert both.after(0) == b"123"
    assert both.after(1) == b"23"
    assert both.after(0) is both.after(0)  # prepared once, the same bytes for every page that stands there


def test_a_page_behind_the_memory_gets_a_snapshot_of_that_channel() -> None:
    small = channel("a")
    small.update({"a": "now"})
    for seq in range(1, KEPT_EVENTS + 2):
        small.publish(event(seq))
    assert b"data: now" in feed(small).after(0)
    assert b"data: now" in feed(small).after(SNAPSHOT_ONLY)
    assert feed(small).after(KEPT_EVENTS) == b"x"


def test_an_answer_that_left_the_screen_is_not_replayed() -> None:
    screen = channel("display:x")
    screen.publish(event(1, b"old", at_s=10.0, passing=True))
    screen.publish(event(2, b"state", at_s=10.0))
    screen.publish(event(3, b"new", at_s=20.0, passing=True))
    assert feed(screen).after(0, passing_since_s=15.0) == b"statenew"


def test_pages_have_no_queue_and_a_cancelled_page_disturbs_no_other() -> None:
    async def story() -> bytes:
        one = channel()
        both = feed(one)
        first, second = (Page(both, cursor=0, allowed=always) for _ in range(2))
        both.pages |= {first, second}
        waits = [asyncio.create_task(page.news()) for page in (first, second)]
        await asyncio.sleep(0)
        waits[0].cancel()
        one.publish(event(1, b"news"))
        await asyncio.wait_for(waits[1], 5)
        return both.after(second.cursor)

    assert asyncio.run(story()) == b"news"


# --- rendering ------------------------------------------------------------------------------------------


def watched(name: str) -> Topic:
    topic = Topic(name, query=name, every_s=QUICK_S)  # type: ignore[arg-type]  # any query will do here
    topic.channels[Lines()] = channel(name)
    return topic


def test_a_rush_on_one_topic_is_looked_at_once_for_many_changes() -> None:
    async def story() -> tuple[int, int]:
        looks = 0

        async def look(query: object) -> dict[str, str]:
            nonlocal looks
            looks += 1
            return {}

        renderer, topic = Renderer(look=look, show=lambda topic, view: None), watched("a")
        task = asyncio.create_task(renderer.run())
        marked = 0
        until = asyncio.get_running_loop().time() + 0.3
        while asyncio.get_running_loop().time() < until:
            renderer.mark(topic)
            marked += 1
            await asyncio.sleep(0)
        task.cancel()
        return looks, marked

    looks, marked = asyncio.run(story())
    assert 1 <= looks <= 0.3 / QUICK_S + 2
    assert marked > 10 * looks


def test_a_quiet_topic_is_looked_at_without_waiting_and_all_get_their_turn() -> None:
    async def story() -> list[str]:
        shown: list[str] = []

        async def look(query: object) -> str:
            return str(query)

        renderer = Renderer(look=look, show=lambda topic, view: shown.append(view))
        task = asyncio.create_task(renderer.run())
        topics = [watched(f"t{n}") for n in range(3 * LOOKS_AT_ONCE)]
        for topic in topics:
            renderer.mark(topic)
        while len(shown) < len(topics):
            await asyncio.sleep(0.001)
        task.cancel()
        return shown

    assert asyncio.run(asyncio.wait_for(story(), 10)) == [f"t{n}" for n in range(3 * LOOKS_AT_ONCE)]


def test_a_topic_that_cannot_be_shown_stops_no_other() -> None:
    async def story() -> list[str]:
        shown: list[str] = []

        async def look(query: object) -> str:
            if query == "broken":
                raise ValueError("a fault of ours")
            return str(query)

        renderer = Renderer(look=look, show=lambda topic, view: shown.append(view))
        task = asyncio.create_task(renderer.run())
        for name in ("broken", "fine"):
            renderer.mark(watched(name))
        while not shown:
            await asyncio.sleep(0.001)
        assert not task.done()
        task.cancel()
        return shown

    assert asyncio.run(asyncio.wait_for(story(), 10)) == ["fine"]


# --- limits and sessions ------------------------------------------------------------------------------------


def test_a_limit_lets_a_burst_through_and_then_so_many_a_second() -> None:
    limit = RateLimit(per_s=1.0, burst=3)
    assert [limit.allows("a", now_s=0.0) for _ in range(4)] == [True, True, True, False]
    assert limit.allows("b", now_s=0.0)
    assert [limit.allows("a", now_s=1.5), limit.allows("a", now_s=1.5)] == [True, False]
    limit.give_back("a")
    assert limit.allows("a", now_s=1.5)


def test_a_limit_remembers_a_bounded_number_of_browsers() -> None:
    limit = RateLimit(per_s=1.0, burst=1)
    for n in range(MAX_KEYS + 10):
        limit.allows(str(n), now_s=0.0)
    assert limit.allows("0", now_s=0.0)  # forgotten, so it begins anew


def test_a_session_ends_when_idle_and_when_old_but_not_while_pressed() -> None:
    sessions = Sessions(idle_s=60, longest_s=300)
    token, session = sessions.open(130, now_s=0.0)
    for now_s in (50.0, 100.0, 150.0):
        assert sessions.find(token, now_s=now_s) is session
        sessions.press(session, now_s=now_s)
    assert sessions.find(token, now_s=211.0) is None
    token, session = sessions.open(130, now_s=0.0)
    sessions.press(session, now_s=299.0)
    assert sessions.find(token, now_s=301.0) is None


def test_looking_at_a_page_is_not_a_press() -> None:
    sessions = Sessions(idle_s=60, longest_s=300)
    token, _ = sessions.open(130, now_s=0.0)
    assert sessions.find(token, now_s=59.0)
    assert sessions.find(token, now_s=61.0) is None


def test_there_is_a_bounded_number_of_sessions_and_the_idlest_ends() -> None:
    sessions = Sessions(idle_s=60, longest_s=300)
    tokens = [sessions.open(n, now_s=n / 100)[0] for n in range(MAX_SESSIONS + 1)]
    assert len(sessions) == MAX_SESSIONS
    assert sessions.find(tokens[0], now_s=6.0) is None
    assert sessions.find(tokens[-1], now_s=6.0)


def test_an_ended_session_is_seen_by_its_open_pages() -> None:
    sessions = Sessions(idle_s=60, longest_s=300)
    token, session = sessions.open(130, now_s=0.0)
    sessions.close(token)
    assert not sessions.is_live(session, now_s=1.0)
    assert sessions.find("", now_s=1.0) is None
