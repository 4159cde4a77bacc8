"""Attendance: what counts as expected and attended, and that every sheet adds up to the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.directory_schema import Content
from kiosk.reports.asking import Asked
from kiosk.reports.catalogue import CATALOGUE, NoReport, make
from kiosk.reports.table import Report
from tests.support.people import PUPILS, small_school
from tests.support.report_rows import rows, total
from tests.support.service_journal import ServiceJournal

MON, TUE = "2026-11-23", "2026-11-24"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ServiceJournal]:
    one = ServiceJournal(tmp_path / "state")
    one.session(MON, "S1", {3: "present", 4: "late", 2: "moved"}, guests=(8,))
    one.session(MON, "S2", {3: "left_early", 5: "leave_sick", 6: "absent_unexplained"})
    one.session(TUE, "S1", {3: "present", 4: "leave_personal", 2: "present"})
    yield one
    one.close()


def attendance(journal: ServiceJournal, period: str = "2026-11", **more: object) -> Report:
    asked = Asked(**more.pop("asked", {}))
    books = journal.books(**more)
    return make("attendance", books, books.period(period), asked)


def test_moved_children_are_not_expected_and_guests_are_counted_apart(journal: ServiceJournal) -> None:
    (first, second, _) = rows(attendance(journal), "sessions")
    assert [first[key] for key in ("expected", "attended", "rate", "late", "moved", "guests")] == [2, 2, 1.0, 1, 1, 1]
    assert [second[key] for key in ("expected", "attended", "left_early", "leave_sick", "absent_unexplained")] == [3, 1, 1, 1, 1]


@pytest.mark.row("D1", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", ["changzhi", "xiji", "tianjin", "yueyang"])
def test_d1_every_sheet_has_the_same_sums(journal: ServiceJournal, city: str) -> None:
    report = attendance(journal, city=city)
    keys = ("expected", "attended", "late", "left_early", "leave_sick", "leave_personal", "absent_unexplained", "moved", "guests")
    sums = [[total(report, id)[key] for key in keys] for id in ("sessions", "days", "classes", "pupils")]
    assert sums == [[8, 5, 1, 1, 1, 1, 1, 1, 1]] * 4
    assert any("考勤" in words.zh for words in report.quoted)


def test_a_pupil_who_was_there_twice_a_day_has_one_day(journal: ServiceJournal) -> None:
    found = {row["name"]: row for row in rows(attendance(journal), "pupils")}
    assert [found["李雷"][key] for key in ("days", "expected", "attended", "rate")] == [2, 3, 3, 1.0]
    assert [found["不参加"][key] for key in ("days", "expected", "attended", "guests", "rate")] == [1, 0, 0, 1, None]
    assert [found["王小红"][key] for key in ("days", "expected", "moved")] == [1, 1, 1]


def test_the_monthly_sheet_has_a_mark_for_every_session_in_order(journal: ServiceJournal) -> None:
    found = {row["name"]: row for row in rows(attendance(journal), "grid")}
    assert (found["李雷"][MON], found["李雷"][TUE]) == ("√退", "√")
    assert (found["韩梅"][MON], found["韩梅"][TUE], found["不参加"][MON]) == ("迟", "事", "临")


def test_a_day_has_neither_days_nor_a_monthly_sheet(journal: ServiceJournal) -> None:
    report = attendance(journal, MON)
    assert [one.id for one in report.sheets] == ["sessions", "pupils", "classes"]
    assert total(report, "sessions")["attended"] == 3


def test_of_one_child_or_one_class_there_is_nothing_of_the_others(journal: ServiceJournal) -> None:
    report = attendance(journal, asked={"child": 4})
    assert [row["name"] for row in rows(report, "pupils")] == ["韩梅"]
    assert all("李雷" not in str(row) for one in report.sheets for row in one.rows)
    report = attendance(journal, asked={"class_id": "primary-2024-1"})
    assert [row["name"] for row in rows(report, "pupils")] == ["王小红", "欧阳娜"]


def test_an_inspector_reads_masked_names_and_the_same_sums(journal: ServiceJournal) -> None:
    plain, masked = attendance(journal), attendance(journal, asked={"masked": True})
    text = str([list(one.rows) for one in masked.sheets])
    assert not [person.name for person in PUPILS if person.name in text] and "李*" in text and "2026-0003" not in text
    assert not [person.school_number for person in PUPILS if person.school_number in text]
    assert [one.total for one in plain.sheets] == [one.total for one in masked.sheets]


def test_sums_stay_when_a_child_is_erased(journal: ServiceJournal) -> None:
    before = attendance(journal)
    after = attendance(journal, directory=_without(3))
    for id in ("sessions", "days", "classes", "pupils"):
        assert total(before, id) == total(after, id)
    assert "李雷" not in str([list(one.rows) for one in after.sheets])
    assert [row["class"] for row in rows(after, "pupils") if row["name"] == "#3"] == ["（已删除）"]


def _without(child: int) -> object:
    left = tuple(pupil for pupil in PUPILS if pupil.number != child)
    empty = Content()
    return small_school(pupils=left, authorisations=empty.authorisations, enrolments=empty.enrolments)


def test_a_correction_changes_the_sums_and_the_row_says_so(journal: ServiceJournal) -> None:
    journal.correct(MON, "S2", on=TUE, why="补假条", states={6: "leave_sick"})
    report = attendance(journal)
    assert [total(report, "pupils")[key] for key in ("leave_sick", "absent_unexplained")] == [2, 0]
    assert [row["corrected"] for row in rows(report, "sessions")] == [0, 1, 0]


def test_a_guest_who_was_not_there_after_all_is_no_guest(journal: ServiceJournal) -> None:
    journal.correct(MON, "S1", on=TUE, why="看错了", states={8: "absent_unexplained"})
    found = total(attendance(journal), "sessions")
    assert (found["guests"], found["expected"]) == (0, 8)


def test_what_is_not_in_the_catalogue_is_refused(journal: ServiceJournal) -> None:
    books = journal.books()
    with pytest.raises(NoReport, match="attendance"):
        make("nothing", books, books.period("2026-11"))
    assert all(listed.id == id for id, listed in CATALOGUE.items())
