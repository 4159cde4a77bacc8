"""A reader, a Modbus board that opens the turnstile and hears it turn, and the gate between them, all on real wires."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.simulated.modbus_board import SimulatedModbusBoard
from drivers.simulated.pn532_chip import SimulatedPn532
from kiosk.devices import Devices
from kiosk.settings.values import Device
from kiosk.snapshots import SnapshotStore
from tests.support.people import uid_of
from tests.support.turnstiles import BOARD, POINTS, TurnstileSchool, with_turnstiles

SOON_S = 30.0
LANE = "east-in"


def wait_until(so: Callable[[], bool], what: str) -> None:
    give_up_s = time.monotonic() + SOON_S
    pause = threading.Event()
    while not so():
        assert time.monotonic() < give_up_s, what
        pause.wait(0.02)


class Lane:
    """One lane of the small school: reader, board, gate."""

    def __init__(self, folder: Path, wires: ExitStack, *, inputs: int = 4) -> None:
        self.school = TurnstileSchool(folder / "state")
        wires.callback(self.school.close)
        self.reader = wires.enter_context(SimulatedPn532(link=folder / "reader"))
        self.board = wires.enter_context(SimulatedModbusBoard(link=folder / "board", channels=4, inputs=inputs))
        base = with_turnstiles()
        points = {k: replace(p, relay=BOARD, relay_channel=POINTS.get(k, 1)) for k, p in base.rules.access_points.items()}
        wired = (Device(name="lane", url=self.reader.url, access_point=LANE), Device(name=BOARD, url=self.board.url))
        settings = replace(
            base, rules=replace(base.rules, access_points=points), site=replace(base.site, node="east", devices=wired)
        )
        self.devices = Devices(settings, self.school.gate, SnapshotStore(folder / "state", utc_offset_ms=0))
        self.devices.start()
        wires.callback(self.devices.stop)
        wait_until(lambda: all(one.health == "ok" for one in self.devices.by_name.values()), "the devices are there")

    def tap(self, name: str) -> None:
        before = len(self.school.entries("arrived"))
        uid = uid_of(self.school.number(name))
        wait_until(lambda: self.reader.tap(uid) and len(self.school.entries("arrived")) > before, f"{name} has tapped")

    def waiting(self) -> int:
        return len(self.school.gate.world.turns[LANE].waiting)


@pytest.fixture(name="lane")
def a_lane(tmp_path: Path) -> Iterator[Lane]:
    with ExitStack() as wires:
        yield Lane(tmp_path, wires)


def test_a_tap_opens_the_turnstile_and_the_turn_is_its_use(lane: Lane) -> None:
    lane.tap("王小明")
    assert lane.board.wait_for_change(1, True, timeout_s=SOON_S), "the board that listens opens as well"
    assert lane.board.turn(1)
    wait_until(lambda: lane.waiting() == 0, "the turn has been heard")
    lane.school.nobody_goes()
    assert lane.school.custodian("王小明") == "张老师"


def test_a_tap_without_a_turn_is_taken_back(lane: Lane) -> None:
    lane.tap("王小明")
    assert lane.board.turn(2), "somebody at another lane"
    assert lane.waiting() == 1
    lane.school.nobody_goes()
    assert lane.school.custodian("王小明") == ""
    assert [e.kind for e in lane.school.entries()][-2:] == ["arrived", "passage_unused"]


def test_a_board_that_is_pulled_takes_nobody_back(lane: Lane) -> None:
    lane.tap("王小明")
    lane.board.unplug()
    wait_until(lambda: bool(lane.school.entries("device_lost")), "the board is missed")
    lane.school.nobody_goes()
    assert lane.school.custodian("王小明") == "张老师"


def test_an_input_that_the_board_does_not_have_takes_nobody_back_and_is_said(tmp_path: Path) -> None:
    with ExitStack() as wires:
        lane = Lane(tmp_path, wires, inputs=0)
        lane.tap("王小明")
        lane.school.nobody_goes()
        assert lane.school.custodian("王小明") == "张老师"
        assert {e.body["device"] for e in lane.school.entries("device_lost")} >= {f"{BOARD}:1"}
