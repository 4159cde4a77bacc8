"""A day at a running gate, its sessions closed by their teachers, corrected by the office: the reports say what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiosk.core import commands_service as cs
from kiosk.core.service_records import SessionClosed
from kiosk.reports.asking import NOTHING
from kiosk.reports.books import open_books
from kiosk.reports.catalogue import make
from kiosk.reports.table import Report
from tests.support.report_rows import rows, total
from tests.support.school import School


def report(school: School, id: str, city: str, period: str = "2026-11-23") -> Report:
    settings = replace(school.settings, school=replace(school.settings.school, city=city))
    books = open_books(settings, school.state, school.directory, today=date(2026, 11, 24))
    return make(id, books, books.period(period), NOTHING)


def afternoon(school: School) -> None:
    """李雷 and 韩梅 come to S1, 王小红 is ill; 周老师 stands in for 李老师 and patrols are made."""
    for name in ("李雷", "韩梅"):
        school.tap(name, "south-in")
    school.at("16:25")
    for name in ("李雷", "韩梅"):
        school.tap(name, "room-201")
    assert school.ask(cs.CheckIn(session="S1", by=school.number("周老师"), reason="sick")).decision.outcome == "granted"
    school.at("16:33")
    school.roll("session:S1", "周老师", 李雷="present", 韩梅="present", 王小红="leave_sick")
    school.at("17:30")
    assert school.ask(cs.CloseSession(session="S1", by=school.number("周老师"))).decision.outcome == "granted"


@pytest.mark.row("E1", "xiji")
@pytest.mark.row("E2", "xiji")
def test_e1_e2_a_session_that_was_closed_is_attendance_class_hours_and_funding(school: School) -> None:
    afternoon(school)
    (row,) = rows(report(school, "attendance", "xiji"), "sessions")
    assert [row[key] for key in ("expected", "attended", "leave_sick", "teachers")] == [3, 2, 1, "周老师"]
    (teacher,) = [row for row in rows(report(school, "class_hours", "xiji"), "teachers") if row["sessions"]]
    assert (teacher["name"], teacher["stood_in"], teacher["class_hours"]) == ("周老师", 1, 1.0)
    assert total(report(school, "funding", "xiji", "2026-11"), "months")["yuan"] == 30


@pytest.mark.row("F1", "tianjin", "yueyang")
def test_f1_a_correction_by_the_office_stands_beside_the_row(school: School) -> None:
    afternoon(school)
    (closed,) = school.entries("session_closed")
    told = school.ask(
        cs.CorrectSession(
            closed=str(closed.id),
            row=SessionClosed.of(closed.body),
            by=school.number("办公室"),
            note="家长说明早退",
            states={school.number("韩梅"): "left_early"},
        )
    )
    assert told.decision.outcome == "granted", told.decision
    for city in ("tianjin", "yueyang"):
        found = report(school, "archive", city)
        (row,) = rows(found, "corrections")
        assert [row[key] for key in ("name", "was", "now", "why", "by")] == ["韩梅", "出勤", "早退", "家长说明早退", "办公室"]
        assert rows(found, "sessions")[0]["left_early"] == 1
