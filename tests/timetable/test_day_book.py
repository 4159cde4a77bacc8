"""Everybody's windows on a date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from kiosk.core.people import Directory, Enrolment, Stage
from kiosk.core.timetable import (
    Calendar,
    DayBook,
    DayRule,
    DayType,
    Plan,
    PlanGap,
    PupilDay,
    Season,
    day_book,
    for_grade,
)

MakeCalendar = Callable[..., Calendar]
MakeDirectory = Callable[..., Directory]

SUMMER_TUESDAY, WINTER_WEDNESDAY = date(2026, 9, 8), date(2026, 11, 25)


def clock(at_ms: int) -> str:
    """HH:MM in China."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=8):%H:%M}"


def windows(day: PupilDay) -> tuple[str, str]:
    return clock(day.release_opens_ms), clock(day.release_due_ms)


@pytest.fixture
def book(calendar: MakeCalendar, plan: Plan) -> Callable[..., DayBook]:
    def make(on: date, directory: Directory, **changes: object) -> DayBook:
        return day_book(on, calendar(**changes), plan, directory, release_window_min=15)

    return make


MakeBook = Callable[..., DayBook]


def test_the_day_begins_at_local_midnight(book: MakeBook, one_pupil: MakeDirectory) -> None:
    today = book(SUMMER_TUESDAY, one_pupil())
    assert today.start_ms == int(datetime(2026, 9, 7, 16, tzinfo=UTC).timestamp() * 1000)
    assert today.end_ms - today.start_ms == 86_400_000
    assert clock(today.gate_closes_ms) == "19:30"


def test_a_child_who_takes_part_in_nothing_is_released_at_dismissal(book: MakeBook, one_pupil: MakeDirectory) -> None:
    child = book(SUMMER_TUESDAY, one_pupil()).pupils[1]
    assert (child.teaching, child.service, child.sessions) == (True, True, ())
    assert (clock(child.arrive_opens_ms), clock(child.late_after_ms)) == ("07:30", "08:31")
    assert clock(child.dismissal_ms) == "16:10"
    assert windows(child) == ("16:10", "16:25")


@pytest.mark.parametrize(
    ("sessions", "opens", "due"),
    [
        (("home",), "17:30", "17:45"),
        (("club",), "18:30", "18:45"),
        (("home", "club"), "18:30", "18:45"),
        (("home", ("club", 1080)), "18:00", "18:15"),  # leaves at 18:00
        ((("home", 1020),), "17:00", "17:15"),
        (("home", ("club", 1040)), "17:30", "17:45"),  # leaves before the club begins
        ((("home", 1380),), "17:30", "17:45"),  # a leave time after the end says nothing
    ],
)
def test_the_release_window_opens_at_the_end_of_the_childs_own_last_session(
    book: MakeBook, one_pupil: MakeDirectory, sessions: tuple[str | tuple[str, int], ...], opens: str, due: str
) -> None:
    child = book(SUMMER_TUESDAY, one_pupil(*sessions)).pupils[1]
    assert windows(child) == (opens, due)


def test_a_chosen_earlier_end_is_the_end_of_that_childs_session(book: MakeBook, one_pupil: MakeDirectory) -> None:
    today = book(SUMMER_TUESDAY, one_pupil("home", ("club", 1080)))
    child = today.pupils[1]
    assert [(s.session, clock(s.start_ms), clock(s.end_ms)) for s in child.sessions] == [
        ("home", "16:30", "17:30"),
        ("club", "17:30", "18:00"),
    ]
    assert clock(today.session_times["club"].end_ms) == "18:30"


def test_a_session_that_the_child_leaves_before_is_not_on_that_childs_day(book: MakeBook, one_pupil: MakeDirectory) -> None:
    child = book(SUMMER_TUESDAY, one_pupil("home", ("club", 1040))).pupils[1]
    assert [s.session for s in child.sessions] == ["home"]


def test_the_second_slot_alone_leaves_the_child_in_custody_from_dismissal_on(book: MakeBook, one_pupil: MakeDirectory) -> None:
    child = book(SUMMER_TUESDAY, one_pupil("club")).pupils[1]
    assert (clock(child.dismissal_ms), clock(child.sessions[0].start_ms)) == ("16:10", "17:30")
    assert clock(child.release_opens_ms) == "18:30"


