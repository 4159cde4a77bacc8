"""A small school, made by hand, for days and windows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from kiosk.core.people import Directory, Enrolment, Pupil, Session, Stage
from kiosk.core.timetable import BellSchedule, Calendar, Plan, Season, Slot, Term
from kiosk.national_calendar import national_layer
from kiosk.settings import Settings, load

SAMPLE = Path(__file__).parents[2] / "config" / "sample_school"
NATIONAL = national_layer()


@pytest.fixture(scope="session")
def sample() -> Settings:
    return load(SAMPLE)


@pytest.fixture
def calendar() -> Callable[..., Calendar]:
    """A calendar with the autumn term of 2026, the national data, and whatever the test adds."""

    def make(**changes: object) -> Calendar:
        values: dict[str, object] = {
            "terms": (Term(id="2026_autumn", name="第一学期", first=date(2026, 9, 1), last=date(2027, 1, 22)),),
            "seasons": (Season(name="winter", first=date(2026, 10, 8), last=date(2027, 4, 30)),),
            "national": NATIONAL.rules,
            "national_years": NATIONAL.years,
        }
        return Calendar(**{**values, **changes})  # type: ignore[arg-type]

    return make


def bells(season: str, *, slot_two: bool = True) -> BellSchedule:
    shift = 30 if season == "winter" else 0
    slots = [Slot(number=1, kind="homework", start_min=990 - shift, end_min=1050 - shift)]
    if slot_two:
        slots.append(Slot(number=2, kind="enrichment", start_min=1050 - shift, end_min=1110 - shift))
    return BellSchedule(
        season=season,
        gate_opens_min={"*": 450},
        late_after_min={"*": 511},
        dismissal_min={"primary-1": 930, "primary-2": 930, "*": 970 - shift},
        slots=tuple(slots),
        extended_care=Slot(number=0, kind="extended_care", start_min=1110 - shift, end_min=1170 - shift),
        gate_closes_min=1170,
        early_care=Slot(number=0, kind="early_care", start_min=430, end_min=450),
        evening=Slot(number=0, kind="evening_study", start_min=1110, end_min=1230),
    )


@pytest.fixture
def plan() -> Plan:
    return Plan(
        schedules={"summer": bells("summer"), "winter": bells("winter")},
        profiles={"holiday_eve": {"primary-1": 845, "primary-3": 855}},
    )


EVERY_DAY = frozenset({1, 2, 3, 4, 5})
SESSIONS = (
    Session(id="home", name="课业辅导", kind="homework", slot=1, weekdays=EVERY_DAY, room="301", teacher=901),
    Session(id="club", name="围棋", kind="club", slot=2, weekdays=EVERY_DAY, room="棋艺室", teacher=902),
    Session(id="odd", name="足球", kind="sports", slot=2, weekdays=frozenset({1, 3, 5}), room="操场", teacher=903),
    Session(id="care", name="延时托管", kind="extended_care", slot=0, weekdays=EVERY_DAY, room="托管室", teacher=904),
    Session(id="early", name="早到看护", kind="early_care", slot=0, weekdays=EVERY_DAY, room="早到看护室", teacher=905),
    Session(id="evening", name="晚自习", kind="evening_study", slot=0, weekdays=EVERY_DAY, room="801", teacher=906),
    Session(id="third", name="第三时段", kind="club", slot=3, weekdays=EVERY_DAY, room="302", teacher=907),
    Session(
        id="saturday",
        name="周末兴趣",
        kind="weekend",
        slot=0,
        weekdays=frozenset({6}),
        room="体育馆",
        teacher=908,
        start_min=540,
        end_min=660,
    ),
    Session(
        id="open",
        name="开放校园",
        kind="holiday_open",
        slot=0,
        weekdays=frozenset({1, 2, 3, 4, 5, 6, 7}),
        room="图书馆",
        teacher=909,
        start_min=540,
        end_min=690,
    ),
)


@pytest.fixture
def one_pupil() -> Callable[..., Directory]:
    """A directory of one pupil, number 1, with enrolments: `one_pupil("home", ("club", 1080), grade=5)`."""

    def make(*sessions: str | tuple[str, int] | Enrolment, **pupil: object) -> Directory:
        values: dict[str, object] = {
            "number": 1,
            "school_number": "20240207",
            "name": "欧阳若曦",
            "pinyin": "",
            "initials": "",
            "class_id": "primary-2024-2",
            "seat": 7,
            "grade": 3,
            "stage": Stage.PRIMARY,
        }
        child = Pupil(**{**values, **pupil})  # type: ignore[arg-type]
        enrolments = tuple(_enrolment(one) for one in sessions)
        return Directory(
            number=1,
            made_at_ms=0,
            pupils={1: child},
            sessions={session.id: session for session in SESSIONS},
            enrolments_of={1: enrolments},
        )

    return make


def _enrolment(one: str | tuple[str, int] | Enrolment) -> Enrolment:
    if isinstance(one, Enrolment):
        return one
    session, leave_at_min = (one, None) if isinstance(one, str) else one
    return Enrolment(child=1, session=session, leave_at_min=leave_at_min)
