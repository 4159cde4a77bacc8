"""What a keyboard wedge types, from the exact bytes of `struct input_event`. Pure parser: `feed(bytes)` gives finished scans.

Readers and scanners that pretend to be a keyboard type a number and press Enter. This module turns key codes into text
(US layout, as every such reader has it from the factory), tells a reader's rhythm from a person's by the events' own
times, and holds at most one event and one scan between two calls. No device, no clock, no thread in here; it never
raises, and it never guesses: a scan of which a part was lost is thrown away, because half a number may be the whole
number of another child's card.

The layout is that of <linux/input.h>: `llHHi` - seconds, microseconds, type, code, value - 24 bytes on a 64-bit machine.
"""

from __future__ import annotations

import struct
from typing import Literal

from drivers.serial_frames import CARD_UID_LENGTHS, HEX_DIGITS, NUMBER_CHARACTERS, CardFrame

EVENT = struct.Struct("llHHi")
KEY_GAP_S = 0.1  # readers press a key every 1 to 15 ms; a person hardly ever so fast, and never for a whole number
MAX_SCAN_CHARACTERS = 1024
MIN_SCAN_CHARACTERS = 4
MAX_NUMBER_CHARACTERS = 32
MICROSECONDS = 1_000_000
LATEST_S = 1 << 34  # no clock that Linux knows has counted so many seconds

EV_SYN, EV_KEY, EV_MSC, EV_LED, EV_REP = 0x00, 0x01, 0x04, 0x11, 0x14
SYN_DROPPED, MSC_SCAN = 3, 4
RELEASED, PRESSED = 0, 1
# type: (codes below, values below); None is any value. What a keyboard sends; anything else was noise.
_SHAPES: dict[int, tuple[int, int | None]] = {
    EV_SYN: (4, 2),
    EV_KEY: (0x300, 3),
    EV_MSC: (8, None),
    EV_LED: (16, 2),
    EV_REP: (2, None),
}

TAB, ENTER, KEYPAD_ENTER = 15, 28, 96
LEFT_SHIFT, RIGHT_SHIFT, CAPS_LOCK, NUM_LOCK, SCROLL_LOCK = 42, 54, 58, 69, 70
_ENDS = frozenset({TAB, ENTER, KEYPAD_ENTER})
_SHIFTS = frozenset({LEFT_SHIFT, RIGHT_SHIFT})
_SILENT = frozenset({NUM_LOCK, SCROLL_LOCK})  # some readers switch the keypad on before they type digits with it


def _row(first: int, characters: str) -> dict[int, str]:
    return {first + at: character for at, character in enumerate(characters)}


PLAIN = _row(2, "1234567890-=") | _row(16, "qwertyuiop[]") | _row(30, "asdfghjkl;'`") | _row(43, "\\zxcvbnm,./") | {57: " "}
SHIFTED = _row(2, "!@#$%^&*()_+") | _row(16, "QWERTYUIOP{}") | _row(30, 'ASDFGHJKL:"~') | _row(43, "|ZXCVBNM<>?") | {57: " "}
KEYPAD = {55: "*", 98: "/", 117: "="} | _row(71, "789-456+1230.")

Scheme = Literal["number", "qr", "uid"]


