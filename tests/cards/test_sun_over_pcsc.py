"""Signing cards at a PC/SC reader, on a real pcscd with virtual cards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drivers.errors import Misconfigured
from drivers.ndef_link import NDEF_APPLICATION, apdu
from drivers.pcsc_reader import PcscReader
from drivers.protocols import CredentialRead
from drivers.simulated.ntag424 import Ntag424Card
from drivers.simulated.pcsc_card import SimulatedPcscReader
from drivers.sun import SunKeys, message_in, proof_of
from tests.support.running_gate import wait_until

KEYS = SunKeys.from_master(bytes(range(16)))
UID = "04A1B2C3D4E5F6"


@pytest.fixture(name="peer")
def a_daemon_with_virtual_readers(tmp_path: Path) -> Iterator[SimulatedPcscReader]:
    try:
        peer = SimulatedPcscReader(link=tmp_path / "pcscd")
    except Misconfigured as error:
        pytest.skip(str(error))
    with peer:
        yield peer


def read_in(reader: PcscReader) -> CredentialRead:
    found: list[CredentialRead] = wait_until(lambda: reader.poll(0.25), "a card is read")
    return found[0]


def test_a_signing_card_gives_its_link_and_other_cards_their_uid(peer: SimulatedPcscReader) -> None:
    with closing(PcscReader("desk", f"{peer.url}&sun=1")) as reader:
        reader.open()
        card = Ntag424Card(UID, KEYS, counter=6)
        peer.place_card(card)
        read = read_in(reader)
        message = message_in(str(read.evidence["sun"]))
        assert message is not None
        assert (read.value, proof_of(message, KEYS)) == (UID, (UID, 7, b""))
        peer.place("04112233445566")  # NXP's UID, and no NDEF application
        assert "sun" not in read_in(reader).evidence
        peer.place_card(Ntag424Card("04AABBCCDDEEFF", KEYS, hides_uid=True))
        hidden = read_in(reader)
        message = message_in(str(hidden.evidence["sun"]))
        assert hidden.random_uid and message is not None
        assert proof_of(message, KEYS).uid == "04AABBCCDDEEFF"


def test_without_the_option_the_card_does_not_count(peer: SimulatedPcscReader) -> None:
    with closing(PcscReader("desk", peer.url)) as reader:
        reader.open()
        card = Ntag424Card(UID, KEYS)
        peer.place_card(card)
        assert (read_in(reader).evidence, card.counter) == ({}, 0)


def test_commands_are_written_as_the_standard_has_them() -> None:
    assert apdu(0, 0xA4, 4, 0, NDEF_APPLICATION, 256) == bytes.fromhex("00A4040007D276000085010100")
    assert apdu(0, 0xA4, 0, 0x0C, b"\xe1\x04", 0) == bytes.fromhex("00A4000C02E104")
    assert apdu(0, 0xB0, 0, 0, None, 128) == bytes.fromhex("00B0000080")
