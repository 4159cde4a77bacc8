"""The keys of [retention] in school.toml: for how many days each category of data is kept. The whole list: `kiosk.settings.keys`.

Only access logs and assessments have a number in law; the others are our defaults, for the school to decide (docs/privacy.md).
"""

from __future__ import annotations

from typing import Final

from kiosk.settings.schema import Key, Kind, Section, Shape

DAYS_MAX: Final = 36_500

RETENTION: Final = Section(
    "retention",
    Shape.ONE,
    "保存期限（天），到期自动删除；0 为不自动删除",
    "For how many days each category is kept; what is older is erased by itself. 0 = it is not.",
    keys=(
        Key("school_year_ends", Kind.TEXT, "学年结束日，MM-DD", "last day of the school year, MM-DD", "08-31"),
        Key(
            "left_days", Kind.NUMBER, "离校人员：学年结束后再留几天",
            "people who left: days after the end of that school year", 90, high=DAYS_MAX,
        ),
        Key(
            "notes_days", Kind.NUMBER, "一般文字（请假理由、代接人姓名等）：学年结束后再留几天",
            "free texts (reasons for leave, names of delegates): days after the end of that school year", 90, high=DAYS_MAX,
        ),
        Key(
            "dossier_days", Kind.NUMBER, "交接、放行、未接、更正、归档中的文字",
            "free texts of handovers, releases, cases, corrections and session archives", 1_095, high=DAYS_MAX,
        ),
        Key("visitors_days", Kind.NUMBER, "访客登记", "the visitor register", 365, high=DAYS_MAX),
        Key("messages_days", Kind.NUMBER, "已发消息的记录", "what was told to staff, and whether it arrived", 90, high=DAYS_MAX),
        Key(
            "access_days", Kind.NUMBER, "查看记录（谁看过谁），法律要求不少于六个月",
            "who looked at whose page: the law wants six months at least", 183, high=DAYS_MAX,
        ),
    ),
)  # fmt: skip
