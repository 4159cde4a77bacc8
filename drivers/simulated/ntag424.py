"""A simulated NTAG 424 DNA with Secure Dynamic Messaging switched on: its link is another one each time it is read.

It obeys the chip: the counter moves at the first read of the NDEF file after the field came, and only then; what it mirrors is
made with the school's keys by the very arithmetic that a real card has in hardware. It authenticates itself mutually
(AuthenticateEV2First) with `key`, as delivered all zeros. It may be set to a random UID, as the chip
can be. It is in `drivers.simulated.rf_cards`' field and in the simulated PN532 like any other card.
"""

from __future__ import annotations

import hashlib

from drivers.card_aes import ZERO_BLOCK, cbc_encrypted
from drivers.ev2_authentication import DONE, MORE_TO_COME, NotAuthentic, card_answer
from drivers.simulated.rf_cards import NDEF_FILE, Type4Card, ndef_link
from drivers.sun import LAST_COUNTER, SunKeys, link_of

AUTHENTICATION_ERROR, COMMAND_ABORTED = b"\x91\xae", b"\x91\xca"


class Ntag424Card(Type4Card):
    """`said`: every link that it ever gave, for whoever wants to copy one."""

    def __init__(
        self, uid: str, keys: SunKeys, *, counter: int = 0, base: str = "school.example/t", file_data: bytes = b"",
        hides_uid: bool = False, key: bytes = ZERO_BLOCK,
    ) -> None:  # fmt: skip
        super().__init__(uid)
        assert len(self.uid) == 7, "an NTAG 424 DNA has a UID of 7 bytes"
        self.counter = counter
        self.said: list[str] = []
        self._true_uid, self._keys, self._base, self._file_data = self.uid, keys, base, file_data
        self._mirrored = False  # this session has its link already
        self._leaves_after: int | None = None
        self._hides_uid, self._sessions = hides_uid, 0
        self._key, self._challenges, self._rnd_b = key, 0, b""
        self._hide()

    def leave_after(self, commands: int) -> None:
        """The hand goes away in the middle of the next session: the card answers so many commands and no more."""
        self._leaves_after = commands

    def power_down(self) -> None:
        super().power_down()
        self._mirrored, self._leaves_after, self._rnd_b = False, None, b""
        self._hide()

    def answer_selected(self, frame: bytes) -> bytes | None:
        if self._leaves_after is not None and frame and frame[0] & 0xE2 == 0x02:
            if self._leaves_after == 0:
                return None
            self._leaves_after -= 1
        return super().answer_selected(frame)

    def answer_apdu(self, apdu: bytes) -> bytes:
        if apdu[:2] == b"\x00\xb0" and self._selected == NDEF_FILE and not self._mirrored:
            self._mirror()
        if apdu[:2] == b"\x90\x71":
            return self._challenged()
        if apdu[:2] == b"\x90\xaf":
            return self._answered(apdu[5:-1])
        return super().answer_apdu(apdu)

    def _challenged(self) -> bytes:
        self._challenges += 1
        self._rnd_b = hashlib.sha256(self._true_uid + self._challenges.to_bytes(4, "big")).digest()[:16]
        return cbc_encrypted(self._key, self._rnd_b) + MORE_TO_COME

    def _answered(self, command: bytes) -> bytes:
        """One answer to one challenge; a wrong one ends the authentication, one without a challenge is no command."""
        rnd_b, self._rnd_b = self._rnd_b, b""
        if not rnd_b:
            return COMMAND_ABORTED
        try:
            answer, _ = card_answer(self._key, command, rnd_b=rnd_b, transaction=rnd_b[:4])
        except NotAuthentic:
            return AUTHENTICATION_ERROR
        return answer + DONE

    def _mirror(self) -> None:
        self.counter = min(self.counter + 1, LAST_COUNTER)
        link = link_of(self._base, self._keys, self._true_uid, self.counter, file_data=self._file_data)
        message = ndef_link(link)
        self.files[NDEF_FILE] = len(message).to_bytes(2, "big") + message
        self.said.append(f"https://{link}")
        self._mirrored = True

    def _hide(self) -> None:
        if self._hides_uid:
            self._sessions += 1
            digest = hashlib.sha256(self._true_uid + bytes([self._sessions & 0xFF])).digest()
            self.uid = b"\x08" + digest[:3]


class CopiedCard(Type4Card):
    """What a thief makes of one read: the right UID, and for ever the same link."""

    def __init__(self, uid: str, link: str) -> None:
        super().__init__(uid, url=link.removeprefix("https://"))
