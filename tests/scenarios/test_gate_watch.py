"""At the gate: who has the watch, what is counted twice, what may be taken back, who may never be given a child."""

from __future__ import annotations

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.decisions import Answer
from tests.support.people import small_school
from tests.support.school import School


def begin(school: School, guard: str = "赵师傅") -> Answer:
    number = school.number(guard)
    return school.ask(c.OfferShift(gate="east", taker=number, by=number))


def hand_over(school: School, taker: str, by: str = "赵师傅") -> Answer:
    return school.ask(c.OfferShift(gate="east", taker=school.number(taker), by=school.number(by)))


def take_over(school: School, by: str, counted: int, **exceptions: str) -> Answer:
    left = {school.number(name): why for name, why in exceptions.items()}
    offer = page(school).shift_offer
    assert offer is not None
    return school.ask(c.AcceptShift(shift=offer.shift, counted=counted, exceptions=left, by=school.number(by)))


def to_gatehouse(school: School, children: list[str], giver: str, guard: str = "赵师傅") -> Answer:
    return school.offer(children, giver, guard, kind="to_gatehouse", place="门卫室")


def page(school: School) -> r.GuardView:
    view: r.GuardView = school.look(r.GuardQuery(gate="east"))
    return view


def lose(school: School, child: str) -> None:
    number, leader = school.number(child), school.number("孙主任")
    school.ask(c.OpenLocate(child=number, by=leader))
    school.ask(c.DeclareIncident(child=number, by=leader))


# --- the watch -------------------------------------------------------------------------------------------


def test_the_first_guard_of_the_day_takes_the_watch_by_saying_so(school: School) -> None:
    assert page(school).shift is None
    assert begin(school).decision.outcome == "granted"
    assert (page(school).shift.guard_name, school.duty().shifts[0].guard_name) == ("赵师傅", "赵师傅")


@pytest.mark.row("D3", "changzhi", "xiji", "tianjin", "yueyang")
def test_the_next_guard_takes_the_watch_the_open_cases_and_the_child_in_the_gatehouse(school: School) -> None:
    school.tap("王小明", "east-in")
    begin(school)
    school.at("15:55")
    school.accept(to_gatehouse(school, ["王小明"], "张老师"), "赵师傅", 1)
    assert [line.name for line in page(school).held] == ["王小明"]
    assert page(school).open_cases == 1  # not collected since 15:30
    hand_over(school, "钱师傅")
    offered = page(school).shift_offer
    assert (offered.on_site, offered.open_cases, [line.name for line in offered.children]) == (1, 1, ["王小明"])
    assert school.custodian("王小明") == "赵师傅"  # an offer moves nothing
    assert take_over(school, "钱师傅", 1).decision.outcome == "granted"
    assert (page(school).shift.guard_name, school.custodian("王小明")) == ("钱师傅", "钱师傅")


def test_a_child_who_is_not_in_the_gatehouse_stays_with_the_guard_who_goes_and_is_looked_for(school: School) -> None:
    for name in ("王小明", "小妹妹"):
        school.tap(name, "east-in")
    begin(school)
    school.at("15:55")
    school.accept(to_gatehouse(school, ["王小明", "小妹妹"], "张老师"), "赵师傅", 2)
    hand_over(school, "钱师傅")
    assert take_over(school, "钱师傅", 2, 小妹妹="missing").decision.reason == "count_differs"
    assert take_over(school, "钱师傅", 1, 小妹妹="missing").decision.outcome == "granted"
    assert (school.custodian("王小明"), school.custodian("小妹妹")) == ("钱师傅", "赵师傅")
    assert school.case_of("小妹妹").kind in ("locate", "uncollected")
    assert school.child("小妹妹").search.why == "missing"


def test_a_watch_that_nobody_takes_stays_with_its_guard_who_is_told(school: School) -> None:
    begin(school)
    hand_over(school, "钱师傅")
    school.at("07:51")
    view = page(school)
    assert (view.shift.guard_name, view.shift_offer) == ("赵师傅", None)
    assert (view.shift_returned.taker_name, view.shift_returned.how) == ("钱师傅", "lapsed")
    hand_over(school, "钱师傅")
    offer = page(school).shift_offer
    school.ask(c.DeclineShift(shift=offer.shift, by=school.number("钱师傅")))
    assert page(school).shift_returned.how == "declined"


