"""Class-hours: credited to whoever was present, corrected by rows with a reason, locked by the month."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.reports.catalogue import make
from kiosk.reports.table import Report
from tests.support.report_rows import rows, total
from tests.support.service_journal import ServiceJournal

MON, TUE, WED = "2026-11-23", "2026-11-24", "2026-11-25"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ServiceJournal]:
    one = ServiceJournal(tmp_path / "state")
    one.check_in(MON, "S1", 111, "16:25")
    one.check_in(MON, "S1", 113, "16:26")
    one.session(MON, "S1", {3: "present"}, teachers=(111, 113))
    one.check_out(MON, "S1", 111, "17:31")
    one.check_in(TUE, "S1", 113, "16:28", standing_in_for=111, reason="sick")
    one.session(TUE, "S1", {3: "present"}, teachers=(113,), class_hours=1.5)
    yield one
    one.close()


def report(journal: ServiceJournal, period: str = "2026-11", city: str = "xiji") -> Report:
    books = journal.books(city=city)
    return make("class_hours", books, books.period(period))


@pytest.mark.row("E1", "xiji")
def test_e1_class_hours_go_to_whoever_was_present(journal: ServiceJournal) -> None:
    found = {row["name"]: row for row in rows(report(journal), "teachers")}
    keys = ("days", "sessions", "stood_in", "replaced", "class_hours")
    assert [found["李老师"][key] for key in keys] == [1, 1, 0, 1, 1.0]
    assert [found["吴老师"][key] for key in keys] == [2, 2, 1, 0, 2.5]
    (stood_in,) = rows(report(journal), "substitutions")
    assert [stood_in[key] for key in ("planned", "there", "why", "class_hours")] == ["李老师", "吴老师", "病假", 1.5]


@pytest.mark.row("E1", "xiji")
@pytest.mark.row("F1", "xiji")
def test_e1_the_file_has_every_coming_and_going(journal: ServiceJournal) -> None:
    first, second, third = rows(report(journal), "ledger")
    assert (first["name"], first["came"], first["went"]) == ("李老师", 1795422300000, 1795426260000)
    assert (second["name"], second["went"], third["for"]) == ("吴老师", None, "李老师")
    assert any("明细档案" in words.zh for words in report(journal).quoted)


@pytest.mark.row("E1", "xiji")
def test_e1_a_correction_is_a_new_row_with_its_reason_and_the_rows_add_up(journal: ServiceJournal) -> None:
    before = rows(report(journal), "ledger")
    journal.correct(TUE, "S1", on=WED, why="实为李老师", teachers=(111,))
    journal.correct(TUE, "S1", on=WED, why="按两课时", at="11:00", class_hours=2.0)
    after = report(journal)
    lines = rows(after, "ledger")
    assert [line for line in lines if not line["why"]] == before
    assert [(line["name"], line["class_hours"], line["why"]) for line in lines if line["why"]] == [
        ("吴老师", -1.5, "实为李老师"), ("李老师", 1.5, "实为李老师"), ("李老师", 0.5, "按两课时"),
    ]  # fmt: skip
    assert total(after, "ledger")["class_hours"] == total(after, "teachers")["class_hours"] == 4.0
    first, second = rows(after, "corrections")
    assert (first["teachers_before"], first["teachers_after"], second["hours_after"]) == ("吴老师", "李老师", 2.0)


@pytest.mark.row("E1", "xiji")
def test_e1_a_correction_of_a_locked_month_is_shown_as_such(journal: ServiceJournal) -> None:
    journal.lock("2026-11", "2026-12-01")
    journal.correct(MON, "S1", on="2026-12-02", why="漏签", teachers=(111,), locked=True)
    found = report(journal)
    assert [(row["month"], row["locked"], row["by"]) for row in rows(found, "locks")] == [("2026-11", 1, "办公室")]
    assert [row["locked"] for row in rows(found, "corrections")] == [1]


def test_a_teacher_who_was_erased_stays_in_the_sums(journal: ServiceJournal) -> None:
    from tests.support.people import STAFF, small_school

    staff = tuple(one for one in STAFF if one.number != 113)
    books = journal.books(city="xiji", directory=small_school(staff=staff))
    found = make("class_hours", books, books.period("2026-11"))
    assert total(found, "teachers") == total(report(journal), "teachers")
    assert "#113" in str(list(found.sheets[0].rows))
