"""A bad link as a process of its own, so that it can be killed too: `python -m tests.support.bad_link SEED LISTEN TARGET`.

A TCP proxy between agents and a server on 127.0.0.1. For every connection it draws, from its seed, after how many answers it
turns bad and how: it delays, hands over byte by byte, breaks off inside a request or an answer, eats an answer that the
server has given, resets, or says nothing for a while. Now and then it is down altogether. SIGUSR1: behaves from now on.
It knows nothing of HTTP beyond "bytes came back from the server".
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

CHUNK_BYTES: Final = 65_536
SLOW_BYTES: Final = 600  # handed over in pieces; then the rest at once, so that nobody waits for minutes
LONGEST_HOLE_S: Final = 1.5
LONGEST_DOWN_S: Final = 0.7
UP_S: Final = (2.0, 8.0)  # between two times without a link
FATES: Final = {
    "plain": 8, "delayed": 4, "byte by byte": 3, "request broken off": 2, "answer broken off": 3,
    "answer eaten": 4, "reset": 2, "silent": 1,
}  # fmt: skip


@dataclass(slots=True)
class Fate:
    """What becomes of one connection: `what` happens to the answer or request after `answers` good ones."""

    what: str
    answers: int
    bytes: int
    pause_s: float


def draw(chance: random.Random) -> Fate:
    what = chance.choices(list(FATES), weights=list(FATES.values()))[0]
    return Fate(what, chance.randrange(6), chance.randrange(1, 400), chance.uniform(0.0, 0.15))


class BadLink:
    def __init__(self, seed: str, target_port: int) -> None:
        self._chance, self._target_port = random.Random(seed), target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._down = self.behaves = False

    async def serve(self, port: int) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._behave)
        server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        async with server:
            await asyncio.gather(server.serve_forever(), self._go_down_now_and_then())

    def _behave(self) -> None:
        self.behaves, self._down = True, False
        self._break_all()

    async def _go_down_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*UP_S))
            if not self.behaves:
                self._down = True
                self._break_all()
                await asyncio.sleep(self._chance.uniform(0.0, LONGEST_DOWN_S))
                self._down = False

    def _break_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fate = Fate("plain", 0, 0, 0.0) if self.behaves else draw(self._chance)
        try:
            if self._down or (fate.what == "reset" and not fate.answers):
                return
            with suppress(OSError):
                await self._forward(reader, writer, fate)
        finally:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: Fate) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        both = {writer, server_writer}
        self._writers |= both
        tasks = [
            asyncio.ensure_future(self._up(reader, server_writer, fate)),
            asyncio.ensure_future(self._back(server_reader, writer, fate)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writers -= both
            server_writer.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: Fate) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if fate.what == "request broken off" and fate.answers <= 0:
                writer.write(data[: fate.bytes])
                await writer.drain()
                return
            writer.write(data)
            await writer.drain()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: Fate) -> None:
        while data := await reader.read(CHUNK_BYTES):
            fate.answers -= 1
            if fate.what == "delayed":
                await asyncio.sleep(fate.pause_s)
            elif fate.answers < 0 and fate.what != "plain":
                if fate.what == "byte by byte":
                    await self._slowly(data[:SLOW_BYTES], writer)
                    data = data[SLOW_BYTES:]
                elif fate.what == "silent":
                    await asyncio.sleep(fate.pause_s / 0.15 * LONGEST_HOLE_S)
                    return
                elif fate.what == "answer broken off":
                    writer.write(data[: fate.bytes])
                    await writer.drain()
                    return
                elif fate.what in ("answer eaten", "reset"):
                    return
            writer.write(data)
            await writer.drain()

    async def _slowly(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        at = 0
        while at < len(data):
            size = self._chance.randrange(1, 40)
            writer.write(data[at : at + size])
            await writer.drain()
            await asyncio.sleep(0.002)
            at += size


if __name__ == "__main__":
    seed, listen, target = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with suppress(KeyboardInterrupt):
        asyncio.run(BadLink(seed, target).serve(listen))
