"""What serial readers and relay boards say, byte by byte. Pure parsers: `feed(bytes)` gives the complete frames.

Every parser holds at most `MAX_FRAME_BYTES` (`MAX_LINE_BYTES` for text) between two calls, never raises, counts what it
had to throw away in `bad`, and finds a good frame behind any garbage. No port, no clock, no thread in here.

Where the shapes come from: RDM6300 - Seeed wiki "125Khz RFID module - UART"; STX/LRC - IDTECK SR30 manual, p. 10;
7941W - icstation.com P-12444 and github.com/eladshu/7941W; LCUS - the vendors' pages, all alike.
"""

from __future__ import annotations

import abc
import unicodedata
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import ClassVar, Generic, TypeVar

MAX_FRAME_BYTES = 48
MAX_LINE_BYTES = 1024
UNFINISHED_LIMIT = 3

STX, ETX, LF, CR = 0x02, 0x03, 0x0A, 0x0D
HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")
NUMBER_CHARACTERS = frozenset("0123456789ABCDEFabcdef,:- ")
TEXT_ENCODINGS = ("utf-8", "gb18030")  # Chinese scanners send either; valid UTF-8 is hardly ever meant as GB18030
NEVER_IN_A_CODE = frozenset({"Cc", "Cn", "Co", "Cs"})  # Unicode categories: control, unassigned, private, surrogate
CARD_UID_LENGTHS = (4, 7, 10)  # ISO 14443-3: single, double and triple size
EM4100_LENGTH = 5

NOT_A_FRAME = 0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CardFrame:
    """One credential as the wire gave it; `scheme` and `value` as in `protocols.CredentialRead`."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class M7941Command:
    """Host to reader."""

    address: int
    code: int
    data: bytes


@dataclass(frozen=True, slots=True)
class M7941Answer:
    """Reader to host. `ok` is False when the reader found no card (code 80)."""

    address: int
    ok: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class RelayFrame:
    """One switching command of an LCUS board."""

    channel: int
    on: bool


class FrameParser(abc.ABC, Generic[T]):
    """Looks for a start mark, measures the frame, decodes it; after a false start it goes on one byte further."""

    start: bytes

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.bad = 0

    @property
    def buffered(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._buffer)

    def reset(self) -> None:
        """Forget a frame that was begun: the next byte belongs to another conversation."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[T]:
        """The complete frames in `data` and in what was kept from before."""
        self._buffer += data
        found: list[T] = []
        while self._seek_start():
            length = self._measure(self._buffer)
            if length is None:
                break
            frame = self._decode(bytes(self._buffer[:length])) if length != NOT_A_FRAME else None
            if frame is None:
                self.bad += 1
                del self._buffer[:1]
            else:
                found.append(frame)
                del self._buffer[:length]
        return found

    def _seek_start(self) -> bool:
        """Drop what lies before the start mark. False when there is none yet."""
        at = self._buffer.find(self.start)
        if at >= 0:
            del self._buffer[:at]
            return True
        split_mark = len(self.start) > 1 and self._buffer.endswith(self.start[:1])
        del self._buffer[: len(self._buffer) - (1 if split_mark else 0)]
        return False

    @abc.abstractmethod
    def _measure(self, buffer: bytearray) -> int | None:
        """Length of the frame at the front, None when more bytes are needed, NOT_A_FRAME when it cannot be one."""

    @abc.abstractmethod
    def _decode(self, frame: bytes) -> T | None:
        """None when a checksum or a character is wrong."""


class Rdm6300Frames(FrameParser[CardFrame]):
    """RDM6300/RDM630, ID-12/ID-20: STX, 10 hex digits, 2 hex digits = XOR of the 5 bytes, (CR LF,) ETX."""

    start = bytes([STX])
    _digits = 12
    _longest = 1 + _digits + 2 + 1

    def _measure(self, buffer: bytearray) -> int | None:
        for at in range(1, min(len(buffer), self._longest)):
            if buffer[at] == ETX:
                return at + 1
            if buffer[at] not in HEX_DIGITS and buffer[at] not in (CR, LF):
                return NOT_A_FRAME
        return None if len(buffer) < self._longest else NOT_A_FRAME

    def _decode(self, frame: bytes) -> CardFrame | None:
        digits = frame[1:-1].rstrip(b"\r\n")
        if len(digits) != self._digits or not HEX_DIGITS.issuperset(digits):
            return None
        card = bytes.fromhex(digits.decode("ascii"))
        if reduce(xor, card[:5]) != card[5]:
            return None
        return CardFrame("em4100", card[:5].hex().upper())


