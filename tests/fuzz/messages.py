"""One table of everything that reads a whole message from outside: a code that was scanned, an entry of another gate.

Each has a maker of valid messages with what must be read from them, and the only errors that it may raise. `sealed`: a
signature or a check protects it, so that nothing that was changed may ever be taken for genuine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.device_urls import DeviceUrl, split_url
from drivers.errors import Misconfigured
from kiosk.core import passes
from kiosk.core.entries import Entry, Kind, UnreadableEntry, decode, encode
from sync_agent import protocol

ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ISSUERS = {"east": ISSUER.public_key().public_bytes_raw()}
POOL = 64  # signing is slow: so many genuine ones are made and used again


class NothingElse(Exception):
    """For readers that may raise nothing at all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Message:
    read: Callable[[bytes], Any]
    valid: Callable[[Random], tuple[bytes, Any]]
    errors: tuple[type[Exception], ...] = (NothingElse,)
    sealed: bool = False
    marks: tuple[bytes, ...] = ()


def _text(data: bytes) -> str:
    """As a reader of lines hands it over: text, or nothing."""
    return data.decode("utf-8", "replace")


@cache
def _passes() -> list[tuple[bytes, passes.Pass]]:
    random, made = Random(20261123), []
    for child in range(1, POOL + 1):
        one = passes.Pass(
            id=random.randbytes(8).hex(), child=child, for_day="2026-09-01", gate=random.choice(("", "east")),
            name="王芳", relation="姨", id_last4="123X", phone_tail=random.choice(("", "1234")), node="east",
            issued_ms=random.randrange(2**41),
        )  # fmt: skip
        made.append((passes.pass_text(one, ISSUER.sign(passes.signed_part(one))).encode(), one))
    return made


def _entry(random: Random) -> tuple[bytes, Entry]:
    body = {"child": random.randrange(1, 1620), "uid": random.randbytes(4).hex().upper(), "why": '张三 \u2028"\\'}
    known = {f"west/{random.randrange(9)}": random.randrange(10**6)} if random.random() < 0.5 else {}
    entry = Entry(
        node="east", incarnation="a1", seq=random.randrange(10**9), tick=random.randrange(2**41), at_ms=random.randrange(2**41),
        clock="trusted", kind=Kind.ARRIVED, body=body, based_on=known,
    )  # fmt: skip
    return encode(entry), entry


def _have(random: Random) -> tuple[bytes, dict[tuple[str, str], int]]:
    have = {(f"gate-{random.randrange(9)}", f"i{n}"): random.randrange(2**53) for n in range(random.randrange(6))}
    return protocol.have_text((*stream, seq) for stream, seq in have.items()).encode(), have


def _url(random: Random) -> tuple[bytes, DeviceUrl]:
    options = {"baud": str(random.choice((9600, 115200))), "as": "number"} if random.random() < 0.5 else {}
    url = DeviceUrl("lines", f"/dev/serial/by-id/usb-{random.randbytes(4).hex()}", options)
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{url.scheme}:{url.address}{'?' if query else ''}{query}".encode(), url


MESSAGES: dict[str, Message] = {
    "delegate's pass": Message(
        read=lambda data: passes.read_pass(_text(data), ISSUERS), valid=lambda random: random.choice(_passes()),
        errors=(passes.PassUnsound,), sealed=True, marks=(b".", b"=", b"KP1."),
    ),
    "journal entry": Message(read=decode, valid=_entry, errors=(UnreadableEntry,), marks=(b"{", b'"', b"[[", b"\\u", b"1e999")),
    "what a node has": Message(
        read=lambda data: protocol.read_have(_text(data)), valid=_have, errors=(protocol.MalformedMessage,), marks=(b":", b",")
    ),
    "device URL": Message(
        read=lambda data: split_url(_text(data)), valid=_url, errors=(Misconfigured,), marks=(b":", b"?", b"&", b"%", b"[")
    ),
}  # fmt: skip
