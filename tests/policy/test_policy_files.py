"""The shipped policies: every rule has its words, its strength follows from them, and none is missing."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from kiosk.core.policy import Policy, Rule, Strength, report_dues, service_on_makeup_day
from kiosk.core.policy_keys import RULE_TYPES
from kiosk.policies import TYPES_ZH, PolicyMissing, load_policy, policy_names, show_policy
from tests.policy.plans import CITIES

# Which rows of the requirements matrix each city's document speaks on.
ROWS = {
    "changzhi": "A1 A2 A3 A4 A9 A12 A13 A15 A17 B1 B2 B4 B5 B6 B7 C1 C2 C3 C4 C5 D1 D2 D3 D6 E3 E5 F6 F7",
    "xiji": "A1 A3 A4 A5 A6 A7 A8 A9 A13 A17 B2 B3 B4 B6 B7 C1 C2 C4 C5 D1 D2 D3 D5 D6 D7 D8 E1 E2 E5 F4 F5 F6 F7",
    "tianjin": "A1 A3 A4 A8 A9 B1 B2 B4 B6 C1 C4 C5 D1 D2 D3 D4 D5 D6 D7 D8 D9 E3 E5 F1 F5 F6 F8",
    "luoyang": "A2 A9 A10 A11 A12 A13 A14 A15 B4 C1 C5 D7 E3 E4 E6 F2 F3 F4 F6 F7",
    "yueyang": "A1 A4 A5 A6 A16 A17 B2 B4 B5 C1 C2 C4 D1 D2 D3 D5 D6 D7 E5 F1 F4 F5 F6 F7",
}
# Quotes that decide the most, word for word.
WORDS = {
    ("changzhi", "A1"): "即5天工作日均开展课后服务",
    ("changzhi", "A2"): "双休日中的1天用于开展课后服务",
    ("changzhi", "A3"): "原则上每天不少于2小时",
    ("changzhi", "A4"): "结束时间一般不早于当地正常下班时间",
    ("changzhi", "A15"): "实行寒假开放1周、暑假开放3周的开放校园制度",
    ("changzhi", "C3"): "应允许学生中途参与或退出课后服务",
    ("changzhi", "E5"): "课后服务收费标准未出台之前，学校不得向学生收取课后服务费",
    ("xiji", "A3"): "每天开展2小时",
    ("xiji", "A4"): "义务教育阶段学生课后服务结束时间要与当地正常上下班时间相衔接",
    ("xiji", "A7"): "每学年按40周安排课后服务",
    ("xiji", "A7.senior"): "每学年按42周安排课后服务",
    ("xiji", "E5"): "学校不得向学生家长收取",
    ("tianjin", "A3"): "每天至少开展2小时",
    ("tianjin", "A4.inner_six"): "市内六区中小学结束时间原则上不早于18:30",
    ("tianjin", "D4"): "制定落实考勤、监管、交接班、放学护送等制度",
    ("tianjin", "E5"): "市内六区学校课后服务费原则上按照每生每月不高于180元标准收取",
    ("tianjin", "validity"): "本意见自印发之日起实施，有效期为五年",
    ("luoyang", "A10"): "课后服务不得设置任何捆绑项目",
    ("luoyang", "A14.refused"): "也不得拒绝有特殊情况的学生适当提早到校",
    ("luoyang", "F2"): "各学校应对每天的课后服务开展情况进行巡查和记录",
    ("yueyang", "A4"): "结束时间原则上不晚于18:00",
    ("yueyang", "A4.winter"): "结束时间原则上不晚于18:00（执行冬季作息时间不晚于17:30）",
    ("yueyang", "A6"): "原则上以一个学期为相对固定期，特殊情况需报教育主管部门核准",
    ("yueyang", "E5"): "每生每期只收取一次费用",
    ("yueyang", "F5"): "在春季、秋季开学后10个工作日内报当地教育主管部门备案",
}
NUMBERS = {
    "changzhi": "长教办字〔2021〕66号",
    "xiji": "西政办发〔2021〕67号",
    "tianjin": "",
    "luoyang": "洛教基〔2022〕30号",
    "yueyang": "岳教体发〔2019〕11号",
    "national_2023": "教基厅函〔2023〕26号",
}


def every_rule() -> list[tuple[Policy, Rule]]:
    return [(p, r) for p in map(load_policy, policy_names()) for r in p.rules]


def by_id(city: str, rule: str) -> Rule:
    return next(r for r in load_policy(city).rules if r.id == rule)


def test_there_are_five_cities_a_sixth_and_one_overlay() -> None:
    assert set(policy_names()) == {*CITIES, "rugao", "national_2023"}
    assert [name for name in policy_names() if load_policy(name).overlay] == ["national_2023"]


@pytest.mark.parametrize("city", CITIES)
def test_a_city_has_a_rule_for_every_row_that_its_document_speaks_on_and_for_no_other(city: str) -> None:
    rows = {rule.id.partition(".")[0] for rule in load_policy(city).rules} - {"validity"}
    assert rows == set(ROWS[city].split())


@pytest.mark.parametrize(("city", "rule"), WORDS)
def test_a_quote_has_the_words_of_the_document(city: str, rule: str) -> None:
    assert by_id(city, rule).clause == WORDS[city, rule]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_rule_names_the_paper_that_it_is_quoted_from(name: str) -> None:
    for rule in load_policy(name).rules:
        assert rule.document.number == NUMBERS[name]
        assert rule.document.title and rule.document.effective_from
        assert str(rule.document) == f"《{rule.document.title}》{NUMBERS[name]}"


def test_a_quote_is_chinese_and_has_no_white_space() -> None:
    for policy, rule in every_rule():
        assert re.search("[一-鿿]{4}", rule.clause), (policy.id, rule.id)
        assert not re.search(r"\s", rule.clause), (policy.id, rule.id)


def test_strength_follows_from_the_words() -> None:
    """原则上 and 一般 stand in the quote of every rule that only warns because of them; a 可 or 鼓励 in the others."""
    for policy, rule in every_rule():
        if rule.strength is Strength.IN_PRINCIPLE:
            assert "原则上" in rule.clause, (policy.id, rule.id)
        elif rule.strength is Strength.GENERALLY:
            assert "一般" in rule.clause, (policy.id, rule.id)
        elif rule.strength is Strength.MAY and rule.type != "statement":
            assert re.search("可|鼓励|有条件", rule.clause), (policy.id, rule.id)
        else:
            assert rule.strength is Strength.MAY or not re.search("原则上|一般在", rule.clause), (policy.id, rule.id)


def test_no_city_inherits_the_end_of_another() -> None:
    ends = {
        city: sorted(
            (r.type, r.season, r.variant, r.text("ref") or r.number("at"))
            for r in load_policy(city).of_type("end_not_before", "end_not_after", "end_link")
            if r.text("slot") != "evening_study"
        )
        for city in CITIES
    }
    assert ends == {
        "changzhi": [("end_not_before", "", "", "local_off_work")],
        "xiji": [("end_link", "", "", "local_off_work")],
        "tianjin": [("end_not_before", "", "", "local_off_work"), ("end_not_before", "", "inner_six", 1110)],
        "luoyang": [],
        "yueyang": [("end_not_after", "", "", 1080), ("end_not_after", "winter", "", 1050)],
    }


@pytest.mark.parametrize(
    ("city", "answer"),
    [
        ("changzhi", "service"),  # 工作日
        ("xiji", "if_teaching"),  # 学校正常上学期间
        ("tianjin", "school_decides"),  # 周一至周五
        ("yueyang", "school_decides"),
        ("luoyang", "school_decides"),  # silent
    ],
)
def test_a_makeup_saturday_has_a_different_answer_in_each_city(city: str, answer: str) -> None:
    assert service_on_makeup_day(load_policy(city)) == answer


@pytest.mark.row("F4", "luoyang", "yueyang")
def test_f4_report_dates_differ_by_a_day_between_cities() -> None:
    def dues(city: str) -> list[date]:
        return [due for due, _ in report_dues(load_policy(city), date(2026, 12, 1))]

    assert dues("luoyang") == [date(2026, 12, 30), date(2027, 6, 30)]
    assert dues("yueyang") == [date(2026, 12, 31), date(2027, 6, 30)]
    assert dues("tianjin") == []


def test_a_report_is_still_due_on_its_day() -> None:
    assert report_dues(load_policy("luoyang"), date(2026, 12, 30))[0][0] == date(2026, 12, 30)
    assert report_dues(load_policy("luoyang"), date(2026, 12, 31))[0][0] == date(2027, 6, 30)


@pytest.mark.parametrize("name", [*CITIES, "national_2023"])
def test_the_sheet_of_a_policy_has_every_quote(name: str) -> None:
    sheet = show_policy(name, on=date(2026, 9, 10))
    policy = load_policy(name)
    assert sheet.startswith(f"{policy.name} / {policy.name_en}")
    assert all(rule.clause in sheet for rule in policy.rules)


def test_the_sheet_says_that_a_paper_has_lapsed() -> None:
    assert "lapsed" in show_policy("tianjin", on=date(2026, 9, 3))
    assert "lapsed" not in show_policy("tianjin", on=date(2026, 9, 2))


def test_asking_for_an_unknown_city_names_the_known_ones() -> None:
    with pytest.raises(PolicyMissing, match="yueyang"):
        show_policy("atlantis")


def test_the_manual_names_every_type_of_rule() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    assert [name for name in RULE_TYPES if f"`{name}`" not in manual] == []


def test_the_sheet_has_a_chinese_name_for_every_type_of_rule() -> None:
    assert set(TYPES_ZH) == set(RULE_TYPES)
