"""A simulated UHF reader of the R2000 family on a pseudo terminal. It speaks only when asked, and hears every tag in its field.

Physics: several tags are heard in one round, each at its own strength; a round is ended by its own frame. Faults: no antenna,
half and garbled answers, noise, silence, a slow line, the plug.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import ClassVar

from drivers.simulated.pty_device import PtyDevice
from drivers.simulated.pty_wire import PtyWire
from drivers.uhf_frames import (
    ANTENNA_MISSING,
    ANY_ADDRESS,
    EPC_BYTES,
    GET_FIRMWARE,
    INVENTORY,
    UhfFrame,
    UhfFrames,
    tag_data,
    uhf_frame,
)

BAUD = 115_200
HOLD_S = 1.5  # how long somebody walks through the field
FIRMWARE = b"\x03\x07"
NEAR_DBM = -50


class SimulatedUhfReader(PtyDevice):
    noise: ClassVar[bytes] = bytes(range(0x80, 0xA0)) + b"\xa0\xff\x01\x89" + b"\xa0\x04\x01\x89\x00\x00"
    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "place", "remove", "antenna", "half_frame", "garbage", "silence", "slow", "unplug", "replug",
    )  # fmt: skip

    def __init__(self, *, link: Path | None = None, address: int = 1) -> None:
        self._address = address
        self._tags: dict[str, int] = {}
        self._lock = threading.Lock()
        self._was_heard = threading.Event()
        self._has_antenna = True
        self._halved_left = 0
        self.rounds = 0  # inventories that were asked for
        self._hearing = UhfFrames()
        self.wire = PtyWire(baud=BAUD, link=link, on_bytes=self._hear)

    @property
    def url(self) -> str:
        return f"uhf:{self.wire.path}"

    def tap(self, epc: str, *, hold_s: float = HOLD_S) -> bool:
        """Walk through the field with a tag. True when the reader told somebody of it."""
        self._was_heard.clear()
        self.place(epc)
        heard = self._was_heard.wait(hold_s)
        with self._lock:
            self._tags.pop(epc, None)
        return heard

    def place(self, epc: str, *, rssi_dbm: int = NEAR_DBM) -> None:
        """A tag stays in the field, beside those that are there, heard so strongly."""
        if len(bytes.fromhex(epc)) != EPC_BYTES:
            raise ValueError(f"an EPC has {2 * EPC_BYTES} hex digits")
        with self._lock:
            self._tags[epc] = rssi_dbm

    def remove(self) -> None:
        """Every tag leaves."""
        with self._lock:
            self._tags.clear()

    def antenna(self, connected: bool) -> None:
        """Its cable is screwed on, or not."""
        self._has_antenna = connected

    def half_frame(self, answers: int = 1) -> None:
        """The next answers break off in the middle."""
        self._halved_left = answers

    def _hear(self, data: bytes) -> None:
        for question in self._hearing.feed(data):
            if question.address in (self._address, ANY_ADDRESS):
                self._answer(question)

    def _answer(self, question: UhfFrame) -> None:
        self.rounds += question.command == INVENTORY
        if question.command == GET_FIRMWARE:
            self._say(GET_FIRMWARE, FIRMWARE)
        elif question.command == INVENTORY and not self._has_antenna:
            self._say(INVENTORY, bytes([ANTENNA_MISSING]))
        elif question.command == INVENTORY:
            with self._lock:
                tags = dict(self._tags)
            for epc, rssi_dbm in tags.items():
                self._say(INVENTORY, tag_data(epc, rssi_dbm=rssi_dbm))
            self._say(INVENTORY, b"\x00\x00\x00" + len(tags).to_bytes(4, "big"))
            if tags:
                self._was_heard.set()

    def _say(self, command: int, data: bytes) -> None:
        frame = uhf_frame(command, data, address=self._address)
        if self._halved_left > 0:
            self._halved_left -= 1
            frame = frame[: len(frame) // 2]
        self.wire.send(frame)
