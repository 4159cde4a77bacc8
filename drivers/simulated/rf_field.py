"""A simulated RF field behind nfcpy's udp device: `nfc:udp:127.0.0.1:<port>`.

Wire: one ASCII datagram for each RF frame, `106A 26`, and `RFOFF` when the reader drops its field. An empty field
answers `106A` with nothing behind it: nfcpy then knows at once that there is no card, not after its hard-wired second.

Anyone on this machine may also send `TAP <uid>` to the port: a card comes, is read, and goes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import ClassVar, Self

from drivers.simulated.rf_cards import RfCard, card_for

HOLD_S = 1.0  # how long a hand holds a card to a reader that does not beep
STOP_WAIT_S = 5.0
DATAGRAM_BYTES = 2048
TAP = b"TAP "


class SimulatedField:
    """`tap(uid)` holds a card into the field until it was read; `place` and `remove` leave the time to the caller."""

    verbs: ClassVar[tuple[str, ...]] = ("tap", "place", "remove", "garble", "silence", "slow", "unplug", "replug")

    def __init__(self, *, port: int = 0, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, port
        self.read_count = 0
        self._card: RfCard | None = None
        self._was_read = threading.Event()
        self._silent = False
        self._garbage_left = 0
        self._answer_delay_s = 0.0
        self._verbs = threading.RLock()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._guests: list[threading.Thread] = []
        self.replug()

    @property
    def url(self) -> str:
        return f"nfc:udp:{self.host}:{self.port}"

    def place(self, card: str | RfCard) -> None:
        """Leave the card in the field."""
        self._was_read.clear()
        self._card = card_for(card)

    def remove(self) -> None:
        """Take the card away."""
        card, self._card = self._card, None
        if card is not None:
            card.power_down()

    def tap(self, card: str | RfCard, *, hold_s: float = HOLD_S) -> bool:
        """True when the reader selected the card before the hand was tired."""
        self.place(card)
        seen = self._was_read.wait(hold_s)
        self.remove()
        return seen

    def silence(self, silent: bool) -> None:
        """Answer nothing, not even that the field is empty."""
        self._silent = silent

    def garble(self, answers: int) -> None:
        """The next answers are not what the wire allows."""
        self._garbage_left = answers

    def slow(self, answer_delay_s: float) -> None:
        """Wait so long before every answer."""
        self._answer_delay_s = answer_delay_s

    def replug(self) -> None:
        """The same port again."""
        with self._verbs:
            if self._socket is not None:
                return
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire.bind((self.host, self.port))
            self.port = wire.getsockname()[1]
            self._socket = wire
            self._thread = threading.Thread(target=self._run, args=(wire,), name=f"field-{self.port}", daemon=True)
            self._thread.start()

    def unplug(self) -> None:
        """The port is closed: the host refuses datagrams to it."""
        with self._verbs:
            wire, self._socket = self._socket, None
            if wire is None:
                return
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)  # wakes the receiver; an unconnected socket complains, and wakes
            assert self._thread is not None
            self._thread.join(STOP_WAIT_S)
            wire.close()

    def close(self) -> None:
        self.unplug()
        for guest in self._guests:
            guest.join(STOP_WAIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, wire: socket.socket) -> None:
        while self._socket is wire:
            try:
                datagram, sender = wire.recvfrom(DATAGRAM_BYTES)
            except OSError:
                continue
            if not datagram or self._socket is not wire:
                continue
            if datagram.startswith(TAP):
                self._tap_for_a_guest(datagram[len(TAP) :])
                continue
            answer = self._answer(datagram)
            if answer is not None and not self._silent:
                if self._answer_delay_s:
                    time.sleep(self._answer_delay_s)
                with contextlib.suppress(OSError):
                    wire.sendto(answer, sender)

    def _answer(self, datagram: bytes) -> bytes | None:
        card = self._card
        parts = datagram.split()
        if datagram == b"RFOFF":
            if card is not None:
                card.power_down()
            return None
        try:
            technology, frame = parts[0].decode("ascii"), bytes.fromhex(parts[1].decode("ascii"))
        except (IndexError, ValueError):
            return None
        if self._garbage_left > 0:
            self._garbage_left -= 1
            return b"\xff\xfe nonsense zz"
        said = card.answer(frame) if card is not None and card.technology == technology else None
        if said is None:
            return technology.encode("ascii")
        if _ends_selection(technology, frame, said):
            self.read_count += 1
            self._was_read.set()
        return f"{technology} {said.hex()}".encode("ascii")

    def _tap_for_a_guest(self, uid: bytes) -> None:
        try:
            card = card_for(uid.decode("ascii").strip().upper())
        except (UnicodeDecodeError, ValueError, AssertionError):
            return
        self._guests = [guest for guest in self._guests if guest.is_alive()]
        if not self._guests:  # one hand at a time
            self._guests.append(threading.Thread(target=self.tap, args=(card,), daemon=True))
            self._guests[-1].start()


def _ends_selection(technology: str, frame: bytes, said: bytes) -> bool:
    """Type A: the last SELECT was answered without the "more follows" bit. FeliCa: polling was answered."""
    if technology.endswith("A"):
        return len(frame) == 7 and frame[1] == 0x70 and not said[0] & 0x04
    return len(frame) == 6 and frame[:2] == b"\x06\x00"
