"""The same rules meet every adult: how old the list is, holds, slips, the last rung, limits, and several children at once."""

from __future__ import annotations

import pytest

from kiosk.core import commands as c
from kiosk.core.decisions import Answer
from tests.passes.delegation import Gatehouse, said
from tests.support.people import small_school

MINUTE_MS = 60_000
FRESH = {"green": 5, "amber": 60, "red": 25 * 60}  # minutes since the server was reached

# adult -> (child, what is asked when the list is green, amber, red)
ASKED: dict[str, tuple[str, dict[str, set[str]]]] = {
    "王妈妈": ("王小明", {"green": set(), "amber": {"call_back"}, "red": {"id_seen", "second_person"}}),
    "王奶奶": (
        "王小明",
        {
            "green": {"child_recognises"},
            "amber": {"child_recognises", "call_back"},
            "red": {"child_recognises", "call_back", "id_seen", "second_person"},
        },
    ),
    "哥哥": (
        "弟弟",
        {
            "green": {"child_recognises"},
            "amber": {"child_recognises", "call_back"},
            "red": {"child_recognises", "call_back", "id_seen", "second_person"},
        },
    ),
    "托管员": (
        "王小红",
        {
            "green": {"child_recognises"},
            "amber": {"child_recognises", "call_back"},
            "red": {"child_recognises", "call_back", "id_seen", "second_person"},
        },
    ),
    "pass": (
        "王小明",
        {
            "green": {"child_recognises", "id_seen"},
            "amber": {"child_recognises", "id_seen", "call_back"},
            "red": {"child_recognises", "id_seen", "call_back", "second_person"},
        },
    ),
}
REASON = {"green": "", "amber": "list_amber", "red": "list_stale"}


def evening(house: Gatehouse, freshness: str = "green") -> Gatehouse:
    """18:35, everybody's sessions are over; the server was reached so long ago."""
    for name in ("王小红", "弟弟", "丁一"):
        house.school.tap(name, "east-in")
    house.school.at("18:35")
    reached_ms = house.school.ms("18:35") - FRESH[freshness] * MINUTE_MS
    house.school.ask(c.LinkChanged(waiting=0, last_contact_ms=reached_ms, own=True))
    return house


def try_release(house: Gatehouse, adult: str, child: str, *verified: str, key: str = "", second: str = "") -> Answer:
    if adult == "pass":
        return house.release(key, *verified, children=(child,), second=second)
    return house.school.release([child], adult, *verified, second=second)


@pytest.mark.parametrize("freshness", FRESH)
@pytest.mark.parametrize("adult", ASKED)
def test_how_old_the_list_is_decides_what_is_asked(house: Gatehouse, adult: str, freshness: str) -> None:
    child, asked = ASKED[adult]
    key = house.register() if adult == "pass" else ""
    evening(house, freshness)
    if freshness == "red":  # made yesterday: a directory is as fresh as its own making
        house.school.ask(c.AdoptDirectory(directory=small_school(2, made_at_ms=0), digest=""))
    if adult == "pass":
        expected = REASON[freshness] or "pass_present"
        assert said(house.scan(key)) == ("ask_guard", expected)
    needed = asked[freshness]
    if needed:
        refused = try_release(house, adult, child, key=key)
        assert refused.decision.outcome == "refused"
        assert set(refused.decision.detail["needs"]) == needed
    for missing in sorted(needed):
        part = needed - {missing}
        again = try_release(house, adult, child, *part, key=key, second="孙主任" if "second_person" in part else "")
        assert again.decision.outcome == "refused", f"without {missing}"
    second = "孙主任" if "second_person" in needed else ""
    assert said(try_release(house, adult, child, *needed, key=key, second=second)) == ("granted", "collected")


def test_a_second_person_who_is_the_guard_or_nobody_does_not_count(house: Gatehouse) -> None:
    house.school.clock.distrust("no time server")
    assert said(house.school.release(["王小明"], "王妈妈", "id_seen", second="赵师傅"))[0] == "refused"
    assert said(house.school.release(["王小明"], "王妈妈", "id_seen", "second_person"))[0] == "refused"


def test_while_a_child_is_lost_a_pass_is_checked_like_everybody_and_says_why(house: Gatehouse) -> None:
    key = house.register()
    house.school.tap("丁一", "east-in")
    for command in (c.OpenLocate, c.DeclareIncident):
        house.school.ask(command(child=house.school.number("丁一"), by=house.school.number("孙主任")))
    assert said(house.scan(key)) == ("ask_guard", "gate_hold")
    assert said(house.release(key, "child_recognises")) == ("refused", "gate_hold")
    assert said(house.release(key, "child_recognises", "id_seen")) == ("granted", "collected")


def slip(house: Gatehouse, collector: str = "") -> None:
    house.school.ask(
        c.GrantLeaveSlip(
            child=house.school.number("丁一"), from_ms=house.school.ms("15:00"), to_ms=house.school.ms("16:30"),
            by=house.school.number("杨老师"), kind="leave_sick",
            with_collector=house.school.number(collector) if collector else None,
        )
    )  # fmt: skip


