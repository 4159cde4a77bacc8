"""The button at the bottom of a roster: what must this teacher do next?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.web.faces_roster import counts_on_top, looking_for, moment, suggested
from tests.faces.roster_views import (
    at_the_gate,
    ending,
    homeward,
    in_care,
    on_the_way,
    outside,
    returned,
    searching,
    two_offers,
)
from tests.faces.sample_views import offered_roster, roster
from tests.faces.service_views import ROSTERS_OF_SESSIONS


def test_an_offer_that_waits_comes_first() -> None:
    assert moment(offered_roster()).kind == "accept"
    assert moment(offered_roster()).count == 41


def test_children_who_are_here_in_others_care_are_taken_over_with_the_exceptions_named() -> None:
    now = moment(roster())
    assert (now.kind, now.count, now.exceptions) == ("take", 41, 4)


def test_then_the_roll_is_called() -> None:
    now = moment(roster(taken=True))
    assert (now.kind, now.count, now.exceptions) == ("call", 41, 4)


def test_in_the_middle_of_the_session_there_is_nothing_to_do() -> None:
    assert moment(roster(taken=True, called=True)).kind == "done"


def test_towards_the_end_the_groups_are_handed_on_one_after_the_other_and_the_rest_is_led_home() -> None:
    view = ending()
    first = moment(view)
    assert first.task is not None
    assert (first.kind, first.count, first.task.act, first.task.body["taker"]) == ("hand", 12, "offer", 9031)
    acts = [(task.act, task.body.get("kind"), len(task.children)) for task in first.tasks]
    assert acts[:3] == [("offer", "to_session", 12), ("offer", "to_extended_care", 8), ("start_escort", None, 21)]
    led = moment(homeward())
    assert led.task is not None
    assert (led.kind, led.task.act, led.task.body, led.task.choose) == ("hand", "start_escort", {"gate": "east"}, "gate")


def test_a_group_on_its_way_is_counted_at_the_gate_and_then_waits_there() -> None:
    assert (moment(on_the_way()).kind, moment(on_the_way()).count) == ("arrive", 21)
    assert (moment(at_the_gate()).kind, moment(at_the_gate()).count) == ("wait", 21)


def test_a_group_outside_is_counted_when_it_is_back() -> None:
    assert (moment(outside()).kind, moment(outside()).count) == ("back", 41)


def test_nothing_is_handed_on_when_nobody_is_held() -> None:
    view = ending()
    assert moment(replace(view, rows=tuple(replace(row, held_by_me=False) for row in view.rows))).kind == "done"


def test_who_must_still_be_named_has_no_reason_yet() -> None:
    task = moment(roster()).task
    assert task is not None
    assert task.away == {1009: "", 1014: "leave_sick", 1027: "", 1031: "not_arrived"}


def test_children_of_another_list_come_with_their_names() -> None:
    accepts = moment(two_offers()).task, counts_on_top(two_offers())[1][1]
    assert accepts[0] is not None
    assert accepts[0].others == ()
    assert accepts[1].others == ((2003, "方舟", 3), (2008, "田甜", 8))


def test_an_offer_that_came_back_is_made_again_to_the_same_taker() -> None:
    (again,), _ = counts_on_top(returned())
    assert (again.act, again.body, len(again.children)) == ("offer", {"kind": "to_session", "taker": 9031, "place": "实验室"}, 11)


def test_a_child_who_is_looked_for_is_missing_from_every_count() -> None:
    view = replace(ending(), searches=searching().searches)
    sought = replace(view.rows[8], held_by_me=True)
    task = moment(replace(view, rows=(*view.rows[:8], sought, *view.rows[9:]), next_groups=())).task
    assert task is not None
    assert task.away == {1009: "missing"}


def test_a_supervisor_between_slots_is_not_asked_to_hand_on_at_once() -> None:
    assert moment(in_care()).kind == "done"
    assert {task.words.get("kind") for task in moment(in_care()).tasks} >= {"to_duty", "to_colleague", "to_dormitory"}
    assert moment(in_care(nobody=True)).tasks == ()


def test_a_row_suggests_what_the_readers_saw() -> None:
    rows = {row.line.seat: row for row in roster().rows}
    assert suggested(rows[1]) == "present"
    assert suggested(rows[9]) == "absent_unexplained"
    assert suggested(rows[14]) == "leave_sick"
    assert suggested(replace(rows[9], expected=False)) == ""


def test_the_longest_missing_child_stands_on_top() -> None:
    assert [row.line.seat for row in looking_for(roster())] == [27, 9]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("session to check in", "check_in"), ("session to stand in", "check_in"), ("session to close", "close"),
        ("session to close at once", "close"), ("session to close for another", "close"), ("session closed", "done"),
    ],
)  # fmt: skip
def test_the_button_checks_in_first_and_closes_last(key: str, kind: str) -> None:
    assert moment(ROSTERS_OF_SESSIONS[key]).kind == kind