def test_once_the_watch_was_taken_nobody_is_told_that_it_came_back(school: School) -> None:
    begin(school)
    hand_over(school, "钱师傅")
    take_over(school, "钱师傅", 0)
    assert page(school).shift_returned is None


def test_nobody_takes_a_watch_that_was_offered_to_somebody_else(school: School) -> None:
    begin(school)
    hand_over(school, "孙主任")
    assert take_over(school, "钱师傅", 0).decision.reason == "not_permitted"
    assert hand_over(school, "钱师傅").decision.reason == "step_refused"  # one offer at a time


def test_a_duty_leader_hands_over_for_a_guard_who_has_gone(school: School) -> None:
    begin(school)
    assert hand_over(school, "钱师傅", by="孙主任").decision.outcome == "granted"
    assert hand_over(school, "赵师傅", by="钱师傅").decision.reason == "step_refused"
    assert take_over(school, "钱师傅", 0).decision.outcome == "granted"


def test_a_restart_keeps_the_watch_and_its_offer(school: School) -> None:
    begin(school)
    hand_over(school, "钱师傅")
    before = page(school)
    school.restart()
    assert (page(school).shift, page(school).shift_offer) == (before.shift, before.shift_offer)


# --- groups and children that come to the gate -------------------------------------------------------------


def test_an_escort_is_counted_at_the_door_and_again_at_the_gate_by_the_guard(school: School) -> None:
    for name in ("王小明", "小妹妹"):
        school.tap(name, "east-in")
    school.at("15:31")
    numbers = (school.number("王小明"), school.number("小妹妹"))
    school.ask(c.StartEscort(children=numbers, gate="east", counted=2, by=school.number("张老师")))
    (escort,) = page(school).escorts
    assert [line.name for line in escort.children] == ["王小明", "小妹妹"]
    guard = school.number("赵师傅")
    short = c.EndEscort(escort=escort.escort, counted=1, by=guard)
    assert school.ask(short).decision.reason == "count_differs"
    stays = c.EndEscort(escort=escort.escort, counted=1, exceptions={numbers[1]: "stays"}, by=guard)
    assert school.ask(stays).decision.outcome == "granted"
    assert page(school).escorts == ()
    assert school.custodian("王小明") == "张老师"


def test_the_gatehouse_sees_who_is_handed_to_it_by_name(school: School) -> None:
    school.tap("王小明", "east-in")
    begin(school)
    school.at("15:40")
    to_gatehouse(school, ["王小明"], "张老师")
    (offer,) = page(school).incoming
    assert ([line.name for line in offer.lines], offer.giver_name) == (["王小明"], "张老师")
    school.ask(c.Decline(handover=offer.handover, by=school.number("赵师傅")))
    assert (page(school).incoming, school.custodian("王小明")) == ((), "张老师")


def test_the_ladder_of_a_child_in_the_gatehouse_is_on_the_guards_page(school: School) -> None:
    school.tap("王小明", "east-in")
    begin(school)
    school.at("15:58")
    school.accept(to_gatehouse(school, ["王小明"], "张老师"), "赵师傅", 1)
    (case,) = page(school).held_cases
    mother, guard = school.number("王妈妈"), school.number("赵师傅")
    call = c.LogCall(case=case.case, guardian=mother, result="on_the_way", by=guard, eta_min=10)
    assert school.ask(call).decision.outcome == "granted"
    (case,) = page(school).held_cases
    assert (case.calls[0].by_name, case.eta_ms) == ("赵师傅", school.ms("16:08"))


# --- taking back ---------------------------------------------------------------------------------------------


def released(school: School) -> r.UndoLine:
    school.tap("王小明", "east-in")
    school.at("15:35")
    school.release(["王小明"], "王妈妈", "photo", "call_back", "id_seen", second="张老师")
    (line,) = page(school).undoable
    return line


