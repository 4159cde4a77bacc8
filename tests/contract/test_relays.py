"""What every relay board promises, held by every relay driver against its simulator on the device's own wire.

The first promise is that no contact stays closed longer than it was asked for: not when the gate stops, not when it is
killed, not when the cable was out in between. A rule that cannot be asked of a driver has its reason in
drivers/QUALITY.toml, and only then is it not asked.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from drivers.errors import DeviceLost
from drivers.protocols import Health, Info, Relay
from drivers.registry import load
from drivers.simulated.modbus_board import SimulatedModbusBoard
from drivers.simulated.relay_board import SimulatedRelayBoard
from drivers.supervisor import MAX_PULSE_S, Patience, RelaySupervisor

ROOT = Path(__file__).parents[2]
QUALITY = tomllib.loads((ROOT / "drivers" / "QUALITY.toml").read_text(encoding="utf-8"))
SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.2)
A_GATE_THAT_WILL_BE_KILLED = """
import sys, time
from drivers.registry import load
from drivers.supervisor import MAX_PULSE_S, RelaySupervisor
door = RelaySupervisor(load(sys.argv[1], "door"), on_health=lambda *told: None).start()
while not door.pulse(2, MAX_PULSE_S):
    time.sleep(0.01)
time.sleep(60)
"""


@dataclass(frozen=True)
class Bench:
    """One driver with its simulator. `power` says whether the board lives off the plug that is pulled."""

    quality: str
    start: Callable[[Path], Any]
    power: bool
    reads_back: bool


BENCHES = {
    "lcus": Bench("lcus", lambda link: SimulatedRelayBoard(link=link, channels=4), power=True, reads_back=False),
    "modbus": Bench("modbus", lambda link: SimulatedModbusBoard(link=link, channels=4), power=False, reads_back=True),
    "modbus-hears-itself": Bench("modbus", lambda link: _hearing_itself(link), power=False, reads_back=True),
}


def _hearing_itself(link: Path) -> SimulatedModbusBoard:
    board = SimulatedModbusBoard(link=link, channels=4)
    board.hear_itself()
    return board


class Rig:
    """A driver under its supervisor, its board, and everything that was told."""

    def __init__(self, bench: Bench, board: Any) -> None:
        self.bench, self.board = bench, board
        self.told: list[tuple[Health, str]] = []
        self._news = threading.Condition()
        self.door = RelaySupervisor(load(board.url, "door"), on_health=self._on_health, patience=QUICKLY)

    def _on_health(self, name: str, health: Health, why: str) -> None:
        assert name == "door"
        with self._news:
            self.told.append((health, why))
            self._news.notify_all()

    def healths(self) -> list[Health]:
        return [health for health, _ in self.told]

    def wait_for(self, health: Health, *, times: int = 1) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self.healths().count(health) >= times, SOON_S), self.told

    def pulse_until_closed(self, channel: int, seconds: float) -> None:
        """A person taps again when the door stays shut."""
        give_up_s = time.monotonic() + SOON_S
        while time.monotonic() < give_up_s:
            self.door.pulse(channel, seconds)
            if self.board.wait_for_change(channel, True, timeout_s=0.5):
                return
        raise AssertionError((self.board.history, self.told))

    def opens(self, channel: int) -> bool:
        return bool(self.board.wait_for(channel, False, timeout_s=SOON_S))


def excused(bench: Bench, rule: str) -> str:
    said = cast(str, QUALITY["drivers"][bench.quality][rule])
    return said.removeprefix("exempt: ") if said.startswith("exempt: ") else ""


@pytest.fixture(params=BENCHES, name="bench")
def every_bench(request: pytest.FixtureRequest) -> Bench:
    return BENCHES[request.param]


@pytest.fixture(name="board")
def its_board(bench: Bench, tmp_path: Path) -> Iterator[Any]:
    with bench.start(tmp_path / "by-id" / "board") as board:
        yield board


@pytest.fixture(name="rig")
def a_running_rig(bench: Bench, board: Any) -> Iterator[Rig]:
    rig = Rig(bench, board)
    rig.door.start()
    rig.wait_for(Health.OK)
    yield rig
    assert rig.door.stop()


@pytest.fixture(name="driver")
def a_bare_driver(board: Any) -> Iterator[Relay]:
    driver = load(board.url, "door")
    assert isinstance(driver, Relay)
    yield driver
    driver.close()


def test_constructing_touches_nothing(bench: Bench, tmp_path: Path) -> None:
    with bench.start(tmp_path / "board") as board:
        url = board.url
    load(url, "door")


def test_it_opens_twice_and_closes_twice_and_moves_nothing(driver: Relay, board: Any) -> None:
    for _ in range(2):
        info = driver.open()
        assert isinstance(info, Info) and info.model
        driver.close()
        driver.close()
    assert not board.history, "a contact that clicks when a program starts has opened a door"


def test_opening_an_open_board_starts_afresh(driver: Relay) -> None:
    driver.open()
    driver.open()
    driver.ping()


def test_using_a_closed_board_is_a_lost_device(driver: Relay) -> None:
    uses: list[Callable[[], object]] = [driver.ping, lambda: driver.set(1, True)]
    for use in uses:
        with pytest.raises(DeviceLost):
            use()


def test_a_board_that_is_not_there_is_lost_and_the_sentence_names_it(bench: Bench, tmp_path: Path) -> None:
    with bench.start(tmp_path / "board") as board:
        url = board.url
    driver = load(url, "door")
    with pytest.raises(DeviceLost, match=url.split(":", 1)[1].split("?")[0]):
        driver.open()
    driver.close()


def test_every_channel_closes_and_opens_by_itself_alone(driver: Relay, board: Any) -> None:
    driver.open()
    for channel in driver.channels:
        driver.set(channel, True)
        assert board.wait_for(channel, True)
        assert [other for other, closed in board.state.items() if closed] == [channel]
        driver.set(channel, False)
        assert board.wait_for(channel, False)


def test_what_the_board_says_of_a_contact_is_so_or_it_says_that_it_cannot_tell(bench: Bench, driver: Relay, board: Any) -> None:
    driver.open()
    driver.set(3, True)
    assert board.wait_for(3, True)
    assert driver.closed() == (frozenset({3}) if bench.reads_back else None)
    assert [driver.get(channel) for channel in (2, 3)] == ([False, True] if bench.reads_back else [None, None])


def test_a_pulse_ends_by_itself(rig: Rig) -> None:
    rig.pulse_until_closed(1, 0.1)
    assert rig.opens(1)


def test_every_contact_is_told_off_at_the_start(bench: Bench, board: Any, driver: Relay) -> None:
    driver.open()
    driver.set(2, True)
    assert board.wait_for(2, True)
    driver.close()
    rig = Rig(bench, board)
    rig.door.start()
    rig.wait_for(Health.OK)
    assert rig.opens(2)
    assert rig.door.stop()


def test_stopping_opens_every_contact(rig: Rig) -> None:
    rig.pulse_until_closed(1, MAX_PULSE_S)
    rig.pulse_until_closed(3, MAX_PULSE_S)
    assert rig.door.stop()
    assert rig.opens(1)
    assert rig.opens(3)


def test_a_gate_that_is_killed_in_the_middle_of_a_pulse_opens_the_contact_at_its_next_start(bench: Bench, board: Any) -> None:
    gate = subprocess.Popen([sys.executable, "-c", A_GATE_THAT_WILL_BE_KILLED, board.url], cwd=ROOT)
    try:
        assert board.wait_for(2, True, timeout_s=30.0)
    finally:
        os.kill(gate.pid, signal.SIGKILL)
        gate.wait(SOON_S)
    assert board.state[2], "nobody was left to open it"
    rig = Rig(bench, board)
    rig.door.start()
    rig.wait_for(Health.OK)
    assert rig.opens(2)
    assert rig.door.stop()


def test_unplugged_is_down_although_nobody_uses_it_and_plugged_in_again_it_works(rig: Rig) -> None:
    rig.board.unplug()
    rig.wait_for(Health.DOWN)
    assert not rig.door.pulse(1, 0.1), "a door does not open later for somebody who has given up"
    rig.board.replug()
    rig.wait_for(Health.OK, times=2)
    rig.pulse_until_closed(2, 0.05)
    assert rig.opens(2)
    assert not any(change.channel == 1 for change in rig.board.history)
    assert rig.door.stop()
    assert rig.healths()[:3] == [Health.STARTING, Health.OK, Health.DOWN]
    assert all(one is not after for one, after in itertools.pairwise(rig.healths())), "each is said once"


def test_a_cable_pulled_in_the_middle_of_a_pulse_leaves_the_contact_open_in_the_end(rig: Rig) -> None:
    rig.pulse_until_closed(1, MAX_PULSE_S)
    rig.board.unplug()
    assert rig.board.state[1] is not rig.bench.power, "a board with its own power holds its contact"
    rig.wait_for(Health.DOWN)
    rig.board.replug()
    rig.wait_for(Health.OK, times=2)
    assert rig.opens(1)


def test_down_is_said_once_with_a_sentence_however_long_it_lasts(bench: Bench, board: Any) -> None:
    board.unplug()
    rig = Rig(bench, board)
    rig.door.start()
    rig.wait_for(Health.DOWN)
    time.sleep(0.3)  # several attempts
    board.replug()
    rig.wait_for(Health.OK)
    assert rig.door.stop()
    assert rig.healths()[:3] == [Health.STARTING, Health.DOWN, Health.OK]
    assert len(rig.told[1][1]) > 20, "a sentence, not a word"


def test_a_board_that_says_nothing_any_more_is_down_and_comes_back(rig: Rig) -> None:
    if why := excused(rig.bench, "silence_is_noticed"):
        pytest.skip(why)
    rig.board.silence(True)
    rig.wait_for(Health.DOWN)
    rig.board.silence(False)
    rig.wait_for(Health.OK, times=2)
    rig.pulse_until_closed(1, 0.05)


def test_garbage_and_half_frames_lose_no_command(rig: Rig) -> None:
    if why := excused(rig.bench, "garbage_is_harmless"):
        pytest.skip(why)
    for spoil in (rig.board.garbage, lambda: rig.board.garble(1), lambda: rig.board.half_frame(1), lambda: rig.board.miss(1)):
        spoil()
        rig.board.history.clear()
        rig.pulse_until_closed(1, 0.05)
        assert rig.opens(1)
    assert rig.healths() == [Health.STARTING, Health.OK], "noise on a pair of wires is no loss of the board"


def test_a_slow_board_still_switches(rig: Rig) -> None:
    if why := excused(rig.bench, "garbage_is_harmless"):
        pytest.skip(why)
    rig.board.slow(0.004)
    rig.pulse_until_closed(1, 0.05)
    assert rig.opens(1)


def test_an_off_that_noise_has_eaten_is_said_again(rig: Rig) -> None:
    rig.pulse_until_closed(1, 0.3)
    rig.board.miss(1)
    assert rig.opens(1)


def test_cancel_is_harmless_at_any_time(driver: Relay, board: Any) -> None:
    driver.cancel()
    driver.open()
    driver.cancel()
    driver.set(1, True)
    assert board.wait_for(1, True), "a cancel takes no command away"
    driver.close()
    driver.cancel()


def test_stop_ends_the_thread_and_closes_the_port(rig: Rig) -> None:
    assert rig.door.stop()
    assert rig.healths()[-1] is Health.STOPPED
    again = load(rig.board.url, "again")  # an exclusive port that was left open could not be opened again
    with closing(again):
        again.open()


def test_two_owners_cannot_share_a_board(rig: Rig) -> None:
    second = load(rig.board.url, "second")
    with closing(second), pytest.raises(DeviceLost, match="another program"):
        second.open()
    rig.pulse_until_closed(1, 0.05)
