"""Duration, end, seasons and slots of a plan against the rules that speak of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiosk.core.plan_check import examine
from kiosk.core.school_plan import Amendment, Level
from kiosk.core.timetable import BellSchedule
from kiosk.policies import load_policy
from tests.policy.plans import SEPTEMBER, a_policy, autumn_2026, bells_of, both, found, levels, minute, of_rule, plain_plan

ENDS_AT_18 = plain_plan(schedules=both("16:00-17:00", "17:00-18:00", care="18:00-19:00"))
BLOCK, WARN = Level.BLOCK, Level.WARN


# --- the same plan, ending at 18:00, in three places


@pytest.mark.row("A4", "yueyang")
def test_a4_a_plan_that_ends_at_18_passes_yueyang_in_summer_and_warns_in_winter() -> None:
    (warning,) = [f for f in found("yueyang", ENDS_AT_18) if f.rule.startswith("A4")]
    assert (warning.rule, warning.level) == ("A4.winter", WARN)
    assert warning.where == "plan.toml bells.winter.slot"
    assert warning.clause == "结束时间原则上不晚于18:00（执行冬季作息时间不晚于17:30）"
    assert warning.document == "《关于做好中小学生校内课后服务工作的实施意见》岳教体发〔2019〕11号"
    assert "18:00" in warning.message and "17:30" in warning.message


@pytest.mark.row("A4", "tianjin")
def test_a4_a_plan_that_ends_at_18_warns_for_tianjins_inner_six_districts() -> None:
    warnings = [f for f in found("tianjin", replace(ENDS_AT_18, variant="inner_six")) if f.rule.startswith("A4")]
    assert [(f.rule, f.level, f.where) for f in warnings] == [
        ("A4.inner_six", WARN, "plan.toml bells.summer.slot"),
        ("A4.inner_six", WARN, "plan.toml bells.winter.slot"),
    ]
    assert warnings[0].clause == "市内六区中小学结束时间原则上不早于18:30"


@pytest.mark.row("A4", "tianjin")
def test_a4_a_plan_that_ends_at_18_passes_in_tianjins_other_districts() -> None:
    other = replace(ENDS_AT_18, variant="other_districts")
    assert not [f for f in found("tianjin", other) if f.rule.startswith("A4")]


def test_a_winter_that_ends_at_half_past_five_passes_yueyang() -> None:
    plan = replace(ENDS_AT_18, schedules={**ENDS_AT_18.schedules, "winter": bells_of("winter", "16:00-17:30")})
    assert not of_rule("yueyang", plan, "A4.winter")


# --- duration


@pytest.mark.parametrize(
    ("city", "rule", "expected"),
    [("changzhi", "A3", [WARN, WARN]), ("tianjin", "A3", [BLOCK, BLOCK]), ("xiji", "A3", [BLOCK, BLOCK])],
)
@pytest.mark.row("A3", "changzhi", "xiji", "tianjin")
def test_a3_less_than_two_hours_warns_where_the_words_are_in_principle_and_blocks_where_they_are_must(
    city: str, rule: str, expected: list[Level]
) -> None:
    short = plain_plan(schedules=both("17:00-17:40", "17:40-18:30"), variant="inner_six" if city == "tianjin" else "")
    findings = of_rule(city, short, rule)
    assert levels(findings) == expected
    assert "90 分钟" in findings[0].message and "再加 30 分钟" in findings[0].message


@pytest.mark.parametrize("city", ["luoyang", "yueyang"])
def test_where_the_document_is_silent_on_duration_nothing_is_said(city: str) -> None:
    short = plain_plan(schedules=both("16:30-17:00", "17:00-17:30"))
    assert not [f for f in found(city, short) if f.rule.startswith("A3")]


@pytest.mark.row("A3", "xiji")
def test_a3_more_than_the_two_hours_of_xiji_warns() -> None:
    long = plain_plan(schedules=both("16:00-17:30", "17:30-18:30"))
    assert levels(of_rule("xiji", long, "A3")) == [WARN, WARN]


@pytest.mark.row("A3", "tianjin")
def test_a3_a_break_between_slots_is_no_service() -> None:
    gap = plain_plan(schedules=both("16:00-16:50", "17:40-18:30"), variant="inner_six")
    assert levels(of_rule("tianjin", gap, "A3")) == [BLOCK, BLOCK]


# --- ends that point to off-work time


@pytest.mark.parametrize(("city", "rule"), [("changzhi", "A4"), ("tianjin", "A4")])
@pytest.mark.row("A4", "changzhi", "tianjin")
def test_a4_an_end_before_local_off_work_time_warns(city: str, rule: str) -> None:
    variant = "other_districts" if city == "tianjin" else ""
    early = replace(ENDS_AT_18, local_off_work_min=minute("18:15"), variant=variant)
    assert levels(of_rule(city, early, rule)) == [WARN, WARN]
    assert not of_rule(city, replace(early, local_off_work_min=minute("18:00")), rule)


@pytest.mark.row("A4", "xiji")
def test_a4_xijis_end_must_meet_off_work_time_but_the_figure_is_ours_so_it_only_warns() -> None:
    plan = replace(ENDS_AT_18, local_off_work_min=minute("18:31"))
    (summer, _) = of_rule("xiji", plan, "A4")
    assert summer.level is WARN and summer.strength == "must"
    assert "没有具体数值" in summer.message
    assert not of_rule("xiji", replace(plan, local_off_work_min=minute("18:30")), "A4")


def test_an_end_after_off_work_time_leaves_no_gap() -> None:
    assert not of_rule("xiji", replace(ENDS_AT_18, local_off_work_min=minute("17:00")), "A4")


@pytest.mark.parametrize("city", ["changzhi", "xiji", "tianjin"])
@pytest.mark.row("A4", "changzhi", "xiji", "tianjin")
def test_a4_a_missing_off_work_time_is_a_problem_of_the_configuration_that_names_the_key(city: str) -> None:
    variant = "inner_six" if city == "tianjin" else ""
    said = examine(load_policy(city), None, plain_plan(local_off_work_min=None, variant=variant), SEPTEMBER)
    (missing,) = said.missing
    assert (missing.file, missing.where) == ("school.toml", "school.local_off_work")


@pytest.mark.parametrize("city", ["luoyang", "yueyang"])
def test_a_city_that_does_not_speak_of_off_work_time_does_not_ask_for_it(city: str) -> None:
    assert not examine(load_policy(city), None, plain_plan(local_off_work_min=None), SEPTEMBER).missing


@pytest.mark.row("A9", "changzhi", "tianjin")
def test_a9_evening_study_has_an_end_of_its_own() -> None:
    late = both("16:30-17:30", "17:30-18:30", evening="18:30-20:45")
    (finding, _) = of_rule("changzhi", plain_plan(schedules=late), "A9.end")
    assert finding.level is WARN and finding.where == "plan.toml bells.summer.evening"
    assert not of_rule("changzhi", plain_plan(schedules=both("16:30-18:30", evening="18:30-20:30")), "A9.end")


# --- seasons


@pytest.mark.row("A5", "yueyang")
def test_a5_yueyang_asks_for_a_winter_timetable() -> None:
    no_winter = plain_plan(schedules={"summer": bells_of("summer", "16:00-18:00")}, calendar=autumn_2026(seasons=()))
    assert levels(of_rule("yueyang", no_winter, "A5")) == [WARN]


@pytest.mark.row("A5", "yueyang")
def test_a5_winter_bells_without_dates_are_no_winter_timetable() -> None:
    assert levels(of_rule("yueyang", plain_plan(calendar=autumn_2026(seasons=())), "A5")) == [WARN]


@pytest.mark.row("A5", "xiji")
def test_a5_xiji_asks_for_hours_that_follow_the_seasons() -> None:
    one = plain_plan(schedules={"summer": bells_of("summer", "16:30-18:30")}, calendar=autumn_2026(seasons=()))
    assert levels(of_rule("xiji", one, "A5")) == [BLOCK]
    assert not of_rule("xiji", plain_plan(), "A5")


@pytest.mark.parametrize(("city", "level"), [("yueyang", WARN), ("xiji", BLOCK)])
@pytest.mark.row("A6", "xiji", "yueyang")
def test_a6_a_change_of_times_inside_a_term_needs_an_approval_or_a_reason(city: str, level: Level) -> None:
    change = Amendment(first=date(2026, 11, 2), name="earlier")
    assert levels(of_rule(city, plain_plan(amendments=(change,)), "A6")) == [level]
    approved = replace(change, approval_ref="岳教函〔2026〕9号")
    assert not of_rule(city, plain_plan(amendments=(approved,)), "A6")


def test_a_change_on_the_first_day_of_a_term_is_no_change_inside_one() -> None:
    change = Amendment(first=date(2026, 9, 1), name="earlier")
    assert not of_rule("yueyang", plain_plan(amendments=(change,)), "A6")


# --- slots


@pytest.mark.row("A10", "luoyang")
def test_a10_luoyangs_slots_are_for_homework_first_and_enrichment_second() -> None:
    def swapped(bells: BellSchedule) -> BellSchedule:
        first, second = bells.slots
        return replace(bells, slots=(replace(first, kind="enrichment"), replace(second, kind="homework")))

    plan = plain_plan()
    wrong = replace(plan, schedules={name: swapped(bells) for name, bells in plan.schedules.items()})
    assert levels(of_rule("luoyang", wrong, "A10.first")) == [WARN, WARN]
    assert levels(of_rule("luoyang", wrong, "A10.second")) == [WARN, WARN]
    assert not of_rule("luoyang", plan, "A10.first")


def test_a_service_in_one_piece_is_not_divided_by_content() -> None:
    assert not of_rule("luoyang", plain_plan(schedules=both("16:30-18:30")), "A10.second")


def test_a_rule_for_one_season_leaves_the_others_alone() -> None:
    policy = a_policy({"type": "end_not_after", "at": "17:00", "season": "winter"})
    assert [f.where for f in found(policy, plain_plan())] == ["plan.toml bells.winter.slot"]


def test_a_rule_that_stands_instead_of_another_silences_it_where_it_applies() -> None:
    general, special = {"type": "end_not_after", "at": "17:00"}, {"type": "end_not_after", "at": "19:00"}
    both_hold = a_policy(general, special)
    replaced = a_policy(general, {**special, "instead_of": "A1"})
    only_winter = a_policy(general, {**special, "instead_of": "A1", "season": "winter"})
    assert len(found(both_hold, plain_plan())) == 2
    assert not found(replaced, plain_plan())
    assert [f.where for f in found(only_winter, plain_plan())] == ["plan.toml bells.summer.slot"]


def test_a_plan_without_slots_has_no_end_and_no_minutes() -> None:
    nothing = plain_plan(schedules=both(), variant="inner_six")
    assert levels(of_rule("tianjin", nothing, "A3")) == [BLOCK, BLOCK]
    assert not of_rule("tianjin", nothing, "A4.inner_six")
