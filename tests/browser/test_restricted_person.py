"""A restricted person at the gate, seen in a real browser: screen, guard's page and duty board; and a delegate's pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.pass_keys import open_signer
from tests.browser.conftest import Opener, standstill
from tests.browser.test_real_gate import live, signed_in
from tests.passes.delegation import code_in
from tests.web.gate_online import Online, online

COUNT_SOUNDS = """() => {
  window.sounds = 0;
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { window.sounds += 1; return make.call(this); };
}"""


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    signer = open_signer(tmp_path / "state", "east")
    with online(tmp_path, more=lambda school: {"sign_pass": signer}) as running:
        running.school.tap("王小明", "east-in")
        running.school.at("15:35")
        yield running


def sounds(page: Page) -> int:
    page.wait_for_timeout(300)
    return int(page.evaluate("() => window.sounds"))


def test_the_public_screen_shows_him_what_it_shows_the_mother_and_makes_no_sound(gate: Online, new_page: Opener) -> None:
    page = live(new_page(f"{gate.base}/display/east-out", size="portrait"))
    page.evaluate(COUNT_SOUNDS)
    screen = page.locator("#answer")
    seen = []
    for name in ("王妈妈", "王爸爸"):
        gate.tap(name, "east-out")
        expect(screen).to_contain_text(f"王*{name[-1]}")
        expect(screen).to_have_attribute("data-state", "look")
        words = " ".join((screen.text_content() or "").split())
        seen.append(words.replace(f"王*{name[-1]}", "").split(" 15:")[0])
    assert seen[0] == seen[1] and "请稍候" in seen[0]
    assert sounds(page) == 0, "an adult's card is silent"
    gate.tap("王小明", "east-out")
    expect(screen).to_have_attribute("data-state", "refused")
    assert sounds(page) > 0, "and a child's is not: the ear of this test works"


def test_the_guard_reads_a_quiet_line_and_the_reason_only_while_holding(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "G1", "/guard/east", size="tablet")
    gate.tap("王爸爸", "east-out")
    item = page.locator("#guard-details > .detail:not([hidden])")
    expect(item.locator(".held-line")).to_be_visible()
    secret = item.locator(".held-detail")
    expect(secret).to_be_hidden()
    visible = page.locator("main").inner_text()
    assert "限制" not in visible and "禁止" not in visible
    expect(item.locator("[data-guard=release]:enabled")).to_have_count(0)
    button = item.locator("[data-hold]")
    button.hover()
    page.mouse.down()
    expect(secret).to_be_visible()
    assert "限制" in secret.inner_text()
    page.mouse.up()


def test_the_duty_board_has_the_case_while_the_gate_stays_calm(gate: Online, new_page: Opener) -> None:
    board = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    gate.tap("王爸爸", "east-out")
    case = board.locator("article").filter(has_text="王爸爸")
    expect(case).to_be_visible()
    expect(case).to_contain_text("王小明")


def test_a_teacher_registers_a_delegate_and_the_guard_releases_on_the_pass(gate: Online, new_page: Opener) -> None:
    teacher = signed_in(new_page, gate, "T1", "/delegate/1", size="phone")
    form = teacher.locator("[data-delegate]")
    form.get_by_label("我按名单上的号码打了电话").check()
    form.get_by_label("姓名").fill("林阿姨")
    form.get_by_label("与学生的关系").fill("邻居")
    form.get_by_label("证件号后四位").fill("123x")
    form.get_by_label("监护人确认此人年满").check()
    form.get_by_role("button", name="登记并生成凭证").click()
    teacher.wait_for_url("**/delegate/1/*")
    expect(teacher.locator(".pass-code svg")).to_be_visible()
    expect(teacher.locator(".pass")).to_contain_text("林阿姨")
    key = teacher.url.rsplit("/", 1)[1]
    with teacher.expect_download() as saved:
        teacher.get_by_role("link", name="存为图片").click()
    text = code_in(Path(saved.value.path()).read_bytes())
    guard = signed_in(new_page, gate, "G1", "/guard/east", size="tablet")
    guard.locator("body").click(position={"x": 5, "y": 5})
    standstill(guard)
    guard.keyboard.type(text)  # a scanner that types
    guard.keyboard.press("Enter")
    guard.clock.resume()
    item = guard.locator("#guard-details > .detail:not([hidden])")
    expect(item).to_contain_text("林阿姨")
    for box in item.locator("[name=verified]").all():
        box.check(force=True)
    release = item.locator("[data-guard=release]")
    expect(release).to_be_enabled()
    release.click()
    expect(guard.locator("#queue-strip, .said").first).to_be_attached()
    guard.wait_for_function("() => !document.querySelector('#guard-details > .detail')")
    (entry,) = gate.school.entries("released")
    assert (entry.body["mode"], entry.body["pass_id"]) == ("delegate", key)


def test_a_revoked_pass_is_asked_twice_and_then_says_so(gate: Online, new_page: Opener) -> None:
    office = gate.as_staff("O1")
    body = {
        "child": 1, "for_day": "2026-11-24", "gate": "east", "guardian": 201, "relation": "邻居", "name": "周叔叔",
        "id_last4": "4321", "called_back": True, "adult": True,
    }  # fmt: skip
    assert office.post("/act/register_delegate", json=body).json()["outcome"] == "granted"
    page = signed_in(new_page, gate, "O1", "/delegate/1", size="tablet")
    line = page.locator(".pass-line")
    expect(line).to_contain_text("未使用")
    line.get_by_role("button").click()
    line.get_by_role("button").click()
    expect(page.locator(".pass-line")).to_contain_text("已撤销")
