"""A child who is in school and in no room: somebody looks, by a moment, and the gates wait if nobody finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.core import commands as c
from tests.support.people import uid_of
from tests.support.school import School
from tests.support.two_gates import TwoGates, morning_ms


@pytest.fixture
def school(tmp_path: Path):
    school = School(tmp_path / "state")
    yield school
    school.close()


def class_of_grade_five(school: School, *names: str) -> None:
    for name in names:
        school.tap(name, "south-in")


def search(school: School, name: str):
    return school.child(name).search


def test_in_at_the_gate_and_not_in_class_is_looked_for_within_the_configured_minutes(school):
    class_of_grade_five(school, "李雷", "韩梅", "丁一", "不参加")
    school.at("08:36").roll("class:primary-2022-1", "杨老师", 李雷="present", 韩梅="present", 丁一="present")
    assert search(school, "不参加") is None
    task = search(school.at("08:47"), "不参加")
    assert task is not None and task.why == "not_in_class"
    assert (task.last_place, school.directory.name_of(task.last_adult)) == ("校园", "杨老师")
    assert school.directory.name_of(task.owner) == "孙主任"
    case = school.case_of("不参加")
    assert case is not None and case.kind == "locate" and case.search is not None
    assert (case.search.last_place, case.search.last_adult_name, case.owner_name) == ("校园", "杨老师", "孙主任")


def test_a_class_that_nobody_has_called_sends_nobody_looking(school):
    class_of_grade_five(school, "李雷", "韩梅", "丁一", "不参加")
    school.at("08:40").roll("class:primary-2022-1", "杨老师", 韩梅="leave_sick")  # one mark is not a roll call
    school.at("10:00")
    assert school.entries("locate_opened") == []


def test_finding_the_child_closes_the_task_and_moves_no_custody(school):
    class_of_grade_five(school, "李雷")
    school.at("16:32").roll("session:S1", "李老师", 李雷="absent_unexplained")
    assert search(school, "李雷") is not None
    school.ask(c.Located(child=school.number("李雷"), place="医务室", by=school.number("孙主任")))
    assert search(school, "李雷") is None
    assert (school.child("李雷").place, school.custodian("李雷")) == ("医务室", "杨老师")
    school.at("16:55")
    assert len(school.entries("locate_opened")) == 1, "found once in this session is found"


def test_not_finding_the_child_puts_every_gate_on_hold_until_it_is_found(school):
    class_of_grade_five(school, "韩梅", "李雷")
    school.tap("王小明", "east-in")
    school.at("16:32").roll("session:S1", "李老师", 韩梅="absent_unexplained", 李雷="present")
    school.at("16:48")
    case = school.case_of("韩梅")
    assert case is not None and case.kind == "incident"
    assert school.duty().bar.hold == ("五(1)班",)
    alone = school.at("18:31").tap("李雷", "south-out")
    assert (alone.decision.outcome, alone.decision.reason) == ("ask_guard", "gate_hold")
    asked = school.release(["王小明"], "王妈妈")
    assert asked.decision.outcome == "refused"
    assert set(asked.decision.detail["needs"]) == {"child_recognises", "id_seen"}
    assert school.release(["王小明"], "王妈妈", "child_recognises", "id_seen").decision.outcome == "granted"
    seen = school.ask(c.LetGo(child=school.number("李雷"), access_point="south-out", by=school.number("赵师傅")))
    assert seen.decision.outcome == "granted"
    school.ask(c.Located(child=school.number("韩梅"), place="体育馆", by=school.number("钱师傅")))
    assert school.duty().bar.hold == ()
    assert school.at("18:33").tap("韩梅", "south-out").decision.outcome == "granted"
    assert len(school.entries("incident_ended")) == 1


def test_the_search_and_the_hold_outlive_a_power_cut(school):
    class_of_grade_five(school, "韩梅")
    school.at("16:32").roll("session:S1", "李老师", 韩梅="absent_unexplained")
    due_ms = search(school, "韩梅").due_ms
    assert search(school.restart(), "韩梅").due_ms == due_ms
    school.at("16:48").restart()
    assert school.duty().bar.hold == ("五(1)班",)


def test_out_of_the_room_and_never_back(school):
    class_of_grade_five(school, "李雷", "韩梅")
    for name in ("李雷", "韩梅"):
        school.at("16:25").tap(name, "room-201")
    school.at("16:40").tap("李雷", "room-201-exit")
    assert search(school.at("16:48"), "李雷") is None
    task = search(school.at("16:52"), "李雷")
    assert task is not None and task.why == "not_back"
    school.tap("李雷", "room-201")
    assert search(school, "李雷") is None, "back is back"


def test_left_one_room_and_not_arrived_in_the_next(school):
    class_of_grade_five(school, "李雷", "丁一", "韩梅")
    for name in ("李雷", "韩梅"):
        school.at("16:25").tap(name, "room-201")
    school.tap("欧阳娜", "east-in")
    for name in ("丁一", "欧阳娜"):
        school.at("17:28").tap(name, "room-art")
    task = search(school.at("17:42"), "李雷")
    assert task is not None and task.why == "not_in_session" and task.last_place == "201"


def test_a_child_that_a_count_names_missing_is_looked_for_at_once(school):
    class_of_grade_five(school, "李雷", "韩梅")
    offer = school.at("16:20").offer(["李雷", "韩梅"], "杨老师", "李老师")
    school.accept(offer, "李老师", 1, 韩梅="missing")
    assert search(school, "韩梅").why == "missing"
    assert (school.custodian("李雷"), school.custodian("韩梅")) == ("李老师", "杨老师")


def test_anybody_may_report_a_child_missing_and_declare_it_lost_without_waiting(school):
    class_of_grade_five(school, "李雷")
    child, teacher = school.number("李雷"), school.number("杨老师")
    school.ask(c.OpenLocate(child=child, by=teacher, note="刚才还在操场"))
    assert search(school, "李雷").why == "reported"
    assert school.ask(c.DeclareIncident(child=child, by=teacher)).decision.outcome == "granted"
    assert school.duty().bar.hold == ("五(1)班",)


def test_absent_and_never_arrived_is_the_class_teachers_question_and_no_search(school):
    school.at("08:40").roll("class:primary-2022-1", "杨老师", 李雷="absent_unexplained")
    case = school.case_of("李雷")
    assert case is not None and (case.kind, case.owner_name) == ("absence", "杨老师")
    assert school.entries("locate_opened") == []
    school.ask(c.ExcuseAbsence(child=school.number("李雷"), kind="leave_sick", by=school.number("杨老师")))
    assert school.case_of("李雷") is None


def test_in_class_without_a_gate_record_is_shown_with_its_owner(school):
    school.at("08:40").roll("class:primary-2022-1", "杨老师", 李雷="present")
    case = school.case_of("李雷")
    assert case is not None and (case.kind, case.owner_name) == ("no_arrival", "杨老师")


def test_a_session_whose_roll_is_not_called_in_time_is_shown_with_its_teacher(school):
    class_of_grade_five(school, "李雷", "韩梅")
    overdue = [case for case in school.at("16:45").duty().cases if case.kind == "roll_overdue"]
    assert [(case.owner_name, case.detail) for case in overdue] == [("李老师", "五年级作业辅导 · 201")]
    school.roll("session:S1", "李老师", 李雷="present", 韩梅="present")
    assert [case for case in school.duty().cases if case.kind == "roll_overdue"] == []


def test_nobody_is_looked_for_under_a_clock_that_is_not_trusted_and_everybody_once_it_is(school):
    class_of_grade_five(school, "李雷", "韩梅", "丁一", "不参加")
    school.at("08:36").roll("class:primary-2022-1", "杨老师", 李雷="present", 韩梅="present", 丁一="present")
    school.clock.distrust("the battery is flat")
    assert search(school.at("09:00"), "不参加") is None
    school.clock.distrust("")
    assert search(school.at("09:01"), "不参加") is not None


def test_the_hold_reaches_the_other_gate_and_leaves_it_again(tmp_path: Path):
    gates = TwoGates(tmp_path, start_ms=morning_ms())
    try:
        for child in (3, 4):
            gates.press("south", c.Read(access_point="south-in", scheme="uid", value=uid_of(child)))
        gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(8)))
        gates.press("south", c.OpenLocate(child=3, by=140))
        for clock in gates.clock.values():
            clock.advance(11 * 3_600_000)
        gates.press("south", c.Tick())
        gates.deliver("south", "east")
        held = gates.press("east", c.Read(access_point="east-out", scheme="uid", value=uid_of(8)))
        assert (held.outcome, held.reason) == ("ask_guard", "gate_hold")
        gates.press("south", c.Located(child=3, place="操场", by=140))
        gates.deliver("south", "east")
        for clock in gates.clock.values():
            clock.advance(10_000)
        free = gates.press("east", c.Read(access_point="east-out", scheme="uid", value=uid_of(8)))
        assert (free.outcome, free.reason) == ("ask_guard", "elsewhere_gate"), "no hold any more; the child's own gate is south"
        gates.press("east", c.AskReleaseRight(child=8, access_point="east-out", by=130))
        for source, to in (("east", "south"), ("south", "east")):
            gates.deliver(source, to)
            gates.press(to, c.Tick())
        gates.clock["east"].advance(10_000)
        gone = gates.press("east", c.Read(access_point="east-out", scheme="uid", value=uid_of(8)))
        assert (gone.outcome, gone.reason) == ("granted", "leaves_alone")
    finally:
        gates.close()


def test_a_drill_stops_no_search(school):
    class_of_grade_five(school, "李雷")
    school.at("16:32").roll("session:S1", "李老师", 李雷="absent_unexplained")
    school.ask(c.DeclareEmergency(by=school.number("孙主任"), drill=True))
    school.at("16:48")
    assert school.duty().bar.hold == ("五(1)班",), "the drill is not real, the missing child is"
