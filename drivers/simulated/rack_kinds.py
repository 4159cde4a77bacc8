"""Which simulators there are: an explicit table, one line for each kind, at least one for every built-in driver.

The rack, `kiosk simulate-device`, the complete bench and its tests all read this table and nothing else. A simulator is
imported when its kind is started, so that nobody needs the libraries of all. A new driver adds a line here and names its
verbs in its simulator; tests/test_house.py asks for the line.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast


class Simulated(Protocol):
    """What every simulator offers. `verbs` are the methods that a hand may call by name, see `rack_verbs`."""

    verbs: ClassVar[tuple[str, ...]]

    @property
    def url(self) -> str:
        """What the shipped driver opens."""
        ...

    def unplug(self) -> object: ...

    def replug(self) -> object: ...

    def close(self) -> object: ...


class TakesCards(Simulated, Protocol):
    """A simulator to which something can be presented."""

    def tap(self, value: str, /) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RackKind:
    """One kind of simulated device.

    scheme: its driver, by the URL scheme of drivers/registry.py. place: the class or function that starts it, as
    module:name. settings: what it is called with. linked: it also takes `link`, the path under which the device appears.
    card: something that it can read, as typed by a hand; '' where nothing is presented. options: what site.toml says beside
    the URL.
    """

    scheme: str
    place: str
    words: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    linked: bool = True
    card: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


_SERIAL = "drivers.simulated.serial_readers:SimulatedSerialReader"
_PRINTER = "drivers.simulated.receipt_printer:SimulatedReceiptPrinter"

KINDS: Mapping[str, RackKind] = {
    "pn532": RackKind(
        scheme="nfc", place="drivers.simulated.pn532_chip:SimulatedPn532", words="PN532 NFC module on a serial line",
        card="04A1B2C3D4E5F6",
    ),
    "field": RackKind(
        scheme="nfc", place="drivers.simulated.rf_field:SimulatedField", words="NFC field over UDP", linked=False,
        card="04A1B2C3D4E5F6",
    ),
    "rdm6300": RackKind(
        scheme="rdm6300", place=_SERIAL, words="125 kHz module that repeats its tag", settings={"protocol": "rdm6300"},
        card="62E3086CED",
    ),
    "stxlrc": RackKind(
        scheme="stxlrc", place=_SERIAL, words="serial reader, STX/LRC frames", settings={"protocol": "stxlrc"},
        card="0012345678",
    ),
    "m7941": RackKind(
        scheme="m7941", place=_SERIAL, words="7941W module for both frequencies", settings={"protocol": "m7941"},
        card="DEADBEEF",
    ),
    "lines": RackKind(
        scheme="lines", place=_SERIAL, words="scanner or reader that sends a line of text", settings={"protocol": "lines"},
        card="0012345678",
    ),
    "wedge": RackKind(
        scheme="wedge", place="drivers.simulated.keyboard_wedge:SimulatedKeyboardWedge", words="reader that types, as a keyboard",
        card="0012345678",
    ),
    "osdp": RackKind(
        scheme="osdp", place="drivers.simulated.osdp_peripheral:SimulatedOsdpReader", words="OSDP reader with Secure Channel",
        card="163,12177",
    ),
    "pcsc": RackKind(
        scheme="pcsc", place="drivers.simulated.pcsc_card:SimulatedPcscReader", words="PC/SC reader on a pcscd of its own",
        card="04A1B2C3D4E5F6",
    ),
    "uhf": RackKind(
        scheme="uhf", place="drivers.simulated.uhf_reader:SimulatedUhfReader", words="UHF long-range reader on a serial line",
        card="E2003098881900722140369E",
    ),
    "lcus": RackKind(scheme="lcus", place="drivers.simulated.relay_board:SimulatedRelayBoard", words="LCUS relay board"),
    "modbus": RackKind(
        scheme="modbus", place="drivers.simulated.modbus_board:SimulatedModbusBoard",
        words="Modbus RTU board with contacts and inputs",
    ),
    "isapi": RackKind(
        scheme="isapi", place="drivers.simulated.isapi_terminal:SimulatedIsapiTerminal",
        words="Hikvision access terminal (ISAPI) over HTTP", linked=False, card="20260001",
    ),
    "adms": RackKind(
        scheme="adms", place="drivers.simulated.adms_terminal:SimulatedAdmsTerminal", words="push terminal (ADMS) over HTTP",
        settings={"pace": 0.1}, linked=False, card="20260001", options={"silence_s": 3.0},
    ),
    "speaker": RackKind(
        scheme="sound", place="drivers.simulated.speaker:SimulatedSpeaker", words="loudspeaker that writes down what it plays"
    ),
    "camera": RackKind(
        scheme="camera", place="drivers.simulated.camera:started_camera", words="network camera, MJPEG over HTTP", linked=False
    ),
    "rtsp": RackKind(
        scheme="camera", place="drivers.simulated.rtsp_camera:started_rtsp_camera", words="network camera, RTSP with a password",
        linked=False,
    ),
    "still": RackKind(
        scheme="still", place="drivers.simulated.camera:started_still_camera", words="camera that gives single pictures (ISAPI)"
    ),
    "escpos-tcp": RackKind(scheme="escpos", place=_PRINTER, words="receipt printer on the network", linked=False),
    "escpos-serial": RackKind(scheme="escpos", place=_PRINTER, words="receipt printer on a cable", settings={"over": "pty"}),
}  # fmt: skip


def start(kind: str, link: Path) -> Simulated:
    """Starts one simulator; `link` is used by those that appear as a path. Raises ValueError with the kinds there are.

    Raises drivers.errors.Misconfigured where something is missing that this kind needs.
    """
    if kind not in KINDS:
        raise ValueError(f"no simulator is called {kind!r}; write one of {', '.join(KINDS)}")
    found = KINDS[kind]
    module, _, name = found.place.partition(":")
    starting: Callable[..., Any] = getattr(importlib.import_module(module), name)
    settings = {**found.settings, "link": link} if found.linked else found.settings
    return cast(Simulated, starting(**settings))
