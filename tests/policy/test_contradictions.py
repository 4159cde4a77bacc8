"""One plan, five answers: what the cities contradict each other on, as far as a plan shows it.

Each row is a plan and what each city says of it: `block`, `warn`, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from kiosk.core.people import Stage
from kiosk.core.school_plan import Fees, SchoolPlan
from tests.policy.plans import CITIES, autumn_2026, both, found, minute, plain_plan

CARE = "18:30-19:30"
ENDS_18_30, ENDS_17_30 = both("16:30-18:30", care=CARE), both("15:30-17:30", care=CARE)
SIX_DAYS = autumn_2026(weekend_service=frozenset({6}), makeup_day="service")
JUNIOR = frozenset({Stage.JUNIOR})

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
        plain_plan(
            fees=Fees(basis="pupil_month", cny=200),
            practices=frozenset({"agreement", "separate_fee_account", "fee_reduction"}),
        ),
        {"changzhi": "block", "xiji": "block", "tianjin": "warn", "yueyang": "block"},
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


def _in(city: str, plan: SchoolPlan) -> SchoolPlan:
    return replace(plan, variant="inner_six" if city == "tianjin" else "")


def _dated(message: str) -> bool:
    """Make-up days that the calendar leaves open are another topic."""
    return "调休" not in message
