"""Keyboard wedges, byte by byte: what `struct input_event` says, and what is never taken for a card."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.input_events import (
    CAPS_LOCK,
    EV_KEY,
    EV_LED,
    EV_SYN,
    EVENT,
    KEYPAD,
    KEYPAD_ENTER,
    LEFT_SHIFT,
    MAX_SCAN_CHARACTERS,
    NUM_LOCK,
    PLAIN,
    PRESSED,
    RELEASED,
    SHIFTED,
    SYN_DROPPED,
    TAB,
    Scheme,
    WedgeScans,
    scan_events,
)

NUMBERS = ("0005527632", "163,12177", "04A1B2C3D4E5F6")
EVERYTHING = "".join([*PLAIN.values(), *SHIFTED.values()]).strip()


def texts(parser: WedgeScans, data: bytes) -> list[str]:
    return [frame.value for frame in parser.feed(data)]


def keys(*codes: tuple[int, int], at_s: float = 5.0, gap_s: float = 0.005) -> bytes:
    """(code, value) one after another."""
    events = b""
    for number, (code, value) in enumerate(codes):
        at_us = round((at_s + number * gap_s) * 1e6)
        events += EVENT.pack(at_us // 1_000_000, at_us % 1_000_000, EV_KEY, code, value)
    return events


def code_of(character: str) -> int:
    return next(code for code, drawn in PLAIN.items() if drawn == character)


def typed(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((code_of(character), value) for character in text for value in (PRESSED, RELEASED))


ENTERED = ((28, PRESSED), (28, RELEASED))


def test_an_event_is_24_bytes_as_the_kernel_writes_it_on_a_64_bit_machine() -> None:
    assert EVENT.size == 24 or EVENT.size == 16, "llHHi; a 32-bit machine has shorter longs"
    one = bytes.fromhex("0500000000000000 4000000000000000 0100 1e00 01000000")
    if EVENT.size == 24:
        assert EVENT.unpack(one) == (5, 64, EV_KEY, 30, PRESSED)


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("ends_with", [28, KEYPAD_ENTER, TAB])
def test_a_number_and_enter_is_a_number(text: str, ends_with: int) -> None:
    (frame,) = WedgeScans().feed(scan_events(text, at_s=5.0, ends_with=ends_with))
    assert (frame.scheme, frame.value) == ("number", text)


@pytest.mark.parametrize(
    ("scheme", "text", "value"),
    [
        ("qr", "https://s.example/p?c=Ab_1&t=9", "https://s.example/p?c=Ab_1&t=9"),
        ("qr", EVERYTHING, EVERYTHING),
        ("qr", "CP1.abc.def", "CP1.abc.def"),
        ("uid", "deadbeef", "DEADBEEF"),
        ("uid", "04a1b2c3d4e5f6", "04A1B2C3D4E5F6"),
        ("uid", "deadbee", None),
        ("uid", "hello!!!", None),
        ("number", "hello", None),
        ("number", "ABCDEF", None),  # hex without a digit is a word
        ("number", "1" * 33, None),
        ("number", "123", None),  # three keys and Enter are a person's
        ("qr", "X-9", None),
        ("qr", "x" * (MAX_SCAN_CHARACTERS + 1), None),
    ],
)
def test_what_a_scan_may_be(scheme: Scheme, text: str, value: str | None) -> None:
    parser = WedgeScans(scheme=scheme)
    found = texts(parser, scan_events(text, at_s=5.0))
    assert found == ([value] if value is not None else [])
    assert parser.bad == (value is None)
    assert parser.buffered == 0


@pytest.mark.parametrize("cut", range(1, 2 * EVENT.size + 1))
def test_a_scan_split_anywhere_is_the_same_scan(cut: int) -> None:
    parser, data = WedgeScans(), scan_events("0005527632", at_s=5.0)
    found = [text for at in range(0, len(data), cut) for text in texts(parser, data[at : at + cut])]
    assert found == ["0005527632"]


def test_the_keypad_types_the_same_digits() -> None:
    codes = [next(code for code, drawn in KEYPAD.items() if drawn == digit) for digit in "0123456789"]
    strokes = [(NUM_LOCK, PRESSED), (NUM_LOCK, RELEASED), *((code, PRESSED) for code in codes), (KEYPAD_ENTER, PRESSED)]
    assert texts(WedgeScans(), keys(*strokes)) == ["0123456789"]


def test_capitals_by_caps_lock_and_by_shift() -> None:
    caps = ((CAPS_LOCK, PRESSED), (CAPS_LOCK, RELEASED))
    shift = ((LEFT_SHIFT, PRESSED), *typed("cd"), (LEFT_SHIFT, RELEASED))
    parser = WedgeScans(scheme="qr")
    assert texts(parser, keys(*caps, *typed("ab"), *shift, *caps, *typed("ef"), *ENTERED)) == ["ABcdef"]
    assert texts(parser, keys(*typed("plain"), *ENTERED, at_s=9.0)) == ["plain"], "nothing of it lasts"


def test_a_person_who_types_is_no_reader() -> None:
    parser = WedgeScans()
    assert texts(parser, scan_events("12345678", at_s=5.0, key_gap_s=0.15)) == []
    assert texts(parser, scan_events("0005527632", at_s=50.0)) == ["0005527632"]


def test_what_a_person_began_is_not_the_beginning_of_a_scan() -> None:
    begun = scan_events("99", at_s=5.0, ends_with=None)
    assert texts(WedgeScans(), begun + scan_events("0005527632", at_s=6.0)) == ["0005527632"]


def test_a_key_that_is_held_repeats_itself_and_is_counted_once() -> None:
    held = keys((2, PRESSED), (2, 2), (2, 2), (2, RELEASED), *typed("234"), *ENTERED)
    assert texts(WedgeScans(), held) == ["1234"]


@pytest.mark.parametrize("lost", [(29, PRESSED), (59, PRESSED), (14, PRESSED)], ids=["ctrl", "F1", "backspace"])
def test_a_key_without_a_character_spoils_its_scan_only(lost: tuple[int, int]) -> None:
    parser = WedgeScans()
    assert texts(parser, keys(*typed("1234"), lost, *typed("5678"), *ENTERED)) == []
    assert parser.bad == 1
    assert texts(parser, scan_events("0005527632", at_s=9.0)) == ["0005527632"]


def test_a_scan_of_which_the_kernel_lost_a_part_is_thrown_away() -> None:
    dropped = EVENT.pack(5, 40_000, EV_SYN, SYN_DROPPED, 0)
    parser = WedgeScans()
    assert texts(parser, keys(*typed("55500")) + dropped + keys(*typed("05527"), *ENTERED, at_s=5.06)) == []
    assert texts(parser, scan_events("0005527632", at_s=6.0)) == ["0005527632"]


def test_when_the_clock_is_set_back_nobody_knows_where_a_scan_began() -> None:
    parser = WedgeScans()
    parser.feed(scan_events("111", at_s=9.0, ends_with=None))
    assert texts(parser, scan_events("0005527632", at_s=5.0)) == []
    assert texts(parser, scan_events("0005527632", at_s=6.0)) == ["0005527632"]


def test_lamps_and_reports_of_a_keyboard_are_no_keys() -> None:
    lamp = EVENT.pack(5, 0, EV_LED, 0, 1)
    assert texts(WedgeScans(), lamp + scan_events("0005527632", at_s=5.0) + lamp) == ["0005527632"]


def test_reset_forgets_what_was_begun() -> None:
    parser = WedgeScans()
    parser.feed(scan_events("5555", at_s=5.0, ends_with=None) + b"\x05\x00")
    parser.reset()
    assert parser.buffered == 0
    assert texts(parser, scan_events("0005527632", at_s=5.1)) == ["0005527632"]


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=80), text=st.text(alphabet="0123456789", min_size=4, max_size=12))
def test_a_scan_behind_noise_is_read_whole_or_not_at_all(noise: bytes, text: str) -> None:
    parser = WedgeScans()
    found = texts(parser, noise + scan_events(text, at_s=1_000_000.0))
    assert found in ([], [text])
    found += texts(parser, scan_events(text, at_s=1_000_001.0))
    assert text in found, "at the latest the next scan is read"
    assert parser.buffered < EVENT.size


@settings(max_examples=60, deadline=None)
@given(cut=st.lists(st.integers(3, 65), min_size=2, max_size=2), lost=st.integers(1, 50))
def test_noise_instead_of_a_part_of_a_scan_never_makes_a_number_of_the_rest(cut: list[int], lost: int) -> None:
    """Half a number may be the whole number of another child's card."""
    whole = scan_events("0005527632", at_s=1_000_000.0)
    first, last = (event * EVENT.size for event in sorted(cut))
    assert texts(WedgeScans(), whole[:first] + b"\xff" * lost + whole[last:]) in ([], ["0005527632"])


