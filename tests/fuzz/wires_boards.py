"""Modbus RTU, OSDP and UHF readers under fire: frames that say how long they are, and noise that says so too.

Modbus has no start mark: a frame is known by its unit, its length and its CRC.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from drivers import modbus_frames as mf
from drivers import osdp_packets as op
from drivers import uhf_frames as uf
from drivers.serial_frames import MAX_FRAME_BYTES
from tests.fuzz.wire import Wire, without

UNIT = 1
_TABLE = [0] * 256
for _byte in range(256):
    _crc = _byte
    for _ in range(8):
        _crc = _crc >> 1 ^ (0xA001 if _crc & 1 else 0)
    _TABLE[_byte] = _crc


def _is_sound(frame: bytes) -> bool:
    """By a table, as the specification's appendix does it: a frame with its own CRC behind it leaves nothing."""
    crc = 0xFFFF
    for byte in frame:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc == 0


def _answer(random: Random, number: int) -> tuple[bytes, object]:
    kind, bits = random.randrange(3), [random.random() < 0.5 for _ in range(random.randrange(1, 40))]
    if kind == 0:
        request = mf.read_inputs(UNIT, random.randrange(64), len(bits))
        return mf.answer_to(request, bits), mf.ModbusAnswer(UNIT, mf.READ_INPUTS, mf.packed(bits))
    request = mf.write_coil(UNIT, random.randrange(64), random.random() < 0.5)
    if kind == 1:
        return mf.answer_to(request), mf.ModbusAnswer(UNIT, mf.WRITE_COIL, mf.request_frame(request)[2:6])
    return mf.exception_to(request, 2), mf.ModbusAnswer(UNIT, mf.WRITE_COIL, b"", exception=2)


def _request(random: Random, number: int) -> tuple[bytes, object]:
    request = mf.ModbusRequest(UNIT, random.choice((1, 2, 5, 6)), random.randrange(1 << 16), random.randrange(1 << 16))
    return mf.request_frame(request), request


def _scanned(length_of: Callable[[bytes], int], value_of: Callable[[bytes], object | None]) -> Callable[[bytes], list[Any]]:
    """At every byte: is this the unit, does a frame of this length have its CRC? `length_of` is 0 where none can begin."""

    def reference(data: bytes) -> list[Any]:
        found, at = [], 0
        while at < len(data):
            length = length_of(data[at:]) if data[at] == UNIT else 0
            frame = data[at : at + length]
            value = value_of(frame) if length and len(frame) == length and _is_sound(frame) else None
            if value is not None:
                found.append(value)
            at += length if value is not None else 1
        return found

    return reference


def _answer_length(data: bytes) -> int:
    if len(data) < 3:
        return 0
    if data[1] in (1, 2):
        return data[2] + 5 if 0 < data[2] <= MAX_FRAME_BYTES - 5 else 0
    return {0x05: 8, 0x81: 5, 0x82: 5, 0x85: 5}.get(data[1], 0)


def _answer_value(frame: bytes) -> object | None:
    unit, function, body = frame[0], frame[1], frame[2:-2]
    if function >= 0x80:
        return mf.ModbusAnswer(unit, function - 0x80, b"", exception=body[0]) if body[0] else None
    return mf.ModbusAnswer(unit, function, body[1:] if function in (1, 2) else body)


def _request_value(frame: bytes) -> object | None:
    return mf.ModbusRequest(frame[0], frame[1], int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big"))


# --- OSDP -------------------------------------------------------------------------------------------------------


def _packet(random: Random, number: int) -> tuple[bytes, object]:
    body = random.randbytes(random.choice((1, 2, 8, 40, 200)))
    whole = op.packet(body, address=random.randrange(256), control=random.randrange(8))
    return whole, whole


def _packet_length(data: bytes) -> int:
    length = int.from_bytes(data[2:4], "little")
    return length if data[:1] == b"S" and len(data) >= 5 and op.SHORTEST <= length <= op.MAX_PACKET_BYTES else 0


def _crc_16(data: bytes) -> int:
    """CRC-16/AUG-CCITT, bit by bit: polynomial 1021, begins with 1D0F."""
    crc = 0x1D0F
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def _is_a_packet(whole: bytes) -> bool:
    if whole[4] & 4:
        return _crc_16(whole[:-2]) == whole[-1] << 8 | whole[-2]
    return sum(whole) % 256 == 0


def _packets(data: bytes) -> list[Any]:
    found, at = [], 0
    while at < len(data):
        length = _packet_length(data[at : at + 5])
        whole = data[at : at + length]
        if length and len(whole) == length and _is_a_packet(whole):
            found.append(whole)
            at += length
        else:
            at += 1
    return found


# --- UHF readers ------------------------------------------------------------------------------------------------


def _uhf(random: Random, number: int) -> tuple[bytes, object]:
    data = random.choice((b"", b"\x03\x07", b"\x22", random.randbytes(7), uf.tag_data(random.randbytes(12).hex())))
    command, address = random.choice((uf.INVENTORY, uf.GET_FIRMWARE)), random.randrange(256)
    return uf.uhf_frame(command, data, address=address), uf.UhfFrame(address, command, data)


def _uhf_frames(data: bytes) -> list[Any]:
    found, at = [], data.find(b"\xa0")
    while 0 <= at < len(data) - 1:
        whole = data[at : at + 2 + data[at + 1]]
        fits = 5 <= len(whole) == 2 + data[at + 1] <= uf.MAX_UHF_BYTES and sum(whole) % 256 == 0
        if fits:
            found.append(uf.UhfFrame(whole[2], whole[3], whole[4:-1]))
        at = data.find(b"\xa0", at + (len(whole) if fits else 1))
    return found


BOARDS: dict[str, Wire] = {
    "modbus-answers": Wire(
        parser=lambda: mf.ModbusAnswerFrames(UNIT), frame=_answer, harmless=without(UNIT), bound=MAX_FRAME_BYTES,
        promise="any bytes without the board's number; a false beginning delays a frame by at most 48 bytes",
        reference=_scanned(_answer_length, _answer_value), marks=(b"\x01\x02", b"\x01\x85"),
    ),
    "modbus-requests": Wire(
        parser=lambda: mf.ModbusRequestFrames(UNIT), frame=_request, harmless=without(UNIT), bound=MAX_FRAME_BYTES,
        promise="any bytes without the board's number; a false beginning delays a frame by at most 8 bytes",
        reference=_scanned(lambda data: 8 if len(data) > 1 and 1 <= data[1] <= 6 else 0, _request_value), marks=(b"\x01\x05",),
    ),
    "osdp-packets": Wire(
        parser=op.OsdpPackets, frame=_packet, harmless=without(0x53), bound=op.MAX_PACKET_BYTES, tail=bytes(op.MAX_PACKET_BYTES),
        promise="any bytes without the start mark; a false start delays a packet by at most 1,440 bytes",
        reference=_packets, marks=(b"S", b"S\x00\x08\x00"), every_byte=0.1,
    ),
    "uhf": Wire(
        parser=uf.UhfFrames, frame=_uhf, harmless=without(uf.HEAD), bound=uf.MAX_UHF_BYTES, tail=bytes(uf.MAX_UHF_BYTES),
        promise="any bytes without the start mark; a false start delays a frame by at most 64 bytes",
        reference=_uhf_frames, marks=(b"\xa0", b"\xa0\x13\x01\x89"),
    ),
}  # fmt: skip
