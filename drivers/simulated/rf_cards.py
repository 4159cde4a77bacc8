"""Cards as an RF field sees them: how each answers when it is called, selected and asked.

Shared by the simulated PN532 and by the simulated field of nfcpy's udp device, so that a card behaves alike in both.
A card here answers frames; it knows no reader, no port and no clock.
"""

from __future__ import annotations

import hashlib
from functools import reduce
from operator import xor
from typing import Protocol

NFC_FORUM_APPLICATION = bytes.fromhex("D2760000850101")
CAPABILITY_FILE, NDEF_FILE = 0xE103, 0xE104
OK, NOT_FOUND, NOT_SUPPORTED = b"\x90\x00", b"\x6a\x82", b"\x6d\x00"
CASCADE_TAG = b"\x88"
URI_HTTPS = 4


class RfCard(Protocol):
    technology: str

    def answer(self, frame: bytes) -> bytes | None:
        """None: the card stays mute, as a real one does for what it does not understand."""

    def power_down(self) -> None:
        """The field went off."""


class TypeACard:
    """ISO 14443-3 type A: call, anticollision over one to three cascade levels, then what the subclass answers."""

    technology = "106A"
    sak = 0x00

    def __init__(self, uid: str, *, atqa: bytes | None = None) -> None:
        self.uid = bytes.fromhex(uid)
        assert len(self.uid) in (4, 7, 10), f"a UID has 4, 7 or 10 bytes, {uid!r} has {len(self.uid)}"
        self.atqa = atqa or bytes.fromhex("0400" if len(self.uid) == 4 else "4400")

    def answer(self, frame: bytes) -> bytes | None:
        if frame in (b"\x26", b"\x52"):  # REQA, WUPA
            return self.atqa
        levels = self._cascade_levels()
        for at, (select, level) in enumerate(zip(b"\x93\x95\x97", levels, strict=False)):
            if frame == bytes([select, 0x20]):
                return level
            if frame == bytes([select, 0x70]) + level:
                more = 0x04 if at + 1 < len(levels) else 0x00
                return bytes([self.sak | more])
        return self.answer_selected(frame)

    def answer_selected(self, frame: bytes) -> bytes | None:
        return None

    def power_down(self) -> None:
        return None

    def _cascade_levels(self) -> list[bytes]:
        """Each level is four bytes and their XOR; a cascade tag says that another level follows."""
        rest, levels = self.uid, []
        while len(rest) > 4:
            levels.append(CASCADE_TAG + rest[:3])
            rest = rest[3:]
        levels.append(rest)
        return [level + bytes([reduce(xor, level)]) for level in levels]


class ClassicCard(TypeACard):
    """MIFARE Classic S50, the "IC/M1 card" of most schools. Its UID is all that is read here."""

    sak = 0x08


class PhoneCard(TypeACard):
    """A phone: a new random UID, first byte 08, each time the field comes up."""

    sak = 0x20

    def __init__(self, seed: int = 1) -> None:
        self._seed, self._activations = seed, 0
        super().__init__(self._next_uid())

    def power_down(self) -> None:
        self.uid = bytes.fromhex(self._next_uid())

    def _next_uid(self) -> str:
        self._activations += 1
        digest = hashlib.sha256(f"{self._seed}:{self._activations}".encode()).hexdigest()
        return "08" + digest[:6].upper()


class NtagCard(TypeACard):
    """NTAG213: type 2 memory with one link in it. It answers READ, FAST_READ and GET_VERSION."""

    def __init__(self, uid: str, *, url: str = "school.example/t") -> None:
        super().__init__(uid)
        assert len(self.uid) == 7, "an NTAG has a UID of 7 bytes"
        head, tail = self.uid[:3], self.uid[3:]
        message = ndef_link(url)
        memory = bytearray(45 * 4)
        memory[0:9] = head + bytes([reduce(xor, CASCADE_TAG + head)]) + tail + bytes([reduce(xor, tail)])
        memory[9:16] = bytes.fromhex("480000E1101200")  # internal, lock bytes, capability container: 144 bytes
        memory[16 : 19 + len(message)] = bytes([0x03, len(message)]) + message + b"\xfe"
        self.memory = bytes(memory)

    def answer_selected(self, frame: bytes) -> bytes | None:
        if len(frame) >= 2 and frame[0] == 0x30 and frame[1] * 4 < len(self.memory):
            return (self.memory * 2)[frame[1] * 4 : frame[1] * 4 + 16]
        if len(frame) >= 3 and frame[0] == 0x3A:
            return self.memory[frame[1] * 4 : (frame[2] + 1) * 4]
        if frame[:1] == b"\x60":
            return bytes.fromhex("0004040201000F03")
        return None


