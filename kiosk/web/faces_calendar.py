"""View values of the office's calendar page, and what a day's cell looks like.

Computed from `kiosk.school_year`; the template only places them. Words stay in `kiosk.web.words_calendar`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiosk.core.calendar import WARNING_TEXT, Day, DayRule, DayType, DayWarning
from kiosk.core.people import Directory, Stage, within
from kiosk.core.roster import Bar, RosterView
from kiosk.core.school_plan import clock
from kiosk.core.year import Counts, DaySheet, WeekCount
from kiosk.national_import import NationalPlan
from kiosk.school_year import Clause, YearSheet
from kiosk.web.faces_format import Lang
from kiosk.web.words import say

WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A session of the chosen day."""

    name: str
    room: str
    teacher: str
    span: str  # 16:30–17:30
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """`year` None: the calendar has no term at all. `chosen` None: no day was chosen. national: "" | preview | broken |
    not_kept | kept."""

    bar: Bar
    today: date
    year: YearSheet | None = None
    chosen: DaySheet | None = None
    clauses: tuple[Clause, ...] = ()
    sessions: tuple[SessionLine, ...] = ()
    author: str = ""  # staff number of whoever looks, for the row of an override
    profiles: tuple[str, ...] = ()
    national: str = ""
    national_plan: NationalPlan | None = None
    national_years: tuple[int, ...] = ()  # that the schedule in force knows, from this school year on
    token: str = ""
    trouble: str = ""  # one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A day of a month's grid. `marks`: single characters of the legend, the first stands beside the number."""

    iso: str
    number: int
    style: str  # class names
    marks: tuple[str, ...]
    label: str
    today: bool
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthGrid:
    title: str
    name: str  # 2026-10
    blanks: int  # cells before the first, Monday first
    cells: tuple[Cell, ...]
    counts: Counts


def grids(view: CalendarView, lang: Lang) -> tuple[MonthGrid, ...]:
    """Twelve months as the template places them."""
    if view.year is None:
        return ()
    return tuple(
        MonthGrid(
            title=f"{m.first:%b %Y}" if lang == "en" else f"{m.first.year}年{m.first.month}月",
            name=f"{m.first:%Y-%m}",
            blanks=m.first.isoweekday() - 1,
            cells=tuple(_cell(day, view, view.year, lang) for day in m.days),
            counts=m.counts,
        )
        for m in view.year.months
    )


def _cell(day: Day, view: CalendarView, year: YearSheet, lang: Lang) -> Cell:
    makeup = day.date in year.makeup
    season = day.date in year.season_starts
    keys = [
        *(["makeup"] if makeup else []),
        *(["holiday"] if day.type is DayType.HOLIDAY else []),
        *(["opening"] if day.type is DayType.OPENING else []),
        *(["weekend"] if day.type is DayType.REST and day.after_school else []),
        *(["early"] if day.dismissal_profile else []),
        *(["cancelled"] if day.type is DayType.TEACHING and not day.after_school else []),
        *(["season"] if season else []),
    ]
    classes = [f"day-{day.type.value}", *(f"day-{key}" for key in keys)]
    classes += ["day-service"] if day.after_school else []
    classes += ["day-unverified"] if day.calendar_unverified else []
    classes += ["day-look"] if {DayWarning.MAKEUP_UNANSWERED, DayWarning.MAKEUP_TIMETABLE} & set(day.warnings) else []
    return Cell(
        iso=day.date.isoformat(),
        number=day.date.day,
        style=" ".join(classes),
        marks=tuple(say(f"calendar.mark_{key}", lang) for key in keys),
        label=day_label(day, keys, lang),
        today=day.date == view.today,
        chosen=view.chosen is not None and view.chosen.day.date == day.date,
    )


def day_title(on: date, lang: Lang) -> str:
    """10月10日 星期六 / Sat 10 Oct."""
    if lang == "en":
        return f"{WEEKDAYS_EN[on.weekday()]} {on.day} {on:%b} {on.year}"
    return f"{on.year}年{on.month}月{on.day}日 {weekday(on.isoweekday(), lang)}"


def weekday(iso: int, lang: Lang) -> str:
    return WEEKDAYS_EN[iso - 1] if lang == "en" else f"星期{WEEKDAYS_ZH[iso - 1]}"