def test_winter_moves_the_windows(book: MakeBook, one_pupil: MakeDirectory) -> None:
    last_of_summer = book(date(2026, 9, 30), one_pupil("home", "club")).pupils[1]
    first_of_winter = book(date(2026, 10, 8), one_pupil("home", "club")).pupils[1]
    assert windows(last_of_summer) == ("18:30", "18:45")
    assert windows(first_of_winter) == ("18:00", "18:15")


def test_a_session_runs_only_on_its_weekdays(book: MakeBook, one_pupil: MakeDirectory) -> None:
    directory = one_pupil("home", "odd")
    wednesday, tuesday = book(WINTER_WEDNESDAY, directory), book(date(2026, 11, 24), directory)
    assert [s.session for s in wednesday.pupils[1].sessions] == ["home", "odd"]
    assert [s.session for s in tuesday.pupils[1].sessions] == ["home"]


def test_a_makeup_day_runs_the_timetable_of_the_weekday_that_it_stands_for(book: MakeBook, one_pupil: MakeDirectory) -> None:
    on = date(2026, 10, 10)
    row = DayRule(date=on, timetable_as=3, after_school=True)
    child = book(on, one_pupil("home", "odd"), school={on: row}).pupils[1]
    assert [s.session for s in child.sessions] == ["home", "odd"]


def test_without_service_nobody_has_a_session_and_dismissal_counts(book: MakeBook, one_pupil: MakeDirectory) -> None:
    on = date(2026, 10, 10)
    row = DayRule(date=on, timetable_as=3, after_school=False)
    today = book(on, one_pupil("home", "club", extended_care=True), school={on: row})
    child = today.pupils[1]
    assert (child.teaching, child.service, child.sessions, child.extended_care) == (True, False, (), None)
    assert windows(child) == ("15:40", "15:55")
    assert set(today.session_times) == {"early"}


def test_on_a_holiday_a_child_may_leave_at_once_and_is_due_when_the_gate_closes(book: MakeBook, one_pupil: MakeDirectory) -> None:
    today = book(date(2026, 10, 7), one_pupil("home", "club"))
    child = today.pupils[1]
    assert (child.teaching, child.service, child.sessions) == (False, False, ())
    assert child.release_opens_ms == today.start_ms
    assert child.release_due_ms == today.gate_closes_ms
    assert child.late_after_ms == today.end_ms  # nobody is late


def test_an_extended_care_child_is_due_at_its_end(book: MakeBook, one_pupil: MakeDirectory) -> None:
    enrolled = book(SUMMER_TUESDAY, one_pupil("home", "club", "care", extended_care=True)).pupils[1]
    assert enrolled.extended_care is not None
    assert (enrolled.extended_care.room, enrolled.extended_care.teacher) == ("托管室", 904)
    assert windows(enrolled) == ("18:30", "19:30")
    assert [s.session for s in enrolled.sessions] == ["home", "club"]


def test_a_flagged_child_without_an_enrolment_goes_to_the_schools_own_care_session(
    book: MakeBook, one_pupil: MakeDirectory
) -> None:
    child = book(SUMMER_TUESDAY, one_pupil("home", extended_care=True)).pupils[1]
    assert child.extended_care is not None and child.extended_care.session == "care"
    assert windows(child) == ("17:30", "19:30")


def test_extended_care_has_its_bells_even_where_no_session_is_on_the_menu(
    calendar: MakeCalendar, plan: Plan, one_pupil: MakeDirectory
) -> None:
    directory = one_pupil(extended_care=True)
    bare = Directory(number=1, made_at_ms=0, pupils=directory.pupils)
    child = day_book(SUMMER_TUESDAY, calendar(), plan, bare, release_window_min=15).pupils[1]
    assert child.extended_care is not None
    assert (child.extended_care.session, clock(child.extended_care.end_ms)) == ("", "19:30")


def test_an_early_dismissal_profile_moves_only_the_grades_that_it_names(book: MakeBook, one_pupil: MakeDirectory) -> None:
    on = date(2026, 9, 30)
    rows = {on: DayRule(date=on, dismissal_profile="holiday_eve", after_school=False)}
    ends = {g: windows(book(on, one_pupil("home", grade=g), school=rows).pupils[1])[0] for g in (1, 2, 3, 5)}
    assert ends == {1: "14:05", 2: "15:30", 3: "14:15", 5: "16:10"}


