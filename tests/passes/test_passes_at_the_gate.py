"""A delegate's pass works once, for its child, on its day, at its gate, with the network down; everything else is refused.

Done-when 6 of the custody work: each refusal has a reason of its own, is recorded, and is shown to the guard.
"""

from __future__ import annotations

import pytest

from kiosk.core import commands as c
from tests.passes.delegation import AUNT, CHECKED, Gatehouse, foreign_signer, pass_for, said


def offline(house: Gatehouse) -> None:
    """The server was last reached at noon: the list is amber from then on."""
    house.school.ask(c.LinkChanged(waiting=9, last_contact_ms=house.school.ms("12:00"), own=True))


def test_a_neighbour_with_a_pass_takes_the_child_home_once_the_guard_has_checked(house: Gatehouse) -> None:
    key = house.register()
    assert said(house.scan(key)) == ("ask_guard", "pass_present")
    (item,) = house.queue()
    shown = (item.kind, item.pass_id, item.pass_name, item.pass_relation, item.pass_id_last4)
    assert shown == ("pass", key, AUNT, "邻居", "123X")
    assert not item.has_photo, "there is no photo of a delegate, and the page says so"
    (line,) = item.children
    assert (line.line.name, line.outcome, line.needs) == ("王小明", "ask_guard", ("child_recognises", "id_seen"))
    assert house.school.custodian("王小明") == "张老师", "a pass alone releases nobody"
    assert said(house.release(key, "child_recognises")) == ("refused", "identity_unconfirmed")
    assert said(house.release(key, *CHECKED)) == ("granted", "collected")
    body = house.school.entries("released")[-1].body
    assert (body["mode"], body["pass_id"], body["relation"], body["id_last4"]) == ("delegate", key, "邻居", "123X")
    assert body["verified"] == ["child_recognises", "id_seen"], "no photo was compared, and the record does not say so"
    assert not house.queue(), "the adult has gone"


def test_it_works_with_the_network_down_and_then_the_family_is_called_back(house: Gatehouse) -> None:
    key = house.register()
    offline(house)
    assert said(house.scan(key)) == ("ask_guard", "list_amber")
    assert said(house.release(key, *CHECKED)) == ("refused", "list_amber")
    assert said(house.release(key, *CHECKED, "call_back")) == ("granted", "collected")


def test_a_second_use_is_refused(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key)
    house.release(key, *CHECKED)
    house.school.tap("王小明", "east-in")  # came back for the forgotten jacket
    assert said(house.scan(key)) == ("refused", "pass_used")
    assert said(house.release(key, *CHECKED, "call_back", second="孙主任")) == ("refused", "pass_used")


def test_a_second_use_is_refused_after_a_restart_too(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key)
    house.release(key, *CHECKED)
    house.school.restart()
    assert said(house.scan(key)) == ("refused", "pass_used")


def test_another_gate_refuses_it(house: Gatehouse) -> None:
    key = house.register()
    assert said(house.scan(key, "south-out")) == ("refused", "pass_other_gate")
    assert said(house.release(key, *CHECKED, point="south-out")) == ("refused", "pass_other_gate")


@pytest.mark.parametrize("day", ["2026-11-24", "2026-12-31"])
def test_it_is_refused_before_its_day(house: Gatehouse, day: str) -> None:
    key = house.register(for_day=day)
    assert said(house.scan(key)) == ("refused", "pass_other_date")
    assert said(house.release(key, *CHECKED)) == ("refused", "pass_other_date")


def test_it_is_refused_after_its_day(house: Gatehouse) -> None:
    key = house.register()
    house.school.day = "2026-11-24"
    house.school.clock.set(house.school.ms("15:35"))
    house.school.ask(c.Tick())
    assert said(house.scan(key)) == ("refused", "pass_other_date")


def test_it_lets_no_other_child_go(house: Gatehouse) -> None:
    key = house.register()
    house.school.tap("王小红", "east-in")
    house.school.at("17:35")
    house.scan(key)
    assert said(house.release(key, *CHECKED, children=("王小红",))) == ("refused", "pass_other_child")
    both = house.release(key, *CHECKED, children=("王小明", "王小红"))
    assert said(both) == ("refused", "pass_other_child"), "one press for two: nobody goes"
    assert house.school.custodian("王小明") and house.school.custodian("王小红")


def test_a_revoked_pass_is_refused_at_once(house: Gatehouse) -> None:
    key = house.register()
    house.school.ask(c.RevokeDelegate(pass_id=key, by=house.school.number("张老师")))
    assert said(house.scan(key)) == ("refused", "pass_revoked")
    assert said(house.release(key, *CHECKED)) == ("refused", "pass_revoked")


