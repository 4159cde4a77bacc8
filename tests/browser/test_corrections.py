"""A session is closed on its roster, opened again, and a child in it put right, in a real browser on a running gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.core import commands_service as cs
from tests.browser.conftest import SIZES, Opener
from tests.browser.test_every_page import check
from tests.browser.test_real_gate import signed_in
from tests.web.gate_online import Online, online

DAY = "2026-11-23"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    """S1 is over: 李雷 and 韩梅 were there, of 王小红 nobody knows. The teacher is checked in."""
    with online(tmp_path) as running:
        school = running.school
        for name in ("李雷", "韩梅"):
            school.tap(name, "south-in")
        school.at("16:25")
        for name in ("李雷", "韩梅"):
            school.tap(name, "room-201")
        school.ask(cs.CheckIn(session="S1", by=111))
        school.at("17:31")
        yield running


def settled(page: Page) -> None:
    """On every screen: it fits, it can be read, it can be hit."""
    for size in ("phone", "tablet", "landscape"):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        check(page)


@pytest.mark.row("E1", "xiji")
def test_e1_a_session_is_closed_on_the_roster_and_a_child_in_it_put_right(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "T11", "/roster/session:S1", size="phone")
    page.locator(".closing-one").get_by_role("radio", name="病假", exact=True).check()
    page.locator("#roster-close").get_by_role("button", name="结束并归档").click()
    page.get_by_role("link", name="更正", exact=True).click()
    expect(page).to_have_url(f"{gate.base}/records/sessions/{DAY}/S1")
    settled(page)
    child = page.locator("details[data-child]", has_text="韩梅")
    child.locator("summary").click()
    child.get_by_role("radio", name="早退", exact=True).check()
    expect(child.locator("[data-becomes]")).to_have_text("→ 早退")
    page.get_by_label("更正原因").fill("家长 17:00 接走")
    page.route("**/records/sessions/**", lambda route: route.abort())
    page.get_by_role("button", name="保存更正").click()
    expect(page.locator(".archive-form [data-said]")).to_have_attribute("data-outcome", "refused")  # and nothing typed is lost
    page.unroute("**/records/sessions/**")
    page.get_by_role("button", name="保存更正").click()
    expect(page.locator(".note-good")).to_have_text("已更正，原记录保留")
    expect(page.locator(".archive-correction")).to_contain_text("韩梅：到 → 早退")
    expect(page.locator(".archive-correction")).to_contain_text("家长 17:00 接走")
    expect(page.locator("details[data-child]", has_text="韩梅")).to_contain_text("原：到")
    (archived,) = gate.school.entries("session_closed")
    (change,) = gate.school.entries("session_corrected")
    assert (archived.body["states"]["4"], change.body["states"]) == ("present", {"4": "left_early"})
    settled(page)
    page.get_by_role("link", name="这一天的课").click()
    expect(page.locator(".archive-line")).to_contain_text("更正 1 次")
    settled(page)


@pytest.mark.row("F3", "luoyang")
def test_f3_a_growth_note_is_written_from_the_row_of_a_child(gate: Online, new_page: Opener) -> None:
    page = signed_in(new_page, gate, "T11", "/roster/session:S1", size="phone")
    page.locator("#row-3 .row-name").click()
    page.locator("[data-growth] summary").click()
    expect(page.locator("[data-notes]")).to_have_text("您还没有写过")
    page.get_by_label("本学期的兴趣与潜能").fill("解题有耐心，喜欢讲给同学听")
    page.locator("[data-growth]").get_by_role("button", name="保存").click()
    expect(page.locator("[data-notes]")).to_contain_text("解题有耐心")
    check(page)
    (note,) = gate.school.entries("growth_noted")
    assert (note.body["child"], note.body["session"]) == (3, "S1")
