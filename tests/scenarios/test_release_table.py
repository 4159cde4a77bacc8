"""The release table, row by row: may this adult (or this child alone) pass, here and now?"""

from __future__ import annotations

from kiosk.core import commands as c


def test_row_1_a_guardian_with_her_own_card_is_put_before_the_guard_who_releases(school):
    school.tap("王小明", "east-in")
    shown = school.at("15:35").tap("王妈妈", "east-out")
    assert (shown.decision.outcome, shown.decision.reason) == ("ask_guard", "collector_present")
    assert school.custodian("王小明") == "张老师", "a card alone releases nobody"
    assert school.release(["王小明"], "王妈妈").decision.reason == "collected"
    assert school.custodian("王小明") == ""


def test_row_2_a_first_grader_alone_is_sent_to_wait_for_an_adult(school):
    school.tap("王小明", "east-in")
    answer = school.at("15:35").tap("王小明", "east-out")
    assert (answer.decision.outcome, answer.decision.reason) == ("refused", "needs_adult")
    assert school.custodian("王小明") == "张老师"


def test_row_2b_consent_to_leave_alone_does_not_count_for_a_first_grader(school):
    school.tap("小妹妹", "east-in")
    assert school.at("15:35").tap("小妹妹", "east-out").decision.reason == "needs_adult"


def test_row_3_a_fifth_grader_with_consent_leaves_alone_after_the_last_session(school):
    school.tap("李雷", "south-in")
    answer = school.at("18:31").tap("李雷", "south-out")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "leaves_alone")


def test_row_4_the_same_child_is_held_back_while_slot_2_is_not_finished(school):
    school.tap("李雷", "south-in")
    assert school.at("17:35").tap("李雷", "south-out").decision.reason == "in_session"
    assert school.custodian("李雷") == "杨老师"


def test_row_5_an_authorised_relative_is_released_to_after_the_child_recognised_her(school):
    school.tap("王小明", "east-in")
    school.at("15:35")
    refused = school.release(["王小明"], "王奶奶")
    assert refused.decision.detail["needs"] == ["child_recognises"]
    assert school.release(["王小明"], "王奶奶", "child_recognises").decision.outcome == "granted"


def test_row_6_an_authorisation_that_ran_out_yesterday_holds_for_a_call_back_and_a_second_person(school):
    school.tap("王小明", "east-in")
    shown = school.at("15:35").tap("老邻居", "east-out")
    assert shown.decision.reason == "collector_expired"
    assert school.release(["王小明"], "老邻居", "child_recognises").decision.reason == "collector_expired"
    assert school.release(["王小明"], "老邻居", "child_recognises", "call_back", second="张老师").decision.outcome == "granted"


def test_row_7_an_unknown_adult_is_refused_and_the_guard_files_a_description(school):
    school.tap("王小明", "east-in")
    school.at("15:35")
    assert school.release(["王小明"], "陌生人").decision.reason == "collector_unknown"
    filed = school.ask(
        c.RefusePickup(
            children=(school.number("王小明"),),
            collector=None,
            access_point="east-out",
            by=school.number("赵师傅"),
            reason="collector_unknown",
            description="五十岁左右，灰色外套",
        )
    )
    assert filed.decision.outcome == "granted"
    entry = school.entries("pickup_refused")[-1]
    assert "灰色外套" not in str(entry.body), "free text stays out of the chain"
    assert school.gate.journal.note(entry.body["note"]) == "五十岁左右，灰色外套"


def test_row_8_a_restricted_father_with_a_valid_card_is_refused_and_the_duty_leader_is_alarmed_silently(school):
    school.tap("王小明", "east-in")
    answer = school.at("15:35").tap("王爸爸", "east-out")
    assert (answer.decision.outcome, answer.decision.reason, answer.decision.alarm) == ("refused", "collector_restricted", True)
    release = school.release(["王小明"], "王爸爸", "photo", "call_back", "id_seen", "child_recognises", second="孙主任")
    assert release.decision.reason == "collector_restricted", "a restriction outranks every check"
    assert school.custodian("王小明") == "张老师"


def test_row_9_a_guardian_card_reported_lost_is_refused_with_an_alarm(school):
    school.tap("王小明", "east-in")
    answer = school.at("15:35").tap_card("0BADCA4D", "east-out")
    assert (answer.decision.outcome, answer.decision.reason, answer.decision.alarm) == ("refused", "card_lost", True)


def test_row_9b_a_card_reported_lost_a_minute_ago_at_this_gate_counts_at_once(school):
    school.tap("丁一", "south-in")
    school.ask(c.ReportCardLost(uid="04A300CE", by=school.number("赵师傅")))
    assert school.at("18:35").tap("丁妈妈", "south-out").decision.reason == "card_lost"


def slip(school, child: str, **more):
    return school.ask(
        c.GrantLeaveSlip(
            child=school.number(child),
            from_ms=school.ms("10:00"),
            to_ms=school.ms("12:00"),
            by=school.number("杨老师"),
            kind="leave_sick",
            **more,
        )
    )


