"""What holds for every pupil on every date, whatever the family chose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.core.people import Directory, Enrolment
from kiosk.core.timetable import Calendar, DayRule, DayType, Plan, day_book

FIRST, LAST = date(2026, 8, 20), date(2027, 3, 10)
DATES = st.integers(0, (LAST - FIRST).days).map(lambda n: FIRST + timedelta(n))
SESSION_IDS = st.sampled_from(["home", "club", "odd", "care", "early", "evening", "third", "saturday", "open"])
ENROLMENTS = st.lists(
    st.builds(
        Enrolment,
        child=st.just(1),
        session=SESSION_IDS,
        valid_from=st.none() | DATES,
        valid_to=st.none() | DATES,
        leave_at_min=st.none() | st.integers(0, 1439),
    ),
    max_size=5,
    unique_by=lambda enrolment: enrolment.session,
)


@st.composite
def rules(draw: st.DrawFn) -> dict[date, DayRule]:
    rows = draw(
        st.lists(
            st.builds(
                DayRule,
                date=DATES,
                type=st.none() | st.sampled_from(DayType),
                timetable_as=st.none() | st.integers(1, 7),
                after_school=st.none() | st.booleans(),
                dismissal_profile=st.none() | st.just("holiday_eve"),
            ),
            max_size=4,
        )
    )
    return {row.date: row for row in rows}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    on=DATES,
    enrolments=ENROLMENTS,
    grade=st.integers(1, 6),
    care=st.booleans(),
    school=rules(),
    overrides=rules(),
    weekend=st.sampled_from([frozenset(), frozenset({6})]),
    window_min=st.integers(0, 120),
)
def test_no_child_is_released_before_the_own_day_is_over(
    calendar: Callable[..., Calendar],
    plan: Plan,
    one_pupil: Callable[..., Directory],
    on: date,
    enrolments: list[Enrolment],
    grade: int,
    care: bool,
    school: dict[date, DayRule],
    overrides: dict[date, DayRule],
    weekend: frozenset[int],
    window_min: int,
) -> None:
    days = calendar(school=school, overrides=overrides, weekend_service=weekend)
    directory = one_pupil(*enrolments, grade=grade, extended_care=care)
    book = day_book(on, days, plan, directory, release_window_min=window_min)
    child = book.pupils[1]

    assert book.start_ms <= child.dismissal_ms <= child.release_opens_ms <= child.release_due_ms <= book.end_ms + 2 * 3_600_000
    assert all(session.end_ms <= child.release_opens_ms for session in child.sessions)
    assert all(session.start_ms < session.end_ms for session in child.sessions)
    assert list(child.sessions) == sorted(child.sessions, key=lambda s: (s.start_ms, s.end_ms, s.session))
    # A child's session is one of today's, with the same start and no later end.
    for session in child.sessions:
        todays = book.session_times[session.session]
        assert session.start_ms == todays.start_ms and session.end_ms <= todays.end_ms
    assert child.teaching == (book.day.type is DayType.TEACHING)
    if child.extended_care is not None:
        assert child.service and child.release_due_ms >= child.extended_care.end_ms
    if not child.service:
        assert all(book.session_times[s.session].slot == 0 for s in child.sessions)
    again = day_book(on, days, plan, directory, release_window_min=window_min)
    assert again == book
