"""Lists that contradict each other stop the import; what only deserves a thought is a warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kiosk.directory import index
from kiosk.importing import ImportPlan, apply
from tests.importing.saying import only, said

Lists = dict[str, list[list[Any]]]
Plan = Callable[..., ImportPlan]


@pytest.mark.parametrize(
    ("name", "row", "what"),
    [
        ("学生", ["20240201", "王小明", "", "三(2)班", "9", "", "", "", ""], "重复"),
        ("学生", ["20240299", "新同学", "", "三(2)班", "1", "", "", "", ""], "座号 1 已有学号 20240201"),
        ("学生", ["20240299", "新同学", "G000000201803150012", "三(2)班", "9", "", "", "", ""], "学籍号与另一名学生相同"),
        ("教职工", ["T001", "别人", "教师", ""], "重复"),
        ("班级", ["3年级2班", "小学", "2024", "T001", "303", "east"], "重复"),
        ("卡", ["04A32F91", "M1", "学生", "20220101", "在用"], "同时由 20240201 在用"),
        ("卡", ["0077803409", "M1", "学生", "20220101", "在用"], "同时由 20240201 在用"),
        ("卡", ["11223344", "M1", "接送人", "J9", "在用"], "没有编号"),
        ("报名", ["20240202", "S1", "2026-10-01", "", ""], "同一时间报了"),
        ("监护人", ["20220102", "J1", "张三", "父亲", "", "", "1"], "这里是“张三”"),
        ("监护人", ["20220102", "J1", "张兰", "母亲", "13900000000", "", "1"], "“手机号”与"),
        ("委托接送", ["20240201", "J8", "李四", "邻居", "", "否", "", "", "2026-10-02", "2026-10-01"], "早于"),
        ("课程", ["S1", "别的课", "阅读", "1", "一", "", "T001", "", ""], "重复"),
        ("课程", ["S9", "别的课", "魔法", "1", "一", "", "T001", "", ""], "不在可选范围"),
    ],
)
def test_a_contradiction_stops_the_import(plan: Plan, lists: Lists, name: str, row: list[str], what: str) -> None:
    lists[name].append(row)
    sheet, _, _, sentence = only(plan(lists))
    assert sheet == name and what in sentence


def test_a_card_that_changed_hands_is_fine_when_the_former_holder_gave_it_back(plan: Plan, lists: Lists) -> None:
    lists["卡"].append(["5630F009", "M1", "学生", "20220102", "在用"])
    made = plan(lists)
    assert made.ok, said(made)
    assert len(index(apply(made, None), number=1, made_at_ms=0).cards["5630F009"]) == 2


def test_one_child_may_be_in_two_sessions_that_never_meet(plan: Plan, lists: Lists) -> None:
    lists["课程"].append(["S3", "绘画", "艺术", "2", "二、四", "301", "T001", "", ""])
    lists["课程"].append(["S4", "合唱", "艺术", "2", "一", "301", "T001", "", ""])
    lists["报名"][2][3] = "2026-10-31"
    lists["报名"] += [["20240201", "S3", "2026-09-01", "", ""], ["20240201", "S4", "2026-11-01", "", ""]]
    assert plan(lists).ok
    lists["报名"][-1][2] = "2026-10-31"
    assert "“篮球”和“合唱”" in only(plan(lists))[3]


def test_the_very_same_row_twice_is_only_remarked(plan: Plan, lists: Lists) -> None:
    lists["监护人"].append(list(lists["监护人"][1]))
    made = plan(lists)
    assert made.ok and any("完全相同" in w.what.zh for w in made.warnings)


def test_what_a_person_should_think_about_is_a_warning(plan: Plan, lists: Lists) -> None:
    lists["班级"].append(["二(1)班", "小学", "2025", "", "", "east"])
    lists["学生"].append(["20250101", "小朋友", "", "二(1)班", "1", "自行离校", "是", "", ""])
    lists["学生"].append(["20220103", "大朋友", "", "五(1)班", "3", "自行离校", "", "", ""])
    lists["课程"].append(["S5", "阅读", "阅读", "1", "三", "", "T001", "", ""])
    lists["委托接送"][1][9] = ""
    made = plan(lists)
    assert made.ok, said(made)
    text = " ".join(w.what.zh for w in made.warnings)
    for part in ("不能自行离校", "没有签字同意", "同一时间带", "没有截止日期"):
        assert part in text


def test_a_teacher_may_be_named_where_only_one_has_the_name(plan: Plan, lists: Lists) -> None:
    expected = plan(lists).rows
    lists["班级"][1][3], lists["课程"][2][6] = "李老师", "欧阳娜"
    assert plan(lists).rows == expected
    lists["教职工"].append(["T009", "李老师", "教师", ""])
    assert "有几位教职工叫“李老师”" in only(plan(lists))[3]


def test_the_name_beside_a_number_must_be_that_pupils(plan: Plan, lists: Lists) -> None:
    lists["监护人"] = [[*row, ("学生姓名", "王小明", "王大明", "别人")[n]] for n, row in enumerate(lists["监护人"])]
    sheet, row, column, what = only(plan(lists))
    assert (sheet, row, column) == ("监护人", 4, "学生姓名") and "不叫" in what
