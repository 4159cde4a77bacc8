"""Signing cards at the gate: who is believed, who is refused and why, and that a proof counts once, for ever and everywhere."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.sun import SunKeys, link_of
from kiosk.core.card_book import CLONED
from kiosk.core.commands import ClaimSeat, ClearCampus, ConfirmIdentity, PeerEntries, ReportCardLost
from kiosk.core.entries import Sealed, decode
from kiosk.core.roster import GuardQuery
from kiosk.settings import load
from tests.cards.signing import Purse, facts, key_of_the_school, present, signing_school, sun_uid
from tests.support.school import CONFIG, School

OTHER_SCHOOL = SunKeys.from_master(bytes(16))


def alarms(school: School) -> list[str]:
    return [alarm.kind for alarm in school.gate.world.campus.open_alarms()]


# --- who is believed ---------------------------------------------------------------------------------


def test_a_genuine_tap_is_recorded_as_authenticated_with_its_counter_in_the_same_fact(school: School, purse: Purse) -> None:
    answer = purse.tap(school, "李雷", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "on_time")
    [arrived] = facts(school, "arrived")
    assert (arrived["assurance"], arrived["card"], arrived["counter"]) == ("authenticated", sun_uid(3), 1)


def test_a_scanner_that_sends_only_the_link_is_enough(school: School, purse: Purse) -> None:
    answer = school.tap_card(purse.link(school, "李雷"), "east-in", scheme="qr")
    assert answer.decision.child == school.number("李雷")
    assert facts(school, "arrived")[0]["assurance"] == "authenticated"


def test_a_card_that_hides_its_uid_is_known_by_what_it_proves(school: School, purse: Purse) -> None:
    link = purse.link(school, "李雷")
    answer = school.tap_card("08A1B2C3", "east-in", random_uid=True, sun=link)
    assert answer.decision.child == school.number("李雷")


def test_an_ordinary_card_is_recorded_as_a_name_and_no_proof(school: School) -> None:
    school.tap("王小明", "east-in")
    assert [(one["assurance"], "counter" in one) for one in facts(school, "arrived")] == [("uid", False)]


def test_what_the_guard_saw_is_recorded_as_that(school: School) -> None:
    claim = school.ask(ClaimSeat(access_point="east-in", class_id="primary-2026-1", seat=1))
    school.ask(ConfirmIdentity(claim=str(claim.entry), by=school.number("赵师傅")))
    assert facts(school, "arrived")[0]["assurance"] == "staff_sight"


def test_a_member_of_staff_is_proven_too_and_the_counter_is_kept(school: School, purse: Purse) -> None:
    link = purse.link(school, "陈老师")
    assert present(school, "陈老师", link, "east-in").decision.reason == "staff"
    assert present(school, "陈老师", link, "east-in").decision.reason == "card_replayed"


# --- who is not --------------------------------------------------------------------------------------


def test_the_same_proof_twice_is_a_copy_refused_with_its_own_reason_and_an_alarm(school: School, purse: Purse) -> None:
    link = purse.link(school, "李雷")
    assert present(school, "李雷", link, "east-in").decision.outcome == "granted"
    again = present(school, "李雷", link, "east-in").decision
    assert (again.outcome, again.reason, again.alarm, again.open_door) == ("refused", "card_replayed", True, False)
    assert alarms(school) == ["card_replayed"]


def test_an_older_proof_than_the_last_one_is_a_copy(school: School, purse: Purse) -> None:
    kept, used = purse.link(school, "李雷"), purse.link(school, "李雷")
    present(school, "李雷", used, "east-in")
    assert present(school, "李雷", kept, "south-in").decision.reason == "card_replayed"


def test_a_repeat_within_seconds_uses_its_proof_up(school: School, purse: Purse) -> None:
    """The tap records nothing but its counter: otherwise the link of the second tap could be used by somebody else."""
    purse.tap(school, "李雷", "east-in")
    link = purse.link(school, "李雷")
    assert present(school, "李雷", link, "east-in").decision.reason == "repeat"
    assert [one["counter"] for one in facts(school, "card_proven")] == [2]
    assert present(school, "李雷", link, "east-in").decision.reason == "card_replayed"


def test_a_forged_link_is_refused_with_its_own_reason_and_an_alarm(school: School, purse: Purse) -> None:
    answer = present(school, "王妈妈", purse.link(school, "王妈妈", keys=OTHER_SCHOOL), "east-out").decision
    assert (answer.outcome, answer.reason, answer.alarm) == ("refused", "card_forged", True)
    assert alarms(school) == ["card_forged"]
    assert [(one["person"], one["assurance"]) for one in facts(school, "read_refused")] == [(201, "uid")]


def test_a_forged_link_without_a_card_names_nobody(school: School, purse: Purse) -> None:
    answer = school.tap_card(purse.link(school, "王妈妈", keys=OTHER_SCHOOL), "east-out", scheme="number").decision
    assert (answer.reason, answer.person) == ("card_forged", None)


def test_the_link_of_one_card_in_another_is_forged(school: School, purse: Purse) -> None:
    answer = school.tap_card(sun_uid(4), "east-in", sun=purse.link(school, "李雷")).decision
    assert (answer.outcome, answer.reason) == ("refused", "card_forged")


def test_a_hand_that_forges_and_forges_makes_one_alarm_in_a_while(school: School, purse: Purse) -> None:
    for _ in range(5):
        assert (
            present(school, "王妈妈", purse.link(school, "王妈妈", keys=OTHER_SCHOOL), "east-out").decision.outcome == "refused"
        )
    assert alarms(school) == ["card_forged"]


def test_a_lost_card_stays_lost_however_well_it_proves_itself(school: School, purse: Purse) -> None:
    school.ask(ReportCardLost(uid=sun_uid(3), by=school.number("办公室")))
    assert purse.tap(school, "李雷", "east-in").decision.reason == "card_lost"


def test_a_genuine_card_of_nobody_is_unknown(school: School, purse: Purse) -> None:
    link = "https://" + link_of("school.example/t", purse.keys, bytes.fromhex("04AABBCCDDEEFF"), 1)
    assert school.tap_card("04AABBCCDDEEFF", "east-in", sun=link).decision.reason == "unknown_credential"


def test_whoever_holds_a_copied_card_is_not_shown_whom_it_could_collect(school: School, purse: Purse) -> None:
    link = purse.link(school, "王妈妈")
    school.at("15:35")
    present(school, "王妈妈", link, "east-out")
    school.at("15:37")
    present(school, "王妈妈", link, "east-out")
    newest, first = school.look(GuardQuery(gate="east")).queue
    assert (newest.reason, newest.children, newest.assurance) == ("card_replayed", (), "uid")
    assert (first.assurance, len(first.children)) == ("authenticated", 2)


# --- for ever and everywhere -------------------------------------------------------------------------


def test_a_copy_is_still_one_after_a_restart(school: School, purse: Purse) -> None:
    link = purse.link(school, "李雷")
    present(school, "李雷", link, "east-in")
    assert present(school.restart(), "李雷", link, "east-in").decision.reason == "card_replayed"


def test_a_copy_of_yesterday_is_one_today_after_the_close_of_the_day_and_a_restart(school: School, purse: Purse) -> None:
    """The facts of a closed day are not read again at a start: the counters are, in a statement of their own."""
    link = purse.link(school, "陈老师")
    present(school, "陈老师", link, "east-in")
    assert school.at("19:00").ask(ClearCampus(by=school.number("孙主任"))).decision.reason == "done"
    assert [one["counters"] for one in facts(school, "card_counters")] == [[[sun_uid(103), 1]]]
    school.day = "2026-11-24"
    school.at("07:30").restart()
    assert school.gate.world.campus.cards.counters == {sun_uid(103): 1}
    assert present(school, "陈老师", link, "east-in").decision.reason == "card_replayed"
    assert purse.tap(school, "陈老师", "east-in").decision.reason == "staff"


def test_only_counters_that_moved_are_stated_again(school: School, purse: Purse) -> None:
    leader = school.number("孙主任")
    purse.tap(school, "陈老师", "east-in")
    school.at("19:00").ask(ClearCampus(by=leader))
    school.day = "2026-11-24"
    school.at("19:00").ask(ClearCampus(by=leader))
    assert len(facts(school, "card_counters")) == 1


def other_gate(tmp_path: Path) -> School:
    key_of_the_school(tmp_path / "south")
    return School(tmp_path / "south", directory=signing_school(), node="south")


def bring(source: School, to: School) -> None:
    """What the sync agent does: everything that one gate wrote, to the other."""
    rows = source.gate.journal._db.execute("SELECT raw, hash FROM entries ORDER BY boot, seq")
    to.ask(PeerEntries(sealed=tuple(Sealed(decode(bytes(raw)), bytes(raw), bytes(hash_)) for raw, hash_ in rows)))


def test_a_copy_is_refused_at_the_other_gate_once_they_have_met(tmp_path: Path, school: School, purse: Purse) -> None:
    south = other_gate(tmp_path)
    try:
        link = purse.link(school, "李雷")
        present(school, "李雷", link, "east-in")
        bring(school, south)
        assert present(south, "李雷", link, "south-in").decision.reason == "card_replayed"
    finally:
        south.close()


def test_a_copy_that_two_gates_took_while_cut_off_is_a_case_when_they_meet(tmp_path: Path, school: School, purse: Purse) -> None:
    """Hours apart: no way would be too long. But a card never says the same thing twice."""
    south = other_gate(tmp_path)
    try:
        link = purse.link(school, "李雷")
        present(school, "李雷", link, "east-in")
        assert present(south.at("11:00"), "李雷", link, "south-in").decision.outcome == "granted"
        bring(south, school)
        assert CLONED in [one.kind for one in school.gate.world.campus.conflicts()]
        bring(school, south)
        assert south.gate.world.campus.conflicts() == school.gate.world.campus.conflicts()
    finally:
        south.close()


# --- a signing card that shows its number only -------------------------------------------------------


def test_a_signing_card_that_shows_its_number_only_is_let_in_and_flagged(school: School) -> None:
    answer = school.tap_card(sun_uid(3), "east-in").decision
    assert (answer.outcome, answer.reason) == ("granted", "on_time")
    [arrived] = facts(school, "arrived")
    assert (arrived["assurance"], arrived["flag"]) == ("uid", "unproven")
    assert "unproven" in school.child("李雷").flags


def test_a_school_may_have_the_guard_look_before_a_child_leaves_alone_on_such_a_number(tmp_path: Path) -> None:
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, unproven_asks=frozenset({"sun"})))
    purse = Purse(key_of_the_school(tmp_path / "state"))
    strict = School(tmp_path / "state", directory=signing_school(), settings=settings)
    try:
        strict.tap_card(sun_uid(3), "east-in")
        strict.tap_card(sun_uid(4), "east-in")
        strict.at("18:35")
        bare = strict.tap_card(sun_uid(3), "east-out").decision
        assert (bare.outcome, bare.reason) == ("ask_guard", "card_unproven")
        assert strict.tap_card(sun_uid(201), "east-out").decision.reason == "card_unproven"
        assert purse.tap(strict, "韩梅", "south-out").decision.reason == "leaves_alone"
    finally:
        strict.close()


def test_without_a_key_a_signing_card_is_known_by_its_number(tmp_path: Path, purse: Purse) -> None:
    bare = School(tmp_path / "no-key", directory=signing_school())
    try:
        assert present(bare, "李雷", purse.link(bare, "李雷"), "east-in").decision.reason == "on_time"
        assert facts(bare, "arrived")[0]["assurance"] == "uid"
    finally:
        bare.close()


def test_a_key_that_others_may_read_is_not_used_and_the_gate_goes_on(
    tmp_path: Path, purse: Purse, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state" / "keys" / "sun.key").chmod(0o644)
    with caplog.at_level(logging.ERROR):
        open_key = School(tmp_path / "state", directory=signing_school())
    try:
        assert "chmod 600" in caplog.text
        assert open_key.gate.world.sun is None
    finally:
        open_key.close()
