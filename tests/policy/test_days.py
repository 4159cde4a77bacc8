"""Service days of a plan: weekdays, make-up days, weekends, weeks, holiday openings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiosk.core.calendar import Calendar, DayRule, DayType, Season
from kiosk.core.people import Stage
from kiosk.core.policy import service_on_makeup_day
from kiosk.core.school_plan import Finding, Level, SchoolPlan
from kiosk.policies import load_policy
from tests.policy.plans import autumn_2026, found, levels, of_rule, plain_plan

MAKEUP_SATURDAY, MAKEUP_SUNDAY, HOLIDAY = date(2026, 10, 10), date(2026, 9, 20), date(2026, 10, 7)
SATURDAY = date(2026, 11, 7)
BLOCK, WARN = Level.BLOCK, Level.WARN


def as_in(city: str, **changes: object) -> Calendar:
    """The calendar with the city's word on make-up days, as settings make it."""
    return autumn_2026(makeup_day=service_on_makeup_day(load_policy(city)), **changes)


def answered(on: date, service: bool) -> dict[date, DayRule]:
    return {on: DayRule(date=on, type=DayType.TEACHING, timetable_as=3, after_school=service)}


def plan_for(city: str, **changes: object) -> SchoolPlan:
    variant = "inner_six" if city == "tianjin" else ""
    return plain_plan(calendar=as_in(city, **changes), variant=variant)


def about(city: str, day: date, **changes: object) -> list[Finding]:
    return [f for f in of_rule(city, plan_for(city, **changes), "A1") if day.isoformat() in f.message]


# --- make-up days


@pytest.mark.parametrize("city", ["tianjin", "yueyang"])
@pytest.mark.row("A1", "tianjin", "yueyang")
def test_a1_a_makeup_saturday_without_an_answer_warns_where_the_school_decides(city: str) -> None:
    (finding,) = about(city, MAKEUP_SATURDAY)
    assert finding.level is WARN
    assert "after_school" in finding.message
    assert not about(city, MAKEUP_SATURDAY, school=answered(MAKEUP_SATURDAY, True))
    assert not about(city, MAKEUP_SATURDAY, school=answered(MAKEUP_SATURDAY, False))


@pytest.mark.parametrize("city", ["changzhi", "xiji"])
def test_a_makeup_saturday_is_a_service_day_by_itself_where_the_words_include_it(city: str) -> None:
    assert not about(city, MAKEUP_SATURDAY)


@pytest.mark.parametrize("city", ["changzhi", "xiji"])
@pytest.mark.row("A1", "changzhi", "xiji")
def test_a1_leaving_out_a_makeup_saturday_blocks_where_the_words_include_it(city: str) -> None:
    (finding,) = about(city, MAKEUP_SATURDAY, school=answered(MAKEUP_SATURDAY, False))
    assert finding.level is BLOCK


def test_xiji_lets_a_school_that_does_not_teach_on_the_makeup_day_rest() -> None:
    rest = {MAKEUP_SATURDAY: DayRule(date=MAKEUP_SATURDAY, type=DayType.REST)}
    assert not about("xiji", MAKEUP_SATURDAY, school=rest)


def test_luoyang_is_silent_on_days() -> None:
    assert not [f for f in found("luoyang", plan_for("luoyang")) if f.rule.startswith("A1")]


# --- ordinary days and holidays


@pytest.mark.parametrize("city", ["changzhi", "xiji", "tianjin", "yueyang"])
@pytest.mark.row("A1", "changzhi", "xiji", "tianjin", "yueyang")
def test_a1_service_on_a_national_holiday_is_found_everywhere(city: str) -> None:
    assert about(city, HOLIDAY, school={HOLIDAY: DayRule(date=HOLIDAY, after_school=True)})


def test_a_school_day_without_the_service_warns_unless_the_calendar_says_why() -> None:
    friday = date(2026, 11, 6)
    bare, noted = DayRule(date=friday, after_school=False), DayRule(date=friday, after_school=False, note="校运动会")
    (finding,) = about("changzhi", friday, school={friday: bare})
    assert finding.level is WARN  # a single day never keeps a plan from being published
    assert not about("changzhi", friday, school={friday: noted})


def test_a_weekday_that_never_has_the_service_is_found() -> None:
    four_days = plan_for("tianjin", teaching_weekdays=frozenset({1, 2, 3, 4}))
    assert "星期 5" in of_rule("tianjin", four_days, "A1")[0].message
    assert levels(of_rule("tianjin", four_days, "A1.days")) == [BLOCK]


