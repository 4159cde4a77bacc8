"""Minutes on duty, the month of a teacher, patrols, the archive: what each says, and of which cities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.core.entries import Fact, Kind
from kiosk.core.service_records import Remark
from kiosk.reports.asking import Asked
from kiosk.reports.catalogue import make
from kiosk.reports.table import Report
from tests.support.report_rows import rows, total
from tests.support.service_journal import ServiceJournal, ms

MON, TUE = "2026-11-23", "2026-11-24"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ServiceJournal]:
    one = ServiceJournal(tmp_path / "state")
    one.check_in(MON, "S1", 111, "16:20")
    one.write(Fact(Kind.ROLL_CALLED, {"roster": "session:S1", "day": MON, "by": 111, "marks": []}), at=ms(MON, "16:38"))
    one.check_in(MON, "S2", 111, "17:20", standing_in_for=112, reason="training")
    one.session(MON, "S1", {3: "present", 4: "late"}, exceptions=(Remark(what="guest", child=8),), guests=(8,))
    one.check_out(MON, "S1", 111, "17:35")
    one.session(MON, "S2", {3: "present", 5: "leave_sick"}, teachers=(111,), form="mixed")
    one.check_out(MON, "S2", 111, "18:40")
    one.check_in(TUE, "S1", 111, "16:35")
    one.session(TUE, "S1", {3: "present", 4: "absent_unexplained"})
    one.patrol(MON, "S1", "16:50")
    one.patrol(TUE, "S1", "16:40", "教室无人看管", finding="teacher_absent", teacher_present=False, counted=1)
    yield one
    one.close()


def report(journal: ServiceJournal, id: str, period: str = "2026-11", city: str = "luoyang", **asked: Any) -> Report:
    books = journal.books(city=city)
    return make(id, books, books.period(period), Asked(**asked))


@pytest.mark.row("E3", "changzhi", "tianjin", "luoyang")
@pytest.mark.parametrize("city", ["changzhi", "tianjin", "luoyang"])
def test_e3_minutes_on_duty_count_once_where_sessions_overlap(journal: ServiceJournal, city: str) -> None:
    found = report(journal, "flexible_hours", city=city)
    monday, tuesday = rows(found, "days")
    assert [monday[key] for key in ("sessions", "minutes", "guessed")] == [2, 140, 0]  # 16:20 to 18:40
    assert [tuesday[key] for key in ("sessions", "minutes", "guessed")] == [1, 55, 1]  # 16:35 to the planned end
    assert total(found, "teachers")["minutes"] == total(found, "days")["minutes"] == 195
    assert any("弹性" in words.zh for words in found.quoted)


def test_a_city_that_is_silent_on_flexible_hours_says_so(journal: ServiceJournal) -> None:
    assert "没有规定弹性上下班" in report(journal, "flexible_hours", city="yueyang").quoted[0].zh


@pytest.mark.row("E4", "luoyang")
def test_e4_the_month_of_a_teacher_has_punctuality_rolls_and_patrol_remarks(journal: ServiceJournal) -> None:
    (one,) = rows(report(journal, "teacher_month"), "teachers")
    keys = ("sessions", "class_hours", "stood_in", "on_time", "rolls", "patrols", "findings")
    assert [one[key] for key in keys] == [3, 3.0, 1, 2, 1, 2, 1]
    assert one["on_time_rate"] == pytest.approx(2 / 3) and one["remarks"] == "11-24 教师不在（教室无人看管）"
    assert one["rate"] == pytest.approx(4 / 6)
    assert any("按月对参与课后服务的教师进行考评" in words.zh for words in report(journal, "teacher_month").quoted)


@pytest.mark.row("F2", "luoyang")
def test_f2_sessions_that_nobody_looked_at_are_listed_and_the_day_says_so(journal: ServiceJournal) -> None:
    found = report(journal, "patrols")
    assert [(row["seen"], row["unseen"], row["verdict"]) for row in rows(found, "days")] == [(1, 1, "未巡查"), (1, 0, "已巡查")]
    assert [row["session"] for row in rows(found, "unseen")] == ["美术社团"]
    second = rows(found, "patrols")[1]
    assert [second[key] for key in ("expected", "counted", "teacher", "finding", "by")] == [3, 1, 0, "教师不在", "孙主任"]
    assert any("每天的课后服务开展情况进行巡查和记录" in words.zh for words in found.quoted)


@pytest.mark.row("F1", "tianjin", "yueyang")
@pytest.mark.parametrize("city", ["tianjin", "yueyang"])
def test_f1_every_session_has_number_content_time_form_teacher_room_and_remarks(journal: ServiceJournal, city: str) -> None:
    found = report(journal, "archive", city=city)
    first, second, _ = rows(found, "sessions")
    assert [first[key] for key in ("there", "kind", "from", "to", "form", "teachers", "room", "remarks")] == [
        3, "课业辅导", ms(MON, "16:30"), ms(MON, "17:30"), "班级", "李老师", "201", "临时参加（不参加）",
    ]  # fmt: skip
    assert (second["form"], second["planned"], second["teachers"]) == ("混编", "周老师", "李老师")
    assert str(first["entry"]).startswith("east/")


@pytest.mark.row("F1", "tianjin", "yueyang")
@pytest.mark.parametrize("city", ["tianjin", "yueyang"])
def test_f1_it_is_searched_by_day_session_pupil_and_text(journal: ServiceJournal, city: str) -> None:
    def found(period: str = "2026-11", **asked: Any) -> list[tuple[Any, Any]]:
        return [(row["day"], row["session"]) for row in rows(report(journal, "archive", period, city, **asked), "sessions")]

    assert len(found()) == 3 and len(found(MON)) == 2
    assert len(found(session="S1")) == 2 and len(found(text="美术")) == 1 and found(text="nothing") == []
    assert len(found(child=5)) == 1 and len(found(child=8)) == 1 and found(child=9) == []
    states = [row["state"] for row in rows(report(journal, "archive", city=city, child=4), "sessions")]
    assert states == ["迟到", "缺勤"]
    assert [row["state"] for row in rows(report(journal, "archive", city=city, child=8), "sessions")] == ["临时参加"]


@pytest.mark.row("F1", "tianjin", "yueyang")
@pytest.mark.parametrize("city", ["tianjin", "yueyang"])
def test_f1_the_row_stays_and_what_was_put_right_stands_beside_it(journal: ServiceJournal, city: str) -> None:
    journal.correct(TUE, "S1", on="2026-11-25", why="病假条", states={4: "leave_sick"})
    journal.correct(TUE, "S1", on="2026-11-26", why="又更正", states={4: "leave_personal"})
    found = report(journal, "archive", city=city)
    told = [(row["name"], row["was"], row["now"], row["why"]) for row in rows(found, "corrections")]
    assert told == [("韩梅", "缺勤", "病假", "病假条"), ("韩梅", "病假", "事假", "又更正")]
    assert rows(found, "sessions")[2]["corrections"] == 2