class WedgeScans:
    """`scheme` is `number` (a printed card number, the default of such readers), `uid` (hex of 4, 7 or 10 bytes) or `qr`
    (any text). `bad` counts what had to be thrown away: noise, parts of scans, texts that are no such thing."""

    def __init__(self, *, scheme: Scheme = "number") -> None:
        self._scheme = scheme
        self._rest = bytearray()
        self._typed: list[str] = []
        self._shifts: set[int] = set()
        self._capitals = False
        self._spoilt = False  # until the scan ends: a part of it was lost
        self._pressed_at_us: int | None = None
        self._in_step = False  # the last key came soon after the one before
        self._latest_us: int | None = None  # since time ran backwards
        self.bad = 0

    @property
    def buffered(self) -> int:
        """Bytes of an unfinished event, and characters of an unfinished scan."""
        return len(self._rest) + len(self._typed)

    def reset(self) -> None:
        """Forget everything that was begun."""
        self._rest.clear()
        self._pressed_at_us = None
        self._in_step, self._latest_us = False, None
        self._begin()

    def abandon(self) -> None:
        """Throw away the scan that has begun, and the rest of it: its beginning was not ours."""
        self._spoil()

    def feed(self, data: bytes) -> list[CardFrame]:
        """The scans that are finished now. After noise it goes on one byte further, and the scan around it is spoilt."""
        self._rest += data
        found: list[CardFrame] = []
        at, end = 0, len(self._rest) - EVENT.size
        while at <= end:
            seconds, micros, kind, code, value = EVENT.unpack_from(self._rest, at)
            if not _is_event(seconds, micros, kind, code, value):
                self._spoil()
                at += 1
                continue
            at += EVENT.size
            if kind == EV_KEY:
                found += self._key(seconds * MICROSECONDS + micros, code, value)
            elif kind == EV_SYN and code == SYN_DROPPED:  # the kernel's queue ran over: keys are missing
                self._spoil()
        del self._rest[:at]
        return found

    def _key(self, at_us: int, code: int, value: int) -> list[CardFrame]:
        if code in _SHIFTS and value == RELEASED:
            self._shifts.discard(code)
        if value != PRESSED:  # a release says nothing more; a key that repeats itself is held by a person
            return []
        self._place(at_us)
        self._pressed_at_us = at_us
        if code in _ENDS:
            return self._finished()
        if code in _SHIFTS:
            self._shifts.add(code)
        elif code == CAPS_LOCK:
            self._capitals = not self._capitals
        elif code not in _SILENT:
            self._type(code)
        return []

    def _place(self, at_us: int) -> None:
        """Whether a scan begins with this key. Where time runs backwards (noise, a clock that was set back, a scan that came too
        late) nobody can say so. After that a pause says it only behind two keys that keep step, and later than everything that
        was seen: else one wrong time within a number would hide the beginning of that number."""
        gap_us = round(KEY_GAP_S * MICROSECONDS)
        since_us = at_us - self._pressed_at_us if self._pressed_at_us is not None else gap_us + 1
        if self._pressed_at_us is not None and since_us < 0:
            self._spoil()
            self._latest_us = max(self._pressed_at_us, self._latest_us or 0)
        elif since_us > gap_us and (self._latest_us is None or (self._in_step and at_us > self._latest_us + gap_us)):
            self._begin()  # another hand, another scan
            self._latest_us = None
        elif since_us > gap_us:
            self._spoil()
        self._in_step = 0 <= since_us <= gap_us
        if self._latest_us is not None:
            self._latest_us = max(self._latest_us, at_us)

    def _type(self, code: int) -> None:
        character = KEYPAD.get(code) or (SHIFTED if self._shifts else PLAIN).get(code)
        if character is None or len(self._typed) >= MAX_SCAN_CHARACTERS:
            self._spoil()
        elif not self._spoilt:
            self._typed.append(character.swapcase() if self._capitals else character)

    def _begin(self) -> None:
        """A new scan: nothing of the one before it counts, finished or not."""
        self.bad += bool(self._typed)
        self._typed.clear()
        self._shifts.clear()
        self._capitals = self._spoilt = False

    def _spoil(self) -> None:
        self.bad += not self._spoilt
        self._typed.clear()
        self._spoilt = True

    def _finished(self) -> list[CardFrame]:
        """Enter alone is nothing; a spoilt scan was counted already."""
        text, spoilt = "".join(self._typed).strip(), self._spoilt
        self._typed.clear()
        self._spoilt, self._latest_us = False, None
        if spoilt or not text:
            return []
        value = _as_scheme(text, self._scheme)
        if value is None:
            self.bad += 1
            return []
        return [CardFrame(self._scheme, value)]


def scan_events(text: str, *, at_s: float, key_gap_s: float = 0.005, ends_with: int | None = ENTER) -> bytes:
    """The bytes that the kernel hands out when a reader types `text`, beginning at `at_s`; None: without an end key.

    Raises ValueError for a character that no US keyboard has: such a reader cannot type it either.
    """
    events = bytearray()
    now_us = round(at_s * MICROSECONDS)
    for code, shift in [*map(_stroke, text), *([(ends_with, False)] if ends_with is not None else [])]:
        keys = [LEFT_SHIFT, code] if shift else [code]
        for key in keys:
            events += _key_events(now_us, key, PRESSED)
        now_us += round(key_gap_s * MICROSECONDS / 2)
        for key in reversed(keys):
            events += _key_events(now_us, key, RELEASED)
        now_us += round(key_gap_s * MICROSECONDS / 2)
    return bytes(events)


def _key_events(at_us: int, code: int, value: int) -> bytes:
    """As a USB keyboard gives them: the scan code, the key, and the end of the report."""
    seconds, micros = divmod(at_us, MICROSECONDS)
    report = ((EV_MSC, MSC_SCAN, 0x70000 + code), (EV_KEY, code, value), (EV_SYN, 0, 0))
    return b"".join(EVENT.pack(seconds, micros, *event) for event in report)


def _is_event(seconds: int, micros: int, kind: int, code: int, value: int) -> bool:
    """A time of zero was never: a run of zeros is noise."""
    if kind not in _SHAPES or not (0 <= seconds < LATEST_S and 0 <= micros < MICROSECONDS and (seconds or micros)):
        return False
    codes, values = _SHAPES[kind]
    return code < codes and (values is None or 0 <= value < values)


def _as_scheme(text: str, scheme: Scheme) -> str | None:
    if len(text) < MIN_SCAN_CHARACTERS:
        return None
    if scheme == "qr":
        return text
    if scheme == "uid":
        is_uid = HEX_DIGITS.issuperset(text.encode()) and len(text) in [2 * size for size in CARD_UID_LENGTHS]
        return text.upper() if is_uid else None
    is_number = len(text) <= MAX_NUMBER_CHARACTERS and NUMBER_CHARACTERS.issuperset(text) and any(map(str.isdigit, text))
    return text if is_number else None


def _stroke(character: str) -> tuple[int, bool]:
    for keys, shift in ((PLAIN, False), (SHIFTED, True)):
        for code, drawn in keys.items():
            if drawn == character:
                return code, shift
    raise ValueError(f"no key of a US keyboard writes {character!r}")
