"""AES-128 as NXP's cards use it: CMAC, CBC, one block, and a key of its own for every card (AN10922). Pure arithmetic.

It keeps no key, draws no random number and knows no card.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK: Final = 16
ZERO_BLOCK: Final = bytes(BLOCK)
SHORTEST_DIVERSIFIER, LONGEST_DIVERSIFIER = 16, 31


def cmac(key: bytes, message: bytes) -> bytes:
    """NIST SP 800-38B, 16 bytes."""
    one = CMAC(algorithms.AES128(key))
    one.update(message)
    return one.finalize()


def cbc_decrypted(key: bytes, data: bytes, iv: bytes = ZERO_BLOCK) -> bytes:
    """Whole blocks, no padding taken off."""
    one = Cipher(algorithms.AES128(key), modes.CBC(iv)).decryptor()
    return one.update(data) + one.finalize()


def cbc_encrypted(key: bytes, data: bytes, iv: bytes = ZERO_BLOCK) -> bytes:
    one = Cipher(algorithms.AES128(key), modes.CBC(iv)).encryptor()
    return one.update(data) + one.finalize()


def diversified(master: bytes, about: bytes) -> bytes:
    """AN10922: the key that a card gets, from the master key and what tells this card from others, such as its UID.

    `about` has 16 to 31 bytes: then the padding of AN10922 and that of CMAC are the same. A shorter one is filled up by
    the caller with the name of the system, as the note recommends.
    """
    if not SHORTEST_DIVERSIFIER <= len(about) <= LONGEST_DIVERSIFIER:
        raise ValueError(f"a key is diversified by 16 to 31 bytes, not by {len(about)}")
    return cmac(master, b"\x01" + about)


def rotated_left(block: bytes) -> bytes:
    """By one byte: how the two sides of a mutual authentication show that they could read the other's number."""
    return block[1:] + block[:1]
