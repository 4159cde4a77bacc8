"""What an NTAG 424 DNA says when it is read (Secure Unique NFC, SUN), and whether that very card said it, for the first time.

The card writes into its link who it is, how often it was read, and an AES-CMAC over both. Anybody can copy such a link; nobody
can make the next one. So a proof is worth something only together with the counter that was seen before, which the caller keeps.

Formats: NXP AN12196 and the data sheet NT4H2421Gx, section 9.3; AES mode (LRP is not read). Pure: no reader, no file, no clock.
Nothing that a message says of itself is to be believed before `proof_of` returned.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from drivers.card_aes import BLOCK, cbc_decrypted, cbc_encrypted, cmac, diversified

MAX_TEXT_CHARS: Final = 512  # an NTAG 424 DNA has 256 bytes for its link
UID_AND_COUNTER: Final = 0xC7  # PICCDataTag: UID mirrored, counter mirrored, UID of 7 bytes
UID_BYTES, COUNTER_BYTES, MAC_BYTES = 7, 3, 8
LAST_COUNTER: Final = 0xFFFFFF
META_KEY_FOR: Final = b"campus-kiosk SUN meta"
FILE_KEY_FOR: Final = b"campus-kiosk SUN"  # behind the UID

_ENCRYPTION_VECTOR, _MAC_VECTOR = bytes.fromhex("C33C00010080"), bytes.fromhex("3CC300010080")  # SV1, SV2

# Upper case only: the card writes nothing else, and the MAC is over the characters as they stand.
_MESSAGE = re.compile(
    r"[?&](?:"
    r"(?:e|picc|picc_data)=(?P<picc>[0-9A-F]{32})(?:&(?:d|enc)=(?P<data>(?:[0-9A-F]{32}){1,8}))?"
    r"|uid=(?P<uid>[0-9A-F]{14})&(?:n|ctr)=(?P<counter>[0-9A-F]{6})"
    r")&(?:c|mac|cmac)=(?P<mac>[0-9A-F]{16})"
)


class SunForged(ValueError):
    """No card with the school's key said this: altered, made up, or written with another key."""


class SunMessage(NamedTuple):
    """The parts of a link as they were read; nothing is proven yet. Either `picc_data` or `uid` and `counter` are there."""

    mac: bytes
    mac_input: bytes  # what the MAC covers beside UID and counter
    picc_data: bytes = b""
    file_data: bytes = b""  # encrypted
    uid: bytes = b""
    counter: int = 0


class SunProof(NamedTuple):
    """This card was read for the `counter`-th time. `uid`: upper hex, as its anticollision gives it."""

    uid: str
    counter: int
    file_data: bytes = b""


class SunKeys(NamedTuple):
    """The key that opens PICC data (one for all cards: it is needed to know which card it is) and each card's own."""

    meta: bytes
    of_card: Callable[[bytes], bytes]

    @classmethod
    def from_master(cls, master: bytes) -> SunKeys:
        return cls(diversified(master, META_KEY_FOR), lambda uid: diversified(master, uid + FILE_KEY_FOR))


def message_in(text: str) -> SunMessage | None:
    """The SUN message at the end of a link; None where there is none, which is true of every other text."""
    if len(text) > MAX_TEXT_CHARS:
        return None
    found = _MESSAGE.search(text)
    if found is None or found.end() != len(text):
        return None
    mac = bytes.fromhex(found["mac"])
    if found["uid"]:
        return SunMessage(mac, b"", uid=bytes.fromhex(found["uid"]), counter=int(found["counter"], 16))
    data = found["data"] or ""
    covered = text[found.start("data") : found.start("mac")].encode("ascii") if data else b""
    return SunMessage(mac, covered, picc_data=bytes.fromhex(found["picc"]), file_data=bytes.fromhex(data))


def proof_of(message: SunMessage, keys: SunKeys) -> SunProof:
    """Raises SunForged."""
    uid, counter = (message.uid, message.counter) if message.uid else _opened(message.picc_data, keys.meta)
    key = keys.of_card(uid)
    if not hmac.compare_digest(mac_of(key, uid, counter, message.mac_input), message.mac):
        raise SunForged("the link was not made by a card with the school's key")
    data = file_data_of(key, uid, counter, message.file_data) if message.file_data else b""
    return SunProof(uid.hex().upper(), counter, data)


def _opened(picc_data: bytes, meta_key: bytes) -> tuple[bytes, int]:
    plain = cbc_decrypted(meta_key, picc_data)
    if plain[0] != UID_AND_COUNTER:
        raise SunForged("the link names no card under the school's key")
    return plain[1:8], int.from_bytes(plain[8:11], "little")


def mac_of(file_key: bytes, uid: bytes, counter: int, mac_input: bytes = b"") -> bytes:
    """SDMMAC: every second byte of the CMAC under the session's key."""
    return cmac(session_mac_key(file_key, uid, counter), mac_input)[1::2]


def session_mac_key(file_key: bytes, uid: bytes, counter: int) -> bytes:
    return cmac(file_key, _vector(_MAC_VECTOR, uid, counter))


def session_encryption_key(file_key: bytes, uid: bytes, counter: int) -> bytes:
    return cmac(file_key, _vector(_ENCRYPTION_VECTOR, uid, counter))


def file_data_of(file_key: bytes, uid: bytes, counter: int, encrypted: bytes) -> bytes:
    """SDMENCFileData, decrypted: the part of the file that the school wrote onto the card."""
    key = session_encryption_key(file_key, uid, counter)
    return cbc_decrypted(key, encrypted, _file_iv(key, counter))


def _vector(prefix: bytes, uid: bytes, counter: int) -> bytes:
    whole = prefix + uid + counter.to_bytes(COUNTER_BYTES, "little")
    return whole + bytes(-len(whole) % BLOCK)


def _file_iv(key: bytes, counter: int) -> bytes:
    return cbc_encrypted(key, counter.to_bytes(COUNTER_BYTES, "little").ljust(BLOCK, b"\0"))


# --- the card's side -----------------------------------------------------------------------------------


def link_of(base: str, keys: SunKeys, uid: bytes, counter: int, *, file_data: bytes = b"", padding: bytes = bytes(5)) -> str:
    """What a card writes into its link: `base?e=…&c=…`, with `&d=…` between where it also mirrors a part of its file."""
    key = keys.of_card(uid)
    plain = bytes([UID_AND_COUNTER]) + uid + counter.to_bytes(COUNTER_BYTES, "little") + padding
    link = f"{base}?e={cbc_encrypted(keys.meta, plain).hex().upper()}"
    covered = ""
    if file_data:
        session = session_encryption_key(key, uid, counter)
        covered = f"{cbc_encrypted(session, file_data, _file_iv(session, counter)).hex().upper()}&c="
        link += "&d="
    mac = mac_of(key, uid, counter, covered.encode("ascii")).hex().upper()
    return f"{link}{covered or '&c='}{mac}"
