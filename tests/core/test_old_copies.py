"""A gate computer that was put back to an older copy of its disk, and two on copies of one: both come out, nothing is lost."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core.campus import Campus
from kiosk.core.child import Conflict
from kiosk.core.entries import Sealed, decode
from tests.support.school import School

CHILD, OTHER = "王小明", "王小红"


def all_of(school: School) -> list[Sealed]:
    rows = school.gate.journal._db.execute("SELECT raw, hash FROM entries ORDER BY boot, seq")
    return [Sealed(decode(raw), raw, bytes(hash_)) for raw, hash_ in rows]


def copy_of(state: Path, name: str) -> Path:
    """What a person does with an image of an SD card."""
    to = state.parent / name
    shutil.copytree(state, to, ignore=shutil.ignore_patterns("*.lock"))
    return to


def cases(school: School) -> list[tuple[str, str]]:
    """Kind and detail of every case about a gate computer."""
    return [(line.kind, line.detail) for line in school.duty().cases if line.case.startswith("copy:")]


def folded(entries: list[Sealed]) -> list[Conflict]:
    campus = Campus()
    for one in entries:
        campus.apply(one.entry)
    return campus.conflicts()


def test_an_old_image_is_a_case_that_names_the_gate_and_what_it_lost_counts_again(tmp_path: Path) -> None:
    before = School(tmp_path / "east", at="07:30")
    before.close()
    image = copy_of(tmp_path / "east", "image")
    before = School(tmp_path / "east", at="07:40")
    before.tap(CHILD, "east-in")
    lost = all_of(before)
    before.close()

    after = School(image, at="07:50")
    after.tap(OTHER, "east-in")
    assert not after.child(CHILD).hold.live and cases(after) == []
    after.ask(c.PeerEntries(sealed=tuple(lost)))  # as the sync agent brings them
    assert after.child(CHILD).hold.live and after.child(OTHER).hold.live
    assert cases(after) == [("rolled_back", "东门")]
    after.close()


@pytest.mark.parametrize("restarts", [False, True])
def test_the_case_stays_over_a_restart_until_a_person_closes_it_and_then_for_good(tmp_path: Path, restarts: bool) -> None:
    school = School(tmp_path / "east", at="07:30")
    school.tap(CHILD, "east-in")
    school.close()
    image = copy_of(tmp_path / "east", "image")
    school = School(tmp_path / "east", at="07:40")
    lost = all_of(school)
    school.close()
    school = School(image, at="07:50")
    school.ask(c.PeerEntries(sealed=tuple(lost)))
    case = next(line.case for line in school.duty().cases if line.kind == "rolled_back")
    closed = school.ask(c.CloseCase(case=case, by=school.number("孙主任"), note="旧卡已换回，记录已取回"))
    assert closed.decision.outcome == "granted"
    if restarts:
        school.restart()
        school.ask(c.PeerEntries(sealed=tuple(lost)))
    assert cases(school) == []
    school.close()


def test_two_computers_on_copies_of_one_disk_are_told_from_a_restored_image(tmp_path: Path) -> None:
    School(tmp_path / "east", at="07:30").close()
    twin_state = copy_of(tmp_path / "east", "twin")
    one, twin = School(tmp_path / "east", at="07:40"), School(twin_state, at="07:41")
    one.at("07:45").tap(CHILD, "east-in")
    twin.at("07:46").tap(OTHER, "east-in")
    one.ask(c.PeerEntries(sealed=tuple(all_of(twin))))
    assert cases(one) == [("cloned_device", "东门")]
    one.close()
    twin.close()


def test_the_answer_does_not_hang_on_the_order_of_arrival(tmp_path: Path) -> None:
    School(tmp_path / "east", at="07:30").close()
    twin_state = copy_of(tmp_path / "east", "twin")
    one, twin = School(tmp_path / "east", at="07:40"), School(twin_state, at="07:41")
    one.at("07:45").tap(CHILD, "east-in")
    entries = [*all_of(one), *all_of(twin)]
    one.close()
    twin.close()
    expected, shuffle = folded(entries), random.Random(7)
    assert len(expected) == 1
    for _ in range(30):
        shuffle.shuffle(entries)
        assert folded(entries) == expected
        assert folded([*entries, *entries]) == expected


def test_restarts_power_cuts_and_other_gates_are_no_case(tmp_path: Path) -> None:
    east, south = School(tmp_path / "east", at="07:30"), School(tmp_path / "south", at="07:30", node="south")
    for _ in range(3):
        east.tap(CHILD, "east-in")
        east.restart()
    east.ask(c.PeerEntries(sealed=tuple(all_of(south))))
    assert cases(east) == []
    south.close()
    east.close()


def test_a_gate_that_begins_anew_under_an_old_name_is_a_case(tmp_path: Path) -> None:
    """Its disk died, and nobody restored a copy: what it had not sent is gone, and somebody should ask."""
    old = School(tmp_path / "east", at="07:30")
    sent = all_of(old)
    old.close()
    new = School(tmp_path / "new", at="08:30")
    new.ask(c.PeerEntries(sealed=tuple(sent)))
    assert cases(new) == [("rolled_back", "东门")]
    new.close()


def test_a_server_that_went_back_is_recorded_once_and_stays_a_case(tmp_path: Path) -> None:
    school = School(tmp_path / "east", at="07:40")
    said = c.LinkChanged(waiting=9, last_contact_ms=1, server="http://server", server_back=(1_795_390_000_123, 412))
    for _ in range(3):
        school.ask(said)
    (case,) = [line for line in school.duty().cases if line.kind == "server_rolled_back"]
    assert case.detail == "http://server"
    school.restart()
    school.ask(said)
    assert [e.body["entries"] for e in school.entries("server_went_back")] == [412]
    school.ask(c.CloseCase(case=case.case, by=school.number("孙主任"), note="网管恢复了昨天的备份"))
    school.restart()
    school.ask(said)
    assert not [line for line in school.duty().cases if line.kind == "server_rolled_back"]
    school.close()


def machine_cases(school: School) -> list[tuple[str, str]]:
    """Kind and detail of every case about the server, or about what it keeps of a gate."""
    return [(line.kind, line.detail) for line in school.duty().cases if line.kind in ("server_rolled_back", "forked_record")]


BACK = c.LinkChanged(
    waiting=9, last_contact_ms=1, server="http://server", server_back=(1_795_390_000_123, 412), server_run="5e0c"
)
FORKED = c.LinkChanged(waiting=0, last_contact_ms=1, server="http://server", forked=frozenset({"south/9f3ac2d17b604e58"}))


@pytest.mark.parametrize(("said", "kind", "names"), [
    (BACK, "server_rolled_back", "http://server"), (FORKED, "forked_record", "南门"),
])  # fmt: skip
def test_what_every_gate_notices_is_one_case_everywhere_and_closed_once(
    tmp_path: Path, said: c.LinkChanged, kind: str, names: str
) -> None:
    east, south = (School(tmp_path / node, at="07:40", node=node) for node in ("east", "south"))
    east.ask(said)
    south.at("07:41").ask(replace(said, server="http://the-same", server_back=said.server_back and (1_795_390_000_456, 7)))
    assert machine_cases(east) == [(kind, names)]
    first, second = all_of(east), all_of(south)
    east.ask(c.PeerEntries(sealed=tuple(second)))
    south.ask(c.PeerEntries(sealed=tuple(first)))
    for school in (east, south):
        assert machine_cases(school) == [(kind, names)]
    (case,) = [line.case for line in south.duty().cases if line.kind == kind]
    assert south.ask(c.CloseCase(case=case, by=south.number("孙主任"), note="问过了")).decision.outcome == "granted"
    east.ask(c.PeerEntries(sealed=tuple(all_of(south))))
    heard = {east: all_of(south), south: all_of(east)}
    for school, others in heard.items():
        assert machine_cases(school) == []
        school.restart()
        school.ask(c.PeerEntries(sealed=tuple(others)))
        school.ask(said)
        assert machine_cases(school) == []
        school.close()


def test_a_gate_that_tells_of_it_days_later_opens_no_closed_case_again(tmp_path: Path) -> None:
    early, late = School(tmp_path / "east", at="07:40"), School(tmp_path / "south", at="07:40", node="south")
    early.ask(FORKED)
    late.ask(FORKED)
    entries = all_of(early)
    campus = Campus()
    for one in entries:
        campus.apply(one.entry)
    closed = early.ask(c.CloseCase(case=campus.open_alarms()[0].case, by=early.number("孙主任"), note="问过了"))
    assert closed.decision.outcome == "granted"
    for one in all_of(early)[len(entries) :]:
        campus.apply(one.entry)
    campus.forget_before(entries[-1].entry.at_ms + 40 * 86_400_000)
    for one in all_of(late):
        campus.apply(one.entry)
    assert campus.open_alarms() == []
    early.close()
    late.close()
