"""Sync protocol 1 over HTTP, from the node's side: builds requests, signs them, and names what went wrong.

It never retries, never sleeps and never decides; one call is one request.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import httpx
import msgspec
import zstandard
from msgspec import UNSET

from sync_agent import protocol
from sync_agent.errors import AnswerLost, Misconfigured, ServerBroke, ServerBusy, ServerFailed, ServerRefused, ServerUnreachable
from sync_agent.keys import SigningKey
from sync_agent.transports import DirectoryAnswer, Snapshot

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 30.0
MAX_RETRY_AFTER_S: Final = 600.0
MAX_ANSWER_BYTES: Final = 2 * protocol.MAX_BODY_BYTES
PACK_ABOVE_BYTES: Final = 1_024  # below this zstd saves nothing worth its time
ZSTD_LEVEL: Final = 1
_AHEAD_WORD: Final = re.compile(r"[A-Za-z0-9:._-]{1,64}")
EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking. node: the name under which the key is enrolled."""

    school: str
    node: str
    key: SigningKey


class HttpTransport:
    """`base_url` such as http://10.0.0.5:8440. Proxy variables of the environment are ignored: it is a campus service.

    ca_file: whose certificates to believe with https://, in PEM; none for those that this computer believes.
    """

    def __init__(
        self,
        base_url: str,
        caller: Caller,
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url, self._caller = base_url.rstrip("/"), caller
        self._ahead_next = ""  # what the server knows by what it has told us ahead of its turn
        self._root = self.base_url  # base_url is what is said to people
        timeout = httpx.Timeout(answer_timeout_s, connect=min(CONNECT_TIMEOUT_S, answer_timeout_s))
        verify = trusted(ca_file) if base_url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.AsyncClient(timeout=timeout, transport=transport, trust_env=False, verify=verify)

    async def __aenter__(self) -> HttpTransport:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    def about(self, batch: protocol.Batch) -> dict[str, str]:
        """Headers that a carrier wants to know of a batch without opening it; plain HTTP wants none."""
        return {}

    async def send(self, batch: protocol.Batch) -> protocol.BatchAnswer:
        content = msgspec.json.encode(batch)
        headers = {"Content-Type": "application/json", **self.about(batch)}
        if len(content) >= PACK_ABOVE_BYTES:
            content = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(content)
            headers["Content-Encoding"] = "zstd"
        answer, body = await self._ask("POST", protocol.ENTRIES_PATH, content=content, headers=headers)
        return _decode(answer, body, protocol.BatchAnswer)

    async def countersign(self, head: protocol.SignedHead) -> protocol.HeadAnswer:
        headers = {"Content-Type": "application/json"}
        answer, body = await self._ask("POST", protocol.HEADS_PATH, content=msgspec.json.encode(head), headers=headers)
        return _decode(answer, body, protocol.HeadAnswer)

    async def status(self, node: str) -> protocol.ServerStatus:
        answer, body = await self._ask("GET", f"{protocol.STATUS_PATH}?node={node}", signed=True)
        return _decode(answer, body, protocol.ServerStatus)

    async def relay(self, *, have: list[tuple[str, str, int]]) -> protocol.Relay:
        target = f"{protocol.ENTRIES_PATH}?have={protocol.have_text(have)}"
        if _AHEAD_WORD.fullmatch(self._ahead_next):
            target += f"&ahead={self._ahead_next}"
        answer, body = await self._ask("GET", target, signed=True)
        relay = _decode(answer, body, protocol.Relay)
        self._ahead_next = relay.ahead_next
        return relay

    async def directory(self, *, sha256: str) -> DirectoryAnswer:
        headers = {"If-None-Match": f'"{sha256}"'} if sha256 else {}
        answer, body = await self._ask(
            "GET", protocol.DIRECTORY_PATH, headers=headers, signed=True, most_bytes=protocol.MAX_DIRECTORY_BYTES
        )
        number = _header_number(answer, protocol.HEADER_NUMBER)
        office = answer.headers.get(protocol.HEADER_OFFICE) == protocol.YES
        if answer.status_code != httpx.codes.OK:
            return DirectoryAnswer(number, office, None)
        return DirectoryAnswer(number, office, Snapshot(number, answer.headers.get(protocol.HEADER_SIGNATURE, ""), body))

    async def put_directory(self, content: bytes, *, number: int, base: int, sha256: str) -> None:
        headers = {
            "Content-Type": "application/octet-stream",
            protocol.HEADER_NUMBER: str(number),
            protocol.HEADER_BASE: str(base),
            protocol.HEADER_SHA256: sha256,
        }
        await self._ask(
            "PUT",
            protocol.DIRECTORY_PATH,
            content=content,
            headers=headers,
            signed=True,
            body_sha256=sha256,
            extra=(str(number), str(base)),
        )

    async def enrol(self, request: protocol.EnrolRequest) -> protocol.EnrolAnswer:
        content = msgspec.json.encode(request)
        answer, body = await self._ask("POST", protocol.ENROL_PATH, content=content, headers={"Content-Type": "application/json"})
        return _decode(answer, body, protocol.EnrolAnswer)

    async def change_key(self, change: protocol.KeyChange) -> protocol.KeyAnswer:
        content = msgspec.json.encode(change)
        answer, body = await self._ask("POST", protocol.KEY_PATH, content=content, headers={"Content-Type": "application/json"})
        return _decode(answer, body, protocol.KeyAnswer)

    async def _ask(
        self,
        method: str,
        target: str,
        *,
        content: bytes = b"",
        headers: dict[str, str] | None = None,
        signed: bool = False,
        body_sha256: str = EMPTY_SHA256,
        extra: tuple[str, ...] = (),
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> tuple[httpx.Response, bytes]:
        caller = self._caller
        sent = {
            protocol.HEADER_VERSION: str(protocol.VERSION),
            protocol.HEADER_SCHOOL: caller.school,
            protocol.HEADER_NODE: caller.node,
            **(headers or {}),
        }
        if signed:
            text = protocol.request_text(
                method=method,
                target=target,
                school=caller.school,
                node=caller.node,
                body_sha256=body_sha256,
                extra=extra,
            )
            sent[protocol.HEADER_SIGNATURE] = caller.key.sign(text)
        answer, body = await self._exchange(method, target, content=content, headers=sent, most_bytes=most_bytes)
        _raise_for(answer, body, where=self.base_url)
        return answer, body

    async def _exchange(
        self, method: str, target: str, *, content: bytes, headers: dict[str, str], most_bytes: int
    ) -> tuple[httpx.Response, bytes]:
        """Sends and reads the whole answer, within `most_bytes`: a wrong server must not fill the gate's memory."""
        body = bytearray()
        try:
            request = {"content": content or None, "headers": headers}
            async with self._client.stream(method, self._root + target, **_arguments(request)) as answer:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > most_bytes:
                        raise ServerFailed(f"{self.base_url} answers with more than {most_bytes} bytes; is it the server?")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            if (doubt := _certificate_doubt(error)) is not None:
                raise ServerUnreachable(f"{self.base_url} shows a certificate that is not believed ({doubt})") from error
            raise ServerUnreachable(
                f"{self.base_url} cannot be reached ({_reason(error)}); look at network and server"
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ServerUnreachable(f"{self.base_url!r} is not a server address ({error}); mend the setting") from error
        except httpx.DecodingError as error:
            raise ServerFailed(f"{self.base_url} answers with a damaged body; is it the school server?") from error
        except httpx.HTTPError as error:
            raise AnswerLost(f"{self.base_url} did not answer {method} {target.partition('?')[0]} ({_reason(error)})") from error
        return answer, bytes(body)


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 and newer, with names and dates checked. Raises Misconfigured when the file holds no certificate."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise Misconfigured(
            f"{ca_file} cannot be read as certificates ({error.strerror or error}); copy the campus certificate there, in PEM"
        ) from error


_NOT_BELIEVED: Final = {
    9: "it is valid only later: is this computer's clock right?",  # X509_V_ERR_CERT_NOT_YET_VALID
    10: "it has run out: put a new one on the server, unless this computer's clock is wrong",
    18: "it has signed itself: name it, or the campus CA behind it, as sync.ca_file",
    19: "the campus CA behind it is not known here: name it as sync.ca_file",
    20: "the campus CA behind it is not known here: name it as sync.ca_file",
    62: "it is for another name: use the name of the certificate in sync.server",
    64: "it is for another address: use the name or address of the certificate in sync.server",
}


def _certificate_doubt(error: BaseException) -> str | None:
    """Why a certificate was not believed, with the remedy; None for any other trouble."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return None if cause is None else _NOT_BELIEVED.get(cause.verify_code, cause.verify_message)


def _arguments(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if value is not None}


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _decode(answer: httpx.Response, body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ServerFailed(
            f"{answer.url.host} answers {answer.status_code} with something else than sync protocol {protocol.VERSION}"
            f" ({error}); is it the school server?"
        ) from error


def _raise_for(answer: httpx.Response, body: bytes, *, where: str) -> None:
    status = answer.status_code
    if status in (httpx.codes.OK, httpx.codes.NO_CONTENT, httpx.codes.NOT_MODIFIED):
        return
    refusal = _refusal(body)
    message = refusal.message if refusal else f"HTTP {status}"
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
        pause_s = _retry_after_s(answer.headers.get("Retry-After"))
        raise ServerBusy(f"{where} asks to wait ({message})", retry_after_s=pause_s)
    if refusal is not None and refusal.error == protocol.Code.FAILED:
        raise ServerBroke(f"{where} broke on a request ({message})")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or refusal is None:
        raise ServerFailed(f"{where} failed ({message}); look at the school server")
    raise ServerRefused(
        f"{where} refused: {message}",
        status=status,
        code=refusal.error,
        durable_through=None if refusal.durable_through is UNSET else int(refusal.durable_through),
        number=None if refusal.number is UNSET else int(refusal.number),
    )


def _refusal(body: bytes) -> protocol.Refusal | None:
    try:
        return msgspec.json.decode(body, type=protocol.Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _retry_after_s(text: str | None) -> float | None:
    """Seconds as sent; the date form is ignored because a gate's clock may be wrong."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return min(float(text), MAX_RETRY_AFTER_S)


def _header_number(answer: httpx.Response, name: str) -> int:
    try:
        return protocol.read_number(answer.headers.get(name, ""), where=name)
    except protocol.MalformedMessage as error:
        raise ServerFailed(f"{answer.url.host} answers without a sound {name}; is it the school server?") from error
