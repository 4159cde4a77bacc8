"""How findings are weighed: strength, acceptance, scope, validity, conflicts of sources, and the national overlay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.people import Stage
from kiosk.core.plan_check import CHECKS, RECORDED_ONLY, check, examine
from kiosk.core.policy import PolicyRefused
from kiosk.core.policy_file import parse_policy
from kiosk.core.policy_keys import RULE_TYPES
from kiosk.core.school_plan import Acceptance, Fees, Level
from tests.policy.plans import (
    CITIES,
    SEPTEMBER,
    a_policy,
    autumn_2026,
    bells_of,
    both,
    found,
    levels,
    minute,
    of_rule,
    plain_plan,
    shipped,
)

BLOCK, WARN = Level.BLOCK, Level.WARN
SHORT = {"type": "min_minutes", "minutes": 240}


def test_every_type_of_rule_is_checked_or_says_that_nothing_can_break_it() -> None:
    assert set(CHECKS) | RECORDED_ONLY == set(RULE_TYPES)
    assert not set(CHECKS) & RECORDED_ONLY


@pytest.mark.parametrize(
    ("strength", "expected"),
    [("must", [BLOCK, BLOCK]), ("in_principle", [WARN, WARN]), ("generally", [WARN, WARN]), ("may", [])],
)
def test_must_blocks_in_principle_and_generally_warn_and_may_says_nothing(strength: str, expected: list[Level]) -> None:
    assert levels(list(found(a_policy({**SHORT, "strength": strength}), plain_plan()))) == expected


def test_an_absent_rule_leaves_everything_to_the_school() -> None:
    silent = a_policy({"type": "statement"})
    wild = plain_plan(schedules=both("13:00-23:00"), features=frozenset(), filed_on=None, local_off_work_min=None)
    said = examine(silent, None, wild, SEPTEMBER)
    assert not said.findings and not said.unchecked and not said.missing


def test_without_any_policy_nothing_is_said() -> None:
    assert check(None, None, plain_plan(), SEPTEMBER) == ()


def test_a_message_says_what_is_wrong_and_what_would_do_in_both_languages() -> None:
    for city in CITIES:
        variant = "inner_six" if city == "tianjin" else ""
        for finding in found(city, plain_plan(variant=variant, filed_on=None, features=frozenset())):
            chinese, english = finding.message.split(" / ")
            assert chinese.endswith("。") and english.endswith(".") and not english[0].islower(), finding.message
            assert english.isascii(), finding.message
            assert finding.document and finding.clause and finding.where


# --- reasons that the school logged


def accepted(rule: str, **more: Any) -> Acceptance:
    return Acceptance(rule=rule, reason="区教育局同意", by="D001", on=date(2026, 9, 1), **more)


def test_a_logged_reason_silences_a_warning_but_keeps_it() -> None:
    plan = plain_plan(schedules=both("16:00-18:00"), accepted=(accepted("A4.winter"),))
    (finding,) = of_rule("yueyang", plan, "A4.winter")
    assert finding.level is WARN and finding.accepted is not None and finding.accepted.reason == "区教育局同意"


def test_no_reason_stands_in_for_a_must() -> None:
    plan = plain_plan(variant="inner_six", schedules=both("17:00-18:30"), accepted=(accepted("A3"),))
    for finding in of_rule("tianjin", plan, "A3"):
        assert finding.level is BLOCK and finding.accepted is None
        assert "不能以理由放行" in finding.message


def test_a_reason_may_hold_for_one_place_only() -> None:
    policy = a_policy({**SHORT, "strength": "generally"})
    said = found(policy, plain_plan(accepted=(accepted("A1", where="bells.winter"),)))
    assert {f.where: f.accepted is not None for f in said} == {
        "plan.toml bells.summer.slot": False,
        "plan.toml bells.winter.slot": True,
    }
    assert said[-1].accepted  # accepted ones come last


def test_a_reason_for_a_rule_that_does_not_exist_is_a_problem_that_names_it() -> None:
    said = examine(shipped("yueyang"), None, plain_plan(accepted=(accepted("A4"), accepted("A44"))), SEPTEMBER)
    (missing,) = said.missing
    assert missing.where == "accepted[2].rule" and "A44" in missing.message


# --- which rules speak to this school


def test_a_rule_for_stages_that_the_school_lacks_says_nothing() -> None:
    senior = plain_plan(stages=frozenset({Stage.SENIOR}), schedules=both("18:00-18:30"))
    assert not found("yueyang", senior)
    assert {f.rule for f in found("xiji", senior)} >= {"A3", "A8"}


@pytest.mark.parametrize("variant", ["", "inner_seven"])
def test_a_policy_with_variants_needs_one_of_them(variant: str) -> None:
    said = examine(shipped("tianjin"), None, plain_plan(variant=variant), SEPTEMBER)
    (missing,) = said.missing
    assert missing.where == "school.variant" and "inner_six" in missing.message


def test_a_policy_without_variants_takes_none() -> None:
    assert examine(shipped("yueyang"), None, plain_plan(variant="inner_six"), SEPTEMBER).missing


# --- the life of a paper


@pytest.mark.parametrize(("on", "lapsed"), [(date(2026, 9, 2), False), (date(2026, 9, 3), True)])
def test_tianjins_paper_lapsed_on_2_september_2026(on: date, lapsed: bool) -> None:
    findings = of_rule("tianjin", plain_plan(variant="inner_six"), "validity", on=on)
    assert bool(findings) is lapsed
    if lapsed:
        assert findings[0].level is WARN and "2026-09-02" in findings[0].message
        assert findings[0].clause == "本意见自印发之日起实施，有效期为五年"


def test_the_rules_of_a_lapsed_paper_are_still_looked_at_because_it_may_be_renewed() -> None:
    plan = plain_plan(variant="inner_six", schedules=both("17:00-18:30"))
    assert levels(of_rule("tianjin", plan, "A3", on=date(2026, 11, 22))) == [BLOCK, BLOCK]


def test_a_paper_that_is_not_yet_in_force_is_not_held_against_a_plan() -> None:
    said = examine(shipped("yueyang"), None, plain_plan(schedules=both("16:00-19:00")), date(2019, 8, 31))
    assert not said.findings
    assert any(u.rule == "A4" and "2019-09-01" in u.message for u in said.unchecked)


def test_a_single_clause_may_end_before_its_paper() -> None:
    policy = a_policy({**SHORT, "valid_until": date(2026, 9, 9)})
    assert not found(policy, plain_plan())
    assert found(policy, plain_plan(), on=date(2026, 9, 9))


# --- the national overlay


def test_the_overlay_asks_for_an_end_that_meets_off_work_time() -> None:
    early = plain_plan(schedules=both("16:00-17:20"), local_off_work_min=minute("18:00"))
    assert levels(of_rule("luoyang", early, "N2", overlay="national_2023")) == [WARN, WARN]
    assert not of_rule("luoyang", early, "N2")


def test_under_the_overlay_evening_study_counts_neither_as_time_nor_as_a_slot() -> None:
    bells = bells_of("summer", "16:30-17:30", "17:30-18:30")
    evening = replace(bells, slots=(bells.slots[0], replace(bells.slots[1], kind="evening_study")))
    plan = plain_plan(schedules={"summer": evening, "winter": bells_of("winter", "16:30-18:30")}, variant="inner_six")
    assert not of_rule("tianjin", plan, "A3")
    (short,) = of_rule("tianjin", plan, "A3", overlay="national_2023")
    assert short.where == "plan.toml bells.summer.slot"
    assert levels(of_rule("tianjin", plan, "N3", overlay="national_2023")) == [BLOCK]


def test_under_the_overlay_a_weekend_service_is_only_for_pilot_cities_and_interest() -> None:
    saturday = autumn_2026(weekend_service=frozenset({6}), makeup_day="service")
    plan = plain_plan(calendar=saturday)
    assert levels(of_rule("luoyang", plan, "N1", overlay="national_2023")) == [BLOCK]
    for content, expected in (("interest", []), ("homework", [BLOCK]), ("", [])):
        weekend = replace(plan, weekend_content=content)
        assert levels(of_rule("changzhi", weekend, "N1", overlay="national_2023")) == expected
    unsaid = examine(shipped("changzhi"), shipped("national_2023"), plan, SEPTEMBER).unchecked
    assert any(u.rule == "N1" for u in unsaid)


def test_the_overlay_holds_alone_for_a_school_whose_city_has_no_policy() -> None:
    early = plain_plan(schedules=both("16:00-17:00"))
    assert levels(of_rule(None, early, "N2", overlay="national_2023")) == [WARN, WARN]


# --- sources that contradict each other


def test_a_floor_that_does_not_fit_under_a_cap_is_a_conflict_of_sources() -> None:
    """Dismissal 16:10 and Yueyang's winter end 17:30 leave 80 minutes; another source wants 120."""
    plan = plain_plan(schedules={"winter": bells_of("winter", "16:10-17:30", dismissal="16:10")})
    plan = replace(plan, calendar=replace(plan.calendar, default_season="winter"))
    said = check(shipped("yueyang"), a_policy({"type": "min_minutes", "minutes": 120}), plan, SEPTEMBER)
    (conflict,) = [f for f in said if "-vs-" in f.rule]
    assert conflict.rule == "A1-vs-A4.winter" and conflict.policy == "newtown+yueyang"
    assert "16:10–17:30 只有 80 分钟，不足 120 分钟" in conflict.message
    assert "第几条" in conflict.clause and "17:30" in conflict.clause
    assert {f.level for f in said if f.policy == "newtown"} == {WARN}  # no plan could keep both: neither blocks


