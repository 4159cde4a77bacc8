"""The keys of calendar.toml, plan.toml and ladder.toml. The whole list: `kiosk.settings.keys`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kiosk.core.people import Stage
from kiosk.core.timetable import DayType
from kiosk.settings.schema import Key, Kind, Section, Shape

SLOT_KINDS: Final = (
    "homework",
    "tutoring",
    "reading",
    "self_study",
    "enrichment",
    "sports",
    "arts",
    "science",
    "labour",
    "club",
    "film",
    "care",
)

_DAY_KEYS = (
    Key("date", Kind.DAY, "日期", "the date"),
    Key("type", Kind.TEXT, "日类型", "kind of day", None, choices=tuple(kind.value for kind in DayType)),
    Key("timetable_as", Kind.WEEKDAY, "按星期几上课", "weekday whose timetable runs", None),
    Key("after_school", Kind.FLAG, "是否开展课后服务", "whether the after-school service runs", None),
    Key("dismissal_profile", Kind.TEXT, "提前放学方案", "named early dismissal of plan.toml", None),
    Key("note", Kind.TEXT, "说明", "note", ""),
)
_AUTHOR = Key("author", Kind.TEXT, "决定人", "who decided")
_NOTE = Key("note", Kind.TEXT, "理由", "the reason")


def _period(name: str, zh: str, en: str, shape: Shape = Shape.MANY, *, required: bool = False) -> Section:
    keys = (
        Key("name", Kind.TEXT, "名称", "name"),
        Key("from", Kind.DAY, "起", "first day"),
        Key("to", Kind.DAY, "止（含）", "last day, included"),
    )
    return Section(name, shape, zh, en, keys, required=required)


_SEASON = replace(
    _period("season", "季节（作息）；学期中改时间，另起一段", "A season; new times inside a term are one of their own."),
    keys=(
        *_period("season", "", "").keys,
        Key("approval_ref", Kind.TEXT, "学期中改变服务时间的核准文号", "approval of new service times inside a term", ""),
        Key("reason", Kind.TEXT, "学期中改变服务时间的理由", "reason for new service times inside a term", ""),
    ),
)


def _slot(name: str, zh: str, en: str) -> Section:
    keys = (
        Key("from", Kind.TIME, "开始", "start"),
        Key("to", Kind.TIME, "结束", "end"),
    )
    return Section(name, Shape.ONE, zh, en, keys)


_BELLS = Section(
    "bells",
    Shape.NAMED,
    "一个季节的作息时间，段名即季节名",
    "The bells of one season; the name of the table is the season's.",
    required=True,
    keys=(
        Key("gate_opens", Kind.GRADES, "开门时间；此前为早到", "earlier taps are early arrivals"),
        Key("late_from", Kind.GRADES, "从几点起算迟到", "the first minute that counts as late"),
        Key("dismissal", Kind.GRADES, "正常放学时间", "regular dismissal"),
        Key("gate_closes", Kind.TIME, "关门时间", "when the gate closes"),
    ),
    sections=(
        Section(
            "slot",
            Shape.MANY,
            "课后服务时段",
            "A slot of the service.",
            keys=(
                Key("number", Kind.NUMBER, "第几时段", "1, 2, ...", low=1, high=9),
                Key(
                    "kind",
                    Kind.TEXT,
                    "内容",
                    "what it is mainly for",
                    choices=SLOT_KINDS,
                ),
                Key("from", Kind.TIME, "开始", "start"),
                Key("to", Kind.TIME, "结束", "end"),
            ),
        ),
        _slot("extended_care", "延时托管", "Extended care."),
        _slot("early_care", "早到看护", "Care before the gate opens."),
        _slot("evening", "晚自习", "Evening self-study."),
    ),
)

_PROFILE = Section(
    "profile",
    Shape.NAMED,
    "提前放学方案，可只写提前的年级",
    "A named early dismissal; grades that it does not name leave as usual.",
    keys=(Key("dismissal", Kind.GRADES, "放学时间", "dismissal by grade"),),
)

_RUNG = Section(
    "ladder",
    Shape.MANY,
    "未接学生的处置阶梯",
    "One rung of the ladder for a child who is not collected.",
    required=True,
    keys=(
        Key("at", Kind.NUMBER, "窗口结束后几分钟", "minutes after the child's release window ends", high=600),
        Key("state", Kind.ID, "状态", "name of the state"),
        Key("to", Kind.TEXTS, "通知谁", "who is told"),
        Key("do", Kind.TEXT, "要做什么（中文）", "what must be done, in Chinese"),
        Key("do_en", Kind.TEXT, "要做什么（英文）", "what must be done, in English", ""),
        Key("adults", Kind.NUMBER, "陪同学生的教职工人数", "how many members of staff stay with the child", 1, low=1, high=2),
        Key("acknowledge", Kind.FLAG, "须有人确认", "somebody must acknowledge it", True),
    ),
)

CALENDAR: Final = Section(
    "",
    Shape.ONE,
    "校历",
    "The school's calendar.",
    (
        Key("default_season", Kind.ID, "未列日期的季节", "season of a date that no [[season]] covers", "summer"),
        Key(
            "makeup_day",
            Kind.TEXT,
            "调休上课日是否开展课后服务；空为按政策",
            "whether the service runs on a make-up day; empty = as the policy says",
            "",
            ("", "service", "school_decides"),
        ),
        Key(
            "teaching_weekdays",
            Kind.WEEKDAYS,
            "上课的星期",
            "weekdays with lessons",
            frozenset({1, 2, 3, 4, 5}),
        ),
        Key(
            "weekend_service",
            Kind.WEEKDAYS,
            "开展课后服务的双休日",
            "rest days on which the service runs",
            frozenset(),
        ),
    ),
    (
        Section(
            "stage_weekdays",
            Shape.ONE,
            "上课的星期与全校不同的学段，如高中 6+2",
            "Stages with lessons on other weekdays than the school.",
            tuple(Key(stage.value, Kind.WEEKDAYS, "上课的星期", "weekdays with lessons", None) for stage in Stage),
        ),
        _period("term", "学期，段名如 2026_autumn", "A term; the table's name is its id.", Shape.NAMED, required=True),
        _SEASON,
        _period("opening", "寒暑假开放时段", "A holiday opening period."),
        Section("district_day", Shape.MANY, "区县校历中的一天", "A day of the district's calendar.", _DAY_KEYS),
        Section("day", Shape.MANY, "学校校历中的一天", "A day of the school's own calendar.", _DAY_KEYS),
        Section(
            "override",
            Shape.MANY,
            "单日调整，须有理由和决定人",
            "A single day decided otherwise, with reason and author.",
            (*_DAY_KEYS[:-1], _NOTE, _AUTHOR),
        ),
    ),
)

PLAN: Final = Section("", Shape.ONE, "作息与课后服务时段", "Bells and slots.", (), (_BELLS, _PROFILE))

LADDER: Final = Section("", Shape.ONE, "未接学生处置阶梯", "The ladder for children not collected.", (), (_RUNG,))
