"""What the doctor says about signing cards, and what the duty page says of a cloned one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kiosk.settings import load
from kiosk.settings.values import Device
from kiosk.sun_keys import make_key
from kiosk.sun_looking import examine_sun
from kiosk.web import faces
from tests.support.school import CONFIG, School

BASE = load(CONFIG)
ASKING = replace(BASE, site=replace(BASE.site, devices=(Device(name="desk", url="pcsc:only?sun=1", access_point="east-desk"),)))


def test_a_school_without_such_cards_hears_nothing_of_them(tmp_path: Path) -> None:
    assert examine_sun(BASE, tmp_path) == []


def test_a_reader_without_the_key_and_a_key_that_others_may_read_are_said_with_the_remedy(tmp_path: Path) -> None:
    [row] = examine_sun(ASKING, tmp_path)
    assert row.health == "warning" and "kiosk keys sun" in row.detail and "desk" in row.detail
    path = make_key(tmp_path)
    [row] = examine_sun(ASKING, tmp_path)
    assert (row.health, row.detail) == ("ok", "readers that ask for their links: desk")
    path.chmod(0o640)
    [row] = examine_sun(ASKING, tmp_path)
    assert row.health == "misconfigured" and "chmod 600" in row.detail


def test_the_duty_page_shows_whose_card_is_cloned_and_where_it_was(tmp_path: Path) -> None:
    school = School(tmp_path / "state", "15:35")
    try:
        school.tap("王妈妈", "east-out")
        school.tap("王妈妈", "south-out")
        for lang, words in (("zh", "同一张卡同时在两个门"), ("en", "One card at two gates at once")):
            page = faces.page("duty", view=school.duty(), lang=lang)  # type: ignore[arg-type]
            assert words in page and "王妈妈 · 东门出口 · 南门出口" in page
    finally:
        school.close()
