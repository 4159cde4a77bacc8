"""Class names as schools write them -> (stage, grade, class number, entry year).

三年级2班, 三（2）班, 3年级2班, 小学2024级2班, 一年级十二班, 七年级3班, 初一(3)班, 中二班, 2030届2班 … The school year and
the length of primary school (6, or 5 in 五四学制) decide what a grade means. A name that fits two stages
yields both; the caller asks, it is never guessed here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from kiosk.core.people import Stage

MAX_CLASS_NO = 99
MAX_NAME_CHARS = 30
COMPULSORY_YEARS = 9  # primary and junior together, under 六三 and 五四 alike

STAGE_WORDS = {
    "幼儿园": Stage.KINDERGARTEN,
    "学前": Stage.KINDERGARTEN,
    "小学": Stage.PRIMARY,
    "小学部": Stage.PRIMARY,
    "初中": Stage.JUNIOR,
    "初中部": Stage.JUNIOR,
    "中学": Stage.JUNIOR,
    "高中": Stage.SENIOR,
    "高中部": Stage.SENIOR,
    "kindergarten": Stage.KINDERGARTEN,
    "primary": Stage.PRIMARY,
    "junior": Stage.JUNIOR,
    "senior": Stage.SENIOR,
}
STAGE_NAMES = {
    Stage.KINDERGARTEN: "幼儿园",
    Stage.PRIMARY: "小学",
    Stage.JUNIOR: "初中",
    Stage.SENIOR: "高中",
}
_KINDERGARTEN = {"小": 1, "中": 2, "大": 3}
_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}

_NUMBER = r"[0-9〇零一二两三四五六七八九十]{1,3}"
_CLASS = rf"(?P<open>\()?(?P<no>{_NUMBER})(?(open)\))班"
_STAGE = r"(?P<stage>幼儿园|学前|小学部?|初中部?|高中部?|中学)?"
_COHORT = re.compile(rf"{_STAGE}(?P<year>(?:19|20)\d\d)(?P<what>级|届){_CLASS}")
_NAMED = re.compile(rf"(?P<stage>初中?|高中?)(?P<grade>[一二三四1-4])(?:年级?)?{_CLASS}")
_NURSERY = re.compile(rf"(?:幼儿园)?(?P<grade>[小中大]){_CLASS}")
_GRADE = re.compile(rf"{_STAGE}(?P<grade>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])(?P<apart>年级?|\.|-)?{_CLASS}")
_DOOR = re.compile(r"(?P<grade>[1-9])(?P<no>0[1-9]|[1-4]\d)班?")


class ClassNameUnclear(ValueError):
    """The text is no class name that we know."""


class ClassName(NamedTuple):
    stage: Stage
    grade: int  # within the stage, 1-based
    class_no: int
    entry_year: int

    @property
    def id(self) -> str:
        return f"{self.stage}-{self.entry_year}-{self.class_no}"


def number_in_words(text: str) -> int:
    """十二 -> 12, 二十 -> 20, 二〇 -> 20, 12 -> 12. Raises ClassNameUnclear."""
    if text.isdigit() and text.isascii():
        return int(text)
    tens, ten, ones = text.partition("十")
    if ten:
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    digits = [_DIGITS.get(c) for c in text]
    if not digits or None in digits:
        raise ClassNameUnclear(f"{text!r} is no number")
    return int("".join(str(d) for d in digits))


def years_of(stage: Stage, primary_years: int) -> int:
    """How many grades a stage has."""
    if stage is Stage.PRIMARY:
        return primary_years
    return COMPULSORY_YEARS - primary_years if stage is Stage.JUNIOR else 3


def grade_of(stage: Stage, entry_year: int, *, school_year_start: int, primary_years: int) -> int | None:
    """The grade within the stage, or None where that cohort has not started or has left."""
    grade = school_year_start - entry_year + 1
    return grade if 1 <= grade <= years_of(stage, primary_years) else None


def class_names(text: str, *, school_year_start: int, primary_years: int, stage: Stage | None = None) -> tuple[ClassName, ...]:
    """Every class that the text may mean: one, or several where the stage is missing (2024级2班).

    `stage` (the 学段 column) decides such a case. `school_year_start` is the year in which the school year
    began (it turns in August). Raises ClassNameUnclear.
    """
    name = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    name = name.replace("〔", "(").replace("〕", ")").replace("【", "(").replace("】", ")")
    if not name or len(name) > MAX_NAME_CHARS:
        raise ClassNameUnclear(f"{text[:MAX_NAME_CHARS]!r} is no class name")
    found = tuple(_readings(name, school_year_start, primary_years))
    fitting = tuple(f for f in found if stage is None or f.stage is stage)
    if not fitting or not all(1 <= f.class_no <= MAX_CLASS_NO for f in fitting):
        raise ClassNameUnclear(f"{text!r} is no class of this school year")
    return fitting


def _readings(name: str, year: int, primary_years: int) -> list[ClassName]:
    """All readings by the first form that fits."""
    if match := _COHORT.fullmatch(name):
        return _cohorts(match, year, primary_years)
    if match := _NAMED.fullmatch(name):
        stage = Stage.JUNIOR if match["stage"].startswith("初") else Stage.SENIOR
        return _one(stage, number_in_words(match["grade"]), number_in_words(match["no"]), year, primary_years)
    if match := _NURSERY.fullmatch(name):
        return _one(Stage.KINDERGARTEN, _KINDERGARTEN[match["grade"]], number_in_words(match["no"]), year, 6)
    if (match := _GRADE.fullmatch(name)) and _clearly_apart(match):
        grade, no = number_in_words(match["grade"]), number_in_words(match["no"])
        if match["stage"] and STAGE_WORDS[match["stage"]] is not Stage.PRIMARY and grade <= 4:
            return _one(STAGE_WORDS[match["stage"]], grade, no, year, primary_years)
        return _counted_through(grade, no, year, primary_years)
    if match := _DOOR.fullmatch(name):
        return _counted_through(int(match["grade"]), int(match["no"]), year, primary_years)
    raise ClassNameUnclear(f"{name!r} is no class name")


def _clearly_apart(match: re.Match[str]) -> bool:
    """12班 and 十二班 are class twelve of a grade not said, never class two of grade one or ten."""
    grade, no = match["grade"], match["no"]
    if match["apart"] or match["open"]:
        return True
    return grade.isascii() != no.isascii() or (not grade.isascii() and len(grade + no) == 2 and "十" not in grade + no)


def _cohorts(match: re.Match[str], year: int, primary_years: int) -> list[ClassName]:
    """2024级 entered in 2024, 2030届 leaves in 2030: the stage may be any that has such a cohort now."""
    stages = [STAGE_WORDS[match["stage"]]] if match["stage"] else list(Stage)
    found = []
    for stage in stages:
        entry = int(match["year"]) - (years_of(stage, primary_years) if match["what"] == "届" else 0)
        grade = grade_of(stage, entry, school_year_start=year, primary_years=primary_years)
        if grade is not None and (match["stage"] or stage is not Stage.KINDERGARTEN):
            found.append(ClassName(stage, grade, number_in_words(match["no"]), entry))
    return found


def _counted_through(grade: int, no: int, year: int, primary_years: int) -> list[ClassName]:
    """一年级 … 十二年级, counted through all stages."""
    if grade <= primary_years:
        return _one(Stage.PRIMARY, grade, no, year, primary_years)
    if grade <= COMPULSORY_YEARS:
        return _one(Stage.JUNIOR, grade - primary_years, no, year, primary_years)
    return _one(Stage.SENIOR, grade - COMPULSORY_YEARS, no, year, primary_years)


def _one(stage: Stage, grade: int, no: int, year: int, primary_years: int) -> list[ClassName]:
    if not 1 <= grade <= years_of(stage, primary_years):
        raise ClassNameUnclear(f"{STAGE_NAMES[stage]} has no grade {grade}")
    return [ClassName(stage, grade, no, year - grade + 1)]
