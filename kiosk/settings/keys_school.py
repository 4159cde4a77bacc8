"""The keys of school.toml: the school, its gates and its figures. The whole list: `kiosk.settings.keys`."""

from __future__ import annotations

from typing import Final

from kiosk.core.people import Stage
from kiosk.core.practices import FEATURES
from kiosk.core.rules import AccessKind, Freshness, Rules
from kiosk.core.timetable import MINUTE_MS
from kiosk.settings.keys_retention import RETENTION
from kiosk.settings.keys_service import CLASS_HOUR, SESSION_WINDOWS, VETTING
from kiosk.settings.schema import Key, Kind, Section, Shape

_RULES: Final = Rules(node="", gates={}, access_points={}, ladder=())
_FRESH: Final = Freshness()
SLOT_CHOICES: Final = ("1", "2", "1+2")
OFFERS: Final = tuple(FEATURES)
MENU_FIELDS: Final = ("content", "teachers", "audience", "capacity", "time", "room")
FEE_MODES: Final = ("none", "parents_pay", "cost_share", "county_funded", "none_until_standard_set")
FEE_BASES: Final = ("none", "pupil_month", "pupil_term_once")

_BASE = Key(
    "base",
    Kind.TEXT,
    "上级配置目录；本目录没有的文件和段落取自那里",
    "folder whose files and tables are used where this one has none, relative to this folder",
    "",
)

_SCHOOL = Section(
    "school",
    Shape.ONE,
    "学校",
    "The school.",
    required=True,
    keys=(
        Key("id", Kind.ID, "学校代码，同步时用", "the school's id, also towards the school server"),
        Key("name", Kind.TEXT, "校名，显示在屏幕上", "name as shown on the display"),
        Key(
            "city",
            Kind.TEXT,
            "所执行的政策，即 policies 目录下的文件名",
            "policy to keep, a file name in policies/",
            "",
        ),
        Key("variant", Kind.TEXT, "政策的适用变体，如 inner_six", "variant of the policy, such as inner_six", ""),
        Key(
            "stages",
            Kind.TEXTS,
            "开设学段",
            "stages that the school runs",
            choices=tuple(stage.value for stage in Stage),
        ),
        Key("primary_years", Kind.NUMBER, "小学年限：六三制 6，五四制 5", "years of primary school", 6, low=5, high=6),
        Key(
            "local_off_work",
            Kind.TIME,
            "当地正常下班时间；几个城市的政策以此为界，必须由学校填写",
            "when people here leave work; several policies point to it and no document says it",
        ),
        Key(
            "national_overlay",
            Kind.FLAG,
            "是否叠加教基厅函〔2023〕26号",
            "whether the national notice of 2023 applies on top of the city's policy",
            True,
        ),
        Key(
            "handover_max_grade",
            Kind.NUMBER,
            "到几年级为止必须由接送人接走（法定不低于 2）",
            "primary grades up to this one are released to an adult only (the law says at least 2)",
            _RULES.handover_max_grade,
            low=2,
            high=6,
        ),
        Key("utc_offset", Kind.OFFSET, "当地时间与 UTC 之差", "local time east of UTC", 8 * 60 * MINUTE_MS),
    ),
)

_SERVICE = Section(
    "service",
    Shape.ONE,
    "课后服务的安排；kiosk check 据此对照政策",
    "What the after-school service offers and how it is run. `kiosk check` holds it against the policy.",
    keys=(
        Key("offers", Kind.TEXTS, "开设的内容", "what is offered", (), OFFERS),
        Key(
            "practices",
            Kind.TEXTS,
            "已落实的制度与做法，用词见 docs/policies.md",
            "what the school does, in the words of docs/policies.md",
            (),
        ),
        Key(
            "never",
            Kind.TEXTS,
            "明确不做的事（如 bundled_slots 时段捆绑），用词同上",
            "what the school does not do, such as bundled_slots, in the same words",
            (),
        ),
        Key(
            "slot_choice",
            Kind.TEXTS,
            "家长可选的时段组合",
            "slots that a family may choose",
            SLOT_CHOICES,
            SLOT_CHOICES,
        ),
        Key("leave_times", Kind.TIMES, "可选的提前离开时间", "earlier ends that a family may choose", ()),
        Key(
            "menu_fields",
            Kind.TEXTS,
            "公示的服务指南写明哪些内容",
            "what the published menu says",
            MENU_FIELDS,
            MENU_FIELDS,
        ),
        Key("enrolment_period", Kind.TEXT, "报名周期", "how long an enrolment lasts", "term", ("month", "term")),
        Key(
            "weeks_per_year",
            Kind.NUMBER,
            "每学年计划周数，0 为未定",
            "weeks planned a school year, 0 = not fixed",
            0,
            high=53,
        ),
        Key(
            "weekend_content",
            Kind.TEXT,
            "双休日的内容",
            "what the weekend day is for, empty = not said",
            "",
            ("", "interest", "care"),
        ),
        CLASS_HOUR,
        Key("external_staff", Kind.FLAG, "是否有校外人员参与", "people from outside take part", False),
        Key("filed_on", Kind.DAY, "方案备案日期", "when the plan was filed with the education office", None),
        Key("approved_on", Kind.DAY, "方案审核同意日期", "when the education office agreed to the plan", None),
        Key(
            "approval_ref",
            Kind.TEXT,
            "学期中调整时间的核准文号或理由",
            "approval of, or reason for, new times during the term",
            "",
        ),
    ),
)

