"""OSDP readers on an RS-485 line: `osdp:/dev/serial/by-id/...?address=0&baud=9600&key=/etc/campus-kiosk/keys/main-in.osdp`.

OSDP is the one reader standard with an encrypted wire, and here it is never spoken without: `key` names a file with the
reader's own key (32 hex digits, readable by its owner alone), and the key that every reader has from the factory is
refused. libosdp speaks the protocol; its packets are put together in `osdp_packets`, and what a card's bits mean is in
`wiegand_bits`.

libosdp waits five minutes before it tries a reader again that was lost, so every `open()` makes a new control panel.
Nothing in here retries, logs or decides what a card may do; keys are never made, changed or sent in the clear by it.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from drivers.device_urls import OptionValue, merged_options, split_url, tty_path
from drivers.errors import DeviceLost, Misconfigured
from drivers.osdp_packets import OsdpPackets
from drivers.presence import PresenceFilter
from drivers.protocols import CredentialRead, Info, Reader
from drivers.serial_frames import CardFrame
from drivers.serial_port import SerialPort, stable_tty_paths
from drivers.wiegand_bits import text_card, wiegand_card

FACTORY_KEY = bytes(range(0x30, 0x40))  # SCBK-D of the standard: everybody has it
KEY_BYTES = 16
ANSWER = 0x80  # this bit of an address says who speaks
LAST_ADDRESS = 0x7E  # 0x7F speaks to all
OPEN_WAIT_S = 3.0
STEP_S = 0.005
SILENT_S = 2.0  # the panel asks every 50 ms; libosdp itself would notice after 8 s
REPEAT_S = 1.0
WIEGAND, ASCII = 1, 2  # formats of a card read; 0 is unspecified bits
MAKE_A_KEY = "python3 -c 'import secrets; print(secrets.token_hex(16))'"


class OsdpReader(Reader):
    """One peripheral with its first reader. Secure Channel, or DeviceLost."""

    schemes = ("osdp",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"address": 0, "baud": 9600, "key": ""}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        self._settings = merged_options(where, options, defaults=self.option_defaults)
        self._address = int(str(self._settings["address"]))
        if not 0 <= self._address <= LAST_ADDRESS:
            raise Misconfigured(f"{url}: address={self._address} is no OSDP address; write 0 to {LAST_ADDRESS}")
        if not self._settings["key"]:
            raise Misconfigured(f"{url} names no key: add key=FILE with the reader's key in hex; make one with {MAKE_A_KEY}")
        self._port = SerialPort(tty_path(where), baud=int(str(self._settings["baud"])))
        self._line = _Line(self._port, self._address)
        self._panel: Any = None
        self._osdp: Any = None
        self._presence = PresenceFilter(absent_s=REPEAT_S)
        self._cancelled = threading.Event()

    @classmethod
    def discover(cls) -> Iterable[str]:
        """A serial adapter does not say what hangs on it: each is a candidate."""
        return [f"osdp:{path}" for path in stable_tty_paths()]

    def open(self) -> Info:
        self.close()
        key = read_key(Path(str(self._settings["key"])))
        self._osdp = _libosdp()
        self._port.open()
        self._line = _Line(self._port, self._address)
        self._presence = PresenceFilter(absent_s=REPEAT_S)
        self._cancelled.clear()
        flags = [self._osdp.LibFlag.EnforceSecure]
        about = self._osdp.PDInfo(self._address, _channel(self._osdp, self._line), scbk=key, flags=flags)
        self._panel = self._osdp.ControlPanel([about], log_level=self._osdp.LogLevel.Emergency)
        try:
            self._connect()
        except DeviceLost:
            self.close()
            raise
        return Info(model=self._model(), capabilities=frozenset({"number", "secure_channel"}))

    def close(self) -> None:
        self._panel = None  # libosdp forgets the session key with it
        self._port.close()

    def cancel(self) -> None:
        self._cancelled.set()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        deadline_s = time.monotonic() + timeout_s
        while True:
            reads = self._reads(self._step())
            left_s = deadline_s - time.monotonic()
            if reads or left_s <= 0 or self._cancelled.wait(min(STEP_S, left_s)):
                self._cancelled.clear()
                return reads

    def feedback(self, granted: bool) -> None:
        """Green and one short beep, or red and three; for a second, then the reader's own light again."""
        if self._panel is None:
            return
        osdp = self._osdp
        lamp = osdp.CommandLEDColor.Green if granted else osdp.CommandLEDColor.Red
        wanted = {
            osdp.Capability.LEDControl: {
                "command": osdp.Command.LED, "reader": 0, "led_number": 0, "temporary": True, "control_code": 2,
                "on_count": 10, "off_count": 0, "on_color": lamp, "off_color": lamp, "timer_count": 10,
            },
            osdp.Capability.AudibleControl: {
                "command": osdp.Command.Buzzer, "reader": 0, "control_code": 2,
                "on_count": 1, "off_count": 1, "rep_count": 1 if granted else 3,
            },
        }  # fmt: skip
        for capability, command in wanted.items():
            level, _ = self._panel.ctx.check_capability(0, capability)
            if level:
                self._panel.ctx.submit_command(0, command)

    def _connect(self) -> None:
        """Until the secure channel stands. Raises DeviceLost."""
        deadline_s = time.monotonic() + OPEN_WAIT_S
        while not self._panel.ctx.sc_status():
            if time.monotonic() > deadline_s:
                raise DeviceLost(self._why_not())
            self._line.move(self._panel)
            time.sleep(STEP_S)

    def _why_not(self) -> str:
        if self._line.heard_s is None:
            where = f"{self._port.path}: no OSDP reader answers at address {self._address} with {self._port.baud} baud"
            return f"{where}; check its power, A and B, address= and baud="
        return f"{self._port.path}: the OSDP reader answers, but not with our key; give it the key of {self._settings['key']}"

    def _step(self) -> list[CardFrame]:
        """One turn of the protocol: the cards that came with it. Raises DeviceLost."""
        if self._panel is None:
            raise DeviceLost(f"{self._port.path} is not open")
        self._line.move(self._panel)
        if not self._panel.ctx.sc_status() or self._line.silent_s() > SILENT_S:
            raise DeviceLost(f"{self._port.path}: the OSDP reader no longer answers; check its power and cable")
        found, events = list[CardFrame](), self._panel.event_queue[0]
        while not events.empty():
            event = events.get_nowait()
            card = card_of(event) if event["event"] == self._osdp.Event.CardRead else None
            if card is not None:
                found.append(card)
        return found

    def _reads(self, cards: Iterable[CardFrame]) -> list[CredentialRead]:
        now_s = time.monotonic()
        return [
            CredentialRead(device=self.name, scheme=card.scheme, value=card.value, read_mono_s=now_s)
            for card in cards
            if self._presence.is_new(card.value, now_s=now_s)
        ]

    def _model(self) -> str:
        said = self._panel.ctx.get_pd_id(0) or {}
        vendor, model = said.get("vendor_code", 0) & 0xFFFFFF, said.get("model", 0)
        return f"OSDP reader {vendor:06X}/{model} at address {self._address} on {self._port.path}"


