"""Contactless readers through nfcpy: `nfc:pn532:/dev/...`, `nfc:usb[:vid:pid]`, `nfc:udp:host:port`.

The only module that touches nfcpy. It looks for cards with its own loop over `sense()`, not with `connect()`: that one
blocks while a card lies on the reader and turns a dead reader into "no card". It yields UIDs (`uid`, upper hex, in the
order of the air) and says so: a UID identifies, it never proves. With `?sun=1` it also reads the link that an NTAG 424 DNA
signs anew at each read, and hands it on as evidence (`sun`); what it proves is not decided here. Other cards are not kept
waiting: only what looks like that chip is asked.

It never authenticates, never writes to a card, never retries.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from drivers.device_urls import OptionValue, merged_options, split_url
from drivers.errors import IO_ERRORS, DeviceLost, DriverError, Misconfigured
from drivers.ndef_link import link_from, may_sign_type_a
from drivers.presence import PresenceFilter
from drivers.protocols import CredentialRead, Info, Reader
from drivers.serial_port import check_is_tty, held_exclusively, open_failure, stable_tty_paths

MUTE_S = 0.5  # several looks without an answer: the chip is gone
LOOK_PAUSE_S = 0.03  # between two looks: the field is off, a card may power down and phones save energy
ABSENT_S = 0.5  # a card at the edge of the field is missed now and then; so long it has not left
TECHNOLOGIES = ("106A", "212F", "106B")

# nfcpy 1.0.4 does not check what the wire says before it indexes and unpacks: half a frame is an IndexError.
GARBLED_ANSWERS = (LookupError, ValueError, TypeError, AttributeError, AssertionError)

PN532_SPEEDS_AFTER_A_CRASH = (921600, 460800, 230400)
SPEED_TRIAL_S = 0.3
PN532_BACK_TO_115200 = bytes(10) + bytes.fromhex("0000FF03FDD410041800")
PN532_ACK = bytes.fromhex("0000FF00FF00")

SILENT_LOOK_S = 0.9  # nfcpy's udp device waits 1.0 s for an answer; a field that is there answers in milliseconds
PORT_PROBES = 3
PORT_PROBE_WAIT_S = 0.03

USB_DEVICES = Path("/sys/bus/usb/devices")
USB_READERS = {  # what nfcpy 1.0.4 knows
    "054c": ("0193", "02e1", "06c1", "06c3"),  # Sony PaSoRi
    "04cc": ("0531", "2533"),  # NXP
    "04e6": ("5591", "5593"),  # SCM
    "072f": ("2200",),  # ACS ACR122U
}


@dataclass(frozen=True, slots=True)
class CardSighting:
    """What one look found. `random` marks a UID that changes at every look (a phone)."""

    uid: str
    random: bool
    evidence: dict[str, str]

    @property
    def presence_key(self) -> str:
        return "random" if self.random else self.uid


class NfcReader(Reader):
    """One reader, one thread. `nfc:pn532:` takes any path of a serial port, also by-id paths."""

    schemes = ("nfc",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"targets": ("106A", "212F"), "sun": False}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        self._bus, _, self._place = where.address.partition(":")
        if self._bus not in ("pn532", "usb", "udp"):
            raise Misconfigured(f"{url}: {self._bus!r} is unknown; write nfc:pn532:/dev/..., nfc:usb or nfc:udp:host:port")
        if self._bus == "pn532" and not self._place.startswith("/"):
            raise Misconfigured(f"{url} names no serial port: write the whole path, best /dev/serial/by-id/...")
        chosen = merged_options(where, options, defaults=self.option_defaults)
        technologies, self._reads_sun = chosen["targets"], bool(chosen["sun"])
        assert isinstance(technologies, tuple)
        if not technologies or not set(technologies) <= set(TECHNOLOGIES):
            raise Misconfigured(f"{url}: targets={','.join(technologies)} is unknown; choose from {','.join(TECHNOLOGIES)}")
        self._technologies = technologies
        self._frontend: Any = None
        self._held: int | None = None  # the port's lock: nfcpy opens the port without one, and twice
        self._targets: list[Any] = []
        self._sensed: Any = None  # the card that the last look found, still powered
        self._presence = PresenceFilter(absent_s=ABSENT_S)
        self._mute_since_s: float | None = None  # when the first of the looks began that got no answer
        self._cancelled = threading.Event()

    @classmethod
    def discover(cls) -> Iterable[str]:
        for vendor, product in usb_ids_present():
            if product in USB_READERS.get(vendor, ()):
                yield f"nfc:usb:{vendor}:{product}"
        yield from (f"nfc:pn532:{path}" for path in stable_tty_paths())

    def open(self) -> Info:
        clf = _nfcpy()
        self.close()
        with _vendor_trouble(self._where):
            self._frontend = clf.ContactlessFrontend()
            {"pn532": self._open_pn532, "usb": self._open_usb, "udp": self._open_udp}[self._bus](clf)
            self._targets = [clf.RemoteTarget(technology) for technology in self._technologies]
            model = str(self._frontend.device)
        self._presence = PresenceFilter(absent_s=ABSENT_S)
        self._mute_since_s = None
        self._cancelled.clear()
        return Info(model=model, capabilities=frozenset({"uid", "sun"} if self._reads_sun else {"uid"}))

    def close(self) -> None:
        frontend, self._frontend = self._frontend, None
        if frontend is not None and frontend.device is not None:
            _close_device(frontend.device)
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(OSError):  # the port is gone: so is its lock
                os.close(held)

    def cancel(self) -> None:
        self._cancelled.set()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        """Over udp one look may take a second for each technology: nfcpy waits that long when nobody answers."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            sighting = self._look()
            now_s = time.monotonic()
            if sighting and self._presence.is_new(sighting.presence_key, now_s=now_s):
                return [self._read(self._with_link(sighting), now_s)]
            left_s = deadline_s - now_s
            if left_s <= 0 or self._cancelled.wait(min(LOOK_PAUSE_S, left_s)):
                self._cancelled.clear()
                return []

    @property
    def _where(self) -> str:
        return f"{self._bus}:{self._place}" if self._place else self._bus

    def _read(self, sighting: CardSighting, now_s: float) -> CredentialRead:
        return CredentialRead(
            device=self.name,
            scheme="uid",
            value=sighting.uid,
            read_mono_s=now_s,
            random_uid=sighting.random,
            evidence=sighting.evidence,
        )

    def _look(self) -> CardSighting | None:
        if self._frontend is None:
            raise DeviceLost(f"{self._where} is not open")
        started_s = time.monotonic()
        try:
            with _vendor_trouble(self._where):
                self._sensed = self._frontend.sense(*self._targets)
                found = sighted(self._sensed)
        except DeviceLost:
            # nfcpy gives the chip 100 ms, and a busy computer is late now and then, twice in a row too.
            if self._mute_since_s is None:
                self._mute_since_s = started_s
            elif time.monotonic() - self._mute_since_s >= MUTE_S:
                raise
            return None
        self._mute_since_s = None
        if found is None and self._bus == "udp" and time.monotonic() - started_s >= SILENT_LOOK_S:
            _check_udp_peer(self._place)
        return found

    def _with_link(self, sighting: CardSighting) -> CardSighting:
        """With what the card says of itself, if it is one of those; a card that leaves in between was seen all the same."""
        if not self._reads_sun or not may_sign(sighting):
            return sighting
        try:
            with _vendor_trouble(self._where):
                link = signed_link(self._frontend, self._sensed)
        except DeviceLost:
            return sighting  # gone, or mute: a reader that died is noticed at the next look
        return replace(sighting, evidence={**sighting.evidence, "sun": link}) if link else sighting

    def _open_pn532(self, clf: Any) -> None:
        check_is_tty(self._place)
        # nfcpy recognises the slow USB of a Raspberry Pi by the name ttyUSB, and puts the name on a shell's command
        # line: it gets the real name of the port, not a link.
        port = os.path.realpath(self._place)
        self._held = held_exclusively(port)
        try:
            device = _pn532_at(port)
        except IO_ERRORS:
            if not _slow_down_pn532(port):
                raise
            device = _pn532_at(port)
        device._path = self._place
        self._frontend.device = device

    def _open_usb(self, clf: Any) -> None:
        if not self._frontend.open(self._where):
            raise DeviceLost(f"no reader that nfcpy knows is on {self._where}: plug it in, and stop pcscd if it runs")

    def _open_udp(self, clf: Any) -> None:
        _check_udp_peer(self._place)
        self._frontend.open(f"udp:{self._place}")


