"""Ten seconds to take a release back; after that a correcting entry with a reason and a second person. And let-go."""

from __future__ import annotations

import pytest

from kiosk.core import commands as c
from kiosk.core.decisions import Answer
from tests.passes.delegation import CHECKED, Gatehouse, said


def released(house: Gatehouse) -> Answer:
    answer = house.school.release(["王小明"], "王妈妈")
    assert said(answer) == ("granted", "collected")
    return answer


def undo(house: Gatehouse, released: Answer, by: str = "赵师傅") -> Answer:
    answer: Answer = house.school.ask(c.UndoRelease(release=str(released.entry), by=house.school.number(by)))
    return answer


def correct(
    house: Gatehouse, what: str, *, child: str = "王小明", by: str = "张老师", second: str = "赵师傅", **more: object
) -> Answer:
    note = str(more.pop("note", "看错了孩子"))
    custodian = house.school.number(str(more["custodian"])) if "custodian" in more else None
    answer: Answer = house.school.ask(
        c.Correct(
            child=house.school.number(child), what=what, by=house.school.number(by), note=note, custodian=custodian,
            second=house.school.number(second) if second else None,
        )
    )  # fmt: skip
    return answer


def test_within_ten_seconds_the_guard_takes_it_back_and_everything_is_as_it_was(house: Gatehouse) -> None:
    before = house.school.child("王小明").hold
    answer = released(house)
    house.school.at("15:35:09")
    assert said(undo(house, answer)) == ("granted", "done")
    state = house.school.child("王小明")
    assert (state.hold, state.released_ms, state.place) == (before, 0, "校园")
    assert [e.kind for e in house.school.entries()][-2:] == ["released", "release_undone"], "both stay in the record"


def test_after_ten_seconds_only_a_correction_helps(house: Gatehouse) -> None:
    answer = released(house)
    house.school.at("15:35:11")
    assert said(undo(house, answer)) == ("refused", "too_late")
    assert house.school.custodian("王小明") == ""


def test_only_whoever_pressed_can_undo(house: Gatehouse) -> None:
    answer = released(house)
    assert said(undo(house, answer, by="孙主任")) == ("refused", "not_permitted")
    assert said(undo(house, answer, by="钱师傅")) == ("refused", "not_permitted")


def test_it_is_undone_once_and_a_release_that_never_was_not_at_all(house: Gatehouse) -> None:
    answer = released(house)
    undo(house, answer)
    assert said(undo(house, answer)) == ("refused", "no_such_case")
    nobody = house.school.ask(c.UndoRelease(release="east/0000/7", by=house.school.number("赵师傅")))
    assert said(nobody) == ("refused", "no_such_case")


def test_after_an_undo_and_a_restart_the_child_is_still_here_and_can_be_released_again(house: Gatehouse) -> None:
    undo(house, released(house))
    house.school.restart()
    assert house.school.custodian("王小明") == "张老师"
    assert said(house.school.release(["王小明"], "王妈妈")) == ("granted", "collected")


def test_an_uncollected_childs_case_comes_back_with_the_undo(house: Gatehouse) -> None:
    house.school.at("16:40")
    case = house.school.case_of("王小明")
    assert case is not None
    undo(house, released(house))
    again = house.school.case_of("王小明")
    assert again is not None and (again.case, again.opened_ms) == (case.case, case.opened_ms)


def test_the_wrong_child_was_released_and_two_members_of_staff_correct_it(house: Gatehouse) -> None:
    released(house)
    house.school.at("15:50")
    assert said(correct(house, "not_released")) == ("granted", "done")
    assert house.school.custodian("王小明") == "张老师", "whoever held the child answers for it again"
    entry = house.school.entries("correction")[-1]
    assert entry.body["second"] == house.school.number("赵师傅") and entry.body["by"] == house.school.number("张老师")
    assert house.school.gate.journal.note(entry.body["note"]) == "看错了孩子"
    assert house.school.release(["王小明"], "王妈妈").decision.outcome == "granted", "and can be collected"


