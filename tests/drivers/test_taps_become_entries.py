"""From the device's own wire to the journal: driver, supervisor, `kiosk.devices` and the gate's loop, as they ship."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import Misconfigured
from drivers.simulated.keyboard_wedge import SimulatedKeyboardWedge
from drivers.simulated.osdp_peripheral import SimulatedOsdpReader
from drivers.simulated.pcsc_card import SimulatedPcscReader
from kiosk.core.card_numbers import spellings
from kiosk.devices import Devices
from kiosk.settings.values import Device
from kiosk.snapshots import SnapshotStore
from tests.support.people import uid_of
from tests.support.running_gate import wait_until
from tests.support.school import School

CHILD = "王小明"


@contextmanager
def gate_with(url: str, state: Path) -> Iterator[tuple[School, Devices]]:
    """The small school's gate with one reader at its entrance, healthy."""
    school = School(state)
    reader = Device(name="reader", url=url, access_point="east-in")
    settings = replace(school.settings, site=replace(school.settings.site, devices=(reader,)))
    devices = Devices(settings, school.gate, SnapshotStore(state, utc_offset_ms=0))
    devices.start()
    try:
        wait_until(lambda: devices.by_name["reader"].health.value == "ok", "the reader is healthy")
        yield school, devices
    finally:
        devices.stop()
        school.close()


def entered(school: School) -> list[tuple[int, str]]:
    """(who, scheme) of every entrance in the journal."""
    return [(entry.body["child"], entry.body["scheme"]) for entry in school.entries("arrived")]


def tapped(school: School, tap: Callable[[], Any]) -> None:
    """A hand that holds the card again while the lamp stays dark."""

    def is_in() -> bool:
        tap()
        return bool(entered(school))

    wait_until(is_in, "the tap is in the journal")


def test_a_number_that_a_keyboard_wedge_types_is_an_entrance_in_the_journal(tmp_path: Path) -> None:
    with SimulatedKeyboardWedge(link=tmp_path / "event-kbd") as wedge, gate_with(wedge.url, tmp_path / "state") as (school, _):
        number = spellings(uid_of(school.number(CHILD)))["10D"]
        tapped(school, lambda: wedge.tap(number))
        assert entered(school) == [(school.number(CHILD), "number")]


def test_a_card_at_an_osdp_reader_is_an_entrance_in_the_journal_and_its_lamp_is_green(tmp_path: Path) -> None:
    """Over the Secure Channel, from libosdp's peripheral in another process: Wiegand 26, 24 bits of the card's UID."""
    osdp = pytest.importorskip("osdp", reason="install campus-kiosk[osdp] for the OSDP reader")
    with SimulatedOsdpReader(link=tmp_path / "rs485") as peer, gate_with(peer.url, tmp_path / "state") as (school, _):
        tapped(school, lambda: peer.tap(spellings(uid_of(school.number(CHILD)))["wiegand_last"]))
        assert entered(school) == [(school.number(CHILD), "number")]
        assert peer.wait_until_shown(osdp.Command.LED)["on_color"] == osdp.CommandLEDColor.Green


def test_a_card_at_a_pcsc_reader_is_an_entrance_in_the_journal(tmp_path: Path) -> None:
    """Through a real pcscd and its driver for virtual readers."""
    try:
        peer = SimulatedPcscReader(link=tmp_path / "pcscd")
    except Misconfigured as error:
        pytest.skip(str(error))
    with peer, gate_with(peer.url, tmp_path / "state") as (school, _):
        tapped(school, lambda: peer.tap(uid_of(school.number(CHILD))))
        assert entered(school) == [(school.number(CHILD), "uid")]
