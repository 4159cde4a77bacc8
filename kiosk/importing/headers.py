"""Which sheets and columns there are, and by what other names schools call them. Data, no reading."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kiosk.core.people import CardState, Role
from kiosk.directory import PersonKind
from kiosk.importing import values
from kiosk.importing.class_names import STAGE_WORDS
from kiosk.importing.priorities import PRIORITY_WORDS
from kiosk.importing.rows import Kind
from kiosk.importing.tables import Cell


class Column(NamedTuple):
    """`names[0]` is the name in our own sheets; the others are accepted too."""

    field: str
    names: tuple[str, ...]
    read: Callable[[Cell], Any]
    required: bool = False  # the column must be there and every cell filled


def _choice(words: Mapping[str, Any]) -> Callable[[Cell], Any]:
    return lambda cell: values.chosen(cell, words)


def _choices(words: Mapping[str, Any]) -> Callable[[Cell], Any]:
    return lambda cell: values.several(cell, words)


ROLES = {
    "教师": Role.TEACHER,
    "老师": Role.TEACHER,
    "班主任": Role.TEACHER,
    "任课教师": Role.TEACHER,
    "外聘教师": Role.TEACHER,
    "门卫": Role.GUARD,
    "保安": Role.GUARD,
    "保安员": Role.GUARD,
    "值班领导": Role.DUTY_LEADER,
    "带班领导": Role.DUTY_LEADER,
    "办公室": Role.OFFICE,
    "教务": Role.OFFICE,
    "督学": Role.INSPECTOR,
    "责任督学": Role.INSPECTOR,
} | {role.value: role for role in Role}
WAYS_HOME = {
    "家长接": "guardian",
    "家长接送": "guardian",
    "接送": "guardian",
    "自行离校": "alone",
    "自行回家": "alone",
    "自行": "alone",
    "校车": "bus",
    "托管机构": "care_centre",
    "托管班": "care_centre",
}
BOARDING = {"走读": False, "通校": False, "住校": True, "住宿": True, "寄宿": True, "是": True, "否": False, "其他": False}
STUDY_MODES = BOARDING | {"1": False, "2": True, "9": False}  # 就读方式 by 教基厅〔2007〕10号
HOLDERS = {
    "学生": PersonKind.PUPIL,
    "接送人": PersonKind.COLLECTOR,
    "监护人": PersonKind.COLLECTOR,
    "家长": PersonKind.COLLECTOR,
    "教职工": PersonKind.STAFF,
    "教师": PersonKind.STAFF,
} | {kind.value: kind for kind in PersonKind}
CARD_STATES = {
    "在用": CardState.ACTIVE,
    "正常": CardState.ACTIVE,
    "启用": CardState.ACTIVE,
    "挂失": CardState.LOST,
    "丢失": CardState.LOST,
    "遗失": CardState.LOST,
    "退卡": CardState.RETURNED,
    "已退": CardState.RETURNED,
    "注销": CardState.RETURNED,
} | {state.value: state for state in CardState}
CARD_KINDS = {
    **dict.fromkeys(("m1", "m1卡", "ic", "ic卡", "nfc"), "m1"),
    **dict.fromkeys(("id", "id卡", "em4100"), "id"),
    **dict.fromkeys(("cpu", "cpu卡"), "cpu"),
    **dict.fromkeys(("sun", "ntag424", "防复制", "防复制卡"), "sun"),
    "其他": "other",
}
SESSION_KINDS = {
    "课业辅导": "homework",
    "作业辅导": "homework",
    "辅导答疑": "tutoring",
    "阅读": "reading",
    "体育": "sports",
    "艺术": "arts",
    "科普": "science",
    "科技": "science",
    "劳动": "labour",
    "社团": "club",
    "兴趣小组": "club",
    "观影": "film",
    "自习": "self_study",
    "看护": "care",
    "晚自习": "evening_study",
    "周末": "weekend",
    "假期开放": "holiday_open",
    "早到看管": "early_care",
    "延时托管": "extended_care",
}
SESSION_KINDS |= {kind: kind for kind in list(SESSION_KINDS.values())}
SLOTS = {
    **dict.fromkeys(("1", "一", "第一时段", "时段一", "时段1", "第1时段"), (1, "")),
    **dict.fromkeys(("2", "二", "第二时段", "时段二", "时段2", "第2时段"), (2, "")),
    "延时": (0, "extended_care"),
    "延时托管": (0, "extended_care"),
    "早到": (0, "early_care"),
    "早到看管": (0, "early_care"),
    "晚自习": (0, "evening_study"),
    "0": (0, ""),
    "其他": (0, ""),
}

_PUPIL = ("学号", "校内学号", "学生学号", "学生编号")
_COLLECTOR = ("接送人编号", "监护人编号", "受委托人编号", "家长编号", "编号")
_PHONE = ("手机号", "联系电话", "手机号码", "电话", "手机", "电话号码", "联系方式")
_TAIL = ("证件后四位", "身份证后四位", "身份证号", "身份证号码", "证件号码", "证件号")
_FROM = Column("valid_from", ("有效期起", "开始日期", "起始日期", "生效日期", "有效期自"), values.day)
_TO = Column("valid_to", ("有效期止", "结束日期", "截止日期", "失效日期", "有效期至"), values.day)
_AGREEMENT = Column("agreement", ("协议编号", "协议号"), values.key)
_APPLICATION = Column("application", ("申请编号", "申请号", "申请表编号"), values.key)
_WHOSE = Column("pupil_name", ("学生姓名",), values.name)  # only compared with the pupil list


def _guardian_columns(n: int, *, plain: bool = False) -> tuple[Column, ...]:
    """监护人1姓名 … in the pupil list; the first guardian's columns are often written without a number."""
    name = (f"监护人{n}姓名", f"监护人{n}", f"家长{n}姓名", *(("监护人姓名", "家长姓名", "监护人", "家长") if plain else ()))
    relation = (f"监护人{n}关系", f"关系{n}", f"家长{n}关系", *(("关系", "与学生关系", "家庭关系") if plain else ()))
    phone = (f"监护人{n}手机号", f"监护人{n}电话", f"监护人{n}联系电话", f"手机号{n}", f"家长{n}手机号", f"联系电话{n}")
    return (
        Column(f"guardian{n}_name", name, values.name),
        Column(f"guardian{n}_relation", relation, values.kinship),
        Column(f"guardian{n}_phone", (*phone, *(("家长手机号", "家长电话", *_PHONE) if plain else ())), values.phone),
    )


