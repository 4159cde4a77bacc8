"""Chinese and English for what a session is about, as menus and published papers say it. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kiosk.core.practices import Words

KIND_WORDS: Final[Mapping[str, Words]] = {
    "homework": Words("课业辅导", "homework"),
    "tutoring": Words("辅导答疑", "tutoring"),
    "reading": Words("阅读", "reading"),
    "self_study": Words("自习", "self-study"),
    "enrichment": Words("素质拓展", "enrichment"),
    "sports": Words("体育", "sports"),
    "arts": Words("艺术", "arts"),
    "science": Words("科普", "science"),
    "labour": Words("劳动", "labour"),
    "club": Words("社团", "club"),
    "film": Words("观影", "film"),
    "care": Words("看护", "care"),
    "evening_study": Words("晚自习", "evening self-study"),
    "weekend": Words("双休日", "weekend"),
    "holiday_open": Words("寒暑假开放", "holiday opening"),
    "early_care": Words("早到看护", "early care"),
    "extended_care": Words("延时托管", "extended care"),
}


def kind_words(kind: str) -> Words:
    """The words of a kind; a school's own word stands for itself."""
    return KIND_WORDS.get(kind) or Words(kind, kind)
