"""The worker between a tap and a verdict: it never makes anybody wait, and without weights it says so once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.core.rules import FaceRules
from kiosk.devices import Sighting
from kiosk.face.desk import WAITING, FaceDesk
from kiosk.face.examining import examine_faces
from kiosk.face.process import EngineProcess
from kiosk.face.templates import TemplateStore
from kiosk.settings import load
from tests.scenarios.test_faces import agreed
from tests.support.running_gate import wait_until
from tests.support.school import CONFIG, School

MING, MEI = 1, 4


@pytest.fixture(name="school")
def a_school_with_another_engine(tmp_path: Path) -> Iterator[School]:
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, face=FaceRules(engine="sface")))
    school = School(tmp_path, settings=settings, directory=agreed(MING))
    yield school
    school.close()


def a_desk(school: School) -> FaceDesk:
    process = EngineProcess("sface", school.state / "models")
    return FaceDesk(controller=school.gate, process=process, templates=TemplateStore(school.state))


def test_only_who_agreed_is_looked_at(school: School) -> None:
    desk = a_desk(school)
    assert desk.wants(MING) and not desk.wants(MEI)
    assert not desk.wants(0), "nobody was named, and this school shows no candidates"


def test_when_too_many_wait_the_newest_are_left_out_and_nobody_waits(school: School) -> None:
    desk = a_desk(school)  # not started: nobody takes anything from the queue
    for number in range(WAITING + 5):
        desk.offer(Sighting(of=f"east/x/{number}", access_point="east-in", person=MING, snapshot="", picture=b""))
    assert desk._waiting.qsize() == WAITING
    desk.start()
    desk.stop()


def test_without_weights_recognition_is_off_with_a_sentence_and_taps_go_on(school: School) -> None:
    desk = a_desk(school)
    desk.start()
    found = wait_until(lambda: school.gate.world.devices.get("face"), "the engine's state", within_s=60)
    assert found.health == "down" and "kiosk models add" in found.why
    assert [e.body["device"] for e in school.entries("device_lost")] == ["face"]
    assert school.tap("王小明", "east-in").decision.outcome == "granted"
    desk.stop()
    (row,) = examine_faces(school.settings.rules.face, school.state)
    assert row.health == "warning" and "snapshots and everything else go on" in row.detail
    assert examine_faces(None, school.state) == ()


def test_the_commands_say_which_weights_are_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", "--state", str(tmp_path), "--json"]) == 0
    states = {row["name"]: row["state"] for row in json.loads(capsys.readouterr().out)["models"]}
    assert states["sface"] == states["yunet"] == "absent" and states["dlib-embedding"] in ("ok", "absent")
    stranger = tmp_path / "sface.onnx"
    stranger.write_bytes(b"no weights")
    assert main(["models", "add", str(stranger), "--state", str(tmp_path)]) == 1
    assert "none of the files that this program knows" in capsys.readouterr().err
    assert main(["face", "enrol", "--config", str(CONFIG), "--state", str(tmp_path)]) == 1
    assert "faces are off here" in capsys.readouterr().err