_FEES = Section(
    "fees",
    Shape.ONE,
    "收费方式；本系统不收钱，只用于对照政策和导出",
    "Who pays. The kiosk takes no money; this is for the policy check and for exports.",
    keys=(
        Key("mode", Kind.TEXT, "谁付费", "who pays", "none", FEE_MODES),
        Key("basis", Kind.TEXT, "按什么计", "charged by", "none", FEE_BASES),
        Key("cny", Kind.NUMBER, "标准（元）", "the charge in yuan", 0),
        Key("evening_cny", Kind.NUMBER, "晚自习标准（元）", "the charge for evening self-study in yuan", 0),
    ),
)

_WINDOWS = Section(
    "windows",
    Shape.ONE,
    "判断所用的时间数值",
    "The figures that decisions use.",
    keys=(
        Key(
            "release_window_min",
            Kind.NUMBER,
            "放学后接送窗口（分钟）",
            "minutes that a family has to collect a child",
            15,
            high=240,
        ),
        Key(
            "repeat_s",
            Kind.NUMBER,
            "重复刷卡时间（秒）",
            "the same card within it is a repeat",
            _RULES.repeat_ms // 1000,
            low=1,
            high=60,
        ),
        Key(
            "anti_passback_s",
            Kind.NUMBER,
            "短时进出提示时间（秒）",
            "in and out within it is kept and flagged",
            _RULES.anti_passback_ms // 1000,
            high=3600,
        ),
        Key(
            "list_green_min",
            Kind.NUMBER,
            "接送名单多新为绿色（分钟）",
            "a pickup list this fresh is green",
            _FRESH.green_ms // MINUTE_MS,
            low=1,
        ),
        Key(
            "list_amber_min",
            Kind.NUMBER,
            "接送名单多新为黄色（分钟）",
            "a pickup list this fresh is amber, older is red",
            _FRESH.amber_ms // MINUTE_MS,
            low=1,
        ),
        Key(
            "offer_lapse_min",
            Kind.NUMBER,
            "交接无人应答后退回（分钟）",
            "an unanswered handover goes back to the giver",
            _RULES.offer_lapse_ms // MINUTE_MS,
            low=1,
            high=240,
        ),
        Key(
            "acknowledge_within_min",
            Kind.NUMBER,
            "升级提醒须在几分钟内确认",
            "a rung must be acknowledged within it, or the next fires early",
            _RULES.acknowledge_within_ms // MINUTE_MS,
            low=1,
            high=60,
        ),
        Key(
            "eta_pause_max_min",
            Kind.NUMBER,
            "家长告知到达时间最多暂停（分钟）",
            "a guardian's ETA pauses the ladder for at most it",
            _RULES.eta_pause_max_ms // MINUTE_MS,
            high=120,
        ),
        Key(
            "roll_due_min",
            Kind.NUMBER,
            "开始后几分钟内完成点名",
            "roll call is due this long after the start",
            _RULES.roll_due_ms // MINUTE_MS,
            low=1,
            high=120,
        ),
        Key(
            "session_lead_min",
            Kind.NUMBER,
            "课后服务开始前几分钟可进教室签到",
            "how early before its start a session's room takes its children",
            _RULES.session_lead_ms // MINUTE_MS,
            high=120,
        ),
        Key(
            "changeover_min",
            Kind.NUMBER,
            "上一时段未结束时可提前几分钟进下一教室",
            "how early the next room takes a child whose session before it still runs",
            _RULES.changeover_ms // MINUTE_MS,
            high=60,
        ),
        Key(
            "locate_after_min",
            Kind.NUMBER,
            "应到教室而未到，几分钟后开始寻找",
            "expected in a room and not there: a search starts after it",
            _RULES.locate_after_ms // MINUTE_MS,
            low=1,
            high=60,
        ),
        Key(
            "away_min",
            Kind.NUMBER,
            "课中离开教室几分钟未回即寻找",
            "out of the room during a session and not back: a search starts after it",
            _RULES.away_ms // MINUTE_MS,
            low=1,
            high=60,
        ),
        Key(
            "locate_limit_min",
            Kind.NUMBER,
            "寻找几分钟未果即按走失处理，各门逐人核对",
            "not found within it: a lost child, gates on hold",
            _RULES.locate_limit_ms // MINUTE_MS,
            low=1,
            high=120,
        ),
        Key(
            "escort_after_min",
            Kind.NUMBER,
            "结束后几分钟未护送即提示；不写则按政策（要求护送的为 5），0 为不护送",
            "a group still in its room so long after its end is shown; left out = by the policy (5 where it asks for escorts), "
            "0 = no escorts",
            None,
            high=60,
        ),
        Key(
            "escort_limit_min",
            Kind.NUMBER,
            "护送出发后几分钟未到门口即提示",
            "an escort that has not counted at the gate within it is shown",
            _RULES.escort_limit_ms // MINUTE_MS,
            low=1,
            high=60,
        ),
        *SESSION_WINDOWS,
        Key(
            "undo_s",
            Kind.NUMBER,
            "放行后几秒内可撤销",
            "a release may be taken back within it",
            _RULES.undo_ms // 1000,
            low=1,
            high=60,
        ),
        Key(
            "seat_claim_min",
            Kind.NUMBER,
            "无卡登记多久无人确认即撤下（分钟）",
            "an unanswered no-card claim leaves the guard's queue",
            _RULES.seat_claim_ms // MINUTE_MS,
            low=1,
            high=120,
        ),
        Key(
            "offline_delegates",
            Kind.FLAG,
            "断网时是否承认新登记的代接人",
            "a delegate registered since the last sync counts offline",
            _RULES.offline_delegates,
        ),
    ),
)

