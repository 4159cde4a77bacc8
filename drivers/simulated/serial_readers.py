"""Simulated serial card readers and scanners: RDM6300, STX/LRC, 7941W and text lines, each on its own pseudo terminal.

`tap(value)` is a card that comes, is read and goes. Physics: an RDM6300 repeats its frame while the tag stays; a 7941
says nothing unless asked; a scanner reads a code once. Faults: `half_frame`, `finish_frame`, `garbage`, `bounce`,
`silence`, `slow`, `unplug`, `replug`.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import ClassVar, Literal

from drivers.serial_frames import (
    CARD_UID_LENGTHS,
    M7941Command,
    M7941CommandFrames,
    m7941_answer,
    rdm6300_frame,
    stx_lrc_frame,
)
from drivers.simulated.pty_device import PtyDevice
from drivers.simulated.pty_wire import PtyWire

Protocol = Literal["rdm6300", "stxlrc", "m7941", "lines"]
BAUD = 9600
REPEAT_S = 0.065  # measured on RDM6300 modules
HOLD_S = 1.0


class SimulatedSerialReader(PtyDevice):
    """`protocol` decides the frames; `link` is the stable path, as in /dev/serial/by-id."""

    noise: ClassVar[bytes] = bytes(range(0x80, 0x9F)) + b"\x02zz\x03\xff\xab\xcd\x0d"
    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "place", "remove", "bounce", "half_frame", "finish_frame", "garbage", "silence", "slow", "unplug", "replug",
    )  # fmt: skip
    _suffixes: ClassVar[dict[str, bytes]] = {"cr": b"\r", "crlf": b"\r\n", "none": b""}

    def __init__(self, protocol: Protocol, *, link: Path | None = None, suffix: str = "crlf", encoding: str = "utf-8") -> None:
        self.protocol = protocol
        self._suffix, self._encoding = self._suffixes[suffix], encoding
        self._lying: str | None = None
        self._kept_half = b""
        self._commands = M7941CommandFrames()
        self._was_read = threading.Event()
        self.wire = PtyWire(baud=BAUD, link=link, on_bytes=self._hear, on_tick=self._repeat, tick_s=REPEAT_S)

    @property
    def url(self) -> str:
        return f"{self.protocol}:{self.wire.path}"

    def tap(self, value: str, *, hold_s: float = HOLD_S) -> bool:
        """True when the value went out on the wire. A 7941 must be asked within `hold_s`."""
        if self.protocol != "m7941":
            self.wire.send(self.frame(value))
            return self.wire.plugged
        self.place(value)
        asked = self._was_read.wait(hold_s)
        self.remove()
        return asked

    def bounce(self, value: str, *, times: int = 3) -> None:
        """A shaky hand: the same frame several times in a row."""
        for _ in range(times):
            self.wire.send(self.frame(value))

    def place(self, value: str) -> None:
        """Leave the card on the reader."""
        self._was_read.clear()
        self._lying = value
        if self.protocol in ("stxlrc", "lines"):  # these speak once for each card
            self.wire.send(self.frame(value))

    def remove(self) -> None:
        """Take the card away."""
        self._lying = None

    def half_frame(self, value: str) -> None:
        """The first half of a frame; the rest comes with `finish_frame`, or never."""
        frame = self.frame(value)
        cut = len(frame) // 2
        self._kept_half = frame[cut:]
        self.wire.send(frame[:cut])

    def finish_frame(self) -> None:
        """The rest of the half frame."""
        rest, self._kept_half = self._kept_half, b""
        self.wire.send(rest)

    def frame(self, value: str) -> bytes:
        """The bytes that this device sends for `value`."""
        if self.protocol == "rdm6300":
            return rdm6300_frame(value)
        if self.protocol == "stxlrc":
            return stx_lrc_frame(value)
        if self.protocol == "m7941":
            return m7941_answer(bytes.fromhex(value))
        return value.encode(self._encoding) + self._suffix

    def _repeat(self) -> None:
        lying = self._lying
        if lying is not None and self.protocol == "rdm6300":
            self.wire.send(self.frame(lying))

    def _hear(self, data: bytes) -> None:
        if self.protocol == "m7941":
            for command in self._commands.feed(data):
                self._answer(command)

    def _answer(self, command: M7941Command) -> None:
        lying = self._lying
        if lying is None or not _answers(command.code, lying):
            self.wire.send(m7941_answer(b"", ok=False, address=command.address))
            return
        self.wire.send(m7941_answer(bytes.fromhex(lying), address=command.address))
        self._was_read.set()


def _answers(code: int, card: str) -> bool:
    """Command 10 finds 13.56 MHz cards, 15 finds 125 kHz tags."""
    is_uid = len(card) // 2 in CARD_UID_LENGTHS
    return is_uid if code == 0x10 else code == 0x15 and not is_uid