def test_an_enrolment_counts_from_its_first_to_its_last_day(book: MakeBook, one_pupil: MakeDirectory) -> None:
    dated = Enrolment(child=1, session="home", valid_from=date(2026, 11, 2), valid_to=date(2026, 11, 25))
    days = {n: bool(book(date(2026, 11, n), one_pupil(dated)).pupils[1].sessions) for n in (1, 2, 25, 26)}
    assert days == {1: False, 2: True, 25: True, 26: False}


def test_early_care_runs_on_a_teaching_day_without_service_and_never_moves_the_release(
    book: MakeBook, one_pupil: MakeDirectory
) -> None:
    rows = {SUMMER_TUESDAY: DayRule(date=SUMMER_TUESDAY, after_school=False)}
    child = book(SUMMER_TUESDAY, one_pupil("early", "home"), school=rows).pupils[1]
    assert [s.session for s in child.sessions] == ["early"]
    assert windows(child) == ("16:10", "16:25")


def test_evening_study_has_the_bells_of_the_evening(book: MakeBook, one_pupil: MakeDirectory) -> None:
    child = book(SUMMER_TUESDAY, one_pupil("evening", grade=1, stage=Stage.JUNIOR)).pupils[1]
    assert windows(child) == ("20:30", "20:45")


def test_a_weekend_session_has_its_own_times_and_only_a_weekend_service_day_runs_it(
    book: MakeBook, one_pupil: MakeDirectory
) -> None:
    saturday = date(2026, 11, 28)
    off = book(saturday, one_pupil("saturday", "home"))
    on = book(saturday, one_pupil("saturday", "home"), weekend_service=frozenset({6}))
    assert off.session_times == {}
    assert [(s.session, clock(s.end_ms)) for s in on.pupils[1].sessions] == [("saturday", "11:00")]
    assert windows(on.pupils[1]) == ("11:00", "11:15")


def test_an_opening_period_runs_its_own_sessions_and_no_others(book: MakeBook, one_pupil: MakeDirectory) -> None:
    opening = Season(name="winter", first=date(2027, 1, 25), last=date(2027, 1, 31))
    today = book(date(2027, 1, 26), one_pupil("open", "home", "club"), openings=(opening,))
    assert today.day.type is DayType.OPENING
    assert set(today.session_times) == {"open"}
    assert windows(today.pupils[1]) == ("11:30", "11:45")


def test_a_session_without_bells_is_named_and_does_not_run(book: MakeBook, one_pupil: MakeDirectory) -> None:
    today = book(SUMMER_TUESDAY, one_pupil("third"))
    assert today.without_bells == ("third",)
    assert today.pupils[1].sessions == ()


def test_children_with_the_same_choice_share_one_value(calendar: MakeCalendar, plan: Plan, one_pupil: MakeDirectory) -> None:
    first = one_pupil("home", "club")
    pupils = {n: replace(first.pupils[1], number=n) for n in range(1, 1001)}
    enrolments = {n: tuple(replace(e, child=n) for e in first.enrolments_of[1]) for n in pupils}
    many = replace(first, pupils=pupils, enrolments_of=enrolments)
    today = day_book(SUMMER_TUESDAY, calendar(), plan, many, release_window_min=15)
    assert len({id(day) for day in today.pupils.values()}) == 1


def test_a_season_without_bells_is_named(calendar: MakeCalendar, plan: Plan, one_pupil: MakeDirectory) -> None:
    summer_only = replace(plan, schedules={"summer": plan.schedules["summer"]})
    with pytest.raises(PlanGap, match="winter"):
        day_book(WINTER_WEDNESDAY, calendar(), summer_only, one_pupil(), release_window_min=15)


def test_an_unknown_dismissal_profile_is_named(calendar: MakeCalendar, plan: Plan, one_pupil: MakeDirectory) -> None:
    rows = {SUMMER_TUESDAY: DayRule(date=SUMMER_TUESDAY, dismissal_profile="snow")}
    with pytest.raises(PlanGap, match="snow"):
        day_book(SUMMER_TUESDAY, calendar(school=rows), plan, one_pupil(), release_window_min=15)


def test_a_grade_is_looked_up_by_itself_then_by_its_stage_then_by_the_star() -> None:
    table = {"primary-1": 1, "primary": 2, "*": 3}
    found = [for_grade(table, *grade) for grade in ((Stage.PRIMARY, 1), (Stage.PRIMARY, 2), (Stage.JUNIOR, 1))]
    assert found == [1, 2, 3]
    with pytest.raises(PlanGap, match="junior-1"):
        for_grade({"primary": 2}, Stage.JUNIOR, 1)
