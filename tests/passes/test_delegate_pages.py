"""The page that registers a delegate, the pass that comes of it, and the scanner at the gate: over HTTP, the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.pass_keys import open_signer
from tests.passes.delegation import code_in
from tests.web.gate_online import DEVICE_KEY, Online, online

CHILD = 1  # 王小明


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """Monday, 15:35, a gate that signs passes; 王小明 waits in class."""
    folder = tmp_path_factory.mktemp("gate")
    signer = open_signer(folder / "state", "east")
    with online(folder, more=lambda school: {"sign_pass": signer}) as gate:
        gate.school.tap("王小明", "east-in")
        gate.school.at("15:35")
        yield gate


def form(**changes: Any) -> dict[str, Any]:
    return {
        "child": CHILD, "for_day": "2026-11-23", "gate": "east", "guardian": 201, "relation": "邻居", "name": "林阿姨",
        "id_last4": "123X", "phone": "138 0000 1234", "features": "红色外套", "called_back": True, "adult": True, **changes,
    }  # fmt: skip


def register(teacher: httpx.Client, **changes: Any) -> str:
    answer = teacher.post("/act/register_delegate", json=form(**changes)).json()
    assert answer["outcome"] == "granted", answer
    return str(answer["detail"]["pass_id"])


def scan(here: Online, text: str, point: str = "east-out") -> dict[str, Any]:
    body = {"access_point": point, "scheme": "qr", "value": text}
    answer = here.client().post("/api/v1/reads", json=body, headers={"X-Device-Key": DEVICE_KEY})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_pass_goes_from_the_teachers_form_to_a_picture_to_the_gate_and_opens_it_once(here: Online) -> None:
    teacher, guard = here.as_staff("T1"), here.as_staff("G1")
    page = teacher.get(f"/delegate/{CHILD}")
    assert page.status_code == 200 and "王妈妈" in page.text and "王爸爸" not in page.text
    key = register(teacher)
    shown = teacher.get(f"/delegate/{CHILD}/{key}")
    assert shown.status_code == 200 and "<svg" in shown.text and "林阿姨" in shown.text and "王*明" in shown.text
    picture = teacher.get(f"/delegate/{CHILD}/{key}/png")
    assert picture.headers["content-type"] == "image/png" and "林" not in picture.headers["content-disposition"]
    text = code_in(picture.content)
    assert text.startswith("KP1.")

    told = scan(here, text)
    assert (told["outcome"], told["reason"]) == ("ask_guard", "pass_present")
    assert told["display"]["word"] == "请稍候" and told["display"]["tone"] == "" and told["display"]["name"] == ""
    queue = guard.get("/guard/east").text
    assert key in queue and "林阿姨" in queue and "123X" in queue
    press = {"children": [CHILD], "collector": 0, "pass_id": key, "access_point": "east-out", "verified": ["photo", "id_seen"]}
    assert guard.post("/act/release", json=press).json()["outcome"] == "refused"
    press["verified"] = ["photo", "id_seen", "child_recognises"]
    done = guard.post("/act/release", json=press).json()
    assert (done["outcome"], done["reason"]) == ("granted", "collected")
    assert here.school.entries("released")[-1].body["verified"] == ["child_recognises", "id_seen"]
    assert scan(here, text)["reason"] == "pass_used"
    assert "不能再打开" in teacher.get(f"/delegate/{CHILD}/{key}").text
    assert teacher.get(f"/delegate/{CHILD}/{key}/png").status_code == 404


@pytest.mark.parametrize(("staff", "status"), [("T1", 200), ("L1", 200), ("O1", 200), ("T2", 403), ("G1", 403), ("D1", 403)])
def test_only_those_who_answer_for_the_family_open_the_page(here: Online, staff: str, status: int) -> None:
    assert here.as_staff(staff).get(f"/delegate/{CHILD}").status_code == status


def test_nobody_who_is_not_signed_in_sees_a_pass(here: Online) -> None:
    key = register(here.as_staff("O1"), name="周叔叔")
    for path in (f"/delegate/{CHILD}", f"/delegate/{CHILD}/{key}", f"/delegate/{CHILD}/{key}/png"):
        assert here.client().get(path).status_code == 401


def test_every_look_at_the_page_is_on_record(here: Online) -> None:
    here.page_reads.clear()
    here.as_staff("O1").get(f"/delegate/{CHILD}")
    assert [(read.what, read.subject) for read in here.page_reads] == [("delegate", str(CHILD))]


def test_a_strange_child_pass_or_ending_is_one_clear_sentence(here: Online) -> None:
    office = here.as_staff("O1")
    for path in ("/delegate/999", f"/delegate/{CHILD}/zzz", f"/delegate/{CHILD}/0000000000000000/png", "/delegate/x"):
        answer = office.get(path)
        assert answer.status_code in (404, 422), path
        assert answer.json()["error"].endswith(".")


def test_two_prints_of_one_pass_are_the_same_pass(here: Online) -> None:
    office = here.as_staff("O1")
    key = register(office, for_day="2026-11-25", name="何奶奶")
    first, second = (office.get(f"/delegate/{CHILD}/{key}/png").content for _ in range(2))
    assert code_in(first) == code_in(second)
    drawing = office.get(f"/delegate/{CHILD}/{key}/svg")
    assert drawing.headers["content-type"].startswith("image/svg+xml") and b"<svg" in drawing.content


def test_revoking_on_the_page_stops_the_pass_at_the_gate(here: Online) -> None:
    teacher = here.as_staff("T1")
    key = register(teacher, name="周阿姨", for_day="2026-11-23")
    text = code_in(teacher.get(f"/delegate/{CHILD}/{key}/png").content)
    assert teacher.post("/act/revoke_delegate", json={"pass_id": key}).json()["outcome"] == "granted"
    assert scan(here, text)["reason"] == "pass_revoked"
    assert "已撤销" in teacher.get(f"/delegate/{CHILD}").text


def test_a_keyboard_scanner_on_the_guards_page_reads_a_pass_too(here: Online) -> None:
    teacher, guard = here.as_staff("T1"), here.as_staff("G1")
    key = register(teacher, name="吴阿姨", for_day="2026-11-24")
    text = code_in(teacher.get(f"/delegate/{CHILD}/{key}/png").content)
    answer = guard.post("/wedge/east-out", json={"value": text, "scheme": "number", "access_point": "east-out"}).json()
    assert answer["reason"] == "pass_other_date" and answer["words"] == "请稍候", "the public words say nothing"


def test_a_gate_without_its_key_says_so_and_still_registers(tmp_path: Path) -> None:
    with online(tmp_path) as gate:
        office = gate.as_staff("O1")
        key = register(office)
        assert "密钥" in office.get(f"/delegate/{CHILD}/{key}").text
        assert office.get(f"/delegate/{CHILD}/{key}/png").status_code == 404


def test_in_a_form_that_is_not_whole_the_missing_fields_are_named(here: Online) -> None:
    teacher = here.as_staff("T1")
    answer = teacher.post("/act/register_delegate", json=form(called_back=False, adult=False)).json()
    assert (answer["outcome"], answer["detail"]["needs"]) == ("refused", ["adult", "call_back"])
