"""`kiosk check` over real configuration folders: the sample school, its five variants, and copies with one thing changed."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from kiosk.checking import CheckResult, check_config
from kiosk.settings import policies_dir
from tests.policy.plans import CITIES, session

SAMPLE = Path(__file__).parents[2] / "config" / "sample_school"
TODAY = date(2026, 11, 23)
MENU = (session("足球", slot=1), session("合唱"))
FILES = ("school.toml", "plan.toml", "calendar.toml", "ladder.toml")


def variant(name: str) -> Path:
    return SAMPLE / "variants" / name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample school that a test may change."""
    target = tmp_path / "school"
    target.mkdir()
    for name in FILES:
        shutil.copy(SAMPLE / name, target / name)
    return target


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def rules(result: CheckResult) -> list[tuple[str, str]]:
    return [(f.rule, f.level.value) for f in result.findings if f.accepted is None]


@pytest.mark.parametrize("city", CITIES)
def test_each_sample_variant_keeps_its_citys_policy_and_the_national_notice(city: str) -> None:
    result = check_config(variant(city), on=TODAY)
    assert result.ok and result.exit_code == 0
    assert rules(result) == [] and not result.problems and not result.unchecked


def test_the_sample_school_logged_a_reason_for_the_lapsed_paper() -> None:
    (finding,) = check_config(SAMPLE, on=TODAY, sessions=MENU).findings
    assert finding.rule == "validity" and finding.accepted is not None and finding.accepted.by


def test_the_document_of_a_check_has_the_promised_shape() -> None:
    document = json.loads(json.dumps(check_config(variant("tianjin"), on=TODAY).as_json()))
    assert {"ok", "problems", "findings"} <= set(document)
    assert document["ok"] is True and document["problems"] == []
    (finding,) = document["findings"]
    assert {k: type(v).__name__ for k, v in finding.items()} == {
        "policy": "str",
        "rule": "str",
        "strength": "str",
        "level": "str",
        "where": "str",
        "message": "str",
        "document": "str",
        "clause": "str",
        "accepted": "dict",
    }
    assert finding["level"] == "warn" and finding["accepted"]["on"] == "2026-09-03"


def test_the_yueyang_plan_that_ends_at_18_all_year_warns_for_the_winter_only(tmp_path: Path) -> None:
    target = tmp_path / "variants" / "yueyang"
    shutil.copytree(variant("yueyang"), target)
    for name in FILES:
        shutil.copy(SAMPLE / name, tmp_path / name)
    plan = target / "plan.toml"
    edit(
        plan,
        '{ number = 2, kind = "enrichment", from = "16:45", to = "17:30" }',
        '{ number = 2, kind = "enrichment", from = "16:45", to = "18:00" }',
    )
    edit(plan, 'extended_care = { from = "17:30", to = "18:30" }', 'extended_care = { from = "18:00", to = "18:30" }')
    result = check_config(target, on=TODAY, sessions=MENU)
    (finding,) = result.findings
    assert result.ok and rules(result) == [("A4.winter", "warn")]
    assert finding.where == "plan.toml bells.winter.slot" and "17:30" in finding.clause


def test_the_same_plan_can_be_looked_at_as_if_it_stood_in_another_city() -> None:
    there = check_config(variant("yueyang"), on=TODAY, policy="tianjin", variant="inner_six", sessions=MENU)
    assert ("A4.inner_six", "warn") in rules(there) and ("A3", "block") in rules(there)
    assert not there.ok and there.exit_code == 1
    assert there.title.endswith("天津市（市内六区）")


def test_every_problem_of_the_settings_comes_back_and_nothing_is_checked(folder: Path) -> None:
    edit(folder / "school.toml", 'local_off_work = "18:00"', "")
    edit(folder / "plan.toml", 'gate_closes = "19:30"', 'gate_closes = "late"')
    result = check_config(folder, on=TODAY)
    assert not result.ok and result.exit_code == 2 and not result.findings
    assert any(p.where == "school.local_off_work" for p in result.problems)
    assert any(p.file == "plan.toml" for p in result.problems)


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    assert check_config(tmp_path / "nowhere", on=TODAY).exit_code == 2


def test_a_missing_variant_is_a_problem_that_names_the_choices(folder: Path) -> None:
    edit(folder / "school.toml", 'variant = "inner_six"', 'variant = ""')
    (problem,) = check_config(folder, on=TODAY).problems
    assert problem.where == "school.variant" and "inner_six" in problem.message and "other_districts" in problem.message


def test_a_season_of_the_schools_own_is_a_change_inside_the_term(folder: Path) -> None:
    """Yueyang wants the approval of the education office for it."""
    bells = (folder / "plan.toml").read_text(encoding="utf-8")
    own = bells[bells.index("[bells.winter]") : bells.index("[profile")].replace("bells.winter", "bells.building_site")
    (folder / "plan.toml").write_text(f"{bells}\n{own}", encoding="utf-8")
    edit(folder / "calendar.toml", "to = 2027-04-30", "to = 2026-11-30")
    season = '[[season]]\nname = "building_site"\nfrom = 2026-12-01\nto = 2026-12-31\n'
    path = folder / "calendar.toml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{season}", encoding="utf-8")
    assert ("A6", "warn") in rules(check_config(folder, on=TODAY, policy="yueyang"))
    edit(folder / "school.toml", "[fees]", 'approval_ref = "岳教函〔2026〕9号"\n\n[fees]')
    assert ("A6", "warn") not in rules(check_config(folder, on=TODAY, policy="yueyang"))


