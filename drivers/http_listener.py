"""Answer small HTTP requests on one address, within bounds: for devices that are clients of ours.

One thread with an event loop of its own; h11 reads the requests. Whatever a hostile neighbour on the network does costs one
connection for REQUEST_S at most: heads, bodies, connections in all and connections of one host have their limits, and a fault in
an answer ends that connection only. It knows no path, no device and no secret; `answer` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import h11

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 8_192
MAX_BODY_BYTES = 2 * 1_024 * 1_024
MAX_CONNECTIONS = 128
MAX_CONNECTIONS_OF_A_HOST = 16
MAX_FIELDS = 32
READ_BYTES = MAX_HEAD_BYTES  # a longer head is refused before it is whole
REQUEST_S = 20.0  # from the first byte to the last, and how long a connection may idle
ANSWER_S = 15.0
STOP_WAIT_S = 5.0
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 413: "Too Large", 500: "Error", 503: "Busy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    host: str  # of whom it came from


@dataclass(frozen=True, slots=True)
class Answer:
    body: str
    status: int = 200


OnRequest = Callable[[Request], Awaitable[Answer]]


class TooLarge(Exception):
    """A body beyond MAX_BODY_BYTES."""


class HttpListener:
    """`start()` binds and raises OSError when it cannot; `stop()` ends thread and socket."""

    def __init__(self, host: str, port: int, answer: OnRequest) -> None:
        self._address, self._answer = (host, port), answer
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._of_host: Counter[str] = Counter()

    def start(self) -> None:
        handle = _bound(*self._address)
        loop = self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        name = f"listener-{self._address[1]}"
        self._thread = threading.Thread(target=self._run, args=(loop, handle), name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """From any thread but its own."""
        loop, stopping, thread = self._loop, self._stopping, self._thread
        if loop is None or stopping is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(stopping.set)
        thread.join(STOP_WAIT_S)

    def call(self, what: Callable[[], object]) -> None:
        """Thread-safe: runs `what` on the listener's thread; nothing happens once it has stopped."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(what)

    def _run(self, loop: asyncio.AbstractEventLoop, handle: socket.socket) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._listen(handle))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    async def _listen(self, handle: socket.socket) -> None:
        assert self._stopping is not None
        running = set[asyncio.Task[None]]()

        async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            try:
                await self._serve(reader, writer)
            finally:
                running.discard(task)

        server = await asyncio.start_server(on_connection, sock=handle, limit=READ_BYTES)
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for task in list(running):
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        host = str(peer[0]) if peer else ""
        try:
            full = self._of_host.total() >= MAX_CONNECTIONS or self._of_host[host] >= MAX_CONNECTIONS_OF_A_HOST
            self._of_host[host] += 1
            if not full:
                await self._talk(reader, writer, host)
        except (OSError, TimeoutError, h11.ProtocolError, asyncio.CancelledError):
            pass  # whoever it was is gone, too slow, or speaks no HTTP: the connection ends
        finally:
            self._of_host[host] -= 1
            if not self._of_host[host]:
                del self._of_host[host]
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        wire = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        while True:
            try:
                async with asyncio.timeout(REQUEST_S):
                    request = await _request(wire, reader, writer, host)
                if request is None:
                    return
                async with asyncio.timeout(ANSWER_S):
                    answer = await self._answer(request)
            except h11.RemoteProtocolError:
                answer = Answer("ERROR", 400)
            except TooLarge:
                answer = Answer("ERROR", 413)
            except (OSError, TimeoutError, asyncio.CancelledError):
                raise
            except Exception:  # a fault of ours ends this request, not the listener
                log.exception("an HTTP request of %s could not be answered", host)
                answer = Answer("ERROR", 500)
            async with asyncio.timeout(ANSWER_S):
                await _send(wire, writer, answer)
            if wire.our_state is not h11.DONE:
                return
            wire.start_next_cycle()


async def _request(wire: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> Request | None:
    """The next whole request; None when the other side has hung up."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            if wire.they_are_waiting_for_100_continue:
                writer.write(wire.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            wire.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _understood(head, bytes(body), host)
        else:
            return None


def _understood(head: h11.Request, body: bytes, host: str) -> Request:
    try:
        parts = urlsplit(head.target.decode("ascii"))
        query = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise h11.RemoteProtocolError("the target cannot be read") from error
    return Request(method=head.method.decode("ascii").upper(), path=parts.path, query=query, body=body, host=host)


async def _send(wire: h11.Connection, writer: asyncio.StreamWriter, answer: Answer) -> None:
    if wire.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    body = answer.body.encode("utf-8")
    headers = [("Content-Type", "text/plain;charset=UTF-8"), ("Content-Length", str(len(body)))]
    if answer.status != 200:
        headers.append(("Connection", "close"))
    response = h11.Response(status_code=answer.status, reason=REASONS[answer.status], headers=headers)
    for event in (response, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(wire.send(event) or b"")
    await writer.drain()


def _bound(host: str, port: int) -> socket.socket:
    """The listening socket. SO_REUSEADDR only lets a restart take over an address that nobody listens on any more."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    handle = socket.socket(family, socket.SOCK_STREAM)
    try:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        handle.bind((host, port))
        handle.listen(MAX_CONNECTIONS)
        handle.setblocking(False)
    except BaseException:
        handle.close()
        raise
    return handle