COLUMNS: Mapping[Kind, tuple[Column, ...]] = {
    Kind.CLASSES: (
        Column("name", ("班级", "班级名称", "班名", "行政班"), values.text, required=True),
        Column("stage", ("学段",), _choice(STAGE_WORDS)),
        Column("entry_year", ("入学年份", "入学年", "入学年月", "级", "届别"), values.entry_year),
        Column("class_no", ("班号", "班级序号"), values.count),
        Column("teacher", ("班主任", "班主任工号"), values.key),
        Column("room", ("教室", "教室号", "地点"), values.text),
        Column("release_gate", ("放行门", "放学门", "放学校门", "校门"), values.text, required=True),
    ),
    Kind.STAFF: (
        Column("staff_number", ("工号", "教师工号", "职工号", "教职工号"), values.key, required=True),
        Column("name", ("姓名", "教师姓名", "教职工姓名"), values.name, required=True),
        Column("roles", ("角色", "岗位", "职务"), _choices(ROLES), required=True),
        Column("phone", _PHONE, values.phone),
        Column("pin", ("演示密码", "密码", "PIN", "初始密码"), values.exact),
        Column("duress_pin", ("胁迫密码", "报警密码"), values.exact),
        Column("organisation", ("机构", "所属机构", "合作机构", "派出单位"), values.text),
        Column("contract_from", ("合同起", "合同开始日期", "合同起始日期"), values.day),
        Column("contract_to", ("合同止", "合同结束日期", "合同到期日"), values.day),
        Column("qualification", ("资质编号", "资格证编号", "教师资格证号"), values.exact),
        Column("health_checked", ("健康核查日期", "品德健康核查日期", "体检日期"), values.day),
        Column("record_checked", ("犯罪记录查询日期", "无犯罪记录查询日期", "违法犯罪记录查询日期"), values.day),
    ),
    Kind.PUPILS: (
        Column("school_number", _PUPIL, values.key, required=True),
        Column("name", ("姓名", "学生姓名"), values.name, required=True),
        Column("national_number", ("学籍号", "全国学籍号", "学籍号码", "全国学籍号码"), values.exact),
        Column("class_name", ("班级", "班级名称", "行政班", "所在班级"), values.text, required=True),
        Column("grade_name", ("年级",), values.text),
        Column("seat", ("座号", "座位号"), values.count, required=True),
        Column("way_home", ("接送方式", "离校方式"), _choice(WAYS_HOME)),
        Column("leaves_alone", ("自行离校同意", "自行离校", "自行离校申请"), values.flag),
        Column("after_school", ("课后服务", "参加课后服务"), values.flag),
        Column("extended_care", ("延时托管",), values.flag),
        Column("boarder", ("住校", "是否住校", "住宿"), _choice(BOARDING)),
        Column("study_mode", ("就读方式",), _choice(STUDY_MODES)),
        Column("minor_collector_consent", ("未成年人代接同意", "未成年代接同意"), values.flag),
        Column("consent_snapshot", ("抓拍同意",), values.flag),
        Column("consent_face_match", ("人脸同意", "刷脸同意"), values.flag),
        Column("consent_messaging", ("消息同意", "短信同意", "通知同意"), values.flag),
        Column("card", ("卡号", "IC卡号", "学生卡号", "校园卡号"), values.exact),
        *_guardian_columns(1, plain=True),
        *_guardian_columns(2),
    ),
    Kind.GUARDIANS: (
        Column("pupil", _PUPIL, values.key, required=True),
        _WHOSE,
        Column("collector", _COLLECTOR, values.key),
        Column("name", ("姓名", "监护人姓名", "家长姓名", "监护人"), values.name, required=True),
        Column("relation", ("关系", "与学生关系", "家庭关系"), values.kinship, required=True),
        Column("phone", _PHONE, values.phone),
        Column("id_last4", _TAIL, values.identity_tail),
        Column("order", ("顺序", "联系顺序", "联系次序"), values.count),
    ),
    Kind.DELEGATES: (
        Column("pupil", _PUPIL, values.key, required=True),
        _WHOSE,
        Column("collector", _COLLECTOR, values.key),
        Column("name", ("姓名", "受委托人姓名", "接送人姓名", "受委托人"), values.name, required=True),
        Column("relation", ("关系", "与学生关系"), values.kinship, required=True),
        Column("phone", _PHONE, values.phone),
        Column("id_last4", _TAIL, values.identity_tail),
        Column("minor", ("未成年", "未成年人", "是否未成年"), values.flag),
        Column("organisation", ("机构", "托管机构", "单位"), values.text),
        Column("daily_limit", ("每日人数上限", "人数上限"), values.count),
        _FROM,
        _TO,
    ),
    Kind.RESTRICTIONS: (
        Column("pupil", _PUPIL, values.key, required=True),
        _WHOSE,
        Column("collector", _COLLECTOR, values.key),
        Column("name", ("姓名", "限制对象", "被限制人姓名"), values.name, required=True),
        _FROM,
        _TO,
    ),
    Kind.CARDS: (
        Column("uid", ("卡号", "IC卡号", "卡片号", "物理卡号"), values.exact, required=True),
        Column("kind", ("卡类型", "卡片类型"), _choice(CARD_KINDS)),
        Column("holder_kind", ("持有人类型", "持卡人类型", "类型"), _choice(HOLDERS), required=True),
        Column("holder", ("持有人编号", "持卡人编号", "人员编号"), values.key, required=True),
        Column("state", ("状态", "卡状态"), _choice(CARD_STATES)),
    ),
    Kind.SESSIONS: (
        Column("id", ("课程编号", "课程号", "活动编号"), values.key, required=True),
        Column("name", ("课程名称", "名称", "活动名称"), values.text, required=True),
        Column("kind", ("类型", "课程类型"), _choice(SESSION_KINDS), required=True),
        Column("slot", ("时段",), _choice(SLOTS), required=True),
        Column("weekdays", ("星期", "上课星期", "周几"), values.weekdays, required=True),
        Column("room", ("教室", "地点", "上课地点"), values.text),
        Column("teacher", ("负责教师", "教师工号", "授课教师", "负责人工号"), values.key, required=True),
        Column("capacity", ("容量", "人数上限", "名额"), values.count),
        Column("includes_pe", ("含体育", "体育"), values.flag),
        Column("start_min", ("开始时间", "上课时间"), values.minutes),
        Column("end_min", ("结束时间", "下课时间"), values.minutes),
        Column("partner", ("合作机构", "合作单位"), values.text),
        Column("audience", ("参加对象", "面向对象", "适用年级", "招收对象"), values.text),
        _FROM,
        _TO,
    ),
    Kind.ENROLMENTS: (
        Column("pupil", _PUPIL, values.key, required=True),
        _WHOSE,
        Column("session", ("课程编号", "课程号", "活动编号"), values.key, required=True),
        _FROM,
        _TO,
        Column("leave_at_min", ("离开时间", "提前离开时间"), values.minutes),
        _AGREEMENT,
        _APPLICATION,
    ),
    Kind.APPLICATIONS: (
        Column("pupil", _PUPIL, values.key, required=True),
        _WHOSE,
        Column("session", ("课程编号", "课程号", "活动编号"), values.key, required=True),
        Column("applied_on", ("申请日期", "申请时间", "填表日期"), values.day, required=True),
        Column("valid_from", _FROM.names, values.day, required=True),
        _TO,
        Column("leave_at_min", ("离开时间", "提前离开时间"), values.minutes),
        _AGREEMENT,
        Column("priority", ("优先类别", "优先保障"), _choice(PRIORITY_WORDS)),
        _APPLICATION,
    ),
}

