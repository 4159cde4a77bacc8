"""Any moment of any day, from the records alone, exactly as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kiosk.core.commands import Tick
from kiosk.core.entries import Fact, Kind, Stream
from kiosk.recorded import RecordsError, day_from, opened
from kiosk.replaying import Film, film
from tests.replay.recording import Recorder, afternoon, live, replayed
from tests.support.people import small_school
from tests.support.school import School


def the_film(school: School, day: str = "2026-11-23") -> Film:
    return film(school.settings, school.state, day_from(day), small_school())


def assert_same(recorder: Recorder) -> None:
    shown = the_film(recorder.school)
    moments = list(recorder.taken)
    recorder.chance.shuffle(moments)  # forwards and backwards
    assert len(moments) >= 20
    for moment in moments:
        assert replayed(shown, moment) == recorder.taken[moment]


@pytest.mark.parametrize("seed", range(3))
def test_twenty_moments_of_a_day_are_found_again_exactly(tmp_path: Path, seed: int) -> None:
    recorder = Recorder(School(tmp_path), seed)
    afternoon(recorder)
    assert any(picture.open_cases for picture in recorder.taken.values())
    recorder.school.close()
    assert_same(recorder)


def test_the_gate_may_go_on_while_somebody_looks_back(tmp_path: Path) -> None:
    recorder = Recorder(School(tmp_path), 5)
    afternoon(recorder)
    assert_same(recorder)
    recorder.school.tap("小妹妹", "east-in")
    assert_same(recorder)
    recorder.school.close()


@pytest.mark.parametrize("seed", range(2))
def test_a_restart_in_the_middle_changes_no_moment(tmp_path: Path, seed: int) -> None:
    recorder = Recorder(School(tmp_path), seed)
    school = recorder.school
    for name in ("王小明", "李雷", "丁一"):
        school.tap(name, "east-in")
    recorder.until("12:00", 6)
    school.restart()
    recorder.until("16:28", 8)
    school.tap("李雷", "room-201")
    school.restart()
    recorder.until("18:45", 8)
    school.close()
    assert_same(recorder)


@pytest.mark.parametrize("step_min", [-90, 45, 60 * 24 * 40])
def test_a_clock_that_steps_misplaces_nobody(tmp_path: Path, step_min: int) -> None:
    """While it is wrong nothing is recorded here; what was written then lies between the trusted entries around it."""
    recorder = Recorder(School(tmp_path), 7)
    school = recorder.school
    school.tap("李雷", "east-in")
    recorder.until("10:00", 8)
    school.clock.advance(step_min * 60_000)
    school.clock.distrust("stepped")
    school.ask(Tick())
    school.tap("丁一", "east-in")
    school.clock.set(school.ms("10:20"))
    school.clock.distrust("")
    school.ask(Tick())
    school.tap("韩梅", "east-in")
    recorder.until("16:28", 8)
    recorder.until("18:50", 6)
    school.close()
    assert_same(recorder)


def test_yesterday_is_left_where_it_was(tmp_path: Path) -> None:
    school = School(tmp_path)
    school.tap("李雷", "east-in")
    school.at("18:40").tap("李雷", "east-out")
    school.ask(_clear(school))
    before = live(school)
    school.day = "2026-11-24"
    school.at("07:40").tap("丁一", "east-in")
    after, now_ms = live(school), school.clock.now_ms()
    school.close()
    assert [row[0] for row in replayed(the_film(school), school.ms("2026-11-23T18:41")).children] == [3]
    assert replayed(the_film(school), school.ms("2026-11-23T18:40")) == before
    assert replayed(the_film(school, "2026-11-24"), now_ms) == after
    with opened(tmp_path) as records:
        window = records.window(school.ms("2026-11-24T00:00"), school.ms("2026-11-25T00:00"))
    assert window[0].entry.kind == Kind.CAMPUS_CLEARED  # what was over is not even read


def _clear(school: School) -> object:
    from kiosk.core.commands import ClearCampus

    return ClearCampus(by=school.number("孙主任"))


def test_other_gates_entries_count_as_if_they_were_our_own(tmp_path: Path) -> None:
    school = School(tmp_path)
    school.tap("李雷", "east-in")
    school.close()
    south = Stream(node="south", incarnation="f" * 16)
    body = {
        "child": 3, "access_point": "south-out", "reason": "leaves_alone", "mode": "alone", "custodian": 105,
        "day": "2026-11-23", "scheme": "uid",
    }  # fmt: skip
    sealed = south.seal(Fact(Kind.RELEASED, body), at_ms=school.ms("18:31"), trusted=True)
    with sqlite3.connect(tmp_path / "peers.db") as peers:
        peers.execute(
            "CREATE TABLE peers(id INTEGER PRIMARY KEY, node TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL,"
            " raw BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE(node, incarnation, seq))"
        )
        peers.execute("INSERT INTO peers VALUES (1, 'south', ?, 1, ?, ?)", ("f" * 16, sealed.raw, sealed.hash))
    peers.close()
    shown = the_film(school)
    assert [row[2] for row in replayed(shown, school.ms("18:30")).children] == [105]
    assert [row[2:] for row in replayed(shown, school.ms("18:32")).children] == [(0, "COLLECTED")]


def test_a_file_that_the_agent_is_just_making_says_nothing_of_other_gates_and_stands_in_nobodys_way(tmp_path: Path) -> None:
    school = School(tmp_path)
    school.tap("李雷", "east-in")
    school.close()
    sqlite3.connect(tmp_path / "peers.db").close()
    with opened(tmp_path) as records:
        assert [stream.last > 0 for stream in records.streams] == [True]
        assert records.head()[2] == 0


def test_a_folder_without_records_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="--state"), opened(tmp_path):
        pass
