"""The keys of school.toml about the records of sessions: when somebody is told, what a 课时 is, who is vetted for what."""

from __future__ import annotations

from typing import Final

from kiosk.core.people import VETTED
from kiosk.core.rules import Rules
from kiosk.core.timetable import MINUTE_MS
from kiosk.settings.schema import Key, Kind, Section, Shape

_RULES: Final = Rules(node="", gates={}, access_points={}, ladder=())

CLASS_HOUR: Final = Key(
    "class_hour_min",
    Kind.NUMBER,
    "一课时几分钟；0 为一次服务计一课时",
    "minutes of one 课时; 0 = each session is one",
    _RULES.class_hour_min,
    high=240,
)
SESSION_WINDOWS: Final = (
    Key(
        "teacher_due_min",
        Kind.NUMBER,
        "开始后几分钟无教师签到即提示值班；0 为不提示",
        "no teacher checked in so long after a session's start: the duty office is told; 0 = never",
        _RULES.teacher_due_ms // MINUTE_MS,
        high=60,
    ),
    Key(
        "patrol_after_min",
        Kind.NUMBER,
        "开始后几分钟未巡查即提示；不写则按政策（要求每日巡查的为 20），0 为不提示",
        "a session that nobody has patrolled so long after its start is shown; left out = by the policy (20 where it asks for "
        "daily patrols), 0 = never",
        None,
        high=120,
    ),
)
VETTING: Final = Section(
    "vetting",
    Shape.ONE,
    "校外人员准入；不合格的不能登录、签到、刷卡进校",
    "Staff from outside. Whoever does not pass signs in nowhere, and a tap at the gate goes to the guard.",
    keys=(
        Key("whitelist", Kind.TEXTS, "白名单机构", "organisations on the white list", ()),
        Key("blacklist", Kind.TEXTS, "黑名单机构", "organisations on the black list", ()),
        Key(
            "demands",
            Kind.TEXTS,
            "在法律和政策要求之外另查的项目",
            "what the school asks for beside the law (yearly record check) and its policy",
            (),
            VETTED,
        ),
    ),
)
