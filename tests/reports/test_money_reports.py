"""Funding and fees: what counts, what is left out and by which clause, what each city's paper allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk.core.people import Enrolment, Stage
from kiosk.reports.asking import Asked, NoReport
from kiosk.reports.catalogue import make
from kiosk.reports.table import Report, ReportLocked
from kiosk.settings import load
from tests.support.people import ENROLMENTS, PUPILS, STAFF, small_school
from tests.support.report_rows import rows, total
from tests.support.school import CONFIG
from tests.support.service_journal import ServiceJournal

OCT, MON, TUE = "2026-10-30", "2026-11-23", "2026-11-24"
INNER = {"variant": "inner_six", "stages": frozenset({Stage.PRIMARY, Stage.JUNIOR})}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ServiceJournal]:
    one = ServiceJournal(tmp_path / "state")
    one.session(OCT, "S1", {3: "present", 4: "absent_unexplained"})
    one.session(MON, "S1", {3: "present", 4: "late"}, teachers=(111, 113), class_hours=1.5)
    one.session(MON, "S2", {3: "leave_sick", 5: "absent_unexplained"})
    one.session(MON, "E1", {6: "present"}, kind="evening_study")
    one.session(TUE, "S1", {3: "present", 4: "leave_personal"}, guests=(8,))
    yield one
    one.close()


def report(journal: ServiceJournal, id: str, period: str, city: str, asked: Asked | None = None, **more: Any) -> Report:
    books = journal.books(city=city, **more)
    return make(id, books, books.period(period), asked or Asked())


def approved(on: date | None) -> Any:
    return replace(load(CONFIG).service, approved_on=on)


# --- E2 ---------------------------------------------------------------------------------------------------


@pytest.mark.row("E2", "xiji")
def test_e2_a_group_hour_counts_once_and_an_empty_group_is_flagged_and_does_not(journal: ServiceJournal) -> None:
    found = report(journal, "funding", "2026-11", "xiji")
    lines = {(row["day"], row["session"]): row for row in rows(found, "groups")}
    two, empty = lines[date(2026, 11, 23), "五年级作业辅导"], lines[date(2026, 11, 23), "美术社团"]
    assert [two[key] for key in ("there", "counted", "yuan", "empty")] == [2, 1.5, 45, 0]
    assert [empty[key] for key in ("there", "class_hours", "counted", "yuan", "empty")] == [0, 1.0, 0.0, 0, 1]
    assert [total(found, "months")[key] for key in ("sessions", "empty", "class_hours", "yuan")] == [3, 1, 3.5, 105]
    assert any("每班每课时30元" in words.zh for words in found.quoted)


@pytest.mark.row("E2", "xiji")
def test_e2_a_term_adds_up_its_months(journal: ServiceJournal) -> None:
    found = report(journal, "funding", "2026_autumn", "xiji")
    assert [(row["month"], row["yuan"]) for row in rows(found, "months")] == [
        ("2026-09", 0), ("2026-10", 30), ("2026-11", 105), ("2026-12", 0), ("2027-01", 0),
    ]  # fmt: skip
    assert total(found, "months")["yuan"] == total(found, "groups")["yuan"] == 135


@pytest.mark.row("E2", "xiji")
def test_e2_teachers_have_hours_and_no_yuan(journal: ServiceJournal) -> None:
    found = report(journal, "funding", "2026-11", "xiji")
    assert [column.key for column in found.sheets[2].columns] == ["staff_number", "name", "class_hours"]
    assert [(row["name"], row["class_hours"]) for row in rows(found, "teachers")] == [("李老师", 2.5), ("吴老师", 2.5)]
    assert any("不得平均发放" in words.zh for words in found.quoted)


@pytest.mark.row("E2", "xiji")
def test_e2_a_correction_changes_the_yuan(journal: ServiceJournal) -> None:
    journal.correct(MON, "S2", on=TUE, why="迟到未记", states={5: "late"})
    assert total(report(journal, "funding", "2026-11", "xiji"), "months")["yuan"] == 135


def test_where_the_paper_is_silent_on_funding_it_says_so_and_has_no_yuan(journal: ServiceJournal) -> None:
    found = report(journal, "funding", "2026-11", "luoyang")
    assert total(found, "months")["yuan"] is None and total(found, "months")["class_hours"] == 3.5
    assert "洛教基〔2022〕30号没有规定经费核算" in found.quoted[0].zh


@pytest.mark.row("F7", "changzhi", "xiji", "luoyang", "yueyang")
@pytest.mark.parametrize("city", ["changzhi", "xiji", "luoyang", "yueyang"])
def test_f7_what_is_put_up_has_no_personal_data(journal: ServiceJournal, city: str) -> None:
    found = report(journal, "publicity", "2026_autumn", city)
    told = str([(list(one.rows), one.total, one.columns) for one in found.sheets]) + str(found.facts)
    names = [one.name for one in PUPILS] + [one.name for one in STAFF]
    assert not [name for name in names if name in told]
    assert not [number for one in PUPILS if (number := one.school_number) in told]
    assert total(found, "months")["there"] == 6


# --- E5 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("city", "clause", "paper"),
    [
        pytest.param("xiji", "学校不得向学生家长收取", "《", marks=pytest.mark.row("E5", "xiji")),
        pytest.param(
            "changzhi", "收费标准未出台之前，学校不得向学生收取课后服务费", "《", marks=pytest.mark.row("E5", "changzhi")
        ),
    ],
)
def test_e5_where_families_must_not_be_charged_the_clause_stands_in_the_way(
    journal: ServiceJournal, city: str, clause: str, paper: str
) -> None:
    with pytest.raises(ReportLocked, match=clause) as refused:
        report(journal, "fee_basis", "2026-11", city)
    policy = journal.books(city=city).policy
    assert policy is not None and str(policy.rules[0].document) in str(refused.value) and paper in str(refused.value)


@pytest.mark.row("E5", "tianjin")
def test_e5_by_month_and_pupil_with_days_cap_and_reduction(journal: ServiceJournal) -> None:
    asked = Asked(reduced=frozenset({"20260004"}))
    found = report(journal, "fee_basis", "2026-11", "tianjin", asked, school=INNER)
    lines = {row["name"]: row for row in rows(found, "service")}
    keys = ("expected", "attended", "billable", "cap", "reduced")
    assert [lines["李雷"][key] for key in keys] == [2, 2, 1, 180, 0]
    assert [lines["韩梅"][key] for key in keys] == [2, 1, 1, 180, 1]
    assert [lines["丁一"][key] for key in keys] == [1, 0, 0, None, 0]
    assert [lines["不参加"][key] for key in keys] == [0, 1, 1, 180, 0]
    assert [total(found, "service")[key] for key in ("attended", "billable", "cap")] == [4, 3, 540]
    assert {"180元" in words.zh for words in found.quoted} == {True, False}


@pytest.mark.row("E5", "tianjin")
def test_e5_evening_study_is_a_line_of_its_own_and_gone_under_the_overlay(journal: ServiceJournal) -> None:
    plain = report(journal, "fee_basis", "2026-11", "tianjin", school=INNER)
    assert [(row["name"], row["attended"], row["cap"]) for row in rows(plain, "evening")] == [("欧阳娜", 1, 100)]
    laid = report(journal, "fee_basis", "2026-11", "tianjin", school=INNER, overlay=True)
    assert "evening" not in [one.id for one in laid.sheets]
    (evening,) = [row for row in rows(laid, "excluded") if row["kind"] == "晚自习"]
    assert (evening["sessions"], evening["there"]) == (1, 1) and "不得纳入课后服务范围" in str(evening["why"])


@pytest.mark.row("E5", "tianjin")
def test_e5_a_rate_above_the_cap_is_listed_as_the_cap(journal: ServiceJournal) -> None:
    fees = replace(load(CONFIG).fees, cny=200)
    found = report(journal, "fee_basis", "2026-11", "tianjin", school=INNER, fees=fees)
    assert total(found, "service")["rate"] == 540
    found = report(journal, "fee_basis", "2026-11", "tianjin", school=INNER, fees=replace(fees, cny=150))
    assert total(found, "service")["rate"] == 450


SIGNED = tuple(replace(one, agreement="XY-07") if one.child == 3 else one for one in ENROLMENTS)


@pytest.mark.row("E5", "yueyang")
@pytest.mark.row("F5", "yueyang")
def test_e5_f5_once_a_term_with_an_agreement_and_only_after_approval(journal: ServiceJournal) -> None:
    school: Any = {"directory": small_school(enrolments=SIGNED)}
    for missing in (None, date(2027, 1, 1), date(2026, 3, 2)):  # not at all, not yet, that of the term before
        with pytest.raises(ReportLocked, match="须经审核同意后方可收费"):
            report(journal, "fee_basis", "2026_autumn", "yueyang", service=approved(missing), **school)
    found = report(journal, "fee_basis", "2026_autumn", "yueyang", service=approved(date(2026, 9, 10)), **school)
    assert [(row["name"], row["agreement"], row["attended"], row["once"]) for row in rows(found, "term")] == [
        ("李雷", "XY-07", 3, 1)
    ]
    assert [(row["name"], row["why"]) for row in rows(found, "without")] == [
        ("欧阳娜", "未签协议"), ("韩梅", "未签协议"), ("不参加", "未签协议"),
    ]  # fmt: skip
    with pytest.raises(NoReport, match="按学期"):
        report(journal, "fee_basis", "2026-11", "yueyang", service=approved(date(2026, 9, 10)), **school)


def test_an_agreement_of_another_term_does_not_count(journal: ServiceJournal) -> None:
    old = Enrolment(child=3, session="S1", valid_from=date(2026, 2, 1), valid_to=date(2026, 7, 1), agreement="XY-01")
    found = report(
        journal, "fee_basis", "2026_autumn", "yueyang", service=approved(date(2026, 9, 10)),
        directory=small_school(enrolments=(old, *ENROLMENTS)),
    )  # fmt: skip
    assert rows(found, "term") == []


def test_where_the_paper_is_silent_on_fees_it_says_so(journal: ServiceJournal) -> None:
    found = report(journal, "fee_basis", "2026-11", "luoyang")
    assert "没有规定收费" in found.quoted[0].zh and total(found, "service")["cap"] is None


def test_sums_of_money_stay_when_a_child_is_erased(journal: ServiceJournal) -> None:
    left = small_school(pupils=tuple(one for one in PUPILS if one.number != 3), enrolments=(), authorisations=())
    for id, city, school in (("funding", "xiji", {}), ("fee_basis", "tianjin", INNER), ("publicity", "xiji", {})):
        before = report(journal, id, "2026-11", city, school=school)
        after = report(journal, id, "2026-11", city, school=school, directory=left)
        assert [one.total for one in before.sheets] == [one.total for one in after.sheets]


@pytest.mark.row("E5", "yueyang")
def test_e5_who_signed_counts_once_a_term_after_being_erased_too(tmp_path: Path) -> None:
    """The row of the archive says who had no agreement on that day; the list of people may have forgotten everybody."""
    school, left = small_school(enrolments=SIGNED), small_school(pupils=(), enrolments=(), authorisations=())
    one = ServiceJournal(tmp_path)
    one.session("2026-11-23", "S1", {3: "present", 4: "present"}, unsigned=(4,))
    one.session("2026-11-24", "S1", {3: "late", 4: "leave_sick"}, unsigned=(4,))
    found = [
        report(one, "fee_basis", "2026_autumn", "yueyang", service=approved(date(2026, 9, 10)), directory=people)
        for people in (school, left)
    ]
    one.close()
    assert [[sheet.total for sheet in each.sheets] for each in found] == [[sheet.total for sheet in found[0].sheets]] * 2
    assert [row["once"] for row in rows(found[1], "term")] == [1]


def test_a_holiday_opening_is_never_the_service_and_a_weekend_only_without_the_overlay(journal: ServiceJournal) -> None:
    journal.session("2026-11-28", "S2", {3: "present"}, kind="weekend")
    journal.session("2026-11-29", "S2", {3: "present"}, kind="holiday_open")
    plain = report(journal, "funding", "2026-11", "xiji")
    assert total(plain, "months")["yuan"] == 135
    laid = report(journal, "funding", "2026-11", "xiji", overlay=True)
    assert total(laid, "months")["yuan"] == 75
    left_out = {row["kind"]: row["class_hours"] for row in rows(laid, "excluded")}
    assert (left_out["双休日"], left_out["假期开放"], left_out["晚自习"], left_out["早到看护"]) == (1.0, 1.0, 1.0, 0.0)
