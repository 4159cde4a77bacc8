"""The words for what a school offers and how it works, as policies and plans name them.

A feature is something offered to families; a practice is something the school does or does not do. A
policy that asks for a practice of its own brings the words along (`labels`), so a new city needs no change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Words(NamedTuple):
    zh: str
    en: str


FEATURES: Final[Mapping[str, Words]] = {
    "extended_care": Words("延时托管", "extended care"),
    "early_care": Words("早到学生看护", "care for children who come early"),
    "evening_study": Words("晚自习", "evening self-study"),
    "weekend": Words("双休日服务", "a weekend service"),
    "holiday_opening": Words("寒暑假开放校园", "holiday opening"),
    "two_slots": Words("分两个时段", "two slots"),
    "several_lengths": Words("不同时长可选", "several lengths to choose from"),
    "mixed_groups": Words("跨班跨年级组班", "groups across classes and grades"),
    "flexible_hours": Words("教师弹性上下班", "flexible hours for teachers"),
}

PRACTICES: Final[Mapping[str, Words]] = {
    # enrolment
    "agreement": Words("与家长签订协议", "an agreement signed with each family"),
    "application_workflow": Words("家长申请、班级审核、学校统一实施", "application, class review, school decision"),
    "written_application": Words("书面申请", "written applications"),
    "mid_term_change": Words("学期中可加入或退出", "joining and leaving during a term"),
    "forced_enrolment": Words("强制或变相强制参加", "forced enrolment"),
    "refused_enrolment": Words("拒绝学生参加", "refusing a child"),
    "guardian_notice": Words("事先向家长告知", "a notice to families beforehand"),
    "feedback": Words("征集家长和学生意见", "asking families for their opinion"),
    # hours and menu
    "bundled_slots": Words("时段捆绑", "slots sold as a bundle"),
    "early_arrival_demanded": Words("变相要求提前到校", "demanding early arrival"),
    "early_arrival_refused": Words("拒绝学生提早到校", "turning early children away"),
    "shortened_lessons": Words("缩短教育教学活动时间", "shortening the school day"),
    "evening_new_lessons": Words("晚自习讲授新课", "new lessons in evening self-study"),
    "evening_by_subject": Words("晚自习分配到学科", "evening self-study divided by subject"),
    "menu_published_before_term": Words("开学前公布服务项目", "the menu published before term"),
    "service_published": Words("公开服务时间、内容、方式和安全措施", "times, content and safety measures published"),
    "plan_adjusted_in_term": Words("按需求及时调整", "adjusting the plan during the term"),
    "mixed_groups": Words("跨班跨年级组班", "groups across classes and grades"),
    # safety
    "attendance": Words("考勤制度", "attendance records"),
    "supervision": Words("监管制度", "supervision"),
    "handover": Words("交接班制度", "handover"),
    "organised_entry_exit": Words("进出有统一组织", "organised entry and exit"),
    "escort": Words("放学护送", "escort to the gate"),
    "gate_register": Words("门卫登记", "a gate register"),
    "emergency_plan": Words("应急预案", "an emergency plan"),
    "drills": Words("应急演练", "drills"),
    "safety_measures": Words("人防、技防、物防", "staffed, technical and physical protection"),
    "dispute_procedure": Words("事故处置及纠纷处理机制", "a procedure for accidents and disputes"),
    "vetting": Words("对参与人员品德、健康把关", "vetting of staff"),
    "induction_training": Words("岗前培训", "induction training"),
    "external_staff_qualified": Words("临聘人员具备资格", "qualified outside staff"),
    "subject_training_bodies": Words("引入学科类校外培训机构", "subject training bodies on campus"),
    "training_bodies_from_whitelist": Words("从白名单选择机构并签约", "training bodies of the white list, on contract"),
    "blacklisted_training_bodies": Words("黑名单机构进校", "blacklisted bodies on campus"),
    # staff and money
    "teacher_service_file": Words("教师课后服务明细档案", "a file of each teacher's service"),
    "flexible_hours": Words("教师弹性上下班", "flexible hours for teachers"),
    "monthly_teacher_review": Words("按月考评教师", "a monthly review of teachers"),
    "equal_pay_split": Words("补助平均发放", "equal shares of the allowance"),
    "fee_reduction": Words("经济困难学生减免费用", "reduced fees for families in need"),
    "separate_fee_account": Words("收费专账", "a separate account for fees"),
    "agency_fees_published": Words("公示代收费标准", "agency fees published"),
    "bundled_fees": Words("强制收费或捆绑收费", "forced or bundled fees"),
    # records and reports
    "archive": Words("服务档案留存", "an archive of every session"),
    "daily_patrol": Words("每日巡查并记录", "a recorded patrol every day"),
    "growth_file": Words("学生成长档案", "a growth file of each pupil"),
    "timely_reporting": Words("及时上报开展情况", "timely reports"),
    "spending_published": Words("公示费用支出", "spending published"),
}
