"""What is asked of every parser, for one stream at a time. Raises AssertionError with the bytes, so that they can be kept.

The promise: valid frames with harmless garbage between them all come out, in order, and nothing else does. Anything else:
frames that were bent, cut and mixed with noise never raise, never make a parser hold more than its bound, give the same
however the bytes are cut, and give exactly what the reference finds where there is one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.fuzz.message import Message
from tests.fuzz.wire import Wire

FRAMES_OF_A_STREAM = 12
CONTAINERS = (bytes, bytearray, str, list, tuple, dict, set, frozenset)
SHOWN_DIGITS = 4_000
SLACK = 64  # flags, marks and tables that a parser keeps beside its buffer


@dataclass
class Count:
    """Frames that went in, those of them that were whole, and whole ones that garbage swallowed by being a frame itself."""

    frames: int = 0
    whole: int = 0
    swallowed: int = 0


def bent(random: Random, data: bytes, marks: tuple[bytes, ...] = ()) -> bytes:
    """One mishap: a bit, a byte more or less, the end or the beginning gone, a mark in the middle, a part twice."""
    if not data:
        return random.randbytes(1)
    at, kind = random.randrange(len(data)), random.randrange(8)
    if kind <= 1:
        return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    if kind == 2:
        return data[:at] + random.randbytes(random.randrange(1, 4)) + data[at:]
    if kind == 3:
        return data[:at] + data[at + random.randrange(1, 4) :]
    if kind == 4:
        return data[:at]
    if kind == 5:
        return data[at:]
    if kind == 6 and marks:
        return data[:at] + random.choice(marks) + data[at:]
    return data[:at] + data[: at + 1] + data[at:]


def check_promise(wire: Wire, random: Random) -> Count:
    """Whole frames beside harmless garbage."""
    parts, wanted = [], []
    for number in range(FRAMES_OF_A_STREAM):
        frame, value = wire.frame(random, number)
        parts += [wire.harmless(random) if random.random() < 0.6 else b"", frame]
        wanted.append(value)
    data = b"".join(parts)
    came_out = fed(wire, itertools.chain(cut(random, data, wire.every_byte), [wire.tail]))
    assert came_out == wanted, said("a frame was lost or made up beside harmless garbage", data, came_out, wanted)
    return Count(len(wanted), len(wanted))


def check_anything(wire: Wire, random: Random) -> Count:
    """Whole and bent frames and noise, in any order."""
    parts, whole = [], []
    for number in range(FRAMES_OF_A_STREAM):
        frame, value = wire.frame(random, number)
        luck = random.random()
        if luck < 0.5:
            whole.append(value)
        elif luck < 0.9:
            frame = bent(random, frame, wire.marks)
        else:
            frame = bent(random, bent(random, frame, wire.marks), wire.marks)
        parts.append(frame)
        if luck > 0.7:
            parts.append(random.randbytes(random.randrange(8)))
    data = b"".join(parts)
    came_out = check_bytes(wire, data, cut(random, data, wire.every_byte))
    rest = list(came_out)
    swallowed = 0
    for value in whole:
        if value in rest:
            rest.remove(value)
        else:
            swallowed += 1
    return Count(FRAMES_OF_A_STREAM, len(whole), swallowed)


def check_bytes(wire: Wire, data: bytes, cuts: Iterable[bytes]) -> list[Any]:
    """Any bytes at all: in one piece and in `cuts`. Gives what came out."""
    in_one = fed(wire, [data, wire.tail])
    in_parts = fed(wire, itertools.chain(cuts, [wire.tail]))
    assert in_one == in_parts, said("how the bytes are cut changed what came out", data, in_parts, in_one)
    if wire.reference is not None:
        wanted = wire.reference(data + wire.tail)
        assert in_one == wanted, said("the reference reads the stream otherwise", data, in_one, wanted)
    return in_one


def fed(wire: Wire, chunks: Iterable[bytes]) -> list[Any]:
    parser = wire.parser()
    came_out: list[Any] = []
    for chunk in chunks:
        came_out += parser.feed(chunk)
        if parser.buffered > wire.bound:
            raise AssertionError(said(f"holds {parser.buffered} bytes, more than {wire.bound}", chunk))
    held = sum(len(value) for value in vars(parser).values() if isinstance(value, CONTAINERS))
    assert held <= wire.bound + SLACK, f"holds {held} bytes or things in all, and says {parser.buffered}"
    return came_out


def cut(random: Random, data: bytes, every_byte: float) -> Iterator[bytes]:
    """At every byte, with this chance; else here and there."""
    if random.random() < every_byte:
        yield from (data[at : at + 1] for at in range(len(data)))
        return
    at = 0
    while at < len(data):
        step = random.choice((1, 3, 7, 16, 24, 64, 200))
        yield data[at : at + step]
        at += step


def check_message(message: Message, random: Random) -> Count:
    """One valid message, and one that was bent: read as what it is, or refused with the named error."""
    data, wanted = message.valid(random)
    came_out = message.read(data)
    assert came_out == wanted, said("a valid message was not understood", data, came_out, wanted)
    changed = data
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        changed = bent(random, changed, message.marks)
    check_message_bytes(message, changed, genuine=changed == data)
    return Count(2, 1)


def check_message_bytes(message: Message, data: bytes, *, genuine: bool = False) -> None:
    try:
        came_out = message.read(data)
    except message.errors:
        assert not genuine, said("a genuine message was refused", data)
        return
    if message.sealed and not genuine:
        raise AssertionError(said("a changed message was taken for a genuine one", data, came_out))


def said(what: str, data: bytes, *came_out: object) -> str:
    return f"{what}: {data.hex()[:SHOWN_DIGITS]}\n" + "\n".join(repr(each)[:600] for each in came_out)
