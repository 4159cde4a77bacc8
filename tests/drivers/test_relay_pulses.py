"""A contact is never closed longer than was asked for, whatever happens. On the wire of a simulated LCUS board."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.errors import DeviceLost
from drivers.protocols import Health, Info, Relay
from drivers.registry import load
from drivers.simulated.relay_board import SimulatedRelayBoard
from drivers.supervisor import MAX_PULSE_S, MAX_PULSES, STALE_PULSE_S, Patience, RelaySupervisor

SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.2)


@pytest.fixture(name="board")
def a_board(tmp_path: Path) -> Iterator[SimulatedRelayBoard]:
    with SimulatedRelayBoard(link=tmp_path / "door", channels=2) as board:
        yield board


class Told:
    def __init__(self) -> None:
        self.healths: list[Health] = []
        self._news = threading.Condition()

    def on_health(self, name: str, health: Health, why: str) -> None:
        with self._news:
            self.healths.append(health)
            self._news.notify_all()

    def wait_for(self, health: Health, times: int = 1) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self.healths.count(health) >= times, SOON_S), self.healths


@pytest.fixture(name="told")
def what_was_told() -> Told:
    return Told()


@pytest.fixture(name="door")
def a_running_door(board: SimulatedRelayBoard, told: Told) -> Iterator[RelaySupervisor]:
    door = RelaySupervisor(load(board.url, "door"), on_health=told.on_health, patience=QUICKLY).start()
    told.wait_for(Health.OK)
    yield door
    assert door.stop()


def test_a_pulse_closes_the_contact_and_opens_it_again(board: SimulatedRelayBoard, door: RelaySupervisor) -> None:
    assert door.pulse(1, 0.1)
    assert board.wait_for_change(1, True)
    assert board.wait_for(1, False)
    assert [(change.channel, change.on) for change in board.history] == [(1, True), (1, False)]


def test_channels_are_pulsed_apart(board: SimulatedRelayBoard, door: RelaySupervisor) -> None:
    assert door.pulse(1, MAX_PULSE_S)
    assert door.pulse(2, 0.05)
    assert board.wait_for_change(1, True)
    assert board.wait_for_change(2, True)
    assert board.wait_for(2, False)
    assert board.state[1], "the longer pulse goes on"


def test_a_second_pulse_extends_the_first_and_never_cuts_it(board: SimulatedRelayBoard, door: RelaySupervisor) -> None:
    assert door.pulse(1, 0.05)
    assert door.pulse(1, MAX_PULSE_S)
    assert door.pulse(1, 0.05)
    assert door.pulse(2, 0.2)
    assert board.wait_for_change(2, True)
    assert board.wait_for(2, False), "longer than both of the short ones"
    assert [change.on for change in board.history if change.channel == 1] == [True]


def test_every_channel_is_told_off_at_the_start(board: SimulatedRelayBoard, told: Told) -> None:
    """The process before may have been killed in the middle of a pulse."""
    before = load(board.url, "before")
    assert isinstance(before, Relay)
    before.open()
    before.set(2, True)
    assert board.wait_for_change(2, True)
    before.close()
    door = RelaySupervisor(load(board.url, "door"), on_health=told.on_health, patience=QUICKLY).start()
    assert board.wait_for(2, False)
    assert door.stop()


def test_stopping_opens_every_contact(board: SimulatedRelayBoard, door: RelaySupervisor) -> None:
    assert door.pulse(1, MAX_PULSE_S)
    assert board.wait_for_change(1, True)
    assert door.stop()
    assert board.wait_for(1, False)


def test_a_board_that_is_pulled_is_noticed_although_nobody_uses_it(
    board: SimulatedRelayBoard, door: RelaySupervisor, told: Told
) -> None:
    board.unplug()
    told.wait_for(Health.DOWN)
    board.replug()
    told.wait_for(Health.OK, times=2)
    assert door.pulse(1, 0.05)
    assert board.wait_for_change(1, True)


def test_a_pulse_for_a_board_that_is_away_is_refused_and_never_made_up_for(
    board: SimulatedRelayBoard, door: RelaySupervisor, told: Told
) -> None:
    board.unplug()
    told.wait_for(Health.DOWN)
    assert not door.pulse(1, 0.5)
    board.replug()
    told.wait_for(Health.OK, times=2)
    assert door.pulse(2, 0.05)
    assert board.wait_for_change(2, True)
    assert board.wait_for(2, False)
    assert not any(change.channel == 1 for change in board.history)


def test_a_board_that_comes_back_in_the_middle_of_a_pulse_stays_off(
    board: SimulatedRelayBoard, door: RelaySupervisor, told: Told
) -> None:
    assert door.pulse(1, MAX_PULSE_S)
    assert board.wait_for_change(1, True)
    board.unplug()
    told.wait_for(Health.DOWN)
    board.replug()
    told.wait_for(Health.OK, times=2)
    assert [change.on for change in board.history] == [True, False]


@pytest.mark.parametrize(("channel", "seconds"), [(3, 1.0), (0, 1.0), (1, 0.0), (1, -1.0), (1, math.nan)])
def test_a_pulse_that_the_board_cannot_give_is_refused_and_said_once(
    door: RelaySupervisor, caplog: pytest.LogCaptureFixture, channel: int, seconds: float
) -> None:
    assert not door.pulse(channel, seconds)
    assert not door.pulse(channel, seconds)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "it has 1, 2" in caplog.text


class StickyBoard(Relay):
    """A third party's driver whose board is slow to close a contact, and can be lost while it idles."""

    schemes = ("sticky",)

    def __init__(self, told: Told) -> None:
        super().__init__("door", "sticky:x")
        self.entered, self.release, self.gone = threading.Event(), threading.Event(), threading.Event()
        self.ons = 0
        self.offs_before_ok: list[bool] = []
        self._told = told

    def open(self) -> Info:
        return Info()

    def close(self) -> None:
        return None

    def ping(self) -> None:
        if self.gone.is_set():
            raise DeviceLost("pulled")

    def set(self, channel: int, on: bool) -> None:
        if on:
            self.ons += 1
            self.entered.set()
            self.release.wait(SOON_S)
        else:
            self.offs_before_ok.append(Health.OK not in self._told.healths)


