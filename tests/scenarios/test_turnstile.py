"""A granted passage that nobody used is taken back, and only then: whenever it is not certain, the tap is believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.turnstiles import UNUSED_IN_A_ROW
from kiosk.evidence.chain import line_of
from tests.support.turnstiles import BOARD, WITHIN_S, TurnstileSchool, wired


@pytest.fixture(name="school")
def a_school(tmp_path: Path) -> Iterator[TurnstileSchool]:
    school = TurnstileSchool(tmp_path / "state")
    yield school
    school.close()


def leaves_alone(school: TurnstileSchool) -> TurnstileSchool:
    """李雷 has come in by day and taps to go home after his last session."""
    school.tap("李雷", "south-in")
    school.turn("south-in")
    school.at("18:40").tap("李雷", "south-out")
    assert school.custodian("李雷") == ""
    return school


def test_a_child_who_goes_through_has_arrived(school: TurnstileSchool) -> None:
    school.tap("王小明", "east-in")
    school.turn("east-in")
    school.nobody_goes()
    assert school.custodian("王小明") == "张老师"
    assert not school.entries("passage_unused")


def test_a_child_who_taps_and_does_not_go_in_has_never_arrived(school: TurnstileSchool) -> None:
    blank = school.child("王小明").hold
    school.tap("王小明", "east-in")
    assert school.custodian("王小明") == "张老师", "the tap counts at once"
    school.nobody_goes()
    child = school.child("王小明")
    assert (child.hold, child.arrived_ms, child.place) == (blank, 0, "")
    assert [e.kind for e in school.entries()][-2:] == ["arrived", "passage_unused"], "both stay in the record"


def test_a_child_who_taps_and_does_not_go_out_is_where_it_was(school: TurnstileSchool) -> None:
    school.tap("李雷", "south-in")
    school.turn("south-in")
    before = school.at("18:40").child("李雷").as_tuple()
    school.tap("李雷", "south-out")
    school.nobody_goes()
    assert school.custodian("李雷") == "杨老师"
    child = school.child("李雷")
    assert child.unused is not None and (child.unused.what, child.unused.access_point) == ("released", "south-out")
    child.unused = None
    assert child.as_tuple() == before, "as if the tap had not been"
    line = line_of(school.number("李雷"), school.entries())
    assert line.whole and line.held, "no gap in the custody line: it ended with the tap and began again"


def test_the_guard_has_the_child_on_the_queue_and_the_duty_page_a_case_until_it_is_seen_again(school: TurnstileSchool) -> None:
    leaves_alone(school).nobody_goes()
    queue = school.look(r.GuardQuery(gate="south")).queue
    assert [(item.kind, item.reason, item.name) for item in queue] == [("child", "passage_unused", "李雷")]
    case = school.case_of("李雷")
    assert case is not None and (case.kind, case.detail) == ("exit_unused", "南门出口")
    assert school.tap("李雷", "south-out").decision.reason == "leaves_alone", "no repeat: it taps again and the door opens"
    school.turn("south-out")
    assert school.look(r.GuardQuery(gate="south")).queue == ()
    assert school.case_of("李雷") is None


def test_a_child_who_comes_back_after_an_arrival_that_did_not_count_arrives(school: TurnstileSchool) -> None:
    school.tap("王小明", "east-in")
    school.nobody_goes()
    again = school.tap("王小明", "east-in")
    school.turn("east-in")
    school.nobody_goes()
    assert (again.decision.reason, school.custodian("王小明")) == ("on_time", "张老师")


def test_each_turn_belongs_to_the_oldest_who_waits(school: TurnstileSchool) -> None:
    school.tap("王小明", "east-in")
    school.seconds(2)
    school.tap("李雷", "east-in")
    school.turn("east-in")
    school.nobody_goes()
    assert [school.custodian(name) for name in ("王小明", "李雷")] == ["张老师", ""]


def test_the_turn_of_an_adult_is_not_a_childs(school: TurnstileSchool) -> None:
    assert school.tap("张老师", "east-in").decision.open_door
    school.tap("王小明", "east-in")
    school.turn("east-in")
    school.nobody_goes()
    assert school.custodian("王小明") == ""


def test_what_a_guard_released_is_not_taken_back_by_a_machine(school: TurnstileSchool) -> None:
    school.tap("王小明", "east-in")
    school.turn("east-in")
    school.at("16:45")
    assert school.release(["王小明"], "王妈妈", "child_recognises").decision.outcome == "granted"
    school.nobody_goes()
    assert school.custodian("王小明") == ""
    assert not school.entries("passage_unused")


def test_whoever_was_seen_since_was_there(school: TurnstileSchool) -> None:
    school.tap("王小明", "east-in")
    school.seconds(1)
    school.roll("class:primary-2026-1", "张老师", 王小明="present")
    school.nobody_goes()
    assert school.custodian("王小明") == "张老师"


@pytest.mark.parametrize("trouble", ["the board is lost", "the clock is doubted", "an emergency", "the power goes", "late tick"])
def test_in_doubt_the_tap_is_believed(school: TurnstileSchool, trouble: str) -> None:
    school.tap("王小明", "east-in")
    if trouble == "the board is lost":
        school.ask(c.DeviceChanged(device=BOARD, health="down", why="pulled"))
        school.ask(c.DeviceChanged(device=BOARD, health="ok"))
    elif trouble == "the clock is doubted":
        school.clock.distrust("the battery is flat")
        school.seconds(1)
        school.clock.distrust("")
    elif trouble == "an emergency":
        school.ask(c.DeclareEmergency(by=school.number("孙主任")))
        school.seconds(1)
        school.ask(c.EndEmergency(by=school.number("孙主任")))
    elif trouble == "the power goes":
        school.restart()
        wired(school)
        school.turn("east-in")
    else:
        school.clock.advance(120_000)
    school.nobody_goes()
    assert school.custodian("王小明") == "张老师"
    assert not school.entries("passage_unused")


def test_a_sensor_that_has_never_turned_takes_nothing_back(school: TurnstileSchool) -> None:
    school.restart()
    wired(school)
    school.tap("王小明", "east-in")
    school.nobody_goes()
    assert school.custodian("王小明") == "张老师"


def test_a_turnstile_that_counts_nobody_any_more_is_doubted_said_once_and_believed_when_it_turns(school: TurnstileSchool) -> None:
    for name in ("王小明", "李雷", "韩梅", "丁一")[:UNUSED_IN_A_ROW]:
        school.tap(name, "east-in")
        school.nobody_goes()
    assert len(school.entries("passage_unused")) == UNUSED_IN_A_ROW
    assert [e.body["device"] for e in school.entries("device_lost")] == [f"{BOARD}:1"]
    assert [d.name for d in school.duty().devices if d.health == "down"] == [f"{BOARD}:1"]
    school.tap("王小明", "east-in")
    school.nobody_goes()
    assert school.custodian("王小明") == "张老师", "rather a broken wire than so many children who stay outside"
    school.turn("east-in")
    assert [e.body["device"] for e in school.entries("device_back")] == [f"{BOARD}:1"]


def test_the_day_is_not_closed_over_a_child_who_is_in_the_turnstile(school: TurnstileSchool) -> None:
    leaves_alone(school)
    closing = school.ask(c.ClearCampus(by=school.number("孙主任")))
    assert closing.decision.detail["blockers"] == ["passages:1"]
    school.turn("south-out")
    assert school.ask(c.ClearCampus(by=school.number("孙主任"))).decision.outcome == "granted"


def test_a_restart_after_it_was_taken_back_stands_where_it_stood(school: TurnstileSchool) -> None:
    leaves_alone(school).nobody_goes()
    before = school.gate.world.campus.fingerprint()
    school.restart()
    assert school.gate.world.campus.fingerprint() == before
    assert school.custodian("李雷") == "杨老师"


def test_a_gate_without_sensors_believes_every_tap(school: TurnstileSchool) -> None:
    school.tap("王小明", "east-in-2")
    school.seconds(3 * WITHIN_S)
    assert school.custodian("王小明") == "张老师"
