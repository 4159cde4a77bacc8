"""The demo is the product, run whole: real processes, real wires, nothing reached into."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk.settings import shared_data_dir
from tests.support.chromium import chromium
from tests.support.demo import Demo, cards, eventually
from tests.support.plain_http import http_client

SOON_MS = 20_000
NOTE_ANSWERS = """() => {
  const screen = document.getElementById('answer');
  window.answers = [];
  new MutationObserver(() => screen.hidden || window.answers.push(screen.innerText)).observe(screen, { attributes: true });
}"""


def test_a_card_on_the_nfc_reader_arrives_through_nfcpy_with_its_picture(demo: Demo) -> None:
    for uid in cards()[:6]:  # some of six have consented to a picture
        before = len(demo.entries("arrived"))
        demo.hand("east-nfc-1", f"tap {uid}")
        eventually(lambda before=before: len(demo.entries("arrived")) > before)
    named = [e.body["snapshot"] for e in demo.entries("arrived") if "snapshot" in e.body]
    assert named, "nobody of six consented?"
    files = Path(demo.note["state"]) / "snapshots"
    assert eventually(lambda: any(path.stem in named for path in files.rglob("*.bin")))


@pytest.mark.parametrize("reader", ["east-nfc-2", "east-7941-3", "south-7941-1"])
def test_every_kind_of_gate_reader_takes_a_card(demo: Demo, reader: str) -> None:
    uid = cards()[20 + len(reader) + ord(reader[-1])]
    before = len(demo.entries("arrived"))
    demo.hand(reader, f"tap {uid}")
    eventually(lambda: len(demo.entries("arrived")) > before)


def test_a_decimal_spelling_on_the_line_reader_finds_the_same_card(demo: Demo) -> None:
    uid = cards()[200]
    before = len(demo.entries("arrived"))
    demo.hand("east-line-4", f"tap {int(uid, 16):010d}")
    eventually(lambda: len(demo.entries("arrived")) > before)


def test_an_old_id_card_is_read_at_the_gatehouse(demo: Demo) -> None:
    demo.hand("east-id-house", f"tap {cards('ID')[0]}")
    eventually(lambda: [e for e in demo.entries("arrived") if e.body["access_point"] == "east-house-in"])


def test_a_reader_that_is_pulled_out_is_named_and_comes_back(demo: Demo) -> None:
    demo.hand("south-line-3", "unplug")
    eventually(lambda: [e for e in demo.entries("device_lost") if e.body["device"] == "south-line-3"])
    demo.hand("south-line-3", "replug")
    eventually(lambda: [e for e in demo.entries("device_back") if e.body["device"] == "south-line-3"])
    before = len(demo.entries("arrived"))
    demo.hand("south-line-3", f"tap {int(cards()[220], 16):010d}")
    eventually(lambda: len(demo.entries("arrived")) > before)


def test_the_school_server_gets_every_entry(demo: Demo) -> None:
    with http_client(demo.note["url"]) as client:

        def nothing_waits() -> bool:
            health = client.get("/healthz").json()
            return health["waiting"] == 0 and health["online"] is True

        eventually(nothing_waits, 40)


def test_the_sign_ins_of_the_note_work(demo: Demo) -> None:
    for row in demo.note["sign_ins"][:4]:
        with http_client(demo.note["url"]) as client:
            answer = client.post("/sign-in", json={"staff_number": row["staff_number"], "pin": row["pin"]})
        assert answer.status_code == 200, answer.text


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "demo", "--state", str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and "name another --state" in done.stderr
    assert (tmp_path / "precious").exists()


# --- a browser watches the faces meanwhile: nfcpy and pyserial in, live pages out -----------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def signed_in(browser: Browser, demo: Demo, role: str, path: str) -> Page:
    """A page of somebody who holds the role."""
    who = next(row for row in demo.note["sign_ins"] if role in row["role"].split("/"))
    context = browser.new_context(locale="zh-CN")
    body = json.dumps({"staff_number": who["staff_number"], "pin": who["pin"]})
    answer = context.request.post(demo.note["url"] + "/sign-in", data=body, headers={"content-type": "application/json"})
    assert answer.ok, answer.text()
    page = context.new_page()
    page.goto(demo.note["url"] + path)
    return page


def sheet(name: str) -> list[dict[str, str]]:
    with (shared_data_dir("sample_school") / "people" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as rows:
        return list(csv.DictReader(rows))


def card_of(number: str) -> str | None:
    rows = [r for r in sheet("卡") if r["持有人编号"] == number and r["卡类型"] == "M1" and r["状态"] == "在用"]
    return next((r["卡号"] for r in rows if len(r["卡号"]) == 8), None)


def pupil_with_card(class_name: str, after: int) -> dict[str, str]:
    return [p for p in sheet("学生") if p["班级"] == class_name and card_of(p["学号"])][after]


def test_display_roster_and_duty_change_by_a_tap_through_nfcpy(browser: Browser, demo: Demo) -> None:
    pupil = pupil_with_card("一(1)班", 10)
    display = browser.new_page()
    display.goto(demo.note["url"] + "/display/east-in-1")
    display.wait_for_selector("html[data-link=live]")
    display.evaluate(NOTE_ANSWERS)
    roster = signed_in(browser, demo, "teacher", "/roster/class:primary-2026-1")
    duty = signed_in(browser, demo, "duty_leader", "/duty")
    before = duty.locator("#duty-figures, .figures").first.inner_text()
    row = roster.locator("li, tr", has_text=pupil["姓名"]).first
    expect(row).to_contain_text("今天没有到校记录", timeout=SOON_MS)

    demo.hand("east-nfc-1", f"tap {card_of(pupil['学号'])}")

    display.wait_for_function("() => window.answers.some(seen => seen.includes('请通行'))")  # it clears itself soon
    expect(display.locator("body")).not_to_contain_text(pupil["姓名"])  # masked on the public screen
    expect(row).not_to_contain_text("今天没有到校记录", timeout=SOON_MS)
    expect(duty.locator("#duty-figures, .figures").first).not_to_have_text(before, timeout=SOON_MS)


def test_the_guard_sees_an_adult_who_taps_on_a_pyserial_reader_and_the_public_screen_says_nothing_more(
    browser: Browser, demo: Demo
) -> None:
    child = pupil_with_card("四(1)班", 2)
    demo.hand("south-7941-1", f"tap {card_of(child['学号'])}")
    adult = next(row for row in sheet("监护人") if row["学号"] == child["学号"] and card_of(row["接送人编号"]))
    guard = signed_in(browser, demo, "guard", "/guard/south")

    before = len(demo.entries("pickup_requested"))
    demo.hand("south-desk-7941", f"tap {card_of(adult['接送人编号'])}")
    eventually(lambda: len(demo.entries("pickup_requested")) > before)

    expect(guard.locator("#guard-queue")).to_contain_text(adult["姓名"], timeout=SOON_MS)
    guard.locator("#guard-queue a", has_text=adult["姓名"]).first.click()
    expect(guard.locator("#guard-details")).to_contain_text(child["姓名"], timeout=SOON_MS)


def test_a_reader_that_is_pulled_out_shows_on_the_bar_and_on_the_lanes_own_screen(browser: Browser, demo: Demo) -> None:
    duty = signed_in(browser, demo, "duty_leader", "/duty")
    display = browser.new_page()
    display.goto(demo.note["url"] + "/display/south-in-2")
    demo.hand("south-7941-2", "unplug")
    expect(duty.locator("body")).to_contain_text("设备 1 台断开", timeout=SOON_MS)
    stopped = display.get_by_role("heading", name="本通道暂停使用")
    expect(stopped).to_be_visible(timeout=SOON_MS)
    demo.hand("south-7941-2", "replug")
    expect(duty.locator("body")).not_to_contain_text("台断开", timeout=SOON_MS)
    expect(stopped).to_be_hidden(timeout=SOON_MS)


def test_ctrl_c_stops_every_process(demo: Demo) -> None:
    """The last one: nothing is left to play with."""
    pids = demo.note["pids"].values()
    assert demo.stop() == 0
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
