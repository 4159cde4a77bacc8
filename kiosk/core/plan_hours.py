"""How a plan's days and hours are held against a rule: one small function for each type of rule.

Each takes a rule and a case and yields what it found. None knows a city, and none decides whether a
finding blocks: that follows from the strength of the words, in `kiosk.core.plan_check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from kiosk.core.calendar import Day, DayType, DayWarning, Season
from kiosk.core.policy import Rule
from kiosk.core.school_plan import Breach, Case, Missing, Outcome, Unknown, clock
from kiosk.core.timetable import BellSchedule, Slot
from kiosk.core.year import school_year_start, service_weeks

DATES_SHOWN_MAX: Final = 4
SEASONS: Final[Mapping[str, str]] = {"spring": "春季", "summer": "夏季", "autumn": "秋季", "winter": "冬季"}
OFF_WORK_MISSING: Final = Missing(
    "school.toml",
    "school.local_off_work",
    '政策以当地正常下班时间为界，请填写 local_off_work，例如 "17:30" / '
    'the policy points to local off-work time: add local_off_work, such as "17:30"',
)


def season_zh(season: str) -> str:
    return SEASONS.get(season, season)


# --- hours ---


def min_minutes(rule: Rule, case: Case) -> Iterator[Outcome]:
    least = rule.number("minutes")
    for schedule in case.schedules(rule):
        total = sum(slot.end_min - slot.start_min for slot in case.slots(schedule))
        where, zh, en = _slots_at(schedule), season_zh(schedule.season), schedule.season
        if total < least:
            yield Breach(
                where,
                f"{zh}每天课后服务共 {total} 分钟，不足 {least} 分钟，请再加 {least - total} 分钟",
                f"in {en} the service lasts {total} minutes, less than {least}: add {least - total} minutes",
            )
        elif rule.flag("exact") and total > least:
            yield Breach(
                where,
                f"{zh}每天课后服务共 {total} 分钟，文件规定 {least} 分钟，请缩短或说明理由",
                f"in {en} the service lasts {total} minutes, the paper says {least}: shorten it or log a reason",
                soft=True,
            )


def end_not_before(rule: Rule, case: Case) -> Iterator[Outcome]:
    bound = _bound(rule, case)
    if isinstance(bound, Missing):
        yield bound
        return
    for schedule, slot in _last_slots(rule, case):
        if slot.end_min < bound:
            yield Breach(
                _at(schedule, slot),
                f"{_what(schedule, slot)} {clock(slot.end_min)} 结束，早于 {clock(bound)}，请延到 {clock(bound)} 或更晚",
                f"in {schedule.season} it ends at {clock(slot.end_min)}, before {clock(bound)}: end at {clock(bound)} or later",
            )


def end_not_after(rule: Rule, case: Case) -> Iterator[Outcome]:
    bound = _bound(rule, case)
    if isinstance(bound, Missing):
        yield bound
        return
    for schedule, slot in _last_slots(rule, case):
        if slot.end_min > bound:
            yield Breach(
                _at(schedule, slot),
                f"{_what(schedule, slot)} {clock(slot.end_min)} 结束，晚于 {clock(bound)}，请提前到 {clock(bound)} 或更早",
                f"in {schedule.season} it ends at {clock(slot.end_min)}, after {clock(bound)}: end at {clock(bound)} or earlier",
            )


def end_link(rule: Rule, case: Case) -> Iterator[Outcome]:
    """A gap between the end and off-work time; an end after off-work leaves no gap."""
    off_work = case.plan.local_off_work_min
    if off_work is None:
        yield OFF_WORK_MISSING
        return
    earliest = off_work - rule.number("gap_min")
    for schedule, slot in _last_slots(rule, case):
        if slot.end_min < earliest:
            yield Breach(
                _at(schedule, slot),
                f"{_what(schedule, slot)} {clock(slot.end_min)} 结束，与下班时间 {clock(off_work)} 相差 "
                f"{off_work - slot.end_min} 分钟，请延到 {clock(earliest)} 或更晚",
                f"in {schedule.season} it ends at {clock(slot.end_min)}, {off_work - slot.end_min} minutes before "
                f"people leave work at {clock(off_work)}: end at {clock(earliest)} or later",
            )


def seasonal(rule: Rule, case: Case) -> Iterator[Outcome]:
    named = {season.name for season in case.plan.calendar.seasons} | {case.plan.calendar.default_season}
    for season in rule.words("seasons"):
        if season not in case.plan.schedules or season not in named:
            yield Breach(
                "calendar.toml season",
                f"文件对{season_zh(season)}作息另有规定，方案没有，请在 calendar.toml 写明起止日期，"
                f"在 plan.toml 写 [bells.{season}]",
                f"the paper has a rule for {season}, and the plan has none: add its dates to calendar.toml and "
                f"[bells.{season}] to plan.toml",
            )
    least = rule.number("at_least") if "at_least" in rule.values else 1
    if len(case.plan.schedules) < least:
        yield Breach(
            "plan.toml bells",
            f"应按季节调整作息，方案只有 {len(case.plan.schedules)} 套，请至少写 {least} 套 [bells.…]",
            f"hours follow the seasons, and the plan has {len(case.plan.schedules)}: write at least {least} [bells...]",
        )


def schedule_fixed(rule: Rule, case: Case) -> Iterator[Outcome]:
    """Times hold for a term; a change inside one needs an approval or, where the paper asks no more, a reason."""
    who = rule.text("by")
    key = rule.text("needs")
    need_zh = f"{who}核准文号" if key == "approval_ref" else "调整理由"
    need_en = "the reference of the approval" if key == "approval_ref" else "the reason"
    for change in case.plan.amendments:
        inside = any(t.first < change.first <= t.last for t in case.plan.calendar.terms)
        said = change.approval_ref or (change.reason if key == "reason" else "")
        if inside and not said:
            yield Breach(
                f"calendar.toml season {change.name}",
                f"{change.first} 起在学期中改变服务时间，请在这一段 [[season]] 的 {key} 写明{need_zh}",
                f"from {change.first} the times change inside a term: give {need_en} as {key} of that [[season]]",
            )


def slot_kind(rule: Rule, case: Case) -> Iterator[Outcome]:
    """What a slot is mainly for. A plan with a single slot is not divided, so nothing is said of it."""
    number, kinds = rule.number("number"), rule.words("kinds")
    for schedule in case.schedules(rule):
        for slot in schedule.slots if len(schedule.slots) > 1 else ():
            if slot.number == number and slot.kind not in kinds:
                yield Breach(
                    f"{_slots_at(schedule)}[{number}].kind",
                    f"{season_zh(schedule.season)}第 {number} 时段内容为 {slot.kind}，请改为 {'、'.join(kinds)} 之一",
                    f"slot {number} in {schedule.season} is {slot.kind}: make it one of {', '.join(kinds)}",
                )


def _bound(rule: Rule, case: Case) -> int | Missing:
    if rule.text("ref"):
        off_work = case.plan.local_off_work_min
        return OFF_WORK_MISSING if off_work is None else off_work
    return rule.number("at")


def _last_slots(rule: Rule, case: Case) -> Iterator[tuple[BellSchedule, Slot]]:
    """The slot whose end the rule speaks of, in every schedule that has one."""
    for schedule in case.schedules(rule):
        evening = rule.text("slot") == "evening_study"
        slots = (schedule.evening,) if evening and schedule.evening else () if evening else case.slots(schedule)
        if slots:
            yield schedule, max(slots, key=lambda s: s.end_min)


def _slots_at(schedule: BellSchedule) -> str:
    return f"plan.toml bells.{schedule.season}.slot"


def _at(schedule: BellSchedule, slot: Slot) -> str:
    return f"plan.toml bells.{schedule.season}.evening" if slot is schedule.evening else _slots_at(schedule)


def _what(schedule: BellSchedule, slot: Slot) -> str:
    return season_zh(schedule.season) + ("晚自习" if slot is schedule.evening else "课后服务")


# --- days ---


def day_basis(rule: Rule, case: Case) -> Iterator[Outcome]:
    calendar = case.plan.calendar
    running = calendar.teaching_weekdays | calendar.weekend_service
    if absent := sorted({int(w) for w in rule.words("weekdays")} - running):
        listed = "、".join(map(str, absent))
        yield Breach(
            "calendar.toml teaching_weekdays",
            f"星期 {listed} 没有课后服务，请补上",
            f"there is no service on weekday {listed}: add it",
        )
    yield from _makeup_days(rule, case)
    # A day that the calendar cancels with a note has its reason there: a storm, sports day, the eve of a holiday.
    left_out = [d for d in case.days if _ordinary(d, case) and not d.after_school and not d.note]
    if left_out:
        yield Breach(
            "calendar.toml day",
            f"{_dates(left_out)} 上课但不开课后服务，请开展，或在校历 note 写明理由",
            f"{_dates(left_out, ', ')}: lessons without the service: run it, or give the reason as note in the calendar",
            soft=True,
        )
    outside = [d for d in case.days if d.after_school and _outside(d, case)]
    if outside:
        yield Breach(
            "calendar.toml day",
            f"{_dates(outside)} 不是规定的服务日却安排了课后服务，请取消或说明理由",
            f"{_dates(outside, ', ')}: the service runs on a day that is none: cancel it or log a reason",
        )


def _makeup_days(rule: Rule, case: Case) -> Iterator[Outcome]:
    makeup = [d for d in case.days if d.type is DayType.TEACHING and not _ordinary(d, case)]
    answer = rule.text("makeup_day")
    if answer == "school_decides":
        if open_days := [d for d in makeup if DayWarning.MAKEUP_UNANSWERED in d.warnings]:
            yield Breach(
                "calendar.toml day",
                f"调休上课日 {_dates(open_days)} 没有写明是否开课后服务（暂按不开），请在 [[day]] 写 after_school",
                f"make-up days {_dates(open_days, ', ')} do not say whether the service runs (taken as no): "
                "add after_school to their [[day]]",
            )
        return
    if without := [d for d in makeup if not d.after_school]:
        what = "工作日" if answer == "service" else "上学日"
        yield Breach(
            "calendar.toml day",
            f"调休上课日 {_dates(without)} 也是{what}，请在 [[day]] 写 after_school = true",
            f"make-up days {_dates(without, ', ')} are service days too: set after_school = true in their [[day]]",
        )


def _ordinary(day: Day, case: Case) -> bool:
    return day.type is DayType.TEACHING and day.date.isoweekday() in case.plan.calendar.teaching_weekdays


def _outside(day: Day, case: Case) -> bool:
    """A holiday; a rest day too, unless the policy speaks of weekend days itself."""
    return day.type is DayType.HOLIDAY or (day.type is DayType.REST and not case.policy.of_type("weekend_days"))


def days_per_week(rule: Rule, case: Case) -> Iterator[Outcome]:
    calendar, days = case.plan.calendar, rule.number("days")
    counted = {s: len(calendar.of_stage(s).teaching_weekdays | calendar.weekend_service) for s in rule.stages & case.plan.stages}
    # Where stages share a calendar and another one may need the extra day, only too few can be told.
    alone = case.plan.stages <= rule.stages or bool(calendar.stage_weekdays)
    wrong = [n for n in counted.values() if n < days or (rule.flag("exact") and n > days and alone)]
    for running in wrong[:1]:
        yield Breach(
            "calendar.toml teaching_weekdays",
            f"每周开展 {running} 天，文件规定 {days} 天，请调整 teaching_weekdays 和 weekend_service",
            f"the service runs {running} days a week, the paper says {days}: correct teaching_weekdays and weekend_service",
        )


def weekend_days(rule: Rule, case: Case) -> Iterator[Outcome]:
    planned, count = len(case.plan.calendar.weekend_service), rule.number("count")
    yield from _second_weekend_days(case, count)
    if planned != count:
        yield Breach(
            "calendar.toml weekend_service",
            f'双休日安排了 {planned} 天，文件规定 {count} 天，请改 weekend_service，例如 ["sat"]',
            f'{planned} weekend days are planned, the paper says {count}: correct weekend_service, such as ["sat"]',
        )


def _second_weekend_days(case: Case, count: int) -> Iterator[Outcome]:
    """Weeks in which single rows of the calendar add a weekend day to those that every week has."""
    weeks: dict[tuple[int, int], list[Day]] = {}
    for day in case.days:
        if day.after_school and day.type is DayType.REST:
            weeks.setdefault(day.date.isocalendar()[:2], []).append(day)
    usual = len(case.plan.calendar.weekend_service)
    if usual <= count and (second := [days[-1] for days in weeks.values() if len(days) > count]):
        yield Breach(
            "calendar.toml day",
            f"{_dates(second)} 是当周第 {count + 1} 个双休日服务日，每周只能 {count} 天，请取消",
            f"{_dates(second, ', ')}: a weekend day more than {count} in its week, cancel it",
        )


def weeks_per_year(rule: Rule, case: Case) -> Iterator[Outcome]:
    """Weeks with a service day in the school year; the school's own figure where the calendar has one term only."""
    first, weeks = school_year_start(case.on), rule.number("weeks")
    last = date(first.year + 1, 7, 31)
    terms = [t for t in case.plan.calendar.terms if first <= t.first <= last]
    inside = [d for d in case.days if first <= d.date <= last]
    counted = service_weeks(inside) if len(terms) > 1 else case.plan.weeks_per_year
    if not counted:
        yield Breach(
            "school.toml service.weeks_per_year",
            f"文件规定每学年 {weeks} 周，校历只有一个学期，请写 weeks_per_year = {weeks} 或补录下学期",
            f"the paper says {weeks} weeks a school year and the calendar has one term: "
            f"write weeks_per_year = {weeks} or add the next term",
        )
    elif counted != weeks:
        yield Breach(
            "calendar.toml term" if len(terms) > 1 else "school.toml service.weeks_per_year",
            f"本学年安排 {counted} 周，文件规定 {weeks} 周，请调整校历或说明理由",
            f"{counted} weeks are planned this school year, the paper says {weeks}: adjust them or log a reason",
        )