def day_label(day: Day, keys: Iterable[str], lang: Lang) -> str:
    """A cell in one sentence, for whoever cannot see colours."""
    parts = [day_title(day.date, lang), say(f"calendar.type_{day.type.value}", lang)]
    parts += [say(f"calendar.key_{key}", lang) for key in keys if key != "holiday"]
    parts.append(say("calendar.service_yes" if day.after_school else "calendar.service_no", lang))
    parts += [say("calendar.key_unverified", lang)] if day.calendar_unverified else []
    parts += [day.note] if day.note else []
    return "，".join(parts) if lang == "zh" else ", ".join(parts)


def warnings(day: Day, lang: Lang) -> tuple[str, ...]:
    return tuple(WARNING_TEXT[w][lang == "en"] for w in day.warnings)


def layer_lines(sheet: DaySheet, lang: Lang) -> tuple[tuple[str, str, str, bool], ...]:
    """(layer, what it says, note and author, whether it decided) for each layer, lowest first."""
    return tuple(
        (
            say(f"office.layer_{said.layer.value}", lang),
            says(said.rule, lang) if said.rule else "",
            " · ".join(part for part in (said.rule.note, said.rule.author) if part) if said.rule else "",
            said.layer is sheet.day.decided_by,
        )
        for said in sheet.layers
    )


def says(rule: DayRule, lang: Lang) -> str:
    parts = [say(f"calendar.type_{rule.type.value}", lang)] if rule.type else []
    if rule.timetable_as:
        parts.append(say("calendar.timetable_as", lang, day=weekday(rule.timetable_as, lang)))
    if rule.after_school is not None:
        parts.append(say("calendar.service_yes" if rule.after_school else "calendar.service_no", lang))
    if rule.dismissal_profile:
        parts.append(say("calendar.early_as", lang, name=rule.dismissal_profile))
    return ("，" if lang == "zh" else ", ").join(parts)


def why_service(sheet: DaySheet, lang: Lang) -> str:
    """Who or what says that the service runs, or does not."""
    day = sheet.day
    if day.service_by is not None:
        return say("calendar.said_by", lang, layer=say(f"office.layer_{day.service_by.value}", lang))
    if sheet.makeup:
        return say("calendar.by_policy" if day.after_school else "calendar.unanswered", lang)
    if day.type is DayType.REST and day.after_school:
        return say("calendar.by_weekend", lang)
    return say("calendar.by_type", lang, type=say(f"calendar.type_{day.type.value}", lang))


def bell_lines(sheet: DaySheet, lang: Lang) -> tuple[tuple[str, str, str, str, bool], ...]:
    """(grades, gate opens, late from, dismissal, early) of a day with lessons."""
    return tuple(
        (grades(b.grades, lang), clock(b.gate_opens), clock(b.late_from), clock(b.dismissal), b.early) for b in sheet.bells
    )


def grades(who: Iterable[tuple[Stage, int]], lang: Lang) -> str:
    """小学 1–2、初中 1–3."""
    found: dict[Stage, list[int]] = {}
    for stage, grade in who:
        found.setdefault(stage, []).append(grade)
    comma = "、" if lang == "zh" else ", "
    return comma.join(f"{say(f'calendar.stage_{stage.value}', lang)} {_span(numbers, comma)}" for stage, numbers in found.items())


def _span(numbers: list[int], comma: str) -> str:
    whole = len(numbers) > 1 and numbers == list(range(numbers[0], numbers[-1] + 1))
    return f"{numbers[0]}–{numbers[-1]}" if whole else comma.join(map(str, numbers))


def slot_lines(sheet: DaySheet, lang: Lang) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            say("calendar.slot", lang, n=s.number) if s.number else say(f"calendar.slot_{s.kind}", lang),
            f"{clock(s.start_min)}–{clock(s.end_min)}",
        )
        for s in sheet.slots
    )


def week_line(count: WeekCount, lang: Lang) -> tuple[str, int, int, int]:
    """(stages, done, of, planned)."""
    if count.demand is None:
        return say("calendar.whole_school", lang), count.done, count.planned, count.planned
    comma = "、" if lang == "zh" else ", "
    stages = comma.join(say(f"calendar.stage_{s.value}", lang) for s in Stage if s in count.demand.stages)
    return stages, count.done, count.demand.weeks, count.planned


def session_lines(sheet: DaySheet, directory: Directory) -> tuple[SessionLine, ...]:
    """The sessions of the day with whoever leads them and how many are enrolled on it."""
    on = sheet.day.date
    return tuple(
        SessionLine(
            name=session.name,
            room=session.room,
            teacher=directory.name_of(session.teacher) if session.teacher else "",
            span=f"{clock(time.start_ms // 60_000)}–{clock(time.end_ms // 60_000)}",
            members=sum(within(e.valid_from, e.valid_to, on) for e in directory.members_of.get(session.id, ())),
        )
        for session, time in sheet.sessions
    )


