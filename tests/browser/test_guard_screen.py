"""The guard's page in a real browser: one hand, a queue behind the window, and a line that may be cut."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.faces import sample_views as sample


def choose(page: Page, name: str) -> None:
    page.locator(".line-link").filter(has_text=name).click()


def looked_at(item: Locator) -> None:
    """The photo matches and the child knows the person."""
    item.get_by_label("照片一致").check()
    item.get_by_label("孩子认识接送人").check()


def said(page: Page) -> None:
    expect(page.locator("[data-said]:not(:empty)").locator("visible=true").first).to_be_visible()


def test_the_newest_is_open_and_a_press_releases(stage: Stage, show: Opener) -> None:
    page = show("guard")
    expect(page.locator("#item-q41")).to_be_visible()
    release = page.locator("#item-q41 [data-guard=release]")
    expect(release).to_be_disabled()
    expect(page.locator("#item-q41 [data-still]")).to_have_text("还需：照片一致 · 孩子认识接送人")
    looked_at(page.locator("#item-q41"))
    expect(release).to_be_enabled()
    release.click()
    expect(page.locator("#item-q41 [data-said]")).to_have_text("已完成")
    body = {
        "children": [1001],
        "collector": 5001,
        "access_point": "east-desk",
        "verified": ["card", "photo", "child_recognises"],
    }
    assert stage.posted == [("release", body)]


def test_siblings_go_together_and_one_who_may_not_stays(stage: Stage, show: Opener) -> None:
    page = show("guard")
    both = sample.queue_item("q50", "韩丽", (sample.pickup(25, relation="母亲"), sample.pickup(26, relation="母亲")), person=5050)
    stage.show("guard", replace(sample.guard(), queue=(both, *sample.guard().queue)))
    choose(page, "韩丽")
    item = page.locator("#item-q50")
    looked_at(item)
    expect(item.locator("[data-guard=release]")).to_have_text("放行 2 人")
    item.get_by_label("接走 唐子墨").uncheck()
    expect(item.locator("[data-guard=release]")).to_have_text("放行")
    item.locator("[data-guard=release]").click()
    said(page)
    assert stage.posted[-1][1]["children"] == [1025]
    choose(page, "宋丽娟")
    expect(page.get_by_label("接走 宋承悦")).to_be_disabled()


def test_a_stale_list_asks_for_a_second_person(stage: Stage, show: Opener) -> None:
    page = show("guard")
    choose(page, "曾伟")
    item = page.locator("#item-q38")
    item.get_by_label("照片一致").check()
    item.get_by_label("已打电话核实").check()
    expect(item.locator("[data-guard=release]")).to_be_disabled()
    expect(item.locator("[data-still]")).to_have_text("还需：第二人确认")
    item.get_by_label("工号").fill("T0017")
    item.get_by_label("PIN").fill("2468")
    item.locator("[data-guard=release]").click()
    said(page)
    body = stage.posted[-1][1]
    assert (body["second_staff_number"], body["second_pin"]) == ("T0017", "2468")
    assert set(body["verified"]) == {"card", "photo", "call_back"}


def test_a_refusal_names_its_reason_by_a_chip(stage: Stage, show: Opener) -> None:
    page = show("guard")
    item = page.locator("#item-q41")
    item.get_by_role("button", name="不放行").click()
    expect(item.locator("[data-guard=refuse]")).to_be_disabled()
    item.get_by_role("radio", name="与照片不符").check()
    item.get_by_label("补充说明").fill("戴帽子")
    item.get_by_role("button", name="记录不放行").click()
    said(page)
    name, body = stage.posted[-1]
    assert name == "refuse"
    assert (body["reason"], body["description"], body["queue_id"]) == ("photo_differs", "戴帽子", "q41")


def test_what_the_gate_answers_is_said_in_place(stage: Stage, show: Opener) -> None:
    stage.answers["release"] = {"outcome": "refused", "reason": "step_refused", "words": "情况已变，请看最新状态"}
    page = show("guard")
    looked_at(page.locator("#item-q41"))
    page.locator("#item-q41 [data-guard=release]").click()
    place = page.locator("#item-q41 [data-said]")
    expect(place).to_have_text("情况已变，请看最新状态")
    expect(place).to_have_attribute("data-outcome", "refused")


def test_a_restricted_person_is_neutral_until_held_by_finger_or_key(show: Opener) -> None:
    page = show("guard")
    choose(page, "冯志强")
    item = page.locator("#item-q37")
    expect(item.get_by_text("请稍候，正在核对信息")).to_be_visible()
    expect(item.get_by_text("禁止接送")).to_be_hidden()
    expect(item.locator("[data-guard=release]")).to_have_count(0)
    button, detail = item.get_by_role("button", name="按住查看详情"), item.locator(".held-detail")
    button.click()
    expect(detail).to_be_hidden()
    button.hover()
    page.mouse.down()
    expect(detail).to_be_visible()
    page.mouse.up()
    page.evaluate("document.querySelector('#held-q37').hidden = true")
    button.focus()
    page.keyboard.down("Enter")
    expect(detail).to_be_visible()
    page.keyboard.up("Enter")


def test_a_new_arrival_never_takes_the_page_away(stage: Stage, show: Opener) -> None:
    page = show("guard")
    choose(page, "曾伟")
    page.locator("#item-q38").get_by_label("已打电话核实").check()
    newcomer = sample.queue_item("q99", "马建军", (sample.pickup(19, relation="父亲"),), person=5009)
    stage.show("guard", replace(sample.guard(), queue=(newcomer, *sample.guard().queue)))
    expect(page.locator(".line-link").first).to_contain_text("马建军")
    expect(page.locator("#item-q38")).to_be_visible()
    expect(page.locator("#item-q38").get_by_label("已打电话核实")).to_be_checked()


def test_ticks_and_typed_words_survive_news_about_the_same_person(stage: Stage, show: Opener) -> None:
    page = show("guard")
    item = page.locator("#item-q41")
    looked_at(item)
    item.get_by_role("button", name="不放行").click()
    item.get_by_label("补充说明").fill("说是舅舅")
    moved = sample.queue_item("q41", "王建平", (sample.pickup(1, relation="祖父", place="门卫室"),))
    stage.show("guard", replace(sample.guard(), queue=(moved, *sample.guard().queue[1:])))
    expect(item.locator(".whereabouts")).to_contain_text("门卫室")
    expect(item.get_by_label("孩子认识接送人")).to_be_checked()
    expect(item.get_by_label("补充说明")).to_have_value("说是舅舅")
    expect(item.get_by_label("补充说明")).to_be_focused()
    expect(item.locator("[data-guard=release]")).to_be_enabled()


def test_when_the_person_has_gone_the_next_is_shown(stage: Stage, show: Opener) -> None:
    page = show("guard")
    stage.show("guard", replace(sample.guard(), queue=sample.guard().queue[1:]))
    expect(page.locator("#item-q40")).to_be_visible()
    stage.show("guard", replace(sample.guard(), queue=()))
    expect(page.locator("#nothing").get_by_text("门口没有人等候")).to_be_visible()


def test_a_release_is_never_kept_for_later(stage: Stage, show: Opener) -> None:
    page = show("guard")
    looked_at(page.locator("#item-q41"))
    page.context.set_offline(True)
    page.locator("#item-q41 [data-guard=release]").click()
    expect(page.locator("#item-q41 [data-said]")).to_contain_text("不能放行")
    page.context.set_offline(False)
    page.wait_for_timeout(300)
    assert stage.posted == []


def test_a_claim_without_a_card_is_confirmed_by_sight(stage: Stage, show: Opener) -> None:
    page = show("guard")
    choose(page, "周若曦")
    page.get_by_role("button", name="是本人", exact=True).click()
    said(page)
    assert stage.posted == [("confirm_identity", {"claim": "claim-7", "same_person": True})]


def test_somebody_without_a_card_is_found_by_name_and_released(stage: Stage, show: Opener) -> None:
    page = show("guard")
    page.get_by_label("查找学生或接送人").fill("王")
    page.locator(".hit").filter(has_text="三(2)班").click()
    found = page.locator("#found")
    expect(found.get_by_role("heading", name="王小明")).to_be_visible()
    found.locator("summary").filter(has_text="王海峰").click()
    found.locator("[data-collector='5011'] [data-guard=release]").click()
    said(page)
    name, body = stage.posted[-1]
    assert (name, body["children"], body["collector"], body["access_point"]) == ("release", [1001], 5011, "east-desk")
    assert body["verified"] == ["photo"]


def test_nobody_found_says_what_else_to_try(show: Opener) -> None:
    page = show("guard")
    page.get_by_label("查找学生或接送人").fill("钱钱钱")
    expect(page.get_by_text("没有找到“钱钱钱”")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#search-results")).to_be_hidden()


def test_on_a_phone_the_person_covers_the_queue_and_back_returns(show: Opener) -> None:
    page = show("guard", size="phone")
    expect(page.locator("#item-q41")).to_be_hidden()
    choose(page, "王建平")
    expect(page.locator("#item-q41")).to_be_visible()
    page.locator("#item-q41").get_by_role("button", name="返回").click()
    expect(page.locator("#item-q41")).to_be_hidden()


def test_everything_can_be_reached_by_keyboard(show: Opener) -> None:
    page = show("guard")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator(".line-link").nth(1).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    outline = page.locator(".line-link").nth(1).evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#item-q40")).to_be_visible()
    expect(page.locator("#item-q40 h2")).to_be_focused()


def test_a_cut_line_is_a_state_of_the_page_and_heals(stage: Stage, show: Opener) -> None:
    page = show("guard")
    choose(page, "曾伟")
    stage.stop()
    expect(page.locator("#link-strip")).to_contain_text("连接断开，正在重连")
    expect(page.locator("#item-q38")).to_be_visible()
    stage.views["guard"] = replace(sample.guard(), on_campus=600)
    stage.start()
    expect(page.locator("#link-strip")).to_contain_text("已重新连接", timeout=20_000)
    expect(page.locator("#guard-counts")).to_contain_text("600")
    expect(page.locator("#item-q38")).to_be_visible()
