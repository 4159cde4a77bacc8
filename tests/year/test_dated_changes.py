"""What changes inside a term leaves the days before it as they were: sessions by date, bells by date, across a running gate."""

from __future__ import annotations

import csv
import io
import sqlite3
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from kiosk import directory_schema
from kiosk.core import roster as r
from kiosk.core.calendar import Season
from kiosk.core.people import Directory, Session
from kiosk.core.timetable import DayBook, day_book
from kiosk.directory import index, load
from kiosk.importing import ImportPlan, Source, apply, plan_import
from kiosk.importing.rows import rows_of
from tests.importing.conftest import GATES, SCHOOL
from tests.importing.saying import only
from tests.support.people import SESSIONS, small_school
from tests.support.school import School
from tests.year.cities import minute, settings_of

LAST_WEEK, NEXT_WEEK = date(2026, 11, 18), date(2026, 11, 25)  # both Wednesdays
HEADER = ["课程编号", "课程名称", "类型", "时段", "星期", "教室", "负责教师", "容量", "含体育", "有效期起", "有效期止"]
BEFORE = ["S2", "篮球", "体育", "2", "一、三", "操场", "T002", "20", "是", "", "2026-11-20"]
AFTER = ["S2", "篮球", "体育", "2", "三、五", "体育馆", "T001", "25", "是", "2026-11-23", ""]


def imported(*sessions: list[str], current: Directory | None = None) -> ImportPlan:
    lists = deepcopy(SCHOOL)
    lists["课程"] = [HEADER, *([*row, "", ""] for row in SCHOOL["课程"][1:] if row[0] != "S2"), *sessions]
    sources = []
    for name, rows in lists.items():
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        sources.append(Source(f"{name}.csv", text.getvalue().encode("utf-8-sig")))
    return plan_import(sources, current, school_year_start=2026, gates=GATES)


def book_on(on: date, directory: Directory) -> DayBook:
    mine = settings_of("changzhi")
    return day_book(on, mine.calendar, mine.plan, directory, release_window_min=15)


@pytest.mark.row("B5", "changzhi", "yueyang")
def test_b5_a_session_that_changes_inside_a_term_keeps_its_past_and_has_its_future() -> None:
    plan = imported(BEFORE, AFTER)
    assert plan.ok, plan.problems
    people = index(apply(plan, None), number=1, made_at_ms=0)
    t1, t2 = people.by_staff_number["T001"], people.by_staff_number["T002"]
    before, after = book_on(LAST_WEEK, people), book_on(NEXT_WEEK, people)
    assert (before.session_times["S2"].teacher, before.session_times["S2"].room) == (t2, "操场")
    assert (after.session_times["S2"].teacher, after.session_times["S2"].room) == (t1, "体育馆")
    monday, friday = date(2026, 11, 16), date(2026, 11, 27)
    assert "S2" in book_on(monday, people).session_times and "S2" not in book_on(date(2026, 11, 23), people).session_times
    assert "S2" in book_on(friday, people).session_times and "S2" not in book_on(date(2026, 11, 20), people).session_times
    assert (people.on(LAST_WEEK).sessions["S2"].capacity, people.on(NEXT_WEEK).sessions["S2"].capacity) == (20, 25)
    assert people.on(date(2026, 11, 21)).sessions["S2"].teacher == t2, "between two rows it has a name and does not run"


def test_last_week_recomputes_to_last_weeks_result_after_the_edit() -> None:
    undated = [*BEFORE[:-1], ""]
    old = index(apply(imported(undated), None), number=1, made_at_ms=0)
    new = index(apply(imported(BEFORE, AFTER, current=old), None), number=2, made_at_ms=0)
    assert book_on(LAST_WEEK, new) == book_on(LAST_WEEK, old)
    assert book_on(NEXT_WEEK, new) != book_on(NEXT_WEEK, old)


def test_a_dry_run_shows_a_dated_change_and_the_same_list_again_changes_nothing() -> None:
    first = imported(BEFORE)
    people = index(apply(first, None), number=1, made_at_ms=0)
    again = imported(BEFORE, AFTER, current=people)
    (change,) = next(kind for kind in again.diff if kind.name == "课程").changed
    assert change.fields["以后各段"] == ("", "2026-11-23– 篮球 三五 体育馆 T001 25")
    both = index(apply(again, None), number=2, made_at_ms=0)
    assert not imported(BEFORE, AFTER, current=both).diff
    assert [row.room for row in rows_of(both).sessions["S2"].periods] == ["操场", "体育馆"]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (["S2", "篮球", "体育", "2", "三", "体育馆", "T001", "25", "是", "2026-11-20", ""], "重叠"),
        (["S2", "篮球", "体育", "1", "三", "体育馆", "T001", "25", "是", "2026-11-23", ""], "不一致"),
        (["S2", "篮球", "体育", "2", "三", "体育馆", "T001", "25", "是", "2026-11-23", "2026-11-01"], "有效期止早于有效期起"),
        (["S2", "篮球", "体育", "2", "三", "体育馆", "T001", "25", "是", "", ""], "重叠"),
    ],
)
def test_rows_of_one_session_that_cannot_stand_side_by_side_are_refused(second: list[str], words: str) -> None:
    assert words in only(imported(BEFORE, second))[3]


