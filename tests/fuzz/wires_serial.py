"""Serial readers, scanners and relay boards under fire: valid frames, harmless garbage, and each format read by other means."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from operator import xor
from random import Random
from typing import Any

from drivers import serial_frames as sf
from drivers.serial_frames import MAX_FRAME_BYTES, MAX_LINE_BYTES, CardFrame
from tests.fuzz.wire import DIGITS, HEX, Wire, found_by, text_of, without

# --- 125 kHz modules ------------------------------------------------------------------------------------


def _rdm6300(random: Random, number: int) -> tuple[bytes, object]:
    value = random.randbytes(5).hex().upper()
    return sf.rdm6300_frame(value, crlf=random.random() < 0.3), CardFrame("em4100", value)


def _broken_rdm6300(random: Random) -> bytes:
    """Whatever cannot be a frame: a frame's first part, a wrong check, start marks, any bytes at all without an end mark."""
    whole, _ = _rdm6300(random, 0)
    kind = random.randrange(4)
    if kind == 0:
        return whole[: random.randrange(len(whole))]
    if kind == 1:
        return whole[:1] + (b"B" if whole[1:2] == b"A" else b"A") + whole[2:]  # one digit is another: the XOR is wrong
    if kind == 2:
        return b"\x02" * random.randrange(1, 30)
    return random.randbytes(random.randrange(1, 40)).replace(b"\x03", b"\x02")


def _judge_rdm6300(match: re.Match[bytes]) -> object | None:
    raw = bytes.fromhex(match[1].decode())
    return CardFrame("em4100", raw[:5].hex().upper()) if reduce(xor, raw) == 0 else None


# --- STX ... LRC ------------------------------------------------------------------------------------------


def _stxlrc(random: Random, number: int) -> tuple[bytes, object]:
    value = text_of(random, HEX, random.choice((8, 10)))
    return sf.stx_lrc_frame(value), CardFrame("number", value)


def _broken_stxlrc(random: Random) -> bytes:
    """Anything without a start mark, or a frame that broke off before its end mark."""
    if random.random() < 0.5:
        return without(0x02)(random)
    whole, _ = _stxlrc(random, 0)
    return whole[: random.randrange(1, len(whole) - 2)]


def _judge_stxlrc(match: re.Match[bytes]) -> object | None:
    return CardFrame("number", match[1].decode().upper()) if reduce(xor, match[0]) == 0 else None


# --- 7941, both directions ----------------------------------------------------------------------------------


def _answer_7941(random: Random, number: int) -> tuple[bytes, object]:
    ok = random.random() < 0.8
    data = random.randbytes(random.choice((0, 4, 5, 7, 10, 16, MAX_FRAME_BYTES - 6)))
    address = random.randrange(256)
    return sf.m7941_answer(data, ok=ok, address=address), sf.M7941Answer(address=address, ok=ok, data=data)


def _command_7941(random: Random, number: int) -> tuple[bytes, object]:
    code, data, address = random.randrange(256), random.randbytes(random.choice((0, 0, 2, 8))), random.randrange(256)
    return sf.m7941_command(code, data, address=address), sf.M7941Command(address=address, code=code, data=data)


def _reference_7941(start: bytes, make: Callable[[bytes], object | None]) -> Callable[[bytes], list[Any]]:
    def reference(data: bytes) -> list[Any]:
        found, at = [], data.find(start)
        while 0 <= at <= len(data) - 6:
            end = at + 6 + data[at + 4]
            frame = data[at:end]
            is_whole = end <= len(data) and len(frame) <= MAX_FRAME_BYTES and reduce(xor, frame[2:]) == 0
            value = make(frame) if is_whole else None
            if value is not None:
                found.append(value)
            at = data.find(start, end if value is not None else at + 1)
        return found

    return reference


def _as_answer(frame: bytes) -> object | None:
    known = {0x81: True, 0x80: False}
    return sf.M7941Answer(address=frame[2], ok=known[frame[3]], data=frame[5:-1]) if frame[3] in known else None


def _as_command(frame: bytes) -> object | None:
    return sf.M7941Command(address=frame[2], code=frame[3], data=frame[5:-1])


# --- LCUS ---------------------------------------------------------------------------------------------------


def _lcus(random: Random, number: int) -> tuple[bytes, object]:
    channel, on = random.randrange(1, 9), random.random() < 0.5
    return sf.lcus_frame(channel, on), sf.RelayFrame(channel=channel, on=on)


def _judge_lcus(match: re.Match[bytes]) -> object | None:
    a0, channel, on, check = match[0]
    return sf.RelayFrame(channel=channel, on=bool(on)) if (a0 + channel + on) % 256 == check else None


# --- lines of text --------------------------------------------------------------------------------------------

LINE_ENDS = ("\r", "\n", "\r\n")