class StxLrcFrames(FrameParser[CardFrame]):
    """Wiegand readers with an RS232 output: STX, 8 (26 bit) or 10 (34 bit) digits, ETX, LRC = XOR of all before it."""

    start = bytes([STX])
    _etx_positions = (9, 11)

    def _measure(self, buffer: bytearray) -> int | None:
        for at in range(1, min(len(buffer), self._etx_positions[-1] + 1)):
            if buffer[at] == ETX:
                if at not in self._etx_positions:
                    return NOT_A_FRAME
                return at + 2 if len(buffer) >= at + 2 else None
            if buffer[at] not in HEX_DIGITS:
                return NOT_A_FRAME
        return None if len(buffer) <= self._etx_positions[-1] else NOT_A_FRAME

    def _decode(self, frame: bytes) -> CardFrame | None:
        if reduce(xor, frame[:-1]) != frame[-1]:
            return None
        return CardFrame("number", frame[1:-2].decode("ascii").upper())


class M7941AnswerFrames(FrameParser[M7941Answer]):
    """7941W/7941D, reader to host: CD DC, address, 81 found | 80 nothing, length, data, XOR(address..data)."""

    start = b"\xcd\xdc"
    _codes: ClassVar[dict[int, bool]] = {0x81: True, 0x80: False}

    def _measure(self, buffer: bytearray) -> int | None:
        return _measure_7941(buffer)

    def _decode(self, frame: bytes) -> M7941Answer | None:
        if reduce(xor, frame[2:-1]) != frame[-1] or frame[3] not in self._codes:
            return None
        return M7941Answer(address=frame[2], ok=self._codes[frame[3]], data=frame[5:-1])


class M7941CommandFrames(FrameParser[M7941Command]):
    """7941W/7941D, host to reader: AB BA, address, command, length, data, XOR. Spoken to by the simulated reader."""

    start = b"\xab\xba"

    def _measure(self, buffer: bytearray) -> int | None:
        return _measure_7941(buffer)

    def _decode(self, frame: bytes) -> M7941Command | None:
        if reduce(xor, frame[2:-1]) != frame[-1]:
            return None
        return M7941Command(address=frame[2], code=frame[3], data=frame[5:-1])


class LcusFrames(FrameParser[RelayFrame]):
    """LCUS-1/-2/-4 USB relay boards: A0, channel, 0|1, sum of the three."""

    start = b"\xa0"

    def _measure(self, buffer: bytearray) -> int | None:
        return 4 if len(buffer) >= 4 else None

    def _decode(self, frame: bytes) -> RelayFrame | None:
        if sum(frame[:3]) & 0xFF != frame[3] or frame[2] > 1:
            return None
        return RelayFrame(channel=frame[1], on=bool(frame[2]))


