"""The traps of nfcpy, each with the test that walks into it."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceLost, Misconfigured
from drivers.nfc_reader import NfcReader, usb_ids_present
from drivers.protocols import CredentialRead
from drivers.simulated.pn532_chip import POWER_UP_BAUD, SimulatedPn532
from drivers.simulated.rf_cards import ClassicCard, FelicaCard, NtagCard, PhoneCard, RfCard, Type4Card
from drivers.simulated.rf_field import SimulatedField

NONSENSE = 1_000_000  # answers: it goes on
Simulator = SimulatedPn532 | SimulatedField


@pytest.fixture(params=["pn532", "udp"], name="antenna")
def either_antenna(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    with SimulatedPn532() if request.param == "pn532" else SimulatedField() as simulator:
        yield simulator


@pytest.fixture(name="reader")
def an_open_reader(antenna: Simulator) -> Iterator[NfcReader]:
    reader = NfcReader("north", antenna.url)
    with contextlib.closing(reader):
        opened(reader)
        yield reader


def undisturbed(test: Callable[..., None]) -> Callable[..., None]:
    """nfcpy gives the chip 100 ms. On a busy machine the simulated one is late once in a while, and is opened again."""

    @functools.wraps(test)
    def patient(**fixtures: Any) -> None:
        for _ in range(5):
            try:
                return test(**fixtures)
            except DeviceLost:
                reader = fixtures.get("reader")
                fixtures["antenna"].remove()
                if reader is not None:
                    reader.close()
                    opened(reader)
        return test(**fixtures)

    return patient


def opened(reader: NfcReader) -> None:
    for _ in range(5):
        try:
            reader.open()
        except DeviceLost:
            reader.close()
        else:
            return
    reader.open()


def polled(reader: NfcReader, *, timeout_s: float = 0.2) -> list[CredentialRead]:
    return reader.poll(timeout_s)


@undisturbed
@pytest.mark.parametrize(
    ("card", "value"),
    [
        (ClassicCard("DEADBEEF"), "DEADBEEF"),
        (NtagCard("04A1B2C3D4E5F6"), "04A1B2C3D4E5F6"),
        (Type4Card("04112233445566"), "04112233445566"),
        (Type4Card("04112233445566778899"), "04112233445566778899"),
        (FelicaCard("0102030405060708"), "0102030405060708"),
    ],
    ids=["Classic", "NTAG", "type 4", "10 bytes", "FeliCa"],
)
def test_every_kind_of_card_gives_its_uid(antenna: Simulator, reader: NfcReader, card: RfCard, value: str) -> None:
    antenna.place(card)
    [read] = polled(reader)
    assert (read.scheme, read.value, read.random_uid) == ("uid", value, False)
    assert read.evidence["technology"] == card.technology


@undisturbed
def test_the_kind_of_a_type_a_card_is_kept_as_evidence(antenna: Simulator, reader: NfcReader) -> None:
    antenna.place(ClassicCard("DEADBEEF"))
    [read] = polled(reader)
    assert read.evidence["sak"] == "08"


@undisturbed
def test_a_phone_is_one_read_and_its_uid_is_marked_as_made_up(antenna: Simulator, reader: NfcReader) -> None:
    antenna.place(PhoneCard(seed=7))
    reads = [read for _ in range(4) for read in polled(reader, timeout_s=0.08)]
    assert [read.random_uid for read in reads] == [True]
    assert reads[0].value.startswith("08")


@undisturbed
def test_a_card_that_left_and_came_back_is_two_reads(antenna: Simulator, reader: NfcReader) -> None:
    for _ in range(2):
        antenna.place("DEADBEEF")
        assert [read.value for read in polled(reader)] == ["DEADBEEF"]
        antenna.remove()
        assert polled(reader, timeout_s=0.6) == []


@undisturbed
def test_two_cards_one_after_the_other_are_two_reads(antenna: Simulator, reader: NfcReader) -> None:
    antenna.place("DEADBEEF")
    assert [read.value for read in polled(reader)] == ["DEADBEEF"]
    antenna.place("DEADBEE0")
    assert [read.value for read in polled(reader)] == ["DEADBEE0"]


@undisturbed
@pytest.mark.parametrize("card", [NtagCard("04A1B2C3D4E5F6", url="school.example/a"), Type4Card("04112233445566")])
def test_the_simulated_cards_are_true_enough_for_nfcpy_to_read_a_link_from_them(
    antenna: Simulator, reader: NfcReader, card: NtagCard | Type4Card
) -> None:
    import nfc.tag

    antenna.place(card)
    frontend: Any = reader._frontend
    target = frontend.sense(*reader._targets)
    tag = nfc.tag.activate(frontend, target)
    assert next(record.iri for record in tag.ndef.records).startswith("https://school.example/")


@undisturbed
def test_only_the_technologies_that_are_asked_for_are_looked_for(antenna: Simulator) -> None:
    reader = NfcReader("north", antenna.url, targets="106A")
    with contextlib.closing(reader):
        reader.open()
        antenna.place(FelicaCard("0102030405060708"))
        assert polled(reader) == []


@pytest.mark.parametrize("spoil", ["garble", "half_answers"])
def test_nonsense_that_goes_on_is_a_lost_device_and_no_crash(spoil: str) -> None:
    with SimulatedPn532() as chip:
        reader = NfcReader("north", chip.url)
        with contextlib.closing(reader):
            opened(reader)
            getattr(chip, spoil)(NONSENSE)
            with pytest.raises(DeviceLost, match="check cable and power"):
                polled(reader, timeout_s=10.0)
            getattr(chip, spoil)(0)
            reader.close()
            opened(reader)


@pytest.mark.parametrize("answers", [1, 2])
def test_spoilt_answers_are_noise_and_the_next_card_is_read(answers: int) -> None:
    with SimulatedPn532() as chip:
        reader = NfcReader("north", chip.url)
        with contextlib.closing(reader):
            opened(reader)
            chip.garble(answers)
            assert polled(reader) == []
            chip.place("DEADBEEF")
            assert [read.value for read in polled(reader)] == ["DEADBEEF"]


def test_nonsense_in_the_air_of_udp_is_a_lost_device_or_no_card_and_no_crash() -> None:
    with SimulatedField() as field:
        reader = NfcReader("north", field.url)
        with contextlib.closing(reader):
            reader.open()
            field.garble(1)
            with contextlib.suppress(DeviceLost):
                assert polled(reader) == []


def test_a_chip_that_a_killed_process_left_at_high_speed_is_found_again() -> None:
    """nfcpy talks at 921600 and lowers the speed on close only; a host that is killed does not power the chip down."""
    killed = textwrap.dedent("""
        import os, sys
        from drivers.errors import DeviceLost
        from drivers.nfc_reader import NfcReader
        reader = NfcReader("north", sys.argv[1])
        for attempt in range(5):
            try:
                reader.open()
                os._exit(9)
            except DeviceLost:
                reader.close()
    """)
    with SimulatedPn532() as chip:
        root = Path(__file__).parents[2]
        done = subprocess.run([sys.executable, "-c", killed, chip.url], cwd=root, timeout=30, check=False)
        assert done.returncode == 9
        assert chip.wire.baud != POWER_UP_BAUD, "the chip is still fast, as a real one is"
        reader = NfcReader("north", chip.url)
        with contextlib.closing(reader):
            opened(reader)


def test_closing_puts_the_chip_back_to_the_speed_it_wakes_up_with() -> None:
    with SimulatedPn532() as chip:
        reader = NfcReader("north", chip.url)
        opened(reader)
        fast = chip.wire.baud
        reader.close()
        assert fast > chip.wire.baud == POWER_UP_BAUD


def test_a_mute_chip_is_a_lost_device_while_it_is_looked_at(antenna: Simulator, reader: NfcReader) -> None:
    if isinstance(antenna, SimulatedField):
        pytest.skip("nfcpy cannot tell a silent field from an empty one")
    antenna.silence(True)
    with pytest.raises(DeviceLost):
        polled(reader, timeout_s=10.0)


def test_a_silent_field_is_an_empty_field() -> None:
    with SimulatedField() as field:
        reader = NfcReader("north", field.url, targets="106A")
        with contextlib.closing(reader):
            reader.open()
            field.silence(True)
            assert polled(reader) == []


def test_a_usb_reader_that_is_not_there_is_a_lost_device() -> None:
    reader = NfcReader("desk", "nfc:usb:ffff:fffe")
    with contextlib.closing(reader), pytest.raises((DeviceLost, Misconfigured), match="usb:ffff:fffe"):
        reader.open()


@pytest.mark.parametrize("place", ["localhost:notaport", "no-such-host.invalid:5", "localhost"])
def test_a_udp_place_that_is_none_is_a_wrong_setting(place: str) -> None:
    reader = NfcReader("desk", f"nfc:udp:{place}")
    with contextlib.closing(reader), pytest.raises(Misconfigured, match="host and port"):
        reader.open()


def test_what_is_on_usb_is_read_from_the_kernels_list(tmp_path: Path) -> None:
    for bus, vendor, product in (("1-1", "054c", "06c3"), ("1-2", "046d", "c31c")):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "idVendor").write_text(vendor + "\n")
        (tmp_path / bus / "idProduct").write_text(product + "\n")
    assert usb_ids_present(tmp_path) == [("054c", "06c3"), ("046d", "c31c")]
    assert usb_ids_present(tmp_path / "no usb here") == []
