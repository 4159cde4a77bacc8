"""The dates of the issue under each of the five cities: who decides the day, whether the service runs, and what a tap does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kiosk.core.calendar import DayType, DayWarning, Layer, layers_of, resolve_day
from kiosk.core.timetable import day_book
from tests.support.people import small_school
from tests.support.school import School
from tests.year.cities import CITIES, book_of, gate_in, minute, settings_of, unanswered

MAKEUP_SATURDAY, HOLIDAY = date(2026, 10, 10), date(2026, 10, 7)
BY_POLICY = {"changzhi": True, "xiji": True, "tianjin": False, "luoyang": False, "yueyang": False}
ANSWERED = {"changzhi": True, "xiji": True, "tianjin": False, "luoyang": False, "yueyang": False}


@pytest.mark.row("A1", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_a1_an_unanswered_makeup_saturday_gets_the_citys_own_answer(city: str) -> None:
    day = resolve_day(MAKEUP_SATURDAY, unanswered(city))
    assert (day.type, day.decided_by, day.service_by) == (DayType.TEACHING, Layer.NATIONAL, None)
    assert day.after_school is BY_POLICY[city]
    assert (DayWarning.MAKEUP_UNANSWERED in day.warnings) is not BY_POLICY[city], "what nobody answered is no, and is said"
    assert DayWarning.MAKEUP_TIMETABLE in day.warnings


@pytest.mark.row("A1", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_a1_the_schools_own_row_decides_the_makeup_saturday_and_every_layer_can_be_read(city: str) -> None:
    calendar = settings_of(city).calendar
    day = resolve_day(MAKEUP_SATURDAY, calendar)
    assert (day.decided_by, day.weekday_as, day.after_school) == (Layer.TERM, 3, ANSWERED[city])
    assert not day.warnings and day.note
    said = {s.layer: s.rule for s in layers_of(MAKEUP_SATURDAY, calendar)}
    assert [s.layer for s in layers_of(MAKEUP_SATURDAY, calendar)] == list(Layer)
    assert (said[Layer.WEEKDAY].type, said[Layer.NATIONAL].type) == (DayType.REST, DayType.TEACHING)
    assert said[Layer.DISTRICT] is None and said[Layer.OVERRIDE] is None


@pytest.mark.row("A1", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_a1_the_wednesday_of_national_day_is_no_service_day_anywhere(city: str) -> None:
    day = resolve_day(HOLIDAY, settings_of(city).calendar)
    assert (day.type, day.decided_by, day.after_school) == (DayType.HOLIDAY, Layer.NATIONAL, False)
    book = book_of(city, "2026-10-07")
    assert not book.session_times and not any(p.sessions or p.teaching for p in book.pupils.values())


@pytest.mark.row("A1", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_a1_a_tap_on_a_holiday_is_stored_with_its_reason_and_nobody_is_absent(city: str, tmp_path: Path) -> None:
    school = gate_in(city, tmp_path, day="2026-10-07", at="08:20")
    answer = school.tap("李雷", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "non_service_day")
    _nothing_ran(school, day="2026-10-07")
    assert school.entries("arrived")[0].body["reason"] == "non_service_day"
    school.close()


@pytest.mark.row("A1", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_a1_on_a_makeup_saturday_the_service_opens_where_the_city_says_so_and_only_there(city: str, tmp_path: Path) -> None:
    school = gate_in(city, tmp_path, day="2026-10-10", at="08:20")
    assert school.tap("李雷", "east-in").decision.reason == "on_time", "lessons are held everywhere"
    opened = school.gate.world.book.session_times
    assert bool(opened) is ANSWERED[city]
    slot_one = opened["S1"] if opened else None
    school.at(minute(school.gate.world.book, slot_one.start_ms) if slot_one else "16:30")
    answer = school.tap("李雷", "room-201")
    assert answer.decision.reason == ("on_time" if opened else "non_service_day")
    if not opened:
        assert school.entries("seen")[-1].body["reason"] == "non_service_day"
        school.at("19:00")
        assert not [e for e in school.entries() if e.body.get("session")], "no session opens"
    school.close()


@pytest.mark.row("A1", "changzhi", "xiji")
@pytest.mark.parametrize("city", ["changzhi", "xiji"])
def test_a1_changzhi_and_xiji_run_wednesdays_sessions_on_the_makeup_saturday(city: str) -> None:
    book = book_of(city, "2026-10-10")
    assert book.day.weekday_as == 3 and {"S1", "S2"} <= book.session_times.keys()


def _nothing_ran(school: School, day: str) -> None:
    assert not school.gate.world.book.session_times
    school.at(f"{day}T20:00")
    assert school.duty().expected_today == 0 and school.duty().cases == ()
    kinds = {entry.kind for entry in school.entries()}
    assert not {k for k in kinds if "roll" in k or "locate" in k or "session" in k}, "no session opens, no absence is computed"


# --- seasons


LAST_SUMMER, FIRST_WINTER = "2026-09-30", "2026-10-08"
ENDS = {"xiji": ("18:20", "18:00"), "yueyang": ("18:00", "17:30")}


@pytest.mark.row("A5", "xiji", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_a5_the_bells_change_on_the_first_winter_day_and_not_before(city: str) -> None:
    summer, winter = book_of(city, "2026-10-07"), book_of(city, "2026-10-08")
    assert (summer.day.season, winter.day.season) == ("summer", "winter")
    before, after = (settings_of(city).plan.schedules[s] for s in ("summer", "winter"))
    for book, bells in ((book_of(city, "2026-09-29"), before), (winter, after)):
        slot_two = book.session_times["S2"]
        assert minute(book, slot_two.end_ms) == f"{bells.slots[1].end_min // 60:02}:{bells.slots[1].end_min % 60:02}"
    if city in ENDS:
        ends = tuple(minute(b, b.session_times["S2"].end_ms) for b in (book_of(city, "2026-09-29"), winter))
        assert ends == ENDS[city]


@pytest.mark.row("A5", "xiji", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_a5_a_gate_that_runs_through_midnight_has_the_winter_bells_in_the_morning(city: str, tmp_path: Path) -> None:
    school = gate_in(city, tmp_path, day="2026-10-07", at="23:50")
    assert school.gate.world.book.day.season == "summer"
    school.at("2026-10-08T00:01")
    book = school.gate.world.book
    assert (book.iso, book.day.season) == ("2026-10-08", "winter")
    assert all(t.start_ms >= book.start_ms and t.end_ms <= book.end_ms for t in book.session_times.values())
    school.at("2026-10-08T08:20")
    assert school.tap("李雷", "east-in").decision.reason == "on_time"
    school.close()


# --- years that nobody knows


@pytest.mark.parametrize("city", CITIES)
def test_a_date_of_2027_stands_on_the_weekday_rule_and_says_that_it_is_unverified(city: str) -> None:
    calendar = settings_of(city).calendar
    assert 2027 not in calendar.national_years, "nobody invents a schedule that is not out"
    day = resolve_day(date(2027, 3, 8), calendar)
    assert (day.type, day.after_school, day.decided_by) == (DayType.TEACHING, True, Layer.WEEKDAY)
    assert day.calendar_unverified and day.warnings == (DayWarning.UNVERIFIED,)
    after = resolve_day(date(2027, 10, 11), calendar)
    assert (after.type, after.warnings) == (DayType.VACATION, (DayWarning.NO_TERM,))


@pytest.mark.parametrize("city", CITIES)
def test_a_term_that_spans_new_year_resolves_every_day_and_keeps_its_name(city: str) -> None:
    mine, people = settings_of(city), small_school()
    first, last = mine.calendar.terms[0].first, mine.calendar.terms[0].last
    days = []
    for number in range(first.toordinal(), last.toordinal() + 1):
        book = day_book(date.fromordinal(number), mine.calendar, mine.plan, people, release_window_min=15)
        days.append(book.day)
    assert {d.term for d in days} == {mine.calendar.terms[0].id} and (first.year, last.year) == (2026, 2027)
    new_year = next(d for d in days if d.date == date(2027, 1, 1))
    assert (new_year.type, new_year.decided_by, new_year.calendar_unverified) == (DayType.HOLIDAY, Layer.TERM, False)
    december, january = (next(d for d in days if d.date == on) for on in (date(2026, 12, 31), date(2027, 1, 4)))
    assert (december.calendar_unverified, january.calendar_unverified) == (False, True)
    assert december.after_school and january.after_school
