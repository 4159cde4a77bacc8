"""The muster check-off and the visitor form in a real browser, on a running gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.core import commands as c
from kiosk.journal_lookups import NoteReader
from tests.browser.conftest import Opener, browser, new_page  # noqa: F401  # fixtures
from tests.web.gate_online import PIN, Online, online


@pytest.fixture(name="gate")
def a_gate_in_the_morning(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path, more=lambda school: {"note": NoteReader(school.state)}) as gate:
        for name in ("王小明", "王小红", "李雷", "韩梅"):
            gate.school.tap(name, "east-in")
        gate.school.at("08:40")
        yield gate


def signed_in(new_page: Opener, gate: Online, staff_number: str, path: str, size: str = "tablet") -> Page:  # noqa: F811
    page = new_page(f"{gate.base}{path}", size=size)
    page.get_by_label("工号").fill(staff_number)
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{gate.base}{path}")
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    return page


def declare(gate: Online) -> None:
    gate.school.ask(c.DeclareEmergency(by=gate.school.number("赵师傅")))


def test_two_people_count_off_and_each_sees_the_others_work(gate: Online, new_page: Opener) -> None:  # noqa: F811
    teacher = signed_in(new_page, gate, "T5", "/muster", size="phone")
    expect(teacher.locator("#muster-head")).to_contain_text("没有紧急状态")
    declare(gate)
    expect(teacher.locator("#muster-head")).to_contain_text("紧急疏散 · 集合清点")
    leader = signed_in(new_page, gate, "L1", "/muster", size="landscape")
    searched = leader.locator("#muster-searched")
    expect(searched.locator(".mrow")).to_have_count(4)
    teacher.locator(".mclass", has_text="五(1)班").locator("summary").click()
    whole_class = teacher.locator(".mclass-all")
    whole_class.click()
    expect(whole_class).to_contain_text("再按一次确认")
    whole_class.click()
    expect(searched.locator(".mrow")).to_have_count(2)
    expect(leader.locator(".mclass", has_text="五(1)班")).to_contain_text("到齐")
    searched.locator(".mrow", has_text="王小明").get_by_role("button", name="到了").click()
    expect(searched.locator(".mrow")).to_have_count(1)
    expect(searched).to_contain_text("王小红")
    expect(searched).to_contain_text("最后：校园 · 陈老师")
    leader.locator(".mclass", has_text="一(1)班").locator("summary").click()
    leader.locator(".mclass", has_text="一(1)班").get_by_role("button", name="点错了").click()
    expect(teacher.locator("#muster-searched .mrow")).to_have_count(2)


def test_the_list_stays_with_its_age_when_the_line_is_cut_and_what_was_counted_is_sent_afterwards(
    gate: Online,
    new_page: Opener,  # noqa: F811
) -> None:
    declare(gate)
    page = signed_in(new_page, gate, "T1", "/muster", size="phone")
    row = page.locator("#muster-searched .mrow", has_text="王小明")
    page.route("**/act/**", lambda route: route.abort())
    row.get_by_role("button", name="到了").click()
    expect(page.locator("#queue-strip")).to_contain_text("王小明")
    assert gate.school.entries("mustered") == []
    page.unroute("**/act/**")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#muster-searched .mrow")).to_have_count(3)
    assert gate.school.entries("mustered")[-1].body["children"] == [gate.school.number("王小明")]


def test_a_name_is_found_in_a_long_list(gate: Online, new_page: Opener) -> None:  # noqa: F811
    declare(gate)
    page = signed_in(new_page, gate, "G1", "/muster")
    page.locator("#muster-text").fill("韩")
    expect(page.locator(".mclass:visible")).to_have_count(1)
    expect(page.locator(".mclass .mrow:visible")).to_have_count(1)
    page.locator("#muster-text").fill("")
    expect(page.locator(".mclass:visible")).to_have_count(3)


def test_a_guard_with_gloves_lets_a_visitor_in_and_out(gate: Online, new_page: Opener) -> None:  # noqa: F811
    page = signed_in(new_page, gate, "G1", "/register/east")
    form = page.locator("#visitor")
    form.get_by_role("button", name="登记进校").click()
    expect(form.locator("[data-said]")).to_contain_text("还缺：姓名 · 事由 · 证件后四位")
    form.get_by_label("姓名", exact=True).fill("钱工")
    form.get_by_role("radio", name="维修施工").check()
    page.locator("#host-text").fill("办公")
    form.get_by_role("button", name="办公室").click()
    for key in ("0", "0", "9", "删除一位", "2", "X"):
        form.get_by_role("button", name=key, exact=True).click()
    form.get_by_role("button", name="登记进校").click()
    expect(form.locator("[data-said]")).to_contain_text("钱工 已登记进校")
    row = page.locator("#register-inside .visit")
    expect(row).to_contain_text("钱工")
    expect(row).to_contain_text("找 办公室")
    expect(row).to_contain_text("尾号 002X")
    expect(form.get_by_label("姓名", exact=True)).to_have_value("")
    row.get_by_role("button", name="离校").click()
    expect(page.locator("#register-inside")).to_contain_text("没有访客在校")
    expect(page.locator("#register-today .visit")).to_have_count(1)


def test_the_muster_list_leads_to_the_guards_release_of_that_child(gate: Online, new_page: Opener) -> None:  # noqa: F811
    declare(gate)
    page = signed_in(new_page, gate, "G1", "/muster")
    page.locator("#muster-searched .mrow", has_text="王小明").get_by_role("link", name="接走核验").click()
    expect(page).to_have_url(f"{gate.base}/guard/east?child=1")
    expect(page.locator("#found")).to_contain_text("王小明")
