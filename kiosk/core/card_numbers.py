"""Card numbers: one canonical form, and every spelling under which the same card turns up.

Canonical is the upper-case hex of the bytes in the order in which they come over the air: 8 digits for a
4-byte UID (MIFARE S50, "IC 卡"), 14 for 7 bytes, 10 for an EM4100 tag (version byte and 32-bit number,
"ID 卡"). Printed numbers and keyboard-wedge readers spell the same card in decimal, reversed, or only in
part. This module never decides between two cards: a text that fits two known cards yields both, and a
person is asked. It never judges whether a card is valid.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_SPELLING_CHARS = 64  # longer texts are no card number and are not looked at
UID_BYTES = (3, 4, 5, 7, 8, 10, 12)  # 3: the 24 bits of a Wiegand-26 list; 8: ISO 15693; 10: triple size; 12: EPC-96 (UHF)

_HEX = re.compile(r"[0-9A-F]+")
_PAIR = re.compile(r"(\d{1,5})[,;/](\d{1,5})")
_SEPARATORS = re.compile(r"[\s:\-.]")


class CardNumberUnclear(ValueError):
    """The text is no card number, or may be read in two ways; the sentence says which, and the remedy."""


class _Number(NamedTuple):
    """A spelling reduced to what it says: `bits` wide (0 = exact hex), with this value."""

    bits: int
    value: int | str


def tidy(text: str) -> str:
    """Full-width characters, spaces, colons, hyphens and a 0x prefix taken off; upper case."""
    text = unicodedata.normalize("NFKC", text).strip().upper().replace("，", ",")
    return _SEPARATORS.sub("", text.removeprefix("0X"))


def reversed_uid(uid: str) -> str:
    """The same bytes in the other order (反码)."""
    return bytes.fromhex(uid)[::-1].hex().upper()


def spellings(uid: str) -> dict[str, str]:
    """Every text under which the card `uid` (canonical) is known, by the name of the spelling."""
    raw = bytes.fromhex(uid)
    found = {"hex": uid, "hex_reversed": reversed_uid(uid)}
    if len(raw) == 4:
        for name, order in (("", raw), ("_reversed", raw[::-1])):
            found[f"10D{name}"] = f"{int.from_bytes(order, 'big'):010d}"
            found[f"4H4H{name}"] = _pair(int.from_bytes(order, "big"))
        for name, three in _three_bytes_of_four(raw).items():
            value = int.from_bytes(three, "big")
            found |= {f"wiegand_{name}": _pair(value), f"8D_{name}": _pair(value).replace(",", "")}
            found[f"6H8D_{name}"] = f"{value:08d}"
    if len(raw) == 5:
        number = int.from_bytes(raw[1:], "big")
        found |= {"8H10D": f"{number:010d}", "6H8D": f"{number & 0xFFFFFF:08d}", "2H4H": _pair(number & 0xFFFFFF)}
        found |= {"4H4H": _pair(number), "10H12D": f"{int.from_bytes(raw, 'big'):012d}"}
    if len(raw) == 7:
        found |= {f"17D{name}": f"{int.from_bytes(order, 'big'):017d}" for name, order in _both_orders(raw)}
    return found


class CardIndex:
    """All spellings of the cards that are known, built once per directory snapshot.

    About 0.15 s for 20,000 cards. Holds canonical UIDs only, no holders and no states.
    """

    __slots__ = ("_uids_by_number",)

    def __init__(self, uids: Iterable[str]) -> None:
        self._uids_by_number: dict[tuple[int, int | str], tuple[str, ...]] = {}
        table = self._uids_by_number
        for uid in dict.fromkeys(uids):
            for number in _numbers_of(uid):
                held = table.get(number, ())
                if uid not in held:
                    table[number] = (*held, uid)

    def candidates(self, text: str) -> tuple[str, ...]:
        """Canonical UIDs of every known card that `text` may mean, an exact hex match first.
        None: unknown. Two or more: ask a person."""
        if len(text) > MAX_SPELLING_CHARS:
            return ()
        spelled = tidy(text)
        exact = self._uids_by_number.get(_Number(0, spelled), ())
        others = tuple(uid for number in _meanings(spelled) for uid in self._uids_by_number.get(number, ()))
        return tuple(dict.fromkeys(exact + others))


def is_random_uid(uid: str) -> bool:
    """ISO 14443-3: four bytes that begin with 08 are made up anew for every tap, by phones and by cards that hide theirs."""
    return len(uid) == 8 and uid.startswith("08")


def candidates(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """`CardIndex(known).candidates(text)`, for a single question."""
    return CardIndex(known).candidates(text)


def canonical_uid(text: str, *, em4100: bool = False, reversed_decimal: bool = False, hex_column: bool = True) -> str:
    """The canonical form of a number from a list, where no reader has said it: hex is air order, decimal is
    big-endian unless `reversed_decimal`. `hex_column` says that 8 (em4100: 10) digits are hex, as the other
    rows of the column show. A "fff,nnnnn" number yields the 3 bytes that it knows. Raises CardNumberUnclear."""
    spelled = tidy(text) if len(text) <= MAX_SPELLING_CHARS else ""
    if pair := _PAIR.fullmatch(spelled):
        return _uid_of_pair(pair[1], int(pair[2]), reversed_decimal)
    if not _HEX.fullmatch(spelled):
        raise CardNumberUnclear(f"{text[:MAX_SPELLING_CHARS]!r} holds characters that no card number has")
    if spelled.isdigit() and not _is_hex_by_length(spelled, em4100=em4100, hex_column=hex_column):
        return _uid_of_decimal(int(spelled), len(spelled), em4100=em4100, reversed_decimal=reversed_decimal)
    if len(spelled) % 2 or len(spelled) // 2 not in UID_BYTES:
        raise CardNumberUnclear(f"{spelled} has {len(spelled)} hex digits; cards have 6, 8, 10, 14, 16 or 20")
    return spelled


def _is_hex_by_length(spelled: str, *, em4100: bool, hex_column: bool) -> bool:
    """Whether a text of digits only is hex: by its length, or because it is too large for a decimal."""
    if len(spelled) == 10 and int(spelled) >= 2**32:
        return True
    if len(spelled) == (10 if em4100 else 8):
        return hex_column
    return len(spelled) in (14, 16, 20)


def _uid_of_decimal(value: int, digits: int, *, em4100: bool, reversed_decimal: bool) -> str:
    if digits in (11, 12) and em4100 and value < 2**40:
        return f"{value:010X}"
    if digits > 10 or value >= 2**32:
        raise CardNumberUnclear(f"{value} is too large for a card number of 4 bytes")
    uid = f"{value:08X}"
    return reversed_uid(uid) if reversed_decimal else uid


def _uid_of_pair(facility: str, low: int, reversed_decimal: bool) -> str:
    """2H4H is written with three digits before the comma and knows 3 bytes; 4H4H with five, and knows 4."""
    high = int(facility)
    if low > 0xFFFF or high > 0xFFFF:
        raise CardNumberUnclear(f"{facility},{low} is no facility,number pair: each half is at most 65535")
    uid = f"{high:02X}{low:04X}" if high <= 0xFF and len(facility) <= 3 else f"{high:04X}{low:04X}"
    return reversed_uid(uid) if reversed_decimal else uid


def _pair(value: int) -> str:
    high, low = divmod(value, 1 << 16)
    return f"{high:03d},{low:05d}" if value < 1 << 24 else f"{high:05d},{low:05d}"


def _both_orders(raw: bytes) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    return (("", raw), ("_reversed", raw[::-1]))


def _three_bytes_of_four(raw: bytes) -> dict[str, bytes]:
    """Readers with a 24-bit output drop the first or the last byte, before or after reversing."""
    back = raw[::-1]
    return {"last": raw[1:], "first": raw[:3], "last_reversed": back[1:], "first_reversed": back[:3]}


def _numbers_of(uid: str) -> Iterator[_Number]:
    """What each spelling of a known card says, as (bits, value)."""
    raw = bytes.fromhex(uid)
    yield _Number(0, uid)
    yield _Number(0, raw[::-1].hex().upper())
    if len(raw) == 4:
        yield _Number(32, int.from_bytes(raw, "big"))
        yield _Number(32, int.from_bytes(raw, "little"))
        for three in _three_bytes_of_four(raw).values():
            yield _Number(24, int.from_bytes(three, "big"))
    elif len(raw) == 3:  # a card of which only 24 bits are known
        yield _Number(24, int.from_bytes(raw, "big"))
        yield _Number(24, int.from_bytes(raw, "little"))
        yield _Number(-24, int.from_bytes(raw, "big"))
    elif len(raw) == 5:
        number = raw[1:]
        yield _Number(0, number.hex().upper())  # a reader that leaves the version byte out
        yield _Number(32, int.from_bytes(number, "big"))
        yield _Number(32, int.from_bytes(number, "little"))
        yield _Number(24, int.from_bytes(raw[2:], "big"))
        yield _Number(40, int.from_bytes(raw, "big"))
        yield _Number(40, int.from_bytes(raw, "little"))
    elif len(raw) == 7:
        yield _Number(56, int.from_bytes(raw, "big"))
        yield _Number(56, int.from_bytes(raw, "little"))


def _meanings(spelled: str) -> Iterator[_Number]:
    """Everything that a tidied text may say. Hex is looked up as it stands by the caller."""
    if pair := _PAIR.fullmatch(spelled):
        yield from _meanings_of_pair(int(pair[1]), int(pair[2]))
    elif spelled.isdigit():
        yield from _meanings_of_digits(int(spelled), len(spelled))
    if len(spelled) == 8 and _HEX.fullmatch(spelled):  # a full read may be a card of which 24 bits are known
        raw = bytes.fromhex(spelled)
        for three in dict.fromkeys((raw[1:], raw[:3], raw[:0:-1], raw[2::-1])):
            yield _Number(-24, int.from_bytes(three, "big"))
    if len(spelled) == 10 and _HEX.fullmatch(spelled):  # EM4100 read in full, listed by its 32-bit number
        yield _Number(32, int(spelled[2:], 16))
        yield _Number(-24, int(spelled[4:], 16))


def _meanings_of_pair(high: int, low: int) -> Iterator[_Number]:
    if low <= 0xFFFF and high <= 0xFFFF:
        yield _Number(32, high << 16 | low)
        if high <= 0xFF:
            yield _Number(24, high << 16 | low)


def _meanings_of_digits(value: int, digits: int) -> Iterator[_Number]:
    """Decimal, with or without the leading zeros that spreadsheets take away."""
    if digits <= 10 and value < 2**32:
        yield _Number(32, value)
    if digits <= 8 and value < 2**24:
        yield _Number(24, value)
    if digits <= 10:  # a pair of five digits each, or of three and five, without its comma
        high, low = divmod(value, 100_000)
        if digits <= 8:
            yield from (n for n in _meanings_of_pair(high, low) if n.bits == 24)
        else:
            yield from (n for n in _meanings_of_pair(high, low) if n.bits == 32)
    if digits <= 13 and value < 2**40:
        yield _Number(40, value)
    if digits <= 17 and value < 2**56:
        yield _Number(56, value)
