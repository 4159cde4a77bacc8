"""A TCP proxy that misbehaves on request: it cuts, delays, and eats answers after the server has worked.

It runs in a thread of the test and knows nothing of HTTP beyond "bytes came back from the server".
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK_BYTES = 65_536
START_TIMEOUT_S = 30.0


class ChaosProxy:
    """Listens on 127.0.0.1:`port` and forwards to 127.0.0.1:`target_port`. Starts healthy."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._cut, self._eat, self._delay_s = False, 0, 0.0
        self.eaten = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos proxy", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Breaks every connection and refuses new ones until `heal`."""
        self._cut = True
        self._call(self._break_all())

    def heal(self) -> None:
        self._cut, self._eat, self._delay_s = False, 0, 0.0

    def eat_answers(self, count: int) -> None:
        """The next `count` answers are thrown away and their connection is broken; the server never knows."""
        self._eat = count

    def delay(self, seconds: float) -> None:
        """Every answer waits so long."""
        self._delay_s = seconds

    def close(self) -> None:
        self._cut = True
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, upstream_writer}
        tasks = [
            asyncio.ensure_future(self._up(reader, upstream_writer)),
            asyncio.ensure_future(self._down(upstream_reader, writer)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in (writer, upstream_writer):
            self._writers.discard(one)
            one.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if self._eat > 0:
                self._eat -= 1
                self.eaten += 1
                return
            await asyncio.sleep(self._delay_s)
            writer.write(data)
            await writer.drain()

    async def _break_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _shut(self) -> None:
        await self._break_all()
        self._server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), START_TIMEOUT_S)

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_TIMEOUT_S)
