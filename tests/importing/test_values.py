"""One cell: what it means in every way that schools write it, and the sentence when it means nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.importing import values
from kiosk.importing.headers import CARD_STATES, ROLES
from kiosk.importing.problems import Unreadable
from kiosk.importing.tables import Cell, Trouble


@pytest.mark.parametrize(
    ("read", "cell", "expected"),
    [
        (values.flag, "是", True), (values.flag, "√", True), (values.flag, 1, True), (values.flag, "１", True),
        (values.flag, "有", True),
        (values.flag, True, True), (values.flag, "否", False), (values.flag, "0", False), (values.flag, "无", False),
        (values.flag, "×", False), (values.flag, "", None), (values.flag, None, None),
        (values.day, "20180315", date(2018, 3, 15)), (values.day, 20180315, date(2018, 3, 15)),
        (values.day, "2018-03-15", date(2018, 3, 15)), (values.day, "2018/3/15", date(2018, 3, 15)),
        (values.day, "２０１８年３月１５日", date(2018, 3, 15)), (values.day, datetime(2018, 3, 15), date(2018, 3, 15)),
        (values.day, "2018/3/15 0:00:00", date(2018, 3, 15)), (values.day, None, None),
        (values.entry_year, "2024", 2024), (values.entry_year, 201409, 2014), (values.entry_year, "2024级", 2024),
        (values.entry_year, "2024年9月", 2024), (values.entry_year, datetime(2024, 9, 1), 2024),
        (values.minutes, "17:10", 1030), (values.minutes, "17：10", 1030), (values.minutes, time(17, 10), 1030),
        (values.minutes, 0.5, 720), (values.minutes, timedelta(hours=18), 1080), (values.minutes, "", None),
        (values.count, "30人", 30), (values.count, 7, 7), (values.count, None, None),
        (values.phone, "138 1234 1234", "13812341234"), (values.phone, "+86-13812341234", "13812341234"),
        (values.phone, 13812341234, "13812341234"), (values.phone, "0355-2123456", "03552123456"), (values.phone, "", ""),
        (values.identity_tail, "002x", "002X"), (values.identity_tail, "11010519491231002X", "002X"),
        (values.kinship, "姥姥", "外祖母"), (values.kinship, "52", "母亲"), (values.kinship, "保姆", "保姆"),
        (values.name, "王 小 明", "王小明"), (values.name, "阿依古丽•买买提", "阿依古丽·买买提"),
        (values.name, "阿依古丽．买买提", "阿依古丽·买买提"), (values.name, "阿依古丽 ・ 买买提", "阿依古丽·买买提"),
        (values.name, "Anna  Lee", "Anna Lee"), (values.name, "\u200b䶮\ufeff", "䶮"), (values.name, "𠮷田明", "𠮷田明"),
        (values.key, 20240201, "20240201"), (values.key, "Ｔ００１", "T001"), (values.exact, "002X", "002X"),
        (values.weekdays, "一、三、五", {1, 3, 5}), (values.weekdays, "周一至周五", {1, 2, 3, 4, 5}),
        (values.weekdays, "1,3", {1, 3}), (values.weekdays, "星期六，星期日", {6, 7}), (values.weekdays, "1-4", {1, 2, 3, 4}),
    ],
)  # fmt: skip
def test_every_way_of_writing_a_value_is_read(read: Callable[[Cell], Any], cell: Cell, expected: Any) -> None:
    assert read(cell) == expected


@pytest.mark.parametrize(
    ("read", "cell"),
    [
        (values.flag, "也许"), (values.flag, 2), (values.day, "2018-02-30"), (values.day, "明天"),
        (values.day, "1818-01-01"), (values.day, 45000),
        (values.entry_year, "去年"), (values.minutes, "25:00"), (values.minutes, "17:60"), (values.minutes, "下午五点"),
        (values.count, "-1"), (values.count, "很多"), (values.count, "1.5"), (values.phone, "138/139"), (values.phone, "12345"),
        (values.phone, 3552123456), (values.identity_tail, 12), (values.identity_tail, "2X"), (values.kinship, "母" * 21),
        (values.name, "王小明1"), (values.name, 12), (values.name, "=cmd|'/c calc'!A1"), (values.name, "王\ue000"),
        (values.name, "王\ufffd"),
        (values.key, "2024 0201"), (values.key, 1.5), (values.key, "=1+1"), (values.key, "x" * 33), (values.key, -5),
        (values.exact, 110105194912310020), (values.exact, 1.10105e17), (values.exact, "1.10105E+17"), (values.exact, 4),
        (values.weekdays, "八"), (values.weekdays, "五至一"), (values.text, Trouble("formula")),
        (values.text, Trouble("error", "#N/A")),
        (values.text, "a\x00b"), (values.text, "x" * 600), (values.text, "\ud800"), (values.key, 10**17),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_what_is_wrong_and_what_to_do(read: Callable[[Cell], Any], cell: Cell) -> None:
    with pytest.raises(Unreadable) as caught:
        read(cell)
    for words in (caught.value.what, caught.value.remedy):
        assert any("\u4e00" <= c <= "\u9fff" for c in words.zh) and words.en


def test_a_number_that_excel_mangled_is_called_lost_for_good() -> None:
    for cell in ("1.1E+17", 1.1e17, 110105194912310020):
        with pytest.raises(Unreadable) as caught:
            values.exact(cell)
        assert "丢失" in caught.value.what.zh and "文本" in caught.value.remedy.zh


def test_a_word_outside_a_list_is_answered_with_the_list() -> None:
    assert values.chosen("挂失", CARD_STATES) is CARD_STATES["lost"]
    assert values.several("教师、值班领导", ROLES) == {ROLES["teacher"], ROLES["duty_leader"]}
    with pytest.raises(Unreadable) as caught:
        values.chosen("烧了", CARD_STATES)
    assert "挂失" in caught.value.remedy.zh


cells = (
    st.none() | st.text(max_size=30) | st.booleans() | st.integers() | st.floats() | st.dates() | st.times() | st.datetimes()
    | st.timedeltas() | st.builds(Trouble, st.sampled_from(["formula", "error"]), st.text(max_size=5))
)  # fmt: skip
READERS = (
    values.text, values.exact, values.key, values.name, values.flag, values.day, values.entry_year, values.minutes, values.count,
    values.phone, values.identity_tail, values.kinship, values.weekdays, lambda cell: values.chosen(cell, CARD_STATES),
    lambda cell: values.several(cell, ROLES),
)  # fmt: skip


@given(cell=cells, read=st.sampled_from(READERS))
def test_no_cell_raises_anything_but_a_sentence(cell: Cell, read: Callable[[Cell], Any]) -> None:
    try:
        read(cell)
    except Unreadable as error:
        assert error.what.zh and error.remedy.zh


@given(day=st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_date_is_the_same_day_in_every_form(day: date) -> None:
    forms = (day.isoformat(), f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day}", int(f"{day:%Y%m%d}"))
    assert {values.day(form) for form in forms} == {day}
