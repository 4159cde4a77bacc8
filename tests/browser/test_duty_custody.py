"""The duty leader's side of custody on a running gate: searches, the hold, two adults, alarms, the close of the day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.core import commands as c
from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.browser.test_real_gate import signed_in
from tests.faces import duty_views
from tests.web.gate_online import PIN, Online, online


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path) as running:
        yield running


def search_for(gate: Online, name: str) -> None:
    gate.school.ask(c.OpenLocate(child=gate.school.number(name), by=gate.school.number("李老师")))


def heard(page: Page) -> list[str]:
    found: list[str] = page.evaluate("JSON.parse(sessionStorage.getItem('heard') || '[]')")
    return found


def test_a_child_whom_somebody_looks_for_stands_first_and_goes_when_found(gate: Online, new_page: Opener) -> None:
    for name in ("王小明", "李雷"):
        gate.school.tap(name, "east-in")
    page = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    gate.school.at("16:40")
    expect(page.locator(".case").first).to_contain_text("王小明")  # not collected since 15:30
    search_for(gate, "李雷")
    first = page.locator(".case").first
    expect(first).to_contain_text("李雷")
    expect(first).to_contain_text("最后在 校园")
    expect(first).to_contain_text("杨老师")
    expect(first).to_contain_text("孙主任 负责")
    first.get_by_role("radio", name="洗手间").check()
    expect(first.get_by_label("地点")).to_have_value("洗手间")
    first.get_by_role("button", name="找到了").click()
    expect(page.locator(".group-search")).to_have_count(0)
    located = gate.school.entries("located")[-1].body
    assert (located["place"], located["by"]) == ("洗手间", gate.school.number("孙主任"))


def test_a_child_declared_lost_puts_the_gate_on_hold_on_every_page(gate: Online, new_page: Opener) -> None:
    gate.school.tap("李雷", "east-in")
    gate.school.at("16:40")
    search_for(gate, "李雷")
    leader = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    guard = signed_in(new_page, gate, "G1", "/guard/east")
    case = leader.locator(".case").filter(has_text="李雷")
    case.get_by_role("button", name="升级为走失").click()
    case.get_by_role("button", name="再按一次确认").click()
    expect(case).to_contain_text("各校门逐人核对，直到找到")
    for page in (leader, guard):
        expect(page.locator(".bar-hold")).to_contain_text("正在寻找学生（五(1)班）")
    case.get_by_label("地点").fill("三楼储物间")
    case.get_by_role("button", name="找到了").click()
    expect(leader.locator(".group-search")).to_have_count(0)
    gate.school.at("16:41")
    expect(guard.locator(".bar-hold")).to_have_count(0)


def test_from_the_police_rung_on_two_adults_take_the_case(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("17:05")
    page = signed_in(new_page, gate, "L1", "/duty")
    case = page.locator(".case")
    expect(case.locator("[aria-current=step]")).to_have_text("请警方协助")
    case.get_by_role("button", name="我们两人来处理").click()
    expect(case.locator("[data-said]")).to_have_text("需要第二位教职工确认")
    case.get_by_label("工号").fill("T1")
    case.get_by_label("PIN").fill(PIN)
    case.get_by_role("button", name="我们两人来处理").click()
    expect(case).to_contain_text("孙主任 和 张老师 陪着孩子")
    acknowledged = gate.school.entries("acknowledged")[-1].body
    assert acknowledged["second"] == gate.school.number("张老师")


def test_a_call_says_by_what_the_guardian_was_reached(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:50")
    page = signed_in(new_page, gate, "L1", "/duty")
    case = page.locator(".case")
    case.locator("summary").get_by_text("电话与通话记录").click()
    mother = case.locator(".guardian").filter(has_text="王妈妈")
    mother.get_by_role("radio", name="微信").check(force=True)
    mother.get_by_role("button", name="打通").click()
    expect(case.locator(".calls")).to_contain_text("王妈妈：打通 · 微信")
    expect(mother.locator(".call-answered")).to_contain_text("15:50 打通")
    assert gate.school.entries("guardian_contacted")[-1].body["channel"] == "wechat"
    expect(case.locator(".guardian").filter(has_text="王爸爸")).to_have_count(0)  # restricted: nobody calls him


def test_a_restricted_person_is_on_the_page_at_once_without_a_sound_and_closed_with_a_note(
    gate: Online, new_page: Opener
) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:20")
    page = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    gate.tap("王爸爸", "east-desk")
    case = page.locator(".group-alarm .case")
    expect(case).to_contain_text("受限人员到场")
    expect(case).to_contain_text("王爸爸 · 东门门卫室")
    assert heard(page) == []
    expect(page.locator("[data-act=clear_campus]")).to_be_disabled()
    case.get_by_label("核实结果").fill("已劝离，母亲知情")
    case.get_by_role("button", name="结案").click()
    expect(page.locator(".group-alarm")).to_have_count(0)


def test_a_new_rung_sounds_once_and_a_reload_is_quiet(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    page = signed_in(new_page, gate, "L1", "/duty")
    gate.school.at("15:50")
    expect(page.locator(".case")).to_have_count(1)
    once = heard(page)
    assert once and all(key.startswith("uncollected:") for key in once)
    page.reload()
    expect(page.locator(".case")).to_have_count(1)
    assert heard(page) == once
    page.get_by_role("button", name="提示音开").click()
    expect(page.get_by_role("button", name="提示音关")).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(page.get_by_role("button", name="提示音关")).to_be_visible()


def test_who_has_the_watch_and_who_is_on_the_way_stand_beside_the_cases(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:32")
    guard, teacher = gate.school.number("赵师傅"), gate.school.number("张老师")
    page = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    expect(page.locator("#duty-watch .watch-open")).to_have_count(2)
    gate.school.ask(c.OfferShift(gate="east", taker=guard, by=guard))
    expect(page.locator("#duty-watch")).to_contain_text("东门 赵师傅")
    gate.school.ask(c.StartEscort(children=(gate.school.number("王小明"),), gate="east", counted=1, by=teacher))
    expect(page.locator("#duty-moving")).to_contain_text("张老师 护送 1 人 → 东门")
    expect(page.locator("#duty-clear")).to_contain_text("在途护送1")


def test_the_day_is_closed_at_zero_and_leads_to_the_signed_statement(gate: Online, new_page: Opener) -> None:
    gate.school.tap("韩梅", "south-in")
    page = signed_in(new_page, gate, "L1", "/duty", size="landscape")
    button = page.locator("[data-act=clear_campus]")
    expect(button).to_be_disabled()
    gate.school.at("17:35")
    gate.school.tap("韩梅", "south-out")
    expect(page.locator("#duty-clear .check-open")).to_have_count(0)
    expect(button).to_be_enabled()
    button.click()
    button.click()
    expect(page.locator("#duty-clear")).to_contain_text("17:35 已静校")
    expect(page.get_by_role("link", name="静校证明")).to_have_attribute("href", "/records/statement/2026-11-23")
    assert len(gate.school.entries("campus_cleared")) == 1


# --- on the stage: everything at once ---------------------------------------------------------------------


def test_searches_stand_before_alarms_and_alarms_before_waiting_children(stage: Stage, show: Opener) -> None:
    stage.views["duty"] = duty_views.everything()
    page = show("duty", size="landscape")
    titles = page.locator(".case-group > h2").all_text_contents()
    assert [" ".join(title.split()) for title in titles] == ["正在寻找 2", "报警 2", "未接离校 3", "名单对不上 4"]
    expect(page.locator(".case").first).to_contain_text("学生走失")
    late = page.locator(".case-escort_late")
    expect(late).to_contain_text("李慧 负责")
    expect(late.get_by_role("button")).to_have_count(0)  # gone when the lists agree, closed by nobody


def test_what_was_typed_about_a_child_survives_news_about_others(stage: Stage, show: Opener) -> None:
    stage.views["duty"] = duty_views.everything()
    page = show("duty")
    place = page.locator(".case-locate").get_by_label("地点")
    place.fill("三楼")
    stage.show("duty", replace(duty_views.everything(), cases=duty_views.everything().cases[2:]))
    expect(page.locator(".group-uncollected .case")).to_have_count(1)
    expect(place).to_have_value("三楼")
    expect(place).to_be_focused()


def test_boarders_are_counted_apart(stage: Stage, show: Opener) -> None:
    stage.views["duty"] = duty_views.ready()
    page = show("duty")
    expect(page.locator("#duty-clear")).to_contain_text("住校生 46 人在宿舍，由生活老师负责，不计入")
    expect(page.locator("[data-act=clear_campus]")).to_be_enabled()


def test_what_is_printed_has_the_telephones_and_nothing_to_press(stage: Stage, show: Opener) -> None:
    stage.views["duty"] = duty_views.everything()
    page = show("duty")
    page.emulate_media(media="print")
    case = page.locator(".group-uncollected .case").first
    expect(case.locator(".guardian-who").first).to_contain_text("138 0013 8000")
    expect(page.locator("#duty-emergency")).to_be_hidden()
    expect(page.locator(".log").first).to_be_hidden()
