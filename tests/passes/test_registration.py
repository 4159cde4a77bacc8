"""A pass rests on the word of a guardian whom the school called back, and on nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core.people import Restriction
from kiosk.core.roster_delegates import DelegatesQuery, DelegatesView
from tests.passes.delegation import Gatehouse, gatehouse, said
from tests.support.people import COLLECTORS, small_school


def test_the_record_says_who_confirmed_and_who_called(house: Gatehouse) -> None:
    key = house.register()
    body = house.school.entries("delegate_registered")[-1].body
    assert body["guardian"] == house.school.number("王妈妈") and body["by"] == house.school.number("张老师")
    assert (body["pass_id"], body["verified"], body["for_day"], body["gate"]) == (key, ["call_back"], "2026-11-23", "east")
    assert house.school.gate.journal.note(body["note"]) == "林阿姨\n13800001234\n红色外套"


@pytest.mark.parametrize("by", ["张老师", "孙主任", "办公室"])
def test_the_class_teacher_the_duty_leader_and_the_office_may(house: Gatehouse, by: str) -> None:
    assert said(house.school.ask(house.form(by=by))) == ("granted", "done")


@pytest.mark.parametrize("by", ["刘老师", "赵师傅"])
def test_another_classes_teacher_and_a_guard_may_not(house: Gatehouse, by: str) -> None:
    assert said(house.school.ask(house.form(by=by))) == ("refused", "not_permitted")


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"called_back": False}, "call_back"),
        ({"adult": False}, "adult"),
        ({"name": "  "}, "name"),
        ({"name": "长" * 21}, "name"),
        ({"name": "林\n阿姨"}, "name"),
        ({"relation": ""}, "relation"),
        ({"id_last4": "12"}, "id_last4"),
        ({"gate": "moon"}, "gate"),
        ({"pass_id": "../../etc"}, "pass_id"),
    ],
)
def test_what_is_missing_is_named(house: Gatehouse, changed: dict[str, Any], missing: str) -> None:
    answer = house.school.ask(house.form(**changed))
    assert said(answer) == ("refused", "reason_needed") and answer.decision.detail["needs"] == [missing]
    assert not house.school.entries("delegate_registered")


@pytest.mark.parametrize("day", ["2026-11-22", "2027-06-01", "tomorrow", "2026-13-01", "20261123"])
def test_a_day_past_or_far_ahead_or_none_at_all_is_refused(house: Gatehouse, day: str) -> None:
    assert said(house.school.ask(house.form(for_day=day))) == ("refused", "pass_other_date")


@pytest.mark.parametrize("guardian", ["王奶奶", "陌生人", "丁妈妈"])
def test_only_a_listed_guardian_of_this_child_can_send_somebody(house: Gatehouse, guardian: str) -> None:
    assert said(house.school.ask(house.form(guardian=guardian))) == ("refused", "collector_unknown")


def test_a_restricted_father_cannot_send_anybody(house: Gatehouse) -> None:
    assert said(house.school.ask(house.form(guardian="王爸爸"))) == ("refused", "collector_restricted")


@pytest.mark.parametrize(
    "disguise",
    [
        {"name": "王爸爸"},
        {"name": " 王 爸 爸 "},
        {"name": "老王", "phone": "+86 139 0000 0002"},
        {"name": "老王", "id_last4": "901x"},
    ],
)
def test_a_restricted_father_cannot_be_sent_under_any_name_and_the_duty_leader_learns_of_it(
    house: Gatehouse, disguise: dict[str, Any]
) -> None:
    known = tuple(replace(adult, id_last4="901X") if adult.number == 202 else adult for adult in COLLECTORS)
    house.school.ask(c.AdoptDirectory(directory=small_school(2, collectors=known), digest=""))
    answer = house.school.ask(house.form(**disguise))
    assert said(answer) == ("refused", "collector_restricted") and answer.decision.alarm
    assert [case.kind for case in house.school.duty().cases] == ["restricted_person"]
    assert not house.school.entries("delegate_registered")


def test_somebody_restricted_after_the_pass_was_made_is_refused_at_the_gate_with_a_silent_alarm(house: Gatehouse) -> None:
    key = house.register()
    barred = (Restriction(child=1, collector=202), Restriction(child=1, collector=205))
    renamed = tuple(replace(adult, name="林阿姨") if adult.number == 205 else adult for adult in COLLECTORS)
    house.school.ask(c.AdoptDirectory(directory=small_school(2, collectors=renamed, restrictions=barred), digest=""))
    answer = house.scan(key)
    assert said(answer) == ("refused", "collector_restricted") and answer.decision.alarm and answer.decision.adult
    (item,) = house.queue()
    assert item.restricted
    release = house.release(key, "child_recognises", "id_seen", "call_back", second="孙主任")
    assert said(release) == ("refused", "collector_restricted")
    assert {case.kind for case in house.school.duty().cases} == {"restricted_person"}


def test_a_child_has_three_open_passes_a_day_and_a_revoked_one_makes_room(house: Gatehouse) -> None:
    keys = [house.register(name=name) for name in ("林阿姨", "周叔叔", "何奶奶")]
    assert said(house.school.ask(house.form(name="第四位"))) == ("refused", "collector_limit")
    house.school.ask(c.RevokeDelegate(pass_id=keys[0], by=house.school.number("办公室")))
    assert said(house.school.ask(house.form(name="第四位"))) == ("granted", "done")


def test_one_number_makes_one_pass(house: Gatehouse) -> None:
    house.register(pass_id="00000000000000aa")
    assert said(house.school.ask(house.form(pass_id="00000000000000aa"))) == ("refused", "step_refused")


def test_revoking_needs_the_same_roles_and_happens_once(house: Gatehouse) -> None:
    key, ask, number = house.register(), house.school.ask, house.school.number
    assert said(ask(c.RevokeDelegate(pass_id=key, by=number("刘老师")))) == ("refused", "not_permitted")
    assert said(ask(c.RevokeDelegate(pass_id="00000000000000ff", by=number("张老师")))) == ("refused", "no_such_case")
    assert said(ask(c.RevokeDelegate(pass_id=key, by=number("张老师")))) == ("granted", "done")
    assert said(ask(c.RevokeDelegate(pass_id=key, by=number("张老师")))) == ("refused", "pass_revoked")


def test_a_used_pass_cannot_be_revoked_afterwards(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key)
    house.release(key, "child_recognises", "id_seen")
    assert said(house.school.ask(c.RevokeDelegate(pass_id=key, by=house.school.number("张老师")))) == ("refused", "pass_used")


def look(house: Gatehouse) -> DelegatesView:
    view: DelegatesView = house.school.look(DelegatesQuery(child=house.school.number("王小明")))
    return view


def test_the_page_offers_guardians_who_are_free_to_send_and_the_childs_own_gate_first(house: Gatehouse) -> None:
    view = look(house)
    assert [g.name for g in view.guardians] == ["王妈妈"], "not the restricted father"
    assert view.gates[0] == ("east", "东门") and view.class_teacher == house.school.number("张老师")


def test_the_list_of_passes_says_what_became_of_each(house: Gatehouse) -> None:
    used, revoked, coming = house.register(), house.register(name="周叔叔"), house.register(for_day="2026-11-25", name="何奶奶")
    house.scan(used)
    house.release(used, "child_recognises", "id_seen")
    house.school.ask(c.RevokeDelegate(pass_id=revoked, by=house.school.number("张老师")))
    assert [(p.pass_id, p.state, p.name) for p in look(house).passes] == [
        (used, "used", "林阿姨"), (revoked, "revoked", "周叔叔"), (coming, "open", "何奶奶"),
    ]  # fmt: skip
    house.school.restart()
    assert [p.name for p in look(house).passes] == ["林阿姨", "周叔叔", "何奶奶"]


def test_an_erased_note_leaves_a_pass_without_a_name_and_no_broken_chain(house: Gatehouse) -> None:
    house.register()
    digest = house.school.entries("delegate_registered")[-1].body["note"]
    assert house.school.gate.journal.erase_note(digest)
    house.school.restart()
    (line,) = look(house).passes
    assert (line.name, line.phone, line.relation) == ("", "", "邻居")


def test_a_pass_for_a_gate_of_another_computer_can_be_made_here(tmp_path: Any) -> None:
    house = gatehouse(tmp_path / "state")
    key = house.register(child="高个子", guardian="高妈妈", by="黄老师", gate="west")
    assert house.school.entries("delegate_registered")[-1].body["gate"] == "west" and key
    house.school.close()
