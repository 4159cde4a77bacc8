"""Looking back in a real browser: the slider, its keys, a child's evidence as a download, the statement on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.core.commands import ClearCampus
from kiosk.evidence.verifying import check as verified
from tests.browser.conftest import Opener
from tests.browser.test_every_page import check
from tests.web.gate_online import PIN, Online, online

DAY = "2026-11-23"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    with online(tmp_path_factory.mktemp("gate")) as running:
        school = running.school
        school.tap("王小明", "east-in")
        school.tap("李雷", "east-in")
        school.at("15:40").release(["王小明"], "王妈妈", "photo")
        school.at("18:35").tap("李雷", "east-out")
        school.ask(ClearCampus(by=school.number("孙主任")))
        yield running


def opened(new_page: Opener, gate: Online, staff_number: str, path: str, **more: object) -> Page:
    page = new_page(f"{gate.base}{path}", **more)
    page.get_by_label("工号").fill(staff_number)
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{gate.base}{path}")
    page.wait_for_load_state()  # a key that is pressed before the script has come moves nothing
    return page


def test_the_slider_walks_through_the_day_by_keys_and_by_play(gate: Online, new_page: Opener) -> None:
    page = opened(new_page, gate, "L1", f"/records/replay?day={DAY}", size="phone")
    slider = page.get_by_role("slider", name="时刻")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#reel-clock")).to_have_text("07:00")
    expect(page.locator("#reel-on_campus")).to_have_text("0")
    for _ in range(5):
        page.keyboard.press("PageUp")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#reel-clock")).to_have_text("12:01")
    expect(page.locator("#reel-on_campus")).to_have_text("2")
    expect(page.locator('[data-table="custodians"]')).to_contain_text("张老师")
    page.get_by_role("button", name="播放").click()
    expect(page.locator("#reel-clock")).not_to_have_text("12:01")
    page.get_by_role("button", name="暂停").click()
    check(page)


def test_a_child_is_found_at_that_moment_and_leads_to_its_evidence(gate: Online, new_page: Opener) -> None:
    page = opened(new_page, gate, "L1", f"/records/replay?day={DAY}")
    page.get_by_role("searchbox", name="查一个孩子").fill("wxm")
    expect(page.locator("[data-found]")).to_contain_text("王小明 一(1)班")
    page.get_by_role("link", name="证据").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("王小明")
    expect(page.locator(".note-good")).to_have_text("从到校到离校没有间断")
    check(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载证据包").click()
    assert waiting.value.suggested_filename == f"evidence-20260001-{DAY}.zip"
    assert verified(Path(waiting.value.path()).read_bytes()).ok


def test_a_broken_line_is_said_and_the_last_picture_stays(gate: Online, new_page: Opener) -> None:
    page = opened(new_page, gate, "D1", f"/records/replay?day={DAY}")
    expect(page.locator("#reel-arrived")).to_have_text("2")
    page.route("**/replay.json*", lambda route: route.abort())
    page.get_by_role("slider", name="时刻").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".reel-said")).to_contain_text("没有连上，画面停在")
    expect(page.locator("#reel-arrived")).to_have_text("2")


def test_the_statement_prints_as_a_sheet_and_nothing_else(gate: Online, new_page: Opener) -> None:
    page = opened(new_page, gate, "L1", f"/records/statement/{DAY}", size="phone")
    check(page)
    expect(page.locator(".statement-qr svg")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="静校声明")).to_be_visible()
    for gone in (".top", "#bar", "[data-print]"):
        expect(page.locator(gone)).to_be_hidden()
