"""Two releases of which neither stands behind the other are a case, whatever the clocks say and in whatever order they come."""

from __future__ import annotations

from itertools import permutations

import pytest

from kiosk.core.campus import Campus
from kiosk.core.entries import Entry, Fact, Kind, Stream
from tests.support.people import STAFF

CHILD, DAY, TEACHER = 3, "2026-11-23", STAFF[0].number
AHEAD_MS = 9 * 365 * 86_400_000


def stream(node: str) -> Stream:
    return Stream(node=node, incarnation="a")


def arrives(at: Stream, ms: int, trusted: bool = True) -> Entry:
    body = {"child": CHILD, "custodian": TEACHER, "day": DAY, "access_point": f"{at.node}-in", "reason": "on_time"}
    return at.seal(Fact(Kind.ARRIVED, body), at_ms=ms, trusted=trusted).entry


def leaves(at: Stream, ms: int, trusted: bool = True, day: str = DAY, **more: str) -> Entry:
    body = {"child": CHILD, "custodian": TEACHER, "day": day, "access_point": f"{at.node}-out", "mode": "alone", **more}
    return at.seal(Fact(Kind.RELEASED, body), at_ms=ms, trusted=trusted).entry


def doubles(*facts: Entry) -> list[tuple[str, ...]]:
    """What every order of arrival says, with everything twice; they must all say the same."""
    said = set()
    for order in permutations(facts):
        campus = Campus()
        for fact in (*order, *order):
            assert campus.apply(fact)
        said.add(tuple(c.entries for c in campus.conflicts() if c.kind == "double_release"))
    assert len(said) == 1, said
    return list(said.pop())


@pytest.mark.parametrize("ahead_ms", [0, AHEAD_MS])
def test_a_return_between_them_by_the_clocks_hides_no_double(ahead_ms: int) -> None:
    """South's clock is years ahead or not; it saw the child come in and go and never heard of east."""
    east, south = stream("east"), stream("south")
    here, gone = arrives(east, 1_000), leaves(east, 2_000)
    again = arrives(south, 3_000 + ahead_ms, trusted=not ahead_ms)
    gone_too = leaves(south, 4_000 + ahead_ms, trusted=not ahead_ms)
    assert doubles(here, gone, again, gone_too) == [(str(gone.id), str(gone_too.id))]


def test_a_child_who_came_back_and_went_again_is_no_double() -> None:
    east, south = stream("east"), stream("south")
    here, gone = arrives(east, 1_000), leaves(east, 2_000)
    south.observe(here)
    south.observe(gone)
    assert doubles(here, gone, arrives(south, 3_000), leaves(south, 4_000)) == []


def test_what_is_known_through_another_gate_is_known() -> None:
    """North heard of the return that south recorded, and not yet of the release before it."""
    east, south, north = stream("east"), stream("south"), stream("north")
    here, gone = arrives(east, 1_000), leaves(east, 2_000)
    south.observe(gone)
    again = arrives(south, 3_000)
    north.observe(again)
    assert doubles(here, gone, again, leaves(north, 4_000)) == []


def test_a_gate_that_was_cut_off_for_days_makes_no_case_every_day() -> None:
    east, south = stream("east"), stream("south")
    here, gone = arrives(east, 1_000), leaves(east, 2_000)
    assert doubles(here, gone, arrives(south, 3_000), leaves(south, 90_000_000, day="2026-11-24")) == []


def test_an_exception_of_1970_is_not_forgotten_while_a_double_release_answers_for_it() -> None:
    """East lets the child go twice, the second time with its clock in 1970, because it has not heard that the child was back."""
    east, south = stream("east"), stream("south")
    here, gone = arrives(east, 1_000_000), leaves(east, 2_000_000)
    south.observe(gone)
    again = arrives(south, 3_000_000)
    east.tick = 4_000_000
    gone_too = leaves(east, 5, trusted=False, alarm="exceptional_release")
    campus = Campus()
    for fact in (here, gone, gone_too):
        assert campus.apply(fact)
    assert campus.open_alarms() == []
    campus.forget_before(1_500_000)
    assert campus.apply(again)
    assert [alarm.case for alarm in campus.open_alarms()] == [f"alarm:{gone_too.id}"]
    assert campus.conflicts() == []
