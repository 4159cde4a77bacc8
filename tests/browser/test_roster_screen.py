"""The teacher's page in a real browser: ten seconds for 45 children, one hand, and a line that may be cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.faces import sample_views as sample


def row(page: Page, seat: int) -> Locator:
    return page.locator(f"#row-{1000 + seat}")


def mark(page: Page, seat: int, word: str) -> None:
    row(page, seat).get_by_role("radio", name=word, exact=True).check()


def press(page: Page) -> None:
    page.locator("#roster-act .big:not([hidden])").first.click()


def posted(stage: Stage, page: Page) -> list[tuple[str, dict[str, Any]]]:
    expect(page.locator("#roster-act [data-said]")).not_to_be_empty()
    return stage.posted


def test_a_class_is_taken_over_by_one_press_with_the_exceptions_named(stage: Stage, show: Opener) -> None:
    page = show("roster/x", size="phone")
    expect(page.locator("#roster-act .big").first).to_have_text("接收班级 41+ 4 例外")
    mark(page, 2, "未到")
    expect(page.locator("#roster-act .big").first).to_have_text("接收班级 40+ 5 例外")
    press(page)
    name, body = posted(stage, page)[0]
    assert (name, body["roster"], body["counted"]) == ("take_group", "session:S101", 40)
    assert body["exceptions"] == {
        "1002": "absent_unexplained", "1009": "absent_unexplained", "1014": "leave_sick", "1027": "absent_unexplained",
        "1031": "absent_unexplained",
    }  # fmt: skip


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
    page = show("roster/x", size="phone")
    mark(page, 4, "迟到")
    page.reload()
    page.wait_for_selector("html[data-link=live]")
    expect(row(page, 4)).to_have_attribute("data-now", "late")
    before = sample.roster()
    rows = tuple(
        replace(each, line=replace(each.line, last_seen_ms=sample.at("16:36"), place="操场"))
        if each.line.seat == 4
        else each
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
    expect(page.locator("#roster-act .big").first).to_have_text("接收班级 42+ 3 例外")
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
    press_accept = page.locator("[data-roster-act=accept]")
    expect(press_accept).to_contain_text("+ 1 例外")
    press_accept.click()
    name, body = posted(stage, page)[0]
    assert (name, body["handover"], body["counted"]) == ("accept", "H7", 40)
    assert body["exceptions"] == {"1006": "absent_unexplained"}


def test_towards_the_end_the_group_is_offered_to_the_next(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = replace(sample.roster(called=True, taken=True), bar=sample.bar(sample.at("17:25")))
    page = show("roster/x", size="phone")
    page.get_by_role("button", name="交给 王敏（科学社）").click()
    name, body = posted(stage, page)[0]
    assert (name, body["kind"], body["taker"], len(body["children"])) == ("offer", "session_to_session", 9031, 41)


def test_a_changed_mark_after_the_roll_call_can_be_sent(stage: Stage, show: Opener) -> None:
    stage.views["roster"] = sample.roster(called=True, taken=True)
    page = show("roster/x", size="phone")
    expect(page.locator("[data-update]")).to_be_hidden()
    mark(page, 9, "到")
    expect(page.locator("[data-update]")).to_contain_text("1 处改动未提交")
    page.locator("[data-update]").click()
    assert posted(stage, page)[0][1]["marks"]["1009"] == "present"


def test_marks_work_by_keyboard_and_the_focus_stays(stage: Stage, show: Opener) -> None:
    page = show("roster/x")
    row(page, 1).locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(row(page, 1)).to_have_attribute("data-now", "late")
    old = sample.roster()
    rows = tuple(
        replace(r, line=replace(r.line, last_seen_ms=sample.at("16:40"))) if r.line.seat == 1 else r for r in old.rows
    )
    stage.show("roster", replace(old, rows=rows))
    expect(row(page, 1)).to_contain_text("16:40")
    assert page.evaluate("document.activeElement.closest('.row')?.id") == "row-1001"


def test_the_list_of_rosters_leads_to_each(show: Opener) -> None:
    page = show("rosters", size="phone")
    expect(page.locator(".card")).to_have_count(4)
    assert page.locator(".card").first.get_attribute("href") == "/roster/class%3Aprimary-2024-2"
