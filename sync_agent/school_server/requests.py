"""Reads a request within its limits and says who signed it. Every way of being wrong is one Refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import zstandard
from starlette.requests import ClientDisconnect, Request

from sync_agent import protocol
from sync_agent.protocol import Code
from sync_agent.school_server.enrolling import check_signature
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.store import Node, Store

MAX_ZSTD_WINDOW_BYTES: Final = protocol.MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Asker:
    """Who a signed request comes from."""

    school: str
    node: str


async def read_body(request: Request, *, most_bytes: int) -> bytes:
    """The body as it came, counted while it comes: nobody can make the server hold more than `most_bytes`."""
    stated = request.headers.get("Content-Length", "")
    if stated.isascii() and stated.isdigit() and (len(stated) > 18 or int(stated) > most_bytes):
        raise _too_large(most_bytes)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most_bytes:
                raise _too_large(most_bytes)
    except ClientDisconnect as error:
        raise Refused(Code.MALFORMED, "the sender went away before the body was complete") from error
    return bytes(body)


async def read_message(request: Request) -> bytes:
    """The body of a JSON request, unpacked if it came in zstd."""
    body = await read_body(request, most_bytes=protocol.MAX_BODY_BYTES)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "zstd":
        raise Refused(Code.UNSUPPORTED_ENCODING, f"Content-Encoding {encoding[:40]!r} is not taken; send zstd or none")
    return _unpacked(body)


def check_version(request: Request) -> None:
    """Every request of the protocol says which version it speaks."""
    text = request.headers.get(protocol.HEADER_VERSION, "")
    try:
        version = protocol.read_number(text, where=protocol.HEADER_VERSION)
    except protocol.MalformedMessage as error:
        raise Refused(Code.UNSUPPORTED_VERSION, f"{error}; this server speaks {_versions()}") from error
    if not protocol.OLDEST_VERSION <= version <= protocol.VERSION:
        raise Refused(Code.UNSUPPORTED_VERSION, f"sync protocol {version} is not spoken here; this server speaks {_versions()}")


def school_of(request: Request, schools: tuple[str, ...]) -> str:
    school = request.headers.get(protocol.HEADER_SCHOOL, "")
    if school not in schools:
        raise Refused(Code.UNKNOWN_NODE, f"school {school[:80]!r} is not served here; check {protocol.HEADER_SCHOOL}")
    return school


def signed_by(
    request: Request, store: Store, *, school: str, body_sha256: str | None = None, extra: tuple[str, ...] = ()
) -> Asker:
    """The enrolled node whose signature the request bears. Raises Refused. May block: it reads the store."""
    name = request.headers.get(protocol.HEADER_NODE, "")
    found: Node | None = store.node(school=school, node=name) if protocol.is_name(name) else None
    if found is None:
        raise Refused(
            Code.UNKNOWN_NODE, f"node {name[:80]!r} is not enrolled in school {school}; enrol it with the office's code"
        )
    text = protocol.request_text(
        method=request.method,
        target=_target(request),
        school=school,
        node=name,
        body_sha256=body_sha256 or hashlib.sha256(b"").hexdigest(),
        extra=extra,
    )
    signature = request.headers.get(protocol.HEADER_SIGNATURE, "")
    check_signature(store, found, text=text, signature=signature, what="this request")
    return Asker(school, name)


def _target(request: Request) -> str:
    """Path and query exactly as they stood on the request line."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


def _unpacked(body: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW_BYTES).stream_reader(body)
    try:
        unpacked: bytes = reader.read(protocol.MAX_BODY_BYTES + 1)
    except (zstandard.ZstdError, MemoryError) as error:
        raise Refused(Code.MALFORMED, f"the body is not zstd, or damaged: {error}") from error
    if len(unpacked) > protocol.MAX_BODY_BYTES:
        raise _too_large(protocol.MAX_BODY_BYTES)
    return unpacked


def _too_large(most_bytes: int) -> Refused:
    return Refused(Code.TOO_LARGE, f"the body is larger than the {most_bytes} bytes that are taken here; send less at once")


def _versions() -> str:
    if protocol.OLDEST_VERSION == protocol.VERSION:
        return str(protocol.VERSION)
    return f"{protocol.OLDEST_VERSION} to {protocol.VERSION}"