def test_a_leave_slip_opens_the_gate_early_for_a_delegate_with_a_pass(house: Gatehouse) -> None:
    house.school.tap("丁一", "east-in")
    key = house.register(child="丁一", guardian="丁妈妈", by="杨老师")
    assert said(house.scan(key)) == ("refused", "not_yet_dismissed")
    slip(house)
    house.school.at("15:36")
    assert said(house.scan(key)) == ("ask_guard", "leave_slip")
    assert said(house.release(key, "child_recognises", "id_seen", children=("丁一",))) == ("granted", "collected")
    body = house.school.entries("released")[-1].body
    assert (body["mode"], body["reason"]) == ("delegate", "leave_slip")


def test_a_slip_that_names_the_mother_asks_for_a_call_when_a_delegate_comes(house: Gatehouse) -> None:
    house.school.tap("丁一", "east-in")
    key = house.register(child="丁一", guardian="丁妈妈", by="杨老师")
    slip(house, "丁妈妈")
    assert said(house.scan(key)) == ("ask_guard", "leave_slip_differs")
    assert said(house.release(key, "child_recognises", "id_seen", children=("丁一",))) == ("refused", "leave_slip_differs")
    assert said(house.release(key, "child_recognises", "id_seen", "call_back", children=("丁一",)))[0] == "granted"


# --- several at once, and limits -------------------------------------------------------------------------


def test_siblings_go_with_one_press_or_nobody_does_and_the_child_in_the_way_is_named(house: Gatehouse) -> None:
    house.school.tap("王小红", "east-in")
    early = house.school.release(["王小明", "王小红"], "王妈妈")
    assert said(early) == ("refused", "not_yet_dismissed") and early.decision.child == house.school.number("王小红")
    assert house.school.custodian("王小明") == "张老师"
    house.school.at("17:35")
    assert said(house.school.release(["王小明", "王小红"], "王妈妈")) == ("granted", "collected")
    assert (house.school.custodian("王小明"), house.school.custodian("王小红")) == ("", "")


def test_of_two_children_one_barred_nobody_goes_and_the_alarm_is_raised(house: Gatehouse) -> None:
    house.school.tap("王小红", "east-in")
    house.school.at("17:35")
    answer = house.school.release(["王小红", "王小明"], "王爸爸", "child_recognises", "call_back", "id_seen", second="孙主任")
    assert answer.decision.outcome == "refused"
    barred = house.school.release(["王小明", "王小红"], "王爸爸", "child_recognises", "call_back", "id_seen", second="孙主任")
    assert said(barred) == ("refused", "collector_restricted") and barred.decision.alarm
    assert house.school.custodian("王小明") and house.school.custodian("王小红")


def take(house: Gatehouse, child: str, second: str = "") -> Answer:
    return house.school.release([child], "托管员", "child_recognises", second=second)


def test_a_care_centres_limit_counts_across_a_restart(house: Gatehouse) -> None:
    evening(house)
    assert said(take(house, "王小红")) == ("granted", "collected")
    house.school.restart()
    house.school.ask(c.LinkChanged(waiting=0, last_contact_ms=house.school.ms("18:30"), own=True))
    assert said(take(house, "丁一")) == ("refused", "collector_limit")
    assert said(take(house, "丁一", second="孙主任")) == ("granted", "collected"), "two members of staff may go beyond it"


def test_an_undone_release_does_not_count_against_the_limit(house: Gatehouse) -> None:
    evening(house)
    released = take(house, "王小红")
    house.school.ask(c.UndoRelease(release=str(released.entry), by=house.school.number("赵师傅")))
    assert said(take(house, "丁一")) == ("granted", "collected")


def test_two_children_in_one_press_are_counted_both(house: Gatehouse) -> None:
    """A centre that may take one child a day cannot take two by pressing once."""
    evening(house)
    both = house.school.release(["王小红", "丁一"], "托管员", "child_recognises")
    assert said(both) == ("refused", "collector_limit")
    assert house.school.custodian("王小红") and house.school.custodian("丁一")
    by_two = house.school.release(["王小红", "丁一"], "托管员", "child_recognises", second="孙主任")
    assert said(by_two) == ("granted", "collected")


def test_tomorrow_the_limit_starts_anew(house: Gatehouse) -> None:
    evening(house)
    take(house, "王小红")
    house.school.day = "2026-11-24"
    house.school.clock.set(house.school.ms("07:40"))
    house.school.ask(c.Tick())
    house.school.tap("丁一", "east-in")
    house.school.at("18:35")
    house.school.ask(c.LinkChanged(waiting=0, last_contact_ms=house.school.ms("18:30"), own=True))
    assert said(take(house, "丁一")) == ("granted", "collected")


def test_a_child_who_was_taken_home_counts_although_it_came_back(house: Gatehouse) -> None:
    evening(house)
    assert said(take(house, "王小红")) == ("granted", "collected")
    house.school.tap("王小红", "east-in")
    assert said(take(house, "丁一")) == ("refused", "collector_limit")
    assert said(take(house, "王小红")) == ("granted", "collected"), "the same child again is no second child"
