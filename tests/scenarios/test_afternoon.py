"""The afternoon: sessions, roll calls, handovers, children not collected, the end of the day."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from tests.support.people import small_school
from tests.support.school import School


def test_a_slot_1_only_pupil_may_leave_when_slot_1_ends(school):
    school.tap("韩梅", "south-in")
    assert school.at("17:00").tap("韩梅", "south-out").decision.reason == "in_session"
    assert school.at("17:31").tap("韩梅", "south-out").decision.outcome == "granted"


@pytest.mark.row("D2", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.row("A10", "luoyang")
def test_d2_a_slot_2_only_pupil_is_in_custody_between_dismissal_and_slot_2(school):
    school.tap("丁一", "south-in")
    school.at("16:45")
    assert school.custodian("丁一") == "杨老师"
    assert school.release(["丁一"], "丁妈妈", point="south-out").decision.reason == "in_session"


def test_not_enrolled_pupils_are_never_on_a_roster_and_leave_at_dismissal(school):
    school.tap("不参加", "south-in")
    view = school.at("16:35").look(r.RosterQuery("session:S1"))
    assert school.number("不参加") not in [row.line.child for row in view.rows]
    assert school.tap("不参加", "south-out").decision.reason == "leaves_alone"


@pytest.mark.row("B2", "changzhi", "yueyang")
def test_b2_entering_the_right_room_is_on_time_and_the_wrong_room_names_the_right_one(school):
    school.tap("李雷", "south-in")
    wrong = school.at("16:25").tap("李雷", "room-art")
    assert (wrong.decision.reason, wrong.decision.room) == ("wrong_room", "201")
    right = school.tap("李雷", "room-201")
    assert right.decision.reason == "on_time"


@pytest.mark.row("C1", "changzhi", "tianjin", "yueyang")
def test_c1_a_guest_is_admitted_and_never_turned_away(school):
    school.tap("不参加", "south-in")
    answer = school.at("16:35").tap("不参加", "room-201")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "guest")
    rows = school.look(r.RosterQuery("session:S1")).rows
    assert [row.expected for row in rows if row.line.name == "不参加"] == [False]


def test_a_tap_moves_the_place_and_only_acceptance_moves_the_custodian(school):
    school.tap("李雷", "south-in")
    school.at("16:25").tap("李雷", "room-201")
    assert (school.child("李雷").place, school.custodian("李雷")) == ("201", "杨老师")
    assert school.take("session:S1", "李老师", 1).decision.outcome == "granted"
    assert school.custodian("李雷") == "李老师"
    assert [e.kind for e in school.entries()][-3:] == ["handover_offered", "handover_accepted", "staff_checked_in"]


@pytest.mark.row("D3", "changzhi", "xiji", "tianjin", "yueyang")
def test_d3_a_count_that_differs_is_refused_until_the_exception_is_named(school):
    for name in ("李雷", "韩梅"):
        school.tap(name, "south-in")
    school.at("16:25")
    offer = school.offer(["李雷", "韩梅"], "杨老师", "李老师")
    assert school.accept(offer, "李老师", 1).decision.reason == "count_differs"
    assert school.custodian("韩梅") == "杨老师"
    assert school.accept(offer, "李老师", 1, 韩梅="在医务室").decision.outcome == "granted"
    assert (school.custodian("李雷"), school.custodian("韩梅")) == ("李老师", "杨老师")


def test_an_offer_that_nobody_answers_goes_back_to_the_giver(school):
    school.tap("李雷", "south-in")
    school.at("16:25").offer(["李雷"], "杨老师", "李老师")
    assert len(school.duty().open_offers) == 1
    school.at("16:36")
    assert school.duty().open_offers == () and school.custodian("李雷") == "杨老师"
    assert [e.kind for e in school.entries()][-1] == "handover_lapsed"


def test_somebody_else_cannot_accept_and_a_stranger_cannot_offer(school):
    school.tap("李雷", "south-in")
    offer = school.at("16:25").offer(["李雷"], "杨老师", "李老师")
    assert school.accept(offer, "周老师", 1).decision.reason == "not_permitted"
    assert school.offer(["李雷"], "周老师", "吴老师").decision.reason == "step_refused"


def test_a_substitute_teacher_takes_the_group_when_the_teacher_is_absent(school):
    school.tap("李雷", "south-in")
    school.at("16:25").tap("李雷", "room-201")
    school.take("session:S1", "刘老师", 1)
    assert school.custodian("李雷") == "刘老师"


def test_roll_call_finds_a_child_who_never_tapped_at_the_gate(school):
    school.at("08:35").roll("class:primary-2022-1", "杨老师", 李雷="present", 韩梅="absent_unexplained")
    assert school.custodian("李雷") == "杨老师"
    assert school.custodian("韩梅") == ""


def test_marked_absent_while_the_gate_says_in_school_is_a_case_for_the_duty_leader(school):
    school.tap("韩梅", "south-in")
    school.at("16:40").roll("session:S1", "李老师", 韩梅="absent_unexplained")
    case = school.case_of("韩梅")
    assert case is not None and case.kind == "locate"


def test_two_siblings_go_home_with_one_press(school):
    for name in ("王小明", "王小红"):
        school.tap(name, "east-in")
    answer = school.at("17:35").release(["王小明", "王小红"], "王妈妈")
    assert answer.decision.outcome == "granted"
    assert (school.custodian("王小明"), school.custodian("王小红")) == ("", "")


def test_if_one_sibling_may_not_go_yet_nobody_goes_by_half(school):
    for name in ("王小明", "王小红"):
        school.tap(name, "east-in")
    answer = school.at("16:40").release(["王小明", "王小红"], "王妈妈")
    assert (answer.decision.outcome, answer.decision.child) == ("refused", school.number("王小红"))
    assert school.custodian("王小明") == "张老师"


def test_a_grandparent_without_a_card_is_looked_up_by_name(school):
    school.tap("王小明", "east-in")
    hits = school.at("15:35").look(r.SearchQuery("wnn")).hits
    assert [hit.name for hit in hits] == ["王奶奶"]
    assert school.release(["王小明"], "王奶奶", "child_recognises").decision.outcome == "granted"


def test_a_child_of_another_gates_class_needs_a_second_member_of_staff_here(school):
    school.tap("高个子", "south-in")
    school.at("16:30")
    assert school.release(["高个子"], "高妈妈").decision.reason == "elsewhere_gate"
    assert school.release(["高个子"], "高妈妈", second="孙主任").decision.outcome == "granted"


def test_releasing_a_child_twice_is_refused(school):
    school.tap("王小明", "east-in")
    school.at("15:35").release(["王小明"], "王妈妈")
    assert school.release(["王小明"], "王妈妈").decision.reason == "not_on_campus"


def test_an_uncollected_child_climbs_the_ladder_alone_survives_a_restart_and_ends_by_a_release(school):
    school.tap("丁一", "south-in")
    school.at("18:46")
    assert school.case_of("丁一").state == "waiting"
    school.at("18:56")
    assert school.case_of("丁一").state == "late"
    school.restart()
    school.at("19:01")
    case = school.case_of("丁一")
    assert case.state == "calling" and case.guardians[0].name == "丁妈妈"
    assert [e.body["rung"] for e in school.entries("escalated")] == [0, 1, 2]
    school.release(["丁一"], "丁妈妈", point="south-out")
    assert school.case_of("丁一") is None


def test_an_unacknowledged_rung_fires_the_next_one_early_and_an_acknowledged_one_does_not(school):
    school.tap("丁一", "south-in")
    school.at("19:00:30")
    case = school.case_of("丁一")
    assert case.state == "calling"
    school.ask(c.Acknowledge(case=case.case, by=school.number("杨老师")))
    school.at("19:10")
    assert school.case_of("丁一").state == "calling"
    school.at("19:16")
    assert school.case_of("丁一").state == "gatehouse"
    school.at("19:21")
    assert school.case_of("丁一").state == "leader", "nobody acknowledged the gatehouse within five minutes"


def test_a_guardians_estimated_arrival_pauses_the_ladder_once(school):
    school.tap("丁一", "south-in")
    school.at("19:01")
    case = school.case_of("丁一").case
    call = {"case": case, "guardian": school.number("丁妈妈"), "by": school.number("杨老师")}
    school.ask(c.Acknowledge(case=case, by=school.number("杨老师")))
    school.ask(c.LogCall(result="on_the_way", eta_min=20, **call))
    school.at("19:20")
    assert school.case_of("丁一").state == "calling"
    assert school.case_of("丁一").calls[0].result == "on_the_way"
    school.at("19:36")
    assert school.case_of("丁一").state == "gatehouse"


@pytest.mark.row("A13", "changzhi", "xiji")
def test_a13_handing_an_uncollected_child_to_extended_care_ends_the_case_and_starts_a_later_clock(school):
    school.tap("丁一", "south-in")
    school.at("18:50")
    assert school.case_of("丁一") is not None
    offer = school.offer(["丁一"], "杨老师", "吴老师", kind="to_extended_care", place="阅览室")
    school.accept(offer, "吴老师", 1)
    assert school.case_of("丁一") is None and school.custodian("丁一") == "吴老师"
    school.at("19:25")
    assert school.case_of("丁一") is None
    school.at("19:31")
    assert school.case_of("丁一").state == "waiting"


def test_children_in_extended_care_enter_the_ladder_at_its_end(school):
    school.tap("欧阳娜", "east-in")
    school.at("19:20")
    assert school.case_of("欧阳娜") is None


def test_who_leaves_alone_with_consent_never_enters_the_ladder(school):
    school.tap("李雷", "south-in")
    school.at("20:00")
    assert school.case_of("李雷") is None


def test_the_day_cannot_be_closed_while_one_child_is_in_custody(school):
    school.tap("王小明", "east-in")
    leader = school.number("孙主任")
    refused = school.at("19:00").ask(c.ClearCampus(by=leader))
    assert (refused.decision.reason, refused.decision.detail) == ("not_clear", {"blockers": ["children:1"]})
    assert school.entries("campus_cleared") == []
    school.release(["王小明"], "王妈妈")
    assert school.ask(c.ClearCampus(by=leader)).decision.outcome == "granted"
    assert school.duty().cleared_ms == school.ms("19:00")


def test_only_the_duty_leader_closes_the_day(school):
    assert school.at("19:40").ask(c.ClearCampus(by=school.number("赵师傅"))).decision.reason == "not_permitted"


def test_a_child_released_without_a_known_arrival_becomes_a_case_that_needs_a_note(school):
    school.at("18:40").release(["丁一"], "丁妈妈", point="south-out")
    case = school.case_of("丁一")
    assert case.kind == "out_without_in"
    leader = school.number("孙主任")
    assert school.ask(c.ClearCampus(by=leader)).decision.reason == "not_clear"
    assert school.ask(c.CloseCase(case=case.case, by=leader, note=" ")).decision.reason == "reason_needed"
    school.ask(c.CloseCase(case=case.case, by=leader, note="早上卡没带，班主任确认在校"))
    assert school.ask(c.ClearCampus(by=leader)).decision.outcome == "granted"


def test_the_next_morning_starts_blank_whether_or_not_yesterday_was_closed(school):
    school.tap("王小明", "east-in")
    school.at("15:35").release(["王小明"], "王妈妈")
    school.day = "2026-11-24"
    school.clock.set(school.ms("07:40"))
    school.ask(c.Tick())
    assert school.tap("王小明", "east-in").decision.reason == "on_time"
    assert school.child("王小明").day == "2026-11-24"


def test_a_restart_ends_in_exactly_the_state_before_it(school):
    for name in ("王小明", "李雷", "丁一", "欧阳娜"):
        school.tap(name, "east-in")
    school.at("16:25").tap("李雷", "room-201")
    school.offer(["丁一"], "杨老师", "周老师")
    school.tap("王妈妈", "east-out")
    before = school.gate.world.campus.fingerprint()
    assert school.restart().gate.world.campus.fingerprint() == before


def test_a_lost_device_is_recorded_once_and_its_return_once(school):
    for health in ("ok", "down", "down", "ok", "ok"):
        school.ask(c.DeviceChanged(device="east-reader", health=health))
    assert [e.kind for e in school.entries() if e.kind.startswith("device")] == ["device_lost", "device_back"]


def test_between_two_sessions_the_next_room_takes_a_child_five_minutes_early(school):
    school.tap("李雷", "south-in")
    school.at("17:10")
    assert school.tap("李雷", "room-art").decision.reason == "wrong_room"
    assert school.at("17:26").tap("李雷", "room-art").decision.reason == "on_time"


def test_a_gate_that_runs_for_weeks_lets_go_of_old_days_but_never_of_a_child_or_a_conflict(school):
    for name in ("王小明", "李雷", "丁一"):
        school.tap(name, "east-in")
    school.at("18:40").release(["王小明"], "王妈妈")
    school.release(["弟弟"], "哥哥", "child_recognises")  # never tapped in: a conflict
    school.tap("李雷", "south-out")
    for day in ("2026-11-24", "2026-11-25", "2026-11-26"):
        school.day = day
        school.clock.set(school.ms("07:00"))
        school.ask(c.Tick())
    kept = school.gate.world.campus.children
    assert school.number("王小明") not in kept and school.number("李雷") not in kept
    assert school.custodian("丁一") == "杨老师", "nobody said that this child went home"
    assert school.case_of("弟弟").kind == "out_without_in"
    assert school.tap("李雷", "south-in").decision.outcome == "granted"


def test_of_two_sessions_in_one_room_a_child_called_away_from_the_first_comes_for_the_second(tmp_path):
    sessions = small_school().sessions
    one_room = replace(small_school(), sessions={**sessions, "S2": replace(sessions["S2"], room="201")})
    with closing(School(tmp_path / "state", directory=one_room)) as school:
        lei, han = school.number("李雷"), school.number("韩梅")
        for name in ("李雷", "韩梅"):
            school.tap(name, "south-in")
        school.at("16:31").take("session:S1", "李老师", 2)
        school.ask(c.CallRoll(roster="session:S1", marks={lei: "moved", han: "present"}, by=school.number("李老师")))
        school.at("17:27").tap("李雷", "room-201")
        assert school.child("李雷").session == "S2"
