"""A report in a real browser: how far it is, a gate that does not answer, and that it opens when it is there."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.faces import report_views

AT = "office/reports/attendance"


def test_the_page_says_how_far_it_is_and_opens_the_report_when_it_is_there(stage: Stage, show: Opener) -> None:
    stage.views["office_report"] = report_views.STATES["starting"]
    page = show(AT)
    expect(page.locator("[data-step]")).to_have_text("正在准备")
    stage.views["office_report"] = report_views.STATES["running"]
    expect(page.locator("[data-count]")).to_have_text("420000 / 1300000")
    assert page.locator("progress").evaluate("bar => [bar.value, bar.max]") == [420_000, 1_300_000]
    stage.views["office_report"] = report_views.ready()
    expect(page.get_by_role("heading", name="2026年11月课后服务考勤")).to_be_visible()
    expect(page.get_by_role("img", name="各班人次")).to_be_visible()


def test_a_gate_that_does_not_answer_is_a_state_of_the_page(stage: Stage, show: Opener) -> None:
    stage.views["office_report"] = report_views.STATES["running"]
    page = show(AT)
    cut = True

    def answer(route: Route) -> None:
        route.abort() if cut else route.continue_()

    page.route("**/state?*", answer)
    expect(page.locator("[data-said]")).to_be_visible()
    cut = False
    stage.views["office_report"] = report_views.ready()
    expect(page.get_by_role("heading", name="2026年11月课后服务考勤")).to_be_visible()
