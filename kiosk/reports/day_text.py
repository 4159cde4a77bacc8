"""The day report as text: Chinese first, English second, one fact a line. Pure; the figures are `kiosk.reports.day`'s."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiosk.reports.day import DayReport
from kiosk.web.faces_format import clock
from kiosk.web.words import known, say

MAX_LISTED = 40  # children, flaws or cases of one sort; the rest is counted


def as_text(report: DayReport) -> str:
    return "\n".join(_lines(report))


def _lines(report: DayReport) -> Iterator[str]:
    d = report.document
    yield f"{d['day']} · {d['node']}"
    yield from _day_kind(d["calendar"])
    yield f"到校 {d['arrived']} / 应到 {d['expected']} · 课后服务 {d['stayers']} · 离校 {d['released']}"
    yield f"  arrived {d['arrived']} of {d['expected']}, stayed {d['stayers']}, left {d['released']}"
    for mode, count in d["released_by_mode"].items():
        yield f"  {_both(f'record.mode_{mode}', mode)}: {count}"
    late = d["late_collections"]
    yield "晚接 " + " · ".join(f"+{mark} 分 {count}" for mark, count in late.items())
    yield "  fetched late: " + ", ".join(f"{count} by {mark} min or more" for mark, count in late.items())
    yield from _ladder(report)
    yield from _handovers(d["handovers"])
    yield from _happened(d)
    yield from _discrepancies(report)
    yield from _chain(report)
    yield from _residue(report)
    statement = d["statement"]
    if statement:
        yield f"静校 {clock(statement['at_ms'])} · 已签名 signed: {statement['entry']} · {statement['fingerprint']}"
    else:
        yield "静校：没有记录 / not closed on record"
    yield "结论：正常 / fine" if report.ok else "结论：有未结事项 / not fine"


def _day_kind(day: dict[str, Any]) -> Iterator[str]:
    """Only a day that somebody made other than its weekday has a line."""
    said = " · ".join(part for part in (day["note"], day["author"]) if part)
    if day["early_dismissal"]:
        yield f"提前放学 early dismissal: {day['early_dismissal']} · {said}"
    elif said:
        layer = _both(f"office.layer_{day['decided_by']}", day["decided_by"])
        yield f"校历 calendar: {layer} · {said}"


def _both(key: str, other: str) -> str:
    return f"{say(key, 'zh')} {say(key, 'en')}" if known(key) else other


def _child(report: DayReport, number: int) -> str:
    pupil = report.directory.pupils.get(number)
    school_class = report.directory.classes.get(pupil.class_id) if pupil else None
    return f"{report.directory.name_of(number)} {school_class.name}" if school_class else report.directory.name_of(number)


def _listed(rows: list[str]) -> Iterator[str]:
    yield from (f"  {row}" for row in rows[:MAX_LISTED])
    if len(rows) > MAX_LISTED:
        yield f"  … +{len(rows) - MAX_LISTED}"


def _ladder(report: DayReport) -> Iterator[str]:
    rows = report.document["ladder"]
    yield f"未接处置 {len(rows)} / ladder cases {len(rows)}"
    yield from _listed([
        f"{_child(report, row['child'])}: 第 {row['rung'] + 1} 步 step {row['rung'] + 1}, 电话 calls {row['calls']}, "
        f"{_ended(row)}"
        for row in rows
    ])


def _ended(row: dict[str, Any]) -> str:
    if row["ended"] == "open":
        return "未结 open"
    if row["ended"] == "handed_over":
        return "已转交 handed over"
    return f"{_both('record.mode_' + row['ended'], row['ended'])} (+{row['minutes']} min)"


def _handovers(found: dict[str, dict[str, int]]) -> Iterator[str]:
    total = sum(counted.get("accepted", 0) for counted in found.values())
    yield f"交接 {total} 次 / handovers accepted {total}"
    for kind, counted in found.items():
        parts = ", ".join(f"{_both(f'record.kind_handover_{how}', how)} {n}" for how, n in counted.items())
        yield f"  {_both(f'handover.{kind}', kind or '–')}: {parts}"


_SHOWN = (
    ("escorts", "放学护送"), ("groups_out", "带队出校"), ("watches", "门岗交班"), ("searches", "寻找"), ("incidents", "走失事件"),
    ("visitors_in", "来访"), ("patrols", "巡查"), ("sessions_closed", "归档课程"),
    ("refused_pickups", "未放行"), ("undone", "撤销放行"), ("corrections", "更正"),
    ("emergencies", "紧急状态与演练"), ("exports", "证据包导出"),
)  # fmt: skip


def _happened(d: dict[str, Any]) -> Iterator[str]:
    for name, words in _SHOWN:
        if d[name]:
            yield f"{words} {d[name]} / {name.replace('_', ' ')} {d[name]}"


def _discrepancies(report: DayReport) -> Iterator[str]:
    rows = report.document["discrepancies"]
    open_rows = sum(1 for row in rows if not row["closed"])
    yield f"待核实 {len(rows)}，未结 {open_rows} / discrepancies {len(rows)}, open {open_rows}"
    yield from _listed([
        f"{clock(row['at_ms'])} {_both('duty.kind_' + row['kind'], row['kind'])}: "
        + "、".join(_child(report, child) for child in row["children"])
        + ("" if row["closed"] else " ← 未结 open")
        for row in rows
    ])


def _chain(report: DayReport) -> Iterator[str]:
    chain = report.document["chain"]
    yield f"监护链 {chain['children']} 条，{chain['gaps']} 处间断 / {chain['children']} chains, {chain['gaps']} gaps"
    yield from _listed([
        f"{_child(report, flaw['child'])} {clock(flaw['at_ms'])} {_both('record.flaw_' + flaw['why'], flaw['why'])}: "
        + " ".join(flaw["entries"])
        + (f" (closed {flaw['closed']})" if flaw["closed"] else "")
        for flaw in chain["flaws"]
    ])
    for why, count in chain["remarks"].items():
        yield f"  {_both(f'record.remark_{why}', why)}: {count}"


def _residue(report: DayReport) -> Iterator[str]:
    residue = report.document["residue"]
    left = sum(len(rows) for rows in residue.values())
    yield f"滞留 {left} / left behind {left}"
    yield from _listed([
        f"{_child(report, row['child'])} · {row['place']} · {report.directory.name_of(row['custodian'])}"
        for row in residue["children"]
    ])
    yield from _listed([f"{_both('record.sort_' + row['sort'], row['sort'])} {row['case']}".rstrip() for row in residue["open"]])
    yield from _listed([f"来访未离开 visitor still inside: {visit}" for visit in residue["visitors"]])
