"""The muster page, the register and the waiting list over HTTP: who opens them, what is pressed, what they never show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.core.roster_safety import WaitingView
from kiosk.journal_lookups import NoteReader
from kiosk.paper import as_text, muster_slip, waiting_slip
from tests.web.gate_online import Online, online

A_PAGE = {"accept": "text/html"}


class Pile:
    """The slips that were handed to the printers."""

    def __init__(self) -> None:
        self.slips: list[str] = []
        self.room = True

    def take(self, view: Any) -> bool:
        slip = waiting_slip if isinstance(view, WaitingView) else muster_slip
        if self.room:
            self.slips.append(as_text(slip(view, columns=48)))
        return self.room


@pytest.fixture(name="pile")
def a_pile_of_slips() -> Pile:
    return Pile()


@pytest.fixture(name="gate")
def a_gate_with_a_printer(tmp_path: Path, pile: Pile) -> Iterator[Online]:
    with online(tmp_path, more=lambda school: {"note": NoteReader(school.state), "print_list": pile.take}) as gate:
        for name in ("王小明", "王小红", "李雷"):
            gate.school.tap(name, "east-in")
        gate.school.at("08:40")
        yield gate


def press(client: httpx.Client, act: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/act/{act}", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def shown(client: httpx.Client, path: str) -> str:
    answer = client.get(path, headers=A_PAGE)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_anybody_on_the_staff_counts_from_any_device_and_everybody_sees_it(gate: Online) -> None:
    leader, guard, teacher, office = map(gate.as_staff, ("L1", "G1", "T1", "O1"))
    assert press(guard, "emergency")["outcome"] == "granted"
    told = press(teacher, "muster", point="操场", children=[1, 2])
    assert told["outcome"] == "granted", told
    for client in (leader, guard, teacher, office):
        page = shown(client, "/muster")
        assert "紧急疏散 · 集合清点" in page and "李雷" in page
        assert 'data-muster="[3]"' in page, "李雷 is the only one still looked for"
    assert press(teacher, "muster", point="操场", children=[2], present=False)["outcome"] == "granted"
    assert press(leader, "emergency_end")["detail"] == {"missing": 2}
    assert "紧急疏散已结束" in shown(office, "/muster")


def test_every_page_of_the_staff_leads_to_the_list_while_an_emergency_runs(gate: Online) -> None:
    guard = gate.as_staff("G1")
    assert 'class="bar-go"' not in shown(guard, "/guard/east")
    press(guard, "emergency", drill=True)
    for client, path in ((guard, "/guard/east"), (gate.as_staff("T1"), "/rosters"), (gate.as_staff("L1"), "/duty")):
        assert '<a class="bar-go" href="/muster">' in shown(client, path)


def test_a_teacher_cannot_end_it_and_a_stranger_sees_nothing(gate: Online) -> None:
    press(gate.as_staff("G1"), "emergency", drill=True)
    assert gate.as_staff("T1").post("/act/emergency_end", json={}).status_code == 403
    stranger = gate.client()
    assert stranger.get("/muster", headers=A_PAGE).status_code in (303, 401)
    assert stranger.get("/api/v1/stream?topic=muster").status_code == 401
    inspector = gate.as_staff("D1")
    assert inspector.get("/muster", headers=A_PAGE).status_code == 403


def test_a_visitor_is_let_in_with_three_facts_and_out_with_one_press(gate: Online) -> None:
    guard = gate.as_staff("G1")
    body = {"gate": "east", "name": "钱工", "purpose": "repair", "id_type": "id_card", "id_last4": "002x", "plate": "津A1"}
    told = press(guard, "visitor_in", **body, host=150)
    assert told["outcome"] == "granted", told
    page = shown(guard, "/register/east")
    assert "钱工" in page and "找 办公室" in page and "身份证 尾号 002X" in page and "津A1" in page
    visit = "{node}/{incarnation}/{seq}".format(**told["entry"])
    assert press(guard, "visitor_out", visit=visit)["outcome"] == "granted"
    after = shown(guard, "/register/east")
    assert "没有访客在校" in after and "08:40 离" in after


def test_the_last_four_are_all_that_is_taken_of_a_document(gate: Online) -> None:
    guard = gate.as_staff("G1")
    body = {"gate": "east", "name": "钱工", "purpose": "repair", "id_type": "id_card", "id_last4": "110101199001010027"}
    assert guard.post("/act/visitor_in", json=body).status_code == 422
    assert "110101199001010027" not in (gate.school.state / "journal.db").read_bytes().decode("latin-1")


def test_a_name_that_was_erased_is_gone_from_the_page_and_the_visit_stays(gate: Online) -> None:
    guard = gate.as_staff("G1")
    press(guard, "visitor_in", gate="east", name="钱工", purpose="repair", id_type="id_card", id_last4="0027")
    digest = gate.school.entries("visitor_in")[-1].body["note"]
    assert gate.school.gate.journal.erase_note(digest)
    page = shown(guard, "/register/east")
    assert "钱工" not in page and "姓名已删除" in page


def test_the_register_is_not_a_teachers_and_looking_at_it_is_on_record(gate: Online) -> None:
    assert gate.as_staff("T1").get("/register/east", headers=A_PAGE).status_code == 403
    assert gate.as_staff("G1").get("/register/nowhere", headers=A_PAGE).status_code == 404
    shown(gate.as_staff("O1"), "/register/east")
    assert ("register", "east") in [(read.what, read.subject) for read in gate.page_reads]


def test_late_pupils_stand_in_the_register_without_being_entered(gate: Online) -> None:
    gate.school.tap("韩梅", "east-in")
    assert "韩梅" in shown(gate.as_staff("G1"), "/register/east")


def test_who_still_waits_is_shown_and_printed_with_whom_to_call(gate: Online, pile: Pile) -> None:
    gate.school.at("15:50")
    guard = gate.as_staff("G1")
    page = shown(guard, "/waiting/east")
    assert "王小明" in page and "尾号 0001" in page and "王爸爸" not in page
    told = press(guard, "print_waiting", gate="east")
    assert (told["outcome"], told["words"]) == ("granted", "已送打印机")
    assert "待接名单 · 东门" in pile.slips[-1]
    assert gate.as_staff("T1").post("/act/print_waiting", json={"gate": "east"}).status_code == 403


def test_the_muster_list_is_printed_again_from_any_device(gate: Online, pile: Pile) -> None:
    teacher = gate.as_staff("T1")
    press(teacher, "emergency", drill=True)
    assert press(teacher, "print_muster")["outcome"] == "granted"
    assert "【演练】集合清点" in pile.slips[-1]
    pile.room = False
    assert press(teacher, "print_muster")["reason"] == "full"
    assert teacher.post("/act/print_muster", json={}, headers={"X-CSRF-Token": "x"}).status_code == 403


def test_without_a_printer_the_page_offers_its_own_print(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        guard = gate.as_staff("G1")
        assert "print_muster" not in shown(guard, "/muster")
        told = press(guard, "print_muster")
        assert (told["outcome"], told["reason"]) == ("refused", "none")
