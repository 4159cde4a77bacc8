"""胁迫密码: a guard who is threatened types another PIN. Nothing at the gate differs; the duty leader knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.credentials import PinDesk, SignInOutcome, hash_pin
from kiosk.directory import load_pin_hashes
from kiosk.importing.command import import_command
from kiosk.importing.planning import plan_import
from tests.web.gate_online import DURESS_PIN, PIN, Online, online, wait_for

PEPPER = bytes(32)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path) as gate:
        gate.school.tap("王小明", "east-in")
        gate.school.at("15:35")
        yield gate


def alarms(here: Online) -> list[str]:
    return [case.kind for case in here.school.duty().cases]


def press_release(client: httpx.Client, **more: str) -> dict[str, Any]:
    body = {"children": [1], "collector": 201, "access_point": "east-out", "verified": ["photo"], **more}
    told: dict[str, Any] = client.post("/act/release", json=body).json()
    return told


def test_signing_in_with_it_looks_like_any_sign_in_and_calls_for_help(here: Online) -> None:
    answers = []
    for pin in (PIN, DURESS_PIN):
        answer = here.client().post("/sign-in", json={"staff_number": "G1", "pin": pin})
        said = {**answer.json(), "csrf": ""}
        kept = {name: value for name, value in answer.headers.items() if name not in ("date", "set-cookie")}
        answers.append((answer.status_code, said, kept, sorted(answer.cookies)))
    assert answers[0] == answers[1]
    wait_for(lambda: here.school.entries("duress"))
    (entry,) = here.school.entries("duress")
    assert (entry.body["staff"], entry.body["alarm"]) == (here.school.number("赵师傅"), "duress")
    assert len(here.school.entries("staff_signed_in")) == 2
    (case,) = here.school.duty().cases
    assert case.kind == "duress" and "赵师傅" in case.detail


def test_every_page_and_every_release_is_as_always_and_the_record_is_marked(here: Online) -> None:
    calm, forced = here.as_staff("G2"), here.as_staff("G1", DURESS_PIN)
    here.tap("王妈妈", "east-out")
    first, second = (client.get("/guard/east").text for client in (calm, forced))
    for name in ("赵师傅", "钱师傅"):
        first, second = first.replace(name, "门卫"), second.replace(name, "门卫")
    assert len(first) == len(second)
    said = press_release(forced)
    assert (said["outcome"], said["reason"]) == ("granted", "collected") and "duress" not in str(said)
    body = here.school.entries("released")[-1].body
    assert (body["flag"], body["alarm"]) == ("duress", "duress")
    about = [case.line.name for case in here.school.duty().cases if case.line]
    assert about == ["王小明"], "the duty leader sees which child it is about"


def test_a_release_in_a_calm_session_carries_no_mark(here: Online) -> None:
    press_release(here.as_staff("G1"))
    assert "flag" not in here.school.entries("released")[-1].body


def test_a_second_person_may_type_it_too(here: Online) -> None:
    here.school.clock.distrust("no time server")
    body = {"second_staff_number": "L1", "second_pin": DURESS_PIN}
    client = here.as_staff("G1")
    answer = client.post(
        "/act/release",
        json={"children": [1], "collector": 201, "access_point": "east-out", "verified": ["photo", "id_seen"], **body},
    ).json()
    assert answer["outcome"] == "granted"
    wait_for(lambda: here.school.entries("duress"))
    assert here.school.entries("duress")[-1].body["staff"] == here.school.number("孙主任")
    assert here.school.entries("duress")[-1].body["access_point"] == "east-out"
    assert here.school.entries("released")[-1].body["flag"] == "duress"


@pytest.mark.parametrize("act", ["let_go", "release_exceptionally"])
def test_other_ways_to_let_a_child_go_are_marked_too(here: Online, act: str) -> None:
    here.school.tap("韩梅", "east-in")
    here.school.at("17:40")
    guard = here.as_staff("G1", DURESS_PIN)
    body: dict[str, Any] = {"child": 4, "access_point": "east-out"}
    if act == "release_exceptionally":
        body |= {
            "name": "姑姑", "id_last4": "4321", "reason": "急事", "verified": ["call_back", "child_recognises"],
            "second_staff_number": "L1", "second_pin": PIN,
        }  # fmt: skip
    assert guard.post(f"/act/{act}", json=body).json()["outcome"] == "granted"
    assert here.school.entries("released")[-1].body["flag"] == "duress"


def test_the_case_stays_open_until_the_duty_leader_closes_it_also_after_a_restart(here: Online) -> None:
    here.as_staff("G1", DURESS_PIN)
    wait_for(lambda: here.school.entries("duress"))
    leader = here.as_staff("L1")
    assert leader.post("/act/clear_campus", json={}).json()["outcome"] == "refused"
    (case,) = here.school.duty().cases
    assert leader.post("/act/close_case", json={"case": case.case, "note": "误按，已当面核实"}).json()["outcome"] == "granted"
    assert alarms(here) == []


# --- the PINs themselves ----------------------------------------------------------------------------------


def test_both_hashes_are_tried_whatever_was_typed(tmp_path: Path) -> None:
    desk = PinDesk(tmp_path / "credentials.db", PEPPER)
    pin, duress = hash_pin("135790", PEPPER), hash_pin("246802", PEPPER)
    calm = desk.attempt("G1", "135790", pin, 0, duress_hash=duress)
    forced = desk.attempt("G1", "246802", pin, 0, duress_hash=duress)
    wrong = desk.attempt("G1", "000000", pin, 0, duress_hash=duress)
    assert (calm.outcome, calm.duress) == (SignInOutcome.OK, False)
    assert (forced.outcome, forced.duress) == (SignInOutcome.OK, True)
    assert (wrong.outcome, wrong.duress) == (SignInOutcome.WRONG, False)


def test_a_staff_number_without_a_pin_is_not_opened_by_a_duress_pin(tmp_path: Path) -> None:
    desk = PinDesk(tmp_path / "credentials.db", PEPPER)
    assert desk.attempt("G1", "246802", None, 0, duress_hash=hash_pin("246802", PEPPER)).outcome is SignInOutcome.WRONG
    assert desk.attempt("G2", "000000", hash_pin("1357", PEPPER), 0).outcome is SignInOutcome.WRONG, "the stand-in fits nobody"


HEADER = "工号,姓名,角色,密码,胁迫密码\n"


def staff_list(folder: Path, *rows: str) -> Path:
    path = folder / "教职工.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def imported(folder: Path, *rows: str) -> Path:
    directory = folder / "directory.db"
    result = import_command(
        [staff_list(folder, *rows)], directory, dry_run=False, made_at_ms=0, school_year_start=2026, pepper_path=folder / "pepper"
    )
    assert result.ok, result.text()
    return directory


def test_the_staff_list_sets_it_and_a_list_without_the_column_keeps_it(tmp_path: Path) -> None:
    found = load_pin_hashes(imported(tmp_path, "G1,赵师傅,门卫,135790,246802", "G2,钱师傅,门卫,112233,"))
    assert len(found.pins) == 2 and len(found.duress) == 1
    again = load_pin_hashes(imported(tmp_path, "G1,赵师傅,门卫,135790,", "G2,钱师傅,门卫,112233,998877"))
    assert len(again.duress) == 2 and set(found.duress.items()) <= set(again.duress.items())


def test_whoever_takes_the_old_duress_pin_as_pin_loses_it_as_duress_pin(tmp_path: Path) -> None:
    imported(tmp_path, "G1,赵师傅,门卫,135790,246802")
    assert not load_pin_hashes(imported(tmp_path, "G1,赵师傅,门卫,246802,")).duress


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("G1,赵师傅,门卫,135790,135790", "胁迫密码与密码相同"),
        ("G1,赵师傅,门卫,,246802", "没有填密码"),
        ("G1,赵师傅,门卫,135790,12", "4 至 12 位"),
    ],
)
def test_a_duress_pin_that_cannot_work_is_a_problem_of_the_list(tmp_path: Path, row: str, words: str) -> None:
    plan = plan_import([staff_list(tmp_path, row)], None, school_year_start=2026)
    assert any(words in problem.what.zh for problem in plan.problems)
