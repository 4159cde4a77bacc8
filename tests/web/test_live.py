"""The live line: who may watch what, what arrives, that it is the same bytes for all, and how a page comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.gate_online import DEVICE_KEY, Online, online
from tests.web.listening import listening


def test_a_tap_changes_one_row_of_an_open_roster(tmp_path: Path) -> None:
    with online(tmp_path) as gate, listening(gate.as_staff("T5"), "roster:class:primary-2022-1", "bar") as page:
        whole = page.wait(1, "patch")[0]
        assert {"row-3", "row-4", "row-5", "row-8"} <= {piece["id"] for piece in whole.data}
        gate.tap("李雷", "east-in")
        news = page.wait(2, "patch")[1]
        rows = [piece["id"] for piece in news.data if piece["id"].startswith("row-")]
        assert rows == ["row-3"]


def test_everybody_gets_the_same_bytes(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        first, second = gate.as_staff("T5"), gate.as_staff("L1")
        topic = "roster:class:primary-2022-1"
        with listening(first, topic) as one, listening(second, topic) as other:
            one.wait(1, "patch")
            other.wait(1, "patch")
            gate.tap("韩梅", "east-in")
            assert one.wait(2, "patch")[1].raw == other.wait(2, "patch")[1].raw


def test_a_page_gets_its_own_language(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        chinese, english = gate.as_staff("L1"), gate.as_staff("L1")
        english.cookies.set("lang", "en")
        with listening(chinese, "bar") as one, listening(english, "bar") as other:
            one.wait(1, "bar")
            other.wait(1, "bar")
            assert "名单" in one.html()
            assert "List" in other.html()


def test_the_gates_answer_reaches_its_screen_and_no_other(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        nobody = gate.client()
        with listening(nobody, "display:east-in") as here, listening(nobody, "display:south-in") as there:
            gate.tap("李雷", "east-in")
            shown = here.wait(1, "answer")[0].data
            assert (shown["state"], shown["name"], shown["class"]) == ("granted", "李*", "五(1)班")
            gate.tap("韩梅", "south-in")
            assert there.wait(1, "answer")[0].data["name"] == "韩*"
            assert len(here.named("answer")) == 1


def test_a_refused_pickup_is_never_told_to_the_public_screen(tmp_path: Path) -> None:
    with online(tmp_path, at="15:35") as gate:
        guard = gate.as_staff("G1")
        with listening(gate.client(), "display:east-out") as screen:
            refusal = {"children": [1], "collector": 202, "access_point": "east-out", "reason": "collector_restricted"}
            assert guard.post("/act/refuse", json=refusal).json()["outcome"] == "granted"
            gate.tap("李雷", "east-in")
            with listening(gate.client(), "display:east-in") as other:
                gate.tap("韩梅", "east-in")
                other.wait(1, "answer")
            assert screen.named("answer") == []


def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        teacher, topic = gate.as_staff("T5"), "roster:class:primary-2022-1"
        with listening(teacher, topic) as page:
            page.wait(1, "patch")
            gate.tap("李雷", "east-in")
            last = page.wait(2, "patch")[-1]
        gate.tap("韩梅", "east-in")
        with listening(teacher, topic, **{"last-event-id": last.id}) as again:
            missed = again.wait(1, "patch")[0]
            assert [piece["id"] for piece in missed.data if piece["id"].startswith("row-")] == ["row-4"]
            assert missed.id != last.id


@pytest.mark.parametrize("lost", ["", "nonsense", "00000000-3", "00000000-99999999999999999999", "-", "\u00b2"])
def test_a_page_whose_place_is_not_known_starts_from_a_snapshot(here: Online, lost: str) -> None:
    headers = {"last-event-id": lost} if lost.isascii() else {}
    with listening(here.as_staff("T5"), "roster:class:primary-2022-1", **headers) as page:
        assert len(page.wait(1, "patch")[0].data) > 5


def test_a_screen_that_comes_back_late_does_not_show_an_old_answer(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        with listening(gate.client(), "display:east-in") as screen:
            before = screen.wait(1, "patch")[0].id
            gate.tap("李雷", "east-in")
            screen.wait(1, "answer")
        with listening(gate.client(), "display:east-in", **{"last-event-id": before}) as soon:
            assert soon.wait(1, "answer")[0].data["name"] == "李*"  # within the time that it is shown
        with listening(gate.client(), "display:east-in") as new:
            new.wait(1, "patch")
            assert new.named("answer") == []


def test_a_list_of_rosters_keeps_ones_own_first(here: Online) -> None:
    with listening(here.as_staff("T5"), "rosters") as page:
        page.wait(1, "patch")
        html = page.html()
        assert html.index("五(1)班") < html.index("一(1)班")


def test_signing_out_ends_the_pages_that_are_open(here: Online) -> None:
    client = here.as_staff("G1")
    with listening(client, "guard:east", "bar") as page:
        page.wait(1, "patch")
        client.post("/sign-out")
        page.wait(1, "signed_out")


@pytest.mark.parametrize(
    ("staff", "topic", "status"),
    [
        ("", "display:east-in", 200),
        ("", "bar", 401),
        ("", "guard:east", 401),
        ("", "answers", 401),
        ("G1", "guard:east", 200),
        ("G1", "duty", 403),
        ("G1", "roster:class:primary-2022-1", 403),
        ("T1", "roster:session:S1", 200),
        ("T1", "guard:east", 403),
        ("O1", "duty", 200),
        ("T1", "roster:class:nowhere", 404),
        ("T1", "roster:", 404),
        ("", "display:nowhere", 404),
        ("T1", "weather", 404),
    ],
)
def test_each_topic_is_for_those_who_may_see_it(here: Online, staff: str, topic: str, status: int) -> None:
    client = here.as_staff(staff) if staff else here.client()
    with listening(client, topic) as page:
        assert page.status == status


def test_one_forbidden_topic_closes_the_whole_line(here: Online) -> None:
    with listening(here.as_staff("T1"), "bar", "duty") as page:
        assert page.status == 403


def test_a_line_watches_a_bounded_number_of_topics(here: Online) -> None:
    answer = here.client().get("/live", params=[("topic", f"display:{n}") for n in range(17)])
    assert answer.status_code == 422
    assert "16" in answer.json()["error"]


def test_an_inspector_sees_the_roster_masked(here: Online) -> None:
    with listening(here.as_staff("D1"), "roster:class:primary-2022-1") as page:
        page.wait(1, "patch")
        assert "李*" in page.html()
        assert "李雷" not in page.html()


def test_a_device_follows_every_public_answer_as_data(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        device = gate.client(**{"X-Device-Key": DEVICE_KEY})
        with listening(device, path="/api/v1/stream") as line:
            gate.tap("李雷", "east-in")
            gate.tap("韩梅", "south-in")
            assert [event.data["name"] for event in line.wait(2, "answer")] == ["李*", "韩*"]
        assert device.get("/api/v1/stream", params={"topic": "duty"}).status_code == 401


def test_a_program_of_the_duty_leader_gets_views_as_data(here: Online) -> None:
    with listening(here.as_staff("L1"), "duty", path="/api/v1/stream") as line:
        shown = line.wait(1, "view")[0].data
        assert shown["topic"] == "duty"
        assert "arrived_today" in shown["view"]


def test_open_pages_do_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    with online(tmp_path) as gate, listening(gate.client(), "display:east-in") as page:
        page.wait(1, "patch")
        gate.server.should_exit = True
        assert page.wait(0, "answer") == []
