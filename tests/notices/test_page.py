"""The office page of the notices, over HTTP, and the whole gate process with a notices.toml."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.clock import FixedClock, SystemClock
from kiosk.composition import GateProcess
from kiosk.core import commands as c
from kiosk.settings import load
from tests.notices.robot_servers import RobotServer
from tests.notices.telling import Telling, target
from tests.support.people import small_school
from tests.support.school import CONFIG, School
from tests.web.gate_online import Online, online, wait_for


@pytest.fixture
def robot() -> Iterator[RobotServer]:
    with RobotServer("feishu", secret="s", now_ms=SystemClock().now_ms).running() as server:
        yield server


@pytest.fixture
def office(tmp_path: Path, robot: RobotServer) -> Iterator[tuple[Online, Telling]]:
    opened: list[Telling] = []

    def notices(school: School) -> dict[str, object]:
        robot.now_ms = school.clock.now_ms
        opened.append(Telling(school, target("feishu", robot.link, secret="s", name="总务群 & Co")))
        return {"notices": opened[0].notices.state, "test_notice": opened[0].notices.test}

    with online(tmp_path, more=notices) as here:
        yield here, opened[0]
        opened[0].close()


def test_the_page_shows_every_target_and_a_test_comes_out_of_it(office: tuple[Online, Telling], robot: RobotServer) -> None:
    here, telling = office
    client = here.as_staff("O1")
    page = client.get("/office/notices").text
    assert "总务群 &amp; Co" in page and "未用过" in page and "feishu-secret" not in page and robot.link not in page
    pressed = client.post("/office/notices/test", data={"target": "总务群 & Co"})
    assert pressed.status_code == 303
    assert "测试正在发送" in client.get(pressed.headers["location"]).text
    telling.tell()
    assert len(robot.accepted) == 1
    assert "测试已被收下" in client.get(pressed.headers["location"]).text


def test_the_page_shows_what_the_platform_said(office: tuple[Online, Telling], robot: RobotServer) -> None:
    here, telling = office
    client = here.as_staff("O1")
    robot.next((19024, "Key Words Not Found <b>"))
    client.post("/office/notices/test", data={"target": "总务群 & Co"})
    telling.tell()
    page = client.get("/office/notices?tested=总务群 %26 Co").text
    assert "19024" in page and "keyword" in page and "测试已被收下" not in page
    assert "19024: the robot" in client.get("/office/notices?lang=en").text


def test_a_test_needs_the_office_and_the_pages_token(office: tuple[Online, Telling], robot: RobotServer) -> None:
    here, telling = office
    assert here.as_staff("G1").get("/office/notices").status_code == 403
    assert here.as_staff("G1").post("/office/notices/test", data={"target": "总务群 & Co"}).status_code == 403
    client = here.as_staff("O1")
    assert client.post("/office/notices/test", data={"target": "nobody"}).status_code == 404
    client.headers.pop("x-csrf-token")
    assert client.post("/office/notices/test", data={"target": "总务群 & Co"}).status_code == 403
    telling.tell()
    assert robot.accepted == []


def test_without_notices_the_page_says_how_to_begin(tmp_path: Path) -> None:
    with online(tmp_path) as here:
        client = here.as_staff("O1")
        assert "notices.toml" in client.get("/office/notices").text
        assert client.post("/office/notices/test", data={"target": "x"}).status_code == 404


def test_a_whole_gate_tells_what_it_decided(tmp_path: Path, robot: RobotServer) -> None:
    """`kiosk serve` with a notices.toml: composed, started, told, stopped."""
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    lines = {"name": "群", "kind": "feishu", "link": robot.link, "secret": "s", "alarms": True}
    toml = "[[target]]\n" + "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in lines.items())
    (config / "notices.toml").write_text(toml, encoding="utf-8")
    gate = GateProcess(settings=load(config), state=tmp_path / "state", clock=FixedClock(SystemClock().now_ms()))
    gate.start()
    try:
        gate.controller.ask(c.AdoptDirectory(directory=small_school(), digest="x"))
        gate.controller.ask(c.Read(access_point="east-desk", scheme="uid", value="0BADCA4D"))  # a card reported lost
        wait_for(lambda: robot.accepted or robot.refused)
    finally:
        gate.stop()
    assert [("东门：有人使用已挂失的卡" in text, "实验小学" in text) for text in robot.accepted] == [(True, True)]
    assert gate.notices is not None and gate.notices.state().last_error == ""
