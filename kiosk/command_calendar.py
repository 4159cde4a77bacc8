"""`kiosk calendar`: the days of a school with who decided each, and the national schedule of a new year taken in.

Prints and, for `import`, writes one file beside the settings. What a day is, is `kiosk.core.calendar`'s business.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any, Final

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of
from kiosk.command_records import Add
from kiosk.core.calendar import WARNING_TEXT, Calendar, Day, DayRule, DayType, Layer, LayerSaid, makeup_on
from kiosk.core.school_plan import clock
from kiosk.core.year import DaySheet, GradeBells, WeekCount, days_between, school_year_start
from kiosk.school_year import Clause, SchoolYears, YearSheet, open_years

WEEKDAYS_ZH: Final = "一二三四五六日"
LAYERS: Final = {
    Layer.WEEKDAY: "① 星期 weekday",
    Layer.NATIONAL: "② 国家放假安排 national",
    Layer.DISTRICT: "③ 区县校历 district",
    Layer.TERM: "④ 学校校历 term",
    Layer.OVERRIDE: "⑤ 单日调整 override",
}
TYPES: Final = {
    DayType.TEACHING: "上课日 teaching",
    DayType.REST: "休息日 rest",
    DayType.HOLIDAY: "放假 holiday",
    DayType.VACATION: "假期 vacation",
    DayType.OPENING: "假期开放 opening",
}
STAGES_ZH: Final = {"kindergarten": "幼儿园", "primary": "小学", "junior": "初中", "senior": "高中"}


def add_commands(add: Add) -> None:
    words = (
        "the school's days with the layer that decided each; `kiosk calendar import FILE --config DIR` takes in a national "
        "schedule of a new year, in the holiday-cn form"
    )
    calendar = add("calendar", _calendar, words)
    calendar.add_argument("config", metavar="CONFIG_DIR", help="settings folder; or the word import")
    calendar.add_argument("day", nargs="?", metavar="DATE", help="one day with every layer's word on it; after import: the FILE")
    calendar.add_argument("--year", type=int, metavar="YEAR", help="the school year that begins in August of YEAR")
    calendar.add_argument("--term", metavar="ID", help="one term of calendar.toml, such as 2026_autumn")
    calendar.add_argument("--config", type=Path, dest="into", metavar="DIR", help="with import: the settings folder")
    calendar.add_argument("--dry-run", action="store_true", help="with import: show which days change, keep nothing")
    calendar.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _calendar(options: argparse.Namespace) -> int:
    from kiosk.policies import today

    if options.config == "import":
        return _import(options)
    settings = settings_of(Path(options.config))
    years = open_years(settings)
    if options.day:
        sheet, clauses = _one_day(years, options.day)
        say_answer(options, day_json(sheet, clauses), day_text(sheet, clauses))
        return NOT_FINE if sheet.day.warnings or sheet.gap else FINE
    if options.term:
        days = _of_term(settings.calendar, options.term)
        document: dict[str, Any] = {"days": [_line_json(d, settings.calendar) for d in days]}
        say_answer(options, document, "\n".join(day_line(d, settings.calendar) for d in days))
        return FINE
    now = today(settings.plan.utc_offset_ms)
    first = date(options.year, 8, 1) if options.year else school_year_start(now)
    year = years.year(first, now)
    say_answer(options, year_json(year, settings.calendar), year_text(year, settings.calendar))
    return FINE


def _import(options: argparse.Namespace) -> int:
    from kiosk.national_import import NationalFileBroken, NotKept, keep_national, plan_national

    if not options.day or options.into is None:
        raise Stop("name the file and the settings folder: kiosk calendar import 2027.json --config DIR")
    settings, path = settings_of(options.into), Path(options.day)
    try:
        plan = plan_national(path.name, path.read_bytes(), settings)
        kept = None if options.dry_run else keep_national(plan, options.into)
    except (NationalFileBroken, NotKept) as error:
        raise Stop(str(error)) from error
    except OSError as error:
        raise Stop(f"{path} cannot be read ({error.strerror})") from error
    document = {
        "year": plan.year,
        "replaces": plan.known,
        "verified": plan.verified,
        "changes": [{"date": c.date, "before": _day_json(c.before), "after": _day_json(c.after)} for c in plan.changes],
        "kept_by_school": [day.date for day in plan.kept],
        "file": str(kept) if kept else "",
    }
    lines = [f"{plan.year}: {len(plan.changes)} 天会变 change, {plan.verified} 天不再标为未核对 no longer unverified"]
    lines += [f"  {TYPES[c.before.type]} -> {day_line(c.after, settings.calendar)}" for c in plan.changes]
    lines += [f"  学校校历不变 the school's own row stands: {day_line(day, settings.calendar)}" for day in plan.kept]
    lines += [f"{kept}; 下次启动后生效 in force from the next start"] if kept else []
    say_answer(options, document, "\n".join(lines))
    return FINE


def _one_day(years: SchoolYears, text: str) -> tuple[DaySheet, tuple[Clause, ...]]:
    try:
        on = date.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"{text} is not a date; write it as 2026-10-10") from error
    sheet = years.day(on, {})
    return sheet, years.clauses(sheet)


def _of_term(calendar: Calendar, name: str) -> tuple[Day, ...]:
    found = next((t for t in calendar.terms if t.id == name), None)
    if found is None:
        raise Stop(f"no term {name} in calendar.toml; there is {', '.join(t.id for t in calendar.terms) or 'none'}")
    return days_between(found.first, found.last, calendar)


# --- words ---


def weekday_zh(weekday: int) -> str:
    return f"星期{WEEKDAYS_ZH[weekday - 1]}"


def day_line(day: Day, calendar: Calendar) -> str:
    """2026-10-10 星期六  上课日 teaching  按星期三  不开课后服务  ④ …  note"""
    parts = [f"{day.date} {weekday_zh(day.date.isoweekday())}", TYPES[day.type]]
    parts += ["调休"] if makeup_on(day, calendar) else []
    parts += [f"按{weekday_zh(day.weekday_as)}"] if day.weekday_as != day.date.isoweekday() else []
    parts += ["课后服务 service" if day.after_school else "—"]
    parts += [day.dismissal_profile] if day.dismissal_profile else []
    parts += [LAYERS[day.decided_by], day.note, "⚠ " + day.warning if day.warnings else ""]
    return "  ".join(part for part in parts if part)


def day_text(sheet: DaySheet, clauses: tuple[Clause, ...]) -> str:
    """One day with every layer's word on it."""
    day = sheet.day
    makeup = " · 调休 make-up day" if sheet.makeup else ""
    lines = [f"{day.date} {weekday_zh(day.date.isoweekday())} · {TYPES[day.type]}{makeup}"]
    lines.append(f"课后服务 service: {'是 yes' if day.after_school else '否 no'}（{service_words(sheet)}）")
    lines.append(f"决定 decided by: {LAYERS[day.decided_by]}" + (f" · {day.author}" if day.author else ""))
    if day.weekday_as != day.date.isoweekday():
        lines.append(f"课表 timetable: 按{weekday_zh(day.weekday_as)} / of weekday {day.weekday_as}")
    begins = " · 自本日起换季 begins today" if sheet.season_begins else ""
    early = f" · 提前放学 early: {day.dismissal_profile}" if day.dismissal_profile else ""
    lines.append(f"作息 bells: {day.season}{begins}{early}")
    lines.append(f"学期 term: {sheet.term.name if sheet.term else '—'}")
    lines += [f"  {_layer_text(said)}" for said in sheet.layers]
    lines += [f"  {_bells_text(bells)}" for bells in sheet.bells]
    lines += [f"  时段 slot {s.number or s.kind} {clock(s.start_min)}–{clock(s.end_min)}" for s in sheet.slots]
    lines += [f"⚠ {WARNING_TEXT[w][0]} / {WARNING_TEXT[w][1]}" for w in day.warnings]
    lines += [f"⚠ {sheet.gap}"] if sheet.gap else []
    lines += [f"依据 {c.rule}：“{c.clause}”{c.document}" for c in clauses]
    return "\n".join(lines)


