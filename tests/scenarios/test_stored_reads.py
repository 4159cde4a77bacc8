"""A terminal was cut off and delivers what it stored: when it happened counts, and only where it is still true."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.decisions import Answer
from tests.support.people import uid_of
from tests.support.school import School


def delivered(school: School, name: str, point: str, happened: str, **more: Any) -> Answer:
    """The terminal knows everybody by the school's own number, and sends it now."""
    number = school.number(name)
    person = school.directory.pupils.get(number) or school.directory.staff[number]
    own = getattr(person, "school_number", "") or getattr(person, "staff_number", "")
    nonce = f"SN|{own}|{happened}|0"
    asked = {"scheme": "person", "value": own, "read_at_ms": school.ms(happened), "stored": True, "nonce": nonce, **more}
    answer: Answer = school.ask(c.Read(access_point=point, **asked))
    return answer


def says_nothing_at_the_gate(answer: Answer) -> bool:
    return not answer.decision.open_door and answer.decision.access_point == ""


def test_an_arrival_that_a_terminal_stored_is_an_arrival_at_its_own_time(school):
    answer = delivered(school.at("09:10"), "王小明", "east-in", "07:50")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "on_time")
    assert school.custodian("王小明") == "张老师"
    (entry,) = school.entries("arrived")
    assert entry.body["read_at_ms"] == school.ms("07:50") and entry.at_ms == school.ms("09:10")
    assert school.child("王小明").arrived_ms == school.ms("07:50")
    assert says_nothing_at_the_gate(answer) and school.look(r.GuardQuery("east")).queue == ()


def test_lateness_is_judged_by_when_it_happened(school):
    assert delivered(school.at("09:10"), "王小红", "east-in", "08:31").decision.reason == "late"


def test_a_tap_that_comes_within_a_minute_is_a_tap_now(school):
    answer = delivered(school, "王小明", "east-in", "07:39:30")
    assert answer.decision.open_door and answer.decision.access_point == "east-in"
    assert "read_at_ms" not in school.entries("arrived")[0].body


def test_a_terminal_whose_clock_is_fast_is_believed_to_speak_of_now(school):
    assert delivered(school, "王小明", "east-in", "11:30").decision.open_door


def test_the_same_stored_tap_is_recorded_once_however_often_it_comes_and_after_a_restart(school):
    delivered(school.at("09:10"), "王小明", "east-in", "07:50")
    assert says_nothing_at_the_gate(delivered(school, "王小明", "east-in", "07:50"))
    delivered(school.restart(), "王小明", "east-in", "07:50")
    assert len(school.entries("arrived")) == 1 and school.entries("read_stored") == []


def test_a_child_that_may_leave_alone_has_left_when_the_terminal_says_so(school):
    school.tap("李雷", "south-in")
    answer = delivered(school.at("19:00"), "李雷", "south-out", "18:40")
    assert answer.decision.reason == "leaves_alone" and says_nothing_at_the_gate(answer)
    assert school.child("李雷").released_ms == school.ms("18:40") and school.custodian("李雷") == ""


def test_a_child_that_needs_an_adult_is_still_here_whatever_the_terminal_says(school):
    school.tap("王小明", "east-in")
    answer = delivered(school.at("17:00"), "王小明", "east-out", "16:10")
    assert answer.decision.reason == "needs_adult" and school.custodian("王小明") == "张老师"
    (entry,) = school.entries("read_stored")
    assert (entry.body["child"], entry.body["reason"], entry.body["read_at_ms"]) == (1, "needs_adult", school.ms("16:10"))
    assert school.look(r.GuardQuery("east")).queue == (), "nobody stands there any more"


def test_what_happened_before_the_newest_word_about_a_child_moves_nothing(school):
    school.at("18:40").tap("李雷", "south-in")
    answer = delivered(school.at("19:00"), "李雷", "south-out", "18:35")
    assert school.custodian("李雷") == "杨老师", answer
    assert [e.body["child"] for e in school.entries("read_stored")] == [3]
    assert school.child("李雷").last_seen_ms == school.ms("18:40")


def test_a_child_found_in_its_classroom_has_not_arrived_a_second_time(school):
    school.at("08:20").roll("class:primary-2026-1", "张老师", 王小明="present")
    before = school.child("王小明").as_tuple()
    delivered(school.at("09:00"), "王小明", "east-in", "07:50")
    assert school.child("王小明").as_tuple() == before and len(school.entries("read_stored")) == 1


def test_a_child_marked_absent_has_arrived_after_all_and_is_looked_for(school):
    school.at("08:20").roll("class:primary-2026-1", "张老师", 王小明="absent_unexplained")
    delivered(school.at("09:00"), "王小明", "east-in", "07:50")
    assert school.custodian("王小明") == "张老师", "somebody answers for a child that is inside and not in class"