_DUTY = Section(
    "duty",
    Shape.ONE,
    "值班人员（工号）",
    "Who is on duty, by staff number.",
    keys=(
        Key("early_teacher", Kind.TEXT, "早到看护教师", "custodian of children who come before the gate opens", ""),
        Key("leader", Kind.TEXT, "值班领导", "the duty leader", ""),
    ),
)

_CARDS = Section(
    "cards",
    Shape.ONE,
    "卡片可信度",
    "How far cards are trusted.",
    keys=(
        Key(
            "impossible_s",
            Kind.NUMBER,
            "同一张卡多少秒内出现在两个校门，即视为有复制卡；0 为不检查",
            "the same card at two gates within so many seconds: one of them is a copy; 0 = not looked for",
            _RULES.impossible_ms // 1000,
            high=600,
        ),
        Key(
            "unproven_asks",
            Kind.TEXTS,
            "哪些卡种只读到卡号时须门卫核对（sun 卡总会标记）",
            "kinds of cards whose bare number has the guard look (sun cards are flagged in any case)",
            (),
            choices=("m1", "id", "cpu", "sun", "other"),
        ),
    ),
)

_EMERGENCY = Section(
    "emergency",
    Shape.ONE,
    "应急疏散",
    "Emergencies and drills.",
    keys=(
        Key(
            "muster_points",
            Kind.TEXTS,
            "集合点，清点时选择",
            "where people gather; offered at the check-off",
            _RULES.muster_points,
        ),
    ),
)

_GATE = Section(
    "gate",
    Shape.MANY,
    "校门",
    "A gate of the campus.",
    required=True,
    keys=(Key("id", Kind.ID, "代码", "id"), Key("name", Kind.TEXT, "名称", "name, such as 东门")),
)

_ACCESS_POINT = Section(
    "access_point",
    Shape.MANY,
    "通行点：由一个区域通往另一个区域",
    "A place where a card is read; it leads from one area to another.",
    required=True,
    keys=(
        Key("id", Kind.ID, "代码", "id"),
        Key("name", Kind.TEXT, "名称", "name, such as 东门 1 号通道"),
        Key("kind", Kind.TEXT, "类型", "what it leads to", choices=tuple(kind.value for kind in AccessKind)),
        Key("gate", Kind.TEXT, "所属校门（entrance、exit 必填）", "its gate; needed by entrance and exit", ""),
        Key("room", Kind.TEXT, "所属房间（room、room_exit 必填）", "its room; needed by room and room_exit", ""),
    ),
)

_ACCEPTED = Section(
    "accepted",
    Shape.MANY,
    "已说明理由的“原则上/一般”条款偏离",
    "A deviation from a clause of 原则上/一般, with the reason that is logged.",
    keys=(
        Key("rule", Kind.ID, "规则代码（kiosk check 给出）", "the rule as `kiosk check` names it"),
        Key("where", Kind.TEXT, "适用范围，空为全部", "where it applies, empty = everywhere", ""),
        Key("reason", Kind.TEXT, "理由", "the reason"),
        Key("by", Kind.TEXT, "决定人", "who decided"),
        Key("on", Kind.DAY, "日期", "when", None),
    ),
)

SCHOOL: Final = Section(
    "",
    Shape.ONE,
    "学校、校门与规则",
    "The school, its gates and its figures.",
    (_BASE,),
    (
        _SCHOOL, _SERVICE, VETTING, _FEES, _WINDOWS, _DUTY, _CARDS, _EMERGENCY, RETENTION, _GATE, _ACCESS_POINT, _ACCEPTED,
    ),
)
