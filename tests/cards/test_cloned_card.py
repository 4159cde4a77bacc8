"""The same card at two gates within an impossible time: a case, in whatever order the gates' facts meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from kiosk.core.campus import Campus
from kiosk.core.card_book import CLONED
from kiosk.core.commands import CloseCase, PeerEntries
from kiosk.core.decisions import Decision
from kiosk.core.entries import Entry, Sealed, decode
from kiosk.core.roster import CaseLine, GuardQuery
from kiosk.settings import load
from tests.support.school import CONFIG, School


@pytest.fixture(name="school")
def a_school_with_ordinary_cards(tmp_path: Path) -> Iterator[School]:
    one = School(tmp_path / "state")
    yield one
    one.close()


@pytest.fixture
def south(tmp_path: Path) -> Iterator[School]:
    """The computer of the south gate, on which the same day runs."""
    one = School(tmp_path / "south", node="south")
    yield one
    one.close()


def entries_of(school: School) -> list[Sealed]:
    rows = school.gate.journal._db.execute("SELECT raw, hash FROM entries ORDER BY boot, seq")
    return [Sealed(decode(bytes(raw)), bytes(raw), bytes(hash_)) for raw, hash_ in rows]


def bring(source: School, to: School) -> None:
    to.ask(PeerEntries(sealed=tuple(entries_of(source))))


def cloned(school: School) -> list[str]:
    return [one.case for one in school.gate.world.campus.conflicts() if one.kind == CLONED]


def cases(school: School) -> list[CaseLine]:
    return [case for case in school.duty().cases if case.kind == CLONED]


def tapped(school: School, name: str, point: str) -> Decision:
    decision: Decision = school.tap(name, point).decision
    return decision


def test_a_card_at_two_gates_at_once_is_a_case_for_the_duty_leader(school: School) -> None:
    school.at("15:35")
    tapped(school, "王妈妈", "east-out")
    school.at("15:35:40")
    again = tapped(school, "王妈妈", "south-out")
    assert (again.outcome, again.reason) == ("ask_guard", "card_cloned")
    [case] = cases(school)
    assert case.told == ("duty_leader",)
    assert case.detail.startswith("王妈妈 · ")


def test_an_adult_whose_card_was_in_two_places_shows_a_document_until_the_case_is_closed(school: School) -> None:
    school.tap("王小明", "east-in")
    school.at("15:35")
    tapped(school, "王妈妈", "east-out")
    tapped(school.at("15:35:40"), "王妈妈", "south-out")
    school.at("15:40")
    refused = school.release(["王小明"], "王妈妈", "photo").decision
    assert refused.outcome == "refused"
    line = next(item for item in school.look(GuardQuery(gate="east")).queue if item.name == "王妈妈").children[0]
    assert (line.outcome, line.reason, "id_seen" in line.needs) == ("ask_guard", "card_cloned", True)
    [case] = cloned(school)
    school.ask(CloseCase(case=case, by=school.number("孙主任"), note="核对过：两张卡，已收回一张"))
    assert cloned(school) == []
    assert school.release(["王小明"], "王妈妈", "photo").decision.reason == "collected"


def test_a_child_is_never_held_back_by_it(school: School) -> None:
    assert tapped(school, "李雷", "east-in").outcome == "granted"
    assert tapped(school.at("07:40:30"), "李雷", "south-in").outcome == "granted"
    assert len(cloned(school)) == 1
    assert tapped(school.at("18:35"), "李雷", "south-out").reason == "leaves_alone"


@pytest.mark.parametrize(("point", "at"), [("east-in-2", "07:40:30"), ("south-in", "07:41:01"), ("room-201", "07:40:30")])
def test_the_same_gate_a_room_or_a_minute_are_possible(school: School, point: str, at: str) -> None:
    tapped(school, "李雷", "east-in")
    tapped(school.at(at), "李雷", point)
    assert cloned(school) == []


def test_a_school_may_not_look_for_it(tmp_path: Path) -> None:
    base = load(CONFIG)
    easy = School(tmp_path / "easy", settings=replace(base, rules=replace(base.rules, impossible_ms=0)))
    try:
        tapped(easy, "李雷", "east-in")
        tapped(easy, "李雷", "south-in")
        assert cloned(easy) == []
    finally:
        easy.close()


def test_two_gates_that_were_cut_off_find_it_when_they_meet_and_both_alike(school: School, south: School) -> None:
    tapped(school, "李雷", "east-in")
    tapped(south.at("07:40:50"), "李雷", "south-in")
    assert cloned(school) == cloned(south) == []
    bring(south, school)
    bring(school, south)
    assert len(cloned(school)) == 1
    assert cloned(school) == cloned(south)


def test_in_whatever_order_the_facts_come(school: School, south: School) -> None:
    tapped(school, "李雷", "east-in")
    tapped(south.at("07:40:50"), "李雷", "south-in")
    tapped(south.at("07:42"), "李雷", "room-201")
    mine: list[Entry] = [one.entry for one in (*entries_of(school), *entries_of(south)) if one.entry.body.get("scheme")]
    found = set()
    for order in permutations(mine):
        campus = Campus()
        campus.cards.lens({"east-in": "east", "south-in": "south"}, 60_000)
        for entry in (*order, *order):
            campus.apply(entry)
        found.add(tuple(one for one in campus.conflicts() if one.kind == CLONED))
    [(only,)] = found
    assert only.child == school.number("李雷")


def test_it_survives_a_restart(school: School) -> None:
    tapped(school, "李雷", "east-in")
    tapped(school, "李雷", "south-in")
    before = cloned(school)
    assert cloned(school.restart()) == before != []


def test_the_day_is_not_closed_over_it(school: School) -> None:
    school.at("15:35")
    tapped(school, "王妈妈", "east-out")
    tapped(school, "王妈妈", "south-out")
    assert "conflicts:1" in school.duty().clear_blockers
