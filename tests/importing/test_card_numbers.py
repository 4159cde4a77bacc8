"""Card numbers: the vectors of the domain reference and the hardware notes, and what must never happen."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.card_numbers import (
    CardIndex,
    CardNumberUnclear,
    candidates,
    canonical_uid,
    reversed_uid,
    spellings,
)

uids = st.sampled_from([4, 5, 7]).flatmap(lambda n: st.binary(min_size=n, max_size=n)).map(lambda b: b.hex().upper())


@pytest.mark.parametrize(
    ("uid", "text"),
    [
        ("04A32F91", "04A32F91"),
        ("04A32F91", "04 A3 2F 91"),
        ("04A32F91", "04:a3:2f:91"),
        ("04A32F91", "0x04a32f91"),
        ("04A32F91", "０４Ａ３２Ｆ９１"),
        ("04A32F91", "912FA304"),
        ("04A32F91", "0077803409"),
        ("04A32F91", "77803409"),
        ("04A32F91", "00 7780 3409"),
        ("04A32F91", "2435818244"),
        ("04A32F91", "163,12177"),
        ("04A32F91", "163， 12177"),
        ("04A32F91", "16312177"),
        ("04A32F91", "047,41732"),
        ("04A32F91", "04741732"),
        ("01026F6C3A", "01026F6C3A"),
        ("01026F6C3A", "0040856634"),
        ("01026F6C3A", "07302202"),
        ("01026F6C3A", "111,27706"),
        ("01026F6C3A", "00623,27706"),
        ("01026F6C3A", "0062327706"),
        ("01026F6C3A", "004335823930"),
        ("01026F6C3A", "026F6C3A"),
        ("125533FFFF", "1429471231"),
        ("125533FFFF", "03407871"),
        ("125533FFFF", "051,65535"),
        ("125533FFFF", "21811,65535"),
        ("5630F009", "1446047753"),
        ("5630F009", "0166735958"),
        ("5630F009", "166735958"),
        ("5630F009", "08612528"),
        ("5630F009", "24012374"),
        ("5630F009", "09F03056"),
        ("2A83155E", "0713233758"),
        ("04DE5F1EACC040", "04:DE:5F:1E:AC:C0:40"),
        ("04DE5F1EACC040", "40C0AC1E5FDE04"),
    ],
)
def test_every_published_spelling_finds_its_card(uid: str, text: str) -> None:
    others = ("11223344", "0A0B0C0D0E", "04958CAA5C5E80")
    assert candidates(text, (*others, uid)) == (uid,)


def test_two_cards_that_fit_are_both_named_so_that_a_person_decides() -> None:
    forward, backward = "04A32F91", "912FA304"
    assert candidates("0077803409", (forward, backward)) == (forward, backward)
    assert candidates("163,12177", ("04A32F91", "77A32F91")) == ("04A32F91", "77A32F91")


@pytest.mark.parametrize("text", ["", " ", "卡", "GHIJ", "4294967296", "99999999999999999999", "1,2,3", "0x", "-" * 70])
def test_a_text_that_is_no_number_of_a_known_card_finds_nothing(text: str) -> None:
    assert candidates(text, ("04A32F91", "01026F6C3A")) == ()


@given(uid=uids)
def test_each_spelling_that_we_print_leads_back_to_the_card(uid: str) -> None:
    index = CardIndex([uid])
    for name, text in spellings(uid).items():
        assert index.candidates(text) == (uid,), name


@given(text=st.text(max_size=80), known=st.lists(uids, max_size=5))
def test_no_text_raises_and_only_known_cards_are_named(text: str, known: list[str]) -> None:
    assert set(candidates(text, known)) <= set(known)


def test_a_card_known_only_by_24_bits_is_found_when_it_is_read_in_full() -> None:
    assert canonical_uid("163,12177") == "A32F91"
    assert candidates("04A32F91", ("A32F91",)) == ("A32F91",)
    assert candidates("163,12177", ("A32F91",)) == ("A32F91",)
    assert candidates("01026F6C3A", (canonical_uid("111,27706", em4100=True),)) == ("6F6C3A",)


def test_an_em4100_tag_listed_by_its_printed_number_is_found_when_it_is_read_in_full() -> None:
    printed = canonical_uid("0040856634", em4100=True, hex_column=False)
    assert printed == "026F6C3A"
    assert candidates("01026F6C3A", (printed,)) == (printed,)


@pytest.mark.parametrize(
    ("text", "options", "uid"),
    [
        ("04a32f91", {}, "04A32F91"),
        ("0077803409", {}, "04A32F91"),
        ("2435818244", {"reversed_decimal": True}, "04A32F91"),
        ("12345678", {}, "12345678"),
        ("12345678", {"hex_column": False}, "00BC614E"),
        ("0102030405", {"em4100": True}, "0102030405"),
        ("0102030405", {}, "0614DC45"),
        ("9912345678", {}, "9912345678"),
        ("004335823930", {"em4100": True}, "01026F6C3A"),
        ("00623,27706", {"em4100": True}, "026F6C3A"),
        ("00111,27706", {"em4100": True}, "006F6C3A"),
        ("04DE5F1EACC040", {}, "04DE5F1EACC040"),
    ],
)
def test_a_listed_number_becomes_canonical(text: str, options: dict[str, bool], uid: str) -> None:
    assert canonical_uid(text, **options) == uid


@pytest.mark.parametrize("text", ["", "卡号", "04A32F9", "1.1E+17", "70000,1", "99999999999", "Z" * 100])
def test_a_text_that_is_no_card_number_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(CardNumberUnclear, match=r".{20,}"):
        canonical_uid(text)


def test_twenty_thousand_cards_are_indexed_and_found() -> None:
    dice = random.Random(7)
    known = [f"{dice.getrandbits(32):08X}" for _ in range(20_000)]
    index = CardIndex(known)
    assert all(uid in index.candidates(uid) for uid in known[:200])
    assert all(a in index.candidates(reversed_uid(a)) for a, _ in pairwise(known[:200]))
