"""The button at the bottom of a roster: what must this teacher do next?"""

from __future__ import annotations

from dataclasses import replace

from kiosk.web.faces_roster import looking_for, moment, suggested
from tests.faces.sample_views import at, bar, offered_roster, roster


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


def test_towards_the_end_the_group_is_handed_on() -> None:
    view = replace(roster(taken=True, called=True), bar=bar(at("17:20")))
    assert (moment(view).kind, moment(view).count) == ("offer", 41)


def test_nothing_is_handed_on_when_nobody_is_held() -> None:
    view = replace(roster(taken=True, called=True), bar=bar(at("17:20")))
    assert moment(replace(view, rows=tuple(replace(row, held_by_me=False) for row in view.rows))).kind == "done"


def test_a_row_suggests_what_the_readers_saw() -> None:
    rows = {row.line.seat: row for row in roster().rows}
    assert suggested(rows[1]) == "present"
    assert suggested(rows[9]) == "absent_unexplained"
    assert suggested(rows[14]) == "leave_sick"
    assert suggested(replace(rows[9], expected=False)) == ""


def test_the_longest_missing_child_stands_on_top() -> None:
    assert [row.line.seat for row in looking_for(roster())] == [27, 9]
