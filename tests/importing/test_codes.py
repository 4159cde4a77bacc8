"""学籍号, relations and pinyin: the published vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.importing.pinyin import spell
from kiosk.importing.relations import relation
from kiosk.importing.school_numbers import check_character, fault_of


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("G11010519491231002X", ""),
        ("g11010519491231002x", ""),
        ("G000000201803150012", ""),
        ("J000000201909070125", ""),
        ("G000000201803150013", "check"),
        ("L000000201803150013", ""),  # the last four of an L number are random
        ("G000000201802300012", "date"),
        ("G00000020180315001", "form"),
        ("X000000201803150012", ""),  # a local number: opaque
        ("1234567890123456", ""),
        ("1.1E+17", "form"),
        ("王小明", "form"),
    ],
)
def test_school_numbers_are_checked_as_far_as_they_can_be(number: str, fault: str) -> None:
    assert fault_of(number) == fault


def test_the_check_character_is_that_of_the_standard() -> None:
    assert check_character("11010519491231002") == "X"
    assert check_character("44052418800101001") == "4"


@given(first17=st.text("0123456789", min_size=17, max_size=17), at=st.integers(0, 16), by=st.integers(1, 9))
def test_one_wrong_digit_always_changes_the_check_character(first17: str, at: int, by: int) -> None:
    wrong = first17[:at] + str((int(first17[at]) + by) % 10) + first17[at + 1 :]
    assert check_character(wrong) != check_character(first17)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("妈妈", "母亲"),
        ("52", "母亲"),
        ("母亲", "母亲"),
        ("姥姥", "外祖母"),
        ("爷爷", "祖父"),
        ("保姆", "保姆"),
        ("托管机构", "托管机构"),
    ],
)
def test_relations_take_the_words_of_the_standard_where_it_has_them(written: str, word: str) -> None:
    assert relation(written) == word


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("王小明", "wang xiaoming", "wxm"),
        ("单雄信", "shan xiongxin", "sxx"),
        ("曾乐", "zeng le", "zl"),
        ("欧阳若曦", "ouyang ruoxi", "oyrx"),
        ("尉迟恭", "yuchi gong", "ycg"),
        ("阿依古丽·买买提", "ayiguli maimaiti", "ayglmmt"),
        ("Anna Lee", "anna lee", "al"),
    ],
)
def test_names_are_spelled_as_names(name: str, pinyin: str, initials: str) -> None:
    assert spell(name) == (pinyin, initials)