SHEET_NAMES: Mapping[str, Kind] = {
    **dict.fromkeys(("班级", "行政班", "classes"), Kind.CLASSES),
    **dict.fromkeys(("教职工", "教师", "教职员工", "员工", "staff", "teachers"), Kind.STAFF),
    **dict.fromkeys(("学生", "在校生", "pupils", "students"), Kind.PUPILS),
    **dict.fromkeys(("监护人", "家长", "学生监护人", "guardians", "parents"), Kind.GUARDIANS),
    **dict.fromkeys(("委托接送", "委托", "委托接送人", "授权接送", "代接", "delegates"), Kind.DELEGATES),
    **dict.fromkeys(("限制接送", "禁止接送", "限制", "restrictions"), Kind.RESTRICTIONS),
    **dict.fromkeys(("卡", "卡片", "校园卡", "卡号", "发卡", "cards"), Kind.CARDS),
    **dict.fromkeys(("课程", "活动", "课后服务课程", "课后服务", "社团", "sessions"), Kind.SESSIONS),
    **dict.fromkeys(("报名", "选课", "课后服务报名", "enrolments"), Kind.ENROLMENTS),
    **dict.fromkeys(("申请", "报名申请", "课后服务申请", "自愿参加申请", "applications"), Kind.APPLICATIONS),
}