def service_words(sheet: DaySheet) -> str:
    """Why the service runs or does not."""
    day = sheet.day
    if day.service_by is not None:
        return f"{LAYERS[day.service_by]} 写明 / says so"
    if sheet.makeup:
        return "政策：调休上课日 / the policy on make-up days" if day.after_school else "校历未写明 / not answered"
    return f"{TYPES[day.type]}" if day.type is not DayType.REST or not day.after_school else "weekend_service"


def _layer_text(said: LayerSaid) -> str:
    return f"{LAYERS[said.layer]}: {rule_words(said.rule) if said.rule else '—'}"


def rule_words(rule: DayRule) -> str:
    """What a layer's row says, only what it says."""
    parts = [TYPES[rule.type]] if rule.type else []
    parts += [f"按{weekday_zh(rule.timetable_as)}课表"] if rule.timetable_as else []
    if rule.after_school is not None:
        parts.append("开课后服务" if rule.after_school else "不开课后服务")
    parts += [f"提前放学 {rule.dismissal_profile}"] if rule.dismissal_profile else []
    parts += [f"“{rule.note}”"] if rule.note else []
    parts += [f"决定人 {rule.author}"] if rule.author else []
    return "，".join(parts) or "—"


def grades_words(bells: GradeBells) -> str:
    """小学1–2年级、初中1–3年级."""
    found: dict[str, list[int]] = {}
    for stage, grade in bells.grades:
        found.setdefault(stage.value, []).append(grade)
    return "、".join(f"{STAGES_ZH[stage]}{_span(grades)}年级" for stage, grades in found.items())


