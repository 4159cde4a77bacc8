"""The school server's ear on the bus: takes requests of sync protocol 1 out of NATS and hands them to the same application.

A batch is acknowledged to the bus after it was answered, and it is answered after its commit. Whatever the bus delivers
twice, late or never changes nothing: entries are known by node, incarnation and number, and a gate sends until the server
itself answers.
It judges nothing that a request says, apart from whether it came under its own node's subject.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from sync_agent import bus, protocol
from sync_agent.ending import ended
from sync_agent.school_server.refusals import STATUS_OF

CONNECT_TIMEOUT_S: Final = 5
PING_EVERY_S: Final = 10
PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 2.0
PULL_S: Final = 2.0  # one question to a stream; a leaf that died meanwhile is noticed after it
LOOK_FOR_NODES_EVERY_S: Final = 2.0
MOST_HALF_SENT: Final = 4  # long requests of which only some pieces are there
_PASSED_ON: Final = ("content-type", "content-encoding", "if-none-match")
MOST_AT_ONCE: Final = 32  # requests under way; more wait in their turn

log = logging.getLogger(__name__)
Nodes = Callable[[], Awaitable[Sequence[tuple[str, str]]]]


@dataclass(slots=True)
class _HalfSent:
    """A long request under way."""

    name: str
    pieces: list[bytes]


class BusConsumer:
    """app: the ASGI application. nodes: (school, node) of everybody enrolled; each may have a leaf with batches in it."""

    def __init__(self, address: str, app: Any, *, nodes: Nodes) -> None:
        self._address, self._nodes = address, nodes
        self._app = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._half_sent: dict[tuple[str, str], _HalfSent] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.run(), name="bus")
        try:
            yield
        finally:
            await ended([task])

    async def run(self) -> None:
        """For ever: a bus that is away is said once and waited for."""
        said = False
        while True:
            try:
                closed = asyncio.Event()
                client = await self._connect(closed)
            except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
                if not said:
                    log.warning("%s cannot be used (%s); HTTP goes on", bus.without_secrets(self._address), error)
                said = True
            else:
                log.warning("on the bus at %s", bus.without_secrets(self._address))
                said = False
                await self._session(client, closed)
            await asyncio.sleep(PAUSE_S)

    async def _connect(self, closed: asyncio.Event) -> Client:
        async def on_closed() -> None:
            closed.set()

        client = Client()
        try:
            await client.connect(
                self._address,
                name="kiosk school server",
                allow_reconnect=False,
                connect_timeout=CONNECT_TIMEOUT_S,
                ping_interval=PING_EVERY_S,
                inbox_prefix="kiosk.server",
                error_cb=_heard,
                closed_cb=on_closed,
            )
            if client.max_payload < bus.MOST_PAYLOAD_BYTES:
                raise ValueError(f"its max_payload is {client.max_payload}, set {bus.MOST_PAYLOAD_BYTES}")
        except BaseException:
            await client.close()
            raise
        return client

    async def _session(self, client: Client, closed: asyncio.Event) -> None:
        """Until the connection breaks."""
        pulling: dict[str, asyncio.Task[None]] = {}
        answering: set[asyncio.Task[None]] = set()
        room = asyncio.Semaphore(MOST_AT_ONCE)

        async def asked(message: Msg) -> None:
            """A request that takes its time holds up no other one."""
            await room.acquire()
            task = asyncio.create_task(self._asked(client, message))
            answering.add(task)
            task.add_done_callback(answering.discard)
            task.add_done_callback(lambda _: room.release())

        try:
            await client.subscribe(bus.ASK_SUBJECTS, queue=bus.CONSUMER, cb=asked)
            pulling[""] = asyncio.create_task(self._pull(client, ""))
            while not closed.is_set():
                for school, node in await self._known_nodes():
                    domain = bus.domain_of(school, node)
                    if domain not in pulling:
                        pulling[domain] = asyncio.create_task(self._pull(client, domain))
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_FOR_NODES_EVERY_S):
                        await closed.wait()
        except nats.errors.Error as error:
            log.warning("the bus broke off (%s)", error)
        finally:
            await client.close()
            await ended([*pulling.values(), *answering])

    async def _known_nodes(self) -> Sequence[tuple[str, str]]:
        try:
            return await self._nodes()
        except Exception as error:  # the store is away: its own errors are told where they count
            log.info("the nodes cannot be listed (%s)", error)
            return ()

    async def _pull(self, client: Client, domain: str) -> None:
        """Takes batches out of one stream, oldest first, one at a time. A leaf that is away is asked again and again."""
        stream, pause_s = client.jetstream(domain=domain or None, timeout=PULL_S), PAUSE_S
        while not client.is_closed:
            try:
                await _prepare(stream, domain)
                source = await stream.pull_subscribe_bind(consumer=bus.CONSUMER, stream=bus.STREAM)
                try:
                    while True:
                        try:
                            found = await source.fetch(1, timeout=PULL_S)
                        except nats.errors.TimeoutError:
                            # The consumer may be gone with its server's disk. A batch that came late waits in `source`.
                            await _prepare(stream, domain)
                            continue
                        pause_s = PAUSE_S
                        await self._take(client, found[0])
                finally:
                    with suppress(nats.errors.Error):
                        await source.unsubscribe()
            except nats.js.errors.NotFoundError:
                pause_s = PAUSE_S  # nothing was ever sent there
            except (nats.errors.Error, OSError, TimeoutError):
                if client.is_closed:
                    return
                pause_s = min(max(pause_s, PAUSE_S) * 1.5, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _take(self, client: Client, message: Msg) -> None:
        to = (message.headers or {}).get(bus.HEADER_ANSWER_TO, "")
        answer = await self._answered(message)
        sender = bus.sender_of(message.subject)
        if sender is not None and to.startswith(bus.answer_prefix(*sender) + ".") and not set(to) & set("*> \t\r\n"):
            await _reply(client, to, answer, since=0)
        await message.ack()

    async def _asked(self, client: Client, message: Msg) -> None:
        answer = await self._answered(message)
        since = (message.headers or {}).get(bus.HEADER_FROM, "0")
        sender = bus.sender_of(message.subject)
        if sender is None or not message.reply.startswith(bus.answer_prefix(*sender) + "."):
            return
        with suppress(nats.errors.Error, OSError):  # the bus broke off: the session says so, and the node asks again
            known = since.isascii() and since.isdigit() and len(since) < 10
            await _reply(client, message.reply, answer, since=int(since) if known else 0)

    async def _answered(self, message: Msg) -> httpx.Response:
        headers = {name.lower(): value for name, value in (message.headers or {}).items()}
        refused = _misplaced(message.subject, headers)
        if refused:
            log.warning("%s: %s", message.subject[:200], refused)
            return _refusal(protocol.Code.MALFORMED, refused)
        body = self._body(message, headers)
        if isinstance(body, httpx.Response):
            return body
        try:
            passed = {name: value for name, value in headers.items() if name in _PASSED_ON or _is_ours(name)}
            request = httpx.Request(
                headers[bus.HEADER_METHOD.lower()],
                "http://bus" + headers[bus.HEADER_TARGET.lower()],
                headers={**passed, "accept-encoding": "identity"},
                content=body,
            )
            if not request.url.path.startswith(protocol.PATHS):
                return _refusal(protocol.Code.NOT_FOUND, "only sync protocol 1 is spoken on the bus")
        except (KeyError, ValueError, httpx.InvalidURL) as error:
            return _refusal(protocol.Code.MALFORMED, f"the message is no request ({type(error).__name__})")
        answer = await self._app.handle_async_request(request)
        await answer.aread()
        return answer

    def _body(self, message: Msg, headers: dict[str, str]) -> bytes | httpx.Response:
        """The whole body, or what to answer to a piece of it."""
        part = headers.get(bus.HEADER_PART.lower())
        if part is None:
            return bytes(message.data)
        sender, name = bus.sender_of(message.subject), headers.get(bus.HEADER_ID.lower(), "")
        number, _, count = part.partition("/")
        if sender is None or not (number.isdigit() and count.isdigit()) or not 1 <= int(number) <= int(count) <= bus.MOST_PIECES:
            return _refusal(protocol.Code.TOO_LARGE, f"a request comes in at most {bus.MOST_PIECES} pieces")
        half = self._half_sent.pop(sender, None)
        if number == "1":
            half = _HalfSent(name, [])
        if half is None or half.name != name or len(half.pieces) != int(number) - 1:
            return _refusal(protocol.Code.MALFORMED, "a piece of the request is missing; send it again from the first")
        half.pieces.append(bytes(message.data))
        if number == count:
            return b"".join(half.pieces)
        while len(self._half_sent) >= MOST_HALF_SENT:
            del self._half_sent[next(iter(self._half_sent))]
        self._half_sent[sender] = half
        return httpx.Response(100)


async def _prepare(stream: JetStreamContext, domain: str) -> None:
    """Stream and consumer as they must be; nothing changes where they are."""
    if not domain:
        await stream.add_stream(**bus.stream_settings())  # the hub's own, for gates without a leaf
    await stream.add_consumer(
        bus.STREAM,
        durable_name=bus.CONSUMER,
        ack_policy="explicit",
        ack_wait=bus.REDELIVER_AFTER_S,
        max_deliver=bus.MOST_DELIVERIES,
    )


async def _heard(error: Exception) -> None:
    """The session notices by itself."""


async def _reply(client: Client, to: str, answer: httpx.Response, *, since: int) -> None:
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    headers[bus.HEADER_STATUS] = str(answer.status_code)
    body = answer.content if answer.status_code != 100 else b""
    if len(body) > protocol.MAX_BODY_BYTES:  # a directory; what changes from one moment to the next must come in one message
        headers[bus.HEADER_TOTAL], headers[bus.HEADER_BODY] = str(len(body)), hashlib.sha256(body).hexdigest()
        body = body[since : since + bus.PIECE_BYTES]
    await client.publish(to, body, headers=headers)


def _misplaced(subject: str, headers: dict[str, str]) -> str:
    """Why this cannot have come from whom it says, or ""."""
    sender = bus.sender_of(subject)
    stated = (headers.get(protocol.HEADER_SCHOOL.lower(), ""), headers.get(protocol.HEADER_NODE.lower(), ""))
    if sender is None:
        return "that is no subject of this protocol"
    if tuple(bus.token(name) for name in stated) != sender:
        return f"the subject is not that of node {stated[1][:80]!r} of school {stated[0][:80]!r}"
    return ""


def _is_ours(name: str) -> bool:
    return name.startswith("kiosk-")


def _refusal(code: protocol.Code, message: str) -> httpx.Response:
    return httpx.Response(STATUS_OF[code], content=msgspec.json.encode(protocol.Refusal(error=code.value, message=message)))
