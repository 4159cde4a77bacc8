"""Random bytes and random text into every parser: each answers, or raises the one error that it names. Nothing else.

Parsers that have their own noise tests (frames, card numbers, class names, workbooks) are here once more, so that the list of
everything that reads foreign bytes is in one place.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.device_urls import merged_options, split_url
from drivers.errors import Misconfigured
from drivers.input_events import WedgeScans
from drivers.modbus_frames import ModbusAnswerFrames, ModbusRequestFrames
from drivers.osdp_packets import OsdpPackets
from drivers.serial_frames import LcusFrames, LineFrames, M7941AnswerFrames, M7941CommandFrames, Rdm6300Frames, StxLrcFrames
from kiosk.core.card_numbers import CardIndex
from kiosk.core.entries import UnreadableEntry, decode
from kiosk.credentials import CredentialsError, PinDesk, load_pepper
from kiosk.directory import DirectoryError, load
from kiosk.importing import Source, plan_import
from kiosk.journal import JournalDamaged, verify
from kiosk.settings import SettingsError
from kiosk.settings import load as load_settings
from kiosk.snapshots import PictureError, SnapshotStore
from sync_agent import protocol
from sync_agent.agent_state import read_status
from sync_agent.errors import SyncError
from sync_agent.keys import load_or_create

CONFIG = Path(__file__).parents[1] / "support" / "config"
CHUNKS = st.lists(
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\x02", b"\x03", b"\r\n", b"\xab\xba", b"\xcd\xdc", b"A5"])), max_size=12
)
FRAMES: dict[str, Callable[[], object]] = {
    "rdm6300": Rdm6300Frames,
    "stxlrc": StxLrcFrames,
    "m7941": M7941AnswerFrames,
    "7941 commands": M7941CommandFrames,
    "lcus": LcusFrames,
    "modbus": ModbusAnswerFrames,
    "modbus commands": ModbusRequestFrames,
    "lines": lambda: LineFrames(scheme="number"),
    "codes": lambda: LineFrames(scheme="qr"),
    "osdp": OsdpPackets,
    "keyboard wedge": lambda: WedgeScans(scheme="qr"),
}
HELD_BYTES = 4_096  # of an unfinished frame


@pytest.mark.parametrize("name", FRAMES)
@settings(max_examples=80, deadline=None, derandomize=True)
@given(chunks=CHUNKS)
def test_a_wire_may_say_anything(name: str, chunks: list[bytes]) -> None:
    parser = FRAMES[name]()
    for chunk in chunks:
        parser.feed(chunk)  # type: ignore[attr-defined]
        assert parser.buffered <= HELD_BYTES  # type: ignore[attr-defined]


def _in_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    def reading(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            return read(path)

    return reading


def _settings_with(path: Path) -> object:
    """The small school's settings with one file replaced by the noise."""
    for other in CONFIG.glob("*.toml"):
        if other.name != path.name:
            (path.parent / other.name).write_bytes(other.read_bytes())
    return load_settings(path.parent)


def _photo(path: Path) -> object:
    return SnapshotStore(path.parent / "state").put_photo(1, path.read_bytes())


# what reads foreign bytes: how, and the only error that may come out
OF_BYTES: dict[str, tuple[Callable[[bytes], object], type[Exception] | tuple[type[Exception], ...]]] = {
    "an entry": (decode, UnreadableEntry),
    "a journal": (_in_file(verify, "journal.db"), JournalDamaged),
    "a directory": (_in_file(load, "directory.db"), DirectoryError),
    "a list": (lambda data: plan_import([Source("学生.csv", data)], None, school_year_start=2026), ()),
    "a workbook": (lambda data: plan_import([Source("学生.xlsx", b"PK\x03\x04" + data)], None, school_year_start=2026), ()),
    "school.toml": (_in_file(_settings_with, "school.toml"), SettingsError),
    "plan.toml": (_in_file(_settings_with, "plan.toml"), SettingsError),
    "calendar.toml": (_in_file(_settings_with, "calendar.toml"), SettingsError),
    "ladder.toml": (_in_file(_settings_with, "ladder.toml"), SettingsError),
    "site.toml": (_in_file(_settings_with, "site.toml"), SettingsError),
    "a picture": (_in_file(_photo, "photo.jpg"), PictureError),
    "a pepper": (_in_file(lambda path: load_pepper(path, create=False), "pepper"), CredentialsError),
    "the PIN desk's file": (_in_file(lambda path: PinDesk(path, b"p" * 32), "credentials.db"), CredentialsError),
    "a node's key": (_in_file(load_or_create, "node.key"), SyncError),
    "the agent's status": (_in_file(lambda path: read_status(path.parent), "sync_status.json"), ()),
}
NOISE = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=100).map(lambda data: b"SQLite format 3\x00" + data),
    st.text(alphabet='[]{}"=,.\n#:abc0123 _-', max_size=120).map(str.encode),
)


@pytest.mark.parametrize("name", OF_BYTES)
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=NOISE)
def test_no_bytes_are_a_surprise(name: str, data: bytes) -> None:
    read, named = OF_BYTES[name]
    with contextlib.suppress(named or _Never):
        read(data)


OF_TEXT: dict[str, tuple[Callable[[str], object], type[Exception] | tuple[type[Exception], ...]]] = {
    "a card number": (CardIndex({"A5000001": ()}).candidates, ()),
    "a device's URL": (lambda text: merged_options(split_url(text), {}, defaults={"baud": 9600}), Misconfigured),
    "what a node has": (protocol.read_have, protocol.MalformedMessage),
    "a number of the protocol": (lambda text: protocol.read_number(text, where="x"), protocol.MalformedMessage),
    "a hash of the protocol": (lambda text: protocol.hash_bytes(text, where="x"), protocol.MalformedMessage),
}


@pytest.mark.parametrize("name", OF_TEXT)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=st.one_of(st.text(max_size=60), st.text(alphabet="0123456789,:/=?&.-%xabc", max_size=60), st.just("9" * 5_000)))
def test_no_text_is_a_surprise(name: str, text: str) -> None:
    read, named = OF_TEXT[name]
    with contextlib.suppress(named or _Never):
        read(text)


class _Never(Exception):
    """For those that may raise nothing at all."""
