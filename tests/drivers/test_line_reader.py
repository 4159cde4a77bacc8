"""A scanner that ends its lines is held to it, and forgiven after a silence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from drivers.protocols import Reader
from drivers.registry import load
from drivers.serial_reader import LINE_ABANDONED_S
from drivers.simulated.serial_readers import SimulatedSerialReader

SOON_S = 30.0


@pytest.fixture(name="scanner")
def a_scanner() -> Iterator[SimulatedSerialReader]:
    with SimulatedSerialReader("lines") as scanner:
        yield scanner


@pytest.fixture(name="reader")
def its_reader(scanner: SimulatedSerialReader) -> Iterator[Reader]:
    reader = load(scanner.url, "gate", **{"as": "number"})
    assert isinstance(reader, Reader)
    with closing(reader):
        reader.open()
        yield reader


def values(reader: Reader, *, for_s: float) -> list[str]:
    found, end_s = [], time.monotonic() + for_s
    while time.monotonic() < end_s:
        found += [read.value for read in reader.poll(0.1)]
    return found


def test_half_a_text_of_a_scanner_that_never_ended_a_line_is_taken_for_the_whole(
    scanner: SimulatedSerialReader, reader: Reader
) -> None:
    """Nobody can know better: give such a scanner a suffix."""
    scanner.half_frame("0040856634")
    assert values(reader, for_s=0.5) == ["004085"]


def test_half_a_number_is_not_read_and_a_new_scan_after_a_silence_is(scanner: SimulatedSerialReader, reader: Reader) -> None:
    scanner.tap("0040856634")
    assert [read.value for read in reader.poll(SOON_S)] == ["0040856634"]
    scanner.half_frame("1446047753")
    assert values(reader, for_s=LINE_ABANDONED_S + 0.2) == []
    scanner.tap("0166735958")
    assert [read.value for read in reader.poll(SOON_S)] == ["0166735958"]
