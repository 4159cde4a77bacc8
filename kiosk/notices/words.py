"""What a fact becomes in a message: its level and its words, Chinese first. A table, so that a new fact is a new line.

No word here names an adult or a full name. {who} is classes and counts, or masked names where the school wants them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kiosk.core.entries import Kind


class Level(StrEnum):
    """How soon: info waits for a digest, normal gathers for some seconds, urgent goes at once."""

    INFO = "info"
    NORMAL = "normal"
    URGENT = "urgent"


ORDER: Final = (Level.INFO, Level.NORMAL, Level.URGENT)


@dataclass(frozen=True, slots=True)
class Words:
    """`silent`: an alarm, for targets with `alarms = true` only."""

    level: Level
    zh: str
    en: str
    silent: bool = False


ALARM: Final = "alarm."
TEST: Final = "test"

# kind of a fact, or alarm.<what> -> level and words. A kind with :drill is the same fact in a drill.
TABLE: Final[dict[str, Words]] = {
    Kind.ESCALATED: Words(Level.NORMAL, "{who}未接，应告知{told}", "{who} not collected; to be told: {told}"),
    "locate_opened": Words(Level.NORMAL, "{who}去向待查", "{who} to be located"),
    "incident_declared": Words(Level.URGENT, "走失事件（{who}）：各门先核验再放行", "Child missing ({who}): verify at gates"),
    "incident_ended": Words(Level.NORMAL, "走失事件结束（{who}）", "The missing-child incident is over ({who})"),
    Kind.EMERGENCY_DECLARED: Words(Level.URGENT, "紧急疏散：各门已打开，请到集合点清点", "Emergency: gates are open, muster now"),
    f"{Kind.EMERGENCY_DECLARED}:drill": Words(Level.URGENT, "【演练】紧急疏散，请到集合点清点", "[DRILL] emergency, muster now"),
    Kind.EMERGENCY_ENDED: Words(Level.URGENT, "紧急疏散结束", "The emergency is over"),
    f"{Kind.EMERGENCY_ENDED}:drill": Words(Level.URGENT, "【演练】紧急疏散结束", "[DRILL] the emergency is over"),
    Kind.REMINDED: Words(Level.NORMAL, "{due}", "{due}"),
    Kind.CAMPUS_CLEARED: Words(Level.NORMAL, "已静校", "Campus cleared"),
    Kind.DEVICE_LOST: Words(Level.NORMAL, "设备断开：{device}", "Device lost: {device}"),
    Kind.DEVICE_BACK: Words(Level.INFO, "设备恢复：{device}", "Device back: {device}"),
    "alarm.restricted_person": Words(Level.URGENT, "{gate}：限制接送提醒", "{gate}: restricted person", silent=True),
    "alarm.lost_card": Words(Level.URGENT, "{gate}：有人使用已挂失的卡", "{gate}: a lost card was used", silent=True),
    "alarm.card_forged": Words(Level.URGENT, "{gate}：有人使用伪造的卡", "{gate}: a forged card was used", silent=True),
    "alarm.card_replayed": Words(Level.URGENT, "{gate}：有人使用复制的验证码", "{gate}: a copied proof was used", silent=True),
    "alarm.duress": Words(Level.URGENT, "{gate}：门岗无声求助，请按预案处置", "{gate}: silent call for help", silent=True),
    "alarm.exceptional_release": Words(Level.URGENT, "{gate}：特例放行，请核对", "{gate}: exceptional release", silent=True),
    "alarm.disk_low": Words(Level.NORMAL, "{gate}：电脑磁盘快满，照片已停存", "{gate}: disk nearly full, pictures stopped"),
    "alarm.disk_last": Words(Level.URGENT, "{gate}：电脑磁盘已满，请马上叫技术员", "{gate}: disk full, call the technician now"),
    "alarm.other": Words(Level.URGENT, "{gate}：无声提醒", "{gate}: silent alarm", silent=True),
    TEST: Words(Level.URGENT, "测试通知，无需处理", "Test notice, nothing to do"),
}

PIECES: Final[dict[str, tuple[str, str]]] = {
    "pupils": ("{name} {n} 名学生", "{n} of {name}"),
    "pupils_of_none": ("{n} 名学生", "{n} pupils"),
    "more_pupils": ("等共 {n} 名学生", "and others, {n} in all"),
    "nobody": ("学生", "pupils"),
    "staff": ("值班人员", "staff on duty"),
    "gate": ("本校门", "this gate"),
    "times": ("（{n} 次）", " ({n} times)"),
    "late": ("（补发）", " (late)"),
    "twice": ("（可能重复）", " (may be a repeat)"),
    "and": ("、", ", "),
    "due_report": ("上报工作情况", "the report"),
    "due_filing": ("课后服务方案备案", "filing of the service plan"),
    "due_on": ("{day} 前{what}，还有 {n} 天", "{what} is due on {day}, in {n} days"),
    "due_today": ("今天是{what}的最后一天", "today is the last day for {what}"),
    "look": ("请看值班屏", "See the duty page"),
}
