"""What kind of day a date is, and who decided it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.timetable import (
    WARNING_TEXT,
    Calendar,
    DayRule,
    DayType,
    DayWarning,
    Layer,
    Season,
    Term,
    resolve_day,
)
from kiosk.national_calendar import national_layer
from kiosk.settings import Settings

MakeCalendar = Callable[..., Calendar]
MAKEUP_SATURDAY = date(2026, 10, 10)
WORKDAY_HOLIDAY = date(2026, 10, 7)  # a Wednesday


def test_an_ordinary_wednesday_is_decided_by_the_weekday_rule(calendar: MakeCalendar) -> None:
    day = resolve_day(date(2026, 11, 25), calendar())
    assert (day.type, day.after_school, day.weekday_as) == (DayType.TEACHING, True, 3)
    assert (day.decided_by, day.term, day.season) == (Layer.WEEKDAY, "2026_autumn", "winter")
    assert not day.warnings and not day.calendar_unverified


def test_an_ordinary_saturday_is_a_rest_day_without_service(calendar: MakeCalendar) -> None:
    day = resolve_day(date(2026, 11, 28), calendar())
    assert (day.type, day.after_school, day.decided_by) == (DayType.REST, False, Layer.WEEKDAY)


def test_the_national_day_is_a_holiday_although_it_is_a_wednesday(calendar: MakeCalendar) -> None:
    day = resolve_day(WORKDAY_HOLIDAY, calendar())
    assert (day.type, day.after_school, day.decided_by) == (DayType.HOLIDAY, False, Layer.NATIONAL)
    assert day.note == "国庆节"


@pytest.mark.parametrize(
    ("answer", "service", "warnings"),
    [
        ("service", True, (DayWarning.MAKEUP_TIMETABLE,)),
        ("if_teaching", True, (DayWarning.MAKEUP_TIMETABLE,)),
        ("school_decides", False, (DayWarning.MAKEUP_UNANSWERED, DayWarning.MAKEUP_TIMETABLE)),
    ],
)
def test_a_makeup_saturday_follows_the_policy_when_the_school_has_not_answered(
    calendar: MakeCalendar, answer: str, service: bool, warnings: tuple[DayWarning, ...]
) -> None:
    day = resolve_day(MAKEUP_SATURDAY, calendar(makeup_day=answer))
    assert (day.type, day.after_school, day.decided_by) == (DayType.TEACHING, service, Layer.NATIONAL)
    assert day.warnings == warnings


def test_the_schools_answer_outranks_the_policys_on_a_makeup_saturday(calendar: MakeCalendar) -> None:
    row = DayRule(date=MAKEUP_SATURDAY, timetable_as=3, after_school=False, note="调休日不开课后服务")
    day = resolve_day(MAKEUP_SATURDAY, calendar(makeup_day="service", school={MAKEUP_SATURDAY: row}))
    assert (day.after_school, day.weekday_as, day.decided_by) == (False, 3, Layer.TERM)
    assert day.note == "调休日不开课后服务" and not day.warnings


def test_the_sample_school_teaches_on_the_makeup_saturday_without_service(sample: Settings) -> None:
    day = resolve_day(MAKEUP_SATURDAY, sample.calendar)
    assert (day.type, day.after_school, day.weekday_as) == (DayType.TEACHING, False, 3)


def test_a_warning_is_words_that_name_the_remedy(calendar: MakeCalendar) -> None:
    day = resolve_day(MAKEUP_SATURDAY, calendar())
    assert "after_school" in day.warning and "timetable_as" in day.warning
    assert set(WARNING_TEXT) == set(DayWarning)


def test_the_season_turns_at_the_dates_that_the_school_gives(calendar: MakeCalendar) -> None:
    autumn = calendar()
    seasons = {on: resolve_day(date.fromisoformat(on), autumn).season for on in ("2026-10-07", "2026-10-08")}
    assert seasons == {"2026-10-07": "summer", "2026-10-08": "winter"}
    assert resolve_day(date(2027, 4, 30), autumn).season == "winter"
    assert resolve_day(date(2027, 5, 1), autumn).season == "summer"


def test_a_weekday_of_an_unknown_year_is_taught_and_marked_unverified(calendar: MakeCalendar) -> None:
    day = resolve_day(date(2027, 1, 4), calendar())
    assert (day.type, day.after_school, day.term) == (DayType.TEACHING, True, "2026_autumn")
    assert day.calendar_unverified and day.warnings == (DayWarning.UNVERIFIED,)


def test_a_row_of_the_school_settles_a_day_of_an_unknown_year(calendar: MakeCalendar) -> None:
    new_year = date(2027, 1, 1)
    row = DayRule(date=new_year, type=DayType.HOLIDAY, note="元旦")
    day = resolve_day(new_year, calendar(school={new_year: row}))
    assert (day.type, day.calendar_unverified, day.decided_by) == (DayType.HOLIDAY, False, Layer.TERM)


def test_every_day_of_a_term_that_spans_the_known_years_resolves(calendar: MakeCalendar) -> None:
    autumn = calendar()
    term = autumn.terms[0]
    days = [resolve_day(term.first + timedelta(n), autumn) for n in range((term.last - term.first).days + 1)]
    assert all(day.calendar_unverified == (day.date.year == 2027) for day in days)
    # 84 workdays to the end of 2026, two of them at weekends, and 16 weekdays of January without data.
    assert sum(day.type is DayType.TEACHING for day in days if day.date.year == 2026) == 84
    assert sum(day.type is DayType.TEACHING for day in days if day.date.year == 2027) == 16


def test_a_date_between_two_terms_is_vacation(calendar: MakeCalendar) -> None:
    spring = Term(id="2027_spring", name="第二学期", first=date(2027, 2, 22), last=date(2027, 7, 2))
    both = calendar(terms=(*calendar().terms, spring))
    day = resolve_day(date(2027, 2, 3), both)
    assert (day.type, day.decided_by, day.term, day.warnings) == (DayType.VACATION, Layer.TERM, "", ())


def test_a_date_after_the_last_term_asks_for_the_next_one(calendar: MakeCalendar) -> None:
    day = resolve_day(date(2027, 3, 1), calendar())
    assert day.type is DayType.VACATION
    assert day.warnings == (DayWarning.NO_TERM,)
    assert resolve_day(date(2026, 7, 20), calendar()).warnings == ()


def test_an_opening_period_in_the_holidays_is_named_and_is_not_the_service(calendar: MakeCalendar) -> None:
    opening = Season(name="winter", first=date(2027, 1, 25), last=date(2027, 1, 31))
    day = resolve_day(date(2027, 1, 26), calendar(openings=(opening,)))
    assert (day.type, day.after_school, day.note) == (DayType.OPENING, False, "winter")


def test_a_weekend_service_day_stays_a_rest_day(calendar: MakeCalendar) -> None:
    five_two_one = calendar(weekend_service=frozenset({6}))
    saturday, sunday = (resolve_day(date(2026, 11, n), five_two_one) for n in (28, 29))
    assert (saturday.type, saturday.after_school) == (DayType.REST, True)
    assert not sunday.after_school
    holiday = resolve_day(date(2026, 10, 3), five_two_one)  # a Saturday of the National Day week
    assert (holiday.type, holiday.after_school) == (DayType.HOLIDAY, False)


def test_saturday_is_an_ordinary_day_where_the_school_teaches_six_days(calendar: MakeCalendar) -> None:
    day = resolve_day(date(2026, 11, 28), calendar(teaching_weekdays=frozenset(range(1, 7))))
    assert (day.type, day.after_school, day.warnings) == (DayType.TEACHING, True, ())


def test_the_later_layer_wins_and_is_named(calendar: MakeCalendar) -> None:
    on = date(2026, 11, 13)
    layers = {
        "district": {on: DayRule(date=on, after_school=False, note="教研")},
        "school": {on: DayRule(date=on, dismissal_profile="holiday_eve", timetable_as=1)},
        "overrides": {on: DayRule(date=on, type=DayType.HOLIDAY, note="停课", author="D001")},
    }
    expected = (Layer.DISTRICT, Layer.TERM, Layer.OVERRIDE)
    for n, layer in enumerate(expected, 1):
        day = resolve_day(on, calendar(**dict(list(layers.items())[:n])))
        assert day.decided_by is layer
    assert (day.type, day.note, day.after_school) == (DayType.HOLIDAY, "停课", False)
    assert (day.dismissal_profile, day.weekday_as) == ("holiday_eve", 1)


def test_the_national_data_knows_the_six_makeup_days_of_2026() -> None:
    layer = national_layer()
    makeup = sorted(d for d, rule in layer.rules.items() if d.year == 2026 and rule.type is DayType.TEACHING)
    assert [f"{d:%m-%d}" for d in makeup] == ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]
    assert max(layer.years) == 2026 and min(layer.years) == 2004


@given(on=st.dates(), answer=st.sampled_from(["service", "if_teaching", "school_decides"]))
def test_any_date_resolves_and_service_runs_on_teaching_days_only(on: date, answer: str) -> None:
    layer = national_layer()
    term = Term(id="t", name="", first=date(2026, 9, 1), last=date(2027, 1, 22))
    calendar = Calendar(terms=(term,), seasons=(), national=layer.rules, national_years=layer.years, makeup_day=answer)
    day = resolve_day(on, calendar)
    assert day.date == on and 1 <= day.weekday_as <= 7
    assert not day.after_school or (day.type is DayType.TEACHING and day.term == "t")
    assert day.calendar_unverified <= (on.year not in layer.years)
