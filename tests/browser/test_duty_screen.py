"""The duty leader's page in a real browser: cases with their clocks, and nothing dangerous by accident."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, standstill
from tests.browser.show import Stage
from tests.faces import sample_duty
from tests.faces import sample_views as sample

LATE = "#case-uncollected_3a1005"


def said(page: Page, within: str) -> None:
    expect(page.locator(f"{within} [data-said]")).not_to_be_empty()


def test_clocks_run_by_the_gates_time(show: Opener) -> None:
    page = show("duty", size="landscape", clock_at=0)
    standstill(page)
    expect(page.locator(f"{LATE} .case-clock b")).to_contain_text("12 分 0")
    page.clock.run_for(61_000)
    expect(page.locator(f"{LATE} .case-clock b")).to_contain_text("13 分 0")
    page.clock.run_for(120_000)
    expect(page.locator(f"{LATE} .case-next time")).to_contain_text("已超")


def test_a_case_is_taken_by_one_press(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    page.locator(LATE).get_by_role("button", name="我来处理").click()
    said(page, LATE)
    assert stage.posted == [("acknowledge", {"case": "uncollected:1005"})]
    cases = tuple(
        replace(c, acknowledged_by="陈立新", acknowledged_ms=sample.at("17:43")) if c.case == "uncollected:1005" else c
        for c in sample_duty.duty().cases
    )
    stage.show("duty", replace(sample_duty.duty(), cases=cases))
    expect(page.locator(LATE)).to_contain_text("陈立新 17:43 已接手")


def test_calls_are_logged_by_one_press_and_an_eta_by_two(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    page.locator(LATE).get_by_text("电话与通话记录").click()
    father = page.locator(LATE).locator(".guardian").first
    father.get_by_role("button", name="未接").click()
    said(page, LATE)
    father.get_by_text("已在路上").click()
    father.get_by_role("button", name="20 分钟到").click()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    assert stage.posted == [
        ("log_call", {"case": "uncollected:1005", "guardian": 5031, "result": "no_answer"}),
        ("log_call", {"case": "uncollected:1005", "guardian": 5031, "result": "on_the_way", "eta_min": 20}),
    ]


def test_a_conflict_is_closed_with_a_note(stage: Stage, show: Opener) -> None:
    case = replace(sample_duty.duty().cases[2], case="conflict:7", kind="double_release", do="")
    stage.views["duty"] = replace(sample_duty.duty(), cases=(case,))
    page = show("duty", size="landscape")
    page.get_by_label("核实结果").fill("已电话核实，随母亲离校")
    page.get_by_role("button", name="结案").click()
    said(page, "#case-conflict_3a7")
    assert stage.posted == [("close_case", {"case": "conflict:7", "note": "已电话核实，随母亲离校"})]


@pytest.mark.parametrize("size", ["phone", "tablet", "landscape"])
def test_a_double_release_shows_every_side_its_owner_and_is_closed_with_a_note(stage: Stage, show: Opener, size: str) -> None:
    stage.views["duty"] = replace(sample_duty.duty(), cases=(sample_duty.double_release(),))
    page = show("duty", size=size)
    case = page.locator(".case-double_release")
    expect(case).to_have_count(1)
    expect(case).to_contain_text("陈立新 负责")
    south, east = case.locator(".case-side").all()
    for words in ("南门", "17:02", "母亲 许静", "赵建国、陈立新"):
        expect(south).to_contain_text(words)
    for words in ("东门", "17:09", "本班校门", "时钟未校准", "姑母", "证件后四位 123X", "钱国强、孙丽"):
        expect(east).to_contain_text(words)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing runs out of the screen"
    case.get_by_label("核实结果").fill("随母亲离校，姑母没有接到，已与两人通话")
    case.get_by_role("button", name="结案").click()
    said(page, ".case-double_release")
    note = {"case": sample_duty.double_release().case, "note": "随母亲离校，姑母没有接到，已与两人通话"}
    assert stage.posted == [("close_case", note)]


def test_the_campus_is_signed_clear_at_zero_with_a_second_press(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    expect(page.locator("[data-act=clear_campus]")).to_be_disabled()
    stage.show("duty", sample_duty.quiet_duty())
    button = page.locator("[data-act=clear_campus]")
    expect(button).to_be_enabled()
    button.click()
    expect(button).to_contain_text("再按一次确认")
    assert stage.posted == []
    button.click()
    said(page, "#duty-clear")
    assert stage.posted == [("clear_campus", {})]


def test_an_emergency_needs_the_whole_slide(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    slide = page.get_by_role("slider", name="滑动启动紧急疏散")
    slide.scroll_into_view_if_needed()

    def drag(part: float) -> None:
        box = slide.bounding_box()
        assert box
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["height"] / 2, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * part - 2, y, steps=6)
        page.mouse.up()

    drag(0.5)
    expect(page.locator("#duty-emergency [data-said]")).to_have_text("滑到底才会生效")
    assert stage.posted == [] and slide.input_value() == "0"
    page.get_by_label("这是演练").check()
    drag(1.0)
    expect(page.locator("#duty-emergency [data-said]")).to_have_text("已完成")
    assert stage.posted == [("emergency", {"drill": True})]


def test_the_slide_works_by_keyboard_with_enter_as_the_last_word(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    slide = page.get_by_role("slider", name="滑动启动紧急疏散")
    slide.focus()
    page.keyboard.press("End")
    assert stage.posted == []
    page.keyboard.press("Enter")
    expect(page.locator("#duty-emergency [data-said]")).to_have_text("已完成")
    assert stage.posted == [("emergency", {"drill": False})]


def test_a_declared_emergency_stands_on_every_staff_page(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    alarm = sample.bar(emergency="emergency")
    stage.send("bar", "bar", [("bar", dict(_pieces(alarm))["bar"])])
    expect(page.get_by_role("alert")).to_contain_text("紧急状态")
    stage.show("duty", replace(sample_duty.duty(), bar=alarm))
    expect(page.get_by_role("button", name="结束紧急状态")).to_be_visible()


def _pieces(view: object) -> list[tuple[str, str]]:
    from kiosk.web import faces

    return faces.fragments(view)


def test_an_open_case_that_ends_leaves_the_list(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    expect(page.locator(".case")).to_have_count(3)
    stage.show("duty", replace(sample_duty.duty(), cases=sample_duty.duty().cases[:1]))
    expect(page.locator(".case")).to_have_count(1)
    stage.show("duty", sample_duty.quiet_duty())
    expect(page.get_by_text("没有待办事项")).to_be_visible()
