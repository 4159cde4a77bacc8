"""What a keyboard wedge is named by, what it must not be, and that half a scan is never taken for a whole one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drivers.errors import Misconfigured
from drivers.keyboard_wedge import KeyboardWedgeReader
from drivers.registry import load
from drivers.simulated.keyboard_wedge import SimulatedKeyboardWedge

SOON_S = 30.0


@pytest.fixture(name="wedge")
def a_wedge(tmp_path: Path) -> Iterator[SimulatedKeyboardWedge]:
    with SimulatedKeyboardWedge(link=tmp_path / "reader-event-kbd") as wedge:
        yield wedge


@pytest.fixture(name="reader")
def its_reader(wedge: SimulatedKeyboardWedge) -> Iterator[KeyboardWedgeReader]:
    reader = KeyboardWedgeReader("gate", wedge.url)
    with closing(reader):
        yield reader


def values(reader: KeyboardWedgeReader, *, for_s: float, enough: int = 99) -> list[str]:
    found, end_s = list[str](), time.monotonic() + for_s
    while time.monotonic() < end_s and len(found) < enough:
        found += [read.value for read in reader.poll(0.1)]
    return found


def test_a_scan_that_had_begun_before_the_keyboard_was_ours_is_not_read_by_its_rest(
    wedge: SimulatedKeyboardWedge, reader: KeyboardWedgeReader
) -> None:
    wedge.slow(0.008)  # about 50 ms a key: half a second for the card
    typing = threading.Thread(target=wedge.tap, args=("0005527632",))
    typing.start()
    time.sleep(0.1)
    reader.open()
    typing.join()
    assert values(reader, for_s=0.3) == []
    wedge.slow(0)
    assert wedge.tap("0040856634")
    assert values(reader, for_s=SOON_S, enough=1) == ["0040856634"]


def test_half_a_scan_is_forgotten_and_a_whole_one_after_it_is_read(
    wedge: SimulatedKeyboardWedge, reader: KeyboardWedgeReader
) -> None:
    reader.open()
    wedge.half_frame("0005527632")
    wedge.tap("0040856634")
    wedge.finish_frame()  # its times are long past: it belongs to nothing
    assert values(reader, for_s=0.5) == ["0040856634"]


def test_a_shaky_hand_is_one_read(wedge: SimulatedKeyboardWedge, reader: KeyboardWedgeReader) -> None:
    reader.open()
    wedge.bounce("0005527632")
    assert values(reader, for_s=0.5) == ["0005527632"]


def test_what_is_no_keyboard_is_named_with_the_remedy(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.touch()
    for path in ("/dev/null", str(plain)):
        with pytest.raises(Misconfigured, match=f"{path} is no keyboard: name its event device"):
            load(f"wedge:{path}", "gate").open()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("wedge:event0", "write the whole path"),
        ("wedge:/dev/input/event0?as=mifare", "write as=number, as=uid or as=qr"),
        ("wedge:/dev/input/event0?baud=9600", "knows: as"),
    ],
)
def test_a_mistake_in_the_url_is_named_with_the_remedy(url: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        load(url, "gate")


def test_every_keyboard_by_its_stable_name_is_a_candidate(tmp_path: Path) -> None:
    for name in ("usb-Sycreader_RFID-event-kbd", "usb-Some_Mouse-event-mouse", "usb-Scan-if01-event-kbd"):
        (tmp_path / name).touch()
    assert list(KeyboardWedgeReader.discover(tmp_path)) == [
        f"wedge:{tmp_path}/usb-Scan-if01-event-kbd",
        f"wedge:{tmp_path}/usb-Sycreader_RFID-event-kbd",
    ]
    assert list(KeyboardWedgeReader.discover(tmp_path / "none")) == []
