"""Arriving: on time, late, early, twice, without a card, on a day without school."""

from __future__ import annotations

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from tests.support.people import uid_of
from tests.support.school import School


def test_a_pupil_who_taps_in_time_is_in_the_custody_of_the_class_teacher(school):
    answer = school.tap("王小明", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "on_time")
    assert school.custodian("王小明") == "张老师"


def test_a_child_who_taps_after_the_bell_is_let_in_and_marked_late(school):
    answer = school.at("08:31").tap("王小明", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "late")


def test_a_clock_that_was_just_set_right_judges_nobody_by_the_day_that_it_came_from(school):
    school.clock.distrust("ahead_of_records")
    school.clock.advance(365 * 86_400_000)
    school.restart()
    school.clock.distrust("")
    school.clock.set(school.ms("08:45"))
    assert school.tap("王小明", "east-in").decision.reason == "recorded"  # no tick has turned the page yet
    school.ask(c.Tick())
    assert school.tap("王小红", "east-in").decision.reason == "late"


def test_a_doubted_clock_knows_no_day_without_school_either(school):
    school.clock.distrust("ahead_of_records")
    school.clock.set(school.ms("08:45") + 5 * 86_400_000)  # a Saturday
    school.restart()
    assert school.tap("王小明", "east-in").decision.reason == "recorded"
    assert school.custodian("王小明") == "张老师"


@pytest.mark.row("A14", "luoyang")
def test_a14_a_child_who_comes_before_the_gate_opens_is_taken_in_by_the_early_teacher(tmp_path):
    school = School(tmp_path, at="07:05")
    answer = school.tap("王小明", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "early_arrival")
    assert school.custodian("王小明") == "早班老师"
    school.close()


def test_tapping_twice_within_five_seconds_says_recorded_already_and_writes_nothing(school):
    school.tap("王小明", "east-in")
    again = school.tap("王小明", "east-in-2")
    assert (again.decision.reason, again.entry) == ("repeat", None)
    assert len(school.entries("arrived")) == 1


def test_a_card_tapped_in_again_later_is_let_in_and_flagged(school):
    school.tap("王小明", "east-in")
    again = school.at("07:50").tap("王小明", "east-in")
    assert (again.decision.outcome, again.decision.reason) == ("granted", "already_in")
    assert school.child("王小明").flags == ("already_in",)


def test_in_and_out_within_a_minute_is_kept_and_flagged(school):
    school.at("18:40").tap("李雷", "south-in")
    school.at("18:40:30").tap("李雷", "south-out")
    assert "out_after_in" in school.child("李雷").flags


