"""Garbage, half frames, pulled plugs and shorted pairs on every serial wire of a running gate: the next good tap counts."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from drivers.serial_frames import rdm6300_frame
from drivers.simulated.pn532_chip import SimulatedPn532
from drivers.simulated.pty_wire import PtyWire
from drivers.simulated.relay_board import SimulatedRelayBoard
from drivers.simulated.serial_readers import SimulatedSerialReader
from tests.hostile.conftest import BOARD, READERS, Site, wait_until
from tests.support import fault_school

SEED = 20261123
RETAPS = 40  # a hand tries again when a reader said nothing, as hands do


def noise(chance: random.Random, size: int) -> bytes:
    return bytes(chance.randrange(256) for _ in range(size))


def storm(wire: PtyWire, chance: random.Random) -> None:
    """What broken cables, wrong devices and bored people put on a line."""
    for size in (1, 7, 64, 1_000, 4_000):
        wire.send(noise(chance, size))
    for piece in (
        b"\x02" * 500,  # starts and never ends
        b"\x03" * 500,
        b"\x00" * 2_000,
        b"\xff" * 2_000,
        b"\x02" + b"A" * 3_000,
        rdm6300_frame("5A00000001")[:-3] + b"\x00\x03",  # a wrong checksum
        rdm6300_frame("5A00000001")[:6],
        b"\x02" + "学生".encode() + b"\x03",
        b"\x00\x00\xff" * 300,
        b"A5" * 4_000 + b"\r\n",
        b"\r\n" * 1_000,
        b"';DROP TABLE entries;--\r\n",
        b"\xa0\x01\x01\xa2" * 50,  # a relay board's own words, said to a reader
        b"\xcd\xdc" + b"\xff" * 300,
    ):
        wire.send(piece)


def value_of(kind: str, child: int) -> str:
    if kind == "rdm6300":
        return fault_school.tag_of(child)
    if kind == "stxlrc":
        return f"{int(fault_school.uid_of(child), 16):010d}"
    return fault_school.uid_of(child)


def good_tap(site: Site, name: str) -> None:
    """A child at that reader, until the journal has the arrival."""
    device, child = site.rack.devices[name], site.child()
    assert isinstance(device, (SimulatedSerialReader, SimulatedPn532))

    def tapped() -> bool:
        device.tap(value_of(READERS[name][0], child), hold_s=0.3)
        return site.arrived(child)

    wait_until(tapped, f"a good tap at {name} is recorded")


@pytest.mark.parametrize("name", READERS)
def test_a_storm_on_one_wire_disturbs_no_other_and_the_next_good_tap_counts(unharmed: Site, name: str) -> None:
    device, chance = unharmed.rack.devices[name], random.Random(f"{SEED}{name}")
    assert isinstance(device, (SimulatedSerialReader, SimulatedPn532))
    good_tap(unharmed, name)
    storm(device.wire, chance)
    unharmed.still_works()
    storm(device.wire, chance)
    good_tap(unharmed, name)


@pytest.mark.parametrize("name", READERS)
def test_a_plug_pulled_in_the_middle_of_a_frame_and_put_back_reads_again(unharmed: Site, name: str) -> None:
    device = unharmed.rack.devices[name]
    assert isinstance(device, (SimulatedSerialReader, SimulatedPn532))
    pulls: list[Callable[[], None]] = [device.unplug, device.replug] * 2
    device.wire.send(b"\x02A5")
    for pull in pulls:
        pull()
        unharmed.still_works()
    good_tap(unharmed, name)


def test_a_relay_board_that_talks_back_still_opens_its_door(unharmed: Site) -> None:
    board = unharmed.rack.devices[BOARD]
    assert isinstance(board, SimulatedRelayBoard)
    storm(board.wire, random.Random(SEED))
    board.unplug()
    unharmed.still_works()
    board.replug()
    board.history.clear()

    def opened() -> bool:
        unharmed.still_works()  # a child at an access point with this board's door
        return board.wait_for_change(1, True, timeout_s=0.5)

    wait_until(opened, "the door opens again")
    assert board.wait_for(1, False, timeout_s=30), "and closes again"
