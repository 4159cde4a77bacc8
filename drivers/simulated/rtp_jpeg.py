"""JPEG pictures as RTP packets (RFC 2435), for a simulated RTSP camera. Pure: a picture in, packets out.

Only what a camera needs: baseline JPEG in 4:2:0 or 4:2:2 with the standard Huffman tables, its quantisation tables sent
along. It receives nothing and keeps no time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PAYLOAD_TYPE = 26
CLOCK_HZ = 90_000
FRAGMENT_BYTES = 1400
TABLES_ALONG = 255  # instead of a quality: the tables are in the first packet of each picture
TYPE_BY_SAMPLING = {0x21: 0, 0x22: 1}  # of the luma component: 4:2:2, 4:2:0
SOF0, SOS, DQT, EOI = 0xC0, 0xDA, 0xDB, b"\xff\xd9"
TABLE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Scan:
    """A JPEG without what every receiver has already."""

    kind: int
    width_px: int
    height_px: int
    tables: bytes
    data: bytes


def scan_of(jpeg: bytes) -> Scan:
    """Raises ValueError for a JPEG of another kind, or for none."""
    tables, frame = dict[int, bytes](), b""
    for marker, body, after in _segments(jpeg):
        if marker == DQT:
            for at in range(0, len(body), TABLE_BYTES + 1):
                tables[body[at] & 0x0F] = body[at + 1 : at + 1 + TABLE_BYTES]
        elif marker == SOF0:
            frame = body
        elif marker == SOS:
            height_px, width_px = struct.unpack(">HH", frame[1:5])
            kind = TYPE_BY_SAMPLING.get(frame[7])
            if kind is None or len(tables) != 2:
                raise ValueError("no picture that RFC 2435 can carry")
            return Scan(kind, width_px, height_px, tables[0] + tables[1], jpeg[after:].removesuffix(EOI))
    raise ValueError("no baseline JPEG")


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes, int]]:
    """(marker, its body, where what follows begins), up to the first scan."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        after = at + 2 + length
        yield marker, jpeg[at + 4 : after], after
        at = after


def packets(jpeg: bytes, *, first_number: int, timestamp: int, source: int) -> Iterator[bytes]:
    """RTP packets of one picture, numbered from `first_number`; the last one carries the marker. Raises ValueError."""
    scan = scan_of(jpeg)
    about = bytes([scan.kind, TABLES_ALONG, scan.width_px // 8, scan.height_px // 8])
    for count, at in enumerate(range(0, len(scan.data), FRAGMENT_BYTES)):
        is_last = at + FRAGMENT_BYTES >= len(scan.data)
        number, marked = (first_number + count) & 0xFFFF, is_last << 7 | PAYLOAD_TYPE
        head = struct.pack(">BBHII", 0x80, marked, number, timestamp & 0xFFFFFFFF, source)
        tables = struct.pack(">BBH", 0, 0, len(scan.tables)) + scan.tables if at == 0 else b""
        yield head + struct.pack(">I", at) + about + tables + scan.data[at : at + FRAGMENT_BYTES]
