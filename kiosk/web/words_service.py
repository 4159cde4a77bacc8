"""Words of the service records: a teacher's coming and going, closing a session, patrols, corrections, growth notes."""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
SERVICE: Final[dict[str, tuple[str, str]]] = {
    "reason.no_such_session": ("今天没有这个课程", "There is no such session today"),
    "reason.session_closed": ("已归档，只能更正", "Archived: it can only be corrected"),
    "reason.not_checked_in": ("请先签到；未签到的由值班领导关闭", "Check in first; else a duty leader closes it"),
    "reason.unresolved": ("还有学生没有说明去向", "Some children are not accounted for yet"),
    "reason.month_locked": ("本月已锁定，由办公室或值班领导更正", "The month is locked: the office or a duty leader corrects it"),
    # --- duty page --------------------------------------------------------------------------------
    "duty.group_sessions": ("课程", "Sessions"),
    "case.teacher_missing": ("无教师签到", "No teacher checked in"),
    "case.session_unclosed": ("未归档", "Not archived"),
    "case.patrol_due": ("未巡查", "Not patrolled"),
}
