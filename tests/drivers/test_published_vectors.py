"""The frames and card numbers that makers and shops publish, each with every one of its bits turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers.serial_frames import LcusFrames, M7941AnswerFrames, M7941CommandFrames, Rdm6300Frames, StxLrcFrames
from kiosk.core.card_numbers import CardIndex, spellings

# device -> parser, frame as published, and what it says
FRAMES: dict[str, tuple[Callable[[], Any], bytes]] = {
    "RDM6300, wiki": (Rdm6300Frames, bytes.fromhex("0230313030303733344530443203")),
    "RDM6300, maker": (Rdm6300Frames, b"\x0262E3086CED08\x03"),
    "STX LRC": (StxLrcFrames, b"\x0212345678\x03\x09"),
    "7941W, read 13.56 MHz": (M7941CommandFrames, bytes.fromhex("ABBA00100010")),
    "7941W, read 125 kHz": (M7941CommandFrames, bytes.fromhex("ABBA00150015")),
    "7941W, answer": (M7941AnswerFrames, bytes.fromhex("CDDC008104DEADBEEFA7")),
    "LCUS on": (LcusFrames, bytes.fromhex("A00101A2")),
    "LCUS off": (LcusFrames, bytes.fromhex("A00100A1")),
}


def flips(data: bytes) -> Iterator[bytes]:
    number = int.from_bytes(data, "big")
    return ((number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data)))


@pytest.mark.parametrize("device", FRAMES)
def test_a_published_frame_is_read_and_none_with_one_bit_turned(device: str) -> None:
    """But for a letter in small: 62e3086ced is the same card, and some modules write it so."""
    parser, frame = FRAMES[device]
    [said] = parser().feed(frame)
    for spoilt in flips(frame):
        read = parser().feed(spoilt)
        assert read == [] or (read == [said] and spoilt.upper() == frame), spoilt.hex()


# As cnblogs and zgznk.com print them: card -> spelling -> text
NUMBERS = {
    "01026F6C3A": {
        "8H10D": "0040856634", "6H8D": "07302202", "2H4H": "111,27706", "4H4H": "00623,27706", "10H12D": "004335823930",
    },
    "5630F009": {"10D": "1446047753", "10D_reversed": "0166735958", "8D_last": "08612528", "8D_last_reversed": "24012374"},
    "04A32F91": {
        "10D": "0077803409", "10D_reversed": "2435818244", "wiegand_last": "163,12177", "wiegand_last_reversed": "047,41732",
    },
}  # fmt: skip


PRINTED = [(uid, text) for uid, printed in NUMBERS.items() for text in printed.values()]


@pytest.mark.parametrize(("uid", "text"), PRINTED)
def test_every_printed_spelling_is_one_of_ours_and_finds_its_card(uid: str, text: str) -> None:
    assert text in spellings(uid).values(), spellings(uid)
    assert CardIndex(NUMBERS).candidates(text) == (uid,)


@pytest.mark.parametrize("uid", NUMBERS)
def test_no_number_with_one_bit_turned_finds_the_card(uid: str) -> None:
    """But for the version byte of an EM4100, which most lists leave out."""
    index, raw = CardIndex([uid]), bytes.fromhex(uid)
    version, number = raw[:-4], raw[-4:]
    for spoilt in flips(number):
        assert index.candidates((version + spoilt).hex().upper()) == (), spoilt.hex()
