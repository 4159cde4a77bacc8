"""The teacher's side of the handovers on a running gate: take over, offer and accept, escort, outing, what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener
from tests.browser.test_real_gate import signed_in
from tests.support.boarders import boarding_school
from tests.web.gate_online import Online, online

CHILDREN = ("李雷", "韩梅", "丁一", "王小红", "欧阳娜", "住校生")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path, directory=boarding_school()) as running:
        for name in CHILDREN:
            running.school.tap(name, "east-in")
        yield running


def button(page: Page) -> Locator:
    return page.locator("#roster-act .big-go")


def sheet(page: Page) -> Locator:
    return page.locator("#sheet")


def confirm(page: Page) -> None:
    sheet(page).locator("[data-go]").click()
    expect(sheet(page)).to_be_hidden()


def in_session(gate: Online, *names: str) -> None:
    """16:32: they tapped in at room 201 and the teacher has taken them over."""
    gate.school.at("16:32")
    for name in names:
        gate.school.tap(name, "room-201")
    assert gate.school.take("session:S1", "李老师", len(names)).decision.outcome == "granted"


def test_a_group_is_taken_over_by_sight_and_who_is_missing_is_looked_for(gate: Online, new_page: Opener) -> None:
    gate.school.at("16:32")
    for name in ("李雷", "韩梅", "住校生"):
        gate.school.tap(name, "room-201")
    page = signed_in(new_page, gate, "T11", "/roster/session:S1", size="phone")
    expect(button(page)).to_contain_text("接收班级 3")
    expect(page.locator("#roster-looking")).to_contain_text("王小红")
    button(page).click()
    sheet(page).get_by_role("button", name="没找到").click()
    confirm(page)
    expect(page.locator("#roster-searches")).to_contain_text("王小红")
    expect(page.locator("#roster-searches")).to_contain_text("清点时不在")
    assert (gate.school.custodian("李雷"), gate.school.custodian("王小红")) == ("李老师", "陈老师")
    page.get_by_role("button", name="找到了").click()
    sheet(page).get_by_role("button", name="操场").click()
    expect(page.locator("#roster-searches")).to_be_hidden()
    assert gate.school.child("王小红").place == "操场"


def test_a_group_is_offered_to_the_next_teacher_who_counts_and_accepts(gate: Online, new_page: Opener) -> None:
    in_session(gate, "李雷", "韩梅", "王小红")
    gate.school.roll("session:S1", "李老师", 李雷="present", 韩梅="present", 王小红="present", 住校生="leave_sick")
    gate.school.at("17:25")
    giver = signed_in(new_page, gate, "T11", "/roster/session:S1", size="phone")
    taker = signed_in(new_page, gate, "T12", "/roster/session:S2", size="phone")
    expect(button(giver)).to_contain_text("交给 美术社团 周老师1")
    button(giver).click()
    confirm(giver)
    expect(giver.locator("#row-3")).to_contain_text("等 周老师 接收")
    expect(button(giver)).to_contain_text("护送到南门2")  # whoever has no further session is led to the own release gate
    assert gate.school.custodian("李雷") == "李老师"
    expect(taker.locator("#roster-incoming")).to_contain_text("李老师 交来 1 人 · 美术室")
    button(taker).click()
    confirm(taker)
    expect(taker.locator("#roster-incoming")).to_be_hidden()
    assert gate.school.custodian("李雷") == "周老师"
    expect(giver.locator("#row-3")).to_contain_text("现由 周老师 负责")


def test_a_child_who_is_on_no_list_of_the_taker_is_accepted_by_name(gate: Online, new_page: Opener) -> None:
    gate.school.at("16:12")
    page = signed_in(new_page, gate, "T15", "/roster/staff:115", size="phone")
    expect(page.get_by_text("现在没有学生由您看管")).to_be_visible()
    giver = signed_in(new_page, gate, "T5", "/roster/class:primary-2022-1", size="phone")
    giver.get_by_role("button", name="其他交接").click()
    sheet(giver).get_by_role("button", name="等 美术社团，交同事看管").click()
    sheet(giver).get_by_role("searchbox").fill("护导")
    sheet(giver).get_by_role("button", name="护导老师").click()
    expect(sheet(giver).locator("[data-tile]")).to_have_text(["3丁一"])
    confirm(giver)
    expect(page.locator("#roster-incoming")).to_contain_text("杨老师 交来 1 人 · 两时段之间看管")
    page.get_by_role("button", name="清点并接收").click()
    expect(sheet(page).locator("[data-tile]")).to_have_text(["3丁一"])
    confirm(page)
    expect(page.locator("#roster-rows")).to_contain_text("17:30 美术社团")
    assert gate.school.custodian("丁一") == "护导老师"


def test_an_escort_is_counted_at_the_door_and_at_the_gate(gate: Online, new_page: Opener) -> None:
    in_session(gate, "韩梅", "王小红", "住校生")
    gate.school.roll("session:S1", "李老师", 李雷="leave_sick", 韩梅="present", 王小红="present", 住校生="present")
    gate.school.at("17:30")
    page = signed_in(new_page, gate, "T11", "/roster/session:S1", size="phone")
    page.get_by_role("button", name="其他交接").click()
    sheet(page).get_by_role("button", name="护送到").click()
    sheet(page).get_by_role("radio", name="东门").check()
    confirm(page)
    expect(button(page)).to_contain_text("到东门清点2")
    expect(page.locator("#row-4")).to_contain_text("护送途中 → 东门")
    gate.school.at("17:34")
    button(page).click()
    sheet(page).locator('[data-tile="2"]').click()
    sheet(page).get_by_role("button", name="没找到").click()
    expect(sheet(page).locator("[data-go]")).to_have_text("到齐 1 人+ 1 例外")
    confirm(page)
    expect(page.locator("#roster-searches")).to_contain_text("王小红")
    expect(page.locator("#row-4")).to_contain_text("东门候接区")
    body = gate.school.entries("escort_arrived")[-1].body
    assert (body["counted"], body["expected"], body["exceptions"]) == (1, 2, [[2, "missing"]])


def test_a_group_goes_out_and_comes_back_with_two_counts(gate: Online, new_page: Opener) -> None:
    gate.school.roll("class:primary-2022-1", "杨老师", 李雷="present", 韩梅="present", 丁一="present", 住校生="present")
    gate.school.at("14:00")
    page = signed_in(new_page, gate, "T5", "/roster/class:primary-2022-1", size="tablet")
    page.get_by_role("button", name="其他交接").click()
    sheet(page).get_by_role("button", name="带队外出").click()
    expect(sheet(page).locator("[data-go]")).to_be_disabled()
    sheet(page).get_by_label("去哪里？").fill("少年宫")
    sheet(page).locator('[data-tile="5"]').click()
    sheet(page).get_by_role("button", name="在医务室").click()
    confirm(page)
    expect(button(page)).to_contain_text("回校清点3")
    expect(page.locator("#row-3")).to_contain_text("校外 · 少年宫")
    gate.school.at("15:50")
    button(page).click()
    confirm(page)
    expect(page.locator("#row-3")).not_to_contain_text("少年宫")
    assert gate.school.entries("group_out")[-1].body["exceptions"] == [[5, "sick_room"]]
    assert gate.school.child("李雷").place == "校园"
    page.get_by_role("button", name="其他交接").click()
    sheet(page).get_by_role("button", name="带队外出").click()
    expect(sheet(page).get_by_role("button", name="少年宫")).to_be_visible()  # this tablet has been told before


def test_an_offer_that_lapsed_is_told_to_its_giver_and_made_again(gate: Online, new_page: Opener) -> None:
    gate.school.at("16:12")
    page = signed_in(new_page, gate, "T5", "/roster/class:primary-2022-1", size="phone")
    page.evaluate(
        "() => { window.tones = 0; const make = AudioContext.prototype.createOscillator;"
        " AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this); }; }"
    )
    gate.school.offer(["丁一"], "杨老师", "护导老师", kind="between_slots", place="阅览室")
    expect(page.locator("#roster-offers")).to_contain_text("已交出 1 人，等 护导老师 接收")
    gate.school.at("16:23")
    banner = page.locator("#roster-returned")
    expect(banner).to_contain_text("对方未接收，已退回")
    expect(banner).to_contain_text("交给 护导老师 的 1 人：丁一")
    page.wait_for_function("window.tones === 2")  # two level tones, once
    page.reload()
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="再次交接").click()
    confirm(page)
    expect(banner).to_be_hidden()
    gate.school.at("16:34")
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="由我看管").click()
    expect(banner).to_be_hidden()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    expect(banner).to_be_hidden()
    assert gate.school.custodian("丁一") == "杨老师"


def test_a_substitute_takes_the_group_and_hands_it_on(gate: Online, new_page: Opener) -> None:
    gate.school.at("16:32")
    gate.school.tap("李雷", "room-201")
    page = signed_in(new_page, gate, "T2", "/roster/session:S1", size="phone")
    expect(page.locator("#roster-head")).to_contain_text("刘老师 代 李老师")
    page.locator("#roster-act").get_by_role("button", name="病假", exact=True).click()  # for whom and why, first
    expect(page.locator("#roster-service")).to_contain_text("代 李老师 · 病假")
    button(page).click()
    for name in ("王小红", "韩梅", "住校生"):
        expect(sheet(page).get_by_text(f"{name} 在哪里？")).to_be_visible()
        sheet(page).get_by_role("button", name="还在路上", exact=True).click()
    confirm(page)
    expect(button(page)).to_contain_text("点名完成")
    assert gate.school.custodian("李雷") == "刘老师"
    gate.school.roll("session:S1", "刘老师", 李雷="present", 王小红="leave_sick", 韩梅="leave_sick", 住校生="leave_sick")
    gate.school.at("17:25").tap("李雷", "room-201")  # a page that nothing happens on is looked at once a minute, not at once
    expect(button(page)).to_contain_text("交给 美术社团 周老师1")


def test_a_child_is_reported_missing_from_its_row_and_declared_lost(gate: Online, new_page: Opener) -> None:
    in_session(gate, "李雷", "韩梅")
    page = signed_in(new_page, gate, "T11", "/roster/session:S1", size="phone")
    page.locator("#row-3 .row-who").click()
    sheet(page).get_by_role("button", name="报告找不到").click()
    sheet(page).get_by_role("button", name="再按一次确认").click()
    expect(sheet(page)).to_be_hidden()
    card = page.locator("#roster-searches .search-one").filter(has_text="李雷")
    expect(card).to_contain_text("老师报告找不到")
    card.get_by_role("button", name="找不到").click()
    card.get_by_role("button", name="再按一次确认").click()
    expect(card).to_contain_text("已按走失处理，门口逐人核对")
    assert gate.school.gate.world.campus.lost()