def test_a_pass_that_somebody_else_signed_in_our_name_is_forged(house: Gatehouse) -> None:
    form = house.form()
    forged = foreign_signer()(pass_for(form, house.school.ask(c.Tick()), "east"))
    assert said(house.scan_text(forged)) == ("refused", "pass_forged")
    house.school.at("15:36")
    unknown_gate = foreign_signer("north")(pass_for(form, house.school.ask(c.Tick()), "north"))
    assert said(house.scan_text(unknown_gate)) == ("refused", "pass_forged")
    assert said(house.release("00000000000000ff", *CHECKED)) == ("refused", "pass_forged"), "an invented number is no pass"


def test_a_changed_letter_is_forged_and_nothing_it_says_is_recorded(house: Gatehouse) -> None:
    key = house.register()
    text = house.texts[key]
    at = text.index(".", 4) - 20
    other = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    assert said(house.scan_text(other)) == ("refused", "pass_forged")
    entry = house.school.entries("read_refused")[-1]
    assert "pass_id" not in entry.body and entry.body["tail"] == text[-4:]
    (item,) = house.queue()
    assert (item.kind, item.reason, item.children, item.pass_name) == ("pass", "pass_forged", (), "")


def test_every_refusal_is_a_fact_and_stands_before_the_guard(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key, "south-out")
    (entry,) = house.school.entries("pickup_requested")
    assert (entry.body["reason"], entry.body["outcome"], entry.body["pass_id"]) == ("pass_other_gate", "refused", key)
    (item,) = house.queue("south")
    assert (item.reason, item.outcome, item.children[0].outcome) == ("pass_other_gate", "refused", "refused")


def test_the_delegates_name_stays_out_of_the_chain_and_survives_a_restart(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key)
    for kind in ("delegate_registered", "pickup_requested"):
        (entry,) = house.school.entries(kind)
        assert AUNT not in str(entry.body) and "13800001234" not in str(entry.body)
    house.school.restart()
    (item,) = house.queue()
    assert item.pass_name == AUNT


def test_the_same_pass_read_twice_in_a_moment_is_one_adult(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key)
    assert house.scan(key).decision.reason == "repeat"
    assert len(house.queue()) == 1


def test_under_an_untrusted_clock_the_day_cannot_be_judged_and_two_adults_look_at_a_document(house: Gatehouse) -> None:
    key = house.register(for_day="2026-11-30")
    house.school.clock.distrust("the battery of the clock is empty")
    assert said(house.scan(key)) == ("ask_guard", "clock_untrusted")
    assert said(house.release(key, *CHECKED)) == ("refused", "clock_untrusted")
    assert said(house.release(key, *CHECKED, "call_back", second="孙主任")) == ("granted", "collected")


def test_a_pass_whose_code_cannot_be_read_takes_the_family_and_a_colleague(house: Gatehouse) -> None:
    key = house.register()  # the delegate's telephone is empty
    refused = house.release(key, *CHECKED)
    assert said(refused) == ("refused", "identity_unconfirmed")
    assert set(refused.decision.detail["needs"]) == {"call_back", "second_person"}
    assert said(house.release(key, *CHECKED, "call_back", second="张老师")) == ("granted", "collected")


def test_before_the_childs_own_time_a_pass_opens_nothing(house: Gatehouse) -> None:
    house.school.tap("王小红", "east-in")
    key = house.register(child="王小红", by="陈老师")
    assert said(house.scan(key)) == ("refused", "not_yet_dismissed")


def test_the_days_of_term_pass_and_old_passes_are_forgotten(house: Gatehouse) -> None:
    old, coming = house.register(), house.register(for_day="2026-11-30", name="周叔叔")
    house.school.day = "2026-11-26"
    house.school.clock.set(house.school.ms("07:40"))
    house.school.ask(c.Tick())
    book = house.school.gate.world.campus.passes
    assert old not in book.registered and coming in book.registered


def test_undo_frees_the_pass_for_the_adult_who_still_stands_there(house: Gatehouse) -> None:
    key = house.register()
    house.scan(key)
    released = house.release(key, *CHECKED)
    undone = house.school.ask(c.UndoRelease(release=str(released.entry), by=house.school.number("赵师傅")))
    assert undone.decision.outcome == "granted"
    assert house.school.custodian("王小明") == "张老师"
    house.school.at("15:36")
    assert said(house.scan(key)) == ("ask_guard", "pass_present")
    assert said(house.release(key, *CHECKED)) == ("granted", "collected")


def test_a_pass_of_a_day_is_known_after_every_restart(house: Gatehouse) -> None:
    key = house.register(for_day="2026-11-24")
    house.school.day = "2026-11-24"
    house.school.clock.set(house.school.ms("07:40"))
    house.school.restart()
    house.school.tap("王小明", "east-in")
    house.school.at("15:35")
    assert said(house.scan(key)) == ("ask_guard", "pass_present")


def test_a_network_scanner_that_asks_again_gets_the_same_answer_and_bystanders_the_same_screen(house: Gatehouse) -> None:
    key = house.register()
    first, again = house.scan(key, nonce="n1"), house.scan(key, nonce="n1")
    assert said(first) == said(again) == ("ask_guard", "pass_present")
    assert first.decision.adult and again.decision.adult
    assert len(house.queue()) == 1
