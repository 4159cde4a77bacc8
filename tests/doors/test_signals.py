"""Beeper, lamp and loudspeaker at an access point, on real wires. What an adult's card does, every adult's card does."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.simulated.modbus_board import SimulatedModbusBoard
from drivers.simulated.speaker import SimulatedSpeaker
from drivers.tones import joined, tone
from kiosk.core.signals import Signal
from kiosk.devices import Devices
from kiosk.settings.values import Device, SignalContact, Sound
from kiosk.signalling import BEEPS, LIGHTS
from kiosk.snapshots import SnapshotStore
from kiosk.sounds import TONES
from tests.support.school import School

SOON_S = 30.0
LANE, BEEPER, LAMP = "east-in", 1, 2


def wait_until(so: Callable[[], bool]) -> None:
    give_up_s, pause = time.monotonic() + SOON_S, threading.Event()
    while not so():
        assert time.monotonic() < give_up_s
        pause.wait(0.02)


def clip(signal: Signal) -> bytes:
    return joined([tone(TONES[signal])])


class Lane:
    def __init__(self, folder: Path, wires: ExitStack) -> None:
        self.school = School(folder / "state")
        wires.callback(self.school.close)
        self.board = wires.enter_context(SimulatedModbusBoard(link=folder / "board", channels=2, inputs=0))
        self.card = wires.enter_context(SimulatedSpeaker(link=folder / "speaker"))
        site = replace(
            self.school.settings.site,
            devices=(Device(name="board", url=self.board.url), Device(name="speaker", url=self.card.url)),
            signals=tuple(
                SignalContact(access_point=point, relay="board", channel=channel, kind=kind)
                for point in (LANE, "east-out")
                for channel, kind in ((BEEPER, "beeper"), (LAMP, "lamp"))
            ),
            sound=Sound(device="speaker", access_points=frozenset({LANE, "east-out"})),
        )
        settings = replace(self.school.settings, site=site)
        self.devices = Devices(settings, self.school.gate, SnapshotStore(folder / "state", utc_offset_ms=0))
        self.devices.start()
        wires.callback(self.devices.stop)
        wait_until(lambda: all(one.health == "ok" for one in self.devices.by_name.values()))

    def rests(self) -> None:
        wait_until(lambda: not any(self.board.state.values()))

    def ons(self, channel: int) -> int:
        return sum(1 for change in self.board.history if change.channel == channel and change.on)


@pytest.fixture(name="lane")
def a_lane(tmp_path: Path) -> Iterator[Lane]:
    with ExitStack() as wires:
        yield Lane(tmp_path, wires)


def test_granted_is_one_beep_a_light_and_a_rising_tone(lane: Lane) -> None:
    lane.school.tap("王小明", LANE)
    assert lane.card.wait_for(clip(Signal.GRANTED), timeout_s=SOON_S)
    wait_until(lambda: (lane.ons(BEEPER), lane.ons(LAMP)) == (1, 1))
    lane.rests()


def test_refused_is_two_beeps_and_a_falling_tone(lane: Lane) -> None:
    lane.school.tap_card("FFFFFFFF", LANE)
    assert lane.card.wait_for(clip(Signal.REFUSED), timeout_s=SOON_S)
    wait_until(lambda: (lane.ons(BEEPER), lane.ons(LAMP)) == (2, 1))


def test_an_access_point_without_signals_makes_none(lane: Lane) -> None:
    lane.school.tap("李雷", "south-in")
    lane.school.tap("王小明", LANE)
    assert lane.card.wait_for(clip(Signal.GRANTED), timeout_s=SOON_S)
    wait_until(lambda: lane.ons(BEEPER) == 1)
    lane.rests()
    assert lane.ons(BEEPER) == 1


@pytest.mark.parametrize(("adult", "reason"), [("王妈妈", "collector_present"), ("王爸爸", "collector_restricted")])
def test_no_adults_card_makes_a_sound_and_a_restricted_person_is_lit_as_everybody_is(lane: Lane, adult: str, reason: str) -> None:
    lane.school.tap("王小明", "east-in-2")
    lane.school.at("15:35")
    assert lane.school.tap(adult, "east-out").decision.reason == reason
    wait_until(lambda: lane.ons(LAMP) == 1)
    lane.school.tap("李雷", LANE)  # a child right behind: what is heard is the child's
    assert lane.card.wait_for(clip(Signal.GRANTED), timeout_s=SOON_S)
    wait_until(lambda: lane.ons(BEEPER) == 1)
    assert {clip(signal) for signal in Signal} & set(lane.card.heard()) == {clip(Signal.GRANTED)}


def test_nothing_flashes_faster_than_three_times_a_second() -> None:
    for beats in (*BEEPS.values(), *LIGHTS.values()):
        begins = [after for after, _ in beats]
        assert all(later - earlier >= 1 / 3 for earlier, later in itertools.pairwise(begins))
        assert all(after + lasts < following for (after, lasts), following in zip(beats, begins[1:], strict=False))