def _span(grades: list[int]) -> str:
    whole = len(grades) > 1 and grades == list(range(grades[0], grades[-1] + 1))
    return f"{grades[0]}–{grades[-1]}" if whole else "、".join(map(str, grades))


def _bells_text(bells: GradeBells) -> str:
    early = " 提前 early" if bells.early else ""
    return f"{grades_words(bells)}: {clock(bells.gate_opens)} 开门，{clock(bells.dismissal)} 放学{early}"


def week_words(count: WeekCount) -> str:
    of = count.demand.weeks if count.demand else count.planned
    stages = "、".join(STAGES_ZH[s.value] for s in sorted(count.demand.stages)) if count.demand else "全校"
    asked = f"（{count.demand.rule}“{count.demand.clause}”）" if count.demand else ""
    return f"{stages} 已开展 {count.done}/{of} 周，全年安排 {count.planned} 周{asked}"


def year_text(year: YearSheet, calendar: Calendar) -> str:
    """Months with their counts, then the weeks, then every day on which somebody decided more than the weekday."""
    lines = [f"{year.first} – {year.last}"]
    for month in year.months:
        c = month.counts
        lines.append(
            f"{month.first:%Y-%m}  上课 {c.teaching:2}  课后服务 {c.service:2}  双休日 {c.weekend}  开放 {c.opening:2}"
            + (f"  调休 {c.makeup}" if c.makeup else "")
            + (f"  未核对 unverified {c.unverified}" if c.unverified else "")
        )
    lines += [week_words(count) for count in year.weeks]
    decided = [d for d in year.days if d.decided_by is not Layer.WEEKDAY and d.type is not DayType.VACATION]
    told = sorted({*decided, *(d for d in year.days if d.date in year.season_starts)}, key=lambda d: d.date)
    return "\n".join([*lines, "", *(day_line(d, calendar) for d in told)])


# --- JSON ---


def day_json(sheet: DaySheet, clauses: tuple[Clause, ...]) -> dict[str, Any]:
    """The stable document of `kiosk calendar CONFIG_DIR DATE --json`; fields may be added, never changed."""
    day = sheet.day
    return {
        **_day_json(day),
        "makeup": sheet.makeup,
        "season_begins": sheet.season_begins,
        "why": service_words(sheet),
        "layers": [{"layer": s.layer.value, "says": _rule_json(s.rule)} for s in sheet.layers],
        "bells": [
            {
                "grades": [f"{stage.value}-{grade}" for stage, grade in b.grades],
                "gate_opens": clock(b.gate_opens),
                "late_from": clock(b.late_from),
                "dismissal": clock(b.dismissal),
                "early": b.early,
            }
            for b in sheet.bells
        ],
        "slots": [{"number": s.number, "kind": s.kind, "from": clock(s.start_min), "to": clock(s.end_min)} for s in sheet.slots],
        "gap": sheet.gap,
        "clauses": [{"rule": c.rule, "clause": c.clause, "document": c.document} for c in clauses],
    }


def _day_json(day: Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "type": day.type.value,
        "weekday_as": day.weekday_as,
        "service": day.after_school,
        "season": day.season,
        "term": day.term,
        "dismissal_profile": day.dismissal_profile,
        "decided_by": day.decided_by.value,
        "service_by": day.service_by.value if day.service_by else "",
        "author": day.author,
        "note": day.note,
        "unverified": day.calendar_unverified,
        "warnings": [w.value for w in day.warnings],
    }


def _line_json(day: Day, calendar: Calendar) -> dict[str, Any]:
    return _day_json(day) | {"makeup": makeup_on(day, calendar)}


def _rule_json(rule: DayRule | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    said = {
        "type": rule.type.value if rule.type else None,
        "timetable_as": rule.timetable_as,
        "after_school": rule.after_school,
        "dismissal_profile": rule.dismissal_profile,
        "note": rule.note or None,
        "author": rule.author or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def year_json(year: YearSheet, calendar: Calendar) -> dict[str, Any]:
    return {
        "first": year.first.isoformat(),
        "last": year.last.isoformat(),
        "months": [
            {"month": f"{m.first:%Y-%m}", "teaching": m.counts.teaching, "service": m.counts.service, "weekend": m.counts.weekend,
             "opening": m.counts.opening, "makeup": m.counts.makeup, "unverified": m.counts.unverified}
            for m in year.months
        ],
        "weeks": [
            {"done": w.done, "planned": w.planned, "demanded": w.demand.weeks if w.demand else None,
             "stages": sorted(w.demand.stages) if w.demand else [], "rule": w.demand.rule if w.demand else ""}
            for w in year.weeks
        ],
        "days": [_line_json(d, calendar) for d in year.days],
    }  # fmt: skip
