"""The link in an NFC Forum type 4 card, read with as few commands as possible: a hand is holding the card.

Pure but for `send`, which carries one command to the card. It knows the two chips that sign a link, reads one record, keeps
nothing, and believes nothing that the link says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

Send = Callable[[int, int, int, int, bytes | None, int], bytes]  # CLA, INS, P1, P2, data, Le -> answer; raises for any "no"

NDEF_APPLICATION: Final = bytes.fromhex("D2760000850101")
NDEF_FILE: Final = bytes.fromhex("E104")  # where NTAG 424 DNA and the usual type 4 cards have it
LONGEST_MESSAGE: Final = 256  # the NDEF file of an NTAG 424 DNA
FIRST_READ: Final = 128  # one command for every usual link; the card counts at the first read of a session only
TIME_BUDGET_S: Final = 0.25
PREFIXES: Final = {0: "", 1: "http://www.", 2: "https://www.", 3: "http://", 4: "https://"}
_SHORT_URI_RECORD, _TYPE_U = 0xD1, b"U"


def may_sign(uid: str) -> bool:
    """Whether a UID may be that of an NTAG 424 DNA (or DESFire EV3): NXP's, or a random one."""
    return (len(uid) == 14 and uid.startswith("04")) or (len(uid) == 8 and uid.startswith("08"))


def may_sign_type_a(atqa: str, sak: str, uid: str) -> bool:
    """The same, where the reader also says what kind of card answered: ISO 14443-4."""
    try:
        layer_4 = int(sak, 16) & 0x20
    except ValueError:
        return False
    return bool(layer_4) and atqa in ("4403", "0403") and may_sign(uid)


def apdu(cla: int, ins: int, p1: int, p2: int, data: bytes | None, le: int) -> bytes:
    """A short command as ISO 7816-4 writes it. Le 256 is written as 0, none is left out."""
    body = bytes([len(data)]) + data if data else b""
    return bytes([cla, ins, p1, p2]) + body + (bytes([le & 0xFF]) if le else b"")


def link_from(send: Send, *, budget_s: float = TIME_BUDGET_S) -> str:
    """ "" where the card has no link, or where reading it takes longer than a hand waits. Raises what `send` raises."""
    late_s = time.monotonic() + budget_s
    send(0x00, 0xA4, 0x04, 0x00, NDEF_APPLICATION, 256)
    send(0x00, 0xA4, 0x00, 0x0C, NDEF_FILE, 0)
    data = send(0x00, 0xB0, 0x00, 0x00, None, FIRST_READ)
    wanted = int.from_bytes(data[:2], "big") + 2
    while len(data) < wanted <= LONGEST_MESSAGE and time.monotonic() < late_s:
        more = send(0x00, 0xB0, len(data) >> 8, len(data) & 0xFF, None, min(wanted - len(data), FIRST_READ))
        if not more:
            break
        data += more
    return link_in(data[2:wanted]) if len(data) >= wanted else ""


def link_in(message: bytes) -> str:
    """The link of a message that is one short URI record, as it was written; "" for every other."""
    if len(message) < 5 or message[0] != _SHORT_URI_RECORD or message[1] != 1 or message[3:4] != _TYPE_U:
        return ""
    payload = message[4 : 4 + message[2]]
    if not payload or len(payload) != message[2] or payload[0] not in PREFIXES:
        return ""
    try:
        return PREFIXES[payload[0]] + payload[1:].decode("ascii")
    except UnicodeDecodeError:
        return ""
