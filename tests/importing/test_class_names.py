"""Class names: what schools write means one class, or is asked about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.people import Stage
from kiosk.importing.class_names import ClassName, ClassNameUnclear, class_names, number_in_words, years_of

THREE_TWO = ClassName(Stage.PRIMARY, 3, 2, 2024)


def read(text: str, *, primary_years: int = 6, stage: Stage | None = None) -> tuple[ClassName, ...]:
    return class_names(text, school_year_start=2026, primary_years=primary_years, stage=stage)


@pytest.mark.parametrize(
    "text",
    [
        "三年级2班", "三（2）班", "三(2)班", "3年级2班", "小学2024级2班", "三 (2) 班", "３年级２班", "三年2班", "三2班", "三二班",
        "小学三年级(2)班", "小学部2024级（2）班", "302班", "三年级二班", "3.2班", "〔三〕(2)班".replace("〔三〕", "三"),
    ],
)  # fmt: skip
def test_all_spellings_of_one_class_mean_that_class(text: str) -> None:
    assert read(text) == (THREE_TWO,)


@pytest.mark.parametrize(
    ("text", "primary_years", "expected"),
    [
        ("一年级十二班", 6, ClassName(Stage.PRIMARY, 1, 12, 2026)),
        ("七年级3班", 6, ClassName(Stage.JUNIOR, 1, 3, 2026)),
        ("七年级3班", 5, ClassName(Stage.JUNIOR, 2, 3, 2025)),
        ("六年级1班", 5, ClassName(Stage.JUNIOR, 1, 1, 2026)),
        ("初一(3)班", 6, ClassName(Stage.JUNIOR, 1, 3, 2026)),
        ("初四(1)班", 5, ClassName(Stage.JUNIOR, 4, 1, 2023)),
        ("初中二年级3班", 6, ClassName(Stage.JUNIOR, 2, 3, 2025)),
        ("高二3班", 6, ClassName(Stage.SENIOR, 2, 3, 2025)),
        ("大(1)班", 6, ClassName(Stage.KINDERGARTEN, 3, 1, 2024)),
        ("小学2030届2班", 6, ClassName(Stage.PRIMARY, 3, 2, 2024)),
        ("三年级二十班", 6, ClassName(Stage.PRIMARY, 3, 20, 2024)),
    ],
)
def test_grades_count_through_the_stages(text: str, primary_years: int, expected: ClassName) -> None:
    assert read(text, primary_years=primary_years) == (expected,)


def test_a_cohort_without_its_stage_is_asked_about_unless_the_stage_is_known() -> None:
    assert {found.stage for found in read("2024级2班")} >= {Stage.PRIMARY, Stage.JUNIOR}
    assert read("2024级2班", stage=Stage.PRIMARY) == (THREE_TWO,)


@pytest.mark.parametrize(
    "text",
    ["", "12班", "十二班", "三班", "启航班", "三年级（2班", "十三年级1班", "初四(1)班", "小学2010级1班", "三(0)班", "班" * 40],
)
def test_what_may_mean_something_else_is_not_guessed(text: str) -> None:
    with pytest.raises(ClassNameUnclear):
        read(text)


@given(
    stage=st.sampled_from([Stage.PRIMARY, Stage.JUNIOR]),
    primary_years=st.sampled_from([5, 6]),
    grade=st.integers(1, 6),
    class_no=st.integers(1, 99),
    year=st.integers(2020, 2040),
)
def test_a_class_written_by_its_cohort_or_grade_is_read_back(
    stage: Stage, primary_years: int, grade: int, class_no: int, year: int
) -> None:
    grade = min(grade, years_of(stage, primary_years))
    expected = (ClassName(stage, grade, class_no, year - grade + 1),)
    through = grade if stage is Stage.PRIMARY else grade + primary_years
    cohort = f"{'小学' if stage is Stage.PRIMARY else '初中'}{year - grade + 1}级{class_no}班"
    for text in (cohort, f"{through}年级({class_no})班"):
        assert class_names(text, school_year_start=year, primary_years=primary_years) == expected


@given(text=st.text(max_size=12) | st.text("一二三十0123年级班()（）初高小中大届 ", max_size=10))
def test_no_text_is_a_surprise(text: str) -> None:
    try:
        found = read(text)
    except ClassNameUnclear:
        return
    assert found and all(1 <= f.grade <= 6 and 1 <= f.class_no <= 99 for f in found)


@pytest.mark.parametrize(("text", "number"), [("十", 10), ("十二", 12), ("二十", 20), ("二十一", 21), ("二〇", 20), ("7", 7)])
def test_numbers_in_words(text: str, number: int) -> None:
    assert number_in_words(text) == number