@pytest.fixture(name="sticky")
def a_sticky_door(told: Told) -> Iterator[tuple[StickyBoard, RelaySupervisor]]:
    board = StickyBoard(told)
    door = RelaySupervisor(board, on_health=told.on_health, patience=QUICKLY).start()
    told.wait_for(Health.OK)
    yield board, door
    board.release.set()
    assert door.stop()


Sticky = tuple[StickyBoard, RelaySupervisor]


def test_the_contacts_are_open_before_anybody_is_told_that_the_board_is_ok(sticky: Sticky) -> None:
    assert sticky[0].offs_before_ok[0]


def test_what_waits_is_bounded(sticky: Sticky) -> None:
    board, door = sticky
    assert door.pulse(1, 0.05)
    assert board.entered.wait(SOON_S)
    accepted = [door.pulse(1, 0.05) for _ in range(3 * MAX_PULSES)]
    assert accepted.count(True) == MAX_PULSES


def test_a_pulse_that_waited_too_long_is_dropped(sticky: Sticky, caplog: pytest.LogCaptureFixture) -> None:
    board, door = sticky
    assert door.pulse(1, 0.05)
    assert board.entered.wait(SOON_S)
    assert door.pulse(1, 0.05)
    time.sleep(STALE_PULSE_S + 0.1)
    board.release.set()
    give_up_s = time.monotonic() + SOON_S
    while "came too late" not in caplog.text and time.monotonic() < give_up_s:
        time.sleep(0.01)
    assert "came too late" in caplog.text
    assert board.ons == 1


def test_an_idle_board_is_asked_whether_it_is_still_there(sticky: Sticky, told: Told) -> None:
    sticky[0].gone.set()
    told.wait_for(Health.DOWN)


def test_an_off_that_noise_has_eaten_is_said_again(board: SimulatedRelayBoard, door: RelaySupervisor) -> None:
    assert door.pulse(1, 0.3)
    assert board.wait_for_change(1, True)
    board.miss(1)
    assert board.wait_for(1, False)


def test_many_threads_may_ask_at_once(board: SimulatedRelayBoard, door: RelaySupervisor) -> None:
    threads = [threading.Thread(target=door.pulse, args=(1 + at % 2, 0.05)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_S)
    assert board.wait_for_change(1, True)
    assert board.wait_for(1, False)
    assert board.wait_for(2, False)


def test_the_board_says_nothing_about_its_contacts(board: SimulatedRelayBoard) -> None:
    driver = load(board.url, "door")
    assert isinstance(driver, Relay)
    assert driver.get(1) is None


def test_a_closed_or_pulled_board_is_a_lost_device(board: SimulatedRelayBoard) -> None:
    driver = load(board.url, "door")
    assert isinstance(driver, Relay)
    uses: list[Callable[[], object]] = [driver.ping, lambda: driver.set(1, True)]
    for use in uses:
        with pytest.raises(DeviceLost):
            use()
    driver.open()
    board.unplug()
    for use in uses:
        with pytest.raises(DeviceLost):
            use()
    driver.close()


def test_a_contact_that_is_welded_shut_is_what_a_door_sensor_is_for(board: SimulatedRelayBoard, door: RelaySupervisor) -> None:
    assert door.pulse(1, MAX_PULSE_S)
    assert board.wait_for_change(1, True)
    board.jam(1)
    frames = board.frames
    assert door.stop()
    assert board.wait_for_frames(frames + 1), "it was told OFF"
    assert board.state[1]
