"""受限人员: a father whom a court keeps away comes with a valid guardian's card (Done-when 5 of the custody work).

The public side is neutral and silent, the duty leader knows at once, nobody can release the child to him by any form, and
the journal has the refusals.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.pass_keys import open_signer
from tests.passes.delegation import pass_for
from tests.web.gate_online import PIN, Online, online
from tests.web.listening import listening

CHILD, FATHER = 1, 202
ALL_CHECKS = ["photo", "card", "child_recognises", "call_back", "id_seen"]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Online]:
    signer = open_signer(tmp_path / "state", "east")
    with online(tmp_path, more=lambda school: {"sign_pass": signer}) as gate:
        gate.school.tap("王小明", "east-in")
        gate.school.at("15:35")
        yield gate


def test_the_public_answer_is_the_one_that_every_adult_gets(here: Online) -> None:
    mother, father = (here.tap(name, "east-out") for name in ("王妈妈", "王爸爸"))
    shown = [{**dict(one["display"]), "name": "", "at_ms": 0} for one in (mother, father)]  # type: ignore[call-overload]
    assert shown[0] == shown[1]
    assert shown[1]["tone"] == "" and shown[1]["state"] == "look" and shown[1]["word"] == "请稍候"
    assert (father["outcome"], father["reason"]) == ("refused", "collector_restricted"), "the reader's own network is not public"


def test_the_screen_at_the_gate_is_sent_nothing_that_tells_the_two_apart(here: Online) -> None:
    with listening(here.client(), "display:east-out") as screen:
        for name in ("王妈妈", "王爸爸"):
            here.tap(name, "east-out")
        first, second = (event.data for event in screen.wait(2, "answer"))
    assert {k: v for k, v in first.items() if k not in ("name", "at_ms")} == {
        k: v for k, v in second.items() if k not in ("name", "at_ms")
    }


def test_the_duty_leader_is_alarmed_within_the_moment(here: Online, capsys: pytest.CaptureFixture[str]) -> None:
    leader = here.as_staff("L1")
    with listening(leader, "duty") as board:
        board.wait(1, "patch")
        before = len(board.named("patch"))
        tapped_s = time.monotonic()
        here.tap("王爸爸", "east-out")
        board.wait(before + 1, "patch")
        took_s = time.monotonic() - tapped_s
        news = "".join(piece["html"] for event in board.named("patch")[before:] for piece in event.data)
    assert "王爸爸" in news and "东门出口" in news
    with capsys.disabled():
        print(f" [duty board told after {took_s * 1000:.0f} ms]", end="")


def press(here: Online, staff: str, act: str, /, **body: Any) -> dict[str, Any]:
    answer = here.as_staff(staff).post(f"/act/{act}", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


LEADER_TOO = {"second_staff_number": "L1", "second_pin": PIN}
RELEASE = {"children": [CHILD], "collector": FATHER, "access_point": "east-out", "verified": ALL_CHECKS}
EXCEPTION = {
    "child": CHILD, "access_point": "east-out", "relation": "父亲", "id_last4": "0001", "reason": "父亲来接",
    "verified": ["call_back", "child_recognises"],
}  # fmt: skip


@pytest.mark.parametrize("second", [{}, LEADER_TOO], ids=["alone", "with a leader"])
@pytest.mark.parametrize("staff", ["G1", "T1", "L1"])
def test_nobody_releases_the_child_to_him_alone_or_by_two(here: Online, staff: str, second: dict[str, str]) -> None:
    if staff == "L1" and second:
        second = {"second_staff_number": "G1", "second_pin": PIN}
    here.tap("王爸爸", "east-out")
    said = press(here, staff, "release", **RELEASE, **second)
    assert (said["outcome"], said["reason"]) == ("refused", "collector_restricted")
    assert here.school.custodian("王小明") == "张老师"


def test_not_as_an_exception_not_as_a_delegate_and_not_by_a_slip(here: Online) -> None:
    said = press(here, "G1", "release_exceptionally", **EXCEPTION, name="王 爸爸", **LEADER_TOO)
    assert (said["outcome"], said["reason"]) == ("refused", "collector_restricted")
    form = {
        "child": CHILD, "for_day": "2026-11-23", "gate": "east", "guardian": 201, "relation": "父亲", "name": "王爸爸",
        "id_last4": "0001", "called_back": True, "adult": True,
    }  # fmt: skip
    said = press(here, "T1", "register_delegate", **form)
    assert (said["outcome"], said["reason"]) == ("refused", "collector_restricted")
    now_ms = here.school.clock.now_ms()
    slip = {"child": CHILD, "from_ms": now_ms, "to_ms": now_ms + 3_600_000, "with_collector": FATHER}
    assert press(here, "T1", "leave_slip", **slip)["reason"] == "collector_restricted"
    assert here.school.custodian("王小明") == "张老师" and not here.school.entries("released")


def test_not_with_a_pass_that_an_honest_mistake_made_for_him(here: Online, tmp_path: Path) -> None:
    """Somebody registered him under another name; the number of his document gives him away at the gate."""
    form = c.RegisterDelegate(
        pass_id="00000000000000bb", child=CHILD, for_day="2026-11-23", gate="east", guardian=201, relation="朋友", name="王爸爸",
        id_last4="0001", by=101, called_back=True, adult=True,
    )  # fmt: skip
    signed = open_signer(tmp_path / "state", "east")(pass_for(form, here.school.ask(c.Tick()), "east"))
    answer = here.school.ask(c.Read(access_point="east-out", scheme="qr", value=signed))
    assert answer.decision.reason == "collector_restricted" and answer.decision.alarm
    body = {"children": [CHILD], "pass_id": form.pass_id, "access_point": "east-out", "verified": ALL_CHECKS}
    said = press(here, "G1", "release", **body, **LEADER_TOO)
    assert said["outcome"] == "refused" and here.school.custodian("王小明") == "张老师"


def test_the_journal_has_every_refusal_and_the_case_stays_open(here: Online) -> None:
    here.tap("王爸爸", "east-out")
    press(here, "G1", "release", **RELEASE)
    asked = here.school.entries("pickup_requested")[-1]
    assert (asked.body["reason"], asked.body["person"]) == ("collector_restricted", FATHER)
    assert asked.body["alarm"] == "restricted_person"
    refused = here.school.entries("pickup_refused")[-1]
    assert (refused.body["collector"], refused.body["guard"]) == (FATHER, here.school.number("赵师傅"))
    assert "restricted_person" in {case.kind for case in here.school.duty().cases}
    assert press(here, "L1", "clear_campus")["outcome"] == "refused"
