"""A policy file that is wrong is refused with every reason at once, each with its place and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.core.policy import PolicyRefused
from kiosk.core.policy_file import RULES_MAX, parse_policy
from kiosk.policies import load_policy

HEAD = '[policy]\nid = "newtown"\nname = "新城"\nname_en = "Newtown"\nstages = ["primary"]\n'


def a_file(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    own = {"id": "newtown", "name": "新城", "name_en": "Newtown", "stages": ["primary"]}
    documents = {"main": {"title": "办法"}}
    return {"schema": 1, "policy": own, "documents": documents, "rule": list(rules), **changes}


def a_rule(**changes: Any) -> dict[str, Any]:
    return {"id": "A3", "type": "min_minutes", "strength": "must", "clause": "每天二小时", "minutes": 120, **changes}


def reasons(raw: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(PolicyRefused) as refused:
        parse_policy(raw)
    return {problem.where: problem.message for problem in refused.value.problems}


def test_every_problem_of_a_file_is_said_at_once() -> None:
    wrong = a_file(
        a_rule(minutes="two hours"),
        a_rule(id="A4", type="end_not_after", minutes=1),
        a_rule(id="a5"),
        a_rule(id="A6", strength="should"),
        a_rule(id="A7", type="telepathy"),
        schema=2,
        colour="blue",
    )
    found = reasons(wrong)
    assert {
        "schema",
        "colour",
        "rule[1] A3.minutes",
        "rule[2] A4.minutes",
        "rule[2] A4",
        "rule[3] a5.id",
        "rule[4] A6.strength",
        "rule[5] A7.type",
    } <= set(found)


@pytest.mark.parametrize(
    ("rule", "where", "says"),
    [
        (a_rule(clause=""), "rule[1] A3.clause", "must be text"),
        (a_rule(minutes=True), "rule[1] A3.minutes", "whole number"),
        (a_rule(minuets=5), "rule[1] A3.minuets", "no such key"),
        (a_rule(variant="inner_six"), "rule[1] A3.variant", "no such variant"),
        (a_rule(stages=["senior"]), "rule[1] A3.stages", "not among policy.stages"),
        (a_rule(document="other"), "rule[1] A3.document", "no [documents.other]"),
        (a_rule(instead_of="A9"), "rule A3.instead_of", "no rule 'A9'"),
        (a_rule(effective_from="2021"), "rule[1] A3.effective_from", "must be a date"),
        ({**a_rule(type="validity"), "id": "validity"}, "rule[1] validity", "no valid_until"),
    ],
)
def test_a_problem_names_its_place_and_remedy(rule: dict[str, Any], where: str, says: str) -> None:
    assert says in reasons(a_file(rule))[where]


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"type": "end_not_after", "at": "25:00"}, "rule[1] A1.at"),
        ({"type": "end_not_after", "at": "18:00", "ref": "local_off_work"}, "rule[1] A1"),
        ({"type": "end_not_before"}, "rule[1] A1"),
        ({"type": "report_dates", "dates": ["02-29"]}, "rule[1] A1.dates"),
        ({"type": "report_dates", "dates": []}, "rule[1] A1.dates"),
        ({"type": "day_basis", "basis": "moon", "makeup_day": "service", "weekdays": [1]}, "rule[1] A1.basis"),
        ({"type": "day_basis", "basis": "workday", "makeup_day": "service", "weekdays": [8]}, "rule[1] A1.weekdays"),
        ({"type": "holiday_opening", "weeks": {"monsoon": 1}}, "rule[1] A1.weeks"),
        ({"type": "holiday_opening", "weeks": 3}, "rule[1] A1.weeks"),
        ({"type": "offer", "feature": "teleport"}, "rule[1] A1.feature"),
        ({"type": "menu", "fields": ["mood"]}, "rule[1] A1.fields"),
        ({"type": "seasonal"}, "rule[1] A1"),
        ({"type": "require", "practices": ["juggling"]}, "rule[1] A1.practices"),
        ({"type": "require", "practices": "escort"}, "rule[1] A1.practices"),
    ],
)
def test_each_type_of_rule_knows_its_own_keys(keys: dict[str, Any], where: str) -> None:
    assert where in reasons(a_file({"id": "A1", "strength": "must", "clause": "第一条", **keys}))


def test_an_unknown_practice_is_accepted_with_words_for_it() -> None:
    rule = {"id": "D9", "type": "require", "strength": "must", "clause": "要…", "practices": ["juggling"]}
    labels = {"juggling": {"zh": "杂耍", "en": "juggling lessons"}}
    assert parse_policy(a_file({**rule, "labels": labels})).rules[0].label("juggling").en == "juggling lessons"
    assert "rule[1] D9.labels" in reasons(a_file({**rule, "labels": {"juggling": "杂耍"}}))


def test_two_rules_may_not_share_an_id() -> None:
    assert "used twice" in reasons(a_file(a_rule(), a_rule()))["rule[2] A3.id"]


@pytest.mark.parametrize("rules", [[], {}, "all", [1], [a_rule(id=f"A{n % 90}") for n in range(RULES_MAX + 1)]])
def test_the_list_of_rules_must_be_one(rules: object) -> None:
    assert "rule" in reasons(a_file(rule=rules))


@pytest.mark.parametrize("part", ["policy", "documents"])
def test_a_missing_table_is_named(part: str) -> None:
    assert part in reasons(a_file(a_rule(), **{part: None}))


def test_white_space_of_a_hard_wrapped_paper_is_taken_out_of_a_quote() -> None:
    assert parse_policy(a_file(a_rule(clause="每天\n 二 小时"))).rules[0].clause == "每天二小时"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"rule = [", "TOML"),
        (b"\xff\xfe", "UTF-8"),
        (b"x = 1\n" * 200_000, "not a policy file"),
        (HEAD.replace("newtown", "oldtown").encode() + b'[documents.main]\ntitle = "x"\n', "rule"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_one_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "newtown.toml").write_bytes(content)
    with pytest.raises(PolicyRefused, match=says):
        load_policy("newtown", tmp_path)


def test_a_policy_must_have_the_name_of_its_file(tmp_path: Path) -> None:
    rule = '[[rule]]\nid = "A3"\ntype = "min_minutes"\nstrength = "must"\nclause = "二小时"\nminutes = 120\n'
    (tmp_path / "oldtown.toml").write_text(f'schema = 1\n{HEAD}[documents.main]\ntitle = "办法"\n{rule}', encoding="utf-8")
    with pytest.raises(PolicyRefused, match="oldtown"):
        load_policy("oldtown", tmp_path)
