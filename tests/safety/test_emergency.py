"""应急疏散, as the school would tell it: one key, a frozen list, a check-off at the muster point, children given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core import roster_safety as s
from kiosk.core.campus import Campus
from kiosk.core.decisions import Answer
from kiosk.core.entries import Fact, Kind, Stream
from tests.support.people import PUPILS
from tests.support.school import School

FIELD = "操场"


@pytest.fixture(name="school")
def the_school_in_the_morning(tmp_path: Path) -> Iterator[School]:
    """08:10: 王小明, 王小红, 李雷 and 欧阳娜 are in; nobody else has come."""
    school = School(tmp_path / "state", at="08:10")
    for name in ("王小明", "王小红", "李雷", "欧阳娜"):
        school.tap(name, "east-in")
    yield school
    school.close()


def declare(school: School, by: str = "赵师傅", *, drill: bool = False) -> Answer:
    answer: Answer = school.ask(c.DeclareEmergency(by=school.number(by), drill=drill))
    return answer


def count(school: School, *names: str, by: str = "张老师", present: bool = True, others: tuple[str, ...] = ()) -> Answer:
    children = tuple(map(school.number, names))
    answer: Answer = school.ask(c.Muster(point=FIELD, children=children, by=school.number(by), present=present, others=others))
    return answer


def end(school: School, by: str = "孙主任") -> Answer:
    answer: Answer = school.ask(c.EndEmergency(by=school.number(by)))
    return answer


def page(school: School) -> s.MusterView:
    view: s.MusterView = school.look(s.MusterQuery())
    return view


def missing(school: School) -> list[str]:
    return [row.name for row in page(school).searched]


@pytest.mark.row("D6", "changzhi", "xiji", "tianjin", "yueyang")
def test_d6_the_guard_turns_the_key_and_the_list_says_who_was_where_and_with_whom(school: School) -> None:
    school.at("08:40").roll("class:primary-2026-1", "张老师", 王小明="present")
    assert declare(school).decision.reason == "emergency"
    view = page(school)
    assert (view.state, view.drill, view.expected, view.missing) == ("running", False, 4, 4)
    assert view.by_name == "赵师傅"
    xiaoming = next(row for row in view.searched if row.name == "王小明")
    assert (xiaoming.class_name, xiaoming.seat, xiaoming.place, xiaoming.custodian_name) == ("一(1)班", 1, "101", "张老师")
    assert {place.place: place.expected for place in view.places} == {"校园": 3, "101": 1}
    assert [one.name for one in view.classes] == ["一(1)班", "三(1)班", "五(1)班"]
    assert "张老师" in [one.name for one in view.staff]


def test_the_list_stays_as_it_was_frozen_whatever_happens_afterwards(school: School) -> None:
    declare(school)
    school.at("08:12")
    school.tap("韩梅", "east-in")
    school.tap("李雷", "east-out")
    view = page(school)
    assert view.expected == 4
    assert sorted(missing(school)) == sorted(["王小明", "王小红", "李雷", "欧阳娜"])
    assert next(row for row in view.searched if row.name == "李雷").place == "校园"


def test_a_tap_at_an_exit_is_a_hint_and_accounts_for_nobody(school: School) -> None:
    declare(school)
    school.at("08:12")
    assert school.tap("李雷", "south-out").decision.reason == "emergency"
    row = next(row for row in page(school).searched if row.name == "李雷")
    assert (row.what, row.hint, row.hint_ms) == ("missing", "南门出口", school.ms("08:12"))
    assert school.child("李雷").hold.live, "the teacher still answers for the child"


def test_the_teacher_checks_off_whom_she_sees_and_takes_back_a_slip_of_the_finger(school: School) -> None:
    declare(school)
    school.at("08:14")
    assert count(school, "王小明", "王小红").decision.outcome == "granted"
    assert sorted(missing(school)) == ["李雷", "欧阳娜"]
    count(school, "王小红", present=False)
    assert "王小红" in missing(school)
    counted = next(row for row in page(school).classes[0].rows if row.name == "王小明")
    assert (counted.what, counted.point, counted.by_name) == ("mustered", FIELD, "张老师")
    assert school.child("王小明").place == FIELD, "whoever looks for the child looks there now"


def test_a_child_whom_no_gate_had_seen_is_counted_and_from_then_on_in_custody(school: School) -> None:
    declare(school)
    count(school, "丁一", by="杨老师")
    assert [row.name for row in page(school).extra] == ["丁一"]
    assert school.custodian("丁一") == "杨老师"
    assert page(school).expected == 4, "the frozen list is as it was"


def test_a_mother_collects_her_child_at_the_gate_by_the_ordinary_release(school: School) -> None:
    declare(school)
    school.at("15:40")
    count(school, "王小明")
    assert school.release(["王小明"], "王妈妈").decision.outcome == "granted"
    view = page(school)
    assert (view.released, view.mustered) == (1, 0)
    row = next(row for row in view.classes[0].rows if row.name == "王小明")
    assert (row.what, row.released_to) == ("released", "王妈妈")


def test_an_emergency_makes_no_exception_for_a_restricted_person(school: School) -> None:
    declare(school)
    school.at("15:40")
    assert school.release(["王小明"], "王爸爸").decision.reason == "collector_restricted"
    assert "王小明" in missing(school)


def test_only_the_duty_leader_ends_it_and_the_record_names_who_was_not_accounted_for(school: School) -> None:
    declare(school)
    count(school, "王小明", "王小红", "李雷")
    assert end(school, by="赵师傅").decision.reason == "not_permitted"
    over = end(school).decision
    assert over.outcome == "granted"
    assert over.detail == {"missing": 1}
    body = school.entries("emergency_ended")[-1].body
    assert body["unaccounted"] == [school.number("欧阳娜")]
    view = page(school)
    assert (view.state, view.missing) == ("over", 1), "the list stays on the page: the child is still looked for"
    assert missing(school) == ["欧阳娜"]
    assert end(school).decision.reason == "no_such_case"
    assert count(school, "欧阳娜").decision.reason == "no_such_case"


def test_the_second_press_does_not_freeze_a_second_list(school: School) -> None:
    declare(school)
    school.tap("韩梅", "east-in")
    again = declare(school, by="张老师")
    assert (again.decision.outcome, again.entry) == ("granted", None)
    assert page(school).expected == 4
    assert len(school.entries("emergency_declared")) == 1


@pytest.mark.row("D6", "changzhi", "xiji", "tianjin", "yueyang")
def test_d6_the_list_and_the_check_off_survive_a_power_cut(school: School) -> None:
    declare(school)
    count(school, "王小明")
    before = page(school)
    school.restart()
    after = page(school)
    assert (after.since_ms, after.expected, after.mustered, after.missing) == (before.since_ms, 4, 1, 3)
    assert after.classes == before.classes


def test_the_fact_holds_numbers_and_places_and_no_name(school: School) -> None:
    declare(school)
    raw = str(school.entries("emergency_declared")[-1].body)
    assert not [pupil.name for pupil in PUPILS if pupil.name in raw]
    assert school.entries("emergency_declared")[-1].body["on_site"] == 4


# --- groups, visitors, staff ---------------------------------------------------------------------------------


def test_a_group_at_a_venue_is_listed_apart_with_its_teacher_and_nobody_looks_for_it_here(school: School) -> None:
    school.at("08:40")
    child = school.number("李雷")
    school.offer(["李雷"], "杨老师", "李老师", kind="to_offsite", place="少年宫")
    offer = school.entries("handover_offered")[-1]
    school.ask(c.Accept(handover=str(offer.id), counted=1, by=school.number("李老师")))
    school.ask(c.TakeOut(children=(child,), venue="少年宫", counted=1, by=school.number("李老师")))
    declare(school)
    view = page(school)
    assert "李雷" not in missing(school)
    assert [(group.venue, group.teacher_name, [row.name for row in group.rows]) for group in view.outside] == [
        ("少年宫", "李老师", ["李雷"])
    ]


def test_visitors_and_staff_who_signed_in_are_on_the_list_and_can_be_checked_off(school: School) -> None:
    school.ask(c.SignedIn(staff=school.number("周老师"), where="tablet"))
    visit = school.ask(
        c.VisitorIn(gate="east", name="钱工", purpose="repair", by=school.number("赵师傅"), id_type="id_card", id_last4="123x")
    )
    declare(school)
    teacher = f"staff:{school.number('周老师')}"
    assert [one.key for one in page(school).staff if one.name == "周老师"] == [teacher]
    assert [one.key for one in page(school).visitors] == [f"visit:{visit.entry}"]
    assert count(school, others=(teacher, f"visit:{visit.entry}")).decision.outcome == "granted"
    assert [one.here for one in page(school).visitors] == [True]
    assert count(school, others=("staff:999999",)).decision.reason == "no_such_person"
    assert count(school).decision.reason == "no_such_person"


def test_a_gate_that_is_cut_off_is_named_on_the_list(school: School) -> None:
    now_ms = school.clock.now_ms()
    school.ask(c.LinkChanged(waiting=0, last_contact_ms=now_ms, peers={"south": now_ms - 600_000}))
    declare(school)
    assert page(school).unseen_gates == ("南门",)


# --- drills -----------------------------------------------------------------------------------------------------


@pytest.mark.row("D9", "tianjin")
def test_d9_a_drill_moves_nobody_and_lets_nobody_out(school: School) -> None:
    told = declare(school, drill=True)
    assert not told.decision.open_door
    held = {name: school.custodian(name) for name in ("王小明", "李雷")}
    count(school, "王小明", "丁一")
    assert school.tap("王小明", "east-out").decision.reason == "needs_adult"
    assert not school.child("丁一").hold.live
    assert {name: school.custodian(name) for name in held} == held
    assert page(school).drill
    end(school)
    assert [e.body["drill"] for e in school.entries() if e.kind in ("emergency_declared", "mustered", "emergency_ended")] == [
        True, True, True,
    ]  # fmt: skip


@pytest.mark.row("D9", "tianjin")
def test_d9_a_real_alarm_in_the_middle_of_a_drill_begins_a_list_of_its_own(school: School) -> None:
    declare(school, drill=True)
    count(school, "王小明", "王小红")
    school.at("08:15")
    assert declare(school).decision.reason == "emergency"
    view = page(school)
    assert (view.drill, view.missing) == (False, 4), "a drill's check-off counts for nothing now"
    assert declare(school, drill=True).decision.reason == "step_refused"


def test_the_campus_cannot_be_closed_while_an_emergency_runs(school: School) -> None:
    declare(school, drill=True)
    refused = school.ask(c.ClearCampus(by=school.number("孙主任"))).decision
    assert "emergency:1" in refused.detail["blockers"]


def test_with_no_emergency_the_page_says_who_is_on_site_now(school: School) -> None:
    view = page(school)
    assert (view.state, view.expected, view.missing, view.searched) == ("none", 4, 0, ())


# --- two gates ----------------------------------------------------------------------------------------------------


def test_two_gates_that_declare_apart_from_each_other_look_for_everybody_on_either_list() -> None:
    def declared(stream: Stream, child: int, at_ms: int) -> Fact:
        return Fact(Kind.EMERGENCY_DECLARED, {"by": 140, "drill": False, "day": "d", "on_site_list": [[child, "校园", 101, 5]]})

    east, south = Stream(node="east", incarnation="a" * 16), Stream(node="south", incarnation="b" * 16)
    first = east.seal(declared(east, 1, 10), at_ms=10, trusted=True).entry
    second = south.seal(declared(south, 2, 20), at_ms=20, trusted=True).entry
    word = {"point": "操场", "children": [2], "others": [], "present": True, "by": 101, "drill": False, "day": "d"}
    third = south.seal(Fact(Kind.MUSTERED, word), at_ms=30, trusted=True).entry
    states = []
    for order in ((first, second, third), (third, second, first), (second, first, third, first)):
        campus = Campus()
        for entry in order:
            assert campus.apply(entry)
        states.append(campus.fingerprint())
        assert campus.emergency is not None
        assert [one.child for one in campus.emergency.on_site] == [1, 2]
        assert campus.emergency.since_ms == 10
    assert states[0] == states[1] == states[2]


def test_an_older_gates_fact_without_a_list_is_still_an_emergency() -> None:
    stream, campus = Stream(node="east", incarnation="a" * 16), Campus()
    assert campus.apply(stream.seal(Fact(Kind.EMERGENCY_DECLARED, {"by": 140, "day": "d"}), at_ms=10, trusted=True).entry)
    assert campus.emergency is not None
    assert campus.emergency.on_site == ()


def test_a_list_of_the_wrong_shape_is_kept_and_declares_nothing() -> None:
    stream, campus = Stream(node="east", incarnation="a" * 16), Campus()
    odd = {"by": 140, "day": "d", "on_site_list": [["Li", 5]]}
    assert not campus.apply(stream.seal(Fact(Kind.EMERGENCY_DECLARED, odd), at_ms=10, trusted=True).entry)
    assert campus.emergency is None


def test_the_bar_and_the_page_follow(school: School) -> None:
    declare(school, drill=True)
    assert school.look(r.BarQuery()).emergency == "drill"