def test_row_10_a_leave_slip_opens_the_gate_at_midday_for_a_verified_collector(school):
    school.tap("丁一", "south-in")
    assert school.at("10:30").release(["丁一"], "丁妈妈", point="south-out").decision.reason == "not_yet_dismissed"
    slip(school, "丁一", with_collector=school.number("丁妈妈"))
    school.release(["丁一"], "丁妈妈", point="south-out")
    (entry,) = school.entries("released")
    assert (entry.body["mode"], entry.body["reason"]) == ("slip", "leave_slip")


def test_row_11_a_sixth_grader_alone_with_a_slip_that_says_with_guardian_is_refused(school):
    school.tap("李雷", "south-in")
    slip(school, "李雷", with_collector=school.number("丁妈妈"))
    assert school.at("10:30").tap("李雷", "south-out").decision.reason == "leave_slip_differs"


def test_row_11b_a_slip_to_go_alone_is_never_granted_to_a_first_grader(school):
    assert slip(school, "王小明", alone=True).decision.reason == "needs_adult"


def test_row_12_in_an_emergency_everybody_gets_out_and_stays_in_custody(school):
    school.tap("王小明", "east-in")
    school.at("10:00").ask(c.DeclareEmergency(by=school.number("赵师傅")))
    answer = school.tap("王小明", "east-out")
    assert (answer.decision.outcome, answer.decision.reason, answer.decision.open_door) == ("granted", "emergency", True)
    assert school.custodian("王小明") == "张老师", "at the muster point the teacher still answers"


def test_row_13_an_off_site_group_leaves_in_the_custody_of_its_teacher(school):
    for name in ("李雷", "丁一"):
        school.tap(name, "south-in")
    offer = school.at("16:20").offer(["李雷", "丁一"], "杨老师", "周老师", kind="to_offsite", place="少年宫")
    school.accept(offer, "周老师", 2)
    assert {school.custodian("李雷"), school.custodian("丁一")} == {"周老师"}
    assert school.child("李雷").place == "少年宫"


def test_row_14_a_minor_brother_never_collects_a_first_grader_and_others_only_with_consent(school):
    for name in ("王小明", "丁一", "弟弟"):
        school.tap(name, "east-in")
    school.at("18:35")
    assert school.release(["王小明"], "哥哥", "child_recognises").decision.reason == "collector_minor"
    assert school.release(["丁一"], "哥哥", "child_recognises").decision.reason == "collector_minor"
    assert school.release(["弟弟"], "哥哥", "child_recognises").decision.outcome == "granted"


def test_row_15_care_centre_staff_take_only_their_own_children_and_no_more_than_agreed(school):
    for name in ("王小红", "丁一", "王小明"):
        school.tap(name, "east-in")
    school.at("18:35")
    assert school.release(["王小明"], "托管员", "child_recognises").decision.reason == "collector_unknown"
    assert school.release(["王小红"], "托管员", "child_recognises").decision.outcome == "granted"
    assert school.release(["丁一"], "托管员", "child_recognises").decision.reason == "collector_limit"


def test_row_16_offline_a_delegation_needs_the_teachers_call_back(school):
    school.tap("王小明", "east-in")
    school.ask(c.LinkChanged(waiting=3, last_contact_ms=school.ms("12:00"), own=True))
    school.at("15:35")
    assert school.release(["王小明"], "王奶奶", "child_recognises").decision.outcome == "refused"
    assert school.release(["王小明"], "王奶奶", "child_recognises", "call_back").decision.outcome == "granted"


def test_row_16b_under_an_untrusted_clock_two_members_of_staff_and_a_document_are_asked(school):
    school.tap("王小明", "east-in")
    school.at("15:35")
    school.clock.distrust("the battery of the clock is empty")
    assert school.release(["王小明"], "王妈妈").decision.reason == "clock_untrusted"
    done = school.release(["王小明"], "王妈妈", "id_seen", second="孙主任")
    assert done.decision.outcome == "granted"


def test_row_8b_the_silent_alarm_is_a_case_that_keeps_the_day_open_until_the_duty_leader_closes_it(school):
    school.tap("王小明", "east-in")
    school.at("15:35").tap("王爸爸", "east-out")
    school.release(["王小明"], "王妈妈")
    case = next(case for case in school.duty().cases if case.kind == "restricted_person")
    assert case.line.name == "王小明" and case.detail == "王爸爸 · 东门出口"
    leader = school.number("孙主任")
    assert school.ask(c.ClearCampus(by=leader)).decision.detail == {"blockers": ["alarms:1"]}
    school.ask(c.CloseCase(case=case.case, by=leader, note="已劝离，通知班主任"))
    assert school.ask(c.ClearCampus(by=leader)).decision.outcome == "granted"


def test_row_8c_a_restricted_father_looked_up_by_name_raises_the_alarm_as_well(school):
    school.tap("王小明", "east-in")
    school.at("15:35").release(["王小明"], "王爸爸", "photo")
    assert [e.body["reason"] for e in school.entries("pickup_refused")] == ["collector_restricted"]
    assert [case.kind for case in school.duty().cases] == ["restricted_person"]
