"""The public screen in a real browser: what a child, a parent and a bystander see."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES, Opener, standstill
from tests.browser.show import Stage
from tests.faces import sample_views as sample

MM = 96 / 25.4  # CSS pixels


def answer(state: str, word: str, **more: Any) -> dict[str, Any]:
    hold_ms = 4_000 if state in ("look", "refused") else 1_200
    base = {
        "state": state,
        "word": word,
        "word_en": "x",
        "note": "",
        "name": "王*明",
        "class": "三(2)班",
        "time": "07:43",
    }
    return {**base, "tone": "rise", "hold_ms": hold_ms, "at_ms": 1, **more}


def tell(stage: Stage, told: dict[str, Any]) -> None:
    stage.send("display:east-in-1", "answer", told)


def test_an_answer_fills_the_screen_and_clears_itself(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    standstill(page)
    tell(stage, answer("granted", "请通行"))
    screen = page.locator("#answer")
    expect(screen).to_be_visible()
    expect(screen).to_contain_text("请通行")
    expect(screen).to_contain_text("王*明 三(2)班")
    box = screen.bounding_box()
    assert box and (box["width"], box["height"]) == (1920, 1080)
    expect(page.locator(".answer-icon-granted")).to_be_visible()
    page.clock.run_for(1_300)
    expect(screen).to_be_hidden()
    expect(page.locator(".idle-tap")).to_be_visible()


def test_the_next_card_cuts_the_answer_short(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    tell(stage, answer("refused", "请在候接区等候家长", at_ms=1))
    expect(page.locator("#answer")).to_have_attribute("data-state", "refused")
    tell(stage, answer("granted", "请通行", at_ms=2, name="李*", **{"class": "三(3)班"}))
    expect(page.locator("#answer")).to_have_attribute("data-state", "granted")
    expect(page.locator("#answer")).to_contain_text("李* 三(3)班")


def test_a_refusal_stays_four_seconds_and_a_success_one(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape", clock_at=sample.at("07:43") / 1000)
    page.clock.pause_at(sample.at("07:44") / 1000)
    tell(stage, answer("refused", "请到门卫室"))
    expect(page.locator("#answer")).to_be_visible()
    page.clock.run_for(3_900)
    expect(page.locator("#answer")).to_be_visible()
    page.clock.run_for(200)
    expect(page.locator("#answer")).to_be_hidden()
    tell(stage, answer("granted", "请通行", at_ms=2))
    expect(page.locator("#answer")).to_be_visible()
    page.clock.run_for(1_300)
    expect(page.locator("#answer")).to_be_hidden()


@pytest.mark.parametrize("state", ["granted", "look", "refused", "recorded"])
def test_each_state_has_its_own_colour_icon_and_word(stage: Stage, show: Opener, state: str) -> None:
    page = show("display", size="landscape")
    tell(stage, answer(state, "请稍候", hold_ms=60_000))
    expect(page.locator("#answer")).to_be_visible()
    shown = page.eval_on_selector_all("#answer > svg", "all => all.filter(e => e.checkVisibility()).map(e => e.classList[1])")
    assert shown == ["answer-icon"]
    assert page.locator(f".answer-icon-{state}").is_visible()
    colour = page.locator("#answer").evaluate("e => getComputedStyle(e).backgroundColor")
    token = page.evaluate(
        """state => { const e = document.createElement('i'); e.style.color = `var(--${state})`; document.body.append(e);
        return getComputedStyle(e).color }""",
        state,
    )
    assert colour == token


def test_the_answer_is_announced_to_those_who_cannot_see_it(show: Opener) -> None:
    page = show("display", size="landscape")
    assert page.locator("#answer").get_attribute("aria-live") == "assertive"


def test_the_same_answer_by_two_ways_is_shown_once(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape", clock_at=sample.at("07:43") / 1000)
    page.clock.pause_at(sample.at("07:44") / 1000)
    tell(stage, answer("granted", "请通行", at_ms=7))
    expect(page.locator("#answer")).to_be_visible()
    page.clock.run_for(1_300)
    tell(stage, answer("granted", "请通行", at_ms=7))
    tell(stage, answer("recorded", "已记录", at_ms=8))
    expect(page.locator("#answer")).to_have_attribute("data-state", "recorded")


@pytest.mark.parametrize("size", ["landscape", "portrait"])
@pytest.mark.parametrize("word", ["请通行", "请在候接区等候家长", "卡号未登记，请到门卫室"])
def test_words_are_large_and_whole_in_both_orientations(stage: Stage, show: Opener, size: str, word: str) -> None:
    page = show("display", size=size)
    tell(stage, answer("refused", word, hold_ms=60_000, note="请到门卫室", name="阿***·*** 12号"))
    headline = page.locator(".answer-word")
    expect(headline).to_be_visible()
    pixels = float(headline.evaluate("e => parseFloat(getComputedStyle(e).fontSize)"))
    assert 72 <= pixels <= 184
    for place in ("word", "word_en", "name", "note", "time"):
        box = page.locator(f"[data-answer={place}]").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= SIZES[size][0], place
        assert box["y"] >= 0 and box["y"] + box["height"] <= SIZES[size][1], place


def test_out_of_order_and_emergency_take_the_whole_screen_live(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    stage.show("display", sample.display(out_of_order=True))
    expect(page.get_by_text("本通道暂停使用").first).to_be_visible()
    stage.show("display", sample.display(emergency="emergency"))
    expect(page.get_by_role("heading", name="紧急疏散")).to_be_visible()
    stage.show("display", sample.display())
    expect(page.get_by_text("请刷卡")).to_be_visible()


def test_a_screen_without_its_controller_says_so_and_comes_back(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape", clock_at=sample.at("07:43") / 1000)
    stage.stop()
    expect(page.locator("#health-link")).to_have_attribute("data-health", "lost")
    page.clock.run_for(16_000)
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lost")).to_contain_text("请到门卫室")
    stage.start()
    expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
    tell(stage, answer("granted", "请通行", at_ms=9, hold_ms=60_000))
    expect(page.locator("#answer")).to_be_visible()


def test_dusk_comes_by_the_schools_clock(stage: Stage, show: Opener) -> None:
    stage.views["display"] = sample.display(now_ms=sample.at("17:59"))
    page = show("display", size="landscape", clock_at=0)
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator(".idle-clock")).to_have_text("17:59")
    page.clock.run_for(61_000)
    expect(page.locator("html")).to_have_attribute("data-theme", "dusk")
    expect(page.locator(".idle-clock")).to_have_text("18:00")


# --- without a card -------------------------------------------------------------------------------------


def _claim(page: Page) -> None:
    page.get_by_role("button", name="没带卡").click()
    page.get_by_role("button", name="三(2)班").click()
    page.get_by_role("button", name="1", exact=True).click()
    page.get_by_role("button", name="2", exact=True).click()


def test_a_pupil_without_a_card_names_class_and_seat(stage: Stage, show: Opener) -> None:
    stage.answers["seat_claim"] = {
        "outcome": "ask_guard",
        **answer("look", "请稍候 门卫确认", name="", **{"class": ""}),
    }
    page = show("display", size="landscape")
    _claim(page)
    expect(page.locator(".pad-entry")).to_contain_text("三(2)班 12")
    page.get_by_role("button", name="好了").click()
    expect(page.locator("#answer")).to_contain_text("请稍候 门卫确认")
    expect(page.locator("#pad")).to_be_hidden()
    assert stage.posted == [("seat_claim", {"access_point": "east-in-1", "class_id": "primary-2024-2", "seat": 12})]


def test_a_seat_that_nobody_has_is_said_on_the_pad(stage: Stage, show: Opener) -> None:
    stage.answers["seat_claim"] = {"outcome": "refused", "reason": "no_such_person", "words": "查无此人"}
    page = show("display", size="landscape")
    _claim(page)
    page.get_by_role("button", name="好了").click()
    expect(page.locator(".pad-status")).to_have_text("查无此人")


def test_a_wrong_digit_can_be_erased_and_no_seat_is_not_sent(stage: Stage, show: Opener) -> None:
    page = show("display", size="landscape")
    _claim(page)
    for _ in range(2):
        page.get_by_role("button", name="删除").click()
    page.get_by_role("button", name="好了").click()
    expect(page.locator(".pad-status")).to_have_text("请先按座号")
    assert stage.posted == []


@pytest.mark.parametrize("size", ["landscape", "portrait"])
def test_public_keys_are_20_mm_and_all_on_the_screen(show: Opener, size: str) -> None:
    page = show("display", size=size)
    keys = [page.locator("#no-card")]
    page.locator("#no-card").click()
    keys += page.locator("[data-class]").all()
    page.locator("[data-class]").first.click()
    seat_keys = page.locator("[data-digit]").all()
    page.get_by_role("button", name="返回").click()
    for key in [*keys, *seat_keys]:
        if key.is_visible() and (box := key.bounding_box()):
            assert min(box["width"], box["height"]) >= 20 * MM
            assert box["x"] >= 0 and box["y"] >= 0
            assert box["x"] + box["width"] <= SIZES[size][0] and box["y"] + box["height"] <= SIZES[size][1]


def test_an_abandoned_pad_goes_away(show: Opener) -> None:
    page = show("display", size="landscape", clock_at=sample.at("07:43") / 1000)
    page.locator("#no-card").click()
    expect(page.locator("#pad")).to_be_visible()
    page.clock.run_for(21_000)
    expect(page.locator("#pad")).to_be_hidden()