def sighted(target: Any) -> CardSighting | None:
    """The UID in what nfcpy sensed. Type A: 4, 7 or 10 bytes; FeliCa: IDm; type B: PUPI; type 1: the RID's UID."""
    if target is None:
        return None
    evidence = {"technology": str(target.brty)}
    if target.sensf_res is not None:
        idm = bytes(target.sensf_res[1:9])
        return CardSighting(idm.hex().upper(), idm.startswith(b"\x01\xfe"), evidence)  # 01FE: NFC-DEP, made up each time
    if target.sensb_res is not None:
        return CardSighting(bytes(target.sensb_res[1:5]).hex().upper(), True, evidence)  # a PUPI may change: never a name
    evidence["atqa"] = bytes(target.sens_res).hex().upper()
    if target.rid_res is not None:
        return CardSighting(bytes(target.rid_res[2:6]).hex().upper(), False, evidence)
    uid = bytes(target.sdd_res)
    evidence["sak"] = bytes(target.sel_res).hex().upper()
    return CardSighting(uid.hex().upper(), len(uid) == 4 and uid[0] == 0x08, evidence)  # ISO 14443-3: 08 is random


def may_sign(sighting: CardSighting) -> bool:
    return may_sign_type_a(sighting.evidence.get("atqa", ""), sighting.evidence.get("sak", ""), sighting.uid)


