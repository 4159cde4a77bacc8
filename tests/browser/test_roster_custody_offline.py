"""A tablet without a line: what is pressed is noted in sight, never shown as accepted, and sent by whoever noted it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener
from tests.browser.test_real_gate import signed_in
from tests.support import fault_school
from tests.support.boarders import boarding_school
from tests.support.running_gate import RunningGate, VirtualDay, press, tap
from tests.web.gate_online import PIN, Online, online

CLASS_TEACHER, SESSION_TEACHER = "B013", "S013"  # of the first class of grade 3
CHILDREN = (541, 542, 543)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    """16:12: 丁一 waits for her session, offered to a colleague."""
    with online(tmp_path, directory=boarding_school()) as running:
        running.school.tap("丁一", "east-in")
        running.school.at("16:12").offer(["丁一"], "杨老师", "护导老师", kind="between_slots", place="阅览室")
        yield running


def accept(page: Page) -> None:
    page.locator("#roster-act .big-go").click()
    page.locator("#sheet [data-go]").click()
    expect(page.locator("#sheet")).to_be_hidden()


def item(page: Page) -> Locator:
    return page.locator("#queue-strip .queue-item")


def cut(page: Page) -> None:
    page.context.set_offline(True)


def back(page: Page) -> None:
    page.context.set_offline(False)


def test_an_acceptance_waits_through_a_restart_of_the_gate_and_of_the_page(tmp_path: Path, new_page: Opener) -> None:
    gate = RunningGate(tmp_path / "gate", day=VirtualDay("2026-11-23T16:25:00+08:00")).start().ready()
    try:
        with gate.reader() as reader:
            for child in CHILDREN:
                assert tap(reader, child, "east-in-1")["outcome"] == "granted"
        taker = fault_school.SESSION_TEACHERS + 12
        with gate.signed_in(CLASS_TEACHER) as giver:
            offer = {"kind": "to_session", "children": CHILDREN, "taker": taker, "place": "301", "counted": 3}
            assert press(giver, "offer", **offer)["outcome"] == "granted"
        page = new_page(f"{gate.url}/roster/session:H12", size="phone")
        sign_in(page, SESSION_TEACHER)
        expect(page.locator("#roster-incoming")).to_contain_text("交来 3 人")
        cut(page)
        accept(page)
        expect(item(page)).to_contain_text("离线：已记下，连上后提交")
        expect(item(page).locator("time")).to_have_text("刚刚")
        expect(page.locator("#roster-act .big-go")).to_have_attribute("data-waiting", "")
        expect(page.locator("#roster-incoming")).to_be_visible()  # nothing says that it was accepted
        gate.kill()
        gate.start().ready()
        with gate.signed_in(CLASS_TEACHER) as giver:
            assert holders(giver) == {fault_school.CLASS_TEACHERS + 12}
        back(page)
        expect(page.get_by_role("heading", name="登录")).to_be_visible(timeout=20_000)  # a restart forgets who is signed in
        sign_in(page, SESSION_TEACHER)
        expect(page.locator("#roster-incoming")).to_be_hidden()
        expect(page.locator("#queue-strip")).to_be_hidden()
        with gate.signed_in(CLASS_TEACHER) as giver:
            assert holders(giver) == {taker}
    finally:
        gate.close()


def sign_in(page: Page, staff_number: str) -> None:
    page.get_by_label("工号").fill(staff_number)
    page.get_by_label("PIN").fill(fault_school.PIN)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("html")).to_have_attribute("data-link", "live", timeout=20_000)


def holders(client: httpx.Client) -> set[int]:
    """Who answers for the children now, by what the gate refuses: nobody but the holder may offer them."""
    found = set()
    for number in (fault_school.CLASS_TEACHERS + 12, fault_school.SESSION_TEACHERS + 12):
        page = client.get(f"/roster/staff:{number}").text
        found |= {number} if all(f'id="row-{child}"' in page for child in CHILDREN) else set()
    return found


def test_what_was_noted_is_refused_in_words_when_the_world_has_moved_on(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "T15", "/roster/staff:115", size="phone")
    expect(page.locator("#roster-incoming")).to_be_visible()
    cut(page)
    accept(page)
    expect(item(page)).to_contain_text("离线：已记下，连上后提交")
    gate.school.at("16:23")  # the offer lapses meanwhile
    back(page)
    expect(item(page)).to_contain_text("没有提交成功：情况已变，请看最新状态", timeout=20_000)
    assert gate.school.custodian("丁一") == "杨老师"
    page.reload()
    expect(item(page)).to_contain_text("没有提交成功")
    item(page).get_by_role("button", name="知道了").click()
    expect(page.locator("#queue-strip")).to_be_hidden()


def test_what_is_older_than_three_hours_is_not_sent(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "T15", "/roster/staff:115", size="phone")
    cut(page)
    accept(page)
    expect(item(page)).to_be_visible()
    gate.school.at("19:20")
    asked = len(gate.school.entries())
    page.route("**/act/**", lambda route: route.abort())
    back(page)
    page.reload()
    expect(item(page)).to_contain_text("超过 3 小时，没有提交，请重新清点")
    assert len(gate.school.entries()) == asked


def test_what_one_teacher_noted_is_not_sent_in_the_name_of_another(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "T15", "/roster/staff:115", size="phone")
    page.route("**/act/**", lambda route: route.abort())
    accept(page)
    expect(item(page)).to_be_visible()
    page.get_by_role("button", name="退出").click()
    page.unroute("**/act/**")
    other_signs_in(page, gate, "T12", "/roster/session:S2")
    expect(item(page)).to_contain_text("请由记下的老师登录后提交")
    assert gate.school.custodian("丁一") == "杨老师"
    page.get_by_role("button", name="退出").click()
    other_signs_in(page, gate, "T15", "/roster/staff:115")
    expect(page.locator("#roster-incoming")).to_be_hidden()
    expect(page.locator("#queue-strip")).to_be_hidden()
    assert gate.school.custodian("丁一") == "护导老师"


def other_signs_in(page: Page, gate: Online, staff_number: str, path: str) -> None:
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    page.goto(f"{gate.base}{path}")
    page.get_by_label("工号").fill(staff_number)
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{gate.base}{path}")


def test_a_child_who_is_missed_without_a_line_is_noted_and_the_page_says_to_tell_somebody(gate: Online, new_page: Opener) -> None:
    gate.school.tap("李雷", "east-in")
    page = signed_in(new_page, gate, "T15", "/roster/staff:115", size="phone")
    cut(page)
    page.locator("#roster-act .big-go").click()
    page.locator('[data-tile="5"]').click()
    page.get_by_role("button", name="没找到").click()
    page.locator("#sheet [data-go]").click()
    expect(page.locator("#roster-act [data-said]")).to_contain_text("离线：请马上当面告诉值班领导")
    back(page)
    expect(page.locator("#queue-strip")).to_be_hidden(timeout=20_000)
    search = gate.school.child("丁一").search
    assert search is not None
    assert (search.why, gate.school.custodian("丁一")) == ("missing", "杨老师")
