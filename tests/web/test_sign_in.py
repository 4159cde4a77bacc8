"""Signing in by number or card and PIN, sessions that end, and roles."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from kiosk.core.commands import AdoptDirectory
from kiosk.web.gate import WebSettings
from tests.support.people import STAFF, small_school, uid_of
from tests.web.gate_online import PIN, Online, online, wait_for


def test_a_form_with_the_right_pin_leads_where_the_person_was_going(here: Online) -> None:
    client = here.client()
    answer = client.post("/sign-in", data={"staff_number": "G1", "pin": PIN, "next": "/guard/east", "csrf": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/guard/east")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert client.get("/guard/east").status_code == 200


def test_a_wrong_pin_and_an_unknown_number_look_the_same(here: Online) -> None:
    client = here.client()
    wrong = client.post("/sign-in", json={"staff_number": "T2", "pin": "000000"})
    nobody = client.post("/sign-in", json={"staff_number": "nobody", "pin": "000000"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json() == nobody.json()
    assert "set-cookie" not in wrong.headers


def test_a_wrong_form_comes_back_with_the_words_for_it(here: Online) -> None:
    answer = here.client().post("/sign-in", data={"staff_number": "T3", "pin": "000000"}, headers={"accept": "text/html"})
    assert answer.status_code == 401
    assert "工号或 PIN 不对" in answer.text
    assert 'value="T3"' in answer.text


def test_five_wrong_pins_lock_the_number_and_the_right_one_no_longer_helps(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        client = gate.client()
        for _ in range(5):
            client.post("/sign-in", json={"staff_number": "T1", "pin": "000000"})
        answer = client.post("/sign-in", json={"staff_number": "T1", "pin": PIN})
        assert answer.status_code == 429
        assert "locked for 15 min" in answer.json()["error"]
        form = client.post("/sign-in", data={"staff_number": "T1", "pin": PIN})
        assert form.status_code == 403
        assert "15 分钟" in form.text
        assert gate.as_staff("T2").get("/rosters").status_code == 200  # only that number is locked


def test_one_browser_cannot_guess_faster_than_the_limit(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        client = gate.client()

        def guess(n: int) -> int:
            return client.post("/sign-in", json={"staff_number": f"X{n}", "pin": "000000"}).status_code

        with ThreadPoolExecutor(20) as all_at_once:  # one after another, a busy machine is slower than the limit
            answers = list(all_at_once.map(guess, range(40)))
        assert set(answers) == {401, 429}
        assert answers.count(401) >= 10


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(here: Online, target: str) -> None:
    answer = here.client().post("/sign-in", data={"staff_number": "T1", "pin": PIN, "next": target})
    assert answer.headers["location"] == "/"


def test_a_page_of_another_site_cannot_sign_anybody_in(here: Online) -> None:
    answer = here.client().post("/sign-in", data={"staff_number": "G1", "pin": PIN}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


def test_a_staff_card_at_the_desk_fills_in_the_number(here: Online) -> None:
    found: list[httpx.Response] = []
    client = here.client()
    waiting = threading.Thread(target=lambda: found.append(client.post("/sign-in/card", json={"access_point": "east-desk"})))
    waiting.start()
    here.tap("张老师", "east-in")  # another reader: not this screen's business

    def tapped() -> bool:
        here.tap("赵师傅", "east-desk")
        waiting.join(timeout=0.05)
        return bool(found)

    wait_for(tapped)
    waiting.join()
    assert found[0].json() == {"staff_number": "G1"}
    assert client.get("/guard/east").status_code == 401  # a card alone signs nobody in


def test_a_typed_staff_card_says_whose_it_is_and_a_childs_does_not(here: Online) -> None:
    client = here.client()
    staff = client.post("/sign-in/card", json={"access_point": "east-desk", "value": uid_of(130)})
    child = client.post("/sign-in/card", json={"access_point": "east-desk", "value": uid_of(1)})
    assert staff.json() == {"staff_number": "G1"}
    assert child.json() == {"staff_number": None}


def test_staff_cards_are_read_at_desks_only(here: Online) -> None:
    answer = here.client().post("/sign-in/card", json={"access_point": "east-in", "value": uid_of(130)})
    assert answer.status_code == 404
    assert "desk" in answer.json()["error"]


def test_signing_out_ends_the_session_for_good(here: Online) -> None:
    client = here.as_staff("T1")
    cookie = client.cookies["kiosk_session"]
    refused = client.post("/sign-out", data={"csrf": "wrong"}, headers={"x-csrf-token": ""})
    assert refused.status_code == 403
    assert client.post("/sign-out").status_code == 303
    assert here.client(cookie=f"kiosk_session={cookie}").get("/rosters").status_code == 401


def test_a_browser_without_a_session_is_sent_to_sign_in_and_back(here: Online) -> None:
    answer = here.client(accept="text/html").get("/roster/class:primary-2024-1?lang=en")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Froster%2Fclass%3Aprimary-2024-1%3Flang%3Den"


def test_an_idle_session_ends_and_the_page_says_so(tmp_path: Path) -> None:
    with online(tmp_path, web=WebSettings(idle_s=0)) as gate:
        client = gate.as_staff("T1")
        assert client.get("/rosters").status_code == 401
        client.headers["accept"] = "text/html"
        client.cookies.set("kiosk_session", "of yesterday")
        sent = client.get("/rosters").headers["location"]
        assert sent == "/sign-in?next=%2Frosters&expired=1"
        assert "已自动退出" in client.get(sent).text


def test_a_role_taken_away_in_the_directory_is_gone_at_once(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        client = gate.as_staff("G1")
        assert client.get("/guard/east").status_code == 200
        fewer = small_school(number=2, staff=tuple(s for s in STAFF if s.staff_number != "G1"))
        gate.school.ask(AdoptDirectory(directory=fewer, digest="d"))
        assert client.get("/guard/east").status_code == 401


PAGES = [
    "/guard/east",
    "/rosters",
    "/roster/class:primary-2024-1",
    "/duty",
    "/search?q=w",
    "/child/1",
    "/office/import",
    "/office/people",
]
MAY = {
    "G1": {"/guard/east", "/search?q=w", "/child/1"},
    "T1": {"/rosters", "/roster/class:primary-2024-1", "/search?q=w", "/child/1"},
    "L1": {"/guard/east", "/rosters", "/roster/class:primary-2024-1", "/duty", "/search?q=w", "/child/1"},
    "O1": {"/duty", "/search?q=w", "/child/1", "/office/import", "/office/people"},
    "D1": {"/rosters", "/roster/class:primary-2024-1", "/duty"},
}


@pytest.mark.parametrize("staff_number", MAY)
def test_every_role_opens_its_own_pages_and_no_others(here: Online, staff_number: str) -> None:
    client = here.as_staff(staff_number)
    opened = {page for page in PAGES if client.get(page).status_code == 200}
    assert opened == MAY[staff_number]
    refused = [client.get(page).status_code for page in PAGES if page not in opened]
    assert set(refused) == {403}


def test_everybody_starts_where_they_work(here: Online) -> None:
    starts = {number: here.as_staff(number).get("/").headers["location"] for number in MAY}
    assert starts == {"G1": "/guard", "T1": "/rosters", "L1": "/duty", "O1": "/office/import", "D1": "/duty"}
    assert here.client().get("/").headers["location"] == "/sign-in"
