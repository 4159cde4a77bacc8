"""A plan that a test can change one thing of, and short ways to ask what the check says about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from kiosk.core.calendar import Calendar, Season, Term
from kiosk.core.people import Session, Stage
from kiosk.core.plan_check import examine
from kiosk.core.policy import Policy
from kiosk.core.policy_file import parse_policy
from kiosk.core.school_plan import Finding, Level, SchoolPlan
from kiosk.core.timetable import BellSchedule, Slot
from kiosk.national_calendar import national_layer
from kiosk.policies import load_policy

shipped = cache(load_policy)
NATIONAL = national_layer()
CITIES = ("changzhi", "xiji", "tianjin", "luoyang", "yueyang")
SEPTEMBER = date(2026, 9, 10)


def minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def bells_of(season: str, *slots: str, dismissal: str = "15:30", care: str = "", evening: str = "") -> BellSchedule:
    """`slots` and the other times are written 16:30-17:30."""

    def slot(number: int, kind: str, text: str) -> Slot:
        start, end = text.split("-")
        return Slot(number=number, kind=kind, start_min=minute(start), end_min=minute(end))

    kinds = ("homework", "enrichment", "enrichment")
    return BellSchedule(
        season=season,
        gate_opens_min={"*": minute("07:30")},
        late_after_min={"*": minute("08:31")},
        dismissal_min={"*": minute(dismissal)},
        slots=tuple(slot(n, kinds[n - 1], text) for n, text in enumerate(slots, 1)),
        extended_care=slot(0, "extended_care", care) if care else None,
        early_care=slot(0, "early_care", "07:00-07:30"),
        evening=slot(0, "evening_study", evening) if evening else None,
        gate_closes_min=minute("19:30"),
    )


def autumn_2026(**changes: Any) -> Calendar:
    """Two terms of a school year and the national days: lessons on Sunday 09-20 and Saturday 10-10."""
    plain = Calendar(
        terms=(
            Term(id="2026_autumn", name="第一学期", first=date(2026, 9, 1), last=date(2027, 1, 22)),
            Term(id="2027_spring", name="第二学期", first=date(2027, 2, 22), last=date(2027, 7, 2)),
        ),
        seasons=(Season(name="winter", first=date(2026, 10, 8), last=date(2027, 4, 30)),),
        national=NATIONAL.rules,
        national_years=NATIONAL.years,
    )
    return replace(plain, **changes)


def plain_plan(**changes: Any) -> SchoolPlan:
    """A primary school, 16:30 to 18:30 in both seasons, that offers and does what all five cities ask for."""
    plan = SchoolPlan(
        stages=frozenset({Stage.PRIMARY}),
        schedules={s: bells_of(s, "16:30-17:30", "17:30-18:30", care="18:30-19:30") for s in ("summer", "winter")},
        calendar=autumn_2026(),
        local_off_work_min=minute("18:00"),
        features=frozenset({"extended_care", "early_care", "two_slots", "mixed_groups"}),
        menu_fields=frozenset({"content", "teachers", "audience", "capacity", "time", "room"}),
        slot_choice=frozenset({"1", "2", "1+2"}),
        filed_on=date(2026, 9, 3),
        approved_on=date(2026, 9, 5),
    )
    return replace(plan, **changes)


def session(name: str, **changes: Any) -> Session:
    plain = Session(
        id=name,
        name=name,
        kind="club",
        slot=2,
        weekdays=frozenset({1, 2, 3, 4, 5}),
        room="101",
        teacher=7,
        capacity=30,
        includes_pe=True,
    )
    return replace(plain, **changes)


def both(*slots: str, **more: str) -> dict[str, BellSchedule]:
    """The same bells in summer and in winter."""
    return {season: bells_of(season, *slots, **more) for season in ("summer", "winter")}


def a_policy(*rules: dict[str, Any], **own: Any) -> Policy:
    """A made-up city. Each rule needs only its type and keys; the words are 必须 unless it says otherwise."""
    plain = {"strength": "must", "clause": "第几条"}
    return parse_policy(
        {
            "schema": 1,
            "policy": {"id": "newtown", "name": "新城", "name_en": "Newtown", "stages": ["primary"], **own},
            "documents": {"main": {"title": "办法", "number": "新教〔2026〕1号"}},
            "rule": [{**plain, "id": f"A{n}", **rule} for n, rule in enumerate(rules, 1)],
        }
    )


def found(policy: Policy | str | None, plan: SchoolPlan, *, on: date = SEPTEMBER, overlay: str = "") -> tuple[Finding, ...]:
    """The findings of a shipped policy by name, or of one at hand."""
    source = shipped(policy) if isinstance(policy, str) else policy
    said = examine(source, shipped(overlay) if overlay else None, plan, on)
    assert not said.missing, said.missing
    return said.findings


def of_rule(policy: Policy | str | None, plan: SchoolPlan, rule: str, **how: Any) -> list[Finding]:
    """The findings of one rule."""
    return [f for f in found(policy, plan, **how) if f.rule == rule]


def levels(findings: list[Finding]) -> list[Level]:
    return [f.level for f in findings]
