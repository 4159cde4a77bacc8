"""The teacher's page in a real browser: ten seconds for 45 children, one hand, and a line that may be cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.faces import sample_views as sample
from tests.faces.roster_views import ending, mine, returned, searching, two_offers


def row(page: Page, seat: int) -> Locator:
    return page.locator(f"#row-{1000 + seat}")


def mark(page: Page, seat: int, word: str) -> None:
    row(page, seat).get_by_role("radio", name=word, exact=True).check()


def press(page: Page) -> None:
    page.locator("#roster-act .big-go").click()


def why(page: Page, reason: str) -> None:
    """Names the reason for the child who is asked about."""
    page.locator("#sheet .whys").get_by_role("button", name=reason).click()


def confirm(page: Page) -> None:
    page.locator("#sheet [data-go]").click()


def posted(stage: Stage, page: Page) -> list[tuple[str, dict[str, Any]]]:
    expect(page.locator("#roster-act [data-said]")).not_to_be_empty()
    return stage.posted


def test_a_class_is_taken_over_with_its_count_and_each_exception_named(stage: Stage, show: Opener) -> None:
    page = show("roster/x", size="phone")
    expect(page.locator("#roster-act .big-go")).to_have_text("接收班级 41+ 4 例外")
    mark(page, 2, "未到")
    expect(page.locator("#roster-act .big-go")).to_have_text("接收班级 40+ 5 例外")
    press(page)
    expect(page.get_by_text("李思远 在哪里？")).to_be_visible()  # who is on leave or never came needs no words
    why(page, "去洗手间")
    expect(page.get_by_text("周若曦 在哪里？")).to_be_visible()
    why(page, "还在路上")
    expect(page.get_by_text("冯晓彤 在哪里？")).to_be_visible()
    assert stage.posted == []
    why(page, "没找到")
    expect(page.get_by_label("您数到")).to_have_value("40")
    confirm(page)
    expect(page.locator("#roster-act [data-said]")).to_have_text("已开始寻找 冯晓彤")
    name, body = stage.posted[0]
    assert (name, body["roster"], body["counted"]) == ("take_group", "session:S101", 40)
    assert body["exceptions"] == {
        "1002": "toilet", "1009": "on_the_way", "1014": "leave_sick", "1027": "missing", "1031": "not_arrived",
    }  # fmt: skip


def test_a_count_that_differs_is_not_sent_until_somebody_is_named(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = ending()
    page = show("roster/x", size="phone")
    press(page)
    page.get_by_role("button", name="少一人").click()
    expect(page.get_by_text("少 1 人：请点出不在的学生")).to_be_visible()
    expect(page.locator("#sheet [data-go]")).to_be_disabled()
    page.locator('[data-tile="1003"]').click()
    why(page, "在医务室")
    expect(page.locator("#sheet [data-go]")).to_have_text("交出 11 人+ 1 例外")
    confirm(page)
    name, body = posted(stage, page)[0]
    assert (name, body["kind"], body["taker"], body["counted"], len(body["children"])) == ("offer", "to_session", 9031, 11, 11)
    assert body["exceptions"] == {"1003": "sick_room"}


def test_news_from_the_gate_do_not_move_an_open_count(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = ending()
    page = show("roster/x", size="phone")
    press(page)
    page.locator('[data-tile="1003"]').click()
    stage.show("roster", returned())
    expect(page.locator("#roster-returned")).to_be_attached()
    expect(page.get_by_text("张雨桐 在哪里？")).to_be_visible()
    stage.answers["offer"] = {"outcome": "refused", "reason": "step_refused", "words": "情况已变，请看最新状态"}
    why(page, "没找到")
    confirm(page)
    expect(page.locator("#sheet [data-said]")).to_contain_text("情况已变，请看最新状态。名单变了，请重新清点")


def test_the_row_under_the_thumb_stays_when_something_appears_above(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = mine()
    page = show("roster/x", size="phone")
    mark(page, 5, "迟到")
    before = row(page, 5).bounding_box()
    stage.show("roster", replace(two_offers(), rows=mine().rows, searches=searching().searches))
    expect(page.locator("#roster-incoming")).to_contain_text("张伟 交来 41 人")
    after = row(page, 5).bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2
    stage.show("roster", mine())
    expect(page.locator("#roster-incoming")).to_be_hidden()
    again = row(page, 5).bounding_box()
    assert again and abs(before["y"] - again["y"]) < 2


def test_a_button_that_has_just_changed_is_not_pressed(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(taken=True)
    page = show("roster/x", size="phone")
    # The press is in the same breath as the change: the thumb was on its way to the old button.
    page.evaluate(
        """document.addEventListener("piece", ({ detail }) => {
          if (detail.dataset.moment === "accept") setTimeout(() => detail.querySelector(".big-go").click());
        })"""
    )
    stage.show("roster", two_offers())
    expect(page.locator("#roster-act")).to_have_attribute("data-moment", "accept")
    assert page.locator("#sheet").is_hidden()
    press(page)  # a moment later it may be
    expect(page.get_by_role("heading", name="接收 张伟 交来的学生")).to_be_visible()


def test_a_child_is_looked_for_and_found_from_the_top_of_the_page(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = searching()
    page = show("roster/x", size="phone")
    expect(page.locator("#roster-searches")).to_contain_text("最后：16:12 操场 · 张伟")
    page.get_by_role("button", name="找到了").first.click()
    page.get_by_role("button", name="医务室").click()
    expect(page.locator("#sheet")).to_be_hidden()
    page.get_by_role("button", name="找不到").first.click()
    assert [name for name, _ in stage.posted] == ["located"]
    with page.expect_response("**/act/declare_incident"):  # 已完成 stands there from the press before
        page.get_by_role("button", name="再按一次确认").click()
    assert stage.posted == [("located", {"child": 1009, "place": "医务室"}), ("declare_incident", {"child": 1009})]


def test_everything_about_one_child_is_a_tap_on_the_name_away(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = mine()
    page = show("roster/x", size="phone")
    row(page, 5).get_by_role("button", name="陈浩然：更多操作").click()
    sheet = page.locator("#sheet")
    expect(sheet.get_by_role("link", name="代接")).to_have_attribute("href", "/delegate/1005")
    sheet.get_by_text("出门条", exact=True).click()
    sheet.get_by_label("从", exact=True).fill("16:40")
    sheet.get_by_label("到", exact=True).fill("17:10")
    sheet.get_by_role("radio", name="事假").check()
    sheet.get_by_role("button", name="开出门条").click()
    expect(sheet.locator("[data-form=leave_slip] [data-said]")).to_have_text("已完成")
    name, body = stage.posted[0]
    assert (name, body["child"], body["kind"], body["alone"]) == ("leave_slip", 1005, "leave_personal", False)
    assert body["to_ms"] - body["from_ms"] == 30 * 60_000
    sheet.get_by_role("button", name="请病假").click()
    expect(sheet.locator("[data-form=excuse] [data-said]")).to_have_text("已完成")
    sheet.get_by_role("button", name="报告找不到").click()
    sheet.get_by_role("button", name="再按一次确认").click()
    expect(sheet).to_be_hidden()
    assert [name for name, _ in stage.posted][1:] == ["excuse", "open_locate"]


def test_the_roll_is_called_with_every_mark(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(taken=True)
    page = show("roster/x", size="phone")
    mark(page, 9, "迟到")
    press(page)
    name, body = posted(stage, page)[0]
    assert (name, len(body["marks"])) == ("call_roll", 45)
    assert (body["marks"]["1009"], body["marks"]["1014"], body["marks"]["1001"]) == ("late", "leave_sick", "present")
    assert page.evaluate("localStorage.length") == 0


def test_undo_is_in_place(stage: Stage, show: Opener) -> None:
    page = show("roster/x", size="phone")
    mark(page, 3, "请假")
    expect(row(page, 3)).to_have_attribute("data-now", "leave_personal")
    row(page, 3).get_by_role("button", name="撤销").click()
    expect(row(page, 3)).to_have_attribute("data-now", "present")
    expect(row(page, 3).get_by_role("button", name="撤销")).to_be_hidden()


def test_marks_survive_a_reload_and_news_from_the_gate(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(taken=True)
    page = show("roster/x", size="phone")
    mark(page, 4, "迟到")
    page.reload()
    page.wait_for_selector("html[data-link=live]")
    expect(row(page, 4)).to_have_attribute("data-now", "late")
    before = sample.roster(taken=True)
    rows = tuple(
        replace(each, line=replace(each.line, last_seen_ms=sample.at("16:36"), place="操场")) if each.line.seat == 4 else each
        for each in before.rows
    )
    stage.show("roster", replace(before, rows=rows))
    expect(row(page, 4)).to_contain_text("16:36 在 操场")
    expect(row(page, 4)).to_have_attribute("data-now", "late")


def test_a_tap_changes_its_row_and_no_row_moves(stage: Stage, show: Opener) -> None:
    page = show("roster/x", size="phone")
    before = page.eval_on_selector_all("#roster-rows > li", "rows => rows.map(r => r.id)")
    expect(page.locator("#roster-looking li")).to_have_count(2)
    old = sample.roster()
    rows = tuple(replace(r, here=True, missing_since_ms=None) if r.line.seat == 9 else r for r in old.rows)
    stage.show("roster", replace(old, rows=rows, present=42, missing=2, takeable=(*old.takeable, 1009)))
    expect(page.locator("#roster-looking li")).to_have_count(1)
    expect(row(page, 9)).to_have_attribute("data-now", "present")
    expect(page.locator("#roster-act .big-go")).to_have_text("接收班级 42+ 3 例外")
    assert page.eval_on_selector_all("#roster-rows > li", "rows => rows.map(r => r.id)") == before


def test_the_timer_of_a_missing_child_runs(show: Opener) -> None:
    page = show("roster/x", size="phone", clock_at=0)
    timer = page.locator("#roster-looking time").first
    before = timer.text_content()
    page.clock.run_for(2_000)
    assert timer.text_content() != before


def test_a_roll_call_without_a_line_waits_in_sight_and_is_sent_later(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(taken=True)
    page = show("roster/x", size="phone")
    page.context.set_offline(True)
    press(page)
    expect(page.locator("#queue-strip")).to_contain_text("1 项已存在本机")
    mark(page, 5, "迟到")
    press(page)
    expect(page.locator("#queue-strip")).to_contain_text("1 项已存在本机")  # the later roll call replaces the earlier
    assert stage.posted == []
    page.context.set_offline(False)
    expect(page.locator("#queue-strip")).to_be_hidden(timeout=20_000)
    name, body = stage.posted[0]
    assert (name, body["marks"]["1005"], len(stage.posted)) == ("call_roll", "late", 1)
    assert abs(body["meant_ms"] - sample.at("16:37")) < 120_000


def test_an_offer_without_a_line_is_noted_once_and_its_button_says_so(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = ending()
    page = show("roster/x", size="phone")
    page.context.set_offline(True)
    for _ in range(2):
        press(page)
        confirm(page)
        expect(page.locator("#roster-act .big-go")).to_have_attribute("data-waiting", "")
    expect(page.locator("#queue-strip .queue-item")).to_have_count(1)
    page.locator("#queue-strip").get_by_role("button", name="撤回").click()
    expect(page.locator("#queue-strip")).to_be_hidden()
    assert page.locator("#roster-act .big-go[data-waiting]").count() == 0
    page.context.set_offline(False)
    assert stage.posted == []


def test_what_waited_is_still_there_after_the_page_was_closed(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(taken=True)
    page = show("roster/x", size="phone")
    page.route("**/act/**", lambda route: route.abort())
    press(page)
    expect(page.locator("#queue-strip")).to_be_visible()
    page.unroute("**/act/**")
    page.reload()
    expect(page.locator("#queue-strip")).to_be_hidden()
    assert [name for name, _ in stage.posted] == ["call_roll"]


def test_an_offered_group_is_accepted_with_its_count(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.offered_roster()
    page = show("roster/x", size="phone")
    mark(page, 6, "未到")
    expect(page.locator("#roster-act .big-go")).to_have_text("接收 40 人+ 1 例外")
    page.get_by_role("button", name="清点并接收").click()
    why(page, "在别的老师处")
    expect(page.get_by_text("没数到的学生仍由 张伟 负责")).to_be_visible()
    confirm(page)
    name, body = posted(stage, page)[0]
    assert (name, body["handover"], body["counted"]) == ("accept", "H7", 40)
    assert body["exceptions"] == {"1006": "with_teacher"}


def test_an_offer_is_declined_by_a_second_press(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = two_offers()
    page = show("roster/x", size="phone")
    page.get_by_role("button", name="不接收").last.click()
    assert stage.posted == []
    page.get_by_role("button", name="再按一次确认").click()
    assert posted(stage, page) == [("decline", {"handover": "H8"})]


def test_whatever_the_timetable_does_not_foresee_is_in_the_menu(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = ending()
    page = show("roster/x", size="phone")
    page.get_by_role("button", name="其他交接").click()
    page.locator("#sheet").get_by_role("button", name="交给同事看管").click()
    page.get_by_role("searchbox").fill("刘")
    page.get_by_role("button", name="刘洋").click()
    confirm(page)
    name, body = posted(stage, page)[0]
    assert (name, body["kind"], body["taker"], body["counted"]) == ("offer", "between_slots", 9042, 41)


def test_a_changed_mark_after_the_roll_call_can_be_sent(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(called=True, taken=True)
    page = show("roster/x", size="phone")
    expect(page.locator("[data-update]")).to_be_hidden()
    mark(page, 9, "到")
    expect(page.locator("[data-update]")).to_contain_text("1 处改动未提交")
    page.locator("[data-update]").click()
    assert posted(stage, page)[0][1]["marks"]["1009"] == "present"


def test_marks_work_by_keyboard_and_the_focus_stays(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(taken=True)
    page = show("roster/x")
    row(page, 1).locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(row(page, 1)).to_have_attribute("data-now", "late")
    old = sample.roster(taken=True)
    rows = tuple(replace(r, line=replace(r.line, last_seen_ms=sample.at("16:40"))) if r.line.seat == 1 else r for r in old.rows)
    stage.show("roster", replace(old, rows=rows))
    expect(row(page, 1)).to_contain_text("16:40")
    assert page.evaluate("document.activeElement.closest('.row')?.id") == "row-1001"


def test_the_list_of_rosters_leads_to_each(show: Opener) -> None:
    page = show("rosters", size="phone")
    expect(page.locator(".card")).to_have_count(5)
    expect(page.locator(".card").filter(has_text="我看管的学生")).to_have_attribute("href", "/roster/staff%3A9001")
    assert page.locator(".card").first.get_attribute("href") == "/roster/class%3Aprimary-2024-2"
