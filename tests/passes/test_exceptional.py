"""特殊放行: an adult on no list takes a child, on the word of two members of staff of whom one is a duty leader."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core.decisions import Answer
from tests.passes.delegation import Gatehouse, said

BOTH = ("call_back", "child_recognises")


def release(house: Gatehouse, **changes: Any) -> Answer:
    fields: dict[str, Any] = {
        "child": "王小明", "access_point": "east-out", "by": "赵师傅", "second": "孙主任", "name": "姑姑", "relation": "姑姑",
        "id_type": "id_card", "id_last4": "4321", "reason": "母亲住院，父母均无法到校", "verified": BOTH, **changes,
    }  # fmt: skip
    for who in ("child", "by", "second"):
        fields[who] = house.school.number(fields[who]) if fields[who] else None
    answer: Answer = house.school.ask(c.ReleaseExceptionally(**fields))
    return answer


def test_a_guard_and_a_duty_leader_release_and_the_case_stays_open_until_she_closes_it(house: Gatehouse) -> None:
    answer = release(house)
    assert said(answer) == ("granted", "collected") and answer.decision.open_door
    body = house.school.entries("released")[-1].body
    assert (body["mode"], body["id_last4"], body["second"]) == ("exceptional", "4321", house.school.number("孙主任"))
    assert body["verified"] == ["call_back", "child_recognises", "id_seen", "second_person"]
    assert "姑姑" not in str({k: v for k, v in body.items() if k != "relation"}), "the name is in the erasable note"
    (case,) = house.school.duty().cases
    assert (case.kind, case.line.name if case.line else "") == ("exceptional_release", "王小明")
    leader = house.school.number("孙主任")
    assert house.school.ask(c.ClearCampus(by=leader)).decision.detail == {"blockers": ["alarms:1"]}
    house.school.ask(c.CloseCase(case=case.case, by=leader, note="已与母亲电话核实"))
    assert said(house.school.ask(c.ClearCampus(by=leader)))[0] == "granted"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"second": ""}, "second_person_needed"),
        ({"second": "赵师傅"}, "second_person_needed"),
        ({"second": "钱师傅"}, "leader_needed"),
        ({"second": "张老师"}, "leader_needed"),
        ({"reason": " "}, "reason_needed"),
        ({"name": " "}, "reason_needed"),
        ({"id_last4": " "}, "reason_needed"),
        ({"verified": ()}, "identity_unconfirmed"),
        ({"verified": ("call_back",)}, "identity_unconfirmed"),
        ({"access_point": "moon"}, "no_such_access_point"),
        ({"child": "王小红"}, "not_on_campus"),
    ],
)
def test_whatever_is_missing_keeps_the_child_here(house: Gatehouse, changed: dict[str, Any], reason: str) -> None:
    assert said(release(house, **changed)) == ("refused", reason)
    assert house.school.custodian("王小明") == "张老师" and not house.school.entries("released")


def test_a_duty_leader_who_presses_needs_any_colleague_beside_her(house: Gatehouse) -> None:
    assert said(release(house, by="孙主任", second="赵师傅")) == ("granted", "collected")


@pytest.mark.parametrize("name", ["王爸爸", "王 爸爸"])
def test_two_members_of_staff_cannot_release_to_a_restricted_person_by_name(house: Gatehouse, name: str) -> None:
    answer = release(house, name=name)
    assert said(answer) == ("refused", "collector_restricted") and answer.decision.alarm
    assert house.school.custodian("王小明") == "张老师"
    assert [e.body["reason"] for e in house.school.entries("pickup_refused")] == ["collector_restricted"]
    assert [case.kind for case in house.school.duty().cases] == ["restricted_person"]


def test_an_exceptional_release_is_undone_like_any_other_and_its_case_still_waits_for_a_look(house: Gatehouse) -> None:
    released = release(house)
    undone = house.school.ask(c.UndoRelease(release=str(released.entry), by=house.school.number("赵师傅")))
    assert said(undone) == ("granted", "done") and house.school.custodian("王小明") == "张老师"
    assert [case.kind for case in house.school.duty().cases] == ["exceptional_release"]


def test_it_needs_no_dismissal_time_because_a_leader_answers_for_it(house: Gatehouse) -> None:
    house.school.tap("丁一", "east-in")
    assert said(release(house, child="丁一", name="表哥")) == ("granted", "collected")


def test_under_an_untrusted_clock_it_works_the_same(house: Gatehouse) -> None:
    house.school.clock.distrust("no time server")
    assert said(release(house)) == ("granted", "collected")
