"""What UHF readers of the R2000 family say (YR9xx and the many that speak alike), both directions. Pure; knows no port.

A frame: A0, length of what follows, address, command, data, check; the check makes the sum of all bytes 0. One inventory is
asked for with 89 and answered by a frame for every tag that was heard, then by one that ends the round, or by an error.

Where the shapes come from: "UHF RFID Reader Serial Interface Protocol V3.7", 1 and 2.2.1, which the makers publish with their
readers. A parser holds at most `MAX_UHF_BYTES` between two calls and never raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.serial_frames import NOT_A_FRAME, FrameParser

HEAD: Final = 0xA0
GET_FIRMWARE, SET_ANTENNA, INVENTORY = 0x72, 0x74, 0x89
ANY_ADDRESS = 0xFF
SHORTEST = 3  # address, command, check
MAX_UHF_BYTES = 64  # no frame that is asked for here is longer
EPC_BYTES = 12  # EPC-96: what tags in pupils' cards and satchels carry
END_BYTES = 7  # antenna, tags a second, tags in all
PC_WORDS_SHIFT = 11  # the upper five bits of the protocol control say how many words the EPC has
RSSI_OFFSET_DBM = -129  # the reader sends the strength as a number from 31 to 98

ANTENNA_MISSING = 0x22
ERRORS: Final = {
    0x11: "the command failed", 0x20: "its CPU was reset", 0x21: "its carrier cannot be switched on",
    ANTENNA_MISSING: "no antenna is connected", 0x36: "no tag", 0x41: "a parameter is out of range",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UhfFrame:
    address: int
    command: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag that was heard. `antenna` counts from 1."""

    epc: str
    antenna: int
    rssi_dbm: int


class UhfFrames(FrameParser[UhfFrame]):
    start = bytes([HEAD])

    def _measure(self, buffer: bytearray) -> int | None:
        if len(buffer) < 2:
            return None
        length = 2 + buffer[1]
        if not 2 + SHORTEST <= length <= MAX_UHF_BYTES:
            return NOT_A_FRAME
        return length if len(buffer) >= length else None

    def _decode(self, frame: bytes) -> UhfFrame | None:
        return UhfFrame(frame[2], frame[3], frame[4:-1]) if sum(frame) & 0xFF == 0 else None


def uhf_frame(command: int, data: bytes = b"", *, address: int = 1) -> bytes:
    head = bytes([HEAD, SHORTEST + len(data), address, command]) + data
    return head + bytes([-sum(head) & 0xFF])


def tag_of(frame: UhfFrame) -> Tag | None:
    """The tag in an answer to an inventory; None for anything else, and for a tag whose EPC is not of 96 bits."""
    if frame.command != INVENTORY or len(frame.data) != 4 + EPC_BYTES:
        return None
    place, control, epc, rssi = frame.data[0], frame.data[1:3], frame.data[3:-1], frame.data[-1]
    if control[0] >> 3 != EPC_BYTES // 2:
        return None
    return Tag(epc.hex().upper(), (place & 0x03) + 1, (rssi & 0x7F) + RSSI_OFFSET_DBM)


def tag_data(epc: str, *, antenna: int = 1, rssi_dbm: int = -60) -> bytes:
    """The other way: what a reader sends for a tag."""
    control = (EPC_BYTES // 2) << PC_WORDS_SHIFT
    return bytes([antenna - 1]) + control.to_bytes(2, "big") + bytes.fromhex(epc) + bytes([rssi_dbm - RSSI_OFFSET_DBM])


def ends_round(frame: UhfFrame) -> bool:
    return frame.command == INVENTORY and len(frame.data) == END_BYTES


def error_of(frame: UhfFrame) -> int:
    """The error that ended a round; 0 when there was none."""
    return frame.data[0] if frame.command == INVENTORY and len(frame.data) == 1 else 0
