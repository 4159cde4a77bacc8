"""The school server's other doors: enrolment, the read API, the status page."""

from __future__ import annotations

from typing import Any

import pytest

from sync_agent import protocol
from sync_agent.keys import signing_key
from tests.support.sync_requests import post, sentence
from tests.support.sync_world import CODE, SCHOOL, SERVER_KEY, TOKEN, SyncWorld

KEY = signing_key(b"k" * 32)


def wish(**changes: str) -> dict[str, str]:
    return {"node": "east", "public_key": KEY.public_hex, "code": CODE} | changes


def test_a_node_enrols_with_the_code_and_learns_the_servers_key(world: SyncWorld) -> None:
    answer = post(world, wish(), protocol.ENROL_PATH)
    assert answer.json() == {"school": SCHOOL, "node": "east", "office": False, "server_key": SERVER_KEY.public_hex}
    assert post(world, wish(), protocol.ENROL_PATH).status_code == 200  # once more is fine
    sentence(post(world, wish(public_key="0" * 64), protocol.ENROL_PATH), status=409, error="other_key")


@pytest.mark.parametrize("changes", [{"node": "a b"}, {"public_key": "xyz"}, {"public_key": KEY.public_hex + "\n"}, {"code": 5}])
def test_a_wrong_enrolment_is_refused(world: SyncWorld, changes: dict[str, Any]) -> None:
    sentence(post(world, wish(**changes), protocol.ENROL_PATH), status=400, error="malformed")


def test_wrong_codes_are_counted_and_slowed_down(world: SyncWorld) -> None:
    for _ in range(10):
        sentence(post(world, wish(code="guess"), protocol.ENROL_PATH), status=403, error="wrong_code")
    answer = post(world, wish(), protocol.ENROL_PATH)
    sentence(answer, status=429, error="too_many_tries")
    assert answer.headers["Retry-After"] == "60"
    world.clock.seconds += 61
    assert post(world, wish(), protocol.ENROL_PATH).status_code == 200


def test_the_read_api_gives_every_entry_once_in_pages(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(24)
    world.run(gate.drain())
    got: list[int] = []
    after, more = 0, True
    while more:
        page = world.ask("GET", f"/api/v1/entries?after={after}&limit=10", headers={"Authorization": f"Bearer {TOKEN}"}).json()
        got += [item["entry"]["seq"] for item in page["entries"]]
        after, more = page["next"], page["more"]
    assert got == list(range(1, 26))


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", "Bearer \xff"])
def test_the_read_api_is_shut_without_its_token(world: SyncWorld, authorization: str) -> None:
    headers = {"Authorization": authorization.encode("latin-1")}
    sentence(world.ask("GET", "/api/v1/entries", headers=headers), status=401, error="bad_token")


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=x", "limit=1e3"])
def test_a_wrong_question_to_the_read_api_is_refused(world: SyncWorld, query: str) -> None:
    answer = world.ask("GET", f"/api/v1/entries?{query}", headers={"Authorization": f"Bearer {TOKEN}"})
    sentence(answer, status=400, error="malformed")


def test_the_status_page_and_its_json_show_what_a_person_must_look_at(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(3)
    gate.journal.spoil(3, b"<script>alert(1)</script>")
    world.run(gate.drain())
    page = world.ask("GET", "/").text
    assert "需要人工查看" in page and f"south/{gate.journal.incarnation}/3" in page
    assert "<script>" not in page
    status = world.ask("GET", protocol.STATUS_PATH).json()
    assert (status["entries"], status["quarantined"], status["forks"], status["versions"]) == (4, 1, 0, [1])
    assert status["nodes"][0]["last_contact_ms"] == world.clock.now_ms()
    assert world.ask("GET", "/healthz").json() == {"ok": True}


def test_a_page_with_nothing_to_look_at_says_that_all_is_well(world: SyncWorld) -> None:
    assert "一切正常" in world.ask("GET", "/").text
