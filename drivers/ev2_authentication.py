"""AuthenticateEV2First of NTAG 424 DNA and DESFire EV2/EV3: both sides show that they have the key, and nobody says it.

Pure: the caller carries the bytes and draws the random number. It opens no session afterwards: the keys that it yields are
the proof that a caller may want, or the beginning of secure messaging that is not written here. No reader driver uses it yet:
a school's DESFire cards have keys that only their vendor knows.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, NamedTuple

from drivers.card_aes import BLOCK, cbc_decrypted, cbc_encrypted, cmac, rotated_left
from drivers.ndef_link import apdu

ANSWER_BYTES: Final = 2 * BLOCK
FIRST_PART, SECOND_PART = 0x71, 0xAF  # AuthenticateEV2First, AdditionalFrame
MORE_TO_COME, DONE = b"\x91\xaf", b"\x91\x00"
_ENCRYPTION_LABEL, _MAC_LABEL = bytes.fromhex("A55A00010080"), bytes.fromhex("5AA500010080")


class NotAuthentic(ValueError):
    """The other side does not have the key, or the bytes were changed on the way."""


class Ev2Session(NamedTuple):
    transaction: bytes  # TI
    encryption_key: bytes
    mac_key: bytes


class Ev2Challenge(NamedTuple):
    """The reader's side after its first answer: what it sent, and what it must hear to be convinced."""

    key: bytes
    rnd_a: bytes
    rnd_b: bytes
    command: bytes  # E(K, RndA || RndB')

    def session(self, answer: bytes) -> Ev2Session:
        """`answer`: E(K, TI || RndA' || capabilities). Raises NotAuthentic."""
        if len(answer) != ANSWER_BYTES:
            raise NotAuthentic(f"the card answered {len(answer)} bytes where {ANSWER_BYTES} are due")
        plain = cbc_decrypted(self.key, answer)
        if not hmac.compare_digest(plain[4:20], rotated_left(self.rnd_a)):
            raise NotAuthentic("the card does not have the key")
        return session_keys(self.key, plain[:4], self.rnd_a, self.rnd_b)


def authenticated(exchange: Callable[[bytes], bytes], key: bytes, *, rnd_a: bytes, key_number: int = 0) -> Ev2Session:
    """The whole conversation with a card in the field. `exchange`: a command to the card, its answer with the status; the
    application that has the key is selected already. Raises NotAuthentic, and what `exchange` raises."""
    begun = exchange(apdu(0x90, FIRST_PART, 0, 0, bytes([key_number, 0]), 256))
    asked = challenge(key, _with_status(begun, MORE_TO_COME), rnd_a)
    return asked.session(_with_status(exchange(apdu(0x90, SECOND_PART, 0, 0, asked.command, 256)), DONE))


def _with_status(answer: bytes, status: bytes) -> bytes:
    if answer[-2:] != status:
        raise NotAuthentic(f"the card ended the authentication with status {answer[-2:].hex().upper()}")
    return answer[:-2]


def challenge(key: bytes, encrypted_rnd_b: bytes, rnd_a: bytes) -> Ev2Challenge:
    """`rnd_a`: 16 bytes that nobody can foresee. Raises NotAuthentic."""
    if len(encrypted_rnd_b) != BLOCK:
        raise NotAuthentic(f"the card sent {len(encrypted_rnd_b)} bytes where {BLOCK} are due")
    rnd_b = cbc_decrypted(key, encrypted_rnd_b)
    return Ev2Challenge(key, rnd_a, rnd_b, cbc_encrypted(key, rnd_a + rotated_left(rnd_b)))


def card_answer(key: bytes, command: bytes, *, rnd_b: bytes, transaction: bytes) -> tuple[bytes, Ev2Session]:
    """The card's side: its answer to the reader's `command`, and the session that it begins. Raises NotAuthentic."""
    plain = cbc_decrypted(key, command) if len(command) == ANSWER_BYTES else b""
    if not hmac.compare_digest(plain[BLOCK:], rotated_left(rnd_b)):
        raise NotAuthentic("the reader does not have the key")
    rnd_a = plain[:BLOCK]
    answer = cbc_encrypted(key, transaction + rotated_left(rnd_a) + bytes(12))
    return answer, session_keys(key, transaction, rnd_a, rnd_b)


def session_keys(key: bytes, transaction: bytes, rnd_a: bytes, rnd_b: bytes) -> Ev2Session:
    mixed = bytes(a ^ b for a, b in zip(rnd_a[2:8], rnd_b[:6], strict=True))
    about = rnd_a[:2] + mixed + rnd_b[6:] + rnd_a[8:]
    return Ev2Session(transaction, cmac(key, _ENCRYPTION_LABEL + about), cmac(key, _MAC_LABEL + about))
