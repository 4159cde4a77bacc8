"""ASGI without a framework, for the few requests that come by the thousand, and the same errors for all of them.

Reads bodies up to a named size, writes one JSON answer, and adds the headers that every answer carries.
Knows no route and no role.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from starlette.types import Message, Receive, Scope, Send

from kiosk.web.refusals import Malformed, Refusal, TooLarge

JSON_BODY_MAX_BYTES = 16 * 1024

# script-src without 'unsafe-inline': every script is a file of this gate. data: and blob: are for icons in style
# sheets and for pictures that a page has already fetched.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NO_SNIFF = (b"x-content-type-options", b"nosniff")
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _POLICY.encode()),
    NO_SNIFF,
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
NO_STORE = (b"cache-control", b"no-store")
_JSON = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


async def read_body(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises TooLarge before it has been taken in."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if len(body) > limit_bytes:
        raise too_large(limit_bytes)
    if not message.get("more_body", False):
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("The body ended early; send it again.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit_bytes:
            raise too_large(limit_bytes)
    return b"".join(chunks)


def too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit_bytes // 1024} KiB; send less.")


async def answer_json(send: Send, body: bytes, *, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length, NO_STORE, NO_SNIFF, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_refusal(send: Send, refusal: Refusal) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    await answer_json(send, _encode({"error": refusal.sentence}), status=refusal.status, headers=headers)


def sentence_for(error: msgspec.MsgspecError | UnicodeDecodeError) -> str:
    """One clear sentence about a body that is not what was asked for."""
    what = str(error)
    if isinstance(error, msgspec.ValidationError):
        return f"The body does not fit: {what}."
    return f"The body is not valid JSON: {what}."


def counted(receive: Receive, limit_bytes: int) -> Receive:
    """The same `receive`, which raises TooLarge when more than `limit_bytes` have come."""
    size = 0

    async def receive_counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit_bytes:
            raise too_large(limit_bytes)
        return message

    return receive_counted
