"""Statistics, weeks, early arrivals, growth files, lists: what is counted, and of which cities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk.core.people import Stage
from kiosk.reports.asking import Asked
from kiosk.reports.catalogue import CATALOGUE, make
from kiosk.reports.table import Report, ReportLocked
from kiosk.settings import load
from tests.support.people import PUPILS, STAFF, small_school
from tests.support.report_rows import rows, total
from tests.support.school import CONFIG
from tests.support.service_journal import ServiceJournal

MON, TUE, WED, LATER = "2026-11-23", "2026-11-24", "2026-11-25", "2026-12-01"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ServiceJournal]:
    one = ServiceJournal(tmp_path / "state")
    for day in (MON, TUE, WED):
        one.session(day, "S1", {3: "present", 4: "leave_sick"})
    one.session(TUE, "S2", {3: "present", 5: "late", 6: "absent_unexplained"}, guests=(8,), partner="阳光艺术", teachers=(113,))
    one.session(LATER, "S1", {3: "absent_unexplained", 4: "present"})
    yield one
    one.close()


def report(journal: ServiceJournal, id: str, period: str, city: str, more: Any = None, **asked: Any) -> Report:
    books = journal.books(city=city, **(more or {}))
    return make(id, books, books.period(period), Asked(**asked))


# --- F4 ---------------------------------------------------------------------------------------------------


@pytest.mark.row("F4", "xiji", "luoyang", "yueyang")
@pytest.mark.parametrize("city", ["xiji", "luoyang", "yueyang"])
def test_f4_the_set_of_figures(journal: ServiceJournal, city: str) -> None:
    found = {str(row["key"]): row["count"] or row["class_hours"] or row["share"] for row in rows(
        report(journal, "statistics", "2026-H2", city), "figures"
    )}  # fmt: skip
    assert [found[key] for key in ("days", "sessions", "class_hours", "enrolled", "there", "teachers", "outside_staff")] == [
        4, 5, 5.0, 4, 4, 1, 1,
    ]  # fmt: skip
    assert [found[key] for key in ("expected_times", "attended_times", "guest_times")] == [11, 6, 1]
    assert found["rate"] == pytest.approx(6 / 11)
    # the first week ran on three days: 3 and 4 on each, 5, 6 and 8 on one; the second on one: 3 and 4
    assert [found[key] for key in ("full_weeks", "child_weeks", "full_share")] == [4, 7, 4 / 7]


@pytest.mark.row("F4", "luoyang", "yueyang")
@pytest.mark.parametrize(
    ("city", "today", "dues"),
    [
        ("luoyang", "2026-12-01", [date(2026, 12, 30), date(2027, 6, 30)]),
        ("yueyang", "2026-12-01", [date(2026, 12, 31), date(2027, 6, 30)]),
        ("luoyang", "2026-06-30", [date(2026, 6, 30), date(2026, 12, 30)]),
    ],
)
def test_f4_the_summary_has_the_citys_own_dates(journal: ServiceJournal, city: str, today: str, dues: list[date]) -> None:
    found = report(journal, "summary", "2026-H2", city, {"today": today})
    assert [row["due"] for row in rows(found, "dues")] == dues
    assert [(row["month"], row["sessions"]) for row in rows(found, "months")][-2:] == [("2026-11", 4), ("2026-12", 1)]


@pytest.mark.row("F4", "xiji")
def test_f4_figures_for_the_direct_report_by_grade(journal: ServiceJournal) -> None:
    found = report(journal, "statistics", "2026_autumn", "xiji")
    assert any("及时、准确上报课后服务开展情况" in words.zh for words in found.quoted)
    grades = {row["grade"]: row for row in rows(found, "grades")}
    assert [grades[5][key] for key in ("pupils", "enrolled", "there", "expected", "attended", "guests")] == [4, 3, 4, 10, 6, 1]
    assert [total(found, "grades")[key] for key in ("enrolled", "there", "expected", "attended")] == [4, 4, 11, 6]


def test_a_city_that_gives_no_dates_says_so(journal: ServiceJournal) -> None:
    found = report(journal, "summary", "2026-H2", "tianjin")
    (dues,) = [one for one in found.sheets if one.id == "dues"]
    assert list(dues.rows) == [] and "没有规定上报日期" in dues.notes[0].zh


def test_figures_hold_no_name_and_stay_when_a_child_is_erased(journal: ServiceJournal) -> None:
    left = small_school(pupils=tuple(one for one in PUPILS if one.number != 3), enrolments=(), authorisations=())
    names = [one.name for one in PUPILS] + [one.name for one in STAFF]
    for id in ("statistics", "summary", "weeks"):
        assert not CATALOGUE[id].names
        before = report(journal, id, "2026-H2", "xiji")
        after = report(journal, id, "2026-H2", "xiji", {"directory": left})
        told = str([(list(one.rows), one.total) for one in before.sheets])
        assert not [name for name in names if name in told]
        assert [one.total for one in before.sheets] == [one.total for one in after.sheets]
        counted = [[row for row in one.rows if row[0] != "pupils"] for one in before.sheets if one.id in ("figures", "stages")]
        assert counted == [
            [row for row in one.rows if row[0] != "pupils"] for one in after.sheets if one.id in ("figures", "stages")
        ]


# --- A7, A14 ----------------------------------------------------------------------------------------------


@pytest.mark.row("A7", "xiji")
def test_a7_weeks_that_ran_beside_those_asked_for(journal: ServiceJournal) -> None:
    journal.session("2026-12-09", "S1", {3: "absent_unexplained"})  # nobody there: no week of the service
    found = report(journal, "weeks", "2026_autumn", "xiji")
    (primary,) = rows(found, "stages")
    assert [primary[key] for key in ("held", "asked", "counter", "warning")] == [2, 40, "已开展 2/40 周", "少于规定"]
    assert any("每学年按40周安排课后服务" in words.zh for words in found.quoted)
    assert [row["days"] for row in rows(found, "weeks")] == [3, 1]


@pytest.mark.row("A7", "xiji")
def test_a7_a_senior_school_counts_to_42(journal: ServiceJournal) -> None:
    school = {"school": {"stages": frozenset({Stage.PRIMARY, Stage.SENIOR})}}
    found = {row["stage"]: row for row in rows(report(journal, "weeks", "2026-11", "xiji", school), "stages")}
    assert (found["小学"]["counter"], found["高中"]["counter"]) == ("已开展 1/40 周", "已开展 0/42 周")


def test_weeks_of_a_silent_city_are_counted_without_a_target(journal: ServiceJournal) -> None:
    found = report(journal, "weeks", "2026_autumn", "yueyang")
    assert rows(found, "stages")[0]["counter"] == "已开展 2 周" and "没有规定每学年周数" in found.quoted[0].zh


@pytest.mark.row("A14", "luoyang")
def test_a14_classes_in_which_many_come_early_are_listed_by_the_week(journal: ServiceJournal) -> None:
    for day in ("2026-12-07", "2026-12-08"):
        for child in (3, 4, 5):
            journal.tap(day, child, "07:05", reason="early_arrival" if child != 5 else "recorded")
        journal.tap(day, 1, "07:40", reason="recorded")
    journal.tap("2026-12-08", 5, "12:40", reason="early_arrival")  # came a second time: the first one of a day counts
    journal.tap("2026-12-14", 3, "07:05", reason="early_arrival")  # the week after
    found = report(journal, "early_arrivals", "2026-W50", "luoyang")
    assert [(row["class"], row["came"], row["early"], row["children"]) for row in rows(found, "classes")] == [
        ("一(1)班", 2, 0, 0), ("五(1)班", 6, 4, 2),
    ]  # fmt: skip
    assert [row["class"] for row in rows(found, "suspects")] == ["五(1)班"]
    assert any("变相要求学生提前到校" in words.zh for words in found.quoted)
    assert not [one.name for one in PUPILS if one.name in str([list(sheet.rows) for sheet in found.sheets])]


# --- F3, C5, E6 -------------------------------------------------------------------------------------------


@pytest.mark.row("F3", "luoyang")
@pytest.mark.row("D1", "luoyang")
def test_f3_the_growth_file_of_a_child_has_attendance_courses_and_the_last_note(journal: ServiceJournal) -> None:
    journal.growth(TUE, 3, "初稿")
    journal.growth(WED, 3, "喜欢水彩，构图有想法")
    journal.growth(WED, 3, "作业专注", by=111)
    journal.growth(WED, 5, "别人的")
    found = report(journal, "growth", "2026_autumn", "luoyang", child=3)
    assert [(row["session"], row["attended"], row["expected"]) for row in rows(found, "courses")] == [
        ("五年级作业辅导", 3, 4), ("美术社团", 1, 1),
    ]  # fmt: skip
    assert [row["note"] for row in rows(found, "notes")] == ["喜欢水彩，构图有想法", "作业专注"]
    assert found.facts is not None and (found.facts["child"], found.facts["days"], found.facts["rate"]) == ("李雷", 3, 0.8)
    assert "韩梅" not in str([list(one.rows) for one in found.sheets]) and found.signed
    assert any("成长档案" in words.zh for words in found.quoted)


@pytest.mark.row("F3", "luoyang")
def test_f3_the_list_of_a_class_has_no_texts(journal: ServiceJournal) -> None:
    journal.growth(WED, 3, "喜欢水彩")
    found = report(journal, "growth", "2026_autumn", "luoyang", class_id="primary-2022-1")
    assert [(row["name"], row["notes"]) for row in rows(found, "pupils")] == [
        ("李雷", 1),
        ("韩梅", 0),
        ("丁一", 0),
        ("不参加", 0),
    ]
    assert "水彩" not in str([list(one.rows) for one in found.sheets])


def test_an_erased_note_leaves_a_line_that_says_so(journal: ServiceJournal) -> None:
    journal.growth(WED, 3, "喜欢水彩")
    journal.journal._db.execute("DELETE FROM notes")
    (note,) = rows(report(journal, "growth", "2026_autumn", "luoyang", child=3), "notes")
    assert "已删除" in str(note["note"])


@pytest.mark.row("C5", "changzhi", "xiji", "tianjin", "luoyang")
@pytest.mark.parametrize("city", ["changzhi", "xiji", "tianjin", "luoyang"])
def test_c5_whoever_took_part_is_listed_by_session_for_the_survey(journal: ServiceJournal, city: str) -> None:
    found = report(journal, "participants", "2026_autumn", city)
    assert [(row["session"], row["name"]) for row in rows(found, "participants")] == [
        ("五年级作业辅导", "李雷"), ("五年级作业辅导", "韩梅"),
        ("美术社团", "李雷"), ("美术社团", "丁一"), ("美术社团", "不参加"),
    ]  # fmt: skip
    only = rows(report(journal, "participants", "2026_autumn", city, session="S2"), "participants")
    assert len(only) == 3


@pytest.mark.row("E6", "luoyang")
def test_e6_attendance_of_each_provider(journal: ServiceJournal) -> None:
    found = report(journal, "providers", "2026-11", "luoyang")
    (provider,) = rows(found, "providers")
    assert [provider[key] for key in ("partner", "sessions", "expected", "attended", "guests")] == ["阳光艺术", 1, 3, 2, 1]
    assert [row["name"] for row in rows(found, "pupils")] == ["欧阳娜", "李雷", "丁一", "不参加"]
    assert any("代收费标准" in words.zh for words in found.quoted)
    assert rows(report(journal, "providers", "2026-11", "luoyang", partner="别家"), "providers") == []


# --- all of them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("city", ["", "changzhi", "xiji", "tianjin", "luoyang", "yueyang"])
def test_every_report_is_made_for_every_city_also_of_nothing(journal: ServiceJournal, city: str) -> None:
    """Each row has a value for each column, and an inspector's has no name in it."""
    service = replace(load(CONFIG).service, approved_on=date(2026, 9, 8))
    names = [one.name for one in PUPILS] + [one.name for one in STAFF]
    books = journal.books(city=city, overlay=True, service=service, school={"variant": "inner_six" if city == "tianjin" else ""})
    for listed in CATALOGUE.values():
        for text in ("2026-11", "2026_autumn", "2025-11", "2026-W48"):
            period = books.period(text)
            if period.kind not in listed.periods:
                continue
            try:
                found = make(listed.id, books, period, Asked(masked=True))
            except ReportLocked:
                assert listed.id == "fee_basis" and city in ("xiji", "changzhi")
                continue
            except LookupError:
                assert listed.id == "fee_basis" and city == "yueyang" and text != "2026_autumn"
                continue
            assert found.quoted and found.id == listed.id
            for sheet in found.sheets:
                every = [*sheet.rows, *([sheet.total] if sheet.total else [])]
                assert all(len(row) == len(sheet.columns) for row in every), (listed.id, sheet.id)
                keys = {column.key for column in sheet.columns}
                assert all({chart.categories, *chart.values} <= keys for chart in sheet.charts)
                assert not [name for name in names if name in str(every)], (listed.id, sheet.id)
