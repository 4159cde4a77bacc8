"""Keyboard wedges and the alert stream of terminals under fire: what arrives as events and as parts of an endless body."""

from __future__ import annotations

import json
from random import Random

from drivers.input_events import EVENT, MAX_SCAN_CHARACTERS, WedgeScans
from drivers.isapi_parts import MAX_HEAD_BYTES, MAX_PART_BYTES, Part, PartStream
from drivers.serial_frames import CardFrame
from tests.fuzz.wire import DIGITS, HEX, Wire, text_of

SCAN_EVERY_S = 2
ENTER, LEFT_SHIFT = 28, 42
KEYS = {character: (2 + at, False) for at, character in enumerate("1234567890")}
KEYS |= {"a": (30, False), "A": (30, True), "z": (44, False), "P": (25, True), ".": (52, False), "|": (43, True), "+": (13, True)}
BOUNDARY = b"MIME_boundary"


def _typed(text: str, number: int) -> bytes:
    """As a keyboard without scan codes types it, a key every 4 ms, Enter at the end; written without the product's own maker."""
    at_us, events = (1_700_000_000 + number * SCAN_EVERY_S) * 1_000_000, bytearray()
    for key, shifted in [*(KEYS[character] for character in text), (ENTER, False)]:
        strokes = [(LEFT_SHIFT, 1), (key, 1), (key, 0), (LEFT_SHIFT, 0)] if shifted else [(key, 1), (key, 0)]
        seconds, micros = divmod(at_us, 1_000_000)
        for code, value in strokes:
            events += EVENT.pack(seconds, micros, 1, code, value) + EVENT.pack(seconds, micros, 0, 0, 0)
        at_us += 4_000
    return bytes(events)


def _scan(random: Random, number: int) -> tuple[bytes, object]:
    value = text_of(random, DIGITS, random.choice((4, 5, 8)))
    return _typed(value, number), CardFrame("number", value)


def _code(random: Random, number: int) -> tuple[bytes, object]:
    value = text_of(random, "".join(KEYS), random.randrange(4, 7))
    return _typed(value, number), CardFrame("qr", value)


def _no_events(random: Random) -> bytes:
    """Bytes of which no stretch is an event, also together with the first bytes of a good one."""
    return random.randbytes(random.randrange(1, 60)).translate(bytes(byte | 0x80 for byte in range(256)))


def _part(random: Random, number: int) -> tuple[bytes, object]:
    told = {"serialNo": random.randrange(10**6), "cardNo": text_of(random, HEX, 8), "name": "张三"}
    body = json.dumps({"AccessControllerEvent": told}, ensure_ascii=random.random() < 0.5).encode()
    kind = random.choice(("application/json", 'application/json; charset="utf-8"'))
    size = b"Content-Length: %d\r\n" % len(body) if random.random() < 0.7 else b""
    return b"--%s\r\nContent-Type: %s\r\n%s\r\n%s\r\n" % (BOUNDARY, kind.encode(), size, body), Part(kind, body)


def _picture(random: Random) -> bytes:
    picture = b"\xff\xd8" + random.randbytes(random.randrange(200)) + b"\xff\xd9"
    return b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (BOUNDARY, len(picture), picture)


TYPED: dict[str, Wire] = {
    "wedge-number": Wire(
        parser=lambda: WedgeScans(scheme="number"), frame=_scan, harmless=_no_events, bound=MAX_SCAN_CHARACTERS + EVENT.size,
        promise="noise between two scans; noise within a scan spoils that scan, because half a number may be another card",
        tail=b"", every_byte=0.02, marks=(bytes(8), EVENT.pack(1, 0, 0, 3, 0)),
    ),
    "wedge-qr": Wire(
        parser=lambda: WedgeScans(scheme="qr"), frame=_code, harmless=_no_events, bound=MAX_SCAN_CHARACTERS + EVENT.size,
        promise="noise between two scans; noise within a scan spoils that scan",
        tail=b"", every_byte=0.02, marks=(bytes(8), EVENT.pack(1, 0, 0, 3, 0)),
    ),
    "isapi-parts": Wire(
        parser=lambda: PartStream(BOUNDARY), frame=_part, harmless=_picture, bound=MAX_PART_BYTES + 2 * MAX_HEAD_BYTES,
        promise="pictures between two parts; a part that lies about its length ends at the next boundary",
        tail=b"--" + BOUNDARY + b"--\r\n", every_byte=0.05,
        marks=(b"--" + BOUNDARY, b"\r\n\r\n", b"Content-Length: 70000\r\n", b"image/"),
    ),
}  # fmt: skip
