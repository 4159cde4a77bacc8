"""Words of the policy page, of published papers, of what is due, and of the inspector's page."""

from __future__ import annotations

from typing import Final

POLICIES: Final[dict[str, tuple[str, str]]] = {
    "office.policy": ("政策", "Policy"),
    "policy.lead": (
        "所执行的文件、每一条原文和力度。文件没有写的，由学校决定。",
        "The papers in force, every clause and how binding it is. What they do not say, the school decides.",
    ),
    "policy.none": ("没有选定城市政策，请在 school.toml 填写 city。", "No city's policy is chosen: fill in city in school.toml."),
    "policy.overlay": ("已叠加国家规定", "with the national notice"),
    "policy.papers": ("文件", "Papers"),
    "policy.in_force": ("{first} 起施行", "in force from {first}"),
    "policy.until": ("有效期至 {until}", "valid until {until}"),
    "policy.lapsed": ("已过有效期，是否续期请向教育主管部门确认", "lapsed: ask the education office whether it was renewed"),
    "policy.dues": ("该办的事", "What is due"),
    "policy.no_dues": ("文件没有规定上报或备案的日期。", "The papers set no date for reports or filing."),
    "policy.due_report": ("上报工作情况", "Report"),
    "policy.due_filing": ("方案备案", "Filing of the plan"),
    "policy.due_state_done": ("已办", "done"),
    "policy.due_state_overdue": ("已过 {n} 天", "{n} days overdue"),
    "policy.due_state_today": ("今天到期", "due today"),
    "policy.due_state_soon": ("还有 {n} 天", "{n} days left"),
    "policy.due_state_coming": ("还有 {n} 天", "{n} days left"),
    "policy.due_state_later": ("还有 {n} 天", "{n} days left"),
    "policy.reminded": ("提醒：{days}", "reminders: {days}"),
    "policy.fees_locked": ("方案审核同意前不得收费，收费明细不能导出", "No charge and no fee export before the plan is approved"),
    "policy.publish": ("公布", "Publish"),
    "policy.publish_lead": (
        "由现在生效的作息、服务项目和政策生成。公布时记入日志，并原样保存。",
        "Made from the times, the menu and the policy in force. Publishing is put on record and the paper is kept as it is.",
    ),
    "policy.guardian_notice": ("告家长书", "Notice to parents"),
    "policy.timetable": ("公示表", "Public timetable"),
    "policy.open": ("打开", "Open"),
    "policy.markdown": ("文本（Markdown）", "Markdown"),
    "policy.xlsx": ("表格（Excel）", "Excel"),
    "policy.publish_now": ("今天公布", "Publish today"),
    "policy.done": ("已记录公布：{what}", "On record as published: {what}"),
    "policy.published": ("已公布", "Published"),
    "policy.published_none": ("还没有公布过。", "Nothing has been published yet."),
    "policy.silent": ("文件没有写的（{n} 项，由学校决定）", "Not in the papers ({n}, the school decides)"),
    "policy.print": ("打印", "Print"),
    "policy.back": ("返回政策页", "Back to the policy page"),
    "inspection.title": ("督导查看", "For inspection"),
    "inspection.lead": (
        "课后服务的时间、方式、内容、师资和安全措施。只读，不出现姓名。",
        "Times, ways, content, staffing and safety of the after-school service. Read-only, nobody is named.",
    ),
    "inspection.findings": ("对照文件", "Held against the papers"),
    "inspection.clean": ("没有不符之处。", "Nothing differs."),
}
