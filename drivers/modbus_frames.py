"""Modbus RTU as far as a relay board with contacts and inputs speaks it. Pure: no port, no clock, no thread in here.

Built and understood: 01 read coils, 02 read discrete inputs, 05 write one coil, and the exceptions 81, 82, 85. RTU has
no start mark: a frame is known by its unit, its length and its CRC, so a frame behind garbage is found one byte at a
time. A parser holds at most `MAX_FRAME_BYTES` between two calls and never raises.

Where the shapes come from: "MODBUS Application Protocol Specification V1.1b3", 6.1, 6.2, 6.5 and 7; "MODBUS over Serial
Line V1.02", 2.5.1. The numbers of coils and inputs here are those of the wire: they begin with 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drivers.serial_frames import MAX_FRAME_BYTES, NOT_A_FRAME, FrameParser

READ_COILS, READ_INPUTS, WRITE_COIL = 0x01, 0x02, 0x05
READS: Final = (READ_COILS, READ_INPUTS)
FAILED = 0x80  # added to the function of an answer that is an exception
ON, OFF = 0xFF00, 0x0000

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "busy",
    8: "memory parity error",
}

UNITS: Final = range(1, 248)  # 0 is everybody at once and is never answered
REQUEST_BYTES = 8
EXCEPTION_BYTES = 5
MAX_BITS = 8 * (MAX_FRAME_BYTES - EXCEPTION_BYTES)
_CRC_POLYNOMIAL = 0xA001


@dataclass(frozen=True, slots=True)
class ModbusRequest:
    """Host to board. `value` is the number of bits for a read, ON or OFF for a write."""

    unit: int
    function: int
    first: int
    value: int


@dataclass(frozen=True, slots=True)
class ModbusAnswer:
    """Board to host. `exception` is 0 when the board did what it was asked; then `data` is what follows the function,
    without the byte count of a read."""

    unit: int
    function: int
    data: bytes
    exception: int = 0


def crc16(data: bytes) -> bytes:
    """The check at the end of every frame, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ _CRC_POLYNOMIAL if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def request_frame(request: ModbusRequest) -> bytes:
    body = bytes([request.unit, request.function]) + request.first.to_bytes(2, "big") + request.value.to_bytes(2, "big")
    return body + crc16(body)


def write_coil(unit: int, coil: int, on: bool) -> ModbusRequest:
    return ModbusRequest(unit, WRITE_COIL, coil, ON if on else OFF)


def read_coils(unit: int, first: int, count: int) -> ModbusRequest:
    return ModbusRequest(unit, READ_COILS, first, count)


def read_inputs(unit: int, first: int, count: int) -> ModbusRequest:
    return ModbusRequest(unit, READ_INPUTS, first, count)


def answer_to(request: ModbusRequest, bits: Iterable[bool] = ()) -> bytes:
    """What a board says to a request that it has carried out; `bits` are what was read."""
    if request.function == WRITE_COIL:
        return request_frame(request)
    data = packed(bits)
    body = bytes([request.unit, request.function, len(data)]) + data
    return body + crc16(body)


def exception_to(request: ModbusRequest, exception: int) -> bytes:
    body = bytes([request.unit, request.function | FAILED, exception])
    return body + crc16(body)


def packed(bits: Iterable[bool]) -> bytes:
    """The first bit is the lowest of the first byte."""
    number, count = 0, 0
    for bit in bits:
        number |= int(bit) << count
        count += 1
    return number.to_bytes((count + 7) // 8, "little")


def unpacked(data: bytes, count: int) -> tuple[bool, ...]:
    number = int.from_bytes(data, "little")
    return tuple(bool(number >> at & 1) for at in range(count))


def answers(request: ModbusRequest, answer: ModbusAnswer) -> bool:
    """Whether `answer` belongs to `request`: a late answer to another question must not pass for it."""
    if (answer.unit, answer.function) != (request.unit, request.function):
        return False
    if answer.exception:
        return True
    if request.function == WRITE_COIL:
        return answer.data == request.first.to_bytes(2, "big") + request.value.to_bytes(2, "big")
    return len(answer.data) == (request.value + 7) // 8


class ModbusAnswerFrames(FrameParser[ModbusAnswer]):
    """Board to host, from one unit; what other boards on the same pair of wires say is passed over."""

    def __init__(self, unit: int = 1) -> None:
        super().__init__()
        self.start = bytes([unit])

    def _measure(self, buffer: bytearray) -> int | None:
        if len(buffer) < 3:
            return None
        function = buffer[1]
        if function in READS and 0 < buffer[2] <= MAX_BITS // 8:
            length = 3 + buffer[2] + 2
        elif function == WRITE_COIL:
            length = REQUEST_BYTES
        elif function & FAILED and function - FAILED in (*READS, WRITE_COIL):
            length = EXCEPTION_BYTES
        else:
            return NOT_A_FRAME
        return length if len(buffer) >= length else None

    def _decode(self, frame: bytes) -> ModbusAnswer | None:
        body = _checked(frame)
        if body is None:
            return None
        unit, function = body[0], body[1]
        if function & FAILED:
            return ModbusAnswer(unit, function - FAILED, b"", exception=body[2]) if body[2] else None
        return ModbusAnswer(unit, function, body[3:] if function in READS else body[2:])


class ModbusRequestFrames(FrameParser[ModbusRequest]):
    """Host to board. Understood by the simulated board; functions that no board of ours has are requests too."""

    _functions = range(1, 7)  # those whose request has a number and a value

    def __init__(self, unit: int = 1) -> None:
        super().__init__()
        self.start = bytes([unit])

    def _measure(self, buffer: bytearray) -> int | None:
        if len(buffer) > 1 and buffer[1] not in self._functions:
            return NOT_A_FRAME
        return REQUEST_BYTES if len(buffer) >= REQUEST_BYTES else None

    def _decode(self, frame: bytes) -> ModbusRequest | None:
        body = _checked(frame)
        if body is None:
            return None
        return ModbusRequest(body[0], body[1], int.from_bytes(body[2:4], "big"), int.from_bytes(body[4:6], "big"))


def _checked(frame: bytes) -> bytes | None:
    """The frame without its CRC; None when the CRC is wrong."""
    return frame[:-2] if crc16(frame[:-2]) == frame[-2:] else None