@settings(max_examples=60, deadline=None)
@given(chunks=st.lists(st.binary(max_size=100), max_size=20))
def test_noise_is_bounded(chunks: list[bytes]) -> None:
    parser = WedgeScans(scheme="qr")
    for chunk in chunks:
        parser.feed(chunk)
        assert parser.buffered <= EVENT.size + MAX_SCAN_CHARACTERS


def test_a_key_that_is_not_on_the_keyboard_cannot_be_simulated() -> None:
    with pytest.raises(ValueError, match="张"):
        scan_events("张三", at_s=5.0)


@pytest.mark.parametrize("wrong_s", [-500.0, -1.0, -0.2, 0.2, 1.0, 500.0])
@pytest.mark.parametrize("key", range(1, 11))
@pytest.mark.parametrize("before", [b"", scan_events("163,12177", at_s=1003.0), scan_events("12", at_s=1003.0, ends_with=None)])
def test_one_wrong_time_never_makes_another_number_of_a_scan(before: bytes, key: int, wrong_s: float) -> None:
    """Half a number may be the number of another child's card; the whole one is right whatever a clock said."""
    times = [1005.0 + 0.004 * n + (wrong_s if n == key else 0.0) for n in range(11)]
    codes = [*(code for code, value in typed("0005527632") if value == PRESSED), 28]
    scan = b"".join(keys((code, PRESSED), at_s=at_s) for code, at_s in zip(codes, times, strict=True))
    assert set(texts(WedgeScans(), before + scan)) <= {"163,12177", "0005527632"}
    after = scan_events("0040856634", at_s=1007.0) + scan_events("0040856635", at_s=1009.0)
    assert "0040856635" in texts(WedgeScans(), before + scan + after)


def test_a_scan_that_is_typed_twice_without_an_end_spoils_no_other() -> None:
    twice = 2 * scan_events("163,121", at_s=3.0, ends_with=None)
    assert texts(WedgeScans(), twice + scan_events("0005527632", at_s=5.0)) == ["0005527632"]