def test_a_list_of_many_days_is_cut_and_counted() -> None:
    days = [date(2026, 11, n) for n in (2, 3, 4, 5, 6, 9)]
    (finding,) = about("yueyang", days[0], school={d: DayRule(date=d, after_school=False) for d in days})
    assert "(×6)" in finding.message and "2026-11-09" not in finding.message


# --- weekends


@pytest.mark.row("A2", "changzhi")
def test_a2_changzhi_demands_one_weekend_day_and_allows_no_second() -> None:
    def planned(*weekdays: int) -> list[Level]:
        return levels(of_rule("changzhi", plan_for("changzhi", weekend_service=frozenset(weekdays)), "A2"))

    assert planned() == [BLOCK]
    assert planned(6) == []
    assert planned(6, 7) == [BLOCK]


def test_changzhis_weekend_day_is_not_held_against_its_working_days() -> None:
    assert not of_rule("changzhi", plan_for("changzhi", weekend_service=frozenset({6})), "A1")


@pytest.mark.parametrize("city", ["tianjin", "yueyang"])
def test_a_weekend_service_is_outside_the_words_where_they_say_monday_to_friday(city: str) -> None:
    assert about(city, SATURDAY, school={SATURDAY: DayRule(date=SATURDAY, after_school=True)})


@pytest.mark.row("A2", "luoyang")
def test_a2_luoyang_only_allows_weekends_so_any_number_is_fine() -> None:
    assert not of_rule("luoyang", plan_for("luoyang", weekend_service=frozenset({6})), "A2")


@pytest.mark.row("A8", "xiji")
def test_a8_the_sixth_day_is_refused_for_xijis_compulsory_stages_and_demanded_of_senior_schools() -> None:
    six = frozenset({1, 2, 3, 4, 5, 6})
    senior = frozenset({Stage.SENIOR})
    assert levels(of_rule("xiji", plan_for("xiji", teaching_weekdays=six), "A1.days")) == [BLOCK]
    five_days = plain_plan(calendar=as_in("xiji"), stages=senior)
    six_days = plain_plan(calendar=as_in("xiji", teaching_weekdays=six), stages=senior)
    assert levels(of_rule("xiji", five_days, "A8")) == [BLOCK]
    assert not [f for f in found("xiji", six_days) if f.rule in ("A8", "A1.days")]


def test_a_school_with_both_stages_may_have_the_day_that_only_one_of_them_needs() -> None:
    stages = frozenset({Stage.JUNIOR, Stage.SENIOR})
    six = plain_plan(calendar=as_in("xiji", teaching_weekdays=frozenset({1, 2, 3, 4, 5, 6})), stages=stages)
    assert not [f for f in found("xiji", six) if f.rule in ("A8", "A1.days")]


# --- weeks and openings


@pytest.mark.row("A7", "xiji")
def test_a7_xiji_counts_the_weeks_of_the_school_year() -> None:
    assert not of_rule("xiji", plan_for("xiji"), "A7")  # 21 in autumn, 19 in spring
    autumn, spring = autumn_2026().terms
    shorter = (autumn, replace(spring, last=date(2027, 6, 18)))
    (finding,) = of_rule("xiji", plan_for("xiji", terms=shorter), "A7")
    assert finding.level is WARN and "38 周" in finding.message


@pytest.mark.row("A7", "xiji")
def test_a7_with_one_term_in_the_calendar_the_schools_own_figure_counts() -> None:
    one_term = as_in("xiji", terms=autumn_2026().terms[:1])
    assert "weeks_per_year" in of_rule("xiji", plain_plan(calendar=one_term), "A7")[0].message
    assert not of_rule("xiji", plain_plan(calendar=one_term, weeks_per_year=40), "A7")
    assert of_rule("xiji", plain_plan(calendar=one_term, weeks_per_year=42), "A7")


@pytest.mark.row("A15", "changzhi")
def test_a15_changzhi_opens_one_week_in_winter_and_three_in_summer() -> None:
    week = Season(name="寒假开放", first=date(2027, 1, 25), last=date(2027, 1, 31))
    summer = Season(name="暑假开放", first=date(2027, 7, 5), last=date(2027, 7, 23))  # Monday to the third Friday
    assert len(of_rule("changzhi", plan_for("changzhi"), "A15")) == 2
    (left,) = of_rule("changzhi", plan_for("changzhi", openings=(week,)), "A15")
    assert left.level is BLOCK and "暑假" in left.message
    assert not of_rule("changzhi", plan_for("changzhi", openings=(week, summer)), "A15")
    short = Season(name="暑假开放", first=date(2027, 7, 5), last=date(2027, 7, 16))
    assert "2 周" in of_rule("changzhi", plan_for("changzhi", openings=(week, short)), "A15")[0].message
