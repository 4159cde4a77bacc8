"""Applications, places and the menu in lists: who is refused in a dry run, and what a list never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kiosk.core.enrolment import State, Step
from kiosk.core.enrolment_book import Book, Press, withdraw
from kiosk.core.people import Stage
from kiosk.directory import index
from kiosk.directory_schema import Content
from kiosk.importing import ImportPlan, apply
from kiosk.importing.audiences import AudienceUnclear, audience_of, audience_words
from tests.importing.saying import only, said

Lists = dict[str, list[list[Any]]]
Plan = Callable[..., ImportPlan]
ALL = ("changzhi", "xiji", "tianjin", "luoyang", "yueyang")
APPLICATIONS = [
    ["学号", "课程编号", "申请日期", "有效期起", "有效期止", "协议编号", "优先类别", "申请编号"],
    ["20220101", "S2", "2026-10-08", "2026-10-12", "2027-01-22", "", "留守儿童", ""],
    ["20240202", "S2", "2026-10-07", "2026-10-12", "", "XY-9", "", "2026-0301"],
]


def again(plan: Plan, lists: Lists, before: Content) -> ImportPlan:
    return plan(lists, index(before, number=1, made_at_ms=0), applications=before.applications)


def test_a_list_of_applications_adds_them_as_applied_and_the_same_list_again_adds_nothing(
    plan: Plan, lists: Lists, content: Content
) -> None:
    made = again(plan, {"申请": APPLICATIONS}, content)
    assert made.ok, said(made)
    assert [(found.name, len(found.added)) for found in made.diff] == [("申请", 2)]
    after = apply(made, content, at_ms=5)
    assert [(one.id, one.state, one.priority) for one in after.applications] == [
        ("2026-0301", State.APPLIED, ""),
        ("SQ00001", State.APPLIED, "left_behind"),
    ]
    assert [(taken.step, taken.by, taken.at_ms) for taken in after.application_steps] == [(Step.APPLY, 0, 5)] * 2
    assert after.enrolments == content.enrolments and after.next_application == 2
    assert again(plan, {"申请": APPLICATIONS}, after).changes_nothing
    assert apply(again(plan, lists, after), after).applications == after.applications  # other lists take none away


@pytest.mark.row("B2", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize(
    ("sheet", "row"),
    [
        ("报名", ["20240201", "S3", "2026-10-12", "", ""]),
        ("申请", ["20240201", "S3", "2026-10-08", "2026-10-12", "", "", "", ""]),
    ],
)
def test_b2_one_pupil_in_two_sessions_at_once_is_refused_and_both_rows_are_named(
    plan: Plan, lists: Lists, sheet: str, row: list[str]
) -> None:
    lists["课程"].append(["S3", "合唱", "艺术", "2", "三", "301", "T001", "", ""])
    lists["申请"] = [APPLICATIONS[0]]
    lists[sheet].append(row)
    where, line, _, what = only(plan(lists))
    assert (where, line) == (sheet, len(lists[sheet]))
    assert "“篮球”和“合唱”" in what and "报名.csv" in what and "第3行" in what


@pytest.mark.row("B2", "changzhi", "xiji", "tianjin", "yueyang")
def test_b2_two_applications_for_the_same_time_are_refused_too(plan: Plan, lists: Lists, content: Content) -> None:
    after = apply(again(plan, {"申请": APPLICATIONS}, content), content)
    lists["课程"].append(["S3", "合唱", "艺术", "2", "三", "301", "T001", "", ""])
    lists["申请"] = [APPLICATIONS[0], ["20240202", "S3", "2026-10-09", "2026-10-12", "", "", "", ""]]
    sheet, _, _, what = only(again(plan, lists, after))
    assert sheet == "申请" and "“篮球”和“合唱”" in what


@pytest.mark.row("B1", "changzhi", "tianjin")
def test_b1_a_list_cannot_bring_more_children_than_a_session_has_places(plan: Plan, lists: Lists, content: Content) -> None:
    lists["课程"][1][7] = "1"
    sheet, _, _, what = only(plan(lists))
    assert sheet == "报名" and "报名 2 人，超过容量 1 人" in what
    standing = again(plan, lists, content)  # they were there before the places became fewer: a person has to think
    assert standing.ok and any("超过容量" in warning.what.zh for warning in standing.warnings)


@pytest.mark.row("B1", "changzhi", "tianjin")
def test_b1_the_menu_says_whom_a_session_is_for(plan: Plan, lists: Lists) -> None:
    lists["课程"] = [[*row, ("参加对象", "", "五、六年级", "")[n]] for n, row in enumerate(lists["课程"])]
    sheet, _, _, what = only(plan(lists))
    assert sheet == "报名" and "“篮球”的参加对象不包括三(2)班" in what
    lists["课程"][2][9] = "三至六年级"
    made = plan(lists)
    assert made.ok, said(made)
    assert apply(made, None).sessions[1].audience == {f"primary-{grade}" for grade in (3, 4, 5, 6)}
    lists["课程"][2][9] = "大孩子"
    assert "“大孩子”看不懂" in only(plan(lists))[3]


@pytest.mark.row("C1", *ALL)
def test_c1_a_whole_class_enters_a_session_only_with_an_application_of_each_pupil(plan: Plan, lists: Lists) -> None:
    for seat in range(3, 13):
        number = f"202402{seat:02d}"
        lists["学生"].append([number, f"同学{'一二三四五六七八九十甲乙丙'[seat]}", "", "三(2)班", str(seat), "", "", "", ""])
        lists["报名"].append([number, "S1", "2026-09-01", "", ""])
    lists["报名"][3][3] = ""
    sheet, _, _, what = only(plan(lists))
    assert sheet == "报名" and "三(2)班全班 12 人都报了“课业辅导”，没有申请编号" in what
    numbered = [[*row, f"2026-{n:04d}" if n else "申请编号"] for n, row in enumerate(lists["报名"])]
    made = plan({**lists, "报名": numbered})
    assert made.ok, said(made)
    assert {one.state for one in apply(made, None).applications} == {State.ACTIVE}
    numbered[4][5] = numbered[3][5]
    assert "已用于另一名学生" in only(plan({**lists, "报名": numbered}))[3]


@pytest.mark.row("C3", "changzhi")
def test_c3_a_list_that_nobody_corrected_does_not_bring_back_who_has_left(plan: Plan, lists: Lists, content: Content) -> None:
    lists["报名"] = [[*row, ("申请编号", "A-1", "A-2", "A-3")[n]] for n, row in enumerate(lists["报名"])]
    before = apply(plan(lists), None)
    book = Book(
        pupils={p.number: p for p in before.pupils}, sessions={s.id: s for s in before.sessions}, enrolments=before.enrolments,
        applications=before.applications,
    )  # fmt: skip
    left = withdraw(book, "A-2", date(2026, 10, 12), Press(today=date(2026, 10, 12), now_ms=0, by=1))
    office = replace(before, enrolments=left.enrolments, applications=left.applications, application_steps=left.steps)
    made = again(plan, lists, office)
    assert made.ok and any("按申请 A-2 办理" in warning.what.zh for warning in made.warnings), said(made)
    kept = {e.application: e.valid_to for e in apply(made, office).enrolments}
    assert kept["A-2"] == date(2026, 10, 11) and set(kept) == {"A-1", "A-2", "A-3"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", set()),
        ("全校", set()),
        ("一至三年级", {"primary-1", "primary-2", "primary-3"}),
        ("1-2年级", {"primary-1", "primary-2"}),
        ("三、四年级", {"primary-3", "primary-4"}),
        ("五年级、三(2)班", {"primary-5", "primary-2024-2"}),
        ("六～八年级", {"primary-6", "junior-1", "junior-2"}),
        ("初一、高二", {"junior-1", "senior-2"}),
        ("高中", {"senior-1", "senior-2", "senior-3"}),
    ],
)
def test_whom_a_session_is_for_is_read_as_schools_write_it(written: str, expected: set[str]) -> None:
    assert audience_of(written, school_year_start=2026, primary_years=6) == expected


@pytest.mark.parametrize("written", ["高个子", "三", "三、操场", "九至三年级", "二十年级", "0年级", "三(2)"])
def test_what_is_no_grade_and_no_class_is_not_guessed(written: str) -> None:
    with pytest.raises(AudienceUnclear):
        audience_of(written, school_year_start=2026, primary_years=6)


def test_an_audience_is_shown_in_words(content: Content) -> None:
    assert audience_words(frozenset({"primary-3", "primary-1", "primary-2024-2"}), content.classes) == "小学1、3年级、三(2)班"
    assert audience_words(frozenset(), ()) == "" and Stage.PRIMARY == "primary"
