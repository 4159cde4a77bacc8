"""UHF readers: the published frames byte by byte, and what a field full of tags asks of the driver beyond the contract suite."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drivers.errors import DeviceLost, Misconfigured
from drivers.protocols import Reader
from drivers.registry import load
from drivers.simulated.uhf_reader import SimulatedUhfReader
from drivers.uhf_frames import GET_FIRMWARE, INVENTORY, Tag, UhfFrame, UhfFrames, ends_round, error_of, tag_of, uhf_frame
from drivers.uhf_reader import ROUND_PAUSE_S

SOON_S = 30.0
EPC = "E2003098881900722140369E"


@pytest.fixture(name="reader")
def a_simulated_reader(tmp_path: Path) -> Iterator[SimulatedUhfReader]:
    with SimulatedUhfReader(link=tmp_path / "uhf") as reader:
        yield reader


def heard(driver: Reader, wanted: int) -> list[tuple[str, object]]:
    """So many reads, or what came within reason."""
    found: list[tuple[str, object]] = []
    give_up_s = time.monotonic() + SOON_S
    while len(found) < wanted and time.monotonic() < give_up_s:
        found += [(read.value, read.evidence["rssi_dbm"]) for read in driver.poll(0.25)]
    return found


@pytest.mark.parametrize(
    ("command", "data", "frame"),
    [(GET_FIRMWARE, b"", "A0 03 01 72 EA"), (INVENTORY, b"\x01", "A0 04 01 89 01 D1"), (INVENTORY, b"\xff", "A0 04 01 89 FF D3")],
)
def test_the_questions_are_those_of_the_protocol(command: int, data: bytes, frame: str) -> None:
    assert uhf_frame(command, data) == bytes.fromhex(frame)


def test_the_answers_to_an_inventory_are_a_tag_each_an_end_and_an_error() -> None:
    tag = bytes.fromhex("A0 13 01 89 00 30 00 E2003098881900722140369E 4F") + b"\x00"
    tag = tag[:-1] + bytes([-sum(tag) & 0xFF])
    end, missing = bytes.fromhex("A0 0A 01 89 00 00 21 00 00 00 01 AA"), bytes.fromhex("A0 04 01 89 22 B0")
    first, last, error = UhfFrames().feed(tag + end + missing)
    assert tag_of(first) == Tag(EPC, antenna=1, rssi_dbm=0x4F - 129)
    assert ends_round(last) and tag_of(last) is None and error_of(last) == 0
    assert error_of(error) == 0x22


def test_a_tag_whose_epc_is_not_of_96_bits_is_no_card() -> None:
    assert tag_of(UhfFrame(1, INVENTORY, bytes.fromhex("00 2000 1122334455667788 40"))) is None
    assert tag_of(UhfFrame(1, INVENTORY, bytes.fromhex("00 2000 E2003098881900722140369E 40"))) is None, "it says eight bytes"


def test_a_reader_that_answers_at_once_is_not_asked_without_a_pause(reader: SimulatedUhfReader) -> None:
    driver = load(reader.url, "gate")
    assert isinstance(driver, Reader)
    with closing(driver):
        driver.open()
        began_s = time.monotonic()
        for _ in range(20):  # as its supervisor does: one poll after the other
            assert driver.poll(0.25) == []
        took_s = time.monotonic() - began_s
    assert reader.rounds <= took_s / ROUND_PAUSE_S + 1


def test_forty_tags_at_once_are_forty_reads_and_each_only_once(reader: SimulatedUhfReader) -> None:
    with closing(load(reader.url, "north")) as driver:
        assert isinstance(driver, Reader)
        driver.open()
        tags = {f"3008{number:020X}" for number in range(40)}
        for epc in tags:
            reader.place(epc)
        assert {epc for epc, _ in heard(driver, 40)} == tags
        assert driver.poll(0.5) == []


def test_what_is_heard_too_faintly_is_in_another_lane(reader: SimulatedUhfReader) -> None:
    with closing(load(f"{reader.url}?rssi=-60", "north")) as driver:
        assert isinstance(driver, Reader)
        driver.open()
        reader.place("300833B2DDD9014000000001", rssi_dbm=-75)
        reader.place(EPC, rssi_dbm=-55)
        assert heard(driver, 1) == [(EPC, -55)]
        assert driver.poll(0.3) == []


def test_an_antenna_that_is_not_connected_is_said(reader: SimulatedUhfReader) -> None:
    with closing(load(reader.url, "north")) as driver:
        assert isinstance(driver, Reader)
        driver.open()
        reader.antenna(False)
        with pytest.raises(DeviceLost, match="screw on the antenna's cable"):
            driver.poll(0.25)


@pytest.mark.parametrize("option", ["address=300", "rssi=20", "power=30"])
def test_an_option_that_cannot_be_is_named(option: str) -> None:
    with pytest.raises(Misconfigured, match=option.partition("=")[0]):
        load(f"uhf:/dev/serial/by-id/usb-reader?{option}", "north")
