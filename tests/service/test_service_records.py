"""The typed bodies of service records: the way to the journal and back, and what stands after corrections, in any order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from kiosk.core.entries import Fact, Stream, decode
from kiosk.core.service_records import (
    CheckedIn,
    GrowthNoted,
    MonthLocked,
    Patrolled,
    Remark,
    SessionClosed,
    SessionCorrected,
    class_hours,
    fact,
    sittings,
)
from kiosk.core.shapes import understood

DAY = "2026-11-23"
CLOSED: dict[str, Any] = {
    "session": "S101", "day": DAY, "name": "课业辅导 二（1）班", "kind": "homework", "form": "class", "slot": 1,
    "room": "二（1）班教室",
    "from_ms": 1, "to_ms": 2, "planned_teacher": 101, "teachers": (105,), "class_hours": 1.0, "enrolled": 3,
    "states": {1: "present", 2: "leave_sick", 3: "absent_unexplained"}, "by": 105, "guests": (9,),
    "exceptions": (Remark(what="substitution", staff=105, other=101, why="sick"),),
}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        CheckedIn(staff=105, session="S101", day=DAY, by=105, standing_in_for=101, reason="sick"),
        SessionClosed(**CLOSED),
        SessionCorrected(session="S101", for_day=DAY, day=DAY, closed="east/a/1", by=101, states={3: "leave_sick"}),
        MonthLocked(month="2026-11", day=DAY, by=101),
        Patrolled(session="S101", room="1", expected=3, counted=2, teacher_present=True, finding="in_order", day=DAY, by=101),
        GrowthNoted(child=1, term="2026-autumn", day=DAY, by=101, session="S101"),
    ],
)
def test_a_body_is_the_same_after_the_journal(body: Any) -> None:
    told = fact(body)
    assert understood(told.body)
    kept = decode(Stream(node="east", incarnation="a").seal(told, at_ms=1, trusted=True).raw).body
    assert kept == told.body
    assert type(body).of(kept) == body


def test_corrections_change_what_they_name_and_the_last_one_wins_in_any_order() -> None:
    east, south = Stream(node="east", incarnation="a"), Stream(node="south", incarnation="b")
    first = east.seal(fact(SessionClosed(**CLOSED)), at_ms=100, trusted=True).entry
    also = south.seal(fact(SessionClosed(**CLOSED | {"states": {1: "late"}, "by": 110})), at_ms=101, trusted=True).entry
    east.observe(also)

    def correct(at_ms: int, **what: Any) -> Fact:
        row = SessionCorrected(session="S101", for_day=DAY, day="2026-11-30", closed=str(first.id), by=101, **what)
        return fact(row, "家长补交病假条")

    one = east.seal(correct(200, states={3: "leave_sick"}), at_ms=200, trusted=True).entry
    two = east.seal(correct(300, states={3: "leave_personal"}, teachers=(101, 105)), at_ms=300, trusted=True).entry
    for order in itertools.permutations([first, also, one, two, two]):
        (sitting,) = sittings(order).values()
        assert sitting.entry == first
        assert sitting.first == SessionClosed(**CLOSED)
        assert sitting.row.states == {1: "present", 2: "leave_sick", 3: "leave_personal"}
        assert sitting.row.teachers == (101, 105)
        assert [c.entry for c in sitting.corrections] == [one, two]
        assert sitting.row.attended == 2  # one child and a guest


@pytest.mark.parametrize(("minutes", "class_hour_min", "hours"), [(60, 0, 1.0), (60, 40, 1.5), (40, 40, 1.0), (50, 45, 1.1)])
def test_a_session_is_one_class_hour_unless_the_school_says_how_long_one_is(
    minutes: int, class_hour_min: int, hours: float
) -> None:
    assert class_hours(minutes, class_hour_min) == hours
