"""参加对象, whom a session is for, as schools write it: 全校, 一至三年级, 1-3年级, 三、四年级, 初一, 三(2)班.

Nothing is guessed: a word that is neither a grade nor a class is a problem of its cell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from kiosk.core.people import SchoolClass, Stage
from kiosk.core.timetable import grade_key
from kiosk.importing.class_names import (
    COMPULSORY_YEARS,
    STAGE_NAMES,
    STAGE_WORDS,
    ClassNameUnclear,
    class_names,
    number_in_words,
    years_of,
)

EVERYBODY: Final = frozenset({"", "全校", "全体", "全体学生", "全校学生", "不限", "所有学生", "各年级"})
_NUMBER = r"[0-9一二两三四五六七八九十]{1,3}"
_RANGE = re.compile(rf"({_NUMBER})(?:年级)?[-–—~～至到]({_NUMBER})年级")
_GRADE = re.compile(rf"({_NUMBER})年级")
_NAMED = re.compile(r"(初|高)([一二三四1-4])(?:年级)?")
_SEPARATORS = re.compile(r"[、,，;；/\s]+")


class AudienceUnclear(ValueError):
    """`word` is what cannot be read."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def audience_of(text: str, *, school_year_start: int, primary_years: int) -> frozenset[str]:
    """Grades as `primary-3` and ids of classes; empty = everybody. Raises AudienceUnclear."""
    written = unicodedata.normalize("NFKC", text).strip()
    if written in EVERYBODY:
        return frozenset()
    found: set[str] = set()
    bare: list[str] = []  # 三、四年级: the 三 waits for the word behind the 四
    for word in _SEPARATORS.split(written):
        if re.fullmatch(_NUMBER, word):
            bare.append(word)
            continue
        if bare and not word.endswith("年级"):
            raise AudienceUnclear(bare[0])
        found.update(_grades(f"{number}年级", school_year_start, primary_years) for number in bare)
        bare = []
        found.update(_of_word(word, school_year_start, primary_years))
    if bare:
        raise AudienceUnclear(bare[0])
    return frozenset(found)


def _of_word(word: str, year: int, primary_years: int) -> Iterable[str]:
    if word in STAGE_WORDS:
        stage = STAGE_WORDS[word]
        return [grade_key(stage, grade) for grade in range(1, years_of(stage, primary_years) + 1)]
    if match := _RANGE.fullmatch(word):
        first, last = _number(match[1], word), _number(match[2], word)
        if not first <= last <= COMPULSORY_YEARS + 3:
            raise AudienceUnclear(word)
        return [_grades(f"{number}年级", year, primary_years) for number in range(first, last + 1)]
    return [_grades(word, year, primary_years)]


def _grades(word: str, year: int, primary_years: int) -> str:
    """One grade, or one class."""
    if match := _NAMED.fullmatch(word):
        return grade_key(Stage.JUNIOR if match[1] == "初" else Stage.SENIOR, _number(match[2], word))
    if match := _GRADE.fullmatch(word):
        grade = _number(match[1], word)
        for stage, years in ((Stage.PRIMARY, primary_years), (Stage.JUNIOR, COMPULSORY_YEARS - primary_years), (Stage.SENIOR, 3)):
            if 1 <= grade <= years:
                return grade_key(stage, grade)
            grade -= years
        raise AudienceUnclear(word)
    try:
        readings = class_names(word, school_year_start=year, primary_years=primary_years)
    except ClassNameUnclear as error:
        raise AudienceUnclear(word) from error
    if len(readings) != 1:
        raise AudienceUnclear(word)
    return readings[0].id


def _number(text: str, word: str) -> int:
    try:
        return number_in_words(text)
    except ClassNameUnclear as error:
        raise AudienceUnclear(word) from error


def audience_words(audience: frozenset[str], classes: Iterable[SchoolClass]) -> str:
    """For people, in Chinese: 小学1、2、3年级、三(2)班; "" for everybody."""
    names = {one.id: one.name for one in classes}
    grades: dict[str, list[int]] = {}
    for key in audience - names.keys():
        stage, _, grade = key.rpartition("-")
        if grade.isdecimal() and stage in set(Stage):
            grades.setdefault(stage, []).append(int(grade))
    words = [
        f"{STAGE_NAMES[stage]}{'、'.join(map(str, sorted(grades[stage])))}年级" for stage in Stage if stage in grades
    ]
    return "、".join([*words, *sorted(names[key] for key in audience & names.keys())])
