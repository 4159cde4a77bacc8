"""Every reader driver with its simulator, what each rule of the contract is called, and why a bench is not asked one.

A new driver adds a `Bench` to `BENCHES`. What its simulator does differently from the others is said here (`spoil`, `half`,
`slow_s`), and so is every rule that cannot be asked of it (`exempt`), with a reason that a reader understands. A rule that
drivers/QUALITY.toml exempts the driver from is not asked either; nothing else is ever skipped.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import Misconfigured
from drivers.simulated.adms_terminal import SimulatedAdmsTerminal
from drivers.simulated.isapi_terminal import SimulatedIsapiTerminal
from drivers.simulated.keyboard_wedge import SimulatedKeyboardWedge
from drivers.simulated.osdp_peripheral import SimulatedOsdpReader
from drivers.simulated.pcsc_card import SimulatedPcscReader
from drivers.simulated.pn532_chip import SimulatedPn532
from drivers.simulated.rf_field import SimulatedField
from drivers.simulated.serial_readers import SimulatedSerialReader
from drivers.simulated.uhf_reader import SimulatedUhfReader

QUALITY: dict[str, Any] = tomllib.loads((Path(__file__).parents[2] / "drivers" / "QUALITY.toml").read_text(encoding="utf-8"))

# The rules by name. The value is the line of QUALITY.toml that may exempt a driver, or "" where none may.
RULES = {
    "construct": "",
    "open_close_twice": "",
    "not_there": "",
    "tap": "",
    "lying_card": "",
    "unplug_and_replug": "unplug_is_noticed",
    "health_sequence": "",
    "garbage": "garbage_is_harmless",
    "half_frame": "",
    "wedge": "silence_is_noticed",
    "slow": "",
    "cancel": "",
    "stop": "",
    "exclusive": "exclusive",
}


@dataclass(frozen=True)
class Bench:
    """One driver with its simulator. `cards` are (what is tapped, scheme, value that must come out), two at least.

    quality: the driver's block in QUALITY.toml. start: gives the simulator, a context manager, at its stable path.
    spoil: puts noise on the wire. half: half a frame of a card that is never finished. slow_s: what `slow` is called with.
    exempt: rule -> why this bench cannot be asked.
    """

    quality: str
    start: Callable[[Path], Any]
    options: str
    cards: tuple[tuple[str, str, str], ...]
    spoil: Callable[[Any], object] = lambda simulator: simulator.garbage()
    half: Callable[[Any, str], object] = lambda simulator, card: simulator.half_frame(card)
    slow_s: float = 0.004
    exempt: Mapping[str, str] = field(default_factory=dict)

    def started(self, place: Path) -> Any:
        """The simulator; skips where this computer lacks what it needs, with the sentence that says what to install."""
        try:
            return self.start(place)
        except Misconfigured as error:
            pytest.skip(str(error))

    def why_not(self, rule: str) -> str:
        """Why `rule` is not asked of this bench; "" when it is."""
        said = str(QUALITY["drivers"][self.quality].get(RULES[rule], ""))
        by_quality = said.removeprefix("exempt: ") if said.startswith("exempt: ") else ""
        return self.exempt.get(rule, "") or by_quality


def serial(protocol: Any, **how: Any) -> Callable[[Path], SimulatedSerialReader]:
    return lambda link: SimulatedSerialReader(protocol, link=link, **how)


def _spoil_pn532(chip: SimulatedPn532) -> None:
    chip.garble(1)
    chip.garbage()


NO_CHECKSUM = {"half_frame": "a line of text has no checksum; tests/drivers/test_line_reader.py holds what is promised instead"}

BENCHES = {
    "rdm6300": Bench(
        "rdm6300",
        serial("rdm6300"),
        "",
        (("62E3086CED", "em4100", "62E3086CED"), ("01000734E0", "em4100", "01000734E0")),
    ),
    "stxlrc": Bench("stxlrc", serial("stxlrc"), "", (("0012345678", "number", "0012345678"), ("16312177", "number", "16312177"))),
    "m7941": Bench("m7941", serial("m7941"), "", (("DEADBEEF", "uid", "DEADBEEF"), ("01026F6C3A", "em4100", "01026F6C3A"))),
    "lines-qr": Bench(
        "lines",
        serial("lines"),
        "",
        (("P|张三|123", "qr", "P|张三|123"), ("CP1.abc.def", "qr", "CP1.abc.def")),
        exempt=NO_CHECKSUM,
    ),
    "lines-gb18030-cr": Bench(
        "lines",
        serial("lines", encoding="gb18030", suffix="cr"),
        "",
        (("张三", "qr", "张三"), ("CODE-9|李四", "qr", "CODE-9|李四")),
        exempt=NO_CHECKSUM,
    ),
    "lines-no-suffix": Bench(
        "lines",
        serial("lines", suffix="none"),
        "",
        (("CP1.abc.def", "qr", "CP1.abc.def"), ("X-9", "qr", "X-9")),
        exempt=NO_CHECKSUM,
    ),
    "lines-number": Bench(
        "lines",
        serial("lines"),
        "?as=number",
        (("0040856634", "number", "0040856634"), ("163,12177", "number", "163,12177")),
        exempt=NO_CHECKSUM,
    ),
    "wedge": Bench(
        "wedge",
        lambda link: SimulatedKeyboardWedge(link=link),
        "",
        (("0005527632", "number", "0005527632"), ("163,12177", "number", "163,12177")),
    ),
    "wedge-qr": Bench(
        "wedge",
        lambda link: SimulatedKeyboardWedge(link=link),
        "?as=qr",
        (("CP1.abc_DEF-9", "qr", "CP1.abc_DEF-9"), ("https://s.example/?c=Ab&t=9", "qr", "https://s.example/?c=Ab&t=9")),
    ),
    "osdp": Bench(
        "osdp",
        lambda link: SimulatedOsdpReader(link=link),
        "",
        (("163,12177", "number", "163,12177"), ("DEADBEEF", "number", "DEADBEEF"), ("00623,27706", "number", "00623,27706")),
        half=lambda reader, card: reader.half_answers(1),
        slow_s=0.002,
    ),
    "pcsc": Bench(
        "pcsc",
        lambda link: SimulatedPcscReader(link=link),
        "",
        (("DEADBEEF", "uid", "DEADBEEF"), ("04A1B2C3D4E5F6", "uid", "04A1B2C3D4E5F6")),
        exempt={"wedge": "a call into a pcscd that hangs does not return: whoever looks notices, see test_pcsc_reader"},
    ),
    "uhf": Bench(
        "uhf",
        lambda link: SimulatedUhfReader(link=link),
        "",
        (
            ("E2003098881900722140369E", "uid", "E2003098881900722140369E"),
            ("300833B2DDD9014000000001", "uid", "300833B2DDD9014000000001"),
        ),
        half=lambda reader, card: reader.half_frame(1),
        slow_s=0.002,
    ),
    "nfc-pn532": Bench(
        "nfc",
        lambda link: SimulatedPn532(link=link),
        "",
        (("DEADBEEF", "uid", "DEADBEEF"), ("04A1B2C3D4E5F6", "uid", "04A1B2C3D4E5F6")),
        spoil=_spoil_pn532,
        half=lambda chip, card: chip.half_answers(1),
        slow_s=0.02,
    ),
    "nfc-udp": Bench(
        "nfc",
        lambda link: SimulatedField(),
        "",
        (("04A1B2C3D4E5F6", "uid", "04A1B2C3D4E5F6"), ("0102030405060708", "uid", "0102030405060708")),
        spoil=lambda field: field.garble(3),
        exempt={
            "half_frame": "a datagram comes whole or not at all",
            "wedge": "nfcpy cannot tell a field that answers nothing from an empty one; a closed port is noticed",
            "exclusive": "an RF field has room for two readers",
        },
    ),
    "isapi": Bench(
        "isapi",
        lambda link: SimulatedIsapiTerminal(password_file=link.with_name("password")),
        "&silence_s=1.5",
        (("20260001", "person", "20260001"), ("T11", "person", "T11")),
        slow_s=0.001,
    ),
    "adms": Bench(
        "adms",
        lambda link: SimulatedAdmsTerminal(pace=0.1),
        "&silence_s=1.5",
        (("20260001", "person", "20260001"), ("T11", "person", "T11")),
        slow_s=0.001,
    ),
}
