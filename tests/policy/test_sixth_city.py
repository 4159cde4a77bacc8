"""A sixth city is one file: `config/policies/rugao.toml`, and no line of code knows its name."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest

from kiosk.checking import CheckResult, check_config
from kiosk.policies import load_policy, show_policy
from tests.policy.plans import session

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "config" / "sample_school"
TODAY = date(2026, 11, 23)
MENU = (session("足球", slot=1), session("合唱"))

SCHOOL = f"""
base = "{SAMPLE.as_posix()}"
accepted = []

[school]
id = "rugao-sample"
name = "如皋样本小学"
city = "rugao"
variant = ""
stages = ["primary"]
local_off_work = "18:00"

[service]
offers = ["two_slots", "extended_care", "early_care"]
practices = ["agreement"]
never = ["forced_enrolment", "bundled_fees"]

[fees]
mode = "parents_pay"
basis = "pupil_term_once"
cny = 200
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A school of that city: its own settings, the bells and the calendar of the sample school."""
    (tmp_path / "school.toml").write_text(SCHOOL, encoding="utf-8")
    return tmp_path


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "school.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def rules(result: CheckResult) -> list[tuple[str, str]]:
    assert not result.problems
    return [(f.rule, f.level.value) for f in result.findings]


def test_a_plan_that_keeps_the_sixth_citys_words_may_be_published(folder: Path) -> None:
    result = check_config(folder, on=TODAY, sessions=MENU)
    assert rules(result) == [] and result.ok and not result.unchecked
    assert result.title == "如皋样本小学 · 江苏省如皋市"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("cny = 200", "cny = 201", [("E5", "block")]),
        ('basis = "pupil_term_once"', 'basis = "pupil_month"', [("E5", "block")]),
        ('local_off_work = "18:00"', 'local_off_work = "18:45"', [("A4", "warn"), ("A4", "warn")]),
        ('"extended_care", ', "", [("A13", "block")]),
        ('["agreement"]\nnever = ["forced_enrolment", ', '["forced_enrolment"]\nnever = [', [("C1", "block")]),
    ],
)
def test_a_plan_that_breaks_a_clause_gets_that_finding(folder: Path, old: str, new: str, expected: list[tuple[str, str]]) -> None:
    change(folder, old, new)
    said = check_config(folder, on=TODAY, sessions=MENU)
    assert rules(said) == expected
    clause = {r.id: r for r in load_policy("rugao").rules}[expected[0][0]]
    assert said.findings[0].clause == clause.clause and said.findings[0].document == str(clause.document)


def test_new_lessons_are_refused_in_the_words_of_the_province(folder: Path) -> None:
    (finding,) = check_config(folder, on=TODAY, sessions=(*MENU, session("奥数", kind="lesson"))).findings[:1]
    assert finding.rule == "B4" and "奥数" in finding.message and "实施意见" in finding.document


def test_its_sheet_names_both_papers_and_what_is_not_certain() -> None:
    sheet = show_policy("rugao", on=TODAY)
    assert "皋发改〔2021〕24号" in sheet and "江苏省教育厅等四部门" in sheet and "未核实" in sheet


def test_no_line_of_code_knows_the_sixth_city() -> None:
    listed = subprocess.run(["git", "grep", "-il", "rugao", "--", "*.py"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode > 1:
        pytest.skip("not a git work tree")
    assert [name for name in listed.stdout.split() if not name.startswith("tests/")] == []