# Found in most schools' lists, of no use at a gate, and therefore not taken (PIPL 6: no more than necessary).
_NOT_TAKEN = (
    "序号 备注 性别 民族 出生日期 年龄 家庭住址 住址 户籍 籍贯 健康状况 是否留守儿童 是否低保 政治面貌 "
    "年级 班主任姓名 接送人姓名 持有人姓名 课程名 教师 负责教师姓名"
)
NOT_TAKEN = frozenset(_NOT_TAKEN.split())

_REMARK = re.compile(r"[(\[【].*?[)\]】]|[*＊:：\s]+")
_SHEET_DRESS = re.compile(r"[\s\d_\-.()（）]+|表$|名单$|信息$|花名册$|名册$|汇总$|一览$|数据$|导入$|模板$")


def header(cell: Cell) -> str:
    """A header without stars, remarks in brackets and white space: "手机号*（必填）" -> "手机号"."""
    if not isinstance(cell, str):
        return ""
    return _REMARK.sub("", unicodedata.normalize("NFKC", cell)).strip().lower()


def column_of(kind: Kind, name: str) -> Column | None:
    """The column of this kind of sheet that a header (as by `header`) names."""
    return _BY_NAME[kind].get(name)


def kind_of_title(title: str) -> Kind | None:
    """The kind of sheet that a title or file name says, without digits and words such as 名单 and 信息表."""
    bare = unicodedata.normalize("NFKC", title).strip().lower()
    for _ in range(4):  # 学生信息汇总表 wears three of them
        if bare in SHEET_NAMES:
            return SHEET_NAMES[bare]
        bare = _SHEET_DRESS.sub("", bare)
    return None


_BY_NAME: Mapping[Kind, Mapping[str, Column]] = {
    kind: {header(name): column for column in reversed(columns) for name in column.names} for kind, columns in COLUMNS.items()
}