def test_yesterdays_tap_is_on_record_and_moves_nobody(school):
    answer = delivered(school.at("09:10"), "王小明", "east-in", "2026-11-22T07:50")
    assert (answer.decision.outcome, answer.decision.reason) == ("refused", "stored")
    assert school.custodian("王小明") == ""
    (entry,) = school.entries("read_stored")
    assert entry.body["read_at_ms"] == school.ms("2026-11-22T07:50") and "custodian" not in entry.body


def test_a_terminals_old_history_is_not_taken_over(school):
    assert delivered(school, "王小明", "east-in", "2026-09-01T07:50").decision.reason == "stored"
    assert school.entries("read_stored") == []


def test_after_the_day_was_closed_nobody_arrives_in_it(school):
    school.tap("李雷", "south-in")
    school.at("18:50").tap("李雷", "south-out")
    assert school.at("18:55").ask(c.ClearCampus(by=school.number("孙主任"))).decision.outcome == "granted"
    delivered(school.at("19:10"), "王小明", "east-in", "07:50")
    assert school.custodian("王小明") == ""


def test_while_our_clock_is_not_trusted_nothing_is_judged_and_nobody_is_released(school):
    school.tap("李雷", "south-in")
    school.at("19:00").clock.distrust("stepped")
    delivered(school, "李雷", "south-out", "18:40")
    assert school.custodian("李雷") == "杨老师"
    delivered(school, "王小明", "east-in", "07:50")
    (entry,) = [e for e in school.entries("arrived") if e.body["child"] == 1]
    assert entry.body["reason"] == "recorded" and "read_at_ms" not in entry.body


def test_in_an_emergency_a_stored_tap_accounts_for_nobody(school):
    school.tap("李雷", "south-in")
    school.at("09:00").ask(c.DeclareEmergency(by=school.number("孙主任"), drill=False))
    delivered(school.at("09:10"), "李雷", "south-out", "08:50")
    assert school.custodian("李雷") == "杨老师" and len(school.entries("read_stored")) == 1


def test_a_restricted_person_who_tapped_an_hour_ago_is_still_an_alarm(school):
    answer = school.at("17:00").ask(
        c.Read(access_point="east-out", scheme="uid", value=uid_of(202), read_at_ms=school.ms("16:00"), stored=True, nonce="x")
    )
    assert answer.decision.alarm and says_nothing_at_the_gate(answer)
    assert [alarm.kind for alarm in school.gate.world.campus.open_alarms()] == ["restricted_person"]
    assert school.look(r.GuardQuery("east")).queue == ()


def test_staff_are_known_by_their_number_and_nothing_is_recorded(school):
    assert delivered(school, "张老师", "east-in", "07:39:50").decision.reason == "staff"


def test_zeros_that_a_terminal_drops_do_not_matter_and_a_shared_number_is_left_to_the_guard(school):
    from kiosk.core.people import own_number

    numbers = dict(school.directory.by_own_number)
    numbers[own_number("007")] = (1,)
    numbers["9"] = (1, 2)
    school.ask(c.AdoptDirectory(directory=replace(school.directory, number=2, by_own_number=numbers), digest="d"))
    assert school.tap_card("7", "east-in", scheme="person").decision.child == 1
    assert school.tap_card("0009", "east-in", scheme="person").decision.reason == "ambiguous_credential"
    assert school.tap_card("0101", "east-in", scheme="person").decision.reason == "unknown_credential"


@pytest.mark.parametrize("assurance", ["face", "body"])
def test_a_pupil_whose_family_did_not_agree_is_not_recognised_by_the_face(school, assurance):
    answer = school.tap_card("20260001", "east-in", scheme="person", assurance=assurance, snapshot="20261123-" + "a" * 32)
    assert (answer.decision.outcome, answer.decision.reason) == ("ask_guard", "face_not_agreed")
    (entry,) = school.entries("read_refused")
    assert not {"child", "person", "candidates", "snapshot", "tail"} & set(entry.body), "whose face it may be is not kept"
    assert school.custodian("王小明") == "" and len(school.look(r.GuardQuery("east")).queue) == 1
    assert school.tap_card("20260001", "east-in", scheme="person").decision.reason == "on_time", "by card at the same terminal"


def test_with_the_familys_consent_a_face_is_a_name_like_any_other(school):
    pupil = school.directory.pupils[1]
    pupils = {**school.directory.pupils, 1: replace(pupil, consents=pupil.consents | {"face_match"})}
    school.ask(c.AdoptDirectory(directory=replace(school.directory, number=2, pupils=pupils), digest="d"))
    answer = school.tap_card("20260001", "east-in", scheme="person", assurance="face")
    assert answer.decision.reason == "on_time"
    assert school.entries("arrived")[0].body["assurance"] == "face"
    finger = school.at("07:50").tap_card("20260001", "east-in", scheme="person", assurance="body")
    assert finger.decision.reason == "face_not_agreed", "nobody is asked to agree to fingers"
