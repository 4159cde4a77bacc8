"""The faces on a running gate: real controller, journal, sessions and stream, with a real browser in front."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, standstill
from tests.support.people import uid_of
from tests.web.gate_online import PIN, Online, online


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path) as running:
        yield running


def live(page: Page) -> Page:
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    return page


def signed_in(new_page: Opener, gate: Online, staff_number: str, path: str, **more: str) -> Page:
    page = new_page(f"{gate.base}{path}", **more)
    expect(page).to_have_url(f"{gate.base}/sign-in?next={path.replace('/', '%2F').replace(':', '%3A')}")
    page.get_by_label("工号").fill(staff_number)
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{gate.base}{path}")
    return live(page)


def test_a_tap_at_the_lane_is_answered_on_the_screen_above_it(gate: Online, new_page: Opener) -> None:
    page = live(new_page(f"{gate.base}/display/east-in", size="landscape"))
    gate.tap("王小明", "east-in")
    screen = page.locator("#answer")
    expect(screen).to_have_attribute("data-state", "granted")
    expect(screen).to_contain_text("王*明 一(1)班")
    gate.school.at("15:40")
    out = live(new_page(f"{gate.base}/display/east-out", size="portrait"))
    gate.tap("王小明", "east-out")
    expect(out.locator("#answer")).to_have_attribute("data-state", "refused")
    expect(out.locator("#answer")).to_contain_text("请在候接区等候家长")


def test_a_reader_that_types_into_the_screen_is_a_read(gate: Online, new_page: Opener) -> None:
    page = live(new_page(f"{gate.base}/display/east-in", size="landscape"))
    screen = page.locator("#answer")
    standstill(page)
    page.keyboard.type(uid_of(gate.school.number("李雷")))
    page.keyboard.press("Enter")
    expect(screen).to_be_visible()
    expect(screen).to_contain_text("李* 五(1)班")
    assert gate.school.child("李雷").hold.live


def test_a_mother_taps_and_the_guard_releases_by_one_press(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:35")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    expect(page.locator("#nothing").get_by_text("门口没有人等候")).to_be_visible()
    gate.tap("王妈妈", "east-desk")
    item = page.locator("#guard-details > .detail")
    expect(item.get_by_role("heading", name="王妈妈")).to_be_visible()
    expect(item.locator(".kid").filter(has_text="王小明")).to_be_visible()
    for box in item.locator("[name=verified]").locator("visible=true").all():
        box.check()
    release = item.locator("[data-guard=release]")
    for other in item.locator('input[name="child"]:checked').locator("visible=true").all():
        if other.get_attribute("value") != "1":
            other.uncheck()
    expect(release).to_be_enabled()
    release.click()
    expect(page.locator("#nothing").get_by_text("门口没有人等候")).to_be_visible()
    assert not gate.school.child("王小明").hold.live
    assert gate.school.entries("released")[-1].body["collector"] == gate.school.number("王妈妈")


def test_a_restricted_father_is_neutral_in_public_and_held_at_the_window(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:35")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    screen = live(new_page(f"{gate.base}/display/east-desk", size="landscape"))
    gate.tap("王爸爸", "east-desk")
    expect(screen.locator("#answer")).to_have_attribute("data-state", "look")
    expect(screen.locator("#answer")).to_contain_text("请稍候")
    item = page.locator("#guard-details > .detail").first
    expect(item.get_by_text("请稍候，正在核对信息")).to_be_visible()
    expect(item.locator("[data-guard=release]")).to_have_count(0)
    item.get_by_role("button", name="不放行").click()
    item.get_by_role("radio", name="老师要求稍候").check()
    item.get_by_role("button", name="记录不放行").click()
    expect(page.locator("#nothing").get_by_text("门口没有人等候")).to_be_visible()
    assert gate.school.entries("pickup_refused")[-1].body["reason"] == "asked_to_wait"
    assert gate.school.child("王小明").hold.live


def test_a_teacher_takes_her_group_and_calls_the_roll(gate: Online, new_page: Opener) -> None:
    for name in ("李雷", "韩梅", "王小红"):
        gate.school.tap(name, "east-in")
    gate.school.at("16:32")
    page = signed_in(new_page, gate, "T11", "/roster/session:S1", size="phone")
    button = page.locator("#roster-act .big-go")
    gate.tap("李雷", "room-201")
    gate.tap("韩梅", "room-201")
    expect(button).to_contain_text("接收班级 2")
    expect(page.locator("#roster-looking")).to_contain_text("王小红")
    button.click()
    page.get_by_role("button", name="还在路上").click()  # 王小红; who never came to school needs no reason
    page.locator("#sheet [data-go]").click()
    expect(button).to_contain_text("点名完成")
    assert gate.school.custodian("李雷") == "李老师"
    page.locator("#row-2").get_by_role("radio", name="请假").check()
    button.click()
    expect(page.locator("#roster-head")).to_contain_text("已点名")
    marks = dict(gate.school.entries("roll_called")[-1].body["marks"])
    assert {gate.school.directory.name_of(child): mark for child, mark in marks.items()} == {
        "王小红": "leave_personal",
        "李雷": "present",
        "韩梅": "present",
    }


def test_a_child_not_collected_rises_on_the_duty_page_by_itself(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    page = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    expect(page.locator("#duty-counts")).to_contain_text("在校1")
    gate.school.at("16:05")
    case = page.locator(".case")
    expect(case).to_contain_text("王小明")
    case.get_by_role("button", name="我来处理").click()
    expect(page.locator(".acked")).to_contain_text("孙主任")
    expect(case.locator(".case-phones")).to_have_attribute("open", "")
    case.locator(".guardian").filter(has_text="王妈妈").get_by_role("button", name="未接").click()
    expect(page.locator(".calls")).to_contain_text("王妈妈：未接")
    expect(page.locator("[data-act=clear_campus]")).to_be_disabled()
    expect(page.locator("#duty-clear")).to_contain_text("在校学生1")
    assert gate.school.case_of("王小明") is not None


def test_an_emergency_reaches_every_open_page(gate: Online, new_page: Opener) -> None:
    lane = live(new_page(f"{gate.base}/display/east-out", size="landscape"))
    guard = signed_in(new_page, gate, "G1", "/guard/east")
    leader = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    leader.get_by_role("slider").focus()
    leader.keyboard.press("End")
    leader.keyboard.press("Enter")
    expect(lane.get_by_role("heading", name="紧急疏散")).to_be_visible()
    expect(guard.get_by_role("alert")).to_contain_text("紧急状态")
    end = leader.get_by_role("button", name="结束紧急状态")
    end.click()
    leader.get_by_role("button", name="再按一次确认").click()
    expect(lane.get_by_text("请刷卡")).to_be_visible()


def test_the_office_finds_people_and_reports_a_lost_card(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "O1", "/office/people")
    page.get_by_role("searchbox").press_sequentially("丁一", delay=120)
    page.keyboard.press("Enter")
    page.wait_for_url("**/office/people?*")
    person = page.locator(".person").filter(has_text="五(1)班")
    person.get_by_role("button", name="挂失").click()
    page.get_by_role("button", name="再按一次确认").click()
    expect(person.locator("[data-said]").first).to_have_text("已完成")
    for tab in ("import", "settings", "devices"):
        page.goto(f"{gate.base}/office/{tab}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_signing_out_ends_the_page(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "G1", "/guard/east")
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(f"{gate.base}/sign-in")
    page.goto(f"{gate.base}/duty")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def test_a_wrong_pin_is_said_in_place(gate: Online, new_page: Opener) -> None:
    page = new_page(f"{gate.base}/sign-in", size="phone")
    page.get_by_label("工号").fill("G1")
    page.get_by_label("PIN").fill("000000")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("工号或 PIN 不对")