def test_whoever_pressed_release_takes_it_back_within_ten_seconds(school: School) -> None:
    line = released(school)
    school.at("15:35:08")
    other = school.ask(c.UndoRelease(release=line.release, by=school.number("钱师傅")))
    assert other.decision.reason == "not_permitted"
    assert school.ask(c.UndoRelease(release=line.release, by=line.guard)).decision.outcome == "granted"
    assert (school.custodian("王小明"), page(school).undoable) == ("张老师", ())


def test_after_ten_seconds_only_a_correction_by_two_brings_the_child_back(school: School) -> None:
    line = released(school)
    school.at("15:35:11")
    assert page(school).undoable == ()
    assert school.ask(c.UndoRelease(release=line.release, by=line.guard)).decision.reason == "too_late"
    child, guard = school.number("王小明"), school.number("赵师傅")

    def correct(by: int, second: str) -> Answer:
        number = school.number(second) if second else None
        return school.ask(c.Correct(child=child, what="not_released", by=by, note="还在候接区", second=number))

    assert correct(guard, "").decision.reason == "second_person_needed"
    assert correct(guard, "钱师傅").decision.reason == "leader_needed"  # two guards alone do not change the record
    assert correct(guard, "孙主任").decision.outcome == "granted"
    assert school.custodian("王小明") == "张老师"


# --- whom nobody may be given to, and whom everybody looks for ---------------------------------------------------


def test_a_restricted_father_is_refused_the_leader_is_told_and_no_two_of_staff_walk_around_it(school: School) -> None:
    school.tap("王小明", "east-in")
    school.at("15:35")
    assert school.tap("王爸爸", "east-desk").decision.outcome == "refused"
    assert [item.restricted for item in page(school).queue] == [True]
    answer = school.release(["王小明"], "王爸爸", "photo", "call_back", "id_seen", second="孙主任")
    assert answer.decision.reason == "collector_restricted"
    around = c.ReleaseExceptionally(
        child=school.number("王小明"), access_point="east-desk", by=school.number("赵师傅"), second=school.number("孙主任"),
        name="王爸爸", relation="父亲", id_type="id_card", id_last4="1234", reason="他说是父亲",
        verified=("call_back", "child_recognises"),
    )  # fmt: skip
    assert school.ask(around).decision.reason == "collector_restricted"
    assert school.custodian("王小明") == "张老师"
    assert {case.kind for case in school.duty().cases} == {"restricted_person"}
    assert {entry.body["reason"] for entry in school.entries("pickup_refused")} == {"collector_restricted"}


def test_a_lost_child_puts_the_gate_on_hold_until_it_is_found(school: School) -> None:
    fresh = small_school(number=2, made_at_ms=school.ms("17:30"))
    for name in ("王小明", "韩梅", "小妹妹"):
        school.tap(name, "east-in")
    school.at("17:35")
    school.ask(c.AdoptDirectory(directory=fresh, digest="d2"))
    lose(school, "小妹妹")
    assert page(school).bar.hold == ("一(1)班",)
    assert school.release(["王小明"], "王妈妈", "photo").decision.reason == "gate_hold"
    assert school.tap("韩梅", "south-out").decision.reason == "gate_hold"  # both gates
    let_go = c.LetGo(child=school.number("韩梅"), access_point="south-out", by=school.number("赵师傅"))
    assert school.ask(let_go).decision.outcome == "granted"
    assert school.release(["王小明"], "王妈妈", "photo", "child_recognises", "id_seen").decision.outcome == "granted"
    school.ask(c.Located(child=school.number("小妹妹"), place="美术室", by=school.number("孙主任")))
    assert school.at("17:36").look(r.GuardQuery(gate="east")).bar.hold == ()


def test_a_guard_never_lets_a_first_grader_go_alone(school: School) -> None:
    school.tap("小妹妹", "east-in")
    school.at("15:35")
    alone = c.LetGo(child=school.number("小妹妹"), access_point="east-out", by=school.number("赵师傅"))
    assert school.ask(alone).decision.reason == "needs_adult"
    assert school.custodian("小妹妹") == "张老师"
