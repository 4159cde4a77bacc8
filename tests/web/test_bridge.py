"""Between the loop and the controller's thread: answers find their askers, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kiosk.controller import Batch
from kiosk.core.commands import Look, Tick
from kiosk.core.roster import BarQuery
from kiosk.web.bridge import MAX_WAITING, Bridge
from kiosk.web.refusals import TooMany, Unavailable
from kiosk.web.stream import STUCK_S, Hub
from kiosk.web.topics import Topics
from tests.support.school import School


class Lines:
    """A form in which a view is a dictionary of lines."""

    def fragments(self, topic: str, view: Any) -> dict[str, str]:
        return dict(view)

    def encode(self, topic: str, fragments: Mapping[str, str]) -> tuple[str, bytes]:
        return "patch", "|".join(fragments.values()).encode()


class Silent:
    """An inbox whose controller answers only when it is told to."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Batch], None]] = []
        self.asked: list[Callable[[Any], None]] = []

    def submit(self, command: object, on_answer: Callable[[Any], None] | None = None) -> None:
        assert on_answer is not None
        self.asked.append(on_answer)

    def answer_all(self) -> None:
        """As the controller does: every answer of a batch, then the batch, from its own thread."""

        def tell() -> None:
            for number, on_answer in enumerate(self.asked):
                on_answer(number)
            for listener in self.listeners:
                listener(Batch((), frozenset({"bar"})))

        thread = threading.Thread(target=tell)
        thread.start()
        thread.join()


def test_each_asker_gets_its_own_answer_and_the_pages_hear_once() -> None:
    async def story() -> tuple[list[int], int]:
        inbox, heard = Silent(), list[Batch]()
        bridge = Bridge(inbox)
        bridge.start(asyncio.get_running_loop(), heard.append)
        futures = [bridge.ask(Tick()) for _ in range(100)]
        inbox.answer_all()
        answers = await asyncio.gather(*futures)
        assert bridge.waiting == 0
        return answers, len(heard)

    assert asyncio.run(story()) == (list(range(100)), 1)


def test_what_many_threads_say_at_once_all_arrives() -> None:
    async def story() -> int:
        inbox, heard = Silent(), list[Batch]()
        bridge = Bridge(inbox)
        bridge.start(asyncio.get_running_loop(), heard.append)
        tell = inbox.listeners[0]
        threads = [threading.Thread(target=lambda: [tell(Batch((), frozenset())) for _ in range(500)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(heard) < 2_000:
            await asyncio.sleep(0.001)
        for thread in threads:
            thread.join()
        return len(heard)

    assert asyncio.run(asyncio.wait_for(story(), 20)) == 2_000


def test_so_many_wait_and_no_more() -> None:
    async def story() -> None:
        inbox = Silent()
        bridge = Bridge(inbox)
        bridge.start(asyncio.get_running_loop(), lambda batch: None)
        futures = [bridge.ask(Tick()) for _ in range(MAX_WAITING)]
        with pytest.raises(TooMany, match="try again"):
            bridge.ask(Tick())
        inbox.answer_all()
        await asyncio.gather(*futures)
        bridge.ask(Tick())

    asyncio.run(story())


def test_a_stopping_gate_says_so_to_everybody_who_waits() -> None:
    async def story() -> None:
        bridge = Bridge(Silent())
        with pytest.raises(Unavailable, match="not running yet"):
            bridge.ask(Tick())
        bridge.start(asyncio.get_running_loop(), lambda batch: None)
        waiting = bridge.ask(Look(query=BarQuery()))
        bridge.sweep()
        assert not waiting.done()
        bridge.stop()
        with pytest.raises(Unavailable, match="stopping"):
            await waiting

    asyncio.run(story())


def test_an_asker_that_went_away_is_not_counted_for_ever() -> None:
    async def story() -> int:
        inbox = Silent()
        bridge = Bridge(inbox)
        bridge.start(asyncio.get_running_loop(), lambda batch: None)
        bridge.ask(Tick()).cancel()
        inbox.answer_all()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return bridge.waiting

    assert asyncio.run(story()) == 0


def test_a_page_that_takes_nothing_is_let_go(tmp_path: Path) -> None:
    school = School(tmp_path)
    topics = Topics(school.gate.world.rules, lambda: school.directory)

    async def look(query: object) -> dict[str, str]:
        return {}

    async def story() -> tuple[int, int]:
        hub = Hub(look=look, asked=lambda: 0, topics=topics, tell=lambda answer: b"{}")
        stuck, _ = hub.join(("bar",), Lines(), allowed=lambda: True)
        well, _ = hub.join(("bar",), Lines(), allowed=lambda: True)
        stuck.task, well.task = (asyncio.create_task(asyncio.sleep(60)) for _ in range(2))
        assert stuck.sending_s is None
        stuck.sending_s = -1e9 - STUCK_S  # its send began long ago
        hub.tick()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (stuck.task.cancelled(), well.task.cancelled()) == (True, False)
        well.task.cancel()
        before = hub.pages
        hub.leave(stuck)
        hub.leave(stuck)
        return before, hub.pages

    assert asyncio.run(story()) == (2, 1)
    school.close()
