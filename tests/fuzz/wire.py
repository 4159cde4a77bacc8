"""What a wire is: a parser, what is valid on it, and what it promises. The table of all of them is `wires.py`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from drivers.serial_frames import MAX_FRAME_BYTES

QUIET = bytes(MAX_FRAME_BYTES)  # so many bytes of nothing show that a beginning was none
DIGITS, HEX = "0123456789", "0123456789ABCDEF"


@dataclass(frozen=True, kw_only=True)
class Wire:
    """frame: a valid frame and what must come out of it; the number counts the frames of one stream, for wires with times.
    promise: beside which garbage no frame is lost, in words; harmless: makes such garbage. tail: ends every stream."""

    parser: Callable[[], Any]
    frame: Callable[[Random, int], tuple[bytes, object]]
    harmless: Callable[[Random], bytes]
    promise: str
    bound: int
    tail: bytes = QUIET
    reference: Callable[[bytes], list[Any]] | None = None
    marks: tuple[bytes, ...] = ()  # what noise is salted with
    every_byte: float = 0.25  # so many of the streams are cut at every byte, the others here and there


def text_of(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


def without(*marks: int) -> Callable[[Random], bytes]:
    """Any bytes but these."""
    dropped = bytes(marks)

    def noise(random: Random) -> bytes:
        return random.randbytes(random.randrange(1, 40)).translate(None, dropped)

    return noise


def found_by(pattern: bytes, judge: Callable[[re.Match[bytes]], object | None]) -> Callable[[bytes], list[Any]]:
    """Leftmost matches that `judge` takes for frames; behind one that it does not, the search goes on one byte further."""
    compiled = re.compile(pattern, re.DOTALL)

    def reference(data: bytes) -> list[Any]:
        found, at = [], 0
        while (match := compiled.search(data, at)) is not None:
            frame = judge(match)
            if frame is not None:
                found.append(frame)
            at = match.start() + 1 if frame is None else match.end()
        return found

    return reference
