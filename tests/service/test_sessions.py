"""A session from the teacher's coming to its archive row, as it happens at a running gate.

S1 has 李雷, 韩梅 and 王小红, and 李老师 teaches it from 16:30 to 17:30. S2 follows until 18:30.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core import commands_service as cs
from kiosk.core import roster as r
from kiosk.core.decisions import Answer
from kiosk.core.service import Standing, standing, teacher_missing
from kiosk.core.service_records import SessionClosed
from kiosk.core.settling import settle
from kiosk.evidence.mentions import of_child_day
from kiosk.settings import load
from kiosk.web.faces_facts import Names, details
from tests.support.school import CONFIG, School

ALL = ("changzhi", "xiji", "tianjin", "yueyang")


def come(school: School, *names: str) -> None:
    """Everybody of S1 who is named comes to school in the morning and into the room before it begins."""
    for name in names:
        school.tap(name, "south-in")
    school.at("16:25")
    for name in names:
        school.tap(name, "room-201")


def check_in(school: School, who: str, session: str = "S1", **more: Any) -> Answer:
    answer: Answer = school.ask(cs.CheckIn(session=session, by=school.number(who), **more))
    return answer


def close(school: School, who: str = "李老师", session: str = "S1", **more: Any) -> Answer:
    for field in ("states", "why"):
        more[field] = {school.number(name): word for name, word in more.get(field, {}).items()}
    answer: Answer = school.ask(cs.CloseSession(session=session, by=school.number(who), **more))
    return answer


def stands(school: School, session: str = "S1") -> Standing:
    world = school.gate.world
    return standing(world, world.book.session_times[session], school.clock.now_ms())


def row_of(school: School, session: str = "S1") -> SessionClosed:
    return school.gate.world.campus.service.closed[school.gate.world.day, session].row


def states(school: School, session: str = "S1") -> dict[str, str]:
    return {school.directory.name_of(child): state for child, state in row_of(school, session).states.items()}


# --- B3: no session is open without a teacher ---------------------------------------------------------------


@pytest.mark.row("B3", "xiji")
def test_b3_a_session_is_not_open_before_a_teacher_is_checked_in(school):
    come(school, "李雷")
    assert stands(school.at("16:31")) is Standing.UNSTAFFED
    assert check_in(school, "李老师").decision.outcome == "granted"
    assert stands(school) is Standing.OPEN


@pytest.mark.row("B3", "xiji")
def test_b3_a_teacher_missing_two_minutes_after_the_start_is_on_the_duty_page(school):
    come(school, "李雷")
    assert not any(case.kind == "teacher_missing" for case in school.at("16:31:59").duty().cases)
    (case,) = [case for case in school.at("16:32").duty().cases if case.kind == "teacher_missing"]
    assert "五年级作业辅导" in case.detail
    assert case.owner_name == "李老师"
    check_in(school, "李老师")
    assert not any(case.kind == "teacher_missing" for case in school.duty().cases)


@pytest.mark.row("B3", "xiji")
def test_b3_whoever_stands_in_says_for_whom_and_why(school):
    come(school, "李雷")
    refused = check_in(school, "周老师")
    assert refused.decision.reason == "reason_needed"
    assert "sick" in refused.decision.detail["allowed"]
    assert check_in(school, "周老师", reason="other").decision.reason == "reason_needed"  # in words, then
    assert check_in(school, "周老师", reason="sick").decision.outcome == "granted"
    (told,) = school.entries("staff_checked_in")
    assert (told.body["staff"], told.body["standing_in_for"], told.body["reason"]) == (112, 111, "sick")
    school.roll("session:S1", "周老师", 李雷="present", 韩梅="leave_sick", 王小红="leave_personal")
    school.at("17:31")
    assert close(school, "周老师").decision.outcome == "granted"
    assert row_of(school).teachers == (112,)  # class-hours go to whoever was there
    assert ("substitution", 112, 111, "sick") in [(x.what, x.staff, x.other, x.why) for x in row_of(school).exceptions]


@pytest.mark.row("E1", "xiji")
def test_e1_a_teacher_signs_in_and_out_of_each_session(school):
    come(school, "李雷")
    check_in(school, "李老师")
    assert check_in(school, "李老师").decision.reason == "step_refused"  # is there already
    school.at("17:20")
    assert school.ask(cs.CheckOut(session="S1", by=111)).decision.outcome == "granted"
    assert stands(school) is Standing.UNSTAFFED  # nobody is with the children any more
    kinds = [(e.kind, e.body["staff"], e.body["session"]) for e in school.entries() if e.kind.startswith("staff_checked")]
    assert kinds == [("staff_checked_in", 111, "S1"), ("staff_checked_out", 111, "S1")]


@pytest.mark.row("E1", "xiji")
def test_e1_taking_the_group_over_counts_as_signing_in(school):
    come(school, "李雷")
    school.take("session:S1", "李老师", 1)
    assert school.gate.world.campus.service.present(school.day, "S1") == (111,)
    school.roll("session:S1", "李老师", 李雷="present")
    assert len(school.entries("staff_checked_in")) == 1  # once
    assert stands(school.at("16:31")) is Standing.OPEN


def test_a_teacher_checks_in_neither_hours_before_nor_after_the_end_and_a_leader_for_others(school):
    assert check_in(school, "李老师").decision.reason == "window_closed"
    school.at("16:10")
    assert check_in(school, "周老师", staff=111).decision.reason == "not_permitted"
    assert check_in(school, "孙主任", staff=111).decision.outcome == "granted"
    assert check_in(school, "李老师", "S9").decision.reason == "no_such_session"
    school.at("17:30")
    assert check_in(school, "李老师").decision.reason == "window_closed"


# --- D1: every enrolled child ends in exactly one state ------------------------------------------------------


@pytest.mark.row("D1", *ALL)
def test_d1_a_session_cannot_close_with_a_child_in_no_state(school):
    come(school, "李雷", "韩梅")
    check_in(school, "李老师")
    school.at("17:31")
    refused = close(school)
    assert (refused.decision.reason, refused.decision.detail["children"]) == ("unresolved", [2])  # 王小红 never came
    assert close(school, states={"王小红": "absent_unexplained"}).decision.reason == "reason_needed"
    assert close(school, states={"王小红": "present"}).decision.reason == "step_refused"  # nobody saw her
    closed = close(school, states={"王小红": "absent_unexplained"}, why={"王小红": "guardian_informed"})
    assert closed.decision.outcome == "granted"
    assert states(school) == {"李雷": "present", "韩梅": "present", "王小红": "absent_unexplained"}
    assert close(school).decision.reason == "session_closed"


@pytest.mark.row("D1", *ALL)
@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("tapped in time", "present"), ("tapped late", "late"), ("called present", "present"), ("called late", "late"),
        ("excused sick", "leave_sick"), ("leave slip", "leave_personal"), ("class says sick", "leave_sick"),
        ("taken over", "present"), ("collected early", "left_early"), ("called elsewhere", "moved"),
        ("called absent", ""), ("called absent and came", "late"), ("called absent and found", "absent_unexplained"),
        ("nothing", ""),
    ],
)  # fmt: skip
def test_d1_one_state_for_each_story(school, what, state):
    if what not in ("nothing", "class says sick"):
        school.tap("李雷", "south-in")
    if what == "class says sick":
        school.roll("class:primary-2022-1", "杨老师", 李雷="leave_sick")
    if what == "excused sick":
        school.ask(c.ExcuseAbsence(child=3, kind="leave_sick", by=105))
    school.at("16:25")
    if what == "leave slip":
        slip = c.GrantLeaveSlip(child=3, from_ms=school.ms("16:00"), to_ms=school.ms("18:00"), by=105, alone=True)
        school.ask(slip)
        school.tap("李雷", "south-out")
    if what in ("tapped in time", "collected early"):
        school.tap("李雷", "room-201")
    check_in(school, "李老师")
    school.at("16:40")
    marks = {"called present": "present", "called late": "late", "called absent": "absent_unexplained"}
    marks |= {"called absent and came": "absent_unexplained", "called absent and found": "absent_unexplained"}
    marks |= {"called elsewhere": "moved"}
    if what in marks:
        school.roll("session:S1", "李老师", 李雷=marks[what])
    school.at("16:45")
    if what in ("tapped late", "called absent and came"):
        school.tap("李雷", "room-201")
    if what == "called absent and found":
        school.ask(c.Located(child=3, place="图书馆", by=140))
    if what == "taken over":
        school.accept(school.offer(["李雷"], "杨老师", "李老师"), "李老师", 1)
    if what == "collected early":
        school.ask(c.GrantLeaveSlip(child=3, from_ms=school.ms("16:40"), to_ms=school.ms("18:00"), by=105, alone=True))
        assert school.tap("李雷", "south-out").decision.outcome == "granted"
    school.at("17:31")
    world = school.gate.world
    found = settle(world, world.book.session_times["S1"], school.clock.now_ms())[3]
    assert ("" if found.open else found.state) == state


@pytest.mark.row("D1", *ALL)
def test_d1_absent_while_the_gate_says_in_school_is_looked_for_and_not_arrived_is_the_class_teachers(school):
    come(school, "李雷")
    check_in(school, "李老师")
    school.at("16:35")
    school.roll("session:S1", "李老师", 李雷="present", 韩梅="absent_unexplained", 王小红="absent_unexplained")
    school.tap("韩梅", "south-in")
    kinds = {case.line.name: (case.kind, case.owner_name) for case in school.duty().cases if case.line}
    assert kinds["王小红"] == ("absence", "陈老师")
    school.roll("session:S1", "李老师", 韩梅="absent_unexplained")
    assert school.case_of("韩梅").kind == "locate"


@pytest.mark.row("D1", *ALL)
def test_d1_roll_is_due_ten_minutes_after_the_start(school):
    school.tap("李雷", "south-in")
    assert not [case for case in school.at("16:39").duty().cases if case.kind == "roll_overdue"]
    assert [case.kind for case in school.at("16:40").duty().cases if case.kind == "roll_overdue"]


# --- F1: the archive row -------------------------------------------------------------------------------------


@pytest.mark.row("F1", "tianjin", "yueyang")
def test_f1_closing_writes_who_what_when_and_how(school):
    come(school, "李雷", "韩梅")
    school.tap("不参加", "south-in")
    school.tap("不参加", "room-201")  # not enrolled: a guest
    check_in(school, "李老师")
    school.at("16:35")
    school.roll("session:S1", "李老师", 李雷="present", 韩梅="late", 王小红="leave_sick")
    school.at("17:31")
    close(school)
    (told,) = school.entries("session_closed")
    row = SessionClosed.of(told.body)
    assert (row.name, row.kind, row.form, row.slot, row.room) == ("五年级作业辅导", "homework", "mixed", 1, "201")
    assert (row.from_ms, row.to_ms) == (school.ms("16:30"), school.ms("17:30"))
    assert (row.planned_teacher, row.teachers, row.class_hours) == (111, (111,), 1.0)
    assert (row.enrolled, row.attended, row.guests) == (3, 3, (8,))
    assert row.states == {3: "present", 4: "late", 2: "leave_sick"}
    assert [x.what for x in row.exceptions] == ["guest"]
    assert [e.body["staff"] for e in school.entries("staff_checked_out")] == [111]  # with the closing


@pytest.mark.row("F1", "tianjin", "yueyang")
def test_f1_a_row_is_never_changed_a_correction_is_a_new_row_with_a_reason(school):
    come(school, "李雷", "韩梅")
    check_in(school, "李老师")
    school.at("16:35").roll("session:S1", "李老师", 李雷="present", 韩梅="absent_unexplained", 王小红="leave_sick")
    school.ask(c.Located(child=4, place="图书馆", by=140))
    school.at("17:31")
    close(school)
    (told,) = school.entries("session_closed")
    ask = {"closed": str(told.id), "row": row_of(school), "states": {4: "leave_sick"}}
    assert school.ask(cs.CorrectSession(**ask, by=111, note=" ")).decision.reason == "reason_needed"
    assert school.ask(cs.CorrectSession(**ask, by=105, note="补假条")).decision.reason == "not_permitted"
    assert school.ask(cs.CorrectSession(**ask, by=111, note="补假条")).decision.outcome == "granted"
    (change,) = school.entries("session_corrected")
    assert change.body["states"] == {"4": "leave_sick"}
    assert school.entries("session_closed") == [told]
    bad = cs.CorrectSession(**(ask | {"states": {8: "present"}}), by=150, note="x")
    assert school.ask(bad).decision.reason == "no_such_person"  # never one who is not in the row


@pytest.mark.row("E1", "xiji")
def test_e1_a_locked_month_is_corrected_by_the_office_only_and_shown_as_such(school):
    come(school, "李雷")
    check_in(school, "李老师")
    school.at("17:31")
    close(school, states={"韩梅": "leave_sick", "王小红": "leave_sick"})
    (told,) = school.entries("session_closed")
    assert school.ask(cs.LockMonth(month="2026-12", by=150)).decision.reason == "window_closed"
    assert school.ask(cs.LockMonth(month="2026-11", by=111)).decision.reason == "not_permitted"
    assert school.ask(cs.LockMonth(month="2026-11", by=150)).decision.outcome == "granted"
    assert school.ask(cs.LockMonth(month="2026-11", by=140)).decision.reason == "step_refused"
    ask = {"closed": str(told.id), "row": row_of(school), "class_hours": 0.5, "note": "只上了一半"}
    school.restart()
    assert school.ask(cs.CorrectSession(**ask, by=111)).decision.reason == "month_locked"
    assert school.ask(cs.CorrectSession(**ask, by=140)).decision.outcome == "granted"
    assert school.entries("session_corrected")[0].body["locked"] is True


def test_closing_early_says_why_and_a_session_of_nobody_has_no_class_hours(school):
    school.at("16:30")
    assert close(school).decision.reason == "not_checked_in"
    check_in(school, "李老师")
    gone = {"李雷": "leave_personal", "韩梅": "leave_personal", "王小红": "leave_personal"}
    assert close(school, states=gone).decision.reason == "reason_needed"
    assert close(school, states=gone, note="春游未归").decision.outcome == "granted"
    row = row_of(school)
    assert (row.class_hours, row.attended) == (0.0, 0)
    assert [x.what for x in row.exceptions] == ["nobody_came", "closed_early"]


def test_what_nobody_closed_keeps_no_day_open_and_is_archived_by_the_leader_with_a_reason(school):
    come(school, "李雷")
    check_in(school, "李老师")
    school.at("17:31").tap("李雷", "south-out")
    school.at("18:36")
    open_ = [case.detail for case in school.duty().cases if case.kind == "session_unclosed"]
    assert len(open_) == 2  # S1, and S2 to which nobody came
    school.tap("李雷", "south-out")
    cleared = school.ask(c.ClearCampus(by=140))
    assert (cleared.decision.outcome, school.entries("campus_cleared")[-1].body["unclosed"]) == ("granted", 2)
    assert school.ask(cs.CloseRest(by=140, note=" ")).decision.reason == "reason_needed"
    assert school.ask(cs.CloseRest(by=111, note="漏关")).decision.reason == "not_permitted"
    assert school.ask(cs.CloseRest(by=140, note="教师漏关")).decision.outcome == "granted"
    assert states(school) == {"李雷": "present", "韩梅": "absent_unexplained", "王小红": "absent_unexplained"}
    assert {x.why for x in row_of(school).exceptions if x.what == "unexplained"} == {"not_closed"}
    assert "no_teacher" in [x.what for x in row_of(school, "S2").exceptions]
    assert not [case for case in school.duty().cases if case.kind == "session_unclosed"]


def test_a_restart_forgets_nothing_of_a_session(school):
    come(school, "李雷")
    check_in(school, "李老师")
    school.restart()
    assert stands(school.at("16:31")) is Standing.OPEN
    assert not teacher_missing(school.gate.world, school.gate.world.book.session_times["S1"], school.clock.now_ms())


# --- C1, B2 --------------------------------------------------------------------------------------------------


@pytest.mark.row("C1", "changzhi", "tianjin", "yueyang")
def test_c1_a_guest_is_never_refused_never_absent_and_the_class_teacher_knows(school):
    school.tap("不参加", "south-in")
    answer = school.at("16:35").tap("不参加", "room-201")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "guest")
    rows = school.look(r.RosterQuery("session:S1")).rows
    assert [row.expected for row in rows if row.line.name == "不参加"] == [False]
    home = school.look(r.RosterQuery("class:primary-2022-1"))  # 杨老师's own class
    assert [(one.line.name, one.title) for one in home.guests] == [("不参加", "五年级作业辅导")]


@pytest.mark.row("B2", "changzhi", "xiji", "yueyang")
def test_b2_the_wrong_room_names_the_right_one_and_the_child_stays_in_between(school):
    school.tap("李雷", "south-in")
    wrong = school.at("16:25").tap("李雷", "room-art")
    assert (wrong.decision.reason, wrong.decision.room) == ("wrong_room", "201")
    assert school.entries("read_refused")[-1].body["reason"] == "wrong_room"
    state = school.child("李雷")
    assert (state.session, school.custodian("李雷")) == ("", "杨老师")
    view = school.look(r.RosterQuery("session:S1"))
    assert {row.line.class_name for row in view.rows} == {"三(1)班", "五(1)班"}  # mixed, each with its home class


@pytest.mark.row("F2", "luoyang")
def test_f2_a_session_is_unpatrolled_until_somebody_looked(school):
    assert school.ask(cs.Patrol(session="S1", counted=1, teacher_present=True, finding="in_order", by=140)).decision.reason == (
        "window_closed"
    )
    come(school, "李雷")
    check_in(school, "李老师")
    school.at("16:50")
    told = school.ask(cs.Patrol(session="S1", counted=1, teacher_present=True, finding="in_order", by=140))
    assert told.decision.outcome == "granted"
    (row,) = school.entries("patrolled")
    assert (row.body["expected"], row.body["counted"], row.body["room"]) == (3, 1, "201")
    assert school.ask(cs.Patrol(session="S1", counted=1, teacher_present=True, finding="other", by=140)).decision.reason == (
        "reason_needed"
    )
    assert school.ask(cs.Patrol(session="S1", counted=1, teacher_present=True, finding="in_order", by=111)).decision.reason == (
        "not_permitted"
    )


@pytest.mark.row("F3", "luoyang")
def test_f3_the_childs_own_teachers_note_interest_and_potential(school):
    assert school.ask(cs.NoteGrowth(child=3, text="喜欢拼装，空间感好", by=105)).decision.outcome == "granted"  # class teacher
    assert school.ask(cs.NoteGrowth(child=3, text="素描有进步", by=112, session="S2")).decision.outcome == "granted"
    assert school.ask(cs.NoteGrowth(child=3, text="x", by=101)).decision.reason == "not_permitted"
    assert school.ask(cs.NoteGrowth(child=3, text=" ", by=105)).decision.reason == "reason_needed"
    (first, _) = school.entries("growth_noted")
    assert "喜欢" not in str(first.body)  # the words are a note that can be erased
    assert first.body["term"]


@pytest.mark.row("D4", "tianjin")
def test_d4_an_escort_that_has_not_set_out_five_minutes_after_the_end_is_on_the_duty_page(tmp_path):
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, escort_after_ms=5 * 60_000))
    school = School(tmp_path / "state", settings=settings)
    for name in ("韩梅", "李雷"):
        school.tap(name, "south-in")
    school.at("16:25").tap("韩梅", "room-201")
    school.take("session:S1", "李老师", 1)
    assert not [case for case in school.at("17:34").duty().cases if case.kind == "escort_due"]
    (case,) = [case for case in school.at("17:35").duty().cases if case.kind == "escort_due"]
    assert case.owner_name == "李老师"
    gone = c.StartEscort(children=(4,), gate="south", counted=1, by=111)
    assert school.ask(gone).decision.outcome == "granted"
    assert not [case for case in school.duty().cases if case.kind == "escort_due"]
    school.close()


@pytest.mark.row("D3", *ALL)
def test_d3_a_count_that_differs_blocks_the_handover_until_each_exception_is_named(school):
    come(school, "李雷", "韩梅")
    assert school.take("session:S1", "李老师", 1).decision.reason == "count_differs"
    assert school.take("session:S1", "李老师", 1, 韩梅="missing").decision.outcome == "granted"
    accepted = school.entries("handover_accepted")[-1].body
    assert (accepted["giver"], accepted["taker"], accepted["place"], accepted["expected"], accepted["counted"]) == (
        105,
        111,
        "201",
        2,
        1,
    )
    assert accepted["exceptions"] == [[4, "missing"]]
    assert school.case_of("韩梅").kind == "locate"


@pytest.mark.row("A13", "changzhi", "xiji")
def test_a13_a_child_fetched_from_extended_care_was_there_and_did_not_leave_early(school: School) -> None:
    """Care is for being fetched from: its end is the moment at which somebody comes."""
    name = "欧阳娜"
    school.tap(name, "south-in")
    school.at("18:32")
    school.accept(school.offer([name], "陈老师", "吴老师", kind="to_extended_care", place="阅览室"), "吴老师", 1)
    assert school.custodian(name) == "吴老师"
    school.at("19:00")
    assert school.release([name], "欧阳爸爸", point="east-out").decision.outcome == "granted"
    school.at("19:31")
    assert close(school, "吴老师", "E1").decision.outcome == "granted"
    assert states(school, "E1")[name] == "present"


@pytest.mark.row("D8", "xiji", "tianjin")
def test_d8_a_childs_dossier_has_the_archive_row_and_its_correction_and_says_only_its_own_state(school: School) -> None:
    come(school, "李雷", "韩梅")
    check_in(school, "李老师")
    school.at("17:28")
    assert close(school, states={"王小红": "absent_unexplained"}, why={"王小红": "not_at_school"}).decision.outcome == "granted"
    closed = school.entries("session_closed")[-1]
    row, office = row_of(school), school.number("办公室")
    school.ask(cs.CorrectSession(closed=str(closed.id), row=row, by=office, note="家长来电", states={2: "leave_sick"}))
    dossiers = {
        child: [e for e in of_child_day(school.entries(), child, date(2026, 11, 23), 28_800_000) if "states" in e.body]
        for child in (2, 3, 8)
    }
    assert {child: [e.kind for e in found] for child, found in dossiers.items()} == {
        2: ["session_closed", "session_corrected"], 3: ["session_closed"], 8: [],
    }  # fmt: skip
    names = Names(directory=school.directory, rules=school.settings.rules, child=2)
    said = [dict(details(entry, names, "zh")) for entry in dossiers[2]]
    assert ["未到" in said[0].values(), "病假" in said[1].values()] == [True, True]
