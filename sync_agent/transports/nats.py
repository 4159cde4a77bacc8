"""Sync protocol 1 over NATS, from the node's side: the same messages, put into the stream of the NATS server beside the gate.

A batch goes into JetStream under its own subject and waits there while the way to the hub is cut; everything else is asked and
answered at once. The bus's word that it keeps a batch is never taken for the school server's: an answer comes only from there.
It never retries, never sleeps and never decides; one call is one request.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

import httpx
import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from sync_agent import bus, protocol
from sync_agent.ending import ended
from sync_agent.transports.http import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, MAX_RETRY_AFTER_S, Caller, HttpTransport

PING_EVERY_S: Final = 10
STREAM_FULL_RETRY_S: Final = 5
_LEFT_OUT: Final = frozenset({"host", "user-agent", "connection", "accept", "content-length", "transfer-encoding"})


class NatsTransport(HttpTransport):
    """`address` such as nats://127.0.0.1:4222, with user and password in it where the server asks for them."""

    def __init__(
        self,
        address: str,
        caller: Caller,
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if transport is None:
            transport = Carrier(address, school=caller.school, node=caller.node, answer_timeout_s=answer_timeout_s)
        super().__init__("http://bus", caller, answer_timeout_s=answer_timeout_s, transport=transport)
        self.base_url = bus.without_secrets(address)

    def about(self, batch: protocol.Batch) -> dict[str, str]:
        return about(batch)


def about(batch: protocol.Batch) -> dict[str, str]:
    """What the subject of a batch is made of."""
    return {bus.HEADER_INCARNATION: batch.incarnation, bus.HEADER_FIRST_SEQ: str(batch.first_seq)}


class Carrier(httpx.AsyncBaseTransport):
    """Carries one request as messages and brings back the answer. Connects when it is needed, and anew after a break."""

    def __init__(self, address: str, *, school: str, node: str, answer_timeout_s: float) -> None:
        self._address, self._school, self._node, self._timeout_s = address, school, node, answer_timeout_s
        self._client: Client | None = None
        self._broken: asyncio.Future[None] | None = None  # done when that connection is
        self._connecting = asyncio.Lock()
        self._heard = ""  # what the client last said beside: a permission that is missing, for instance

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Whatever is under way fails at once."""
        if self._client is not None:
            await self._client.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        client, broken = await self._connected()
        work = asyncio.create_task(self._exchange(client, request, body))
        either: set[asyncio.Future[Any]] = {work, broken}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise httpx.ReadError("the connection to the bus broke")
        finally:
            await ended([work])

    async def _exchange(self, client: Client, request: httpx.Request, body: bytes) -> httpx.Response:
        try:
            if request.method == "POST" and request.url.path == protocol.ENTRIES_PATH:
                return await self._send_up(client, request, body)
            headers = _message_headers(request)
            if len(body) > bus.PIECE_BYTES:
                last = await self._ask_in_pieces(client, headers, body)
            else:
                last = await self._ask(client, headers, body)
            return await self._whole(client, headers, last) if bus.HEADER_TOTAL in (last.headers or {}) else _response(last)
        except (nats.errors.TimeoutError, TimeoutError) as error:
            heard = f" ({self._heard})" if self._heard else ""
            raise httpx.ReadTimeout(f"no answer from the school server within {self._timeout_s:.0f} s{heard}") from error
        except (nats.errors.Error, OSError) as error:
            raise httpx.ReadError(f"the bus broke off ({_reason(error)})") from error

    async def _send_up(self, client: Client, request: httpx.Request, body: bytes) -> httpx.Response:
        if len(body) > protocol.MAX_BODY_BYTES:
            return _own_answer(413, protocol.Code.TOO_LARGE, "the batch is larger than the bus lets through; send less at once")
        headers = _message_headers(request)
        incarnation, first_seq = headers.pop(bus.HEADER_INCARNATION.lower()), headers.pop(bus.HEADER_FIRST_SEQ.lower())
        subject = bus.up_subject(self._school, self._node, incarnation, first_seq)
        headers[bus.HEADER_ANSWER_TO] = answer_to = client.new_inbox()
        answer = await client.subscribe(answer_to, max_msgs=1)
        try:
            full = await self._into_stream(client, subject, headers, body)
            return full or _response(await answer.next_msg(timeout=self._timeout_s))
        finally:
            with suppress(nats.errors.Error):
                await answer.unsubscribe()

    async def _into_stream(
        self, client: Client, subject: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response | None:
        """None once the bus has it on its disk; the answer to give where it says that it has no room."""
        stream = client.jetstream(timeout=self._timeout_s)
        try:
            try:
                await stream.publish(subject, body, headers=headers, timeout=self._timeout_s)
            except nats.js.errors.NoStreamResponseError:
                await stream.add_stream(**bus.stream_settings())
                await stream.publish(subject, body, headers=headers, timeout=self._timeout_s)
        except (nats.errors.NoRespondersError, nats.js.errors.NoStreamResponseError) as error:
            raise httpx.ConnectError("this NATS server has no JetStream; see docs/nats.md") from error
        except nats.js.errors.APIError as error:
            return _own_answer(503, "unavailable", f"the bus cannot keep a batch ({error.description})")
        return None

    async def _ask(self, client: Client, headers: dict[str, str], body: bytes) -> Msg:
        subject = bus.ask_subject(self._school, self._node)
        try:
            return await client.request(subject, body, timeout=self._timeout_s, headers=headers)
        except nats.errors.NoRespondersError as error:
            raise httpx.ConnectError("no school server is on the bus") from error

    async def _ask_in_pieces(self, client: Client, headers: dict[str, str], body: bytes) -> Msg:
        """One after the other, each answered before the next one leaves."""
        pieces = [body[at : at + bus.PIECE_BYTES] for at in range(0, len(body), bus.PIECE_BYTES)]
        name = secrets.token_hex(8)
        for number, piece in enumerate(pieces, start=1):
            marked = {**headers, bus.HEADER_ID: name, bus.HEADER_PART: f"{number}/{len(pieces)}"}
            found = await self._ask(client, marked, piece)
            if (found.headers or {}).get(bus.HEADER_STATUS) != "100":
                return found
        return found

    async def _whole(self, client: Client, headers: dict[str, str], first: Msg) -> httpx.Response:
        """The rest of a long answer. A body that changes meanwhile is an answer that was lost."""
        digest, total = (first.headers or {}).get(bus.HEADER_BODY), _number(first, bus.HEADER_TOTAL)
        body = bytearray(first.data)
        while len(body) < total:
            found = await self._ask(client, {**headers, bus.HEADER_FROM: str(len(body))}, b"")
            if (found.headers or {}).get(bus.HEADER_BODY) != digest or not found.data:
                raise httpx.ReadError("the answer changed while its pieces came")
            body += found.data
        if hashlib.sha256(body).hexdigest() != digest:
            raise httpx.ReadError("the pieces of the answer do not make a whole")
        return _response(first, bytes(body))

    async def _connected(self) -> tuple[Client, asyncio.Future[None]]:
        async with self._connecting:
            if self._client is None or self._broken is None or not self._client.is_connected:
                try:
                    self._client, self._broken = await self._connect()
                except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
                    raise httpx.ConnectError(f"the NATS server cannot be used: {_reason(error)}") from error
            return self._client, self._broken

    async def _connect(self) -> tuple[Client, asyncio.Future[None]]:
        broken = asyncio.get_running_loop().create_future()
        self._heard = ""

        async def closed() -> None:
            if not broken.done():
                broken.set_result(None)

        async def heard(error: Exception) -> None:
            self._heard = _reason(error)

        client = Client()
        try:
            await client.connect(
                self._address,
                name=f"kiosk gate {self._node}",
                allow_reconnect=False,
                connect_timeout=int(CONNECT_TIMEOUT_S),
                ping_interval=PING_EVERY_S,
                inbox_prefix=bus.answer_prefix(self._school, self._node),
                pending_size=2 * bus.MOST_PAYLOAD_BYTES,
                error_cb=heard,
                closed_cb=closed,
            )
            if client.max_payload < bus.MOST_PAYLOAD_BYTES:
                raise ValueError(f"its max_payload is {client.max_payload}, set {bus.MOST_PAYLOAD_BYTES}; see docs/nats.md")
        except BaseException:
            await client.close()
            raise
        return client, broken


def _message_headers(request: httpx.Request) -> dict[str, str]:
    kept = {name: value for name, value in request.headers.items() if name not in _LEFT_OUT}
    return {**kept, bus.HEADER_METHOD: request.method, bus.HEADER_TARGET: request.url.raw_path.decode("ascii")}


def _response(message: Msg, body: bytes | None = None) -> httpx.Response:
    headers = message.headers or {}
    status = _number(message, bus.HEADER_STATUS)
    sent = {name: value for name, value in headers.items() if name.lower() not in _LEFT_OUT}
    return httpx.Response(status, headers=sent, content=message.data if body is None else body)


def _number(message: Msg, name: str) -> int:
    text = (message.headers or {}).get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise httpx.RemoteProtocolError(f"the answer has no sound {name}")
    return int(text)


def _own_answer(status: int, code: str, message: str) -> httpx.Response:
    body = msgspec.json.encode(protocol.Refusal(error=code, message=message))
    headers = {"Retry-After": str(min(STREAM_FULL_RETRY_S, int(MAX_RETRY_AFTER_S)))} if status == 503 else {}
    return httpx.Response(status, headers=headers, content=body)


def _reason(error: Exception) -> str:
    text: Any = str(error)
    return f"{text or type(error).__name__}"