def _number_line(random: Random, number: int) -> tuple[bytes, object]:
    value = text_of(random, DIGITS, 10) if random.random() < 0.7 else f"{text_of(random, DIGITS, 3)},{text_of(random, DIGITS, 5)}"
    return (value + random.choice(LINE_ENDS)).encode(), CardFrame("number", value)


def _code_line(random: Random, number: int) -> tuple[bytes, object]:
    value = (
        f"KP1.{text_of(random, HEX, random.randrange(1, 40))}" if random.random() < 0.6 else "张三|" + text_of(random, DIGITS, 6)
    )
    return value.encode(random.choice(("utf-8", "gb18030"))) + random.choice(LINE_ENDS).encode(), CardFrame("qr", value)


def _notext_of(random: Random) -> bytes:
    """No text in any encoding, to the end of its line."""
    return random.randbytes(random.randrange(0, 30)).translate(None, b"\r\n") + b"\xff\xff" + random.choice((b"\r", b"\n"))


def _too_long(random: Random) -> bytes:
    return b"7" * random.randrange(MAX_LINE_BYTES + 1, 2 * MAX_LINE_BYTES) + b"\n"


def _line_garbage(random: Random) -> bytes:
    return _notext_of(random) if random.random() < 0.98 else _too_long(random)


def _reference_lines(scheme: str) -> Callable[[bytes], list[Any]]:
    """Line by line: too long is nothing, then UTF-8 or GB18030, then the shape of the scheme."""

    def reference(data: bytes) -> list[Any]:
        lines = re.split(rb"[\r\n]", data)[:-1]
        texts = (sf._decoded_text(line) for line in lines if line and len(line) <= MAX_LINE_BYTES)
        return [CardFrame(scheme, t) for t in texts if t and (scheme == "qr" or _is_number(t))]

    return reference


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9A-Fa-f,:\- ]{1,32}", text) is not None and re.search("[0-9]", text) is not None


SERIAL: dict[str, Wire] = {
    "rdm6300": Wire(
        parser=sf.Rdm6300Frames, frame=_rdm6300, harmless=_broken_rdm6300, bound=MAX_FRAME_BYTES,
        marks=(b"\x02", b"\x03", b"\r\n"),
        promise="any bytes that are no frame themselves: broken frames, start marks, noise",
        reference=found_by(rb"\x02([0-9A-Fa-f]{12})[\r\n]{0,2}\x03", _judge_rdm6300),
    ),
    "stxlrc": Wire(
        parser=sf.StxLrcFrames, frame=_stxlrc, harmless=_broken_stxlrc, bound=MAX_FRAME_BYTES, marks=(b"\x02", b"\x03"),
        promise="any bytes without a start mark, and frames that broke off before their end mark",
        reference=found_by(rb"\x02([0-9A-Fa-f]{8}|[0-9A-Fa-f]{10})\x03.", _judge_stxlrc),
    ),
    "m7941-answers": Wire(
        parser=sf.M7941AnswerFrames, frame=_answer_7941, harmless=without(0xCD), bound=MAX_FRAME_BYTES, marks=(b"\xcd\xdc",),
        promise="any bytes without the start mark; a false start delays a frame by at most 48 bytes",
        reference=_reference_7941(b"\xcd\xdc", _as_answer),
    ),
    "m7941-commands": Wire(
        parser=sf.M7941CommandFrames, frame=_command_7941, harmless=without(0xAB), bound=MAX_FRAME_BYTES, marks=(b"\xab\xba",),
        promise="any bytes without the start mark; a false start delays a frame by at most 48 bytes",
        reference=_reference_7941(b"\xab\xba", _as_command),
    ),
    "lcus": Wire(
        parser=sf.LcusFrames, frame=_lcus, harmless=without(0xA0), bound=MAX_FRAME_BYTES, marks=(b"\xa0",),
        promise="any bytes without the start mark",
        reference=found_by(rb"\xa0.[\x00\x01].", _judge_lcus),
    ),
    "lines-number": Wire(
        parser=lambda: sf.LineFrames(scheme="number"), frame=_number_line, harmless=_line_garbage, bound=MAX_LINE_BYTES,
        tail=b"\n",
        promise="garbage up to the end of its line; what stands on the same line as garbage is lost: text has no checksum",
        reference=_reference_lines("number"), marks=(b"\r", b"\n", b"\x02"),
    ),
    "lines-qr": Wire(
        parser=lambda: sf.LineFrames(scheme="qr"), frame=_code_line, harmless=_line_garbage, bound=MAX_LINE_BYTES,
        tail=b"\n",
        promise="garbage up to the end of its line; printable noise is a text like any other, and no card",
        reference=_reference_lines("qr"), marks=(b"\r", b"\n", b"\xff"),
    ),
}  # fmt: skip
