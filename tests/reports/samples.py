"""Made-up reports for the tests of their forms, with everything in them that a school's data can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from kiosk.reports.forms import Making
from kiosk.reports.table import Cell, Chart, Column, Report, Sheet, Value, Words

MADE_MS = 1_795_391_100_000  # 2026-11-23 07:45 in the school
OFFSET_MS = 8 * 3_600_000
ID = "140402201609120038"  # 18 digits, as a citizen ID has
LONG_NUMBER = "G140402201609120038"
ATTACKS = ("=cmd()", "=1+1", "+86 138", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "＋1", "－1", "＠A1")
NAMES = ("王小明", "阿依古丽·买买提", "欧阳䶮", "𠮷田", "=cmd()")


def making(**more: Any) -> Making:
    return Making(**{"made_ms": MADE_MS, "offset_ms": OFFSET_MS, **more})


def columns() -> tuple[Column, ...]:
    return (
        Column(key="id", head=Words("学籍号", "School number"), cell=Cell.ID, width=20),
        Column(key="name", head=Words("姓名", "Name"), width=12),
        Column(key="class", head=Words("班级", "Class"), width=10),
        Column(key="day", head=Words("日期", "Day"), cell=Cell.DATE, width=11),
        Column(key="at", head=Words("时间", "Time"), cell=Cell.TIME, width=7),
        Column(key="times", head=Words("次数", "Times"), cell=Cell.WHOLE, width=6),
        Column(key="hours", head=Words("课时", "Class-hours"), cell=Cell.HOURS, width=7),
        Column(key="rate", head=Words("出勤率", "Rate"), cell=Cell.PERCENT, width=8),
        Column(key="yuan", head=Words("金额（元）", "Yuan"), cell=Cell.YUAN, width=10),
        Column(key="reduced", head=Words("减免", "Reduced"), cell=Cell.FLAG, width=5),
        Column(key="note", head=Words("备注", "Note"), width=24),
    )


def row(n: int, note: str = "") -> tuple[Value, ...]:
    day = date(2026, 10, 8) + timedelta(days=n % 20)
    return (
        str(int(ID) + n), NAMES[n % len(NAMES)], f"三({n % 6 + 1})班", day, MADE_MS + n * 60_000, n % 30, n * 0.5,
        0.5 + n % 50 / 100, 180 + n, n % 2, note,
    )  # fmt: skip


@dataclass(frozen=True)
class Many:
    """So many rows, made while they are gone through: none of them is kept."""

    count: int

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        return (row(n) for n in range(self.count))


def report(rows: Any = None, **more: Any) -> Report:
    some = tuple(row(n, note) for n, note in enumerate((*ATTACKS, "备注很长" * 12, "一行\n两行", "")))
    pupils = Sheet(
        id="pupils", name=Words("学生 [1/2]", "Pupils"), columns=columns(), rows=some if rows is None else rows,
        total=("合计", None, "", None, None, 105, 52.5, 0.61, 2_805, None, ""),
        charts=(Chart(shape="bar", title=Words("每人次数", "Times"), categories="name", values=("times", "hours")),),
        notes=(Words("请假不计入缺勤。", "Leave is no absence."), Words("=不是公式", "=no formula")),
    )  # fmt: skip
    by_class = Sheet(
        id="classes", name=Words("班级", "Classes"),
        columns=(columns()[2], columns()[5], columns()[7]),
        rows=tuple((f"三({n})班", 30 + n, 0.9 + n / 100) for n in range(1, 7)),
        charts=(
            Chart(shape="pie", title=Words("各班人次", "By class"), categories="class", values=("times",)),
            Chart(shape="line", title=Words("出勤率", "Rate"), categories="class", values=("rate",)),
        ),
    )  # fmt: skip
    whole = Report(
        id="attendance", title=Words("课后服务出勤统计表", "After-school attendance"), school="星河路小学 & 分校",
        first=date(2026, 10, 1), last=date(2026, 10, 31), sheets=(pupils, by_class),
        quoted=(Words("“每学期期末征集评价和意见”（洛教〔2021〕1号）", "…"),), signed=True,
        facts={"archive_rows": 1_580, "of_a_later_version": 3},
    )  # fmt: skip
    return replace(whole, **more)
