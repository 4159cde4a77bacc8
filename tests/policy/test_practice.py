"""What a school offers, does, charges and files against the rules that speak of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kiosk.core.kind_words import KIND_WORDS
from kiosk.core.people import Stage
from kiosk.core.plan_check import examine
from kiosk.core.school_plan import Fees, Level, SchoolPlan
from kiosk.importing.headers import SESSION_KINDS
from tests.policy.plans import (
    CITIES,
    SEPTEMBER,
    a_policy,
    both,
    found,
    levels,
    of_rule,
    plain_plan,
    session,
    shipped,
)

BLOCK, WARN = Level.BLOCK, Level.WARN
MONTHLY = Fees(basis="pupil_month", cny=180)


def unchecked(city: str, plan: SchoolPlan) -> set[str]:
    return {u.rule for u in examine(shipped(city), None, plan, SEPTEMBER).unchecked}


# --- offers


@pytest.mark.parametrize("city", ["changzhi", "xiji"])
@pytest.mark.row("A13", "changzhi", "xiji")
def test_a13_extended_care_may_not_be_left_out_where_it_must_be_offered(city: str) -> None:
    without = plain_plan(features=frozenset({"two_slots"}))
    assert levels(of_rule(city, without, "A13")) == [BLOCK]
    assert not of_rule(city, plain_plan(), "A13")


@pytest.mark.parametrize("city", ["luoyang", "yueyang", "tianjin"])
def test_extended_care_is_the_schools_choice_elsewhere(city: str) -> None:
    variant = "inner_six" if city == "tianjin" else ""
    assert not of_rule(city, plain_plan(features=frozenset({"early_care"}), variant=variant), "A13")


def test_extended_care_that_has_no_times_in_a_season_is_not_there_yet() -> None:
    (summer, winter) = of_rule("changzhi", plain_plan(schedules=both("16:30-18:30")), "A13")
    assert summer.where == "plan.toml bells.summer.extended_care" and winter.level is BLOCK


@pytest.mark.row("A14", "luoyang")
def test_a14_luoyang_wants_early_children_looked_after_and_never_refused() -> None:
    no_care = plain_plan(features=frozenset({"extended_care"}))
    assert levels(of_rule("luoyang", no_care, "A14.care")) == [BLOCK]
    refusing = plain_plan(practices=frozenset({"early_arrival_refused"}))
    assert levels(of_rule("luoyang", refusing, "A14.refused")) == [BLOCK]


# --- evening study


@pytest.mark.parametrize("city", ["changzhi", "tianjin", "luoyang"])
@pytest.mark.row("A9", "changzhi", "tianjin", "luoyang")
def test_a9_evening_study_is_refused_to_a_primary_school(city: str) -> None:
    variant = "inner_six" if city == "tianjin" else ""
    evening = plain_plan(schedules=both("16:30-18:30", evening="18:30-20:00"), variant=variant)
    assert levels(of_rule(city, evening, "A9.stages")) == [BLOCK]
    junior = replace(evening, stages=frozenset({Stage.JUNIOR}))
    assert not of_rule(city, junior, "A9.stages")


def test_in_a_school_of_two_stages_a_person_looks_at_who_is_enrolled_for_the_evening() -> None:
    evening = plain_plan(schedules=both("16:30-18:30", evening="18:30-20:00"), stages=frozenset({Stage.PRIMARY, Stage.JUNIOR}))
    assert "A9.stages" in unchecked("changzhi", evening)


@pytest.mark.row("A9", "xiji")
def test_a9_in_xiji_the_evening_is_for_seniors_and_junior_boarders() -> None:
    evening = plain_plan(schedules=both("16:30-18:30", evening="18:30-20:00"), stages=frozenset({Stage.JUNIOR}))
    assert not of_rule("xiji", evening, "A9") and "A9" in unchecked("xiji", evening)
    assert not {"A9"} & unchecked("xiji", replace(evening, stages=frozenset({Stage.SENIOR})))
    assert levels(of_rule("xiji", replace(evening, stages=frozenset({Stage.PRIMARY})), "A9")) == [BLOCK]


def test_yueyang_is_silent_on_evening_study() -> None:
    evening = plain_plan(schedules=both("16:00-17:30", evening="18:30-21:30"))
    assert not [f for f in found("yueyang", evening) if f.rule.startswith("A9")]


# --- menu


@pytest.mark.row("B1", "tianjin")
def test_b1_tianjins_guide_names_five_things_and_each_missing_one_is_found() -> None:
    plan = plain_plan(variant="inner_six", menu_fields=frozenset({"content", "teachers", "time"}))
    (finding,) = of_rule("tianjin", plan, "B1")
    assert finding.level is BLOCK and "参加对象、容纳人数" in finding.message


@pytest.mark.row("B1", "tianjin")
def test_b1_a_session_without_capacity_is_named() -> None:
    menu = (session("篮球"), session("合唱", capacity=0), session("托管", kind="extended_care", capacity=0))
    (finding,) = of_rule("tianjin", plain_plan(variant="inner_six", menu=menu), "B1")
    assert "合唱" in finding.message and "托管" not in finding.message


@pytest.mark.row("B1", "changzhi")
def test_b1_an_empty_menu_is_found_and_an_unknown_one_is_left_to_a_person() -> None:
    assert levels(of_rule("changzhi", plain_plan(menu=()), "B1")) == [BLOCK]
    assert not of_rule("changzhi", plain_plan(menu=None), "B1")
    assert "B1" in unchecked("changzhi", plain_plan(menu=None))


def test_a_session_without_times_is_found() -> None:
    menu = (session("游泳", slot=0), session("足球", slot=0, start_min=990, end_min=1050))
    (finding,) = of_rule("tianjin", plain_plan(variant="inner_six", menu=menu), "B1")
    assert "游泳" in finding.message and "足球" not in finding.message


@pytest.mark.row("B4", "changzhi", "xiji", "tianjin", "luoyang", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_b4_lessons_are_forbidden_everywhere(city: str) -> None:
    menu, variant = (session("数学新课", kind="lesson"), session("合唱")), "inner_six" if city == "tianjin" else ""
    (finding,) = of_rule(city, plain_plan(menu=menu, variant=variant), "B4")
    assert finding.level is BLOCK and "数学新课" in finding.message


@pytest.mark.row("B4", "changzhi", "xiji", "tianjin", "luoyang", "yueyang")
def test_b4_no_list_can_bring_in_a_session_of_new_lessons() -> None:
    """The kinds of sessions are a closed list, and none of them is a lesson: an import refuses the word."""
    assert not {"新课", "上课", "补课", "lesson", "group_tuition", "exam_drill"} & set(SESSION_KINDS)
    assert set(SESSION_KINDS.values()) <= set(KIND_WORDS)


@pytest.mark.row("A16", "yueyang")
def test_a16_a_plan_that_shortens_the_school_day_is_refused_in_yueyang() -> None:
    assert levels(of_rule("yueyang", plain_plan(practices=frozenset({"shortened_lessons"})), "A16")) == [BLOCK]
    assert "A16" in unchecked("yueyang", plain_plan())
    said = plain_plan(never=frozenset({"shortened_lessons"}))
    assert "A16" not in unchecked("yueyang", said) and not of_rule("yueyang", said, "A16")


@pytest.mark.row("A11", "luoyang")
def test_a11_luoyang_wants_exercise_on_every_day() -> None:
    still = frozenset({1, 2, 3, 4, 5})
    menu = (session("棋艺", includes_pe=False, weekdays=still), session("足球", weekdays=frozenset({1, 3, 5})))
    (finding,) = of_rule("luoyang", plain_plan(menu=menu), "A11")
    assert finding.level is BLOCK and "星期二、四" in finding.message
    assert not of_rule("luoyang", plain_plan(menu=(session("足球", slot=1),)), "A11")
    assert of_rule("luoyang", plain_plan(menu=(session("早操", slot=0),)), "A11")  # not in the two slots


@pytest.mark.row("B3", "xiji")
def test_b3_xiji_wants_a_teacher_for_every_group() -> None:
    (finding,) = of_rule("xiji", plain_plan(menu=(session("合唱", teacher=0), session("棋艺"))), "B3")
    assert finding.level is BLOCK and "合唱" in finding.message


def test_a_long_list_of_sessions_is_cut_and_counted() -> None:
    menu = tuple(session(f"合唱{n}", teacher=0) for n in range(6))
    assert "(×6)" in of_rule("xiji", plain_plan(menu=menu), "B3")[0].message


# --- practices


@pytest.mark.parametrize(
    ("city", "rule", "practice"),
    [
        ("changzhi", "C2", "agreement"),
        ("changzhi", "C3", "mid_term_change"),
        ("xiji", "C2.agreement", "agreement"),
        ("xiji", "D5", "gate_register"),
        ("tianjin", "D4", "escort"),
        ("tianjin", "D9", "induction_training"),
        ("luoyang", "F2", "daily_patrol"),
        ("luoyang", "F3", "growth_file"),
        ("yueyang", "C2", "agreement"),
        ("yueyang", "F1", "archive"),
    ],
)
def test_a_practice_that_the_document_demands_must_stand_in_the_plan(city: str, rule: str, practice: str) -> None:
    variant = "inner_six" if city == "tianjin" else ""
    (finding,) = of_rule(city, plain_plan(variant=variant), rule)
    assert finding.level is BLOCK and finding.where == f"school.toml service.practices {practice}"
    assert not of_rule(city, plain_plan(variant=variant, practices=frozenset({practice})), rule)


def test_only_tianjin_asks_for_an_escort() -> None:
    for city in ("changzhi", "xiji", "luoyang", "yueyang"):
        assert not [f for f in found(city, plain_plan()) if "escort" in f.where]


def test_what_is_forbidden_is_found_when_planned_and_left_to_a_person_when_not_said() -> None:
    forced = plain_plan(practices=frozenset({"forced_enrolment"}))
    assert levels(of_rule("tianjin", replace(forced, variant="inner_six"), "C1")) == [BLOCK]
    assert "C1" in unchecked("yueyang", plain_plan())
    said = plain_plan(never=frozenset({"forced_enrolment", "refused_enrolment"}))
    assert "C1" not in unchecked("yueyang", said) and not of_rule("yueyang", said, "C1")


@pytest.mark.row("A10", "luoyang")
def test_a10_slots_that_can_only_be_taken_together_are_a_bundle() -> None:
    bundled = plain_plan(slot_choice=frozenset({"1+2"}))
    assert levels(of_rule("luoyang", bundled, "A10")) == [BLOCK]
    assert not of_rule("luoyang", plain_plan(never=frozenset({"bundled_slots"})), "A10")


@pytest.mark.row("D7", "xiji", "tianjin", "luoyang", "yueyang")
@pytest.mark.parametrize(
    ("city", "rule", "wrong", "right"),
    [
        ("xiji", "D7", {"practices": frozenset({"subject_training_bodies"})}, {"never": frozenset({"subject_training_bodies"})}),
        ("tianjin", "D7", {}, {"practices": frozenset({"vetting"})}),
        ("luoyang", "D7", {"external_bodies": True}, {"practices": frozenset({"training_bodies_from_whitelist"})}),
        ("yueyang", "D7", {}, {"practices": frozenset({"vetting"})}),
        ("yueyang", "D7.external", {"external_bodies": True}, {"external_bodies": False}),
    ],
)
def test_d7_a_plan_without_vetting_of_outside_staff_is_refused(
    city: str, rule: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    variant = "inner_six" if city == "tianjin" else ""
    assert levels(of_rule(city, plain_plan(variant=variant, **wrong), rule)) == [BLOCK]
    assert not of_rule(city, plain_plan(variant=variant, **right), rule)


def test_rules_on_outside_bodies_say_nothing_to_a_school_without_them() -> None:
    assert of_rule("luoyang", plain_plan(external_bodies=True), "D7")
    assert not of_rule("luoyang", plain_plan(external_bodies=False), "D7")


@pytest.mark.row("E5", "tianjin")
def test_e5_reductions_are_only_asked_of_schools_that_charge() -> None:
    assert not of_rule("tianjin", plain_plan(variant="inner_six"), "E5.reduction")
    assert of_rule("tianjin", plain_plan(variant="inner_six", fees=MONTHLY), "E5.reduction")


# --- money


@pytest.mark.parametrize("city", ["changzhi", "xiji"])
@pytest.mark.row("E5", "changzhi", "xiji")
def test_e5_families_are_not_charged_where_the_document_forbids_it(city: str) -> None:
    (finding,) = of_rule(city, plain_plan(fees=MONTHLY), "E5")
    assert finding.level is BLOCK
    assert not of_rule(city, plain_plan(), "E5")


@pytest.mark.parametrize(("cny", "expected"), [(180, []), (181, [WARN])])
@pytest.mark.row("E5", "tianjin")
def test_e5_tianjins_inner_districts_charge_at_most_180_a_month(cny: int, expected: list[Level]) -> None:
    plan = plain_plan(variant="inner_six", fees=Fees(basis="pupil_month", cny=cny))
    assert levels(of_rule("tianjin", plan, "E5")) == expected
    assert not of_rule("tianjin", replace(plan, variant="other_districts"), "E5")


@pytest.mark.row("E5", "tianjin")
def test_e5_tianjins_evening_fee_is_a_line_of_its_own() -> None:
    junior = plain_plan(variant="inner_six", stages=frozenset({Stage.JUNIOR}))
    charged = replace(junior, fees=Fees(basis="pupil_month", cny=180, evening_cny=120))
    assert levels(of_rule("tianjin", charged, "E5.evening")) == [WARN]
    assert not of_rule("tianjin", charged, "E5")


@pytest.mark.row("E5", "yueyang")
def test_e5_yueyang_charges_once_a_term_and_only_with_an_agreement() -> None:
    (finding,) = of_rule("yueyang", plain_plan(fees=MONTHLY), "E5")
    assert finding.level is BLOCK and 'basis = "pupil_term_once"' in finding.message
    termly = plain_plan(fees=Fees(basis="pupil_term_once", cny=300))
    assert not of_rule("yueyang", termly, "E5")
    assert levels(of_rule("yueyang", termly, "E5.agreement")) == [BLOCK]
    assert not of_rule("yueyang", replace(termly, practices=frozenset({"agreement"})), "E5.agreement")


def test_luoyang_is_silent_on_what_families_are_charged() -> None:
    assert not [f for f in found("luoyang", plain_plan(fees=Fees(basis="pupil_month", cny=999))) if f.rule == "E5"]


@pytest.mark.row("F5", "yueyang")
def test_f5_yueyang_locks_fees_until_the_plan_is_approved() -> None:
    charging = plain_plan(fees=Fees(basis="pupil_term_once", cny=300), approved_on=None)
    assert levels(of_rule("yueyang", charging, "E5.approved")) == [BLOCK]
    assert not of_rule("yueyang", replace(charging, approved_on=date(2026, 9, 5)), "E5.approved")
    assert of_rule("yueyang", replace(charging, approved_on=date(2026, 3, 5)), "E5.approved")  # that was last spring
    assert not of_rule("yueyang", charging, "E5.approved", on=date(2026, 8, 20))  # nothing is charged yet


# --- filing


@pytest.mark.row("F5", "yueyang")
def test_f5_yueyangs_plan_is_filed_within_ten_days_of_lessons() -> None:
    """1 to 14 September 2026 are ten days of lessons."""
    unfiled = plain_plan(filed_on=None)
    assert not of_rule("yueyang", unfiled, "F5", on=date(2026, 9, 14))
    (finding,) = of_rule("yueyang", unfiled, "F5", on=date(2026, 9, 15))
    assert finding.level is BLOCK and "2026-09-14" in finding.message
    assert not of_rule("yueyang", plain_plan(filed_on=date(2026, 8, 28)), "F5", on=date(2026, 9, 15))


@pytest.mark.row("F5", "yueyang")
def test_f5_makeup_days_count_among_the_ten() -> None:
    """From Thursday 17 September: 17, 18, Sunday 20 with lessons, 21 to 24, holiday 25 to 27, 28 to 30."""
    autumn, spring = plain_plan().calendar.terms
    late = replace(plain_plan().calendar, terms=(replace(autumn, first=date(2026, 9, 17)), spring))
    unfiled = plain_plan(filed_on=None, calendar=late)
    assert not of_rule("yueyang", unfiled, "F5", on=date(2026, 9, 30))
    assert of_rule("yueyang", unfiled, "F5", on=date(2026, 10, 1))


@pytest.mark.row("F5", "xiji", "yueyang")
def test_f5_the_spring_plan_is_filed_again_in_yueyang_and_not_in_xiji() -> None:
    march = date(2027, 3, 20)
    assert of_rule("yueyang", plain_plan(), "F5", on=march)
    assert not of_rule("xiji", plain_plan(), "F5", on=march)
    assert of_rule("xiji", plain_plan(filed_on=None), "F5", on=march)


@pytest.mark.row("F5", "tianjin")
def test_f5_nothing_is_due_before_the_first_term() -> None:
    assert not of_rule("tianjin", plain_plan(filed_on=None, variant="inner_six"), "F5", on=date(2026, 8, 20))


# --- a made-up city


def test_a_city_may_ask_for_a_practice_that_no_other_knows() -> None:
    labels = {"juggling": {"zh": "杂耍课", "en": "juggling"}}
    policy = a_policy({"type": "require", "practices": ["juggling"], "labels": labels})
    (finding,) = found(policy, plain_plan())
    assert "杂耍课" in finding.message and "juggling" in finding.message
    assert not found(policy, plain_plan(practices=frozenset({"juggling"})))
