"""What people press: typed, checked for session, role and origin, answered in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.web.act_bodies_service import ALL_BODIES as BODIES
from kiosk.web.gate import WebSettings
from tests.support.people import uid_of
from tests.web.gate_online import PIN, Online, online
from tests.web.listening import listening

RELEASE = {"children": [5], "collector": 206, "access_point": "south-out", "verified": ["photo"]}


def test_a_guard_releases_a_child_to_its_mother(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        gate.school.tap("王小明", "east-in")
        gate.school.at("15:35")
        guard = gate.as_staff("G1")
        told = guard.post("/act/release", json={"children": [1], "collector": 201, "access_point": "east-out"}).json()
        assert (told["outcome"], told["reason"]) == ("granted", "collected"), told
        assert told["words"] == "已由接送人接走"
        released = gate.school.entries("released")[-1]
        assert released.body["guard"] == gate.school.number("赵师傅")  # from the session, never from the body
        assert told["entry"]["seq"] == released.seq


def test_a_refused_press_says_why_in_the_language_of_the_page(here: Online) -> None:
    guard = here.as_staff("G1")
    body = {"children": [1], "collector": 201, "access_point": "east-out"}
    assert guard.post("/act/release", json=body).json()["outcome"] == "refused"
    english = guard.post("/act/release?lang=en", json=body).json()
    assert english["words"].isascii()


def test_a_second_person_is_known_by_an_own_pin(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        guard = gate.as_staff("G1")

        def release(number: str, pin: str) -> tuple[int, str]:
            body = {**RELEASE, "second_staff_number": number, "second_pin": pin}
            answer = guard.post("/act/release", json=body)
            return answer.status_code, answer.json().get("error", "")

        assert release("G2", "000000") == (403, "The second person's staff number or PIN is wrong; type them again.")
        assert release("G1", PIN) == (403, "The second person must be somebody else.")
        assert release("O1", PIN) == (403, "The second person must be a guard, a teacher or a duty leader.")
        assert release("T1", PIN)[0] == 200
        for _ in range(5):
            release("L1", "000000")
        assert "locked" in release("L1", PIN)[1]


def test_a_guard_asks_another_gate_for_the_right_to_release(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        gate.school.tap("高个子", "east-in")
        guard, body = gate.as_staff("G1"), {"child": gate.school.number("高个子"), "access_point": "east-out"}
        for _ in range(2):
            told = guard.post("/act/ask_release_right", json=body).json()
            assert told["outcome"] == "granted", told
        assert len(gate.school.entries("release_token_asked")) == 1, "pressed twice, asked once"
        alone = guard.post("/act/let_go", json=body).json()
        assert alone["outcome"] == "refused"


def test_a_teacher_calls_the_roll(here: Online) -> None:
    here.tap("李雷", "east-in")
    teacher = here.as_staff("T5")
    marks = {"3": "present", "4": "absent_unexplained", "5": "leave_sick", "8": "present"}
    told = teacher.post("/act/call_roll", json={"roster": "class:primary-2022-1", "marks": marks}).json()
    assert told["outcome"] == "granted", told
    called = here.school.entries("roll_called")[-1]
    assert called.body["by"] == here.school.number("杨老师")


def test_a_press_that_waited_too_long_on_a_tablet_is_not_carried_out(here: Online) -> None:
    teacher = here.as_staff("T5")
    before = len(here.school.entries("roll_called"))
    now_ms = here.school.clock.now_ms()
    body = {"roster": "class:primary-2022-1", "marks": {"3": "present"}}
    late = teacher.post("/act/call_roll", json={**body, "meant_ms": now_ms - 4 * 3_600_000}).json()
    assert (late["outcome"], late["reason"]) == ("refused", "window_closed")
    assert len(here.school.entries("roll_called")) == before
    assert teacher.post("/act/call_roll", json={**body, "meant_ms": now_ms - 600_000}).json()["outcome"] == "granted"


def test_a_group_is_offered_and_accepted(here: Online) -> None:
    here.tap("欧阳娜", "east-in")
    giver, taker = here.as_staff("T3"), here.as_staff("T13")
    offer = {"kind": "to_extended_care", "children": [6], "taker": 113, "place": "阅览室"}
    offered = giver.post("/act/offer", json=offer).json()
    assert offered["outcome"] == "granted", offered
    entry = offered["entry"]
    handover = f"{entry['node']}/{entry['incarnation']}/{entry['seq']}"
    accepted = taker.post("/act/accept", json={"handover": handover, "counted": 1}).json()
    assert accepted["outcome"] == "granted", accepted
    assert here.school.custodian("欧阳娜") == "吴老师"


def test_only_the_duty_leader_clears_the_campus_and_not_while_a_child_is_there(here: Online) -> None:
    here.tap("高个子", "east-in")
    assert here.as_staff("G1").post("/act/clear_campus", json={}).status_code == 403
    told = here.as_staff("L1").post("/act/clear_campus", json={}).json()
    assert (told["outcome"], told["reason"]) == ("refused", "not_clear")
    assert any(line.startswith("children:") for line in told["detail"]["blockers"])


def test_any_member_of_staff_declares_an_emergency_and_the_leader_ends_it(here: Online) -> None:
    assert here.as_staff("T1").post("/act/emergency", json={"drill": True}).json()["outcome"] == "granted"
    with listening(here.as_staff("G1"), "bar") as page:
        page.wait(1, "bar")
        assert "演练" in page.html()
    assert here.as_staff("T1").post("/act/emergency_end", json={}).status_code == 403
    assert here.as_staff("L1").post("/act/emergency_end", json={}).json()["outcome"] == "granted"


def test_a_lost_card_is_reported_by_its_printed_number(here: Online) -> None:
    printed = str(int(uid_of(10), 16)).rjust(10, "0")
    assert here.as_staff("O1").post("/act/card_lost", json={"uid": printed}).json()["outcome"] == "granted"
    assert here.tap("弟弟", "east-in")["reason"] == "card_lost"


# --- who may press -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BODIES)
def test_nobody_presses_without_a_session(here: Online, name: str) -> None:
    assert here.client().post(f"/act/{name}", json={}).status_code == 401


@pytest.mark.parametrize("name", BODIES)
def test_a_press_without_the_pages_token_is_refused(here: Online, name: str) -> None:
    leader = here.as_staff("L1")
    for token in (b"", b"wrong", "令牌".encode()):
        answer = leader.post(f"/act/{name}", json={}, headers={b"x-csrf-token": token})
        assert answer.status_code == 403
        assert "X-CSRF-Token" in answer.json()["error"]


def test_an_inspector_presses_nothing(here: Online) -> None:
    inspector = here.as_staff("D1")
    assert {inspector.post(f"/act/{name}", json={}).status_code for name in BODIES} == {403}


def test_only_json_is_taken(here: Online) -> None:
    answer = here.as_staff("L1").post("/act/clear_campus", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


# --- the gate's own screen -----------------------------------------------------------------------------


def test_a_pupil_without_a_card_names_class_and_seat_and_the_guard_confirms(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        guard, screen = gate.as_staff("G1"), gate.client()
        claim = {"access_point": "east-in", "class_id": "primary-2022-1", "seat": 1}
        with listening(guard, "guard:east") as page:
            page.wait(1, "patch")
            shown = screen.post("/act/seat_claim", json=claim).json()
            assert shown["outcome"] == "ask_guard"
            assert "reason" not in shown  # bystanders read this screen
            page.wait(2, "patch")
            assert "/snapshot/" in page.html()
        claimed = gate.school.entries("identity_claimed")[-1]
        assert claimed.body["snapshot"] in gate.pictures.snapshots
        told = guard.post("/act/confirm_identity", json={"claim": str(claimed.id), "same_person": True}).json()
        assert told["outcome"] == "granted", told
        assert gate.school.child("李雷").hold.live


def test_a_screen_cannot_fill_the_guards_list(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        screen = gate.client()
        claim = {"access_point": "east-in", "class_id": "primary-2022-1", "seat": 1}
        answers = [screen.post("/act/seat_claim", json=claim) for _ in range(8)]
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) > 0


def test_a_card_typed_by_a_reader_is_answered_in_public_words(here: Online) -> None:
    typed = {"access_point": "east-in", "scheme": "number", "value": str(int(uid_of(9), 16)).rjust(10, "0")}
    shown = here.client().post("/wedge/east-in", json=typed).json()
    assert (shown["state"], shown["name"]) == ("granted", "小*妹")
    assert "reason" not in shown
    staff = here.as_staff("G1").post("/wedge/east-in", json=typed).json()
    assert staff["reason"] == "repeat"


def test_cards_and_seats_are_taken_from_the_gates_own_screens_only(tmp_path: Path) -> None:
    with online(tmp_path, web=WebSettings(public_input_from=("10.9.8.0/24",))) as gate:
        typed, claim = {"value": "0077803409"}, {"access_point": "east-in", "class_id": "primary-2022-1", "seat": 1}
        for path, body in (("/wedge/east-in", typed), ("/act/seat_claim", claim)):
            answer = gate.client().post(path, json=body)
            assert answer.status_code == 403
            assert "public_input_from" in answer.json()["error"]
        assert gate.as_staff("G1").post("/wedge/east-in", json=typed).status_code == 200


def test_a_page_of_another_site_types_no_card(here: Online) -> None:
    headers = {"origin": "http://evil.example"}
    assert here.client().post("/wedge/east-in", json={"value": "1"}, headers=headers).status_code == 403
    as_text = {"content-type": "text/plain"}
    assert here.client().post("/wedge/east-in", content=b'{"value":"1"}', headers=as_text).status_code == 415


def test_a_lane_that_does_not_exist_reads_nothing(here: Online) -> None:
    assert here.client().post("/wedge/nowhere", json={"value": "1234"}).status_code == 404
    claim = {"access_point": "nowhere", "class_id": "primary-2022-1", "seat": 1}
    assert here.client().post("/act/seat_claim", json=claim).status_code == 404
