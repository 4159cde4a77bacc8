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
    "reason.staff_not_vetted": ("请到门卫室", "Please go to the gatehouse"),
    "sign_in.vetting": ("今天不能登录，请到门卫室", "You cannot sign in today: please go to the gatehouse"),
    # --- staff from outside: for the guard and the duty leader only -----------------------------------
    "guard.outside": ("校外人员", "From outside"),
    "case.staff_not_vetted": ("校外人员不合格", "Outside staff not vetted"),
    "vetting.not_in": ("校外人员，今天不能进校上课", "From outside: may not come in to teach today"),
    "vetting.what_now": (
        "请通知值班领导。需要进校的，按来访登记，由教师陪同。",
        "Tell the duty leader. Whoever must come in is registered as a visitor, with a teacher.",
    ),
    "vetting.lacks_blacklisted": ("机构在黑名单", "The organisation is on the black list"),
    "vetting.lacks_not_listed": ("机构不在白名单", "The organisation is not on the white list"),
    "vetting.lacks_contract": ("没有在期合同", "No contract in force"),
    "vetting.lacks_qualification": ("没有资质编号", "No certificate on file"),
    "vetting.lacks_health": ("一年内没有品德健康核查", "No health and conduct check within a year"),
    "vetting.lacks_record": ("一年内没有犯罪记录查询", "No record check within twelve months"),
    # --- duty page --------------------------------------------------------------------------------
    "duty.group_sessions": ("课程", "Sessions"),
    "case.teacher_missing": ("无教师签到", "No teacher checked in"),
    "case.session_unclosed": ("未归档", "Not archived"),
    "case.patrol_due": ("未巡查", "Not patrolled"),
}
