"""Every state of custody at the gate and on the duty page fits its screens and every finger, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.browser.test_every_page import check, turn
from tests.faces import duty_views as d
from tests.faces import watch_views as w

# state -> (page, view, what is opened)
STATES: dict[str, tuple[str, Any, str]] = {
    "on watch": ("guard", w.on_watch(), ""),
    "nobody on watch": ("guard", w.nobody_on_watch(), ""),
    "watch came back": ("guard", w.came_back(), ""),
    "escort": ("guard", w.on_watch(), "#guard-tasks .line-link >> nth=0"),
    "handed over": ("guard", w.on_watch(), "#guard-tasks .line-link >> nth=1"),
    "at the gatehouse": ("guard", w.on_watch(), "#guard-held .line-link >> nth=0"),
    "handing over": ("guard", w.on_watch(), ".watch [data-item=shift]"),
    "watch offered": ("guard", w.offered(), ".watch [data-item=shift]"),
    "just released": ("guard", w.just_released(), ""),
    "gate hold": ("guard", w.gate_hold(), ".line-link[data-item=q60]"),
    "right asked for": ("guard", w.right_elsewhere(), ".line-link[data-item=q71]"),
    "right on its way": ("guard", w.right_elsewhere(), ".line-link[data-item=q72]"),
    "right not known": ("guard", w.right_elsewhere(), ".line-link[data-item=q73]"),
    "right not given": ("guard", w.right_elsewhere(), ".line-link[data-item=q70]"),
    "came not in": ("guard", w.not_gone_through(), ".line-link[data-item=q80]"),
    "went not out": ("guard", w.not_gone_through(), ".line-link[data-item=q81]"),
    "stale list": ("guard", w.police_rung(), ".line-link[data-item=q62]"),
    "pass": ("guard", w.passes(), ".line-link[data-item=q70]"),
    "used pass": ("guard", w.passes(), ".line-link[data-item=q71]"),
    "duty": ("duty", d.everything(), ""),
    "duty ready": ("duty", d.ready(), ""),
    "duty closed": ("duty", d.closed(), ""),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("state", STATES)
def test_a_state_fits_its_screens_and_every_finger(stage: Stage, show: Opener, state: str, lang: str) -> None:
    path, view, opened = STATES[state]
    stage.views[path] = view
    page = show(f"{path}?lang={lang}", size="phone")
    if opened:
        page.locator(opened).click()
    check(page)
    turn(page, "tablet", afresh=path == "guard" and not opened)
    check(page)


@pytest.mark.parametrize("form", ["correct", "exceptional"])
def test_what_is_written_by_hand_fits_too(stage: Stage, show: Opener, form: str) -> None:
    page = show("guard", size="phone")
    page.get_by_label("查找学生或接送人").fill("王")
    page.locator("button.hit").first.click()
    page.locator(f"[data-form-of={form}] summary").click()
    check(page)
    turn(page, "tablet")
    check(page)
