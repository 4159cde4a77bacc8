"""The morning after: what was closed stays closed, who sleeps in the dormitory is still held by name."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core.entries import Sealed
from tests.support.people import PUPILS, small_school, uid_of
from tests.support.two_gates import TwoGates, morning_ms

DAY_MS = 86_400_000
LEADER, GUARD = 140, 130


@pytest.fixture
def gates(tmp_path: Path):
    gates = TwoGates(tmp_path, start_ms=morning_ms())
    yield gates
    gates.close()


def on_disk(gates: TwoGates, node: str, sealed: list[Sealed]) -> None:
    """What the agent leaves beside the journal."""
    with sqlite3.connect(gates.folder / node / "peers.db") as db:
        db.execute("CREATE TABLE peers (id INTEGER PRIMARY KEY, node TEXT, incarnation TEXT, seq INTEGER, raw BLOB, hash BLOB)")
        rows = [(s.entry.node, s.entry.incarnation, s.entry.seq, s.raw, s.hash) for s in sealed]
        db.executemany("INSERT INTO peers (node, incarnation, seq, raw, hash) VALUES (?, ?, ?, ?, ?)", rows)
    db.close()


def later(gates: TwoGates, ms: int) -> None:
    for clock in gates.clock.values():
        clock.advance(ms)


def test_a_child_who_came_in_here_and_went_out_there_yesterday_is_no_conflict_today(gates: TwoGates) -> None:
    """Own facts of the closed day are not folded again; then the other gate's must not be either."""
    gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(3)))
    gates.deliver("east", "south")
    later(gates, 11 * 3_600_000)
    assert gates.press("south", c.Read(access_point="south-out", scheme="uid", value=uid_of(3))).outcome == "granted"
    gates.deliver("south", "east")
    on_disk(gates, "east", gates.heard["east"])
    assert gates.press("east", c.ClearCampus(by=LEADER)).outcome == "granted"
    later(gates, 13 * 3_600_000)
    gates.heard["east"].clear()  # the start itself reads what the agent left
    gates.restart("east")
    campus = gates.gate["east"].world.campus
    assert campus.conflicts() == [] and dict(campus.on_campus()) == {}


def test_a_boarder_in_the_dormitory_lets_the_day_close_and_is_held_by_name_over_night(tmp_path: Path) -> None:
    from tests.support.school import School

    boarders = tuple(replace(p, boarder=True) if p.name == "韩梅" else p for p in PUPILS)
    school = School(tmp_path / "state", directory=small_school(pupils=boarders))
    school.tap("韩梅", "south-in")
    offer = school.at("18:00").offer(["韩梅"], "杨老师", "吴老师", kind="to_dormitory", place="女生宿舍 203")
    school.accept(offer, "吴老师", 1)
    closed = school.at("20:30").ask(c.ClearCampus(by=LEADER))
    assert closed.decision.outcome == "granted"
    assert school.entries("campus_cleared")[-1].body["dormitory"] == [[school.number("韩梅"), school.number("吴老师")]]
    school.day = "2026-11-24"
    school.clock.set(school.ms("07:30"))
    school.restart()
    assert (school.custodian("韩梅"), school.child("韩梅").place) == ("吴老师", "女生宿舍 203")
    assert school.child("韩梅").marks == {}
    school.at("08:36").roll("class:primary-2022-1", "杨老师", 韩梅="present")
    assert school.take("class:primary-2022-1", "杨老师", 1).decision.outcome == "granted"
    assert (school.custodian("韩梅"), school.child("韩梅").dormitory) == ("杨老师", False)
    school.close()


def test_nobody_but_a_boarder_goes_to_the_dormitory(tmp_path: Path) -> None:
    from tests.support.school import School

    school = School(tmp_path / "state")
    school.tap("李雷", "south-in")
    refused = school.at("18:00").offer(["李雷"], "杨老师", "吴老师", kind="to_dormitory")
    assert refused.decision.outcome == "refused"
    school.close()


def test_a_child_left_over_night_is_still_held_and_still_climbs_in_the_morning(tmp_path: Path) -> None:
    from tests.support.school import School

    school = School(tmp_path / "state")
    school.tap("王小明", "east-in")
    rung = school.at("20:00").child("王小明").case.rung
    school.day = "2026-11-24"
    school.clock.set(school.ms("00:30"))
    school.ask(c.Tick())
    school.restart()
    assert school.custodian("王小明") == "张老师"
    assert school.child("王小明").case.rung >= rung
    assert school.ask(c.ClearCampus(by=LEADER)).decision.reason == "not_clear"
    school.close()


def test_the_figures_of_a_closed_day_outlive_a_restart_the_same_evening(tmp_path: Path) -> None:
    from tests.support.school import School

    school = School(tmp_path / "state")
    school.tap("王小明", "east-in")
    school.at("17:00").release(["王小明"], "王妈妈")
    school.ask(c.ClearCampus(by=LEADER))
    school.restart()
    duty = school.duty()
    assert (duty.arrived_today, duty.released_today, duty.cleared_ms is not None) == (1, 1, True)
    school.close()


def test_the_close_of_the_day_ends_every_watch_with_and_without_a_restart(tmp_path: Path) -> None:
    """In the morning another guard begins the watch without the one of the evening."""
    from tests.support.school import School

    school = School(tmp_path / "state")
    zhao, qian = school.number("赵师傅"), school.number("钱师傅")
    assert school.ask(c.OfferShift(gate="east", taker=zhao, by=zhao)).decision.outcome == "granted"
    school.at("20:00").ask(c.ClearCampus(by=LEADER))
    assert school.gate.world.campus.shift("east") is None
    school.day = "2026-11-24"
    school.clock.set(school.ms("06:50"))
    school.ask(c.Tick())
    assert school.ask(c.OfferShift(gate="east", taker=qian, by=qian)).decision.outcome == "granted"
    shift = school.gate.world.campus.shift("east")
    assert shift is not None and shift.guard == qian
    school.restart()
    assert school.gate.world.campus.shift("east") == shift
    school.close()
