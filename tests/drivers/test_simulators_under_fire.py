"""Simulated hardware that is sent nonsense answers as hardware does, and goes on answering: its thread must not die of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from drivers.receipt_printer import EscposPrinter
from drivers.serial_port import SerialPort
from drivers.simulated.http_digest import DigestGate
from drivers.simulated.pn532_chip import POWER_UP_BAUD, SimulatedPn532
from drivers.simulated.pn532_frames import ACK, SYNTAX_ERROR, pn532_frame
from drivers.simulated.receipt_printer import SimulatedReceiptPrinter, SlipBytes

FIRMWARE, VERSION = pn532_frame(b"\xd4\x02"), ACK + pn532_frame(bytes.fromhex("D50332010607"))
LACKING = {name: pn532_frame(bytes.fromhex(name)) for name in ("D410", "D41009", "D432", "D43201", "D440", "D44A", "D44A01")}
SOON_S = 8.0


@pytest.fixture
def chip() -> Iterator[SimulatedPn532]:
    with SimulatedPn532() as chip:
        yield chip


def said(chip: SimulatedPn532, data: bytes, *, wanted: bytes) -> bytes:
    port = SerialPort(chip.wire.path, baud=POWER_UP_BAUD)
    port.open()
    with closing(port):
        port.write(data)
        came = b""
        while len(came) < len(wanted) and (more := port.read(SOON_S)):
            came += more
        return came


@pytest.mark.parametrize(
    "nonsense",
    [
        pn532_frame(b"\xd4"),
        pn532_frame(b"\xd5\x02"),
        b"\x00\xff" * 40,
        b"\x00\x00\xff\xff\xff\xff\xff\x02",
        FIRMWARE[:5],
        bytes(3_000),
    ],
    ids=["one byte", "of a chip", "start codes", "too long", "half a frame", "zeros"],
)
def test_a_chip_answers_the_command_after_nonsense(chip: SimulatedPn532, nonsense: bytes) -> None:
    assert said(chip, nonsense + FIRMWARE, wanted=VERSION) == VERSION


@pytest.mark.parametrize("command", LACKING)
def test_a_chip_refuses_a_command_that_lacks_bytes(chip: SimulatedPn532, command: str) -> None:
    wanted = ACK + SYNTAX_ERROR + VERSION
    assert said(chip, LACKING[command] + FIRMWARE, wanted=wanted) == wanted


@pytest.mark.parametrize("asked", ["106A", "212F"])
def test_a_chip_asks_a_card_with_more_bytes_than_any_card_has(chip: SimulatedPn532, asked: str) -> None:
    chip.place("04A1B2C3D4E5F6" if asked == "106A" else "0123456789ABCDEF")
    code = b"\x00" if asked == "106A" else b"\x01"
    answer = chip.answer(b"\xd4\x4a\x01" + code + bytes(260))
    assert answer == pn532_frame(b"\xd5\x4b\x00")


def test_a_printer_that_is_asked_byte_by_byte_answers_and_prints_none_of_it() -> None:
    slip = SlipBytes()
    asked = [which for byte in b"one\x10\x04\x01two\x10\x10\x04\x04" for which in slip.feed(bytes([byte]))]
    assert (asked, bytes(slip.waiting), slip.received) == ([1, 4], b"onetwo\x10", 7)


def test_a_driver_finds_a_printer_well_whose_line_was_full_of_half_commands() -> None:
    with SimulatedReceiptPrinter() as printer:
        printer.hear(b"\x10", lambda data: None)
        printer.hear(b"\x04", lambda data: None)
        printer.hear(b"\x01", lambda data: None)
        driver = EscposPrinter("slips", printer.url)
        driver.open()
        driver.close()
        assert printer.received == 0


def test_a_terminal_takes_no_letter_that_no_digest_has_for_a_password() -> None:
    gate = DigestGate("admin", "Abc12345")
    nonce = gate.challenge().partition('nonce="')[2].partition('"')[0]
    assert not gate.admits("GET", "/", f'Digest username="admin", uri="/", nonce="{nonce}", response="\xe9\ud800"')
    assert gate.refused == 1