class _Line:
    """The serial line as libosdp wants it: nothing may be raised into it, so what is lost is kept and raised outside."""

    def __init__(self, port: SerialPort, address: int) -> None:
        self._port = port
        self._answers_from = ANSWER | address
        self._packets = OsdpPackets()
        self._lost: DeviceLost | None = None
        self.heard_s: float | None = None  # time.monotonic() of the last whole answer

    def move(self, panel: Any) -> None:
        """One turn of libosdp. Raises DeviceLost when the line broke in it."""
        panel.ctx.refresh()
        if self._lost is not None:
            raise self._lost

    def silent_s(self) -> float:
        return time.monotonic() - self.heard_s if self.heard_s is not None else 0.0

    def read(self) -> bytes:
        """The answers that are whole now. Never waits: libosdp counts its time-outs in turns.

        Cheap adapters hear themselves: our own commands, and other readers', are no answers to us.
        """
        data = b""
        if self._lost is None:
            try:
                data = self._port.drain()
            except DeviceLost as lost:
                self._lost = lost
        answers = [one for one in self._packets.feed(data) if one[1] == self._answers_from]
        if answers:
            self.heard_s = time.monotonic()
        return b"".join(answers)

    def flush(self) -> None:
        """libosdp has given up waiting: what came of an answer belongs to nothing any more."""
        self.read()
        self._packets.reset()

    def write(self, data: bytes) -> int:
        if self._lost is None:
            try:
                self._port.write(bytes(data))
            except DeviceLost as lost:
                self._lost = lost
        return len(data)


def _channel(osdp: Any, line: _Line) -> Any:
    """`line` as a channel of libosdp. What does not fit into one read is kept for the next."""

    class LineChannel(osdp.Channel):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._kept = b""

        def read(self, max_bytes: int) -> bytes:
            data = self._kept + line.read()
            self._kept = data[max_bytes:]
            return data[:max_bytes]

        def write(self, buf: bytes) -> int:
            return line.write(buf)

        def flush(self) -> None:
            self._kept = b""
            line.flush()

    return LineChannel()


def card_of(event: dict[str, Any]) -> CardFrame | None:
    """The card in an event of libosdp; None when it is none."""
    data = bytes(event.get("data", b""))
    if event.get("format") == ASCII:
        return text_card(data)
    return wiegand_card(data, bits=int(event.get("length", 0)))


def read_key(path: Path) -> bytes:
    """The reader's key from its file. Raises Misconfigured when it is missing, open to others, or no good key."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            mode, text = os.fstat(handle).st_mode, file.read(4 * KEY_BYTES)
    except OSError as error:
        why = error.strerror or str(error)
        raise Misconfigured(f"{path}: the key of the OSDP reader cannot be read ({why}); make one with {MAKE_A_KEY}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Misconfigured(f"{path} is open to other users, and it opens the line to the reader: chmod 600 {path}")
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured(f"{path} holds no OSDP key: write 32 hex digits; make some with {MAKE_A_KEY}")
    if key == FACTORY_KEY or len(set(key)) == 1:
        raise Misconfigured(f"{path} holds a key that everybody knows: give the reader its own, made with {MAKE_A_KEY}")
    return key


def _libosdp() -> Any:
    try:
        import osdp
    except ImportError as error:
        raise Misconfigured("libosdp is not installed: install campus-kiosk[osdp]") from error
    return osdp
