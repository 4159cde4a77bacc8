"""Readers that pretend to be a keyboard, with real key events."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.browser.test_display_screen import answer

NUMBER = "0005527632"
SLOW_MS = 160  # a person's rhythm
READ = {"access_point": "east-in-1", "scheme": "number", "value": NUMBER}


def posted(stage: Stage, page: Any, name: str = "wedge:east-in-1") -> list[dict[str, Any]]:
    page.wait_for_timeout(250)
    return [body for posted_name, body in stage.posted if posted_name == name]


def test_a_number_typed_by_a_reader_is_a_read_and_its_answer_is_shown(stage: Stage, show: Opener) -> None:
    stage.answers["wedge"] = answer("granted", "请通行")
    page = show("display", size="landscape")
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("请通行")
    assert posted(stage, page) == [READ]


def test_a_reader_that_ends_with_tab_is_understood(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    page.keyboard.type(NUMBER)
    page.keyboard.press("Tab")
    assert posted(stage, page) == [READ]


def test_a_person_who_types_is_not_a_reader(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    page.keyboard.type(NUMBER, delay=SLOW_MS)
    page.keyboard.press("Enter")
    assert posted(stage, page) == []


def test_a_pause_in_the_middle_starts_again(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    page.keyboard.type("0005")
    page.wait_for_timeout(SLOW_MS)
    page.keyboard.type("527632")
    page.keyboard.press("Enter")
    assert posted(stage, page) == [{**READ, "value": "527632"}]


def test_two_cards_in_a_row_are_two_reads(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    for number in (NUMBER, "0005527633"):
        page.keyboard.type(number)
        page.keyboard.press("Enter")
    assert [body["value"] for body in posted(stage, page)] == [NUMBER, "0005527633"]


def test_a_readers_number_never_lands_in_the_search_field(stage: Stage, show: Opener) -> None:
    page = show("guard")
    page.locator("#search-text").press_sequentially("王", delay=SLOW_MS)
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    assert posted(stage, page, "wedge:east-desk") == [{**READ, "access_point": "east-desk"}]
    expect(page.locator("#search-text")).to_have_value("王")


def test_a_quick_typist_gets_every_letter(stage: Stage, show: Opener) -> None:
    page = show("guard")
    page.locator("#search-text").focus()
    page.keyboard.type("wangxm")
    expect(page.locator("#search-text")).to_have_value("wangxm")
    expect(page.locator("#search-results")).to_be_visible()
    assert posted(stage, page, "wedge:east-desk") == []


def test_keys_with_control_are_left_alone(stage: Stage, show: Opener) -> None:
    page = show("guard")
    page.locator("#search-text").fill("abc")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator("#search-text")).to_have_value("")