def test_a_correction_may_name_another_custodian(house: Gatehouse) -> None:
    released(house)
    correct(house, "not_released", custodian="李老师")
    assert house.school.custodian("王小明") == "李老师"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"second": ""}, "second_person_needed"),
        ({"second": "张老师"}, "second_person_needed"),
        ({"note": "  "}, "reason_needed"),
        ({"what": "never_was"}, "reason_needed"),
        ({"what": "left_unrecorded"}, "step_refused"),
        ({"custodian": "王妈妈"}, "no_such_person"),
    ],
)
def test_a_correction_without_a_reason_a_second_person_or_sense_is_refused(
    house: Gatehouse, more: dict[str, str], reason: str
) -> None:
    released(house)
    what = more.pop("what", "not_released")
    assert said(correct(house, what, **more)) == ("refused", reason)  # type: ignore[arg-type]
    assert house.school.custodian("王小明") == ""


@pytest.mark.parametrize("what", ["left_unrecorded", "never_arrived"])
def test_a_child_who_is_not_here_any_more_leaves_custody_by_a_correction(house: Gatehouse, what: str) -> None:
    assert said(correct(house, what)) == ("granted", "done")
    assert house.school.custodian("王小明") == ""
    leader = house.school.number("孙主任")
    assert said(house.school.ask(c.ClearCampus(by=leader)))[0] == "granted"


def test_a_correction_frees_the_pass_with_which_nobody_left(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key)
    assert said(house.release(key, *CHECKED)) == ("granted", "collected")
    house.school.at("15:50")
    assert said(house.scan(key)) == ("refused", "pass_used")
    assert said(correct(house, "not_released")) == ("granted", "done")
    house.school.at("15:51")
    assert said(house.scan(key)) == ("ask_guard", "pass_present")


def test_several_siblings_released_with_one_press_are_undone_one_by_one(house: Gatehouse) -> None:
    house.school.tap("王小红", "east-in")
    house.school.at("17:35")
    both = house.school.release(["王小明", "王小红"], "王妈妈")
    assert said(both) == ("granted", "collected")
    ids = [str(e.id) for e in house.school.entries("released")]
    guard = house.school.number("赵师傅")
    assert said(house.school.ask(c.UndoRelease(release=ids[1], by=guard))) == ("granted", "done")
    assert (house.school.custodian("王小明"), house.school.custodian("王小红")) == ("", "陈老师")


# --- let go: a child who may leave alone, where the gate could not decide by itself ---------------------


def let_go(house: Gatehouse, child: str) -> Answer:
    answer: Answer = house.school.ask(
        c.LetGo(child=house.school.number(child), access_point="east-out", by=house.school.number("赵师傅"))
    )
    return answer


def test_under_a_clock_that_is_not_trusted_the_guard_lets_a_fifth_grader_go(house: Gatehouse) -> None:
    house.school.tap("韩梅", "east-in")
    house.school.at("17:40").clock.distrust("no time server")
    assert said(house.school.tap("韩梅", "east-out")) == ("ask_guard", "clock_untrusted")
    assert said(let_go(house, "韩梅")) == ("granted", "leaves_alone")
    body = house.school.entries("released")[-1].body
    assert (body["mode"], body["guard"], body["verified"]) == ("alone", house.school.number("赵师傅"), ["photo"])
    assert body["requests"], "the child is off the guard's list"


@pytest.mark.parametrize(
    ("child", "reason"), [("王小明", "needs_adult"), ("小妹妹", "needs_adult"), ("丁一", "needs_adult"), ("韩梅", "in_session")]
)
def test_what_the_rules_forbid_a_guard_cannot_let_go_either(house: Gatehouse, child: str, reason: str) -> None:
    if child != "王小明":
        house.school.tap(child, "east-in")
    assert said(let_go(house, child)) == ("refused", reason)


def test_a_child_who_is_not_here_cannot_be_let_go(house: Gatehouse) -> None:
    assert said(let_go(house, "李雷")) == ("refused", "not_on_campus")
