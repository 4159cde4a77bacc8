"""A simulated NXP PN532 on a pseudo terminal, true enough for nfcpy's own PN532 driver.

Its frames are those of `pn532_frames`; a command that lacks bytes is answered with the chip's own error frame.
Physics: the chip keeps the speed that it was set to when the host dies, and wakes up at 115200 when it gets power.
Faults: `silence` (mute chip), `garble` (wrong checksums), `half_answers`, `slow`, `garbage`, `unplug`, `replug`.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import ClassVar

from drivers.simulated.pn532_frames import ACK, SYNTAX_ERROR, Pn532Frames, pn532_frame
from drivers.simulated.pty_device import PtyDevice
from drivers.simulated.pty_wire import PtyWire
from drivers.simulated.rf_cards import FelicaCard, RfCard, TypeACard, card_for

POWER_UP_BAUD = 115200
BAUD_BY_INDEX = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1288000)
HOLD_S = 1.0
TECHNOLOGY_BY_CODE = {0: "106A", 1: "212F", 2: "424F", 3: "106B", 4: "106J"}
NO_ANSWER = b"\x01"  # chip status: the card has not answered in time
CIU_FIFO_DATA, STILL_THE_REQUEST = 0x6339, 0x26

DIAGNOSE, FIRMWARE_VERSION, READ_REGISTER, WRITE_REGISTER = 0x00, 0x02, 0x06, 0x08
SERIAL_BAUD_RATE, PARAMETERS, SAM_CONFIGURATION, POWER_DOWN = 0x10, 0x12, 0x14, 0x16
RF_CONFIGURATION, DATA_EXCHANGE, COMMUNICATE_THRU, LIST_PASSIVE_TARGET, RELEASE = 0x32, 0x40, 0x42, 0x4A, 0x52
LEAST_DATA = {SERIAL_BAUD_RATE: 1, RF_CONFIGURATION: 2, DATA_EXCHANGE: 1, LIST_PASSIVE_TARGET: 2}  # bytes behind the code
MOST_ASKED_FOR = 16  # bytes of a card that a host may ask for by name


class SimulatedPn532(PtyDevice):
    """`tap(uid)` holds a card on the antenna until the chip has reported it; `place` and `remove` take their time."""

    noise: ClassVar[bytes] = b"\x55\x00\xff\x13\x37"  # belongs to no answer
    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "place", "remove", "garble", "half_answers", "garbage", "silence", "slow", "unplug", "replug",
    )  # fmt: skip

    def __init__(self, *, link: Path | None = None) -> None:
        self.read_count = 0
        self.answer_delay_s = 0.0
        self._card: RfCard | None = None
        self._selected: RfCard | None = None
        self._was_read = threading.Event()
        self._frames = Pn532Frames()
        self._garbled_left = 0
        self._halved_left = 0
        self.wire = PtyWire(baud=POWER_UP_BAUD, link=link, on_bytes=self._hear)

    @property
    def url(self) -> str:
        return f"nfc:pn532:{self.wire.path}"

    def place(self, card: str | RfCard) -> None:
        """Leave the card on the antenna."""
        self._was_read.clear()
        self._card = card_for(card)

    def remove(self) -> None:
        """Take the card away."""
        card, self._card = self._card, None
        if card is not None:
            card.power_down()

    def tap(self, card: str | RfCard, *, hold_s: float = HOLD_S) -> bool:
        """True when the chip reported the card before the hand was tired."""
        self.place(card)
        seen = self._was_read.wait(hold_s)
        self.remove()
        return seen

    def garble(self, answers: int) -> None:
        """The next answers carry a wrong checksum."""
        self._garbled_left = answers

    def half_answers(self, answers: int) -> None:
        """The next answers stop in the middle."""
        self._halved_left = answers

    def slow(self, answer_delay_s: float) -> None:
        """Wait so long before every answer."""
        self.answer_delay_s = answer_delay_s

    def replug(self) -> None:
        """Plug it in again."""
        if not self.wire.plugged:
            self.wire.baud, self.wire.next_baud = POWER_UP_BAUD, None
            self._frames.reset()
        self.wire.replug()

    def _hear(self, data: bytes) -> None:
        for payload in self._frames.feed(data):
            if payload:
                self._obey(payload)
            else:
                self._change_speed()

    def _change_speed(self) -> None:
        if self.wire.next_baud is not None:
            self.wire.baud, self.wire.next_baud = self.wire.next_baud, None

    def _obey(self, payload: bytes) -> None:
        if self.answer_delay_s:
            time.sleep(self.answer_delay_s)
        self.wire.send(ACK)
        answer = self.answer(payload)
        if answer is not None:
            self.wire.send(self._spoiled(answer))

    def answer(self, payload: bytes) -> bytes | None:
        """The frame that answers a command; None where the chip has none."""
        code, data = payload[1], payload[2:]
        if len(data) < LEAST_DATA.get(code, 0) or (code == SERIAL_BAUD_RATE and data[0] >= len(BAUD_BY_INDEX)):
            return SYNTAX_ERROR
        said = self._said(code, data)
        return pn532_frame(bytes([0xD5, code + 1 & 0xFF]) + said) if said is not None else None

    def _spoiled(self, frame: bytes) -> bytes:
        if self._garbled_left > 0:
            self._garbled_left -= 1
            return frame[:-2] + bytes([frame[-2] ^ 0xFF]) + frame[-1:]
        if self._halved_left > 0:
            self._halved_left -= 1
            return frame[: max(1, len(frame) // 4)]
        return frame

    def _said(self, code: int, data: bytes) -> bytes | None:
        if code == DIAGNOSE:
            return data
        if code == FIRMWARE_VERSION:
            return bytes.fromhex("32010607")
        if code == READ_REGISTER:
            return _registers(data)
        if code == SERIAL_BAUD_RATE:
            self.wire.next_baud = BAUD_BY_INDEX[data[0]]  # changes when the host has acknowledged the answer
            return b""
        if code == RF_CONFIGURATION and data[:1] == b"\x01" and not data[1] & 1 and self._card is not None:
            self._card.power_down()
        if code in (WRITE_REGISTER, PARAMETERS, SAM_CONFIGURATION, RF_CONFIGURATION):
            return b""
        if code in (POWER_DOWN, RELEASE):
            return b"\x00"
        if code == LIST_PASSIVE_TARGET:
            return self._list(TECHNOLOGY_BY_CODE.get(data[1], ""), data[2 : 2 + MOST_ASKED_FOR])
        if code in (DATA_EXCHANGE, COMMUNICATE_THRU):
            return self._exchange(data[1:] if code == DATA_EXCHANGE else data, through=code == COMMUNICATE_THRU)
        return None

    def _list(self, technology: str, asked_for: bytes) -> bytes:
        card = self._card
        if card is None or card.technology != technology:
            return b"\x00"
        if isinstance(card, TypeACard):
            if asked_for and not asked_for.endswith(card.uid):
                return b"\x00"
            found = bytes([card.atqa[1], card.atqa[0], card.sak, len(card.uid)]) + card.uid
        elif isinstance(card, FelicaCard):
            said = card.answer(bytes([len(asked_for) + 1]) + asked_for)
            if said is None:
                return b"\x00"
            found = said
        else:
            return b"\x00"
        self._selected = card
        self.read_count += 1
        self._was_read.set()
        return b"\x01\x01" + found

    def _exchange(self, frame: bytes, *, through: bool) -> bytes:
        card = self._card
        if card is None or card is not self._selected:
            return NO_ANSWER
        said = card.answer_selected(frame) if isinstance(card, TypeACard) else card.answer(frame)
        if said is None:
            return NO_ANSWER
        is_type2 = isinstance(card, TypeACard) and card.sak & 0x60 == 0
        if through and is_type2 and len(said) > 1:
            said += _crc_a(said)  # nfcpy switches the chip's own check off for type 2 cards, and does it itself
        return b"\x00" + said


def _registers(addresses: bytes) -> bytes:
    """Two bytes an address. The FIFO still holds the request: that is how nfcpy knows that no card answered."""
    asked = (addresses[at] << 8 | addresses[at + 1] for at in range(0, len(addresses) - 1, 2))
    return bytes(STILL_THE_REQUEST if address == CIU_FIFO_DATA else 0 for address in asked)


def _crc_a(data: bytes) -> bytes:
    """ISO 14443-3 CRC_A."""
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte = (byte ^ (byte << 4)) & 0xFF
        crc = (crc >> 8) ^ (byte << 8) ^ (byte << 3) ^ (byte >> 4)
    return bytes([crc & 0xFF, crc >> 8 & 0xFF])
