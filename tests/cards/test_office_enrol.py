"""登记卡: the office gives a card to somebody from its page, by a tap at a reader that the gate has."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kiosk.web import office_cards
from tests.cards.people_list import NEW_CARD, cards_of, put_list
from tests.support.people import uid_of
from tests.web.gate_online import DEVICE_KEY, Online, online


@pytest.fixture(name="here")
def a_gate_with_a_list(tmp_path: Path) -> Iterator[Online]:
    put_list(tmp_path)
    with online(tmp_path) as here:
        yield here


def text_of(answer: httpx.Response, *, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_a_tap_at_the_chosen_reader_is_shown_and_given_to_a_person(here: Online, tmp_path: Path) -> None:
    office = here.as_staff("O1")
    shown: list[httpx.Response] = []

    def wait() -> None:
        shown.append(office.post("/office/enrol/card", data={"access_point": "east-desk"}, timeout=60))

    waiting = threading.Thread(target=wait)
    waiting.start()
    reader = here.client()
    while waiting.is_alive():  # somebody taps until the page has seen it
        body = {"access_point": "east-desk", "scheme": "uid", "value": NEW_CARD}
        reader.post("/api/v1/reads", json=body, headers={"X-Device-Key": DEVICE_KEY})
        waiting.join(0.1)
    assert NEW_CARD in text_of(shown[0]) and "还没有人用这张卡" in shown[0].text and "0166735958" in shown[0].text
    given = office.post("/office/enrol/give", data={"uid": NEW_CARD, "person": "20260007", "kind": "m1"})
    assert "已登记给 高个子，名单编号 2" in text_of(given)
    assert cards_of(tmp_path, 7) == {NEW_CARD: "active"}


def test_a_typed_number_will_do_and_what_it_may_not_is_said_in_a_sentence(here: Online) -> None:
    office = here.as_staff("O1")
    assert "现在是 李雷 的卡" in text_of(office.post("/office/enrol/card", data={"number": uid_of(3)}))
    assert "不能登记" in text_of(office.post("/office/enrol/card", data={"number": "08A1B2C3"}), status=422)
    taken = office.post("/office/enrol/give", data={"uid": uid_of(3), "person": "20260007"})
    assert "这张卡是 李雷 的" in text_of(taken, status=422)


def test_a_second_card_is_asked_about_on_the_page(here: Online, tmp_path: Path) -> None:
    office = here.as_staff("O1")
    asked = text_of(office.post("/office/enrol/give", data={"uid": NEW_CARD, "person": "20260003"}), status=422)
    assert "李雷 已有卡" in asked and 'name="replace"' in asked
    office.post("/office/enrol/give", data={"uid": NEW_CARD, "person": "20260003", "replace": "1"})
    assert cards_of(tmp_path, 3) == {NEW_CARD: "active", uid_of(3): "returned"}


def test_a_card_is_given_back_on_the_page_and_may_be_somebody_elses(here: Online, tmp_path: Path) -> None:
    office = here.as_staff("O1")
    assert "退卡" in text_of(office.post("/office/enrol/card", data={"number": uid_of(3)}))
    assert "已从 李雷 退卡" in text_of(office.post("/office/enrol/back", data={"uid": uid_of(3)}))
    assert "没有人在用这张卡" in text_of(office.post("/office/enrol/back", data={"uid": uid_of(3)}), status=422)
    office.post("/office/enrol/give", data={"uid": uid_of(3), "person": "20260007"})
    assert (cards_of(tmp_path, 3), cards_of(tmp_path, 7)) == ({uid_of(3): "returned"}, {uid_of(3): "active"})


def test_nobody_taps(here: Online, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office_cards, "TAP_WITHIN_S", 0.1)
    assert "没有等到刷卡" in text_of(here.as_staff("O1").post("/office/enrol/card", data={"access_point": "east-desk"}))


@pytest.mark.parametrize("staff", ["G1", "T1", "L1"])
def test_only_the_office_enrols(here: Online, staff: str) -> None:
    client = here.as_staff(staff)
    assert client.get("/office/enrol").status_code == 403
    assert client.post("/office/enrol/give", data={"uid": NEW_CARD, "person": "20260007"}).status_code == 403


def test_the_pages_token_is_needed(here: Online, tmp_path: Path) -> None:
    office = here.as_staff("O1")
    del office.headers["x-csrf-token"]
    assert office.post("/office/enrol/give", data={"uid": NEW_CARD, "person": "20260007"}).status_code == 403
    assert cards_of(tmp_path, 7) == {}
