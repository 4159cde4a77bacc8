"""Keyboard wedges under fire: scans as the kernel's events, and the same stream read with all of it in hand."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from drivers.input_events import EVENT, KEYPAD, MAX_SCAN_CHARACTERS, PLAIN, SHIFTED, WedgeScans
from drivers.serial_frames import CardFrame
from tests.fuzz.wire import DIGITS, Wire, text_of

SCAN_EVERY_S = 2
ENTER, LEFT_SHIFT = 28, 42
KEYS = {character: (2 + at, False) for at, character in enumerate("1234567890")}
KEYS |= {"a": (30, False), "A": (30, True), "z": (44, False), "P": (25, True), ".": (52, False), "|": (43, True), "+": (13, True)}


def _typed(text: str, number: int) -> bytes:
    """As a keyboard without scan codes types it, a key every 4 ms, Enter at the end; written without the product's own maker."""
    at_us, events = (1_700_000_000 + number * SCAN_EVERY_S) * 1_000_000, bytearray()
    for key, shifted in [*(KEYS[character] for character in text), (ENTER, False)]:
        strokes = [(LEFT_SHIFT, 1), (key, 1), (key, 0), (LEFT_SHIFT, 0)] if shifted else [(key, 1), (key, 0)]
        seconds, micros = divmod(at_us, 1_000_000)
        for code, value in strokes:
            events += EVENT.pack(seconds, micros, 1, code, value) + EVENT.pack(seconds, micros, 0, 0, 0)
        at_us += 4_000
    return bytes(events)


def _scan(random: Random, number: int) -> tuple[bytes, object]:
    value = text_of(random, DIGITS, random.choice((4, 5, 8)))
    return _typed(value, number), CardFrame("number", value)


def _code(random: Random, number: int) -> tuple[bytes, object]:
    value = text_of(random, "".join(KEYS), random.randrange(4, 7))
    return _typed(value, number), CardFrame("qr", value)


def _no_events(random: Random) -> bytes:
    """Bytes of which no stretch is an event, also together with the first bytes of a good one."""
    return random.randbytes(random.randrange(1, 60)).translate(bytes(byte | 0x80 for byte in range(256)))


class _Press(NamedTuple):
    at_us: int
    code: int
    noise: bool  # something stood between it and the press before
    freed: frozenset[int]  # shifts that were let go since


LAYOUT = struct.Struct("<qqHHi" if EVENT.size == 24 else "<iiHHi")
GAP_US = 100_000
ENDS, SHIFTS, CAPITALS, SILENT = (15, 28, 96), (42, 54), 58, (69, 70)
SHAPES = {0: (4, range(2)), 1: (0x300, range(3)), 4: (8, None), 17: (16, range(2)), 20: (2, None)}


def _presses(data: bytes) -> Iterator[_Press]:
    at, noise, freed = 0, False, frozenset[int]()
    while at + EVENT.size <= len(data):
        seconds, micros, kind, code, value = LAYOUT.unpack_from(data, at)
        codes, values = SHAPES.get(kind, (0, None))
        timely = 0 <= seconds < 1 << 34 and 0 <= micros < 10**6 and seconds + micros > 0
        if not timely or code >= codes or (values is not None and value not in values):
            at, noise = at + 1, True
            continue
        at += EVENT.size
        if (kind, code) == (0, 3):
            noise = True
        elif kind == 1 and code in SHIFTS and value == 0:
            freed |= {code}
        elif kind == 1 and value == 1:
            yield _Press(seconds * 10**6 + micros, code, noise, freed)
            noise, freed = False, frozenset()


def _scans(scheme: str) -> Callable[[bytes], list[Any]]:
    """From end key to end key: where a scan begins between them, whether anything is missing from there on, and what it says."""

    def reference(data: bytes) -> list[Any]:
        presses, found = list(_presses(data)), list[Any]()
        steps = [0, *(b.at_us - a.at_us for a, b in itertools.pairwise(presses))]
        ends = [n for n, press in enumerate(presses) if press.code in ENDS]
        clean = set[int]()
        for first, end in zip([0, *(n + 1 for n in ends)], ends, strict=False):
            back: int | None = None  # the press before the first that time ran back to
            for n in range(first, end + 1):
                pause = n == 0 or steps[n] > GAP_US
                if steps[n] < 0:
                    back = n - 1 if back is None else back
                elif pause and (back is None or (0 <= steps[n - 1] <= GAP_US and _after_all(presses[back : n + 1]))):
                    clean.add(n)
                    back = None
            begins = max((n for n in clean if first <= n <= end), default=None)
            since = begins + 1 if begins is not None else first
            if any(presses[n].noise or steps[n] < 0 or (steps[n] > GAP_US) for n in range(since, end + 1)):
                continue
            text = _read(presses, max((n for n in clean if n <= first), default=0) if begins is None else begins, first, end)
            if text is not None and len(text) >= 4 and (scheme == "qr" or _is_number(text)):
                found.append(CardFrame(scheme, text))
        return found

    return reference


def _after_all(presses: list[_Press]) -> bool:
    *before, last = presses
    return last.at_us > GAP_US + max(press.at_us for press in before)


def _read(presses: list[_Press], begins: int, first: int, end: int) -> str | None:
    """With the shifts since `begins`, what was typed from there or from `first` on; None for a key that writes nothing."""
    held, capitals, text = set[int](), False, ""
    for n in range(begins, end):
        code = presses[n].code
        held -= presses[n].freed if n > begins else set()
        if code in SHIFTS:
            held.add(code)
        elif code == CAPITALS:
            capitals = not capitals
        elif code not in SILENT and n >= first:
            character = KEYPAD.get(code) or (SHIFTED if held else PLAIN).get(code)
            if character is None:
                return None
            text += character.swapcase() if capitals else character
    return text.strip() if len(text) <= MAX_SCAN_CHARACTERS else None


def _is_number(text: str) -> bool:
    return len(text) <= 32 and not set(text) - set("0123456789ABCDEFabcdef,:- ") and any(c in DIGITS for c in text)


TYPED: dict[str, Wire] = {
    "wedge-number": Wire(
        parser=lambda: WedgeScans(scheme="number"), frame=_scan, harmless=_no_events, bound=MAX_SCAN_CHARACTERS + EVENT.size,
        promise="noise between two scans; noise within a scan spoils that scan, because half a number may be another card",
        reference=_scans("number"), tail=b"", every_byte=0.02, marks=(bytes(8), EVENT.pack(1, 0, 0, 3, 0)),
    ),
    "wedge-qr": Wire(
        parser=lambda: WedgeScans(scheme="qr"), frame=_code, harmless=_no_events, bound=MAX_SCAN_CHARACTERS + EVENT.size,
        promise="noise between two scans; noise within a scan spoils that scan",
        reference=_scans("qr"), tail=b"", every_byte=0.02, marks=(bytes(8), EVENT.pack(1, 0, 0, 3, 0)),
    ),
}  # fmt: skip
