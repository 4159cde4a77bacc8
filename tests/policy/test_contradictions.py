"""One plan, five answers: what the cities contradict each other on.

`TOPICS` are the contradictions that the software must carry as data. Each row of `TABLE` is a plan and what each city says
of it: `block`, `warn`, or nothing; what no plan shows (dates of reports, two sources at once) has a test of its own below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from kiosk.core.calendar import DayRule, DayType
from kiosk.core.people import Stage
from kiosk.core.plan_check import check
from kiosk.core.policy import report_dues, service_on_makeup_day
from kiosk.core.school_plan import Fees, Level, SchoolPlan
from tests.policy.plans import CITIES, SEPTEMBER, autumn_2026, bells_of, both, found, minute, plain_plan, shipped

# Topic: the rows of TABLE or the tests of this file that show two cities' answers to the same plan.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "end of the service": ("an end at 18:30", "an end at 17:30 where people work until 18:15", "an end at 18:00 all year"),
    "two hours against a winter end": ("an hour and a half a day", "test_two_hours_against_a_winter_end_is_a_conflict"),
    "what counts as a day": ("test_what_counts_as_a_day_differs_on_a_makeup_saturday",),
    "weekend": ("a Saturday service", "no Saturday service", "test_a_weekend_of_care_is_for_no_city_under_the_national_notice"),
    "evening study": ("evening study in a primary school", "evening study until 21:00 in a junior school"),
    "money": ("200 yuan a month", "300 yuan once a term"),
    "change of enrolment": ("nobody may join or leave during the term",),
    "early arrival": ("early children wait in the street",),
    "escort": ("no escort to the gate",),
    "gate register and emergency plan": ("no gate register", "no emergency plan"),
    "report dates": ("test_report_dates_are_a_day_apart",),
    "stages": ("five days in a senior school",),
}

CARE = "18:30-19:30"
ENDS_18_30, ENDS_17_30 = both("16:30-18:30", care=CARE), both("15:30-17:30", care=CARE)
SIX_DAYS = autumn_2026(weekend_service=frozenset({6}), makeup_day="service")
JUNIOR, SENIOR = frozenset({Stage.JUNIOR}), frozenset({Stage.SENIOR})
PAYING = frozenset({"agreement", "separate_fee_account", "fee_reduction"})

TABLE: list[tuple[str, str, SchoolPlan, Mapping[str, str]]] = [
    # topic, rows of the matrix, plan, who objects
    ("an end at 18:30", "A4", plain_plan(schedules=ENDS_18_30), {"yueyang": "warn"}),
    (
        "an end at 17:30 where people work until 18:15",
        "A4",
        plain_plan(schedules=ENDS_17_30, local_off_work_min=minute("18:15")),
        {"changzhi": "warn", "xiji": "warn", "tianjin": "warn"},
    ),
    (
        "an end at 18:00 all year",
        "A4",
        plain_plan(schedules=both("16:00-18:00", care=CARE)),
        {"tianjin": "warn", "yueyang": "warn"},  # the inner six districts end later, the winter ends earlier
    ),
    (
        "an hour and a half a day",
        "A3",
        plain_plan(schedules=both("16:00-17:30", care=CARE)),
        {"changzhi": "warn", "xiji": "block", "tianjin": "block"},
    ),
    ("three hours a day", "A3", plain_plan(schedules=both("15:30-18:30", care=CARE)), {"xiji": "warn"}),
    (
        "a Saturday service",
        "A1 A2",
        plain_plan(calendar=SIX_DAYS),
        {"xiji": "block", "tianjin": "warn", "yueyang": "warn"},
    ),
    ("no Saturday service", "A2", plain_plan(calendar=autumn_2026(makeup_day="service")), {"changzhi": "block"}),
    (
        "evening study in a primary school",
        "A9",
        plain_plan(schedules=both("16:30-18:30", care=CARE, evening="18:30-20:00")),
        {"changzhi": "block", "xiji": "block", "tianjin": "block", "luoyang": "block"},
    ),
    (
        "evening study until 21:00 in a junior school",
        "A9",
        plain_plan(schedules=both("16:30-18:30", care=CARE, evening="18:30-21:00"), stages=JUNIOR),
        {"changzhi": "warn", "tianjin": "warn"},
    ),
    (
        "200 yuan a month",
        "E5",
        plain_plan(fees=Fees(basis="pupil_month", cny=200), practices=PAYING),
        {"changzhi": "block", "xiji": "block", "tianjin": "warn", "yueyang": "block"},
    ),
    (
        "300 yuan once a term",
        "E5",
        plain_plan(fees=Fees(basis="pupil_term_once", cny=300), practices=PAYING),
        {"changzhi": "block", "xiji": "block", "tianjin": "warn"},
    ),
    (
        "nobody may join or leave during the term",
        "C3",
        plain_plan(),
        {"changzhi": "block"},
    ),
    (
        "early children wait in the street",
        "A14",
        plain_plan(features=frozenset({"extended_care"}), practices=frozenset({"early_arrival_refused"})),
        {"luoyang": "block"},
    ),
    ("no escort to the gate", "D4", plain_plan(), {"tianjin": "block"}),
    ("no gate register", "D5", plain_plan(), {"xiji": "block", "tianjin": "block", "yueyang": "block"}),
    ("no emergency plan", "D6", plain_plan(), {"changzhi": "block", "xiji": "block", "tianjin": "block", "yueyang": "block"}),
    ("five days in a senior school", "A1 A3 A4 A8", plain_plan(stages=SENIOR), {"xiji": "block"}),
    (
        "no extended care",
        "A13",
        plain_plan(schedules=both("16:30-18:30"), features=frozenset()),
        {"changzhi": "block", "xiji": "block"},
    ),
    (
        "two slots that are sold together",
        "A10",
        plain_plan(slot_choice=frozenset({"1+2"})),
        {"luoyang": "block"},
    ),
    ("the campus stays shut in the holidays", "A15", plain_plan(), {"changzhi": "block"}),
    ("no patrol", "F2", plain_plan(), {"luoyang": "block"}),
]


@pytest.mark.parametrize(("topic", "rows", "plan", "objections"), TABLE, ids=[row[0] for row in TABLE])
def test_each_city_gives_its_own_answer_and_none_gives_anothers(
    topic: str, rows: str, plan: SchoolPlan, objections: Mapping[str, str]
) -> None:
    answers: dict[str, str] = {}
    for city in CITIES:
        here = _in(city, plan)
        said = [f for f in found(city, here) if f.rule.partition(".")[0] in rows.split() and _dated(f.message)]
        if said:
            answers[city] = "block" if any(f.level == "block" for f in said) else "warn"
    assert answers == objections


def test_every_topic_has_its_rows() -> None:
    shown = {row[0] for row in TABLE} | set(globals())
    assert len(TOPICS) == 12
    assert {topic: [name for name in names if name not in shown] for topic, names in TOPICS.items()} == {t: [] for t in TOPICS}
    for name in (name for names in TOPICS.values() for name in names if not name.startswith("test_")):
        (objections,) = [row[3] for row in TABLE if row[0] == name]
        assert 0 < len(objections) < len(CITIES), f"{name}: all cities agree"


def test_two_hours_against_a_winter_end_is_a_conflict() -> None:
    """From dismissal at 16:10 to Yueyang's winter end are 80 minutes. Tianjin's clause beside it wants 120: both are shown."""
    plan = plain_plan(schedules={"winter": bells_of("winter", "16:10-17:30", dismissal="16:10")}, variant="inner_six")
    plan = replace(plan, calendar=replace(plan.calendar, default_season="winter"))
    assert not [f for f in found("yueyang", _in("yueyang", plan)) if f.rule == "A3"]  # the paper itself has no floor
    assert [f.level for f in found("tianjin", plan) if f.rule == "A3"] == [Level.BLOCK]
    (conflict,) = [f for f in check(shipped("tianjin"), shipped("yueyang"), plan, SEPTEMBER) if f.rule == "A3-vs-A4.winter"]
    assert conflict.level is Level.WARN and "每天至少开展2小时" in conflict.clause and "17:30" in conflict.clause


def test_what_counts_as_a_day_differs_on_a_makeup_saturday() -> None:
    """Saturday 2026-10-10 is taught instead of a holiday, and the school's calendar leaves the service out."""
    day = date(2026, 10, 10)
    left_out = {day: DayRule(date=day, type=DayType.TEACHING, timetable_as=3, after_school=False)}
    answers: dict[str, str] = {}
    for city in CITIES:
        calendar = autumn_2026(makeup_day=service_on_makeup_day(shipped(city)), school=left_out)
        said = [f for f in found(city, _in(city, plain_plan(calendar=calendar))) if f.rule == "A1" and "10-10" in f.message]
        answers[city] = said[0].level if said else ""
    assert answers == {"changzhi": "block", "xiji": "block", "tianjin": "", "luoyang": "", "yueyang": ""}


