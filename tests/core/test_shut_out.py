"""A gate from which the school server takes nothing any more: it records as before, and says so to the duty leader."""

from __future__ import annotations

from kiosk.core import commands as c
from kiosk.core.link import SHUT_OUT
from tests.core.test_old_copies import CHILD
from tests.support.school import School

NOTICED, LATER = 1_795_390_000_123, 1_795_390_900_456


def cases(school: School) -> list[tuple[str, str]]:
    return [(line.kind, line.detail) for line in school.duty().cases if line.kind == SHUT_OUT]


def told(school: School, shut_out_ms: int | None) -> None:
    said = c.LinkChanged(waiting=9, last_contact_ms=1, server="http://server", shut_out_ms=shut_out_ms)
    assert school.ask(said).decision.reason == "done"


def test_it_is_one_case_over_restarts_which_ends_by_itself_when_the_gate_is_let_in(school: School) -> None:
    told(school, None)
    assert cases(school) == []
    for _ in range(3):
        told(school, NOTICED)
    assert cases(school) == [(SHUT_OUT, "东门")]
    school.restart()
    told(school, NOTICED)
    assert len(school.entries("gate_shut_out")) == 1
    for _ in range(2):
        told(school, None)
    assert cases(school) == []
    assert [entry.body["by"] for entry in school.entries("case_closed")] == [0]
    told(school, LATER)
    assert cases(school) == [(SHUT_OUT, "东门")], "the next time is a case of its own"


def test_a_case_that_the_leader_closed_stays_closed(school: School) -> None:
    told(school, NOTICED)
    (case,) = [line for line in school.duty().cases if line.kind == SHUT_OUT]
    school.ask(c.CloseCase(case=case.case, by=school.number("孙主任"), note="明天重新登记"))
    school.restart()
    told(school, NOTICED)
    assert cases(school) == []
    told(school, None)
    assert len(school.entries("case_closed")) == 1


def test_children_pass_and_the_day_is_closed_all_the_same(school: School) -> None:
    told(school, NOTICED)
    assert school.ask(c.ClearCampus(by=school.number("孙主任"))).decision.reason == "done"
    assert school.tap(CHILD, "east-in").decision.outcome == "granted"
