"""Weekend days, holiday openings, weeks, six days for senior schools, no early dismissal: each through the day book or a gate."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kiosk.checking import check_config
from kiosk.core import commands as c
from kiosk.core.calendar import DayRule, DayType, Layer, resolve_day
from kiosk.core.people import Directory, Enrolment, Pupil, Session, Stage
from kiosk.core.school_plan import Level
from kiosk.core.timetable import DayBook, day_book
from kiosk.reports.day import day_report
from kiosk.reports.day_text import as_text
from kiosk.school_year import open_years
from kiosk.settings import Settings, SettingsError, load
from tests.policy.plans import of_rule, plain_plan
from tests.support.people import DAILY, small_school
from tests.support.school import CONFIG, School
from tests.year.cities import book_of, gate_in, minute, settings_of

SATURDAY, SUNDAY, WEEKDAY = date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)


# --- A2: a weekend day


@pytest.mark.row("A2", "changzhi")
def test_a2_on_the_weekend_day_only_weekend_sessions_run_for_those_who_enrolled_in_them(tmp_path: Path) -> None:
    school = gate_in("changzhi", tmp_path, day="2026-11-21", at="08:40")
    book = school.gate.world.book
    assert (book.day.type, book.day.after_school, set(book.session_times)) == (DayType.REST, True, {"W1"})
    assert school.duty().expected_today == 0, "nobody is late or absent from lessons that are not held"
    assert school.tap("李雷", "east-in").decision.reason == "recorded", "enrolled for the weekend day"
    assert school.tap("丁一", "east-in").decision.reason == "non_service_day", "enrolled for weekdays only"
    day = book.pupils[school.number("李雷")]
    assert [minute(book, t.start_ms) for t in day.sessions] == ["09:00"] and minute(book, day.release_opens_ms) == "11:00"
    school.close()


@pytest.mark.row("A2", "changzhi")
def test_a2_a_second_weekend_day_of_one_week_is_refused() -> None:
    calendar = replace(settings_of("changzhi").calendar)
    assert not of_rule("changzhi", plain_plan(calendar=calendar), "A2")
    both = replace(calendar, weekend_service=frozenset({6, 7}))
    assert [f.level for f in of_rule("changzhi", plain_plan(calendar=both), "A2")] == [Level.BLOCK]
    once_more = replace(calendar, school={**calendar.school, SUNDAY: DayRule(date=SUNDAY, after_school=True)})
    (finding,) = of_rule("changzhi", plain_plan(calendar=once_more), "A2")
    assert finding.level is Level.BLOCK and "2026-11-22" in finding.message
    moved = {SUNDAY: DayRule(date=SUNDAY, after_school=True), SATURDAY: DayRule(date=SATURDAY, after_school=False)}
    assert not of_rule("changzhi", plain_plan(calendar=replace(calendar, school={**calendar.school, **moved})), "A2")


# --- A15: the campus is open in the holidays


@pytest.mark.row("A15", "changzhi")
def test_a15_changzhi_opens_seven_days_in_winter_and_twenty_one_in_summer_and_they_are_not_the_service() -> None:
    year = open_years(settings_of("changzhi")).year(date(2026, 8, 1), WEEKDAY)
    opening = [d for d in year.days if d.type is DayType.OPENING]
    assert [sum(d.date.month in months for d in opening) for months in ((1, 2), (7, 8))] == [7, 21]
    assert not any(d.after_school for d in opening) and {d.decided_by for d in opening} == {Layer.TERM}
    weeks = {d.date.isocalendar()[:2] for d in opening} - {d.date.isocalendar()[:2] for d in year.days if d.after_school}
    assert weeks and year.weeks[0].planned == 40, "opening weeks are not counted among the weeks of service"


@pytest.mark.row("A15", "changzhi")
def test_a15_an_opening_day_has_its_own_sessions_windows_and_enrolment(tmp_path: Path) -> None:
    school = gate_in("changzhi", tmp_path, day="2027-01-25", at="08:40")
    book = school.gate.world.book
    assert book.day.type is DayType.OPENING and set(book.session_times) == {"H1"}
    day = book.pupils[school.number("李雷")]
    assert not day.service and not day.teaching and minute(book, day.release_opens_ms) == "11:30"
    assert school.tap("李雷", "east-in").decision.reason == "recorded"
    assert school.tap("韩梅", "east-in").decision.reason == "non_service_day"
    assert book_of("changzhi", "2027-02-01").day.type is DayType.VACATION
    school.close()


# --- A7: weeks, A8: six days


@pytest.mark.row("A7", "xiji")
def test_a7_the_counter_of_weeks_stands_beside_what_the_paper_asks() -> None:
    years = open_years(settings_of("xiji"))
    first = date(2026, 8, 1)
    (start,) = years.year(first, date(2026, 8, 31)).weeks
    (count,) = years.year(first, WEEKDAY).weeks
    assert count.demand is not None and (count.demand.weeks, count.demand.rule) == (40, "A7")
    assert (start.done, count.planned) == (0, 40)
    holiday_week = years.year(first, date(2026, 10, 7)).weeks[0].done
    assert holiday_week == years.year(first, date(2026, 9, 30)).weeks[0].done, "a week without a service day does not count"
    assert count.done == 13  # 13 weeks from 1 September to 23 November, less none but that of the holiday


def middle_school(**stages: frozenset[int]) -> Settings:
    """Junior and senior classes in one school of Xiji; lessons from Monday to Saturday, for those named only."""
    mine = settings_of("xiji")
    every = frozenset({1, 2, 3, 4, 5, 6})
    return replace(
        mine,
        calendar=replace(mine.calendar, teaching_weekdays=every, stage_weekdays=stages),
        school=replace(mine.school, stages=frozenset({Stage.JUNIOR, Stage.SENIOR})),
    )


def two_pupils() -> Directory:
    evening = Session(
        id="N1",
        name="晚自习",
        kind="evening_study",
        slot=0,
        weekdays=DAILY | {6},
        room="801",
        teacher=111,
        start_min=1110,
        end_min=1230,
    )
    plain = small_school().pupils[3]
    pupils = (
        replace(plain, number=1, school_number="1", stage=Stage.JUNIOR, grade=2, boarder=True),
        replace(plain, number=2, school_number="2", stage=Stage.SENIOR, grade=1),
    )
    return small_school(
        pupils=pupils,
        sessions=(evening,),
        enrolments=(Enrolment(child=2, session="N1"),),
        authorisations=(),
        restrictions=(),
        cards=(),
    )


@pytest.mark.row("A8", "xiji")
def test_a8_a_senior_school_has_six_days_and_the_juniors_beside_it_five() -> None:
    mine = middle_school(junior=frozenset({1, 2, 3, 4, 5}))
    book = day_book(SATURDAY, mine.calendar, mine.plan, two_pupils(), release_window_min=15)
    junior, senior = book.pupils[1], book.pupils[2]
    assert (senior.teaching, senior.service, [s.session for s in senior.sessions]) == (True, True, ["N1"])
    assert (junior.teaching, junior.service, junior.sessions) == (False, False, ())
    friday = day_book(date(2026, 11, 20), mine.calendar, mine.plan, two_pupils(), release_window_min=15)
    assert friday.pupils[1].teaching and friday.pupils[2].teaching
    stages = frozenset({Stage.JUNIOR, Stage.SENIOR})
    assert not of_rule("xiji", plain_plan(calendar=mine.calendar, stages=stages), "A8")
    assert not of_rule("xiji", plain_plan(calendar=mine.calendar, stages=stages), "A1.days")
    six = replace(mine.calendar, stage_weekdays={"junior": frozenset({1, 2, 3, 4, 5, 6})})
    assert [f.level for f in of_rule("xiji", plain_plan(calendar=six, stages=stages), "A1.days")] == [Level.BLOCK]


# --- A16: no early dismissal


def yueyang(tmp_path: Path, **edits: str) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    path = folder / "calendar.toml"
    path.write_text(path.read_text(encoding="utf-8") + edits["calendar"], encoding="utf-8")
    plan = folder / "plan.toml"
    plan.write_text(plan.read_text(encoding="utf-8") + '\n[profile.storm.dismissal]\n"*" = "14:00"\n', encoding="utf-8")
    return folder


@pytest.mark.row("A16", "yueyang")
def test_a16_a_whole_class_is_let_go_early_only_with_a_reason_and_it_stands_in_the_report_of_the_day(tmp_path: Path) -> None:
    row = '\n[[{layer}]]\ndate = 2026-11-23\ndismissal_profile = "storm"\nafter_school = false\n'
    for layer in ("day", "district_day", "override"):
        with pytest.raises(SettingsError) as refused:
            load(yueyang(tmp_path / layer, calendar=row.format(layer=layer)))
        assert f"{layer}[1].note" in str(refused.value)
    said = 'note = "暴雪橙色预警"\nauthor = "L1"\n'
    settings = load(yueyang(tmp_path, calendar=row.format(layer="override") + said))
    school = School(tmp_path / "state", "07:40", settings=settings)
    school.tap("李雷", "east-in")
    assert school.at("13:30").tap("李雷", "south-out").decision.outcome == "refused"
    assert school.at("14:01").tap("李雷", "south-out").decision.outcome == "granted"
    school.close()
    report = day_report(school.settings, tmp_path / "state", school.directory, WEEKDAY)
    assert report.document["calendar"]["early_dismissal"] == "storm"
    assert "提前放学 early dismissal: storm · 暴雪橙色预警 · L1" in as_text(report)


@pytest.mark.row("A16", "yueyang")
def test_a16_before_the_end_of_lessons_only_a_leave_slip_of_ones_own_opens_the_gate(tmp_path: Path) -> None:
    school = gate_in("yueyang", tmp_path, day="2026-11-23", at="07:45")
    for name in ("不参加", "李雷"):
        school.tap(name, "east-in")
    assert school.at("14:00").tap("不参加", "south-out").decision.reason == "not_yet_dismissed"
    teacher = school.number("杨老师")
    school.ask(
        c.GrantLeaveSlip(
            child=school.number("不参加"), from_ms=school.ms("13:50"), to_ms=school.ms("16:00"), by=teacher, alone=True
        )
    )
    assert school.at("14:01").tap("不参加", "south-out").decision.outcome == "granted"
    assert school.tap("李雷", "south-out").decision.outcome == "refused", "the slip is one child's"
    school.close()


# --- stages and kinds of schools


def pupil_of(stage: Stage, grade: int, **more: object) -> Pupil:
    return replace(small_school().pupils[3], number=1, stage=stage, grade=grade, **more)


def folder_with(tmp_path: Path, stages: str, primary_years: int) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    path = folder / "school.toml"
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("stages", "primary_years", "city", "variant"))]
    at = lines.index("[school]") + 1
    path.write_text(
        "\n".join([*lines[:at], 'city = "xiji"', f"stages = {stages}", f"primary_years = {primary_years}", *lines[at:]]),
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize(
    ("stages", "primary_years", "grades"),
    [
        ('["kindergarten"]', 6, ["kindergarten-1", "kindergarten-2", "kindergarten-3"]),
        ('["primary"]', 5, [f"primary-{n}" for n in range(1, 6)]),
        ('["primary", "junior"]', 5, [f"primary-{n}" for n in range(1, 6)] + [f"junior-{n}" for n in range(1, 5)]),
        ('["primary", "junior"]', 6, [f"primary-{n}" for n in range(1, 7)] + [f"junior-{n}" for n in range(1, 4)]),
        ('["senior"]', 6, ["senior-1", "senior-2", "senior-3"]),
    ],
)
def test_a_school_of_every_stage_has_settings_bells_and_a_day_book(
    tmp_path: Path, stages: str, primary_years: int, grades: list[str]
) -> None:
    settings = load(folder_with(tmp_path, stages, primary_years))
    sheet = open_years(settings).day(WEEKDAY, {})
    assert [f"{s}-{g}" for b in sheet.bells for s, g in b.grades] == grades and not sheet.gap
    assert not check_config(settings.folder, on=WEEKDAY).problems
    for name in grades:
        stage, grade = name.split("-")
        pupil = pupil_of(Stage(stage), int(grade), boarder=stage == "senior")
        book: DayBook = day_book(
            WEEKDAY, settings.calendar, settings.plan, replace(small_school(), pupils={1: pupil}), release_window_min=15
        )
        assert book.pupils[1].teaching and book.pupils[1].release_opens_ms >= book.pupils[1].dismissal_ms


def test_a_day_that_the_stages_do_not_share_shows_the_bells_of_those_who_have_lessons() -> None:
    years = open_years(middle_school(junior=frozenset({1, 2, 3, 4, 5})))
    saturday, friday = (years.day(on, {}) for on in (SATURDAY, date(2026, 11, 20)))
    assert {stage for b in saturday.bells for stage, _ in b.grades} == {Stage.SENIOR}
    assert {stage for b in friday.bells for stage, _ in b.grades} == {Stage.JUNIOR, Stage.SENIOR}


def test_a_day_that_the_stages_do_not_share_is_still_one_day_of_the_school() -> None:
    mine = middle_school(junior=frozenset({1, 2, 3, 4, 5}))
    assert resolve_day(SATURDAY, mine.calendar).type is DayType.TEACHING
    assert resolve_day(SATURDAY, mine.calendar.of_stage("junior")).type is DayType.REST
    assert resolve_day(SATURDAY, mine.calendar.of_stage("senior")).type is DayType.TEACHING
