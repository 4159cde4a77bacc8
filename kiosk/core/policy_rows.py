"""The rows of the requirement matrix: what a clause of a city's paper may be about, in both languages.

The id of a rule begins with its row (`A4.winter` is of row A4). A city whose paper speaks of something that has no row
uses an overlay's letter (N) or the nearest row. Never says which city demands what: that is `config/policies/*.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kiosk.core.practices import Words

GROUPS: Final[Mapping[str, Words]] = {
    "A": Words("日期与时间", "days and times"),
    "B": Words("菜单与编组", "menu and groups"),
    "C": Words("报名与告知", "enrolment and notice"),
    "D": Words("安全", "safety"),
    "E": Words("教师与经费", "staff and money"),
    "F": Words("记录与上报", "records and reports"),
}

ROWS: Final[Mapping[str, Words]] = {
    "A1": Words("服务日", "service days"),
    "A2": Words("双休日服务", "a weekend day"),
    "A3": Words("每天时长", "shortest duration"),
    "A4": Words("结束时间", "end of the service"),
    "A5": Words("季节作息", "seasons"),
    "A6": Words("学期内固定", "fixed for a term"),
    "A7": Words("每学年周数", "weeks of a year"),
    "A8": Words("高中“6+2”", "six days for senior schools"),
    "A9": Words("晚自习", "evening self-study"),
    "A10": Words("两个时段、自由选择", "two slots, free choice"),
    "A11": Words("体育锻炼", "exercise included"),
    "A12": Words("不同时长可选", "several lengths on offer"),
    "A13": Words("延时托管", "extended care"),
    "A14": Words("早到看护", "early arrival"),
    "A15": Words("寒暑假开放", "holiday opening"),
    "A16": Words("不得提前放学", "no early dismissal"),
    "A17": Words("服务对象", "who is served"),
    "B1": Words("服务菜单公布", "the menu published before term"),
    "B2": Words("跨班跨年级组班", "mixed groups"),
    "B3": Words("每班一名教师", "one teacher per group"),
    "B4": Words("不得上新课", "no new lessons"),
    "B5": Words("学期中调整", "adjusted during the term"),
    "B6": Words("校外场所", "places off the campus"),
    "B7": Words("教学点与寄宿", "small sites and boarders"),
    "C1": Words("自愿、不得拒绝", "voluntary, nobody refused"),
    "C2": Words("申请与协议", "application and agreement"),
    "C3": Words("中途加入退出", "joining and leaving mid-term"),
    "C4": Words("告知家长", "families informed"),
    "C5": Words("意见征集", "opinions asked for"),
    "D1": Words("考勤", "attendance"),
    "D2": Words("监管", "supervision"),
    "D3": Words("交接班", "handover"),
    "D4": Words("放学护送", "escort to the gate"),
    "D5": Words("门卫登记", "gate register"),
    "D6": Words("应急预案", "emergency plan"),
    "D7": Words("人员把关", "vetting of staff"),
    "D8": Words("纠纷证据", "evidence in disputes"),
    "D9": Words("培训与演练", "induction and drills"),
    "E1": Words("教师服务明细", "a file of teachers' service"),
    "E2": Words("经费核算", "basis of the funding"),
    "E3": Words("弹性上下班", "flexible hours"),
    "E4": Words("按月考评", "monthly evaluation"),
    "E5": Words("家长收费", "what families pay"),
    "E6": Words("机构代收费", "agency fees"),
    "F1": Words("有案可查", "an archive of every session"),
    "F2": Words("每日巡查", "daily patrol"),
    "F3": Words("成长档案", "growth file"),
    "F4": Words("定期上报", "reports"),
    "F5": Words("方案备案", "filing of the plan"),
    "F6": Words("督导检查", "inspection"),
    "F7": Words("公开公示", "publicity"),
    "F8": Words("信息化手段", "digital means"),
}


def row_of(rule: str) -> str:
    """A4 of A4.winter."""
    return rule.partition(".")[0]
