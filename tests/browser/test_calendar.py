"""The year view under real keys, and on one sheet of paper."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.faces.calendar_views import calendar


def test_arrow_keys_walk_through_the_year_and_one_stop_of_the_tab_key_is_enough(show: Opener) -> None:
    page = show("office/calendar", size="tablet")
    page.wait_for_load_state()
    chosen = page.locator('[data-day="2026-10-10"]')
    expect(chosen).to_have_attribute("tabindex", "0")
    assert page.locator('[data-days] [tabindex="0"]').count() == 1
    chosen.focus()
    for key, day in (("ArrowRight", "2026-10-11"), ("ArrowUp", "2026-10-04"), ("PageDown", "2026-11-01"), ("Home", "2026-08-01")):
        page.keyboard.press(key)
        expect(page.locator(f'[data-day="{day}"]')).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator('[data-day="2026-08-01"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.url.split('?')[0]}?day=2026-08-01#day")


def test_the_year_is_one_sheet_of_a4(show: Opener, stage: object) -> None:
    stage.views["office_calendar"] = calendar("2026-10-10")
    page = show("office/calendar", size="landscape")
    page.wait_for_load_state()
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type /Page/") == 1