def test_an_earlier_dismissal_solves_the_conflict() -> None:
    plan = plain_plan(schedules=both("15:30-17:30", dismissal="15:30"))
    said = check(shipped("yueyang"), a_policy({"type": "min_minutes", "minutes": 120}), plan, SEPTEMBER)
    assert not [f for f in said if "-vs-" in f.rule or f.policy == "newtown"]


def test_tianjins_end_and_yueyangs_end_cannot_both_be_kept() -> None:
    plan = plain_plan(variant="inner_six")
    said = check(shipped("tianjin"), shipped("yueyang"), plan, SEPTEMBER)
    pairs = {f.rule for f in said if "-vs-" in f.rule}
    assert {"A4.inner_six-vs-A4", "A4.inner_six-vs-A4.winter"} <= pairs
    assert all(f.level is WARN for f in said if "-vs-" in f.rule)


def test_a_conflict_takes_a_logged_reason_too() -> None:
    plan = plain_plan(variant="inner_six", accepted=(accepted("A4.inner_six-vs-A4"),))
    said = check(shipped("tianjin"), shipped("yueyang"), plan, SEPTEMBER)
    assert all(f.accepted for f in said if f.rule == "A4.inner_six-vs-A4")


def test_a_demanded_weekend_and_class_days_only_are_a_conflict_outside_the_pilot_cities() -> None:
    saturday = plain_plan(calendar=autumn_2026(weekend_service=frozenset({6})))
    demanding = a_policy({"type": "weekend_days", "count": 1})
    said = check(demanding, shipped("national_2023"), saturday, SEPTEMBER)
    assert [f.rule for f in said if "-vs-" in f.rule] == ["A1-vs-N1"]
    assert all(f.level is WARN for f in said if f.rule == "N1")
    pilot = a_policy({"type": "weekend_days", "count": 1}, traits=["double_reduction_pilot"])
    assert not [f for f in check(pilot, shipped("national_2023"), saturday, SEPTEMBER) if "-vs-" in f.rule]


