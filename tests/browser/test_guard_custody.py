"""The guard's side of custody on a running gate: the watch, second counts, undo, a hold, an exceptional release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.core import commands as c
from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.browser.test_real_gate import live, signed_in
from tests.faces import sample_views as sample
from tests.faces import watch_views
from tests.web.gate_online import PIN, Online, online


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path) as running:
        yield running


def on_watch(gate: Online, name: str = "赵师傅") -> None:
    """Whoever is named begins the first watch of the day at the east gate."""
    guard = gate.school.number(name)
    gate.school.ask(c.OfferShift(gate="east", taker=guard, by=guard))


def at_the_gatehouse(gate: Online, child: str, teacher: str, guard: str = "赵师傅") -> None:
    offer = gate.school.offer([child], teacher, guard, kind="to_gatehouse", place="门卫室")
    assert gate.school.accept(offer, guard, 1).decision.outcome == "granted"


def escort_on_its_way(gate: Online, *children: str, teacher: str) -> None:
    numbers = tuple(map(gate.school.number, children))
    by = gate.school.number(teacher)
    start = c.StartEscort(children=numbers, gate="east", counted=len(numbers), by=by)
    assert gate.school.ask(start).decision.outcome == "granted"


def open_child(page: Page, initials: str, name: str) -> None:
    page.get_by_label("查找学生或接送人").press_sequentially(initials, delay=120)
    page.locator("button.hit").filter(has_text=name).click()
    expect(page.locator("#found").get_by_role("heading", name=name)).to_be_visible()


def second_person(scope: Page, staff_number: str, pin: str = PIN) -> None:
    second = scope.locator(".second").locator("visible=true")
    second.get_by_label("工号").fill(staff_number)
    second.get_by_label("PIN").fill(pin)


def test_the_first_guard_of_the_day_begins_the_watch(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "G1", "/guard/east")
    expect(page.locator("#guard-watch")).to_contain_text("还没有人值守")
    page.get_by_role("button", name="我来值守").click()
    expect(page.locator("#guard-watch")).to_contain_text("赵师傅")
    expect(page.locator("#guard-watch").get_by_role("link", name="交接班")).to_be_visible()
    shift = gate.school.gate.world.campus.shift("east")
    assert shift is not None and shift.guard == gate.school.number("赵师傅")


def test_the_watch_changes_hands_with_the_children_at_the_gatehouse(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    on_watch(gate)
    gate.school.at("15:40")
    at_the_gatehouse(gate, "王小明", "张老师")
    giver = signed_in(new_page, gate, "G1", "/guard/east")
    taker = signed_in(new_page, gate, "G2", "/guard/east", size="phone")
    expect(taker.locator("#guard-watch").get_by_role("link", name="交接班")).to_be_hidden()  # not his watch
    giver.get_by_role("link", name="交接班").click()
    expect(giver.locator("#item-shift")).to_contain_text("王小明")
    giver.get_by_role("radio", name="钱师傅").check()
    giver.get_by_role("button", name="请对方接班").click()
    expect(giver.locator("#guard-watch")).to_contain_text("等 钱师傅 接班")
    expect(giver.locator("#guard-tasks")).to_be_hidden()
    taker.locator("#guard-tasks .line-link").filter(has_text="赵师傅 请您接班").click()
    page = taker.locator("#item-shift")
    expect(page.locator(".figure").filter(has_text="在校学生")).to_contain_text("1")
    page.get_by_role("button", name="接班 · 接收 1 人").click()
    expect(taker.locator("#link-strip")).to_have_text("已接班")
    for screen in (giver, taker):
        expect(screen.locator("#guard-watch")).to_contain_text("钱师傅")
    assert gate.school.custodian("王小明") == "钱师傅"
    assert [e.kind for e in gate.school.entries()[-2:]] == ["handover_accepted", "shift_accepted"]


def test_a_watch_that_nobody_takes_stays_and_the_giver_is_told(gate: Online, new_page: Opener) -> None:
    on_watch(gate)
    giver, taker = gate.school.number("赵师傅"), gate.school.number("钱师傅")
    gate.school.ask(c.OfferShift(gate="east", taker=taker, by=giver))
    page = signed_in(new_page, gate, "G1", "/guard/east")
    other = signed_in(new_page, gate, "G2", "/guard/east")
    gate.school.at("07:55")
    expect(page.locator(".watch-back")).to_have_text("钱师傅 没有在时限内接班，仍由您值守")
    expect(other.locator("#guard-watch")).to_contain_text("赵师傅")
    expect(other.locator(".watch-back")).to_be_hidden()


def test_an_escort_is_counted_again_at_the_gate_and_who_stays_is_named(gate: Online, new_page: Opener) -> None:
    for name in ("王小明", "小妹妹"):
        gate.school.tap(name, "east-in")
    gate.school.at("15:32")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    escort_on_its_way(gate, "王小明", "小妹妹", teacher="张老师")
    page.locator("#guard-tasks .line-link").filter(has_text="护送 2 人").click()
    button = page.get_by_role("button", name="到门口")
    expect(button).to_have_text("到门口 2 人")
    child = page.locator(".count-child").filter(has_text="小妹妹")
    child.locator("[data-away]").check(force=True)
    expect(button).to_be_disabled()  # nobody has said where she is
    child.get_by_role("radio", name="留下").check()
    expect(button).to_have_text("到门口 1 人+ 1 例外")
    button.click()
    expect(page.locator("#guard-tasks")).to_be_hidden()
    arrived = gate.school.entries("escort_arrived")[-1].body
    assert (arrived["counted"], arrived["exceptions"]) == (1, [[gate.school.number("小妹妹"), "stays"]])
    assert gate.school.custodian("王小明") == "张老师"
    assert gate.school.child("王小明").place == "东门候接区"


def test_children_handed_to_the_gatehouse_are_counted_and_one_is_missing(gate: Online, new_page: Opener) -> None:
    for name in ("王小明", "小妹妹"):
        gate.school.tap(name, "east-in")
    on_watch(gate)
    gate.school.at("15:58")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    colleague = signed_in(new_page, gate, "G2", "/guard/east")
    gate.school.offer(["王小明", "小妹妹"], "张老师", "赵师傅", kind="to_gatehouse", place="门卫室")
    for screen in (page, colleague):
        screen.locator("#guard-tasks .line-link").filter(has_text="交来 2 人").click()
    expect(colleague.locator(".detail:not([hidden])")).to_contain_text("由 赵师傅 接收")
    child = page.locator(".count-child").filter(has_text="小妹妹")
    child.locator("[data-away]").check(force=True)
    child.get_by_role("radio", name="没找到").check()
    page.get_by_role("button", name="接收 1 人").click()
    expect(page.locator("#guard-held")).to_contain_text("王小明")
    assert gate.school.custodian("王小明") == "赵师傅"
    assert gate.school.custodian("小妹妹") == "张老师"
    assert gate.school.child("小妹妹").search is not None
    page.locator("#guard-held .line-link").click()
    held = page.locator("#item-held-1")
    expect(held.locator(".ladder")).to_be_visible()
    held.locator(".guardian").filter(has_text="王妈妈").get_by_role("button", name="未接").click()
    expect(held.locator(".calls")).to_contain_text("王妈妈：未接")


def test_a_release_is_taken_back_within_seconds_and_corrected_after(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:35")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    colleague = signed_in(new_page, gate, "G2", "/guard/east")
    open_child(page, "wxm", "王小明")
    page.locator("summary").filter(has_text="王妈妈").click()
    scope = page.locator(".adult-row[open]")
    for box in scope.locator("[name=verified]").locator("visible=true").all():
        box.check()
    scope.locator("[data-guard=release]").click()
    strip = page.locator(".undo")
    expect(strip).to_contain_text("王小明")
    expect(colleague.locator(".undo")).to_be_hidden()  # only who pressed takes it back
    strip.get_by_role("button", name="撤销").click()
    expect(page.locator("#link-strip")).to_have_text("已撤销，孩子仍在校")
    assert gate.school.custodian("王小明") == "张老师"


def test_later_the_record_is_corrected_by_two_of_whom_one_leads(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:35")
    gate.school.release(["王小明"], "王妈妈", "photo", "call_back", "id_seen", second="张老师")
    gate.school.at("15:37")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    open_child(page, "wxm", "王小明")
    page.locator("[data-form-of=correct] summary").click()
    form = page.locator("[data-form=correct]")
    expect(form.get_by_role("radio", name="仍在校，误记离校")).to_be_checked()
    form.get_by_label("原因").fill("人还在候接区，放错了人")
    second_person(form, "T1")
    form.get_by_role("button", name="提交更正").click()
    expect(form.locator("[data-said]")).to_have_text("两人中须有一位值班领导")
    second_person(form, "L1")
    form.get_by_role("button", name="提交更正").click()
    expect(form.locator("[data-said]")).to_have_text("已完成")
    assert gate.school.custodian("王小明") == "张老师"
    assert gate.school.entries("correction")[-1].body["second"] == gate.school.number("孙主任")


def test_while_a_child_is_lost_everybody_is_verified_and_the_guard_lets_go(gate: Online, new_page: Opener) -> None:
    for name in ("王小明", "韩梅", "小妹妹"):
        gate.school.tap(name, "east-in")
    gate.school.at("17:35")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    leader, lost = gate.school.number("孙主任"), gate.school.number("小妹妹")
    gate.school.ask(c.OpenLocate(child=lost, by=leader, note="洗手间也没有"))
    gate.school.ask(c.DeclareIncident(child=lost, by=leader))
    expect(page.locator(".bar-hold")).to_contain_text("正在寻找学生（一(1)班），逐人核对")
    gate.tap("王妈妈", "east-desk")
    mother = page.locator("#guard-details > .detail").first
    expect(mother.locator(".asked")).to_contain_text("正在寻找学生，逐人核对后放行")
    for words in ("照片一致", "孩子认识接送人", "已查看身份证件"):
        expect(mother.get_by_label(words)).to_be_visible()
    lane = live(new_page(f"{gate.base}/display/east-out", size="portrait"))
    assert gate.tap("韩梅", "east-out")["outcome"] == "ask_guard"
    expect(lane.locator("#answer")).to_have_attribute("data-state", "look")
    page.locator("#guard-queue .line-link").filter(has_text="韩梅").click()
    page.get_by_role("button", name="本人核对无误，放行").click()
    expect(lane.locator("#answer")).to_have_attribute("data-state", "granted")
    expect(page.locator("#guard-queue")).not_to_contain_text("韩梅")
    released = gate.school.entries("released")[-1].body
    assert (released["mode"], released["guard"]) == ("alone", gate.school.number("赵师傅"))
    gate.school.ask(c.Located(child=lost, place="美术室", by=leader))
    gate.school.at("17:36")
    expect(page.locator(".bar-hold")).to_have_count(0)


def test_an_adult_on_no_list_goes_with_the_child_by_two_of_whom_one_leads(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:45")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    open_child(page, "wxm", "王小明")
    page.locator("[data-form-of=exceptional] summary").click()
    form = page.locator("[data-form=release_exceptionally]")
    form.get_by_role("button", name="下一步").click()
    expect(form.locator("[data-step-part='2']")).to_be_hidden()  # nothing is said yet
    form.get_by_label("姓名").fill("刘德海")
    form.get_by_label("与孩子的关系").fill("舅舅")
    form.get_by_label("证件后四位").fill("123X")
    form.get_by_label("为什么放行").fill("母亲住院，电话委托")
    for words in ("已打电话核实", "孩子认识接送人"):
        form.get_by_label(words).check()
    form.get_by_role("button", name="下一步").click()
    expect(form.locator("[data-summary]")).to_have_text("刘德海 · 舅舅 · 123X")
    second_person(form, "G2")
    form.get_by_role("button", name="两人确认，特殊放行").click()
    expect(form.locator("[data-said]")).to_have_text("两人中须有一位值班领导")
    second_person(form, "L1")
    form.get_by_role("button", name="两人确认，特殊放行").click()
    expect(form.locator("[data-said]")).to_have_text("已由接送人接走")
    released = gate.school.entries("released")[-1].body
    assert (released["mode"], released["id_last4"], released["second"]) == ("exceptional", "123X", gate.school.number("孙主任"))
    assert [case.kind for case in gate.school.duty().cases] == ["exceptional_release"]


def test_a_restricted_father_looked_up_by_name_reads_the_same_as_any_delay(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:35")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    open_child(page, "wxm", "王小明")
    row = page.locator(".adult-row").filter(has_text="王爸爸")
    expect(row.locator("summary")).to_contain_text("请稍候，正在核对信息")
    row.locator("summary").click()
    expect(row.locator("[data-guard=release]")).to_have_count(0)
    expect(page.locator("#found").get_by_text("禁止接送")).to_have_count(0)
    expect(row.locator(".held-detail")).to_be_hidden()


def test_a_count_waits_on_the_tablet_while_the_line_is_cut_and_a_release_does_not(gate: Online, new_page: Opener) -> None:
    gate.school.tap("王小明", "east-in")
    gate.school.at("15:32")
    escort_on_its_way(gate, "王小明", teacher="张老师")
    page = signed_in(new_page, gate, "G1", "/guard/east")
    page.locator("#guard-tasks .line-link").click()
    page.context.set_offline(True)
    page.get_by_role("button", name="到门口").click()
    expect(page.locator("#queue-strip")).to_be_visible()
    assert gate.school.entries("escort_arrived") == []
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#guard-tasks")).to_be_hidden(timeout=20_000)
    assert gate.school.entries("escort_arrived")[-1].body["counted"] == 1


# --- on the stage ----------------------------------------------------------------------------------------------


def test_when_the_seconds_are_over_the_strip_leads_to_the_correction(stage: Stage, show: Opener) -> None:
    view = watch_views.just_released()
    late = tuple(replace(one, until_ms=sample.NOW - 1_000) for one in view.undoable)
    stage.views["guard"] = replace(view, undoable=late)
    page = show("guard")
    expect(page.locator(".undo-press").first).to_be_hidden()
    page.get_by_role("button", name="更正", exact=True).first.click()
    expect(page.locator("[data-form=correct]")).to_be_visible()


def test_a_pass_is_released_by_its_own_number_and_a_used_one_is_only_refused(stage: Stage, show: Opener) -> None:
    stage.views["guard"] = watch_views.passes()
    page = show("guard")
    good = page.locator("#item-q70")
    expect(good).to_contain_text("证件尾号 318X")
    for words in ("孩子认识接送人", "已查看身份证件"):
        good.get_by_label(words).check()
    good.locator("[data-guard=release]").click()
    expect(good.locator("[data-said]")).to_have_text("已完成")
    name, body = stage.posted[-1]
    assert (name, body["collector"], body["pass_id"]) == ("release", 0, "P-1")
    assert body["verified"] == ["child_recognises", "id_seen"]  # there is no photo of the delegate to compare
    page.locator(".line-link[data-item=q71]").click()
    used = page.locator("#item-q71")
    expect(used).to_contain_text("代接凭证已用过")
    expect(used.locator("[data-guard=release]")).to_have_count(0)
    expect(used.get_by_role("button", name="不放行")).to_be_visible()