class LineFrames:
    """Scanners and converters that send a line of text, ended by CR, LF, CR LF - or by nothing but a pause.

    `scheme` is `qr` (any text) or `number` (a printed card number). The caller watches the clock: when nothing came for
    50 ms while `buffered` is not 0 it calls `pause()`, and when a line comes after a long silence `reset()`.

    Half a number may be the whole number of another child's card. So a device that was seen to end its lines is held to
    it: what it leaves unfinished is thrown away, and so is the rest of that line. After `UNFINISHED_LIMIT` unfinished
    lines in a row it has been set up anew, and is believed again.
    """

    def __init__(self, *, scheme: str) -> None:
        self._scheme = scheme
        self._buffer = bytearray()
        self._skipping = False  # until the line ends: a part of a code must never count as a code
        self._ends_its_lines = False
        self._unfinished = 0
        self.bad = 0

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def reset(self) -> None:
        self._buffer.clear()
        self._skipping = False

    def feed(self, data: bytes) -> list[CardFrame]:
        *lines, rest = bytes(data).replace(b"\r", b"\n").split(b"\n")
        found: list[CardFrame] = []
        for line in lines:
            self._keep(line)
            found += self._end_of_line()
        if found:  # noise has line ends too: only a good line shows how this device ends one
            self._ends_its_lines, self._unfinished = True, 0
        self._keep(rest)
        return found

    def pause(self) -> list[CardFrame]:
        """Nothing came for a while: the end of the line, if this device does not mark it otherwise."""
        if not self._ends_its_lines:
            return self._end_of_line()
        if self._buffer:
            self._skip()
            self._unfinished += 1
            self._ends_its_lines = self._unfinished < UNFINISHED_LIMIT
        return []

    def _end_of_line(self) -> list[CardFrame]:
        """An empty line is nothing; a line that is skipped was counted already."""
        line, skipped = bytes(self._buffer), self._skipping
        self.reset()
        if skipped or not line:
            return []
        text = _decoded_text(line)
        if text is None or (self._scheme == "number" and not _looks_like_a_number(text)):
            self.bad += 1
            return []
        return [CardFrame(self._scheme, text)]

    def _keep(self, part: bytes) -> None:
        if self._skipping:
            return
        if len(self._buffer) + len(part) > MAX_LINE_BYTES:
            self._skip()
            return
        self._buffer += part

    def _skip(self) -> None:
        self._buffer.clear()
        self._skipping = True
        self.bad += 1


def m7941_command(code: int, data: bytes = b"", *, address: int = 0) -> bytes:
    """Command 10 reads a 13.56 MHz UID, 15 a 125 kHz number."""
    return b"\xab\xba" + _sealed_7941(bytes([address, code, len(data)]) + data)


def m7941_answer(data: bytes, *, ok: bool = True, address: int = 0) -> bytes:
    return b"\xcd\xdc" + _sealed_7941(bytes([address, 0x81 if ok else 0x80, len(data)]) + data)


def m7941_card(answer: M7941Answer) -> CardFrame | None:
    """The card in an answer: 4, 7 or 10 bytes are an ISO 14443 UID, 5 bytes an EM4100 number; None is no card."""
    if not answer.ok:
        return None
    if len(answer.data) == EM4100_LENGTH:
        return CardFrame("em4100", answer.data.hex().upper())
    if len(answer.data) in CARD_UID_LENGTHS:
        return CardFrame("uid", answer.data.hex().upper())
    return None


def rdm6300_frame(value: str, *, crlf: bool = False) -> bytes:
    """The frame of a 125 kHz tag; `value` is 10 hex digits."""
    card = bytes.fromhex(value)
    body = f"{card.hex().upper()}{reduce(xor, card):02X}".encode("ascii")
    return bytes([STX]) + body + (b"\r\n" if crlf else b"") + bytes([ETX])


def stx_lrc_frame(value: str) -> bytes:
    """`value` is 8 or 10 digits."""
    frame = bytes([STX]) + value.encode("ascii") + bytes([ETX])
    return frame + bytes([reduce(xor, frame)])


def lcus_frame(channel: int, on: bool) -> bytes:
    body = bytes([0xA0, channel, int(on)])
    return body + bytes([sum(body) & 0xFF])


def _measure_7941(buffer: bytearray) -> int | None:
    if len(buffer) < 5:
        return None
    length = 6 + buffer[4]
    if length > MAX_FRAME_BYTES:
        return NOT_A_FRAME
    return length if len(buffer) >= length else None


def _sealed_7941(body: bytes) -> bytes:
    return body + bytes([reduce(xor, body)])


def _decoded_text(line: bytes) -> str | None:
    for encoding in TEXT_ENCODINGS:
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            continue
        text = text.strip(" \t\x00\x02\x03\ufeff")  # some scanners wrap the line in STX and ETX
        garbage = any(unicodedata.category(character) in NEVER_IN_A_CODE for character in text)
        return text if text and not garbage else None
    return None


def _looks_like_a_number(text: str) -> bool:
    return len(text) <= 32 and NUMBER_CHARACTERS.issuperset(text) and any(c.isdigit() for c in text)
