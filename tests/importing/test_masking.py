"""Masks: the vectors of the domain reference, and that no mask gives the name away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.masking import id_tail, mask_class, mask_id, mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王明", "王*"),
        ("王小明", "王*明"),
        ("王小小明", "王**明"),
        ("欧阳娜", "欧阳*"),
        ("欧阳若曦", "欧阳*曦"),
        ("欧阳", "欧*"),
        ("阿依古丽·买买提", "阿***·***"),
        ("Anna Lee", "A*** ***"),
        ("王", "*"),
        ("𠮷田明", "𠮷*明"),
        ("", ""),
    ],
)
def test_names_are_masked_as_gates_do(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(name=st.text(alphabet="王李欧阳司马明丽·Ab ", min_size=1, max_size=8).map(str.strip).filter(bool))
def test_no_mask_shows_a_whole_name(name: str) -> None:
    assert mask_name(name) != name or set(name) <= set("·* ")


def test_two_equal_masks_in_one_class_are_told_apart_by_seat() -> None:
    masked = mask_class([(1, 7, "王小明"), (2, 9, "王大明"), (3, 12, "李娜")])
    assert masked == {1: "王*明 7号", 2: "王*明 9号", 3: "李*"}


def test_phones_and_identity_numbers_keep_only_what_helps_to_recognise_them() -> None:
    assert mask_phone("13812341234") == "138****1234"
    assert mask_phone("12345") == "*****"
    assert mask_phone("") == ""
    assert mask_id("11010519491231002X") == "110***********002X"
    assert mask_id("1234") == "****"
    assert id_tail("11010519491231002X") == "002X"
    assert id_tail("002X") == ""
