"""The size of a JPEG from its first bytes, before anybody decodes it: a few bytes may claim a picture of gigabytes.

Pure: knows no camera and decodes nothing.
"""

from __future__ import annotations

START = b"\xff\xd8"
NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})  # markers that stand alone
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame, of every process
SCAN, END = 0xDA, 0xD9


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels; None for what is no JPEG or says no size before its first scan."""
    if not data.startswith(START):
        return None
    at = len(START)
    while at + 1 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in (SCAN, END):
            return None
        if marker in NO_LENGTH:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 4 > len(data):
            return None
        if marker in FRAMES:
            return _size(data[at + 4 : at + 2 + length])
        at += 2 + length
    return None


def _size(frame: bytes) -> tuple[int, int] | None:
    """Precision, height, width, ..."""
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return (width, height) if len(frame) >= 5 and width and height else None
