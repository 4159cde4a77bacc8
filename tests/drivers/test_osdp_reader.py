"""An OSDP reader in another process, by libosdp on both ends: its key, its lamp, and a loss of power."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceLost, Misconfigured
from drivers.osdp_reader import FACTORY_KEY, OsdpReader, card_of, read_key
from drivers.protocols import CredentialRead, Health
from drivers.registry import load
from drivers.simulated.pty_wire import PtyWire
from drivers.supervisor import Patience, ReaderSupervisor
from tests.support.running_gate import wait_until

osdp = pytest.importorskip("osdp", reason="install campus-kiosk[osdp] for the OSDP reader")
from drivers.simulated.osdp_peripheral import SimulatedOsdpReader  # noqa: E402

GOOD_KEY = "5a0f7c1e9d3b48a6c2e4f80713956bda"


@pytest.fixture(name="peer")
def a_reader_on_the_wall(tmp_path: Path) -> Iterator[SimulatedOsdpReader]:
    with SimulatedOsdpReader(link=tmp_path / "rs485") as peer:
        yield peer


def test_it_says_who_it_is_and_that_the_channel_is_secure(peer: SimulatedOsdpReader) -> None:
    with closing(OsdpReader("gate", peer.url)) as reader:
        info = reader.open()
    assert info.model.startswith("OSDP reader ") and "secure_channel" in info.capabilities


def test_its_lamp_and_beeper_follow_the_answer(peer: SimulatedOsdpReader) -> None:
    reader = load(peer.url, "gate")
    supervisor = ReaderSupervisor(reader, on_read=lambda read: None, on_health=lambda *_: None).start()
    try:
        wait_until(lambda: supervisor.health is Health.OK, "the secure channel stands")
        for granted, colour, beeps in ((True, osdp.CommandLEDColor.Green, 1), (False, osdp.CommandLEDColor.Red, 3)):
            peer.shown.clear()
            supervisor.feedback(granted)
            lamp = peer.wait_until_shown(osdp.Command.LED)
            assert (lamp["on_color"], lamp["temporary"], lamp["timer_count"]) == (colour, True, 10)
            assert peer.wait_until_shown(osdp.Command.Buzzer)["rep_count"] == beeps
    finally:
        assert supervisor.stop()


def test_a_reader_that_lost_its_power_is_back_at_once_when_it_has_it_again(peer: SimulatedOsdpReader) -> None:
    """libosdp by itself would wait five minutes."""
    told, reads = list[Health](), list[CredentialRead]()
    supervisor = ReaderSupervisor(
        load(peer.url, "gate"), on_read=reads.append, on_health=lambda name, health, why: told.append(health),
        patience=Patience(first_s=0.05, longest_s=0.2),
    ).start()  # fmt: skip
    try:
        wait_until(lambda: Health.OK in told, "the secure channel stands")
        peer.power(False)
        assert not peer.tap("163,12177")
        wait_until(lambda: told[-1] is Health.DOWN, "its silence is noticed")
        peer.power(True)
        wait_until(lambda: told[-1] is Health.OK, "it is back")
        wait_until(lambda: peer.tap("163,12177") and reads, "a card is read")
        assert reads[0].value == "163,12177"
    finally:
        assert supervisor.stop()


def test_a_card_without_a_panel_is_forgotten(peer: SimulatedOsdpReader) -> None:
    assert not peer.tap("163,12177")
    with closing(OsdpReader("gate", peer.url)) as reader:
        reader.open()
        assert reader.poll(0.3) == []


def test_a_wrong_key_and_a_silent_line_are_told_apart(peer: SimulatedOsdpReader, tmp_path: Path) -> None:
    other = key_file(tmp_path, GOOD_KEY)

    def why(url: str) -> str:
        with closing(OsdpReader("gate", url, key=str(other))) as reader, pytest.raises(DeviceLost) as caught:
            reader.open()
        return str(caught.value)

    with PtyWire(baud=9600, link=tmp_path / "nobody") as silent, ThreadPoolExecutor(2) as both:
        wrong_key, nobody = both.map(why, [peer.url, f"osdp:{silent.path}?address=7"])
    assert "not with our key" in wrong_key
    assert "no OSDP reader answers at address 7 with 9600 baud" in nobody


def test_an_adapter_that_hears_itself_is_no_reader_and_hides_none(peer: SimulatedOsdpReader) -> None:
    peer.echo(True)
    reads = list[CredentialRead]()
    supervisor = ReaderSupervisor(load(peer.url, "gate"), on_read=reads.append, on_health=lambda *_: None).start()
    try:
        wait_until(lambda: peer.tap("163,12177") and reads, "a card is read")
        assert [read.value for read in reads] == ["163,12177"]
    finally:
        assert supervisor.stop()


def key_file(folder: Path, text: str, *, mode: int = 0o600) -> Path:
    path = folder / "reader.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_is_32_hex_digits(tmp_path: Path) -> None:
    assert read_key(key_file(tmp_path, f"{GOOD_KEY}\n")) == bytes.fromhex(GOOD_KEY)


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (GOOD_KEY, 0o640, "chmod 600"),
        (FACTORY_KEY.hex(), 0o600, "everybody knows"),
        ("00" * 16, 0o600, "everybody knows"),
        (GOOD_KEY[:-2], 0o600, "write 32 hex digits"),
        ("五" * 16, 0o600, "write 32 hex digits"),
        ("", 0o600, "secrets.token_hex"),
    ],
)
def test_a_bad_key_is_refused_with_the_remedy(tmp_path: Path, text: str, mode: int, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        read_key(key_file(tmp_path, text, mode=mode))


def test_a_missing_key_is_named_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.key.*secrets.token_hex"):
        read_key(tmp_path / "none.key")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("osdp:/dev/ttyUSB0", "names no key"),
        ("osdp:/dev/ttyUSB0?key=/k&address=127", "write 0 to 126"),
        ("osdp:ttyUSB0?key=/k", "write the whole path"),
        ("osdp:/dev/ttyUSB0?key=/k&bauds=1", "it knows: address, baud, key"),
    ],
)
def test_a_mistake_in_the_url_is_named_with_the_remedy(url: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        load(url, "gate")


def test_a_card_in_characters_and_a_read_that_is_none() -> None:
    assert card_of({"format": 2, "data": b"0040856634"}).value == "0040856634"  # type: ignore[union-attr]
    assert card_of({"format": 1, "length": 26, "data": b"\xff\x00\xff\x00"}) is None
    assert card_of({}) is None


@given(form=st.integers(-1, 4), length=st.integers(-9, 3000), data=st.binary(max_size=80))
def test_any_event_is_a_card_or_none(form: int, length: int, data: bytes) -> None:
    event: dict[str, Any] = {"format": form, "length": length, "data": data}
    card = card_of(event)
    assert card is None or card.value
