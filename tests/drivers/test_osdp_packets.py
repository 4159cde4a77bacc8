"""OSDP packets: put together from any pieces, found behind any noise, refused with any wrong bit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.osdp_packets import MAX_PACKET_BYTES, OsdpPackets, packet

# Recorded between libosdp's own panel and its own peripheral: "who are you", and the answer.
ASKED = bytes.fromhex("53 00 0900 04 61 00 c066")
ANSWERED = bytes.fromhex("53 80 1400 04 45 bebafe 01 01 afbeadde adde ad 6bea")


@pytest.mark.parametrize("recorded", [ASKED, ANSWERED], ids=["asked", "answered"])
def test_recorded_packets(recorded: bytes) -> None:
    assert OsdpPackets().feed(b"\xff" + recorded) == [recorded]
    assert packet(recorded[5:-2], address=recorded[1]) == recorded


def test_a_check_sum_of_one_byte() -> None:
    sealed = packet(b"\x60", address=5, control=0)
    assert len(sealed) == 7 and sum(sealed) % 256 == 0
    assert OsdpPackets().feed(sealed) == [sealed]


@pytest.mark.parametrize("cut", range(1, len(ANSWERED)))
def test_a_packet_in_pieces_is_one_packet(cut: int) -> None:
    parser, stream = OsdpPackets(), ASKED + ANSWERED
    assert [one for at in range(0, len(stream), cut) for one in parser.feed(stream[at : at + cut])] == [ASKED, ANSWERED]


def test_every_flipped_bit_is_noticed() -> None:
    for at in range(8 * len(ANSWERED)):
        flipped = bytearray(ANSWERED)
        flipped[at // 8] ^= 1 << at % 8
        assert OsdpPackets().feed(bytes(flipped)) == [], at


def test_half_a_packet_does_not_swallow_the_next_after_a_reset() -> None:
    parser = OsdpPackets()
    assert parser.feed(ANSWERED[:9]) == []
    parser.reset()
    assert parser.feed(ANSWERED) == [ANSWERED]


@settings(max_examples=100, deadline=None)
@given(noise=st.binary(max_size=60).filter(lambda data: b"\x53" not in data), body=st.binary(min_size=2, max_size=60))
def test_a_packet_behind_noise_is_found(noise: bytes, body: bytes) -> None:
    sealed = packet(body, address=0x80)
    assert OsdpPackets().feed(noise + sealed) == [sealed]


@settings(max_examples=100, deadline=None)
@given(chunks=st.lists(st.one_of(st.binary(max_size=200), st.just(b"\x53"), st.just(ASKED)), max_size=30))
def test_noise_is_bounded(chunks: list[bytes]) -> None:
    parser = OsdpPackets()
    for chunk in chunks:
        parser.feed(chunk)
        assert parser.buffered <= MAX_PACKET_BYTES