def test_an_evening_fee_that_one_source_sets_and_one_excludes_is_a_conflict() -> None:
    junior = plain_plan(
        variant="inner_six",
        stages=frozenset({Stage.JUNIOR}),
        fees=Fees(basis="pupil_month", cny=180, evening_cny=100),
    )
    said = found("tianjin", junior, overlay="national_2023")
    assert [f.rule for f in said if "-vs-" in f.rule] == ["E5.evening-vs-N3"]
    assert [f.level for f in said if f.rule == "N3"] == [WARN]


# --- total: no plan and no file ends in a crash

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 500) | st.text(max_size=8) | st.sampled_from(["must", "A4", "18:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*RULE_TYPES, "id", "type"]), inner, max_size=4),
    max_leaves=12,
)


@given(
    raw=st.fixed_dictionaries(
        {},
        optional={
            "schema": JSON,
            "policy": st.dictionaries(st.sampled_from(["id", "name", "stages", "variants"]), JSON) | JSON,
            "documents": JSON,
            "rule": st.lists(
                st.dictionaries(st.sampled_from(["id", "type", "clause", "practices", "stages", "labels"]), JSON), max_size=3
            )
            | JSON,
        },
    )
)
def test_whatever_a_policy_file_holds_the_answer_is_a_list_of_problems(raw: dict[str, Any]) -> None:
    with pytest.raises(PolicyRefused):
        parse_policy(raw)


@given(
    city=st.sampled_from(CITIES),
    stages=st.sets(st.sampled_from(list(Stage))),
    slots=st.lists(st.integers(0, 1380), min_size=0, max_size=3),
    off_work=st.none() | st.integers(0, 1439),
    fee=st.none() | st.integers(0, 500),
    on=st.dates(date(2018, 1, 1), date(2030, 12, 31)),
)
def test_every_plan_gets_an_answer(
    city: str, stages: set[Stage], slots: list[int], off_work: int | None, fee: int | None, on: date
) -> None:
    times = [f"{m // 60:02}:{m % 60:02}-{(m + 50) // 60:02}:{(m + 50) % 60:02}" for m in slots]
    autumn = replace(autumn_2026(), terms=autumn_2026().terms[:1])
    plan = plain_plan(
        stages=frozenset(stages),
        schedules=both(*times),
        calendar=replace(autumn, terms=(replace(autumn.terms[0], last=date(2026, 10, 16)),)),
        local_off_work_min=off_work,
        fees=None if fee is None else Fees(basis="pupil_month", cny=fee, evening_cny=fee),
    )
    said = examine(shipped(city), shipped("national_2023"), plan, on)
    assert all(f.accepted is None for f in said.findings)
