"""Which class drives which URL scheme: an explicit table, and entry points for drivers of others.

Nothing is registered by being imported. A class is imported when its scheme is asked for, so that a gate without a
camera never loads OpenCV. A third party offers a driver under the entry point group `campus_kiosk.drivers`, with the
scheme as its name; it cannot take a scheme of this table.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from drivers.device_urls import split_url
from drivers.errors import Misconfigured
from drivers.protocols import Driver

GROUP = "campus_kiosk.drivers"

BUILT_IN: Mapping[str, str] = {
    "nfc": "drivers.nfc_reader:NfcReader",
    "rdm6300": "drivers.serial_reader:Rdm6300Reader",
    "stxlrc": "drivers.serial_reader:StxLrcReader",
    "m7941": "drivers.serial_reader:M7941Reader",
    "lines": "drivers.serial_reader:LineReader",
    "wedge": "drivers.keyboard_wedge:KeyboardWedgeReader",
    "osdp": "drivers.osdp_reader:OsdpReader",
    "pcsc": "drivers.pcsc_reader:PcscReader",
    "uhf": "drivers.uhf_reader:UhfReader",
    "lcus": "drivers.relay_board:LcusRelay",
    "modbus": "drivers.modbus_board:ModbusBoard",
    "isapi": "drivers.isapi_terminal:IsapiTerminal",
    "adms": "drivers.adms_terminal:AdmsTerminal",
    "sound": "drivers.speaker:AlsaSpeaker",
    "camera": "drivers.camera:OpenCvCamera",
    "still": "drivers.still_camera:StillCamera",
    "escpos": "drivers.receipt_printer:EscposPrinter",
}


def load(url: str, name: str, **options: Any) -> Driver:
    """The driver for `url`, not opened yet. Raises Misconfigured with what is known instead."""
    scheme = split_url(url).scheme
    return driver_class(scheme)(name, url, **options)


def driver_class(scheme: str) -> type[Driver]:
    """Raises Misconfigured when nobody drives `scheme`, or when a third party's driver cannot be imported."""
    if scheme in BUILT_IN:
        return _imported(BUILT_IN[scheme])
    others = _third_parties()
    if scheme not in others:
        known = ", ".join(sorted({*BUILT_IN, *others}))
        raise Misconfigured(f"no driver for {scheme!r}: write one of {known}, or install the driver's package")
    try:
        found = others[scheme].load()
    except Exception as error:  # another's package may raise anything while it is imported
        raise Misconfigured(f"the driver for {scheme!r} ({others[scheme].value}) does not load: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Driver)):
        raise Misconfigured(f"the driver for {scheme!r} ({others[scheme].value}) is no drivers.protocols.Driver")
    return found


def schemes() -> list[str]:
    """Every scheme that can be loaded here, built-in and installed."""
    return sorted({*BUILT_IN, *_third_parties()})


def discover_all() -> list[str]:
    """Candidate URLs for everything plugged in now. Touches no device; a driver that does not load offers nothing."""
    candidates: dict[str, None] = {}
    for place in dict.fromkeys(BUILT_IN.values()):
        candidates.update(dict.fromkeys(_imported(place).discover()))
    for scheme in _third_parties():
        try:
            candidates.update(dict.fromkeys(driver_class(scheme).discover()))
        except Misconfigured:
            continue  # said when its scheme is asked for
    return list(candidates)


def _imported(place: str) -> type[Driver]:
    module, _, name = place.partition(":")
    found: type[Driver] = getattr(importlib.import_module(module), name)
    return found


def _third_parties() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}