def test_an_unknown_card_is_refused_with_only_its_tail_on_record(school):
    answer = school.tap_card("DEADBEEF", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("refused", "unknown_credential")
    (entry,) = school.entries("read_refused")
    assert entry.body["tail"] == "BEEF" and "DEADBEEF" not in str(entry.body)


def test_a_phone_with_a_random_number_is_never_looked_up(school):
    assert school.tap_card("08ABCDEF", "east-in", random_uid=True).decision.reason == "random_uid"


def test_a_lost_card_found_in_use_is_refused_and_alarms(school):
    school.ask(c.ReportCardLost(uid=uid_of(1), by=school.number("张老师")))
    answer = school.tap("王小明", "east-in")
    assert (answer.decision.reason, answer.decision.alarm) == ("card_lost", True)
    assert school.restart().tap("王小明", "east-in").decision.reason == "card_lost"


def test_the_printed_decimal_number_of_a_card_finds_its_child(school):
    decimal = f"{int(uid_of(2), 16):010d}"
    assert school.tap_card(decimal, "east-in", scheme="number").decision.child == 2


def test_a_number_that_fits_two_cards_is_left_to_a_person(school):
    known = school.gate.world.cards
    one = uid_of(2)
    twin = bytes.fromhex(one)[::-1].hex().upper()
    directory = school.directory
    cards = {**directory.cards, twin: directory.cards[uid_of(3)]}
    from dataclasses import replace

    school.ask(c.AdoptDirectory(directory=replace(directory, number=2, cards=cards), digest="d"))
    assert known is not school.gate.world.cards
    answer = school.tap_card(f"{int(one, 16):010d}", "east-in", scheme="number")
    assert (answer.decision.outcome, answer.decision.reason) == ("ask_guard", "ambiguous_credential")


def test_a_holiday_tap_is_kept_and_nobody_is_absent(tmp_path):
    school = School(tmp_path, day="2026-10-07", at="08:00")
    answer = school.tap("王小明", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "non_service_day")
    assert school.custodian("王小明") == "孙主任", "somebody answers for the child even on a holiday"
    assert school.duty().expected_today == 0
    school.close()


def test_no_lateness_is_judged_while_the_clock_is_not_trusted(school):
    school.at("08:50").clock.distrust("the year is 1970")
    assert school.tap("王小明", "east-in").decision.reason == "recorded"
    assert school.entries("arrived")[0].clock == "untrusted"


def test_a_pupil_without_a_card_names_class_and_seat_and_the_guard_confirms_by_the_photo(school):
    claim = school.ask(c.ClaimSeat(access_point="east-in", class_id="primary-2026-1", seat=1, snapshot="20261123-" + "a" * 32))
    assert claim.decision.outcome == "ask_guard"
    assert school.custodian("王小明") == "", "nothing happens before the guard has looked"
    (item,) = school.look(r.GuardQuery("east")).queue
    assert (item.kind, item.name, item.snapshot) == ("claim", "王小明", "20261123-" + "a" * 32)
    done = school.ask(c.ConfirmIdentity(claim=item.id, by=school.number("赵师傅")))
    assert done.decision.reason == "on_time"
    assert school.custodian("王小明") == "张老师"
    assert school.look(r.GuardQuery("east")).queue == ()


def test_a_claim_that_the_guard_does_not_believe_changes_nothing_but_the_queue(school):
    claim = school.ask(c.ClaimSeat(access_point="east-in", class_id="primary-2026-1", seat=1))
    school.ask(c.ConfirmIdentity(claim=str(claim.entry), by=school.number("赵师傅"), same_person=False))
    assert school.custodian("王小明") == "" and school.look(r.GuardQuery("east")).queue == ()


def test_a_picture_without_consent_is_not_named_in_the_record(school):
    from dataclasses import replace

    pupils = {**school.directory.pupils, 1: replace(school.directory.pupils[1], consents=frozenset())}
    school.ask(c.AdoptDirectory(directory=replace(school.directory, number=2, pupils=pupils), digest="d"))
    school.tap_card(uid_of(1), "east-in", snapshot="20261123-" + "b" * 32)
    assert "snapshot" not in school.entries("arrived")[0].body


def test_a_clock_that_loses_and_regains_trust_is_recorded_once_each_way(school):
    school.clock.distrust("stepped")
    school.ask(c.Tick())
    school.ask(c.Tick())
    school.clock.set(school.ms("08:00"))
    school.clock.distrust("")
    school.ask(c.Tick())
    assert [e.kind for e in school.entries() if e.kind.startswith("clock")] == ["clock_stepped", "clock_fixed"]


def test_a_lane_whose_only_reader_is_dead_says_so(school):
    school.gate.world.readers = {"east-in": ("nfc-1",)}
    school.ask(c.DeviceChanged(device="nfc-1", health="down", why="unplugged"))
    assert school.look(r.DisplayQuery("east-in")).out_of_order
    assert not school.look(r.DisplayQuery("south-in")).out_of_order


def test_a_network_reader_that_asks_again_with_the_same_nonce_gets_the_same_answer_and_no_second_record(school):
    first = school.tap_card(uid_of(1), "east-in", nonce="n1")
    school.at("07:55")
    again = school.tap_card(uid_of(1), "east-in", nonce="n1")
    assert (again.decision.outcome, again.decision.reason, again.decision.child) == ("granted", "on_time", 1)
    assert first.entry is not None and again.entry is None and not again.decision.open_door
    assert school.restart().tap_card(uid_of(1), "east-in", nonce="n1").decision.reason == "on_time"
    assert len(school.entries("arrived")) == 1 and school.child("王小明").flags == ()
    assert school.tap_card(uid_of(1), "east-in", nonce="n2").decision.reason == "already_in"


def test_a_refusal_is_repeated_as_a_refusal(school):
    school.tap("王小明", "east-in")
    for _ in range(2):
        answer = school.at("15:35").tap_card(uid_of(1), "east-out", nonce="n9")
        assert (answer.decision.outcome, answer.decision.reason) == ("refused", "needs_adult")
    assert len(school.entries("read_refused")) == 1
