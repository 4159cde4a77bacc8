"""The wire formats, byte by byte: the makers' own examples, and whatever noise Hypothesis thinks of."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.modbus_frames import ModbusAnswerFrames, ModbusRequestFrames, answer_to, read_coils, request_frame, write_coil
from drivers.serial_frames import (
    MAX_FRAME_BYTES,
    MAX_LINE_BYTES,
    UNFINISHED_LIMIT,
    CardFrame,
    LcusFrames,
    LineFrames,
    M7941Answer,
    M7941AnswerFrames,
    M7941CommandFrames,
    Rdm6300Frames,
    RelayFrame,
    StxLrcFrames,
    lcus_frame,
    m7941_answer,
    m7941_card,
    m7941_command,
    rdm6300_frame,
    stx_lrc_frame,
)

EXAMPLE = b"\x0262E3086CED08\x03"
PARSERS: dict[str, Callable[[], Any]] = {
    "rdm6300": Rdm6300Frames,
    "stxlrc": StxLrcFrames,
    "m7941-answer": M7941AnswerFrames,
    "m7941-command": M7941CommandFrames,
    "lcus": LcusFrames,
    "modbus-answer": ModbusAnswerFrames,
    "modbus-request": ModbusRequestFrames,
    "qr-lines": lambda: LineFrames(scheme="qr"),
    "number-lines": lambda: LineFrames(scheme="number"),
}
GOOD_FRAMES = {
    "rdm6300": rdm6300_frame("01026F6C3A"),
    "stxlrc": stx_lrc_frame("0012345678"),
    "m7941-answer": m7941_answer(bytes.fromhex("DEADBEEF")),
    "m7941-command": m7941_command(0x10),
    "lcus": lcus_frame(1, True),
    "modbus-answer": answer_to(read_coils(1, 0, 8), [True, False] * 4),
    "modbus-request": request_frame(write_coil(1, 0, True)),
    "qr-lines": "\r\nCP1.张三\r\n".encode(),
    "number-lines": b"\r0040856634\r",
}
NOISE = st.binary(max_size=200) | st.lists(
    st.sampled_from([b"\x02", b"\x03", b"\r", b"\n", b"\xcd", b"\xdc", b"\xab\xba", b"\xa0", b"0", b"F", b"\xff"])
    | st.sampled_from(list(GOOD_FRAMES.values())).flatmap(lambda frame: st.just(frame[: len(frame) // 2])),
    max_size=60,
).map(b"".join)


class TestRdm6300:
    @pytest.mark.parametrize(
        ("sent", "value"),
        [
            (EXAMPLE, "62E3086CED"),
            (bytes.fromhex("02 30 31 30 30 30 37 33 34 45 30 44 32 03"), "01000734E0"),
            (b"\x0262E3086CED08\r\n\x03", "62E3086CED"),
            (b"\x0262e3086ced08\x03", "62E3086CED"),
        ],
        ids=["maker's example", "wiki's example", "CR LF before the end", "small letters"],
    )
    def test_the_makers_examples_are_read(self, sent: bytes, value: str) -> None:
        assert Rdm6300Frames().feed(sent) == [CardFrame("em4100", value)]

    def test_a_wrong_checksum_is_counted_and_not_read(self) -> None:
        parser = Rdm6300Frames()
        assert parser.feed(b"\x0262E3086CED09\x03") == []
        assert parser.bad == 1

    def test_a_half_frame_is_kept_until_the_rest_arrives(self) -> None:
        parser = Rdm6300Frames()
        read = [frame for byte in EXAMPLE for frame in parser.feed(bytes([byte]))]
        assert read == [CardFrame("em4100", "62E3086CED")]
        assert parser.bad == 0

    def test_a_frame_that_was_cut_off_does_not_take_the_next_one_with_it(self) -> None:
        parser = Rdm6300Frames()
        assert parser.feed(EXAMPLE[:9] + EXAMPLE) == [CardFrame("em4100", "62E3086CED")]
        assert parser.bad == 1

    def test_a_tag_that_stays_is_a_frame_each_time(self) -> None:
        assert len(Rdm6300Frames().feed(EXAMPLE * 5)) == 5

    def test_what_the_builder_makes_the_parser_reads(self) -> None:
        assert rdm6300_frame("62E3086CED") == EXAMPLE
        assert Rdm6300Frames().feed(rdm6300_frame("62E3086CED", crlf=True)) == [CardFrame("em4100", "62E3086CED")]


class TestStxLrc:
    @pytest.mark.parametrize("number", ["12345678", "0012345678", "00ABCDEF12"])
    def test_both_lengths_are_read_as_numbers_to_look_up(self, number: str) -> None:
        frame = b"\x02" + number.encode() + b"\x03"
        assert StxLrcFrames().feed(frame + bytes([reduce(xor, frame)])) == [CardFrame("number", number)]

    def test_a_wrong_lrc_and_a_wrong_length_are_not_read(self) -> None:
        parser = StxLrcFrames()
        assert parser.feed(stx_lrc_frame("0012345678")[:-1] + b"\x00") == []
        assert parser.feed(stx_lrc_frame("001234567")) == []
        assert parser.bad >= 2

    def test_the_check_byte_may_look_like_a_start(self) -> None:
        number = next(n for n in range(10**4) if stx_lrc_frame(f"{n:08d}")[-1] in (2, 3))
        parser = StxLrcFrames()
        assert parser.feed(stx_lrc_frame(f"{number:08d}") + stx_lrc_frame("87654321")) == [
            CardFrame("number", f"{number:08d}"),
            CardFrame("number", "87654321"),
        ]


class TestM7941:
    def test_the_questions_are_the_makers(self) -> None:
        assert m7941_command(0x10) == bytes.fromhex("AB BA 00 10 00 10")
        assert m7941_command(0x15) == bytes.fromhex("AB BA 00 15 00 15")

    def test_an_answer_is_read_although_it_comes_in_two_parts(self) -> None:
        answer = bytes.fromhex("CD DC 00 81 04 DE AD BE EF") + bytes([0x81 ^ 0x04 ^ 0xDE ^ 0xAD ^ 0xBE ^ 0xEF])
        parser = M7941AnswerFrames()
        assert parser.feed(b"\x00" + answer[:5]) == []
        assert parser.feed(answer[5:]) == [M7941Answer(address=0, ok=True, data=bytes.fromhex("DEADBEEF"))]

    def test_a_wrong_check_byte_is_no_answer(self) -> None:
        parser = M7941AnswerFrames()
        assert parser.feed(m7941_answer(b"\x01\x02\x03\x04")[:-1] + b"\x00") == []
        assert parser.bad == 1

    @pytest.mark.parametrize(
        ("data", "ok", "card"),
        [
            ("DEADBEEF", True, CardFrame("uid", "DEADBEEF")),
            ("04A1B2C3D4E5F6", True, CardFrame("uid", "04A1B2C3D4E5F6")),
            ("01026F6C3A", True, CardFrame("em4100", "01026F6C3A")),
            ("", False, None),
            ("DEADBEEF", False, None),
            ("DEAD", True, None),
        ],
    )
    def test_the_length_says_which_kind_of_card_it_is(self, data: str, ok: bool, card: CardFrame | None) -> None:
        assert m7941_card(M7941Answer(address=0, ok=ok, data=bytes.fromhex(data))) == card

    def test_a_length_that_no_answer_has_does_not_swallow_what_follows(self) -> None:
        lying_header = bytes.fromhex("CD DC 00 81 FF")
        assert len(M7941AnswerFrames().feed(lying_header + m7941_answer(b"\x01\x02\x03\x04"))) == 1


class TestLines:
    def test_the_usual_line_ends_are_all_line_ends(self) -> None:
        parser = LineFrames(scheme="qr")
        read = parser.feed("P|张三|123\r\nabc\rdef\n".encode())
        assert [frame.value for frame in read] == ["P|张三|123", "abc", "def"]
        assert {frame.scheme for frame in read} == {"qr"}

    def test_text_that_is_not_utf8_is_read_as_gb18030(self) -> None:
        assert LineFrames(scheme="qr").feed("张三\r".encode("gb18030")) == [CardFrame("qr", "张三")]

    def test_text_without_an_end_waits_for_the_pause(self) -> None:
        parser = LineFrames(scheme="qr")
        assert parser.feed(b"nosuffix") == []
        assert parser.buffered == 8
        assert parser.pause() == [CardFrame("qr", "nosuffix")]
        assert parser.pause() == []

    def test_half_a_number_of_a_device_that_ends_its_lines_is_never_a_number(self) -> None:
        parser = LineFrames(scheme="number")
        assert parser.feed(b"0040856634\r") == [CardFrame("number", "0040856634")]
        assert parser.feed(b"00408566") == []
        assert parser.pause() == []
        assert parser.feed(b"34\r") == [], "nor is its other half"
        assert parser.bad == 1
        assert parser.feed(b"0040856634\r") == [CardFrame("number", "0040856634")]
        assert parser.pause() == []
        assert parser.bad == 1

    def test_noise_with_a_line_end_in_it_does_not_make_a_scanner_end_its_lines(self) -> None:
        parser = LineFrames(scheme="qr")
        assert parser.feed(b"\xff\xff\r") == []
        parser.feed(b"CP1.abc")
        assert parser.pause() == [CardFrame("qr", "CP1.abc")]

    def test_a_scanner_that_is_set_up_anew_without_a_suffix_is_believed_after_a_few_scans(self) -> None:
        parser = LineFrames(scheme="qr")
        parser.feed(b"CP1.abc\r")
        scans = []
        for _ in range(UNFINISHED_LIMIT + 1):
            parser.reset()  # a long silence
            parser.feed(b"CP1.abc")
            scans.append(parser.pause())
        assert scans == [[]] * UNFINISHED_LIMIT + [[CardFrame("qr", "CP1.abc")]]

    def test_a_scanner_may_wrap_its_text(self) -> None:
        assert LineFrames(scheme="qr").feed("\ufeff\x02abc\x03 \r".encode()) == [CardFrame("qr", "abc")]

    @pytest.mark.parametrize("line", [b"\xff\xfe\x80", b"ab\x01cd", b"ab\x1bcd"])
    def test_bytes_that_are_no_text_are_counted_and_not_read(self, line: bytes) -> None:
        parser = LineFrames(scheme="qr")
        assert parser.feed(line + b"\r") == []
        assert parser.bad == 1

    @pytest.mark.parametrize("number", ["0040856634", "163,12177", "04A32F91", "00623,27706"])
    def test_the_spellings_of_a_card_number_are_numbers(self, number: str) -> None:
        assert LineFrames(scheme="number").feed(number.encode() + b"\r\n") == [CardFrame("number", number)]

    @pytest.mark.parametrize("text", ["hello", "张三", "CP1.abc", "ABC", "1" * 33])
    def test_other_text_is_no_number(self, text: str) -> None:
        parser = LineFrames(scheme="number")
        assert parser.feed(text.encode() + b"\r\n") == []
        assert parser.bad == 1

    def test_the_end_of_a_line_that_was_too_long_is_never_taken_for_a_code(self) -> None:
        parser = LineFrames(scheme="qr")
        assert parser.feed(b"x" * (MAX_LINE_BYTES + 1)) == []
        assert parser.feed(b"tail\rnext\r") == [CardFrame("qr", "next")]
        assert parser.bad == 1


class TestRelayFrames:
    @pytest.mark.parametrize(("channel", "on", "frame"), [(1, True, "A00101A2"), (1, False, "A00100A1"), (2, True, "A00201A3")])
    def test_the_makers_commands_are_built_and_read(self, channel: int, on: bool, frame: str) -> None:
        assert lcus_frame(channel, on) == bytes.fromhex(frame)
        assert LcusFrames().feed(bytes.fromhex(frame)) == [RelayFrame(channel=channel, on=on)]

    def test_a_wrong_sum_switches_nothing(self) -> None:
        assert LcusFrames().feed(bytes.fromhex("A00101A3")) == []


@pytest.mark.parametrize("kind", PARSERS)
@settings(deadline=None)
@given(chunks=st.lists(NOISE, max_size=8))
def test_noise_never_raises_and_never_piles_up(kind: str, chunks: list[bytes]) -> None:
    parser = PARSERS[kind]()
    for chunk in chunks:
        parser.feed(chunk)
        assert parser.buffered <= (MAX_LINE_BYTES if "lines" in kind else MAX_FRAME_BYTES)
    assert parser.bad >= 0


@pytest.mark.parametrize("kind", PARSERS)
@settings(deadline=None)
@given(noise=NOISE)
def test_a_good_frame_behind_noise_is_found(kind: str, noise: bytes) -> None:
    """The noise may look like the start of a longer frame: then a frame's length has to pass before it is unmasked."""
    frame, quiet = GOOD_FRAMES[kind], b"\x00" * MAX_FRAME_BYTES
    [good] = PARSERS[kind]().feed(frame)
    assert good in PARSERS[kind]().feed(noise + quiet + frame)


@pytest.mark.parametrize("kind", PARSERS)
@settings(deadline=None)
@given(noise=NOISE)
@example(noise=bytes.fromhex("ABBA000A01A0"))  # with the next frame's first byte as its check byte it is a good frame
def test_a_good_frame_right_behind_noise_is_lost_only_to_another_good_frame(kind: str, noise: bytes) -> None:
    """One byte of checksum cannot tell more: noise that happens to be a frame is one."""
    frame, quiet = GOOD_FRAMES[kind], b"\x00" * MAX_FRAME_BYTES
    assert PARSERS[kind]().feed(noise + frame + quiet)


@pytest.mark.parametrize("kind", PARSERS)
@settings(deadline=None)
@given(noise=NOISE, data=st.data())
def test_how_the_bytes_are_cut_changes_nothing(kind: str, noise: bytes, data: st.DataObject) -> None:
    stream = noise + GOOD_FRAMES[kind] + noise
    whole, cut = PARSERS[kind](), PARSERS[kind]()
    at = data.draw(st.integers(0, len(stream)))
    assert whole.feed(stream) == cut.feed(stream[:at]) + cut.feed(stream[at:])
