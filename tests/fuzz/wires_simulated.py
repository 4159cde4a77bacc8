"""Receipt printers, and what simulated hardware hears of a driver: a simulator whose thread died would test nothing any more."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from drivers.escpos import InTurn, PrinterAnswers, RealTime
from drivers.simulated.pn532_frames import ACK, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, Pn532Frames, pn532_frame
from drivers.simulated.receipt_printer import BUFFER_BYTES, SlipBytes
from tests.fuzz.wire import Wire, without

NACK = bytes.fromhex("0000FFFF0000")
REAL_TIME, IN_TURN = re.compile("0..1..10"), re.compile("0..0....")


def _command(random: Random, number: int) -> tuple[bytes, object]:
    if random.random() < 0.2:
        return random.choice((ACK, NACK)), b""
    size = random.choice((1, 2, 4, 40, 255, MAX_PAYLOAD_BYTES - 1))
    payload = b"\xd4" + random.randbytes(size)
    return pn532_frame(payload), payload


def _commands(data: bytes) -> list[Any]:
    """At every start code: an ACK, a NACK, or a head whose sum is right with a body whose sum is right."""
    found, at = [], data.find(b"\x00\xff")
    while at >= 0:
        found_here, end = _command_at(data, at + 2)
        found += found_here
        at = data.find(b"\x00\xff", end if found_here else at + 1)
    return found


def _command_at(data: bytes, at: int) -> tuple[list[bytes], int]:
    if data[at : at + 2] in (b"\x00\xff", b"\xff\x00"):
        return [b""], at + 2
    if data[at : at + 2] == b"\xff\xff":
        length, at, sums = int.from_bytes(data[at + 2 : at + 4], "big"), at + 5, sum(data[at + 2 : at + 5])
    else:
        length, at, sums = int.from_bytes(data[at : at + 1], "big"), at + 2, sum(data[at : at + 2])
    payload, check = data[at : at + length], data[at + length : at + length + 1]
    fits = 2 <= len(payload) == length <= MAX_PAYLOAD_BYTES and len(check) == 1
    sound = fits and sums % 256 == 0 and sum(payload + check) % 256 == 0 and payload[0] == 0xD4
    return ([payload] if sound else []), at + length + 1


def _answer(random: Random, number: int) -> tuple[bytes, object]:
    if random.random() < 0.6:
        byte = 0x12 | random.randrange(256) & 0b0110_1100
        return bytes([byte]), RealTime(byte)
    byte = random.randrange(256) & 0b0110_1111
    return bytes([byte]), InTurn(byte)


def _answers(data: bytes) -> list[Any]:
    bits = [(byte, f"{byte:08b}") for byte in data]
    return [
        RealTime(byte) if REAL_TIME.fullmatch(drawn) else InTurn(byte)
        for byte, drawn in bits
        if REAL_TIME.fullmatch(drawn) or IN_TURN.fullmatch(drawn)
    ]


def _no_answer(random: Random) -> bytes:
    return bytes(byte for byte in random.randbytes(30) if not _answers(bytes([byte])))


def _asked(random: Random, number: int) -> tuple[bytes, object]:
    which = random.choice((1, 2, 3, 4, random.randrange(256)))
    return bytes([0x10, 0x04, which]), which


def _all_asked(data: bytes) -> list[Any]:
    found, state = [], 0
    for byte in data:
        if state == 2:
            found.append(byte)
            state = 0
        else:
            state = 1 if byte == 0x10 else 2 if state == 1 and byte == 0x04 else 0
    return found


def _slip(random: Random) -> bytes:
    return "张三 3 年级\n".encode("gb18030") if random.random() < 0.2 else without(0x10)(random)


SIMULATED: dict[str, Wire] = {
    "printer-answers": Wire(
        parser=PrinterAnswers, frame=_answer, harmless=_no_answer, bound=0, tail=b"", reference=_answers,
        promise="any bytes at all: each byte is an answer or none",
    ),
    "printer-commands": Wire(
        parser=SlipBytes, frame=_asked, harmless=_slip, bound=BUFFER_BYTES, tail=b"", reference=_all_asked,
        promise="any slip without DLE; a slip that ends in the middle of a command takes the next one's beginning for its end",
        marks=(b"\x10", b"\x10\x04"),
    ),
    "pn532-commands": Wire(
        parser=Pn532Frames, frame=_command, harmless=without(0x00), bound=MAX_FRAME_BYTES, tail=bytes(2 * MAX_FRAME_BYTES),
        promise="any bytes without a zero; a false start delays a frame by at most 273 bytes", reference=_commands,
        marks=(b"\x00\xff", b"\x00\x00\xff\xff\xff"), every_byte=0.1,
    ),
}  # fmt: skip