def signed_link(frontend: Any, target: Any) -> str:
    """The link in the card that was just sensed, "" without one. Each reading makes the card count one further."""
    import nfc.tag
    import nfc.tag.tt4

    try:
        card = nfc.tag.tt4.activate(frontend, target)
        return link_from(lambda cla, ins, p1, p2, data, le: bytes(card.send_apdu(cla, ins, p1, p2, data, le)))
    except (nfc.clf.CommunicationError, nfc.tag.TagCommandError):
        return ""


def usb_ids_present(folder: Path = USB_DEVICES) -> list[tuple[str, str]]:
    """Vendor and product of everything on USB, from the kernel's list. Opens no device."""
    found = []
    for device in sorted(folder.glob("*/idVendor")):
        with contextlib.suppress(OSError):  # pulled while we looked
            found.append((device.read_text().strip(), device.with_name("idProduct").read_text().strip()))
    return found


def _nfcpy() -> Any:
    try:
        import nfc.clf
        import nfc.clf.pn532
        import nfc.clf.transport
    except ImportError as error:
        raise Misconfigured("nfcpy is not installed: install the package with its nfc extra") from error
    # nfcpy logs an error for every look at a dead reader. The supervisor says it once, so nfcpy is asked to be quiet.
    logging.getLogger("nfc").setLevel(logging.CRITICAL)
    return nfc.clf


def _pn532_at(port: str) -> Any:
    """nfcpy's own PN532 driver on any port. Its own path syntax knows only names directly under /dev."""
    from nfc.clf import pn532, transport

    tty = transport.TTY(port)
    try:
        return pn532.init(tty)
    except BaseException:
        _close_tty(tty)
        raise


