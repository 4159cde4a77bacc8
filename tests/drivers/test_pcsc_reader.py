"""PC/SC readers on a real pcscd: which reader is meant, what is no card, and a daemon that goes away."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceLost, DriverError, Misconfigured
from drivers.pcsc_reader import ONLY, UID_LENGTHS, PcscReader, chosen, uid_in
from drivers.pcsc_service import SYSTEM_SOCKET, VARIABLE, SocketLink, connected
from drivers.protocols import CredentialRead, Health
from drivers.registry import load
from drivers.simulated.pcsc_card import READER, SimulatedPcscReader, storage_card_atr
from drivers.supervisor import ReaderSupervisor
from tests.support.running_gate import WAIT_S, wait_until

ACR = "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] (RR554-012345) 00 00"
SAM = "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader SAM] (RR554-012345) 01 00"


@pytest.fixture(name="peer")
def a_daemon_with_virtual_readers(tmp_path: Path) -> Iterator[SimulatedPcscReader]:
    try:
        peer = SimulatedPcscReader(link=tmp_path / "pcscd")
    except Misconfigured as error:
        pytest.skip(str(error))
    with peer:
        yield peer


@pytest.fixture(name="reader")
def its_first_reader(peer: SimulatedPcscReader) -> Iterator[PcscReader]:
    with closing(PcscReader("gate", peer.url)) as reader:
        reader.open()
        yield reader


def read_in(reader: PcscReader) -> list[CredentialRead]:
    found: list[CredentialRead] = wait_until(lambda: reader.poll(0.25), "a card is read")
    return found


def test_a_random_uid_is_marked(peer: SimulatedPcscReader, reader: PcscReader) -> None:
    for uid, is_random in (("08112233", True), ("08112233445566", False)):
        peer.place(uid)
        assert [(read.value, read.random_uid) for read in read_in(reader)] == [(uid, is_random)]


def test_a_reader_that_is_not_there_is_lost_and_what_is_there_is_named(peer: SimulatedPcscReader) -> None:
    other = PcscReader("gate", f"pcsc:ACR1252?socket={peer.link}")
    with closing(other), pytest.raises(DeviceLost, match=f"ACR1252: no such PC/SC reader; plugged in: {READER}, Virtual"):
        other.open()


def test_a_part_of_a_name_that_fits_one_reader_is_enough(peer: SimulatedPcscReader) -> None:
    with closing(PcscReader("gate", f"pcsc:00 01?socket={peer.link}")) as reader:
        assert reader.open().model == "Virtual PCD 00 01"


def test_a_daemon_that_goes_away_is_a_lost_device_with_the_remedy(peer: SimulatedPcscReader, reader: PcscReader) -> None:
    peer.unplug()
    with pytest.raises(DeviceLost, match=r"pcscd is gone .*systemctl"):
        reader.poll(5.0)
    with pytest.raises(DeviceLost, match=f"{READER}: pcscd does not answer .*systemctl"):
        reader.open()
    peer.replug()
    assert reader.open().model == READER


class ImpatientSupervisor(ReaderSupervisor):
    hangs_s = 2.0


def test_a_daemon_that_hangs_holds_nobody_but_its_own_thread_and_is_said(peer: SimulatedPcscReader) -> None:
    told: list[Health] = []
    desk = ImpatientSupervisor(
        PcscReader("gate", peer.url), on_read=lambda read: None, on_health=lambda name, health, why: told.append(health)
    ).start()
    try:
        wait_until(lambda: desk.health is Health.OK, "it works")
        peer.silence(True)
        wait_until(lambda: not desk.look() and desk.health is Health.DOWN, "a hanging call is noticed")
        # As the gate's one loop does after each answer: were it held here, it would be held at every lane.
        loop = threading.Thread(target=desk.feedback, args=(True,), daemon=True)
        loop.start()
        loop.join(WAIT_S)
        assert not loop.is_alive(), "the lamp of a reader whose pcscd hangs stops the gate"
        peer.silence(False)
        wait_until(lambda: desk.look() and desk.health is Health.OK, "it moves again")
    finally:
        peer.silence(False)
        assert desk.stop()
    assert told[:3] == [Health.STARTING, Health.OK, Health.DOWN] and told[-2:] == [Health.OK, Health.STOPPED]


def test_a_card_that_another_program_has_to_itself_is_read_when_it_lets_go(peer: SimulatedPcscReader, reader: PcscReader) -> None:
    from smartcard import scard

    peer.place("DEADBEEF")
    context = connected(scard, str(peer.link))
    sharing, protocols = scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1

    def held() -> Any:
        result, card, _ = scard.SCardConnect(context, READER, sharing, protocols)
        return card if result == scard.SCARD_S_SUCCESS else None

    card = wait_until(held, "another program has the card")
    assert reader.poll(0.5) == []
    scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
    assert [read.value for read in read_in(reader)] == ["DEADBEEF"]
    scard.SCardReleaseContext(context)


def test_two_daemons_in_one_process(peer: SimulatedPcscReader, reader: PcscReader, tmp_path: Path) -> None:
    with SimulatedPcscReader(link=tmp_path / "second") as second, closing(PcscReader("two", second.url)) as other:
        other.open()
        second.place("DEADBEEF")
        peer.place("04A1B2C3D4E5F6")
        assert [read.value for read in read_in(other)] == ["DEADBEEF"]
        assert [read.value for read in read_in(reader)] == ["04A1B2C3D4E5F6"]


def test_a_card_without_a_uid_is_no_read_and_the_next_is_read(peer: SimulatedPcscReader, reader: PcscReader) -> None:
    peer.place("")  # refuses nothing, and has nothing to tell
    assert reader.poll(1.0) == []
    peer.place("DEADBEEF")
    assert [read.value for read in read_in(reader)] == ["DEADBEEF"]


@pytest.mark.parametrize(
    ("wanted", "readers", "found"),
    [
        (ACR, [ACR, SAM], ACR),
        ("PICC", [ACR, SAM], ACR),
        ("RR554-012345", [ACR, SAM], Misconfigured),
        (ONLY, [ACR], ACR),
        (ONLY, [ACR, SAM], Misconfigured),
        (ONLY, [], DeviceLost),
        ("Omnikey", [ACR, SAM], DeviceLost),
        (ACR, [], DeviceLost),
    ],
)
def test_which_reader_is_meant(wanted: str, readers: list[str], found: str | type[DriverError]) -> None:
    if isinstance(found, str):
        assert chosen(wanted, readers) == found
        return
    with pytest.raises(found) as caught:
        chosen(wanted, readers)
    assert all(reader in str(caught.value) for reader in readers)


@given(answer=st.one_of(st.binary(max_size=300), st.binary(max_size=12).map(lambda uid: uid + b"\x90\x00")))
def test_any_answer_is_a_uid_or_none(answer: bytes) -> None:
    uid = uid_in(answer)
    assert uid == b"" or (len(uid) in UID_LENGTHS and answer == uid + b"\x90\x00")


def test_libpcsclite_gets_one_name_and_the_link_behind_it_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    link = SocketLink()
    link.point_at("/somewhere/else")
    name = os.environ[VARIABLE]
    assert os.readlink(name) == "/somewhere/else"
    link.point_at("")
    assert os.environ[VARIABLE] == name and os.readlink(name) == SYSTEM_SOCKET


def test_the_answer_to_reset_is_that_of_a_storage_card() -> None:
    """The example of PC/SC part 3 for a MIFARE Classic 1K."""
    assert storage_card_atr().hex().upper() == "3B8F8001804F0CA000000306030001000000006A"


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(Misconfigured, match="it knows: socket"):
        load("pcsc:only?baud=9600", "gate")