def holiday_opening(rule: Rule, case: Case) -> Iterator[Outcome]:
    for season, weeks in sorted(rule.table("weeks").items()):
        open_weeks = max((_weeks(p) for p in case.plan.calendar.openings if _holiday(p) == season), default=0)
        if open_weeks < weeks:
            holiday = "寒假" if season == "winter" else "暑假"
            yield Breach(
                "calendar.toml opening",
                f"{holiday}开放 {open_weeks} 周，文件规定 {weeks} 周，请在 [[opening]] 写明日期",
                f"the campus opens {open_weeks} weeks in the {season} holidays, the paper says {weeks}: "
                "add the dates as [[opening]]",
            )


def _holiday(period: Season) -> str:
    return "summer" if 6 <= period.first.month <= 9 else "winter"


def _weeks(period: Season) -> int:
    """Sevens of days, or weeks open from Monday to Friday, whichever is more."""
    days = [date.fromordinal(n) for n in range(period.first.toordinal(), period.last.toordinal() + 1)]
    fridays = [d for d in days if d.isoweekday() == 5 and d.toordinal() - 4 >= period.first.toordinal()]
    return max(len(days) // 7, len(fridays))


def class_days_only(rule: Rule, case: Case) -> Iterator[Outcome]:
    """No service on rest days and holidays; a pilot city may hold some kinds of activity at weekends."""
    kinds, content = rule.words("pilot_kinds"), case.plan.weekend_content
    pilot = bool(rule.text("pilot_trait")) and rule.text("pilot_trait") in case.traits
    weekend = [d for d in case.days if d.after_school and d.type is DayType.REST]
    holidays = [d for d in case.days if d.after_school and d.type is DayType.HOLIDAY]
    if weekend and pilot and not content:
        listed = "、".join(kinds)
        yield Unknown(
            f"双休日只可开展：{listed}，请核对安排的内容",
            f"at weekends only {', '.join(kinds)}: look at what is planned",
        )
    allowed = pilot and (content in kinds or not content)
    if wrong := holidays if allowed else sorted(weekend + holidays, key=lambda d: d.date):
        yield Breach(
            "calendar.toml weekend_service",
            f"{_dates(wrong)} 不是上课日，请取消课后服务",
            f"{_dates(wrong, ', ')}: not class days, do not run the service",
        )


def _dates(days: Sequence[Day], comma: str = "、") -> str:
    shown = comma.join(d.date.isoformat() for d in days[:DATES_SHOWN_MAX])
    return shown if len(days) <= DATES_SHOWN_MAX else f"{shown}… (×{len(days)})"


CHECKS: Final[Mapping[str, Callable[[Rule, Case], Iterator[Outcome]]]] = {
    "min_minutes": min_minutes,
    "end_not_before": end_not_before,
    "end_not_after": end_not_after,
    "end_link": end_link,
    "seasonal": seasonal,
    "schedule_fixed": schedule_fixed,
    "slot_kind": slot_kind,
    "day_basis": day_basis,
    "days_per_week": days_per_week,
    "weekend_days": weekend_days,
    "weeks_per_year": weeks_per_year,
    "holiday_opening": holiday_opening,
    "class_days_only": class_days_only,
}
