"""Readers that pretend to be a keyboard, with real key events. The page's clock stands still while keys are pressed and moves
only as each test says: how fast the machine types is not what is tested.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, standstill
from tests.browser.show import Stage
from tests.browser.test_display_screen import answer

NUMBER = "0005527632"
SLOW_MS = 160  # a person's rhythm
READ = {"access_point": "east-in-1", "scheme": "number", "value": NUMBER}


def tap(page: Page, number: str = NUMBER, end: str = "Enter") -> None:
    """Types as a reader does, and waits until the read was sent."""
    with page.expect_response("**/wedge/*"):
        page.keyboard.type(number)
        page.keyboard.press(end)


def read(stage: Stage, page: Page, desk: str = "east-in-1") -> list[dict[str, Any]]:
    """What was sent as a read: whatever the keys have set off was on its way before this question."""
    page.evaluate("() => fetch('/healthz')")
    return [body for name, body in stage.posted if name == f"wedge:{desk}"]


def opened(show: Opener, path: str = "display", size: str = "landscape") -> Page:
    page = show(path, size=size)
    standstill(page)
    return page


def test_a_number_typed_by_a_reader_is_a_read_and_its_answer_is_shown(stage: Stage, show: Opener) -> None:
    stage.answers["wedge"] = answer("granted", "请通行", hold_ms=20_000)
    page = opened(show)
    tap(page)
    expect(page.locator("#answer")).to_be_visible()
    expect(page.locator("#answer")).to_contain_text("请通行")
    assert read(stage, page) == [READ]


def test_a_reader_that_ends_with_tab_is_understood(stage: Stage, show: Opener) -> None:
    page = opened(show)
    tap(page, end="Tab")
    assert read(stage, page) == [READ]


def test_a_person_who_types_is_not_a_reader(stage: Stage, show: Opener) -> None:
    page = opened(show)
    for key in NUMBER:
        page.keyboard.press(key)
        page.clock.run_for(SLOW_MS)
    page.keyboard.press("Enter")
    assert read(stage, page) == []


def test_half_a_number_is_no_read(stage: Stage, show: Opener) -> None:
    """The second half alone could be somebody else's card."""
    page = opened(show)
    page.keyboard.type("0005")
    page.clock.run_for(SLOW_MS)
    page.keyboard.type("527632")
    page.keyboard.press("Enter")
    assert read(stage, page) == []
    page.clock.run_for(1_100)
    tap(page)
    assert read(stage, page) == [READ]


def test_two_cards_in_a_row_are_two_reads(stage: Stage, show: Opener) -> None:
    page = opened(show)
    tap(page)
    tap(page, "0005527633")
    assert [body["value"] for body in read(stage, page)] == [NUMBER, "0005527633"]


def test_a_readers_number_never_lands_in_the_search_field(stage: Stage, show: Opener) -> None:
    page = opened(show, "guard", "tablet")
    field = page.locator("#search-text")
    field.fill("王")
    tap(page)
    page.clock.run_for(1_000)
    expect(field).to_have_value("王")
    assert read(stage, page, "east-desk") == [{**READ, "access_point": "east-desk"}]


def test_a_quick_typist_gets_every_letter(stage: Stage, show: Opener) -> None:
    page = opened(show, "guard", "tablet")
    page.locator("#search-text").focus()
    page.keyboard.type("wangxm")
    page.clock.run_for(1_000)
    expect(page.locator("#search-text")).to_have_value("wangxm")
    expect(page.locator("#search-results")).to_be_visible()
    assert read(stage, page, "east-desk") == []


def test_keys_with_control_are_left_alone(show: Opener) -> None:
    page = show("guard")
    page.locator("#search-text").fill("abc")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator("#search-text")).to_have_value("")
