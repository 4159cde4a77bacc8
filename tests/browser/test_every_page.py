"""What holds for every page on every screen: it fits, it can be read, it can be hit with a finger."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES, Opener
from tests.browser.show import Stage
from tests.faces import sample_duty
from tests.faces import sample_views as sample

MM = 96 / 25.4
PAGES = {
    "guard": ("phone", "tablet", "landscape"),
    "roster/x": ("phone", "tablet"),
    "rosters": ("phone",),
    "duty": ("phone", "tablet", "landscape"),
    "office/import": ("phone", "tablet"),
    "office/reports": ("phone", "tablet", "landscape"),
    "office/reports/attendance": ("phone", "tablet", "landscape"),
    "office/people": ("phone", "tablet"),
    "office/enrol": ("phone", "tablet"),
    "office/enrolment": ("phone", "tablet"),
    "applications": ("phone",),
    "office/calendar": ("phone", "tablet", "landscape"),
    "office/settings": ("phone", "tablet"),
    "office/devices": ("phone", "tablet", "landscape"),
    "office/notices": ("phone", "tablet"),
    "office/policy": ("phone", "tablet", "landscape"),
    "sessions": ("phone", "tablet", "landscape"),
    "session": ("phone", "tablet", "landscape"),
    "paper": ("phone", "tablet"),
    "inspection": ("phone", "tablet"),
    "office/privacy": ("phone", "tablet"),
    "office/privacy_child": ("phone", "tablet"),
    "office/privacy_text": ("phone",),
    "office/privacy_incidents": ("phone",),
    "sign_in": ("phone",),
    "nosuch": ("phone",),
}
SMALL = """() => [...document.querySelectorAll('button, summary, nav a, .line-link, .card, input, label.mark')]
  .filter(e => e.checkVisibility() && e.type !== 'hidden' && !e.closest('label') && !e.closest('[hidden]'))
  .map(e => [e, e.getBoundingClientRect()]).filter(([e, b]) => b.width && Math.min(b.width, b.height) < %f)
  .map(([e, b]) => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 12)} ${b.width}x${b.height}`)"""
TINY = """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && [...e.childNodes]
  .some(n => n.nodeType === 3 && n.textContent.trim()) && parseFloat(getComputedStyle(e).fontSize) < 16 && !e.closest('svg'))
  .map(e => `${e.tagName}.${e.className}`)"""


def check(page: Page) -> None:
    """Once the page has settled: a stylesheet may still be on its way when the first line is drawn."""
    page.wait_for_load_state("load")
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(TINY) == []
    assert page.evaluate(SMALL % (12 * MM - 0.5)) == []


def turn(page: Page, size: str, *, afresh: bool = False) -> None:
    """The same page on another screen. `afresh`: opened there, where a page shows more on a wide screen from the start."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    if afresh:
        page.reload()
        page.wait_for_selector("html[data-link=live]")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_its_screens_and_every_finger(show: Opener, path: str, lang: str) -> None:
    first, *others = PAGES[path]
    page = show(f"{path}?lang={lang}", size=first)
    check(page)
    for size in others:
        turn(page, size, afresh=path == "guard")
        check(page)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_all_that_a_cut_off_gate_does_not_know_is_in_sight(stage: Stage, show: Opener, lang: str) -> None:
    stage.views["guard"] = sample.replace(sample.guard(), bar=sample.cut_off())
    page = show(f"guard?lang={lang}", size="phone")
    for size in ("phone", "tablet", "landscape"):
        turn(page, size)
        check(page)
        hidden = page.locator(".bar-items > li").evaluate_all(
            "all => all.filter(e => e.getBoundingClientRect().right > innerWidth || e.scrollWidth > e.clientWidth)"
            ".map(e => e.textContent.trim())"
        )
        assert hidden == []
    assert page.locator(".bar-items > li").count() == 7  # the link, what waits, the list, two gates, a reader, the clock


def test_the_switch_to_english_stays(stage: Stage, show: Opener) -> None:
    page = show("duty", size="landscape")
    page.get_by_role("link", name="EN").click()
    expect(page.get_by_role("heading", name="Open cases")).to_be_visible()
    stage.show("duty", sample_duty.quiet_duty())
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_stillness_is_honoured(show: Opener) -> None:
    page = show("display", size="landscape", reduced_motion="reduce")
    assert page.locator(".idle-tap").evaluate("e => getComputedStyle(e).animationName") == "none"


def test_a_script_that_somebody_smuggled_in_does_not_run(stage: Stage, show: Opener) -> None:
    """The policy holds even if the escaping did not."""
    stage.views["roster"] = sample.replace(sample.roster(), title="<img src=x onerror=alert(1)>")
    page = show("roster/x", size="phone")
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")


def test_chosen_files_are_named_before_they_are_sent(show: Opener, tmp_path: Path) -> None:
    page = show("office/import")
    files = [tmp_path / "学生名单.xlsx", tmp_path / "接送人.csv"]
    for file in files:
        file.write_bytes(b"x")
    page.locator("input[type=file]").set_input_files(files)
    expect(page.locator(".chosen li")).to_have_text(["学生名单.xlsx", "接送人.csv"])


def test_a_lost_card_is_reported_with_a_second_press(stage: Stage, show: Opener) -> None:
    page = show("office/people")
    button = page.get_by_role("button", name="挂失").first
    button.click()
    assert stage.posted == []
    page.get_by_role("button", name="再按一次确认").click()
    expect(page.locator(".card-held [data-said]").first).to_have_text("已完成")
    assert stage.posted == [("card_lost", {"uid": "04A1B2C3"})]


# --- pictures for the README ------------------------------------------------------------------------------

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 200_000


@pytest.mark.skipif(os.environ.get("KIOSK_PICTURES") != "1", reason="set KIOSK_PICTURES=1 to take the README's pictures")
def test_pictures_of_each_face(stage: Stage, new_page: Opener) -> None:
    shots = {
        "display": ("display", (1280, 720)),
        "guard": ("guard", (1180, 820)),
        "roster": ("roster/x", (430, 932)),
        "duty": ("duty", (1280, 800)),
        "office": ("office/import", (1180, 820)),
    }
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, (path, (width, height)) in shots.items():
        page = new_page(f"{stage.url}/{path}")
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_selector("html[data-link=live]")
        if name == "display":
            told = {"state": "granted", "word": "请通行", "word_en": "Please pass", "name": "王*明", "class": "三(2)班"}
            stage.send("display:east-in-1", "answer", {**told, "time": "07:43", "note": "", "hold_ms": 60_000, "at_ms": 1})
            page.wait_for_selector("#answer:not([hidden])")
        if name == "guard":
            for asked in ("照片一致", "孩子认识接送人"):
                page.locator("#item-q41").get_by_label(asked).check()
        page.wait_for_timeout(400)
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        assert (PICTURES / f"{name}.png").stat().st_size < MOST_BYTES
