"""Modbus RTU byte by byte: the published frames, every flipped bit of them, and what belongs to what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus_frames import (
    MAX_BITS,
    ModbusAnswer,
    ModbusAnswerFrames,
    ModbusRequest,
    ModbusRequestFrames,
    answer_to,
    answers,
    crc16,
    exception_to,
    packed,
    read_coils,
    read_inputs,
    request_frame,
    unpacked,
    write_coil,
)

REQUESTS = {  # as the vendors of relay boards print them
    "01050000FF008C3A": write_coil(1, 0, True),
    "010500000000CDCA": write_coil(1, 0, False),
    "0101000000083DCC": read_coils(1, 0, 8),
    "01020000000879CC": read_inputs(1, 0, 8),
}
BITS = st.lists(st.booleans(), min_size=1, max_size=MAX_BITS)


@pytest.mark.parametrize("frame", REQUESTS)
def test_the_published_requests_are_built_and_read(frame: str) -> None:
    request = REQUESTS[frame]
    assert request_frame(request) == bytes.fromhex(frame)
    assert ModbusRequestFrames().feed(bytes.fromhex(frame)) == [request]


def test_the_examples_of_the_specification_are_read() -> None:
    """6.1 and 6.2 of the application protocol, with the CRC of the serial line around them."""
    body = bytes.fromhex("110105CD6BB20E1B")
    coils = ModbusAnswerFrames(unit=0x11).feed(body + crc16(body))
    assert coils == [ModbusAnswer(0x11, 1, bytes.fromhex("CD6BB20E1B"))]
    assert unpacked(coils[0].data, 37)[:8] == (True, False, True, True, False, False, True, True), "27 to 20 are CD"
    body = bytes.fromhex("1102 03ACDB35".replace(" ", ""))
    assert ModbusAnswerFrames(unit=0x11).feed(body + crc16(body)) == [ModbusAnswer(0x11, 2, bytes.fromhex("ACDB35"))]


@pytest.mark.parametrize("frame", REQUESTS)
def test_no_single_flipped_bit_of_a_request_is_a_request(frame: str) -> None:
    good = bytes.fromhex(frame)
    for at in range(8 * len(good)):
        flipped = bytearray(good)
        flipped[at // 8] ^= 1 << at % 8
        assert ModbusRequestFrames().feed(bytes(flipped)) == []


@pytest.mark.parametrize(
    "good",
    [answer_to(read_coils(1, 0, 8), [True] * 8), answer_to(write_coil(1, 3, True)), exception_to(write_coil(1, 99, True), 2)],
    ids=["read", "write", "exception"],
)
def test_no_single_flipped_bit_of_an_answer_is_an_answer(good: bytes) -> None:
    assert len(ModbusAnswerFrames().feed(good)) == 1
    for at in range(8 * len(good)):
        flipped = bytearray(good)
        flipped[at // 8] ^= 1 << at % 8
        assert ModbusAnswerFrames().feed(bytes(flipped)) == []


@settings(deadline=None)
@given(bits=BITS, unit=st.integers(1, 247), first=st.integers(0, 60_000))
def test_what_the_board_packs_the_host_unpacks(bits: list[bool], unit: int, first: int) -> None:
    request = read_inputs(unit, first, len(bits))
    [answer] = ModbusAnswerFrames(unit).feed(answer_to(request, bits))
    assert answers(request, answer)
    assert list(unpacked(answer.data, len(bits))) == bits
    assert packed(bits) == answer.data


@pytest.mark.parametrize(
    "other",
    [write_coil(1, 1, True), write_coil(1, 0, False), write_coil(2, 0, True), read_coils(1, 0, 8), read_inputs(1, 0, 8)],
)
def test_an_answer_to_another_question_is_not_taken(other: ModbusRequest) -> None:
    [answer] = ModbusAnswerFrames(other.unit).feed(answer_to(other, [True] * 8 if other.function != 5 else ()))
    assert answers(other, answer)
    assert not answers(write_coil(1, 0, True), answer)
    assert not answers(read_coils(1, 0, 9), answer)


def test_an_exception_is_an_answer_with_its_number() -> None:
    request = write_coil(1, 99, True)
    [answer] = ModbusAnswerFrames().feed(exception_to(request, 2))
    assert (answer.exception, answers(request, answer)) == (2, True)


def test_another_unit_on_the_same_wires_is_passed_over() -> None:
    stream = answer_to(read_coils(7, 0, 8), [True] * 8) + answer_to(read_coils(1, 0, 8), [False] * 8)
    assert ModbusAnswerFrames(1).feed(stream) == [ModbusAnswer(1, 1, b"\x00")]
