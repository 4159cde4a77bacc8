"""What the simulator of several gates found: facts of an earlier day that come late, and what was let go of too early."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core.entries import Sealed
from kiosk.reading_back import peers_after
from tests.support.people import uid_of
from tests.support.school import School
from tests.support.two_gates import TwoGates, morning_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LEADER = 140
CHECKS = ("photo", "child_recognises", "call_back", "id_seen")


@pytest.fixture
def gates(tmp_path: Path):
    gates = TwoGates(tmp_path, start_ms=morning_ms())
    yield gates
    gates.close()


def on_disk(gates: TwoGates, node: str, sealed: list[Sealed]) -> None:
    """What the agent leaves beside the journal."""
    path = gates.folder / node / "peers.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE peers (id INTEGER PRIMARY KEY, node TEXT, incarnation TEXT, seq INTEGER, raw BLOB, hash BLOB)")
        rows = [(s.entry.node, s.entry.incarnation, s.entry.seq, s.raw, s.hash) for s in sealed]
        db.executemany("INSERT INTO peers (node, incarnation, seq, raw, hash) VALUES (?, ?, ?, ?, ?)", rows)
    db.close()
    assert peers_after(path.parent, 0)[0] == len(rows)


def later(gates: TwoGates, ms: int) -> None:
    for clock in gates.clock.values():
        clock.advance(ms)


def _a_day_of_which_south_hears_late(gates: TwoGates) -> None:
    """East, cut off, saw child 3 arrive; south called the roll, let the child go and closed the day."""
    gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(3)))
    later(gates, HOUR_MS)
    gates.press("south", c.CallRoll(roster="class:primary-2022-1", marks={3: "present"}, by=105))
    later(gates, 10 * HOUR_MS)
    gates.press("south", c.Read(access_point="south-out", scheme="uid", value=uid_of(3)))
    gates.press("south", c.Passed(access_point="south-out"))
    assert gates.press("south", c.ClearCampus(by=LEADER)).outcome == "granted"


def test_a_child_who_went_home_yesterday_is_not_back_because_its_arrival_came_in_the_night(gates: TwoGates) -> None:
    """South restarts in the morning: its own facts of the closed day are needed beside the late ones."""
    _a_day_of_which_south_hears_late(gates)
    on_disk(gates, "south", gates.own("east"))
    later(gates, 13 * HOUR_MS)
    gates.restart("south")
    assert dict(gates.gate["south"].world.campus.on_campus()) == {}


def test_nor_because_its_arrival_came_after_the_restart(gates: TwoGates) -> None:
    _a_day_of_which_south_hears_late(gates)
    later(gates, 13 * HOUR_MS)
    gates.restart("south")
    on_disk(gates, "south", gates.own("east"))
    gates.deliver("east", "south")
    assert dict(gates.gate["south"].world.campus.on_campus()) == {}


def test_nor_because_its_arrival_came_three_days_later_to_a_gate_that_was_never_restarted(gates: TwoGates) -> None:
    _a_day_of_which_south_hears_late(gates)
    for _ in range(3):
        later(gates, DAY_MS)
        gates.press("south", c.Tick())
    on_disk(gates, "south", gates.own("east"))
    gates.deliver("east", "south")
    assert dict(gates.gate["south"].world.campus.on_campus()) == {}


def test_a_closed_conflict_of_a_child_who_is_still_here_does_not_open_again(gates: TwoGates) -> None:
    """The child stays for days; the closing must be remembered as long as the conflict."""
    for at in ("east", "south"):
        gates.press(at, c.Read(access_point=f"{at}-in", scheme="uid", value=uid_of(6)))
    gates.deliver("east", "south")
    campus = gates.gate["south"].world.campus
    assert {conflict.kind for conflict in campus.conflicts()} == {"arrived_twice", "cloned_card"}
    for conflict in campus.conflicts():
        gates.press("south", c.CloseCase(case=conflict.case, by=LEADER, note="已核实"))
    for _ in range(4):
        later(gates, DAY_MS)
        gates.press("south", c.Tick())
    assert campus.child(6).hold.live
    assert campus.conflicts() == []


def test_a_child_who_left_while_the_clock_stood_in_1970_is_not_let_go_of_when_it_is_set_right(tmp_path: Path) -> None:
    """Else the same child could go a second time, and no case would say so."""
    school = School(tmp_path / "state", "16:40")
    school.tap("丁一", "south-in")
    now_ms = school.clock.now_ms()
    school.clock.set(int(datetime(1970, 1, 1, 4).timestamp() * 1000))
    school.clock.distrust("implausible_year")
    school.close()
    school.gate, school.open = school._opened(), True
    released = school.release(["丁一"], "丁妈妈", *CHECKS, point="south-out", second="孙主任")
    assert released.decision.outcome == "granted", released.decision
    school.clock.set(now_ms + 2 * HOUR_MS)
    school.clock.distrust("")
    school.ask(c.Tick())
    again = school.release(["丁一"], "丁妈妈", *CHECKS, point="south-out", second="孙主任")
    school.close()
    assert again.decision.reason == "not_on_campus"


def test_a_clock_that_nobody_trusts_turns_no_page_when_the_state_is_read_back(gates: TwoGates) -> None:
    """Seed 14639 of the simulator: over midnight in 1970, with a write that failed."""
    east = gates.gate["east"]
    gates.clock["east"].distrust("implausible_year")
    gates.press("east", c.Tick())
    gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(3)))
    day = east.world.book.day.date
    later(gates, DAY_MS)
    gates.press("east", c.Tick())
    assert east.world.book.day.date == day
    before = east.world.campus.fingerprint()
    assert east._rebuild is not None
    again = east._rebuild()
    assert again.book.day.date == day and again.campus.fingerprint() == before


def test_a_day_that_a_doubted_clock_did_not_turn_is_read_back_with_the_next_ones_facts(gates: TwoGates) -> None:
    """Seeds 22532 and 23309 of the simulator: south wrote facts of yesterday among those that east wrote today."""
    gates.clock["south"].distrust("stepped")
    gates.press("south", c.Tick())
    later(gates, DAY_MS)
    gates.press("east", c.Tick())
    gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(3)))
    later(gates, 10 * HOUR_MS)
    gates.press("south", c.Tick())
    turned_back = gates.press("south", c.Read(access_point="south-out", scheme="uid", value=uid_of(3)))
    assert turned_back.reason == "not_on_campus"
    for waiting in tuple(gates.gate["south"].world.campus.requests):
        gates.press("south", c.DismissFromQueue(queue_id=waiting, by=LEADER))
    assert gates.press("south", c.ClearCampus(by=LEADER)).outcome == "granted"
    gates.clock["south"].distrust("")
    gates.restart("south")
    on_disk(gates, "south", gates.own("east"))
    gates.deliver("east", "south")
    running = gates.gate["south"].world.campus
    assert running.child(3).last_outcome == "ask_guard"
    before = running.fingerprint()
    gates.restart("south")
    assert gates.gate["south"].world.campus.child(3).as_tuple() == dict(before[0])[3]
