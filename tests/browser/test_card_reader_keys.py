"""Readers that pretend to be a keyboard, with real key events."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.browser.test_display_screen import answer

NUMBER = "0005527632"
SLOW_MS = 160  # a person's rhythm
TRIES = 8  # a busy machine may type slower than any reader; such a number is no read, and the card is tapped again
READ = {"access_point": "east-in-1", "scheme": "number", "value": NUMBER}


def posted(stage: Stage, page: Page, name: str = "wedge:east-in-1") -> list[dict[str, Any]]:
    page.wait_for_timeout(250)
    return [body for posted_name, body in stage.posted if posted_name == name]


def tap(stage: Stage, page: Page, number: str = NUMBER, end: str = "Enter", name: str = "wedge:east-in-1") -> None:
    """Types as a reader does, until one number went through whole."""
    before = len(posted(stage, page, name))
    for _ in range(TRIES):
        page.keyboard.type(number)
        page.keyboard.press(end)
        if len(posted(stage, page, name)) > before:
            return
        page.wait_for_timeout(1_100)
    raise AssertionError("no number went through")


def test_a_number_typed_by_a_reader_is_a_read_and_its_answer_is_shown(stage: Stage, show: Opener) -> None:
    stage.answers["wedge"] = answer("granted", "请通行", hold_ms=20_000)
    page = show("display", size="landscape")
    tap(stage, page)
    expect(page.locator("#answer")).to_contain_text("请通行")
    assert posted(stage, page) == [READ]


def test_a_reader_that_ends_with_tab_is_understood(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    tap(stage, page, end="Tab")
    assert posted(stage, page) == [READ]


def test_a_person_who_types_is_not_a_reader(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    page.keyboard.type(NUMBER, delay=SLOW_MS)
    page.keyboard.press("Enter")
    assert posted(stage, page) == []


def test_half_a_number_is_no_read(stage: Stage, show: Opener) -> None:
    """The second half alone could be somebody else's card."""
    page = show("display", size="landscape")
    page.keyboard.type("0005")
    page.wait_for_timeout(SLOW_MS)
    page.keyboard.type("527632")
    page.keyboard.press("Enter")
    assert posted(stage, page) == []
    page.wait_for_timeout(1_100)
    tap(stage, page)
    assert posted(stage, page) == [READ]


def test_two_cards_in_a_row_are_two_reads(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    tap(stage, page)
    tap(stage, page, "0005527633")
    assert [body["value"] for body in posted(stage, page)] == [NUMBER, "0005527633"]


def test_a_readers_number_never_lands_in_the_search_field(stage: Stage, show: Opener) -> None:
    page, desk = show("guard"), "wedge:east-desk"
    field = page.locator("#search-text")
    for _ in range(TRIES):
        field.fill("王")
        page.keyboard.type(NUMBER)
        page.keyboard.press("Enter")
        if posted(stage, page, desk):
            break
        page.wait_for_timeout(1_100)
    assert posted(stage, page, desk) == [{**READ, "access_point": "east-desk"}]
    expect(field).to_have_value("王")


def test_a_quick_typist_gets_every_letter(stage: Stage, show: Opener) -> None:
    page = show("guard")
    page.locator("#search-text").focus()
    page.keyboard.type("wangxm")
    expect(page.locator("#search-text")).to_have_value("wangxm")
    expect(page.locator("#search-results")).to_be_visible()
    assert posted(stage, page, "wedge:east-desk") == []


def test_keys_with_control_are_left_alone(show: Opener) -> None:
    page = show("guard")
    page.locator("#search-text").fill("abc")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator("#search-text")).to_have_value("")
