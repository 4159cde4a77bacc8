"""A simulated NTAG 424 DNA in a simulated field, read by the shipped driver: what arrives, and that other cards do not wait."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceLost
from drivers.ev2_authentication import NotAuthentic, authenticated
from drivers.ndef_link import link_from, link_in, may_sign_type_a
from drivers.nfc_reader import NfcReader
from drivers.protocols import CredentialRead
from drivers.simulated.ntag424 import CopiedCard, Ntag424Card
from drivers.simulated.pn532_chip import SimulatedPn532
from drivers.simulated.rf_cards import ClassicCard, NtagCard, RfCard, Type4Card
from drivers.simulated.rf_field import SimulatedField
from drivers.sun import SunKeys, message_in, proof_of
from kiosk.devices import Devices
from kiosk.settings.values import Device
from kiosk.snapshots import SnapshotStore
from tests.cards.signing import Purse, facts, sun_uid
from tests.support.school import School
from tests.web.gate_online import wait_for

KEYS = SunKeys.from_master(bytes(range(16)))
UID = "04A1B2C3D4E5F6"
TRIES = 6
Simulator = SimulatedPn532 | SimulatedField


@pytest.fixture(params=["pn532", "udp"], name="antenna")
def either_antenna(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    with SimulatedPn532() if request.param == "pn532" else SimulatedField() as simulator:
        yield simulator


def read_of(antenna: Simulator, card: RfCard, *, url: str = "") -> CredentialRead:
    """One read of a card by a reader that asks for links; nfcpy is late on a busy machine now and then and is opened again."""
    for _ in range(8):
        reader = NfcReader("north", url or f"{antenna.url}?sun=1")
        with contextlib.closing(reader), contextlib.suppress(DeviceLost):
            reader.open()
            antenna.place(card)
            reads = reader.poll(2.0)
            antenna.remove()
            if reads:
                return reads[0]
        antenna.remove()
    raise AssertionError("the card was never read")


def spoken(talk: Any, command: bytes) -> bytes:
    return bytes(talk(command))


def link_read(antenna: Simulator, card: RfCard) -> str:
    """The link that a read brought; a busy machine may lose an answer of the card, which then is a UID only."""
    for _ in range(8):
        link = str(read_of(antenna, card).evidence.get("sun", ""))
        if link:
            return link
    raise AssertionError("no read brought a link")


def test_a_signing_card_gives_a_new_proof_at_each_read(antenna: Simulator) -> None:
    card = Ntag424Card(UID, KEYS, counter=41)
    links = [link_read(antenna, card), link_read(antenna, card)]
    assert set(links) <= set(card.said)
    messages = [message_in(link) for link in links]
    proofs = [proof_of(message, KEYS) for message in messages if message]
    assert [proof.uid for proof in proofs] == [UID, UID]
    assert 42 <= proofs[0].counter < proofs[1].counter


def test_a_part_of_its_file_is_read_with_it(antenna: Simulator) -> None:
    message = message_in(link_read(antenna, Ntag424Card(UID, KEYS, file_data=b"class 3(2) seat7")))
    assert message is not None
    assert proof_of(message, KEYS).file_data == b"class 3(2) seat7"


def test_a_card_that_hides_its_uid_is_read_as_random_and_still_says_who_it_is(antenna: Simulator) -> None:
    card = Ntag424Card(UID, KEYS, hides_uid=True)
    for _ in range(8):
        read = read_of(antenna, card)
        assert read.random_uid
        message = message_in(str(read.evidence.get("sun", "")))
        if message is not None:
            assert proof_of(message, KEYS).uid == UID
            return
    raise AssertionError("no read brought a link")


@pytest.mark.parametrize("commands", [0, 1, 2])
def test_a_card_that_leaves_in_the_middle_is_a_read_of_its_uid(antenna: Simulator, commands: int) -> None:
    class Leaving(Ntag424Card):
        def answer_selected(self, frame: bytes) -> bytes | None:
            if self._leaves_after is None and frame[:1] == b"\xe0":
                self.leave_after(commands)
            return super().answer_selected(frame)

    read = read_of(antenna, Leaving(UID, KEYS))
    assert (read.value, "sun" in read.evidence) == (UID, False)


@pytest.mark.parametrize("card", [ClassicCard("DEADBEEF"), NtagCard(UID), Type4Card("04112233445566778899")])
def test_other_cards_are_not_asked_for_a_link(antenna: Simulator, card: RfCard) -> None:
    assert "sun" not in read_of(antenna, card).evidence


def test_without_the_option_no_card_is(antenna: Simulator) -> None:
    card = Ntag424Card(UID, KEYS)
    assert "sun" not in read_of(antenna, card, url=antenna.url).evidence
    assert card.counter == 0


def test_reader_and_card_show_each_other_the_key_over_the_air(antenna: Simulator) -> None:
    """The two commands of AuthenticateEV2First, through nfcpy; a card with another key is found out, as is a reader."""
    import nfc.tag.tt4

    def conversation(card: Ntag424Card, key: bytes) -> bytes:
        for _ in range(8):
            reader = NfcReader("north", antenna.url)
            with contextlib.closing(reader), contextlib.suppress(DeviceLost, nfc.clf.CommunicationError, nfc.tag.TagCommandError):
                reader.open()
                antenna.place(card)
                assert reader.poll(2.0)
                talk = nfc.tag.tt4.activate(reader._frontend, reader._sensed).transceive
                return authenticated(partial(spoken, talk), key, rnd_a=bytes(range(16))).mac_key
        raise AssertionError("the card was never read")

    key = SunKeys.from_master(b"k" * 16).of_card(bytes.fromhex(UID))
    assert len(conversation(Ntag424Card(UID, KEYS, key=key), key)) == 16
    antenna.remove()
    with pytest.raises(NotAuthentic, match="91AE"):
        conversation(Ntag424Card(UID, KEYS, key=key), bytes(16))


@pytest.mark.parametrize(
    ("atqa", "sak", "uid", "asked"),
    [
        ("4403", "20", UID, True), ("4403", "20", "08A1B2C3", True), ("4403", "20", "80112233445566", False),
        ("4400", "00", UID, False), ("0400", "08", "DEADBEEF", False), ("", "", "0102030405060708", False),
    ],
)  # fmt: skip
def test_only_what_looks_like_that_chip_is_asked(atqa: str, sak: str, uid: str, asked: bool) -> None:
    assert may_sign_type_a(atqa, sak, uid) is asked


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\xd1", b"\xd1\x01\x05U\x04ab", b"\xd1\x01\x03T\x02en", b"\xd1\x01\x02U\x04\xff", b"\xd1\x01\x02U\x63a",
        b"\xd1\x01\x00U\x04",
    ],
)  # fmt: skip
def test_what_is_no_link_is_none(message: bytes) -> None:
    assert link_in(message) == ""


def test_a_card_that_answers_byte_by_byte_is_given_up_in_time() -> None:
    def slow(cla: int, ins: int, p1: int, p2: int, data: bytes | None, le: int) -> bytes:
        time.sleep(0.02)
        return b"\x00\xff" if p2 == 0 else b"x"

    began_s = time.monotonic()
    assert link_from(slow, budget_s=0.1) == ""
    assert time.monotonic() - began_s < 3


def test_from_the_card_in_the_field_to_the_fact_and_its_copy_to_an_alarm(tmp_path: Path, school: School, purse: Purse) -> None:
    """The shipped driver, the shipped loop: a genuine tap, then the same link written into another card."""
    with SimulatedField() as field:
        device = Device(name="north", url=f"{field.url}?sun=1&targets=106A", access_point="east-in")
        settings = replace(school.settings, site=replace(school.settings.site, devices=(device,)))
        devices = Devices(settings, school.gate, SnapshotStore(tmp_path / "state", utc_offset_ms=0))
        devices.start()
        try:
            wait_for(lambda: devices.by_name["north"].health.value == "ok")
            card = purse.card(school, "李雷")
            field.place(card)
            wait_for(lambda: facts(school, "arrived"))
            field.remove()
            [arrived] = facts(school, "arrived")
            assert (arrived["child"], arrived["assurance"], arrived["counter"]) == (3, "authenticated", card.counter)
            for _ in range(TRIES):
                time.sleep(0.6)  # until then the driver takes it for the same card; on a busy machine for longer
                field.place(CopiedCard(sun_uid(3), card.said[-1]))
                with contextlib.suppress(AssertionError):
                    wait_for(lambda: school.gate.world.campus.open_alarms(), 5)
                    break
                field.remove()
            assert [alarm.kind for alarm in school.gate.world.campus.open_alarms()] == ["card_replayed"]
        finally:
            devices.stop()
