"""A card for somebody: what is refused and why, what is asked first, and that the list is swapped whole."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from drivers.simulated.bench_rack import BenchRack, RackItem
from drivers.simulated.ntag424 import Ntag424Card
from drivers.simulated.rf_cards import PhoneCard
from drivers.simulated.rf_field import SimulatedField
from kiosk.clock import FixedClock
from kiosk.composition import GateProcess
from kiosk.core.commands import ReportCardLost
from kiosk.directory import load
from kiosk.enrolling import No, Refused, enrol, give_back, looked_at, person_of
from kiosk.settings import load as load_settings
from tests.cards.people_list import LOST, NEW_CARD, cards_of, put_list
from tests.cards.signing import key_of_the_school
from tests.support.people import MADE_AT_MS, uid_of
from tests.support.school import CONFIG
from tests.web.gate_online import wait_for

NOW_MS = MADE_AT_MS + 60_000
TALL, MOTHER, LEI = 7, 201, 3  # 高个子 has no card, 王妈妈 a lost one, 李雷 one


@pytest.fixture(name="state")
def a_list_in_place(tmp_path: Path) -> Path:
    return put_list(tmp_path / "state")


def no(state: Path, uid: str, person: int, **more: Any) -> No:
    before = load(state / "directory.db").number
    with pytest.raises(Refused) as refused:
        enrol(state, uid, person, now_ms=NOW_MS, **more)
    assert load(state / "directory.db").number == before
    return refused.value.no


def test_a_new_card_is_somebodys_in_the_next_list(state: Path) -> None:
    done = enrol(state, NEW_CARD, TALL, now_ms=NOW_MS, kind="m1")
    assert (done.name, done.snapshot, done.stopped) == ("高个子", 2, ())
    directory = load(state / "directory.db")
    assert [(card.holder, card.kind, card.state) for card in directory.cards[NEW_CARD]] == [(TALL, "m1", "active")]


@pytest.mark.parametrize("spelled", ["5630F009", "56 30 f0 09", "1446047753", "5630F009 "])
def test_a_card_is_known_in_every_spelling(state: Path, spelled: str) -> None:
    enrol(state, NEW_CARD, TALL, now_ms=NOW_MS)
    held = looked_at(state, spelled)
    assert (held.uid, held.holder_name) == (NEW_CARD, "高个子")
    assert held.spellings["10D_reversed"] == "0166735958"


def test_a_random_number_is_never_enrolled(state: Path) -> None:
    for text, random in (("08A1B2C3", False), ("DEADBEEF", True)):
        with pytest.raises(Refused) as refused:
            looked_at(state, text, random_uid=random, exact=True)
        assert refused.value.no is No.RANDOM_UID
    assert no(state, "08A1B2C3", TALL) is No.RANDOM_UID


def test_a_card_of_somebody_else_stays_theirs_and_says_whose(state: Path) -> None:
    with pytest.raises(Refused, match="李雷"):
        enrol(state, uid_of(LEI), TALL, now_ms=NOW_MS)


def test_a_lost_card_is_not_enrolled_again(state: Path) -> None:
    assert no(state, LOST, TALL) is No.REPORTED_LOST


def test_a_second_card_is_asked_about_first(state: Path) -> None:
    assert no(state, NEW_CARD, LEI) is No.HAS_A_CARD
    done = enrol(state, NEW_CARD, LEI, now_ms=NOW_MS, replace_others=True)
    assert done.stopped == (uid_of(LEI),)
    assert cards_of(state, LEI) == {NEW_CARD: "active", uid_of(LEI): "returned"}


def test_a_returned_card_may_be_somebody_elses(state: Path) -> None:
    enrol(state, NEW_CARD, LEI, now_ms=NOW_MS, replace_others=True)
    enrol(state, uid_of(LEI), TALL, now_ms=NOW_MS)
    directory = load(state / "directory.db")
    assert {(card.holder, card.state.value) for card in directory.cards[uid_of(LEI)]} == {(LEI, "returned"), (TALL, "active")}


def test_the_same_card_again_says_its_kind_anew(state: Path) -> None:
    enrol(state, uid_of(LEI), LEI, now_ms=NOW_MS, kind="sun")
    assert load(state / "directory.db").cards[uid_of(LEI)][0].kind == "sun"


def test_a_card_that_was_given_back_is_nobodys_and_a_lost_one_stays_lost(state: Path) -> None:
    assert give_back(state, uid_of(LEI), now_ms=NOW_MS).holder_name == "李雷"
    assert cards_of(state, LEI) == {uid_of(LEI): "returned"}
    for uid in (uid_of(LEI), LOST, NEW_CARD):
        with pytest.raises(Refused, match="nobody has this card"):
            give_back(state, uid, now_ms=NOW_MS)


@pytest.mark.parametrize(("key", "number"), [("20260007", 7), ("G1", 130), ("J201", 201), ("T1", 101)])
def test_people_are_named_by_the_schools_own_numbers(state: Path, key: str, number: int) -> None:
    assert person_of(state, key)[0] == number


def test_nobody_is_guessed(state: Path) -> None:
    with pytest.raises(Refused, match="nobody has the number 99"):
        person_of(state, "99")


def test_without_people_the_remedy_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="import them first"):
        looked_at(tmp_path, NEW_CARD)


# --- the command -------------------------------------------------------------------------------------


def kiosk(*arguments: str | Path) -> tuple[int, Any, str]:
    command = [sys.executable, "-m", "kiosk", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def test_the_command_enrols_from_any_reader_by_a_tap(state: Path, tmp_path: Path) -> None:
    with BenchRack([RackItem("scan", "rdm6300")], links_folder=tmp_path) as rack:
        stop = threading.Event()

        def hand() -> None:
            while not stop.wait(0.3):
                rack.devices["scan"].tap("62E3086CED")  # type: ignore[union-attr]

        thread = threading.Thread(target=hand)
        thread.start()
        try:
            code, said, errors = kiosk(
                "enrol", "20260007", "--config", CONFIG, "--state", state, "--reader", rack.urls["scan"], "--json"
            )
        finally:
            stop.set()
            thread.join()
    assert (code, said["card"]["uid"], said["enrolled"]["name"]) == (0, "62E3086CED", "高个子"), errors
    assert said["card"]["spellings"]["8H10D"] == "3808980205"
    assert cards_of(state, TALL) == {"62E3086CED": "active"}


def test_the_command_refuses_a_phone_and_says_why(state: Path) -> None:
    with SimulatedField() as field:
        field.place(PhoneCard())
        code, said, errors = kiosk(
            "enrol", "20260007", "--config", CONFIG, "--state", state, "--reader", f"{field.url}?targets=106A", "--json"
        )
    assert (code, said["refused"]) == (1, "random_uid")
    assert "another one at each tap" in errors


def test_a_signing_card_that_hides_its_uid_is_enrolled_by_what_it_proves(state: Path) -> None:
    with SimulatedField() as field:
        field.place(Ntag424Card("04A1B2C3D4E5F6", key_of_the_school(state), hides_uid=True))
        code, said, errors = kiosk(
            "enrol", "20260007", "--config", CONFIG, "--state", state, "--json", "--reader", f"{field.url}?targets=106A&sun=1",
        )  # fmt: skip
    assert (code, said and said["card"]["uid"]) == (0, "04A1B2C3D4E5F6"), errors
    assert load(state / "directory.db").cards["04A1B2C3D4E5F6"][0].kind == "sun"


def test_the_command_asks_before_it_replaces_and_names_other_holders(state: Path) -> None:
    where = ("--config", CONFIG, "--state", state, "--json")
    code, said, _ = kiosk("enrol", "20260003", "--card", NEW_CARD, *where)
    assert (code, said["refused"]) == (1, "has_a_card")
    code, said, _ = kiosk("enrol", "20260007", "--card", uid_of(LEI), *where)
    assert (code, said["refused"], said["detail"]) == (1, "of_another", "李雷")
    code, said, _ = kiosk("enrol", "20260003", "--card", NEW_CARD, "--replace", *where)
    assert (code, said["enrolled"]["stopped"]) == (0, [uid_of(LEI)])


def test_a_running_gate_takes_the_new_card_by_itself_and_records_that_it_did(state: Path) -> None:
    gate = GateProcess(settings=load_settings(CONFIG), state=state, clock=FixedClock(NOW_MS))
    gate.start()
    try:
        code, said, errors = kiosk("enrol", "20260007", "--card", NEW_CARD, "--config", CONFIG, "--state", state, "--json")
        assert code == 0, errors
        wait_for(lambda: NEW_CARD in gate.controller.world.directory.cards, 30)
        wait_for(lambda: _adopted(gate) == [1, 2], 30)
        assert gate.controller.ask(ReportCardLost(uid=NEW_CARD, by=150)).decision.reason == "done"
        code, said, _ = kiosk("enrol", "20260003", "--card", NEW_CARD, "--config", CONFIG, "--state", state, "--json")
        assert (code, said["refused"]) == (1, "reported_lost")
    finally:
        gate.stop()


def _adopted(gate: GateProcess) -> list[int]:
    time.sleep(0.05)
    return [entry.body["number"] for entry in gate.controller.journal.of_kinds(frozenset({"directory_adopted"}))]


# --- keys --------------------------------------------------------------------------------------------


def test_the_key_of_the_cards_is_made_once_and_each_card_gets_its_own(tmp_path: Path) -> None:
    code, said, _ = kiosk("keys", "sun", "--state", tmp_path, "--json")
    path = Path(said["key"])
    assert (code, path.stat().st_mode & 0o777, len(path.read_text().strip())) == (0, 0o600, 32)
    before = path.read_text()
    code, _, errors = kiosk("keys", "sun", "--state", tmp_path, "--json")
    assert (code, path.read_text()) == (1, before) and "never replaced" in errors
    code, one, _ = kiosk("keys", "sun", "--state", tmp_path, "--card", "04a1b2c3d4e5f6", "--json")
    code, other, _ = kiosk("keys", "sun", "--state", tmp_path, "--card", "04A1B2C3D4E5F7", "--json")
    assert one["meta_read_key"] == other["meta_read_key"] and one["file_read_key"] != other["file_read_key"]
    assert kiosk("keys", "sun", "--state", tmp_path, "--card", "DEADBEEF", "--json")[0] == 1
