"""Card reads as bits: what a Wiegand reader or an OSDP panel hands over, parity checked. Pure: bits in, a card number out.

The usual formats begin with a bit of even parity over their first half and end with one of odd parity over the second:
26 bits carry 8 + 16, 34 bits carry 16 + 16 bits of the number. Their number is given as the pair that is printed on
cards and in lists ("163,12177"), which no other spelling can be mistaken for. What has another length has a parity of
its maker's choice: all its bits are given as hex, to be compared, never interpreted.

Nothing here knows a wire, guesses a byte order or judges a card. A wrong parity is no card.
"""

from __future__ import annotations

from drivers.serial_frames import CardFrame

MIN_BITS = 16  # fewer bits are a key of a keypad (4 or 8), never a card
MAX_BITS = 512  # the longest read that OSDP hands over is far shorter
MAX_TEXT_CHARACTERS = 64
PARITY_CHECKED = {26: "{:03d},{:05d}", 34: "{:05d},{:05d}"}  # bits: how the number is written
LOW_BITS = 16


def wiegand_card(data: bytes, *, bits: int) -> CardFrame | None:
    """The card in `bits` bits, packed from the most significant bit of the first byte on. None: too short, too long,
    fewer bytes than it says, nothing but zeros or ones (a broken wire), or a wrong parity."""
    if not MIN_BITS <= bits <= MAX_BITS or len(data) * 8 < bits:
        return None
    value = int.from_bytes(data, "big") >> (len(data) * 8 - bits)
    if value in (0, (1 << bits) - 1):
        return None
    if bits not in PARITY_CHECKED:
        return CardFrame("number", f"{value:0{(bits + 7) // 8 * 2}X}")
    if not has_parity(value, bits=bits):
        return None
    number = value >> 1 & (1 << bits - 2) - 1
    return CardFrame("number", PARITY_CHECKED[bits].format(number >> LOW_BITS, number & (1 << LOW_BITS) - 1))


def text_card(data: bytes) -> CardFrame | None:
    """The card that a reader sends as ASCII characters. None when it is no printable text, or too long."""
    try:
        text = data.decode("ascii").strip(" \t\r\n\x00")
    except UnicodeDecodeError:
        return None
    if not text or len(text) > MAX_TEXT_CHARACTERS or not text.isprintable():
        return None
    return CardFrame("number", text)


def has_parity(value: int, *, bits: int) -> bool:
    """Even number of ones in the first half, odd in the second, parity bits included."""
    half = bits // 2
    first, second = value >> bits - half, value & (1 << bits - half) - 1
    return first.bit_count() % 2 == 0 and second.bit_count() % 2 == 1


def wiegand_bits(number: int, *, bits: int) -> bytes:
    """The read of a card whose `bits - 2` data bits are `number`, with both parity bits: what a reader sends."""
    assert 0 <= number < 1 << bits - 2, f"{number} does not fit into {bits} bits"
    half = bits // 2
    even = (number >> bits - half - 1).bit_count() % 2
    odd = (number & (1 << bits - half - 1) - 1).bit_count() % 2 ^ 1
    value = even << bits - 1 | number << 1 | odd
    size = (bits + 7) // 8
    return (value << size * 8 - bits).to_bytes(size, "big")