class Type4Card(TypeACard):
    """ISO 14443-4 with the NFC Forum application: DESFire, NTAG 424, CPU cards. One link can be read from it."""

    sak = 0x20

    def __init__(self, uid: str, *, url: str = "school.example/t") -> None:
        super().__init__(uid, atqa=bytes.fromhex("4403"))
        message = ndef_link(url)
        self.files = {
            CAPABILITY_FILE: bytes.fromhex("000F20003B00340406E10400FF00FF"),
            NDEF_FILE: len(message).to_bytes(2, "big") + message,
        }
        self._selected: int | None = None

    def power_down(self) -> None:
        self._selected = None

    def answer_selected(self, frame: bytes) -> bytes | None:
        first = frame[0] if frame else 0
        if first == 0xE0:  # RATS
            return bytes.fromhex("067777710280")
        if first & 0xF7 == 0xC2:  # S(DESELECT)
            return frame[:1]
        if first & 0xF6 == 0xB2:  # R(NAK): is the card still there
            return bytes([0xA2 | (first & 1)])
        if first & 0xE2 == 0x02:  # I-block
            return bytes([first & 0x03]) + self.answer_apdu(frame[1:])
        return None

    def answer_apdu(self, apdu: bytes) -> bytes:
        if apdu[:4] == bytes.fromhex("00A40400") and len(apdu) > 5:
            return OK if apdu[5 : 5 + apdu[4]] == NFC_FORUM_APPLICATION else NOT_FOUND
        if apdu[:4] == bytes.fromhex("00A4000C"):
            self._selected = int.from_bytes(apdu[5:7], "big")
            return OK if self._selected in self.files else NOT_FOUND
        if apdu[:2] == b"\x00\xb0" and len(apdu) >= 5 and self._selected in self.files:
            offset = int.from_bytes(apdu[2:4], "big")
            return self.files[self._selected][offset : offset + (apdu[4] or 256)] + OK
        return NOT_SUPPORTED


class FelicaCard:
    """FeliCa: answers polling with its IDm."""

    technology = "212F"
    _polling_request_length = 6

    def __init__(self, idm: str, *, pmm: bytes = b"\xff" * 8, system: bytes = b"\x88\xb4") -> None:
        self.idm, self.pmm, self.system = bytes.fromhex(idm), pmm, system
        assert len(self.idm) == 8, f"an IDm has 8 bytes, {idm!r} has {len(self.idm)}"

    def answer(self, frame: bytes) -> bytes | None:
        is_polling = len(frame) == self._polling_request_length and frame[:2] == b"\x06\x00"
        if is_polling and frame[2:4] in (b"\xff\xff", self.system):
            said = b"\x01" + self.idm + self.pmm + (self.system if frame[4] == 1 else b"")
            return bytes([len(said) + 1]) + said
        if len(frame) >= 10 and frame[1] == 0x04 and frame[2:10] == self.idm:  # Request Response
            return bytes([11, 5]) + self.idm + b"\x00"
        return None

    def power_down(self) -> None:
        return None


def card_for(value: str | RfCard) -> RfCard:
    """The usual card with this UID: 4 bytes Classic, 7 bytes NTAG, 8 bytes FeliCa, 10 bytes type 4."""
    if not isinstance(value, str):
        return value
    usual = {8: ClassicCard, 14: NtagCard, 16: FelicaCard, 20: Type4Card}
    if len(value) not in usual:
        raise ValueError(f"{value!r} is no UID: write 8, 14, 16 or 20 hex digits")
    card: RfCard = usual[len(value)](value)
    return card


def ndef_link(address: str) -> bytes:
    """One short NDEF record with an https link."""
    payload = bytes([URI_HTTPS]) + address.encode("ascii")
    return bytes([0xD1, 0x01, len(payload)]) + b"U" + payload
