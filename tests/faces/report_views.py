"""Made-up views of the reports, for the tests of the pages."""

from __future__ import annotations

from dataclasses import replace

from kiosk.web.faces_picture import picture
from kiosk.web.faces_reports import CellText, DueLine, PeriodChoice, ReportLine, ReportsView, ReportView, SheetView
from tests.faces import sample_views as s

MONTHS = ("月", (PeriodChoice(id="2026-11", words="2026年11月"), PeriodChoice(id="2026-10", words="2026年10月")))
TERMS = ("学期", (PeriodChoice(id="2026_autumn", words="2026—2027学年第一学期"),))
CLAUSE = "“收费标准未出台之前，学校不得向学生收取课后服务费”（长教字〔2021〕1号）"


def line(**more: object) -> ReportLine:
    fields: dict[str, object] = {
        "id": "attendance", "title": "课后服务考勤", "rows": ("D1", "F1"), "periods": (MONTHS, TERMS), "any_day": True, **more,
    }  # fmt: skip
    return ReportLine(**fields)


def reports() -> ReportsView:
    return ReportsView(
        bar=s.bar(),
        reports=(
            line(), line(id="growth", title="成长档案", rows=("F3",), needs=("child",), any_day=False),
            line(id="fee_basis", title="收费依据", rows=("E5",), locked=CLAUSE),
            line(id="publicity", title="经费公示", rows=("F7",), public=True, named=False, any_day=False),
        ),
        dues=(DueLine(day="2026-12-30", in_days=31, clause="于每年6月30日和12月30日上报工作总结", document="洛教〔2021〕1号"),
              DueLine(day="2026-12-05", in_days=12, clause="开学后10个工作日内备案", document="岳教通〔2019〕60号")),
        policy="luoyang",
    )  # fmt: skip


def trouble() -> ReportsView:
    return ReportsView(bar=s.bar(), trouble="policies/luoyang.toml: 第 3 行")


def _row(label: str, *numbers: str) -> tuple[CellText, ...]:
    return CellText(words=label), *(CellText(words=number, number=True) for number in numbers)


def _sheet() -> SheetView:
    labels = [f"三({n})班" for n in range(1, 7)]
    times, rates = [310.0, 295.0, 322.0, 280.0, 301.0, 318.0], [0.97, 0.93, 0.95, 0.88, 0.96, 0.99]
    drawn = (
        picture("bar", "各班人次", labels, [("应到", [t + 12 for t in times]), ("实到", times)]),
        picture("line", "出勤率", labels, [("出勤率", rates)], share=True),
        picture("pie", "内容", ["课业辅导", "体育", "艺术", "科学", "劳动", "阅读", "棋类"], [("场次", [20, 9, 8, 5, 3, 2, 1])]),
    )
    heads = tuple(
        CellText(words=words, number=n > 0) for n, words in enumerate(("班级", "应到", "实到", "出勤率", "迟到", "早退", "病假"))
    )
    rows = tuple(
        _row(label, f"{n + 12:.0f}", f"{n:.0f}", f"{rate:.1%}", "3", "1", "2")
        for label, n, rate in zip(labels, times, rates, strict=True)
    )
    total = _row("合计", "1898", "1826", "96.2%", "18", "6", "12")
    return SheetView(
        id="classes", name="按班级", heads=heads, rows=rows, count=1_620, total=total,
        notes=("应到：名单上的学生，调到别处的不算。",), pictures=tuple(one for one in drawn if one),
    )  # fmt: skip


def ready() -> ReportView:
    return ReportView(
        bar=s.bar(), report=line(), state="ready", period="2026-11", period_words="2026年11月", query=(("period", "2026-11"),),
        made="2026-11-23 17:42", title="2026年11月课后服务考勤", forms=("xlsx", "csv", "pdf", "json"),
        quoted=("“制定并落实严格的考勤、监管、交接班制度”（长教字〔2021〕1号）",), facts=(("归档记录", "1580"), ("更正", "3")),
        sheets=(_sheet(), replace(_sheet(), id="none", name="按学生", rows=(), count=0, total=(), pictures=())),
    )  # fmt: skip


def _bare(state: str, **more: object) -> ReportView:
    return replace(ready(), state=state, title="课后服务考勤", sheets=(), forms=(), quoted=(), facts=(), **more)


STATES = {
    "choose": replace(_bare("choose"), period="", query=()),
    "of a child": replace(_bare("choose"), report=line(needs=("child",))),
    "waiting": _bare("waiting"),
    "starting": _bare("running"),
    "running": _bare("running", step="reading", at=420_000, of=1_300_000),
    "locked": _bare("locked", why=CLAUSE),
    "failed": _bare("failed", why="本机已放下那段时间的记录"),
    "stopped": _bare("stopped"),
}