def _slow_down_pn532(port: str) -> bool:
    """nfcpy raises the chip's speed and lowers it on close; a killed process leaves it fast, and deaf to us.

    True when the chip was found at a high speed and is back at 115200.
    """
    import serial

    for speed in PN532_SPEEDS_AFTER_A_CRASH:
        with serial.Serial(port, speed, timeout=SPEED_TRIAL_S, write_timeout=SPEED_TRIAL_S) as line:
            line.write(PN532_BACK_TO_115200)
            if line.read(len(PN532_ACK)) == PN532_ACK:
                line.read(9)  # the chip's answer; it changes its speed after our acknowledgement
                line.write(PN532_ACK)
                time.sleep(0.01)
                return True
    return False


def _close_device(device: Any) -> None:
    """Never raises, and leaves no open handle: nfcpy keeps the port open when its farewell is not answered."""
    chipset = getattr(device, "chipset", None)
    transport = getattr(chipset, "transport", None)
    is_acr122 = type(device).__module__.endswith("acr122")
    with contextlib.suppress(*IO_ERRORS, *_vendor_errors()):
        # nfcpy's farewell powers the chip of an ACR122U down, and only pulling the plug wakes it (nfcpy #231).
        (device.chipset if is_acr122 else device).close()
    if transport is None:
        return
    if transport.TYPE == "TTY":
        _close_tty(transport)
    else:
        with contextlib.suppress(*IO_ERRORS, *_vendor_errors()):
            transport.close()


def _close_tty(transport: Any) -> None:
    """`transport.close()` flushes first, which raises on a port that hung up, and then closes nothing."""
    handle: Any = transport.tty
    transport.tty = None
    if handle is not None:
        with contextlib.suppress(*IO_ERRORS):
            handle.close()


def _vendor_errors() -> tuple[type[Exception], ...]:
    """What nfcpy raises beside I/O errors: its own and libusb's, subclasses of nothing useful, and IndexErrors."""
    from nfc.clf import Error, pn53x, transport

    return (Error, pn53x.Chipset.Error, transport.libusb.USBError, *GARBLED_ANSWERS)


@contextlib.contextmanager
def _vendor_trouble(where: str) -> Iterator[None]:
    """Whatever escapes from nfcpy becomes a sentence with a remedy."""
    try:
        yield
    except DriverError:
        raise
    except IO_ERRORS as error:
        raise _explained(where, error) from error
    except _vendor_errors() as error:
        said = f"{type(error).__name__}: {error}"
        raise DeviceLost(f"{where} answered nonsense ({said}); check cable and power") from error


def _explained(where: str, error: BaseException) -> DriverError:
    code = getattr(error, "errno", None)
    if where.startswith("usb") and code in (errno.EACCES, errno.EPERM):
        return Misconfigured(f"{where} may not be opened: give the service user the device with a udev rule")
    if where.startswith("usb") and code == errno.EBUSY:
        return Misconfigured(f"{where} is held by another program: stop pcscd and blacklist pn533_usb")
    if where.startswith("pn532") and code in (errno.EACCES, errno.EPERM, errno.EAGAIN, errno.EBUSY):
        return open_failure(where.partition(":")[2], error)
    return DeviceLost(f"{where} does not answer ({error}); check cable and power")


def _check_udp_peer(place: str) -> None:
    """Raises DeviceLost when nobody holds the port: the host refuses a datagram. Silence alone is an empty field."""
    host, _, port = place.rpartition(":")
    try:
        address = socket.getaddrinfo(host or "localhost", int(port), socket.AF_INET, socket.SOCK_DGRAM)[0][4]
    except (OSError, ValueError) as error:
        raise Misconfigured(f"nfc:udp:{place} is no host and port: write nfc:udp:127.0.0.1:54321") from error
    for attempt in range(PORT_PROBES):  # a peer that re-binds its port is away for a moment only
        if attempt:
            time.sleep(PORT_PROBE_WAIT_S)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(PORT_PROBE_WAIT_S)
            try:
                probe.connect(address)
                probe.send(b"RFOFF")
                probe.recv(64)
            except TimeoutError:
                return
            except OSError:
                continue
            return
    raise DeviceLost(f"nobody speaks for the RF field at udp:{place}: start the simulator there")
