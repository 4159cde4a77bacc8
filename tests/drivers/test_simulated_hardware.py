"""The simulators obey physics, misbehave on request, and clean up after themselves."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from drivers.protocols import Reader
from drivers.registry import load
from drivers.serial_port import SerialPort
from drivers.simulated.bench_rack import BenchRack, RackItem, do_verb
from drivers.simulated.pty_wire import PtyWire
from drivers.simulated.rf_cards import PhoneCard, card_for
from drivers.simulated.rf_field import SimulatedField
from drivers.simulated.serial_readers import SimulatedSerialReader

SOON_S = 30.0
ALL_KINDS = [
    RackItem("north-nfc", "pn532"),
    RackItem("air", "field"),
    RackItem("north-id", "rdm6300"),
    RackItem("gatehouse", "stxlrc"),
    RackItem("both", "m7941"),
    RackItem("scanner", "lines"),
    RackItem("door", "lcus"),
    RackItem("turnstile", "modbus"),
]


def opened(path: str, *, baud: int = 9600) -> SerialPort:
    port = SerialPort(path, baud=baud)
    port.open()
    return port


def test_a_host_at_the_wrong_speed_gets_garbage() -> None:
    with PtyWire(baud=9600) as wire, closing(opened(wire.path, baud=19200)) as port:
        wire.send(b"hello")
        assert port.read(SOON_S) != b"hello"


def test_the_path_stays_the_same_and_vanishes_only_while_unplugged(tmp_path: Path) -> None:
    with PtyWire(baud=9600, link=tmp_path / "by-id" / "usb-reader") as wire:
        first = os.readlink(wire.path)
        assert first.startswith("/dev/pts/")
        wire.unplug()
        wire.unplug()
        assert not os.path.lexists(wire.path)
        wire.replug()
        wire.replug()
        with closing(opened(wire.path)) as port:
            wire.send(b"back")
            assert port.read(SOON_S) == b"back"
    assert os.listdir(tmp_path / "by-id") == []


def test_bytes_that_nobody_takes_are_lost_and_block_nobody() -> None:
    with PtyWire(baud=9600) as wire:
        for _ in range(100):
            wire.send(b"x" * 1000)
        wire.unplug()
        wire.send(b"into the air")


def test_a_silent_device_says_nothing_until_it_is_told_to() -> None:
    with PtyWire(baud=9600) as wire, closing(opened(wire.path)) as port:
        wire.silence(True)
        wire.send(b"unheard")
        assert port.read(0.1) == b""
        wire.silence(False)
        wire.send(b"heard")
        assert port.read(SOON_S) == b"heard"


def test_a_tag_that_stays_on_an_rdm6300_is_repeated() -> None:
    with SimulatedSerialReader("rdm6300") as reader, closing(opened(reader.wire.path)) as port:
        reader.place("62E3086CED")
        heard = b""
        give_up_s = time.monotonic() + SOON_S
        while heard.count(b"\x03") < 3 and time.monotonic() < give_up_s:
            heard += port.read(0.2)
        assert heard.startswith(reader.frame("62E3086CED") * 3)


def test_a_shaky_hand_is_several_frames_and_one_read() -> None:
    with SimulatedSerialReader("stxlrc") as simulator:
        reader = load(simulator.url, "gate")
        assert isinstance(reader, Reader)
        with closing(reader):
            reader.open()
            simulator.bounce("0012345678", times=5)
            reads = [read for _ in range(4) for read in reader.poll(0.1)]
            assert [read.value for read in reads] == ["0012345678"]


def test_a_phone_has_another_uid_each_time_the_field_comes_up() -> None:
    phone = PhoneCard(seed=3)
    first = phone.uid
    phone.power_down()
    assert phone.uid != first
    assert first[0] == phone.uid[0] == 0x08
    assert PhoneCard(seed=3).uid == first, "the same run plays again"


@pytest.mark.parametrize("value", ["", "12", "0012345678", "XYZXYZXY"])
def test_what_is_no_uid_is_no_card(value: str) -> None:
    with pytest.raises(ValueError, match=r"UID|hexadecimal"):
        card_for(value)


def test_a_tap_says_whether_it_was_read() -> None:
    with SimulatedField() as field:
        assert not field.tap("DEADBEEF", hold_s=0.05)


def test_anyone_may_tap_a_card_into_the_field_from_outside() -> None:
    with SimulatedField() as field:
        reader = load(field.url, "air")
        assert isinstance(reader, Reader)
        with closing(reader), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as guest:
            reader.open()
            for nonsense in (b"TAP zz", b"TAP \xff\xff", b"", b"106A zz", b"\xff"):
                guest.sendto(nonsense, (field.host, field.port))
            guest.sendto(b"TAP 04a1b2c3d4e5f6\n", (field.host, field.port))
            reads, give_up_s = [], time.monotonic() + SOON_S
            while not reads and time.monotonic() < give_up_s:
                reads = reader.poll(0.2)
            assert [read.value for read in reads] == ["04A1B2C3D4E5F6"]


def test_a_rack_starts_everything_from_a_list_and_every_url_opens(tmp_path: Path) -> None:
    with BenchRack(ALL_KINDS, links_folder=tmp_path / "links") as rack:
        assert list(rack.urls) == [item.name for item in ALL_KINDS]
        for name, url in rack.urls.items():
            driver = load(url, name)
            with closing(driver):
                driver.open()
    assert os.listdir(tmp_path / "links") == []


def test_a_rack_that_cannot_start_leaves_nothing_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(AssertionError):
        BenchRack([RackItem("a", "rdm6300"), RackItem("a", "lines")], links_folder=tmp_path)
    assert os.listdir(tmp_path) == []
    assert threading.active_count() == before


def test_a_shell_can_tap_and_unplug_through_the_pipes(tmp_path: Path) -> None:
    with BenchRack(ALL_KINDS, links_folder=tmp_path / "links", verbs_folder=tmp_path / "verbs") as rack:
        reader = load(rack.urls["north-id"], "north")
        assert isinstance(reader, Reader)
        with closing(reader):
            reader.open()
            (tmp_path / "verbs" / "north-id").write_text("no such card\n62E3086CED\n")
            assert [read.value for read in reader.poll(SOON_S)] == ["62E3086CED"]
        link = tmp_path / "links" / "door"
        (tmp_path / "verbs" / "door").write_text("unplug\n")
        give_up_s = time.monotonic() + SOON_S
        while os.path.lexists(link) and time.monotonic() < give_up_s:
            time.sleep(0.01)
        assert not os.path.lexists(link)
    assert os.listdir(tmp_path / "verbs") == []


def test_a_line_that_makes_no_sense_is_dropped(tmp_path: Path) -> None:
    with BenchRack(ALL_KINDS, links_folder=tmp_path) as rack:
        assert not do_verb(rack.devices["north-id"], "not a card")
        assert not do_verb(rack.devices["north-nfc"], "tap 12")
        assert not do_verb(rack.devices["air"], "")
        assert not do_verb(rack.devices["door"], "62E3086CED")
        assert do_verb(rack.devices["north-nfc"], "place DEADBEEF")
        assert do_verb(rack.devices["north-nfc"], "remove")
        assert do_verb(rack.devices["scanner"], "silence on")