def test_a_snapshot_of_before_is_read_with_undated_sessions(tmp_path: Path) -> None:
    path = tmp_path / "directory.db"
    connection = sqlite3.connect(path)  # as the version before wrote it
    connection.execute(f"PRAGMA application_id = {directory_schema.APPLICATION_ID}")
    before = Migrations(directory_schema.MIGRATION_SET)
    for step in directory_schema.MIGRATIONS[:3]:
        before(name=step.__name__)(step)
    before.apply(Database(connection))
    connection.execute(
        "INSERT INTO sessions VALUES ('S2', '美术社团', 'arts', 2, '1,3', '美术室', 112, 20, 0, NULL, NULL, '', '')"
    )
    meta = [("number", "1"), ("made_at_ms", "0"), ("next_number", "200"), ("school_year_start", "2026")]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
    connection.execute("INSERT INTO meta VALUES ('digest', ?)", [directory_schema.digest_of(connection)])
    connection.commit()
    connection.close()
    found = load(path)
    art = replace(SESSIONS[1], weekdays=frozenset({1, 3}))
    assert found.sessions == {"S2": art} and found.session_rows == {"S2": (art,)} and found.on(LAST_WEEK) is found


def _with_change() -> Directory:
    art = SESSIONS[1]
    later = replace(art, teacher=111, room="201", valid_from=date(2026, 11, 24))
    rows: tuple[Session, ...] = (SESSIONS[0], replace(art, valid_to=date(2026, 11, 23)), later, SESSIONS[2])
    return small_school(sessions=rows)


@pytest.mark.row("B5", "changzhi", "yueyang")
def test_b5_a_running_gate_takes_up_the_new_teacher_at_midnight(tmp_path: Path) -> None:
    school = School(tmp_path, "23:50", directory=_with_change())
    assert school.gate.world.directory.sessions["S2"].teacher == 112
    school.at("2026-11-24T07:40")
    world = school.gate.world
    assert (world.directory.sessions["S2"].teacher, world.book.session_times["S2"].room) == (111, "201")
    school.tap("丁一", "east-in")
    school.at(f"2026-11-24T{minute(world.book, world.book.session_times['S2'].start_ms)}")
    assert school.tap("丁一", "room-201").decision.reason == "on_time"
    roster = school.look(r.RosterQuery("session:S2"))
    assert (roster.teacher_name, roster.room) == ("李老师", "201")
    school.restart()
    assert school.gate.world.directory.sessions["S2"].teacher == 111
    school.close()


@pytest.mark.row("A6", "xiji", "yueyang")
@pytest.mark.parametrize("city", ["xiji", "yueyang"])
def test_a6_new_times_inside_a_term_leave_the_windows_of_past_dates_as_they_were(city: str) -> None:
    mine, people = settings_of(city), small_school()
    changed = replace(
        mine.calendar,
        seasons=(
            Season(name="winter", first=date(2026, 10, 8), last=date(2026, 11, 22)),
            Season(name="early_dark", first=date(2026, 11, 23), last=date(2027, 4, 30), approval_ref="岳教函〔2026〕9号"),
        ),
    )
    winter = mine.plan.schedules["winter"]
    slots = tuple(replace(s, start_min=s.start_min - 10, end_min=s.end_min - 10) for s in winter.slots)
    plan = replace(mine.plan, schedules={**mine.plan.schedules, "early_dark": replace(winter, season="early_dark", slots=slots)})

    def ends(on: date, calendar: object = changed) -> list[str]:
        book = day_book(on, calendar, plan, people, release_window_min=15)
        return [minute(book, t.end_ms) for key, t in sorted(book.session_times.items()) if t.slot]

    for day in (16, 17, 18, 19, 20):
        assert ends(date(2026, 11, day)) == ends(date(2026, 11, day), mine.calendar), "last week's result, recomputed"
    assert ends(NEXT_WEEK) != ends(NEXT_WEEK, mine.calendar)
