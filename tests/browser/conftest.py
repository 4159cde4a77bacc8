"""A real Chromium for the tests of this folder, and a stage or a gate behind it.

Every page that a test opens is watched: an error in the console, a script that the policy stopped or an exception fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.browser.show import Stage
from tests.support.chromium import PATIENCE_MS, chromium

SIZES = {"phone": (390, 844), "tablet": (1024, 768), "landscape": (1920, 1080), "portrait": (1080, 1920)}
# A cut line and a wrong PIN are part of the story: the browser logs them, and the page says them.
EXPECTED = (
    "ERR_CONNECTION",
    "ERR_INCOMPLETE",
    "ERR_EMPTY",
    "ERR_INTERNET",
    "ERR_NETWORK",
    "ERR_FAILED",
    "status of 401",
)

Opener = Callable[..., Page]


# One browser a module: an open Playwright keeps an event loop in this thread, which tests elsewhere must not meet.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def running_stage() -> Iterator[Stage]:
    stage = Stage()
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture
def stage(running_stage: Stage) -> Stage:
    running_stage.reset()
    return running_stage


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Opener]:
    """new_page(url, size="tablet", **context) -> an open page. Trouble in its console fails the test at the end."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in EXPECTED):
            trouble.append(f"{message.text} ({message.location.get('url', '')})")

    def open_page(url: str, *, size: str = "tablet", clock_at: float | None = None, **more: object) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, **more)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", note)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        if clock_at is not None:
            page.clock.install(time=clock_at)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not trouble


@pytest.fixture
def show(stage: Stage, new_page: Opener) -> Opener:
    """show("guard", size="phone") -> the page on the stage, with its live line up."""

    def open_page(path: str, **more: object) -> Page:
        page = new_page(f"{stage.url}/{path}", **more)
        if page.locator("body").get_attribute("data-topics"):
            page.wait_for_selector("html[data-link=live]")
        return page

    return open_page


def standstill(page: Page) -> None:
    """From here on the page's clock moves only as the test says. However slowly keys are typed, to the page it is one burst."""
    page.clock.pause_at((page.evaluate("() => Date.now()") + 1_000) / 1_000)
