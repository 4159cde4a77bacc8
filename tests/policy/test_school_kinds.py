"""Districts, stages and kinds of schools: one paper says different things to each, and nothing to whom it does not address."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kiosk.checking import check_config
from kiosk.core.people import Stage
from kiosk.core.plan_check import examine
from kiosk.core.school_plan import Level
from kiosk.policies import load_policy, show_policy
from tests.policy.plans import CITIES, both, found, levels, minute, of_rule, plain_plan, session

SAMPLE = Path(__file__).parents[2] / "config" / "sample_school"
TODAY = date(2026, 11, 23)
EVENING = both("16:30-18:30", care="18:30-19:30", evening="18:30-20:00")
NINE_YEARS, SENIOR = frozenset({Stage.PRIMARY, Stage.JUNIOR}), frozenset({Stage.SENIOR})
KINDERGARTEN = frozenset({Stage.KINDERGARTEN})


def edited(tmp_path: Path, old: str, new: str) -> Path:
    for name in ("school.toml", "plan.toml", "calendar.toml", "ladder.toml"):
        shutil.copy(SAMPLE / name, tmp_path / name)
    text = (tmp_path / "school.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "school.toml").write_text(text.replace(old, new), encoding="utf-8")
    return tmp_path


def test_two_districts_of_one_city_get_two_answers_to_one_plan() -> None:
    plan = plain_plan(schedules=both("16:00-18:00", care="18:00-19:00"), local_off_work_min=minute("18:00"), variant="inner_six")
    inner = [f for f in found("tianjin", plan) if f.rule.startswith("A4")]
    assert [f.rule for f in inner] == ["A4.inner_six", "A4.inner_six"]
    other = check_config(SAMPLE, on=TODAY, policy="tianjin", variant="other_districts", sessions=(session("足球", slot=1),))
    assert other.title.endswith("天津市（其他各区）")
    assert not [f for f in other.findings if f.rule in ("A4.inner_six", "E5", "E5.evening")]


@pytest.mark.row("A8", "xiji")
@pytest.mark.parametrize(("stages", "expected"), [(SENIOR, [Level.BLOCK]), (NINE_YEARS, []), (KINDERGARTEN, [])])
def test_a8_the_sixth_day_is_demanded_of_senior_schools_only(stages: frozenset[Stage], expected: list[Level]) -> None:
    assert levels(of_rule("xiji", plain_plan(stages=stages), "A8")) == expected


@pytest.mark.row("A17", "xiji")
def test_a17_xijis_paper_speaks_to_kindergartens_and_senior_schools_and_the_others_do_not() -> None:
    """Two hours are asked of a kindergarten in Xiji; where the paper is of compulsory schooling only, it is not addressed."""
    short = plain_plan(schedules=both("16:30-17:30"), stages=KINDERGARTEN)
    assert levels(of_rule("xiji", short, "A3")) == [Level.BLOCK, Level.BLOCK]
    for city in CITIES:
        assert (Stage.KINDERGARTEN in load_policy(city).stages) == (city == "xiji")
        if city != "xiji":
            assert found(city, replace(short, variant="inner_six" if city == "tianjin" else "")) == ()


@pytest.mark.row("A9", "changzhi", "tianjin", "luoyang")
@pytest.mark.parametrize("city", ["changzhi", "tianjin", "luoyang"])
def test_a9_a_nine_year_school_may_have_the_evening_for_its_juniors_and_a_person_looks_who_is_enrolled(city: str) -> None:
    plan = plain_plan(schedules=EVENING, stages=NINE_YEARS, variant="inner_six" if city == "tianjin" else "")
    said = examine(load_policy(city), None, plan, TODAY)
    assert not [f for f in said.findings if f.rule == "A9.stages"]
    assert [u.strength for u in said.unchecked if u.rule == "A9.stages"] == ["must"]


@pytest.mark.row("A9", "xiji")
def test_a9_in_xiji_a_boarding_junior_school_has_the_evening_for_boarders() -> None:
    plan = plain_plan(schedules=EVENING, stages=frozenset({Stage.JUNIOR}))
    (said,) = [u for u in examine(load_policy("xiji"), None, plan, TODAY).unchecked if u.rule == "A9"]
    assert "限住校生" in said.message and "住校生" in said.clause


@pytest.mark.parametrize("years", [5, 6])
def test_a_school_of_five_primary_years_is_held_against_the_same_clauses(tmp_path: Path, years: int) -> None:
    """五四学制: the stage decides what binds, not how many years it has."""
    here = edited(tmp_path, "primary_years = 6", f"primary_years = {years}")
    result = check_config(here, on=TODAY, sessions=(session("足球", slot=1), session("合唱")))
    assert result.ok and [f.rule for f in result.findings] == ["validity"]


def test_the_national_notice_speaks_or_not_as_the_school_sets_it(tmp_path: Path) -> None:
    menu = (session("足球", slot=1), session("刷题", kind="exam_drill"))
    on = check_config(SAMPLE, on=TODAY, sessions=menu)
    assert [(f.policy, f.rule) for f in on.findings if f.policy == "national_2023"] == [("national_2023", "N4")]
    off = check_config(edited(tmp_path, "national_overlay = true", "national_overlay = false"), on=TODAY, sessions=menu)
    assert not [f for f in off.findings if f.policy == "national_2023"]


def test_every_finding_has_paper_clause_strength_and_what_would_do() -> None:
    for city in CITIES:
        variant = "inner_six" if city == "tianjin" else ""
        for finding in found(city, plain_plan(variant=variant, schedules=both("17:00-17:30"), features=frozenset())):
            assert finding.document.startswith("《") and finding.clause and finding.strength
            assert any(word in finding.message for word in ("请", "应", "不得")), finding.message
            assert " / " in finding.message


@pytest.mark.parametrize("city", CITIES)
def test_the_sheet_is_grouped_with_the_name_of_each_row_and_what_the_paper_leaves_open(city: str) -> None:
    sheet = show_policy(city, on=TODAY)
    assert "— 日期与时间 / days and times —" in sheet and "— 记录与上报 / records and reports —" in sheet
    assert "文件没有写的，由学校决定" in sheet
    assert max(len(line) for line in sheet.splitlines()) < 200


def test_a_clause_that_covers_another_row_says_so_on_the_sheet() -> None:
    assert "兼及 / also D1" in show_policy("luoyang", on=TODAY)
