"""The guard's page where faces are compared: one calm line beside two photos, and nothing that decides by itself."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from kiosk.core.roster_faces import CandidateLine, FaceLine
from kiosk.web.faces_office import PeopleView, PersonLine
from tests.browser.conftest import Opener
from tests.browser.show import Stage
from tests.faces import sample_office
from tests.faces import sample_views as sample

SNAPSHOT = "20261123-" + "a" * 32
LOOKED_AT = os.environ.get("KIOSK_LOOK")  # a folder: pictures of each page, for a person to look at


def queue_of(stage: Stage) -> None:
    child = sample.pickup(1, relation="", outcome="ask_guard", reason="face_differs")
    few = tuple(
        CandidateLine(child=n, name=name, class_name="二(1)班", has_photo=True)
        for n, name in ((1002, "李思涵"), (1003, "张浩然"), (1004, "刘梓萱"))
    )
    more = {"person": child.line.child, "phone_tail": "", "access_point_name": "东门 1 号进校通道"}
    items = (
        sample.queue_item("f1", child.line.name, (child,), kind="face", reason="face_differs", snapshot=SNAPSHOT,
                          face=FaceLine(verdict="mismatch"), **more),
        sample.queue_item("f2", child.line.name, (child,), kind="claim", reason="identity_unconfirmed", snapshot=SNAPSHOT,
                          face=FaceLine(verdict="clear_match"), **more),
        sample.queue_item("f3", "", (), kind="unknown", outcome="refused", reason="unknown_credential",
                          face=FaceLine(verdict="candidates", candidates=few), **{**more, "person": None}, has_photo=False),
    )  # fmt: skip
    stage.views["guard"] = replace(sample.guard(), queue=items)


@pytest.mark.parametrize("size", ["tablet", "phone", "landscape"])
def test_the_word_stands_beside_both_photos_and_decides_nothing(stage: Stage, show: Opener, size: str) -> None:
    queue_of(stage)
    page = show("guard", size=size)
    for key, words in (("f1", "请核对是否本人"), ("f2", "照片相符"), ("f3", "可能是以下学生")):
        page.locator(f"[data-item={key}]").click()
        item = page.locator(f"#item-{key}")
        expect(item.locator(".face-word")).to_contain_text(words)
        expect(item.locator(".face-word")).to_contain_text("仅供参考，由您决定。")
        if LOOKED_AT:
            page.screenshot(path=Path(LOOKED_AT) / f"guard-{key}-{size}.png")
        if size == "phone":
            item.locator("[data-guard=back]").click()
    assert stage.posted == []
    assert page.locator("#item-f3 .face-few li").count() == 3
    assert page.locator("#item-f3 .face-few button, #item-f3 .face-few a").count() == 0, "nobody is released on by a candidate"


def test_seen_takes_the_line_off_the_list(stage: Stage, show: Opener) -> None:
    queue_of(stage)
    page = show("guard")
    page.locator("[data-item=f1]").click()
    page.locator("#item-f1 [data-act=dismiss]").click()
    expect(page.locator("#item-f1 [data-said]")).to_have_text("已完成")
    assert stage.posted == [("dismiss", {"queue_id": "f1"})]


def test_the_office_withdraws_a_consent_in_two_presses(stage: Stage, show: Opener) -> None:
    pupil = PersonLine(
        kind="pupil", number=1, name="王小明", where="一(1)班 1 号", has_photo=True, cards=(),
        consents=(("face_match", True), ("snapshot", False)),
    )  # fmt: skip
    stage.views["office_people"] = PeopleView(bar=sample_office.people().bar, text="王", people=(pupil,))
    page = show("office_people")
    if LOOKED_AT:
        page.screenshot(path=Path(LOOKED_AT) / "office-people.png")
    press = page.get_by_role("button", name="撤回同意：人脸比对")
    press.click()
    assert stage.posted == []
    page.get_by_role("button", name="再按一次确认").click()
    expect(page.locator(".consent [data-said]").first).to_have_text("已完成")
    assert stage.posted == [("consent", {"child": 1, "purpose": "face_match", "given": False})]
    expect(page.get_by_text("已撤回：抓拍照片")).to_be_visible()
