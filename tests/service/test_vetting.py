"""Staff from outside: what is asked of them in each city, and that whoever lacks it neither comes in nor takes children."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core import commands_service as cs
from kiosk.core import roster as r
from kiosk.core.people import Outside
from kiosk.core.rules import VettingRules
from kiosk.core.vetting import lacking
from kiosk.directory import load as load_directory
from kiosk.directory import publish
from kiosk.directory_schema import Content
from kiosk.settings import load
from tests.support.people import STAFF, small_school
from tests.support.school import CONFIG, School

VARIANTS = Path("config/sample_school/variants")
TODAY = date(2026, 11, 23)
WHOLE = Outside(
    staff=112, organisation="少年宫", contract_from=date(2026, 9, 1), contract_to=date(2027, 1, 31), qualification="Z-17",
    health_checked=date(2026, 8, 20), record_checked=date(2026, 8, 20),
)  # fmt: skip
ALL = VettingRules(
    whitelist=frozenset({"少年宫"}), blacklist=frozenset({"黑机构"}),
    demands=frozenset({"record", "health", "qualification", "contract", "whitelist"}),
)  # fmt: skip


@pytest.fixture
def coach(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[School]:
    """周老师 of the art club comes from outside; what is known of him is the parameter."""
    known: Outside = replace(WHOLE, **getattr(request, "param", {}))
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, vetting=ALL))
    opened = School(tmp_path / "state", directory=small_school(outside=(known,)), settings=settings)
    yield opened
    opened.close()


@pytest.mark.row("D7", "xiji", "tianjin", "luoyang", "yueyang")
@pytest.mark.parametrize(
    ("known", "what"),
    [
        ({}, ()),
        ({"organisation": "黑机构"}, ("blacklisted", "not_listed")),
        ({"organisation": "别家"}, ("not_listed",)),
        ({"contract_to": date(2026, 11, 22)}, ("contract",)),
        ({"contract_from": date(2026, 11, 24)}, ("contract",)),
        ({"contract_from": None}, ("contract",)),
        ({"qualification": ""}, ("qualification",)),
        ({"health_checked": None}, ("health",)),
        ({"record_checked": date(2025, 11, 23)}, ("record",)),  # twelve months ago today
        ({"record_checked": date(2025, 11, 24)}, ()),
        ({"record_checked": date(2026, 11, 24)}, ("record",)),  # dated tomorrow
    ],
)
def test_d7_each_thing_that_may_be_missing(known: dict[str, Any], what: tuple[str, ...]) -> None:
    assert lacking(replace(WHOLE, **known), ALL, TODAY) == what


@pytest.mark.parametrize(
    ("city", "demands"),
    [
        pytest.param("tianjin", {"record", "health"}, marks=pytest.mark.row("D7", "tianjin")),
        pytest.param("yueyang", {"record", "health", "qualification"}, marks=pytest.mark.row("D7", "yueyang")),
        pytest.param("luoyang", {"record", "whitelist", "contract", "qualification"}, marks=pytest.mark.row("D7", "luoyang")),
        pytest.param("xiji", {"record"}, marks=pytest.mark.row("D7", "xiji")),
        ("changzhi", {"record"}),  # its paper is silent: the law alone
    ],
)
def test_d7_a_city_asks_for_what_its_paper_says_and_the_law_for_the_record_check(city: str, demands: set[str]) -> None:
    assert load(VARIANTS / city).rules.vetting.demands == demands


@pytest.mark.parametrize(
    ("city", "patrol_min", "escort_min"),
    [
        pytest.param("luoyang", 20, 0, marks=pytest.mark.row("F2", "luoyang")),
        pytest.param("tianjin", 0, 5, marks=pytest.mark.row("D4", "tianjin")),
        ("yueyang", 0, 0),
    ],
)
def test_f2_and_d4_a_silent_paper_asks_for_no_patrol_and_no_escort(city: str, patrol_min: int, escort_min: int) -> None:
    rules = load(VARIANTS / city).rules
    assert (rules.patrol_after_ms, rules.escort_after_ms) == (patrol_min * 60_000, escort_min * 60_000)


@pytest.mark.row("D7", "xiji", "tianjin", "luoyang", "yueyang")
@pytest.mark.parametrize("coach", [{"record_checked": date(2025, 11, 1)}], indirect=True)
def test_d7_whoever_lacks_something_neither_comes_in_nor_takes_children_and_only_the_guard_reads_why(coach: School) -> None:
    tapped = coach.tap("周老师", "east-in").decision
    assert (tapped.outcome, tapped.reason, tapped.open_door) == ("ask_guard", "staff_not_vetted", False)
    assert tapped.detail == {}  # nothing for a screen that bystanders read
    (item,) = coach.look(r.GuardQuery("east")).queue
    assert (item.kind, item.name, item.organisation, item.lacks) == ("outside", "周老师", "少年宫", ("record",))
    assert coach.ask(c.SignedIn(staff=112, where="tablet")).decision.reason == "staff_not_vetted"
    coach.tap("丁一", "south-in")
    coach.at("17:25").tap("丁一", "room-art")
    assert coach.ask(cs.CheckIn(session="S2", by=112)).decision.reason == "staff_not_vetted"
    assert coach.ask(cs.CheckIn(session="S2", by=140, staff=112)).decision.reason == "staff_not_vetted"
    assert coach.take("session:S2", "周老师", 1).decision.reason == "staff_not_vetted"
    assert coach.custodian("丁一") == "杨老师"
    assert coach.ask(cs.CheckIn(session="S2", by=111, reason="other", note="校外教练缺核查")).decision.outcome == "granted"
    (case,) = [case for case in coach.duty().cases if case.kind == "staff_not_vetted"]
    assert (case.detail, case.do) == ("周老师 · 美术社团", "record")


@pytest.mark.row("D7", "xiji", "tianjin", "luoyang", "yueyang")
def test_d7_whoever_has_everything_comes_in_like_everybody(coach: School) -> None:
    assert coach.tap("周老师", "east-in").decision.reason == "staff"
    assert coach.ask(c.SignedIn(staff=112, where="tablet")).decision.outcome == "granted"
    coach.at("17:25")
    assert coach.ask(cs.CheckIn(session="S2", by=112)).decision.outcome == "granted"
    assert not [case for case in coach.duty().cases if case.kind == "staff_not_vetted"]


def test_vetting_survives_a_snapshot_of_the_directory(tmp_path: Path) -> None:
    publish(tmp_path / "directory.db", Content(staff=STAFF, outside=(WHOLE,)), 1, 1)
    assert load_directory(tmp_path / "directory.db").outside == {112: WHOLE}
