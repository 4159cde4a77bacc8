"""Made-up views of the policy page, of published papers and of what an inspector sees, for the tests of the pages."""

from __future__ import annotations

from dataclasses import replace

from kiosk.web.faces_office import FindingLine
from kiosk.web.faces_publications import (
    DueLine,
    Grid,
    InspectionView,
    PaperLine,
    PaperView,
    Part,
    PolicyView,
    Publication,
    PublishedLine,
    RuleGroup,
    RuleLine,
)
from tests.faces import sample_views as s

PAPER = "《关于做好中小学生校内课后服务工作的实施意见》岳教体发〔2019〕11号"
CLAUSE = "结束时间原则上不晚于18:00（执行冬季作息时间不晚于17:30）"
FINDING = FindingLine(level="warn", message="冬季课后服务 18:00 结束，晚于 17:30。 / Ends late.", document=PAPER, clause=CLAUSE)


LAPSED = PaperLine(
    title="关于做好中小学生校内课后服务工作的实施意见", number="岳教体发〔2019〕11号", issuer="岳阳市教育体育局",
    first="2019-09-01", until="2024-08-31", lapsed=True, note="引文取自原文。",
)  # fmt: skip


def due(state: str = "soon", left: int = 3, kind: str = "report") -> DueLine:
    return DueLine(
        kind=kind, on="2026-12-31", state=state, days_left=left, clause="于每年6月30日和12月31日报市教育体育局基础教育科",
        document=PAPER, to="市教育体育局基础教育科", reminders=("2026-12-17", "2026-12-28"),
    )  # fmt: skip


def rule(name: str, letter: str, strength: str, title: str, clause: str, figures: str = "", scope: str = "") -> RuleLine:
    return RuleLine(id=name, letter=letter, strength=strength, title=title, scope=scope, figures=figures, clause=clause)


def policy() -> PolicyView:
    days = RuleGroup(
        title="日期与时间",
        rules=(
            rule("A1", "P", "一般", "服务日", "一般从周一至周五（节假日除外）下午放学后开始"),
            rule("A4.winter", "P", "原则上", "结束时间", CLAUSE, figures="17:30", scope="冬季"),
            rule(
                "A16",
                "M",
                "必须",
                "不得提前放学",
                "各中小学要严格上下学制度，严禁缩短教育教学活动时间",
                figures="缩短教育教学活动时间",
            ),
        ),
    )
    return PolicyView(
        bar=s.bar(), city="湖南省岳阳市", overlay=True, groups=(days, replace(days, title="安全")),
        papers=(LAPSED,),
        silent=("A3 每天时长", "A13 延时托管"), findings=(FINDING,),
        dues=(due("overdue", -4, "filing"), due(), due("later", 180), due("done", 2, "filing")),
        fee_locked=("学校校内课后服务工作方案须经审核同意后方可收费", PAPER),
        published=(PublishedLine(id="guardian_notice", day="2026-09-01", by="陈主任", name="2026-09-01_guardian_notice_1.md"),),
    )  # fmt: skip


def empty_policy() -> PolicyView:
    return PolicyView(bar=s.bar())


def parts() -> tuple[Part, ...]:
    hours = Grid(
        heads=("作息", "放学", "课后服务", "延时托管"),
        rows=(
            ("夏季", "15:30 小学一年级、小学二年级；16:10 其余年级", "课业辅导 16:20–17:10；素质拓展 17:10–18:00", "18:00–19:00"),
            ("冬季 2026-10-08–2027-04-30", "15:20 小学一年级", "课业辅导 16:00–16:45；素质拓展 16:45–17:30", "17:30–18:30"),
        ),
    )
    return (
        Part(head="一、服务时间", lines=("第一学期：2026-09-01 至 2027-01-22。",), grid=hours, quotes=((CLAUSE, PAPER),)),
        Part(head="二、安全措施", lines=("考勤制度、交接班制度、门卫登记、应急预案。",)),
    )


def paper() -> PaperView:
    made = Publication(
        id="guardian_notice",
        lang="zh",
        title="2026—2027学年第一学期 课后服务告家长书",
        school="星河路小学",
        day="2026-11-23",
        parts=parts(),
    )
    return PaperView(bar=s.bar(), paper=made)


def inspection() -> InspectionView:
    return InspectionView(bar=s.bar(), parts=parts(), findings=(FINDING,), dues=(due(),))
