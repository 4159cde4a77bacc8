"""What the gate and its face process say to each other: MessagePack, each message behind its length."""

from __future__ import annotations

import struct
from typing import IO, TypeVar

import msgspec

LENGTH = struct.Struct(">I")
MESSAGE_MAX_BYTES = 16 << 20

T = TypeVar("T", bound=msgspec.Struct)


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The first word of the process. `trouble` says why it cannot work; it ends then."""

    trouble: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    picture: bytes


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """`vector`: float32, in the order of this computer's bytes; empty when the picture was refused."""

    refusal: str = ""
    vector: bytes = b""
    took_ms: int = 0


def send(to: IO[bytes], message: msgspec.Struct) -> None:
    raw = msgspec.msgpack.encode(message)
    to.write(LENGTH.pack(len(raw)) + raw)
    to.flush()


def receive(source: IO[bytes], kind: type[T]) -> T | None:
    """The next message; None at the end. Raises ValueError for what is none."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    if length > MESSAGE_MAX_BYTES:
        raise ValueError(f"a message of {length} bytes")
    raw = source.read(length)
    return msgspec.msgpack.decode(raw, type=kind) if len(raw) == length else None
