"""The ladder for a child who has not been collected, rung by rung, as the duty leader lives it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.settings import load
from tests.support.school import CONFIG, School


@pytest.fixture
def school(tmp_path: Path):
    school = School(tmp_path / "state")
    school.tap("王小明", "east-in")  # grade 1, nobody stays for: his window ends 15 minutes after dismissal
    yield school
    school.close()


def case(school: School, name: str = "王小明"):
    return school.child(name).case


def acknowledge(school: School, by: str = "孙主任", second: str = ""):
    number = school.number(second) if second else None
    return school.ask(c.Acknowledge(case=case(school).case, by=school.number(by), second=number))


def t0(school: School, name: str = "王小明") -> int:
    return school.gate.world.book.pupils[school.number(name)].release_due_ms


def after(school: School, minutes: float, name: str = "王小明") -> School:
    while school.clock.now_ms() + 60_000 <= t0(school, name) + minutes * 60_000:
        school.clock.advance(60_000)
        school.ask(c.Tick())
    return school


def test_a_low_grade_starts_at_t0_and_a_child_who_leaves_alone_never_does(school):
    school.tap("不参加", "south-in")
    assert case(after(school, -1)) is None
    assert case(after(school, 0)).rung == 0
    assert case(after(school, 60), "不参加") is None


def test_each_rung_comes_in_its_time_when_every_one_is_acknowledged(school):
    rungs = school.settings.rules.ladder
    for number, rung in enumerate(rungs):
        after(school, rung.at_min)
        assert case(school).rung == number, rung
        acknowledge(school, second="赵师傅")
    assert [entry.body["state"] for entry in school.entries("escalated")] == [rung.state for rung in rungs]


def test_a_rung_that_nobody_acknowledges_fires_the_next_one_early(school):
    after(school, 15)
    assert case(school).rung == 2
    assert case(after(school, 21)).rung == 3, "due at +30, and here after five minutes without a word"


def test_an_estimated_arrival_pauses_the_ladder_once_and_no_longer_than_agreed(school):
    after(school, 0)
    acknowledge(school)
    call = c.LogCall(
        case=case(school).case, guardian=school.number("王妈妈"), result="on_the_way", by=school.number("孙主任"), eta_min=20
    )
    school.ask(call)
    assert case(after(school, 25)).rung == 0
    assert case(after(school, 31)).rung == 1
    acknowledge(school)
    school.ask(call)  # a second promise stops nothing
    assert case(after(school, 36)).rung == 2


def test_every_call_is_on_record_with_its_guardian_result_and_channel(school):
    after(school, 0)
    for guardian, result, channel in (("王妈妈", "no_answer", "phone"), ("王爸爸", "off", "sms")):
        school.ask(
            c.LogCall(
                case=case(school).case, guardian=school.number(guardian), result=result, channel=channel,
                by=school.number("孙主任"),
            )
        )  # fmt: skip
    line = school.case_of("王小明")
    assert line is not None
    logged = [(call.guardian_name, call.result, call.channel) for call in line.calls]
    assert logged == [("王妈妈", "no_answer", "phone"), ("王爸爸", "off", "sms")]
    assert [g.name for g in line.guardians] == ["王妈妈"], "a restricted father is never offered for a call"


def test_from_the_police_rung_on_two_adults_stay_with_the_child(school):
    top = next(n for n, rung in enumerate(school.settings.rules.ladder) if rung.adults == 2)
    for rung in school.settings.rules.ladder[:top]:
        after(school, rung.at_min)
        acknowledge(school)
    after(school, school.settings.rules.ladder[top].at_min)
    assert acknowledge(school).decision.reason == "second_person_needed"
    assert acknowledge(school, second="孙主任").decision.reason == "second_person_needed", "oneself is nobody else"
    assert acknowledge(school, second="赵师傅").decision.outcome == "granted"
    line = school.case_of("王小明")
    assert line is not None and (line.acknowledged_by, line.second_name) == ("孙主任", "赵师傅")


def test_due_times_survive_a_restart(school):
    after(school, 12)
    before = school.child("王小明").case
    assert school.restart().child("王小明").case == before


def test_extended_care_shifts_the_start_to_its_own_end(school):
    school.tap("欧阳娜", "east-in")
    windows = school.gate.world.book.pupils[school.number("欧阳娜")]
    assert windows.release_due_ms == windows.extended_care.end_ms
    assert case(school.at("18:55"), "欧阳娜") is None
    assert case(after(school, 1, "欧阳娜"), "欧阳娜").rung == 0


def test_the_ladder_runs_at_the_childs_release_gate_and_at_no_other(tmp_path: Path):
    base = load(CONFIG)
    only_south = replace(base.rules, serves=frozenset({"south"}))
    south = School(tmp_path / "south", node="south", settings=replace(base, rules=only_south))
    south.tap("王小明", "south-in")  # a child of the east gate
    south.tap("丁一", "south-in")
    south.at("20:00")
    assert south.child("王小明").case is None
    assert south.child("丁一").case is not None
    south.close()


def test_the_day_stays_open_until_the_last_child_is_collected(school):
    after(school, 100)
    leader = school.number("孙主任")
    assert school.ask(c.ClearCampus(by=leader)).decision.detail == {"blockers": ["children:1"]}
    school.release(["王小明"], "王妈妈")
    assert school.ask(c.ClearCampus(by=leader)).decision.outcome == "granted"