def coming_lines(view: RosterView, lang: Lang) -> list[tuple[str, list[str]]]:
    """The changes of a session's roster in the week ahead, day by day, in words."""
    comma = "、" if lang == "zh" else ", "
    found = []
    for change in view.coming:
        parts = [say("roster.coming_teacher", lang, name=change.teacher)] if change.teacher else []
        parts += [say("roster.coming_room", lang, room=change.room)] if change.room else []
        parts += (
            [say("roster.coming_weekdays", lang, days=comma.join(weekday(d, lang) for d in change.weekdays))]
            if change.weekdays
            else []
        )
        parts += [say("roster.coming_joins", lang, n=len(change.joins), names=comma.join(change.joins))] if change.joins else []
        parts += (
            [say("roster.coming_leaves", lang, n=len(change.leaves), names=comma.join(change.leaves))] if change.leaves else []
        )
        found.append((say("roster.coming_from", lang, day=day_title(change.day, lang)), parts))
    return found


def override_row(view: CalendarView) -> str:
    """The row that decides the chosen day anew, as calendar.toml has it; whoever adds it fills in the reason."""
    assert view.chosen is not None
    day = view.chosen.day
    lines = ["[[override]]", f"date = {day.date}", f"after_school = {'false' if day.after_school else 'true'}"]
    lines += [f'# dismissal_profile = "{view.profiles[0]}"'] if view.profiles else []
    return "\n".join([*lines, 'note = ""', f'author = "{view.author}"'])


# --- what the template needs beside the view ---

_LEGEND = ("service", "makeup", "holiday", "opening", "weekend", "early", "cancelled", "season")


def calendar_extra(view: CalendarView, lang: Lang) -> dict[str, Any]:
    shown = {"tab": "calendar", "months": grids(view, lang), "weekdays": WEEKDAYS_EN if lang == "en" else tuple(WEEKDAYS_ZH)}
    shown |= {"weeks": [week_line(count, lang) for count in view.year.weeks] if view.year else []}
    shown |= {"unanswered": [(day_title(d.date, lang), d.date.isoformat()) for d in view.year.unanswered] if view.year else []}
    shown |= {"legend": _legend(lang), "changes": _changes(view, lang), "kept": _kept(view)}
    return shown | (_day_extra(view, view.chosen, lang) if view.chosen else {})


def _day_extra(view: CalendarView, sheet: DaySheet, lang: Lang) -> dict[str, Any]:
    day = sheet.day
    return {
        "day_title": day_title(day.date, lang),
        "day_type": say(f"calendar.type_{day.type.value}", lang),
        "day_style": _cell(day, view, view.year, lang).style if view.year else "",
        "day_warnings": warnings(day, lang),
        "why_service": why_service(sheet, lang),
        "timetable": say("calendar.timetable_as", lang, day=weekday(day.weekday_as, lang))
        if day.weekday_as != day.date.isoweekday()
        else "",
        "layers": layer_lines(sheet, lang),
        "bells": bell_lines(sheet, lang),
        "slots": slot_lines(sheet, lang),
        "closes": clock(sheet.gate_closes),
        "override": override_row(view),
    }


def _legend(lang: Lang) -> list[tuple[str, str, str]]:
    found = []
    for key in _LEGEND:
        style = {"holiday": "day-holiday", "opening": "day-opening"}.get(key, f"day-{key}")
        mark = "" if key == "service" else say(f"calendar.mark_{key}", lang)
        found.append((style, mark, say(f"calendar.key_{key}", lang)))
    return [
        *found,
        ("day-look", "", say("calendar.key_look", lang)),
        ("day-rest", "", say("calendar.type_rest", lang)),
        ("day-unverified", "", say("calendar.key_unverified", lang)),
    ]


def _changes(view: CalendarView, lang: Lang) -> list[tuple[str, str, str, str]]:
    plan = view.national_plan
    return [
        (day_title(c.date, lang), _kind(c.before, lang), _kind(c.after, lang), c.after.note)
        for c in (plan.changes if plan else ())
    ]


def _kept(view: CalendarView) -> list[str]:
    return [day.date.isoformat() for day in (view.national_plan.kept if view.national_plan else ())]


def _kind(day: Day, lang: Lang) -> str:
    service = say("calendar.service_yes" if day.after_school else "calendar.service_no", lang)
    return f"{say(f'calendar.type_{day.type.value}', lang)} · {service}"
