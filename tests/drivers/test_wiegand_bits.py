"""Card reads as bits: the parity holds, and nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wiegand_bits import MAX_BITS, MIN_BITS, text_card, wiegand_bits, wiegand_card
from kiosk.core.card_numbers import CardIndex


def value(data: bytes, bits: int) -> str | None:
    card = wiegand_card(data, bits=bits)
    return card.value if card else None


def test_a_read_of_26_bits_is_the_printed_pair() -> None:
    assert value(wiegand_bits(163 << 16 | 12177, bits=26), 26) == "163,12177"
    assert wiegand_bits(163 << 16 | 12177, bits=26) == (0b1_10100011_0010111110010001_0 << 6).to_bytes(4, "big")
    assert value(wiegand_bits(7, bits=26), 26) == "000,00007"


def test_a_read_of_34_bits_is_the_longer_pair_and_finds_its_card() -> None:
    number = value(wiegand_bits(0x026F6C3A, bits=34), 34)
    assert number == "00623,27706"
    assert CardIndex(["01026F6C3A"]).candidates(number or "") == ("01026F6C3A",)


def test_a_read_of_26_bits_finds_its_card() -> None:
    number = value(wiegand_bits(0x6F6C3A, bits=26), 26)
    assert CardIndex(["01026F6C3A", "DEADBEEF"]).candidates(number or "") == ("01026F6C3A",)


@pytest.mark.parametrize("bits", [26, 34])
def test_every_flipped_bit_is_noticed(bits: int) -> None:
    data = wiegand_bits(0x6F6C3A, bits=bits)
    assert value(data, bits) is not None
    size = len(data) * 8
    for at in range(bits):
        flipped = int.from_bytes(data, "big") ^ 1 << size - 1 - at
        assert value(flipped.to_bytes(len(data), "big"), bits) is None, at


@pytest.mark.parametrize(
    ("data", "bits", "number"),
    [
        (b"\xde\xad\xbe\xef", 32, "DEADBEEF"),  # a UID without parity
        (bytes.fromhex("04A1B2C3D4E5F6"), 56, "04A1B2C3D4E5F6"),
        (bytes.fromhex("A5A5A5A5A8"), 37, "14B4B4B4B5"),  # 37 bits: the maker's own parity, so nothing is left out
        (b"\xff\xff\xff\xc0", 26, None),
        (b"\x00\x00\x00\x00", 26, None),
        (b"\xa5\xa5", 26, None),  # says more than it brings
        (b"\x50", 4, None),  # a key of a keypad
        (b"\xa5" * 100, MAX_BITS + 1, None),
        (b"", 0, None),
        (b"\xa5", -3, None),
    ],
)
def test_other_lengths_are_hex_or_nothing(data: bytes, bits: int, number: str | None) -> None:
    assert value(data, bits) == number


@pytest.mark.parametrize(
    ("data", "number"),
    [(b"0040856634\r\n", "0040856634"), (b" ", None), (b"\xff12", None), (b"a\x07b", None), (b"9" * 65, None)],
)
def test_a_read_in_characters(data: bytes, number: str | None) -> None:
    card = text_card(data)
    assert (card.value if card else None) == number


@given(data=st.binary(max_size=80), bits=st.integers(-5, 700))
def test_any_bits_are_a_number_or_nothing(data: bytes, bits: int) -> None:
    card = wiegand_card(data, bits=bits)
    assert card is None or (MIN_BITS <= bits <= MAX_BITS and len(card.value) <= MAX_BITS // 4)


@given(bits=st.sampled_from([26, 34]), number=st.integers(1, (1 << 32) - 1))
def test_what_is_sent_is_what_is_read(bits: int, number: int) -> None:
    number &= (1 << bits - 2) - 1
    high, low = divmod(number, 1 << 16)
    read = value(wiegand_bits(number, bits=bits), bits)
    assert read is not None and [int(part) for part in read.split(",")] == [high, low]
