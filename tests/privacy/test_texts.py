"""The texts for families come from the configuration: what is off is not in them, and a change of the settings changes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.core.rules import FaceRules
from kiosk.privacy.texts import FACES_FILED_FROM, Facts, as_markdown, digest_of, made
from kiosk.settings import Settings, load
from kiosk.settings.values import Device
from tests.support.school import CONFIG

WHATS = ("notice", "signs", "assessment", "audit")


@pytest.fixture(scope="module")
def settings() -> Settings:
    base = load(CONFIG)
    return replace(base, site=replace(base.site, devices=()), rules=replace(base.rules, face=None))


def words(what: str, settings: Settings, facts: Facts | None = None) -> str:
    return as_markdown(made(what, settings, facts or Facts(), "zh"))


def with_camera(settings: Settings) -> Settings:
    point = next(iter(settings.rules.access_points))
    camera = Device(name="cam", url="v4l2:/dev/video0", access_point=point, options={})
    return replace(settings, site=replace(settings.site, devices=(camera,)))


def with_faces(settings: Settings) -> Settings:
    return replace(settings, rules=replace(settings.rules, face=FaceRules(engine="dlib", clear=500, mismatch=400)))


def test_what_is_switched_off_is_not_in_the_notice(settings: Settings) -> None:
    plain = words("notice", settings)
    assert "人脸比对：未启用" in plain and "摄像头：本机没有" in plain and "人脸特征" not in plain and "抓拍照片" not in plain
    assert "人脸特征" in words("notice", with_faces(settings))
    assert "抓拍照片" in words("notice", with_camera(settings))
    assert "dingtalk" in words("notice", settings, Facts(notices=("dingtalk",)))


def test_every_camera_has_its_sign(settings: Settings) -> None:
    camera = with_camera(settings)
    place = settings.rules.access_points[camera.site.devices[0].access_point].name
    assert place in words("signs", camera) and "30 天" in words("signs", camera)
    assert "不需要提示牌" in words("signs", settings)


@pytest.mark.parametrize("what", ["notice", "assessment"])
def test_any_change_of_the_configuration_changes_the_words(what: str, settings: Settings) -> None:
    longer = replace(settings, retention=replace(settings.retention, visitors_days=30))
    other = [settings, with_camera(settings), with_faces(settings), longer]
    assert len({digest_of(what, one, Facts()) for one in other}) == len(other)
    counted = [digest_of(what, settings, Facts(pupils=n)) for n in (7, 8)]
    assert counted[0] == counted[1], "counts of the day are no configuration"


def test_the_face_count_is_held_against_the_limit_for_filing(settings: Settings) -> None:
    few, many = Facts(pupils=1, faces=99_999), Facts(pupils=1, faces=FACES_FILED_FROM)
    assert "须备案" not in words("assessment", settings, few).replace("须向省级网信部门备案", "")
    assert "须备案" in words("assessment", settings, many)


@pytest.mark.parametrize("what", WHATS)
def test_every_text_is_there_in_english_too(what: str, settings: Settings) -> None:
    text = made(what, with_faces(with_camera(settings)), Facts(pupils=3, notices=("feishu",)), "en")
    said = [text.title, text.lead, *(line for one in text.sections for line in (one.heading, *one.lines))]
    assert all(line.isprintable() and line for line in said)
    assert any(word in as_markdown(text) for word in ("kept for", "Camera", "risk", "Auditor"))
