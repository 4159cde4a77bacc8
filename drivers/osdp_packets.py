"""OSDP packets out of a stream of bytes. Pure parser: `feed(bytes)` gives whole packets whose check sum is right.

libosdp 3.2.9 understands a packet only when it comes in one read: measured, it forgets the first part of one that comes
in two, and a serial line at 9600 baud delivers every packet in several. So packets are put together here, and libosdp is
given whole ones. What a packet says, its sequence and its secrecy are libosdp's business, not this module's.

A packet: 53, address (bit 7 set in an answer), length (2 bytes, low first), control, ..., CRC-16 (2 bytes, low first)
when bit 2 of control is set, otherwise one byte that makes the sum 0 (IEC 60839-11-5).
"""

from __future__ import annotations

import binascii

from drivers.serial_frames import NOT_A_FRAME, FrameParser

MAX_PACKET_BYTES = 1440  # the longest that the standard knows
SHORTEST = 7  # a code and a check sum behind the header
HEADER_BYTES = 5
USES_CRC = 0x04
CRC_START = 0x1D0F


class OsdpPackets(FrameParser[bytes]):
    """Commands and answers alike. Marking bytes (FF) and noise between packets are dropped."""

    start = b"\x53"

    def _measure(self, buffer: bytearray) -> int | None:
        if len(buffer) < HEADER_BYTES:
            return None
        length = buffer[2] | buffer[3] << 8
        if not SHORTEST <= length <= MAX_PACKET_BYTES:
            return NOT_A_FRAME
        return length if len(buffer) >= length else None

    def _decode(self, frame: bytes) -> bytes | None:
        return frame if is_whole(frame) else None


def is_whole(packet: bytes) -> bool:
    """Whether the check sum of one packet is right."""
    if packet[4] & USES_CRC:
        return binascii.crc_hqx(packet[:-2], CRC_START) == int.from_bytes(packet[-2:], "little")
    return sum(packet) & 0xFF == 0


def packet(body: bytes, *, address: int, control: int = USES_CRC) -> bytes:
    """`body` (a code and its data) as one packet, with the check sum that `control` asks for."""
    length = HEADER_BYTES + len(body) + (2 if control & USES_CRC else 1)
    head = b"\x53" + bytes([address]) + length.to_bytes(2, "little") + bytes([control]) + body
    if control & USES_CRC:
        return head + binascii.crc_hqx(head, CRC_START).to_bytes(2, "little")
    return head + bytes([-sum(head) & 0xFF])
