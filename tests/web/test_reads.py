"""`POST /api/v1/reads`: what a network reader is answered, and what it is told when it asks wrongly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.people import uid_of
from tests.web.gate_online import DEVICE_KEY, EAST_ONLY_KEY, Online

KEY = {"X-Device-Key": DEVICE_KEY}


def body(**changes: object) -> dict[str, object]:
    return {"access_point": "east-in", "scheme": "uid", "value": uid_of(8), **changes}


def test_a_read_is_answered_with_the_decision_its_entry_and_what_the_screen_shows(here: Online) -> None:
    told = here.client().post("/api/v1/reads", json=body(value=uid_of(3)), headers=KEY).json()
    assert (told["outcome"], told["reason"]) == ("granted", "on_time")
    assert told["display"]["name"] == "李*"
    assert told["display"]["class"] == "五(1)班"
    newest = here.school.entries("arrived")[-1]
    assert told["entry"] == {"node": newest.node, "incarnation": newest.incarnation, "seq": newest.seq}


def test_a_repeat_is_answered_and_records_nothing_new(here: Online) -> None:
    here.tap("韩梅", "east-in")
    told = here.tap("韩梅", "east-in")
    assert told["reason"] == "repeat"
    assert told["entry"] is None


def test_an_unknown_card_is_refused_and_on_record(here: Online) -> None:
    told = here.client().post("/api/v1/reads", json=body(value="DEADBEEF"), headers=KEY).json()
    assert (told["outcome"], told["reason"]) == ("refused", "unknown_credential")
    assert told["entry"] is not None


def test_the_same_card_under_another_spelling_is_the_same_child(here: Online) -> None:
    spelled = str(int(uid_of(5), 16)).rjust(10, "0")
    told = here.client().post("/api/v1/reads", json=body(scheme="number", value=spelled), headers=KEY).json()
    assert told["display"]["name"] == "丁*"


def test_a_phones_random_number_is_nobodys_card(here: Online) -> None:
    told = here.client().post("/api/v1/reads", json=body(value="08ABCDEF"), headers=KEY).json()
    assert told["reason"] == "random_uid"


def test_read_at_may_be_a_time_with_its_offset_or_milliseconds(here: Online) -> None:
    for at in ("2026-11-23T07:40:00+08:00", 1_795_390_800_000):
        assert here.client().post("/api/v1/reads", json=body(read_at=at), headers=KEY).status_code == 200
    answer = here.client().post("/api/v1/reads", json=body(read_at="2026-11-23T07:40:00"), headers=KEY)
    assert answer.status_code == 422


@pytest.mark.parametrize("headers", [{}, {"X-Device-Key": "wrong"}, {"X-Device-Key": "x" * 5000}])
def test_without_a_known_key_nothing_is_read(here: Online, headers: dict[str, str]) -> None:
    before = len(here.school.entries())
    answer = here.client().post("/api/v1/reads", json=body(), headers=headers)
    assert answer.status_code == 401
    assert "X-Device-Key" in answer.json()["error"]
    assert len(here.school.entries()) == before


def test_a_key_for_one_lane_does_not_read_for_another(here: Online) -> None:
    lane = {"X-Device-Key": EAST_ONLY_KEY}
    assert here.client().post("/api/v1/reads", json=body(), headers=lane).status_code == 200
    other = here.client().post("/api/v1/reads", json=body(access_point="south-in"), headers=lane)
    assert other.status_code == 403
    assert "south-in" in other.json()["error"]


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"", 422, "not valid JSON"),
        (b"{", 422, "not valid JSON"),
        (b"\xff\xfe", 422, "not valid JSON"),
        (b"[]", 422, "does not fit"),
        (b"null", 422, "does not fit"),
        (b'{"access_point":"east-in","scheme":"uid"}', 422, "`value`"),
        (b'{"access_point":"east-in","scheme":"uid","value":7}', 422, "`$.value`"),
        (b'{"access_point":"east-in","scheme":"telepathy","value":"1"}', 422, "`$.scheme`"),
        (b'{"access_point":"east-in","scheme":"uid","value":"1","colour":1}', 422, "colour"),
        (b'{"access_point":"nowhere","scheme":"uid","value":"1"}', 404, "nowhere"),
        (b'{"access_point":"east-in","scheme":"uid","value":"' + b"1" * 20_000 + b'"}', 413, "16 KiB"),
        (b'{"access_point":"east-in","scheme":"uid","value":"' + b"1" * 600 + b'"}', 422, "512"),
    ],
)
def test_a_wrong_read_gets_one_clear_sentence(here: Online, sent: bytes, status: int, says: str) -> None:
    answer = here.client().post("/api/v1/reads", content=sent, headers=KEY)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert says in answer.json()["error"]


def test_another_method_is_told_which_one_to_use(here: Online) -> None:
    answer = here.client().get("/api/v1/reads", headers=KEY)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_rush_of_readers_is_answered_each_with_its_own_child(here: Online) -> None:
    names = {1: "王*明", 2: "王*红", 6: "欧阳*", 7: "高*子", 9: "小*妹", 10: "弟*"}

    def one(number: int) -> tuple[int, str]:
        client = here.client()
        shown = [client.post("/api/v1/reads", json=body(value=uid_of(number)), headers=KEY).json() for _ in range(5)]
        return number, {each["display"]["name"] for each in shown}.pop()

    with ThreadPoolExecutor(len(names)) as pool:
        assert dict(pool.map(one, names)) == names


def test_health_and_metrics_say_how_this_gate_is_and_name_nobody(here: Online) -> None:
    health = here.client().get("/healthz").json()
    assert health["ok"] is True
    assert health["node"] == "east"
    metrics = here.client().get("/metrics").text
    assert 'kiosk_reads_total{outcome="granted"}' in metrics
    assert "kiosk_entries_unsent 0.0" in metrics
    assert "王" not in metrics


def test_the_description_has_the_raw_routes_and_their_bodies(here: Online) -> None:
    document = here.client().get("/openapi.json").json()
    assert {"/api/v1/reads", "/api/v1/stream", "/live", "/healthz", "/metrics", "/act/release"} <= set(document["paths"])
    read = document["components"]["schemas"]["ReadBody"]
    assert set(read["required"]) == {"access_point", "scheme", "value"}