def test_the_sessions_are_read_from_the_lists_beside_the_settings(folder: Path) -> None:
    lists = folder / "people"
    lists.mkdir()
    for name in ("课程.csv", "教职工.csv"):
        shutil.copy(SAMPLE / "people" / name, lists / name)
    assert rules(check_config(folder, on=TODAY)) == []
    edit(
        lists / "课程.csv",
        "KY-101,一(1)班课业辅导,课业辅导,1,一、二、三、四、五,101,T001,45",
        "KY-101,一(1)班课业辅导,课业辅导,1,一、二、三、四、五,101,T001,",
    )
    (finding,) = [f for f in check_config(folder, on=TODAY).findings if f.rule == "B1"]
    assert "一(1)班课业辅导" in finding.message and "容纳人数" in finding.message


def test_a_list_of_sessions_that_cannot_be_read_is_a_problem_with_its_row(folder: Path) -> None:
    lists = folder / "people"
    lists.mkdir()
    for name in ("课程.csv", "教职工.csv"):
        shutil.copy(SAMPLE / "people" / name, lists / name)
    edit(lists / "课程.csv", "KY-101,一(1)班课业辅导,课业辅导,", "KY-101,一(1)班课业辅导,炼金术,")
    (problem,) = check_config(folder, on=TODAY).problems
    assert problem.file == "people/课程.csv" and "第2行" in problem.where


def test_without_any_list_the_clauses_on_sessions_are_left_to_a_person(folder: Path) -> None:
    result = check_config(folder, on=TODAY)
    assert result.ok and {"B1", "B4"} <= {u.rule for u in result.unchecked}
    assert "需人工核对" in result.as_text()


def test_the_text_says_the_finding_the_clause_and_the_verdict_in_chinese_first() -> None:
    there = check_config(variant("yueyang"), on=TODAY, policy="tianjin", variant="inner_six", sessions=MENU)
    text = there.as_text()
    assert "✗ 不符 BLOCK  tianjin A3  必须" in text
    assert "“每天至少开展2小时”" in text
    assert text.rstrip().splitlines()[-1].startswith("结论：不能发布")
    here = check_config(SAMPLE, on=TODAY, sessions=MENU).as_text()
    assert "✓ 已说明 ACCEPTED" in here and "（D001，2026-09-03）" in here
    assert here.rstrip().splitlines()[-1].startswith("结论：可以发布")


def test_the_text_of_a_broken_configuration_says_what_to_correct(tmp_path: Path) -> None:
    assert "配置问题 PROBLEM" in check_config(tmp_path / "nowhere", on=TODAY).as_text()


# --- a sixth city is one file

SIXTH = """
schema = 1

[policy]
id = "newtown"
name = "新城市"
name_en = "Newtown"
stages = ["primary"]

[documents.main]
number = "新教发〔2026〕1号"
title = "新城市课后服务办法"
effective_from = 2026-08-01

[[rule]]
id = "A4"
type = "end_not_after"
strength = "must"
clause = "结束时间不得晚于17:45"
at = "17:45"

[[rule]]
id = "D4"
type = "require"
strength = "must"
clause = "放学时安排护路队"
practices = ["crossing_patrol"]
labels = { crossing_patrol = { zh = "护路队", en = "a crossing patrol" } }
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """The shipped policies and one of our own."""
    target = tmp_path / "policies"
    shutil.copytree(policies_dir(), target)
    (target / "newtown.toml").write_text(SIXTH, encoding="utf-8")
    return target


def test_a_sixth_city_is_one_file(policies: Path) -> None:
    result = check_config(SAMPLE, on=TODAY, policies=policies, policy="newtown")
    blocks = [(f.rule, f.where) for f in result.findings if f.level.value == "block"]
    assert blocks == [
        ("A4", "plan.toml bells.summer.slot"),
        ("A4", "plan.toml bells.winter.slot"),
        ("D4", "school.toml service.practices crossing_patrol"),
    ]
    assert result.findings[0].document == "《新城市课后服务办法》新教发〔2026〕1号"


def test_a_broken_policy_file_is_a_problem_of_that_file(policies: Path) -> None:
    edit(policies / "newtown.toml", 'at = "17:45"', 'at = "quarter to six"')
    edit(policies / "newtown.toml", 'strength = "must"\nclause = "放学', 'strength = "shall"\nclause = "放学')
    result = check_config(SAMPLE, on=TODAY, policies=policies, policy="newtown")
    assert [(p.file, p.where) for p in result.problems] == [
        ("policies/newtown.toml", "rule[1] A4.at"),
        ("policies/newtown.toml", "rule[2] D4.strength"),
    ]
    assert result.exit_code == 2


def test_a_reason_for_a_rule_of_the_old_city_is_a_problem_after_moving(policies: Path) -> None:
    result = check_config(SAMPLE, on=TODAY, policies=policies, policy="yueyang")
    assert [p.where for p in result.problems] == ["accepted[1].rule"]