def test_a_weekend_of_care_is_for_no_city_under_the_national_notice() -> None:
    """Changzhi demands a weekend day and is a pilot city, where the notice leaves room for interest groups only."""
    plan = plain_plan(calendar=SIX_DAYS, weekend_content="care")
    assert [f.rule for f in found("changzhi", plan, overlay="national_2023") if f.rule.startswith("N1")] == ["N1"]
    interest = replace(plan, weekend_content="interest")
    assert not [f for f in found("changzhi", interest, overlay="national_2023") if f.rule.startswith("N1")]
    assert [f.rule for f in found("luoyang", interest, overlay="national_2023") if f.rule.startswith("N1")] == ["N1"]
    assert not [f for f in found("luoyang", plan) if f.rule == "A2"]  # without the notice: allowed


def test_report_dates_are_a_day_apart() -> None:
    autumn = {city: [due for due, _ in report_dues(shipped(city), date(2026, 12, 1))][:1] for city in CITIES}
    assert autumn == {
        "changzhi": [], "xiji": [], "tianjin": [], "luoyang": [date(2026, 12, 30)], "yueyang": [date(2026, 12, 31)],
    }  # fmt: skip


def _in(city: str, plan: SchoolPlan) -> SchoolPlan:
    return replace(plan, variant="inner_six" if city == "tianjin" else "")


def _dated(message: str) -> bool:
    """Make-up days that the calendar leaves open are another topic."""
    return "调休" not in message
