"""Applications in the core: the machine, capacity, the waiting list, agreements, days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core import enrolment_book as eb
from kiosk.core.enrolment import (
    HOLDS_PLACE,
    PRIORITY_GROUPS,
    STEPS,
    Period,
    State,
    Step,
    end_of_month,
    overlap,
    same_time,
    waiting_order,
)
from kiosk.core.people import Enrolment
from tests.enrolment.books import END, MONDAY, SESSIONS, book, joined, press, wish

ALL = ("changzhi", "xiji", "tianjin", "luoyang", "yueyang")


def states(of: eb.Book) -> dict[str, State]:
    return {one.id: one.state for one in of.applications}


def on_roster(of: eb.Book, key: str, day: int) -> list[int]:
    today = MONDAY + timedelta(days=day)
    there = (e for e in of.enrolments if e.session == key and overlap(Period(e.valid_from, e.valid_to), Period(today, today)))
    return sorted(e.child for e in there)


@pytest.mark.row("C1", *ALL)
def test_c1_no_step_refuses_a_child_and_only_the_family_ends_an_application() -> None:
    assert {step for steps in STEPS.values() for step in steps} <= set(Step)
    assert not {"declined", "refused", "rejected"} & {state.value for state in State}
    assert [state for state, steps in STEPS.items() if not steps] == [State.WITHDRAWN]
    assert all(Step.WITHDRAW in steps for state, steps in STEPS.items() if state is not State.WITHDRAWN)


@pytest.mark.row("C2", "changzhi", "xiji", "yueyang")
def test_c2_an_application_is_reviewed_by_the_class_and_then_approved() -> None:
    applied = eb.apply(book(), wish(1, "ZQ"), press())
    assert states(applied) == {"SQ00001": State.APPLIED} and not applied.enrolments
    with pytest.raises(eb.Refused, match="no_such_step applied"):
        eb.approve(applied, "SQ00001", press())
    reviewed = eb.review(applied, "SQ00001", press(by=103))
    assert not reviewed.enrolments
    approved = eb.approve(reviewed, "SQ00001", press())
    assert states(approved) == {"SQ00001": State.ACTIVE}
    assert [(taken.step, taken.by) for taken in approved.steps] == [
        (Step.APPLY, 150),
        (Step.REVIEW, 103),
        (Step.APPROVE, 150),
        (Step.SIGN, 150),
    ]


@pytest.mark.row("C2", "changzhi", "xiji", "yueyang")
def test_c2_without_the_agreement_the_child_is_on_the_roster_but_not_active() -> None:
    asked = press(agreement=True)
    unsigned, number = joined(book(), wish(1, "ZQ"), asked)
    assert states(unsigned) == {number: State.APPROVED}
    assert on_roster(unsigned, "ZQ", 0) == [1] and unsigned.enrolments[0].agreement == ""
    with pytest.raises(eb.Refused, match="number_needed"):
        eb.sign(unsigned, number, "", asked)
    signed = eb.sign(unsigned, number, "XY-7", asked)
    assert states(signed) == {number: State.ACTIVE} and signed.enrolments[0].agreement == "XY-7"
    assert states(joined(book(), wish(1, "ZQ", agreement="XY-8"), asked)[0]) == {number: State.ACTIVE}


@pytest.mark.row("B1", "changzhi", "tianjin")
def test_b1_a_full_session_makes_the_next_child_wait_and_never_turns_it_away() -> None:
    full = book()
    for child in (1, 2, 3):
        full, _ = joined(full, wish(child, "ZQ"), press())
    assert on_roster(full, "ZQ", 0) == [1, 2]
    assert list(states(full).values()) == [State.ACTIVE, State.ACTIVE, State.WAITING]
    assert eb.places_taken(full, "ZQ", MONDAY) == 2


@pytest.mark.row("A17", "changzhi", "xiji", "yueyang")
def test_a17_priority_groups_come_first_on_the_waiting_list_and_decide_nothing_else() -> None:
    full = book()
    for child in (1, 2, 3, 4):
        full, _ = joined(full, wish(child, "ZQ", child // 4), press(child // 4))
    full, _ = joined(full, wish(5, "ZQ", 2, priority="left_behind"), press(2))
    assert [one.child for one in waiting_order(full.applications, "ZQ")] == [5, 3, 4]
    assert on_roster(full, "ZQ", 2) == [1, 2]  # nobody gives way to a priority group
    assert all(not hasattr(line, "priority") for line in full.enrolments)
    with pytest.raises(eb.Refused, match="no_such_group"):
        eb.apply(full, wish(6, "HC", priority="rich"), press())
    assert "disabled" in PRIORITY_GROUPS


@pytest.mark.row("A17", "changzhi", "xiji", "yueyang")
def test_a17_a_place_that_becomes_free_is_offered_to_the_next_and_kept_until_the_family_answers() -> None:
    full = book()
    for child in (1, 2, 3, 4):
        full, _ = joined(full, wish(child, "ZQ"), press())
    left = eb.withdraw(full, "SQ00001", MONDAY + timedelta(days=2), press())
    offered = left.of("SQ00003")
    assert (offered.state, offered.valid_from) == (State.OFFERED, MONDAY + timedelta(days=2))
    assert states(left)["SQ00004"] is State.WAITING
    assert on_roster(left, "ZQ", 2) == [2] and eb.places_taken(left, "ZQ", MONDAY + timedelta(days=2)) == 2
    assert on_roster(eb.accept(left, "SQ00003", press(1)), "ZQ", 2) == [2, 3]
    in_need, number = joined(left, wish(5, "ZQ", priority="disabled"), press())
    assert in_need.of(number).priority == "disabled"
    assert eb.withdraw(in_need, number, MONDAY, press()).of(number).priority == ""  # it has served its purpose
    assert joined(book(), wish(5, "ZQ", priority="disabled"), press())[0].applications[0].priority == ""
    declined = eb.withdraw(left, "SQ00003", MONDAY + timedelta(days=1), press(1))
    assert states(declined)["SQ00004"] is State.OFFERED


@pytest.mark.row("C3", "changzhi")
def test_c3_joining_and_leaving_on_any_day_leaves_the_days_before_as_they_were() -> None:
    first, number = joined(book(), wish(1, "KY", 1), press())
    assert [on_roster(first, "KY", day) for day in (0, 1, 40)] == [[], [1], [1]]
    left = eb.withdraw(first, number, MONDAY + timedelta(days=9), press(9))
    assert [on_roster(left, "KY", day) for day in (1, 8, 9, 10)] == [[1], [1], [], []]
    again, _ = joined(left, wish(1, "KY", 11), press(11))
    assert [on_roster(again, "KY", day) for day in (1, 8, 9, 10, 11)] == [[1], [1], [], [], [1]]
    with pytest.raises(eb.Refused, match="in_the_past"):
        eb.withdraw(again, "SQ00002", MONDAY + timedelta(days=12), press(13))
    with pytest.raises(eb.Refused, match="in_the_past"):
        eb.apply(again, wish(2, "KY", 5), press(6))


@pytest.mark.row("C3", "changzhi")
def test_c3_a_place_that_a_list_gave_can_be_left_with_its_history() -> None:
    listed = book(Enrolment(child=1, session="KY"), Enrolment(child=2, session="KY", valid_from=date(2026, 9, 1), agreement="X"))
    taken, number = eb.adopt(listed, 1, "KY", press(3))
    assert not [one for one in eb.effects(listed, taken) if one.what.startswith("line")]
    left = eb.withdraw(taken, number, MONDAY + timedelta(days=3), press(3))
    assert [on_roster(left, "KY", day) for day in (-30, 2, 3)] == [[1, 2], [1, 2], [2]]
    assert [one.what for one in eb.effects(listed, left)] == ["line_changed", "withdrawn"]


@pytest.mark.row("B2", "changzhi", "xiji", "tianjin", "yueyang")
def test_b2_two_sessions_at_the_same_time_are_refused_with_the_other_ones_name() -> None:
    one, _ = joined(book(), wish(1, "ZQ"), press())
    with pytest.raises(eb.Refused, match="same_time 足球"):
        eb.apply(one, wish(1, "HC"), press())
    with pytest.raises(eb.Refused, match="already 足球"):
        eb.apply(one, wish(1, "ZQ"), press())
    both, _ = joined(one, wish(1, "KY"), press())
    assert len(both.enrolments) == 2


@pytest.mark.row("A10", "luoyang")
def test_a10_every_slot_is_chosen_by_itself_and_left_by_itself() -> None:
    two = book()
    for key in ("KY", "ZQ"):
        two, _ = joined(two, wish(1, key), press())
    assert len({one.id for one in two.applications}) == 2  # each slot is an application of its own: nothing is bundled
    only_second = eb.withdraw(two, "SQ00001", MONDAY, press())
    assert (on_roster(only_second, "KY", 0), on_roster(only_second, "ZQ", 0)) == ([], [1])
    only_first = eb.withdraw(two, "SQ00002", MONDAY, press())
    assert (on_roster(only_first, "KY", 0), on_roster(only_first, "ZQ", 0)) == ([1], [])


@pytest.mark.row("A12", "changzhi", "luoyang")
def test_a12_a_family_chooses_among_the_schools_earlier_ends() -> None:
    early, _ = joined(book(), wish(1, "ZQ", leave_at_min=17 * 60), press())
    assert early.enrolments[0].leave_at_min == 17 * 60
    with pytest.raises(eb.Refused, match="no_such_time 17:20"):
        eb.apply(book(), wish(1, "ZQ", leave_at_min=17 * 60 + 20), press())


@pytest.mark.row("B1", "changzhi", "tianjin")
def test_b1_a_session_is_for_its_audience() -> None:
    with pytest.raises(eb.Refused, match="not_for_this_child 机器人"):
        eb.apply(book(), wish(1, "JQ"), press())
    older = book()
    of_grade_five = replace(older, pupils={**older.pupils, 1: replace(older.pupils[1], grade=5)})
    assert eb.apply(of_grade_five, wish(1, "JQ"), press()).applications


@pytest.mark.row("B1", "changzhi", "tianjin")
def test_b1_places_and_times_are_those_of_each_day_where_a_session_changes_inside_a_term() -> None:
    old, new = (replace(SESSIONS[1], valid_to=date(2026, 11, 30)), replace(SESSIONS[1], valid_from=date(2026, 12, 1), capacity=1))
    moved = replace(book(), session_rows={"ZQ": (old, new)})
    first, _ = joined(moved, wish(1, "ZQ"), press())
    assert states(joined(first, wish(2, "ZQ"), press())[0])["SQ00002"] is State.WAITING  # one place from December on
    until_then = replace(wish(2, "ZQ"), valid_to=date(2026, 11, 30))
    assert states(joined(first, until_then, press())[0])["SQ00002"] is State.ACTIVE
    saturdays = replace(book(), session_rows={"HC": (replace(SESSIONS[2], weekdays=frozenset({6})),)})
    twice, _ = joined(joined(saturdays, wish(1, "ZQ"), press())[0], wish(1, "HC"), press())
    assert len(twice.enrolments) == 2


def test_what_cannot_be_is_refused_with_its_reason() -> None:
    for wanted, why in (
        (wish(99, "ZQ"), "no_such_child"),
        (wish(1, "??"), "no_such_session"),
        (replace(wish(1, "ZQ"), valid_to=MONDAY - timedelta(days=1)), "ends_before"),
    ):
        with pytest.raises(eb.Refused, match=why):
            eb.apply(book(), wanted, press())
    once = eb.apply(book(), wish(1, "ZQ", id="2026-1"), press())
    with pytest.raises(eb.Refused, match="number_taken 2026-1"):
        eb.apply(once, wish(2, "ZQ", id="2026-1"), press())
    with pytest.raises(eb.Refused, match="no_such_application"):
        eb.review(once, "x", press())
    like_ours = eb.apply(book(), wish(1, "ZQ", id="SQ00001"), press())
    assert eb.apply(like_ours, wish(2, "ZQ"), press()).applications[-1].id == "SQ00002"
    assert end_of_month(date(2026, 12, 3)) == date(2026, 12, 31) and end_of_month(date(2027, 2, 1)) == date(2027, 2, 28)


presses = st.lists(
    st.tuples(
        st.sampled_from(["apply", "review", "approve", "accept", "withdraw", "sign", "adopt"]),
        st.integers(1, 6),
        st.sampled_from(["KY", "ZQ", "HC"]),
        st.integers(0, 3),
        st.sampled_from(["", "left_behind"]),
    ),
    max_size=40,
)


def _pressed(before: eb.Book, act: str, child: int, key: str, ahead: int, group: str, by: eb.Press) -> eb.Book:
    first = by.today + timedelta(days=ahead)
    if act == "apply":
        return eb.apply(before, eb.Wish(child=child, session=key, valid_from=first, valid_to=END, priority=group), by)
    if act == "adopt":
        return eb.adopt(before, child, key, by)[0]
    mine = [one.id for one in before.applications if one.child == child and one.session == key] or ["none"]
    if act == "withdraw":
        return eb.withdraw(before, mine[-1], first, by)
    if act == "sign":
        return eb.sign(before, mine[-1], "XY", by)
    return {"review": eb.review, "approve": eb.approve, "accept": eb.accept}[act](before, mine[-1], by)


@settings(max_examples=60, deadline=None)
@given(presses)
def test_whatever_is_pressed_no_session_is_overfull_nobody_is_in_two_places_and_the_past_stands(
    acts: list[tuple[str, int, str, int, str]],
) -> None:
    now = book(Enrolment(child=1, session="ZQ", valid_to=MONDAY + timedelta(days=4)), Enrolment(child=2, session="KY"))
    for day, (act, child, key, ahead, group) in enumerate(acts):
        by = press(day // 2, agreement=bool(day % 3))
        before = now
        try:
            now = _pressed(before, act, child, key, ahead, group, by)
        except eb.Refused:
            continue
        _holds(before, now, by)


def _holds(before: eb.Book, now: eb.Book, by: eb.Press) -> None:
    for offset in range(0, 60, 3):
        day = by.today + timedelta(days=offset)
        assert all(eb.places_taken(now, one.id, day) <= one.capacity for one in SESSIONS if one.capacity)
    for line in now.enrolments:
        for other in now.lines_of(line.child):
            apart = not overlap(Period(line.valid_from, line.valid_to), Period(other.valid_from, other.valid_to))
            assert other is line or apart or not same_time(now.sessions[line.session], now.sessions[other.session])
    for offset in range(1, 20, 4):
        past = (by.today - timedelta(days=offset) - MONDAY).days
        assert all(on_roster(now, one.id, past) == on_roster(before, one.id, past) for one in SESSIONS)
    last = {taken.application: taken.state for taken in now.steps}
    assert {one.id: one.state for one in now.applications} == last
    assert now.steps[: len(before.steps)] == before.steps
    held = {(one.child, one.session) for one in now.applications if one.state in HOLDS_PLACE - {State.OFFERED}}
    assert held <= {(line.child, line.session) for line in now.enrolments}
