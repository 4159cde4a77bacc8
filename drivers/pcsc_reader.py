"""Contactless readers through PC/SC: `pcsc:READER NAME`, or `pcsc:only` for the only one that is plugged in.

Desktop readers for enrolment and CCID readers of every maker speak through the system's pcscd. A name is that of
`kiosk doctor` or a part of it that fits one reader alone; a reader with a serial number has it in its name, which so
survives re-plugging. `?socket=` names another pcscd than the system's.

The UID is asked for once for each time a card comes (FF CA 00 00 00, PC/SC part 3), and nothing is written to a card. With
`?sun=1` the link of a card that may be an NTAG 424 DNA is read with it and handed on as evidence (`sun`).
pcscd shares its readers with every program on purpose: this never takes one for itself. Nothing in here retries or logs.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from drivers.device_urls import OptionValue, merged_options, split_url
from drivers.errors import DeviceLost, DriverError, Misconfigured
from drivers.ndef_link import apdu, link_from, may_sign
from drivers.pcsc_service import connected
from drivers.presence import PresenceFilter
from drivers.protocols import CredentialRead, Info, Reader

GET_UID = (0xFF, 0xCA, 0x00, 0x00, 0x00)
UID_LENGTHS = (4, 7, 8, 10)  # ISO 14443-3; 8: FeliCa and ISO 15693
RANDOM_FIRST_BYTE = 0x08  # ISO 14443-3: a 4-byte UID that begins so is made up anew each time
STEP_S = 0.1  # a cancel is noticed after this
BUSY_PAUSE_S = 0.1
REPEAT_S = 1.0
ONLY = "only"
COUNTER_BIT = 16  # pcscd counts comings and goings in the upper half of a reader's state
START_IT = "start it: systemctl enable --now pcscd.socket"


class PcscReader(Reader):
    """One reader of one pcscd."""

    schemes = ("pcsc",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"socket": "", "sun": False}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        self._wanted = where.address
        chosen_options = merged_options(where, options, defaults=self.option_defaults)
        self._socket, self._reads_sun = str(chosen_options["socket"]), bool(chosen_options["sun"])
        self._scard: Any = None
        self._context: Any = None
        self._reader = ""
        self._state = 0
        self._looked_at: int | None = None  # the counter of the card that was read
        self._presence = PresenceFilter(absent_s=REPEAT_S)
        self._cancelled = threading.Event()

    @classmethod
    def discover(cls) -> Iterable[str]:
        """What pcscd has; without it, or without pyscard, nothing."""
        try:
            scard = _pyscard()
            context = connected(scard, "")
        except DriverError:
            return ()
        try:
            _, readers = scard.SCardListReaders(context, [])
        finally:
            scard.SCardReleaseContext(context)
        return [f"pcsc:{reader}" for reader in readers]

    def open(self) -> Info:
        self.close()
        self._scard = scard = _pyscard()
        try:
            self._context = connected(scard, self._socket)
            self._reader = self._found()
        except DriverError as error:
            self.close()
            raise type(error)(f"{self._wanted}: {error}") from error
        self._state, self._looked_at = scard.SCARD_STATE_UNAWARE, None
        self._presence = PresenceFilter(absent_s=REPEAT_S)
        self._cancelled.clear()
        return Info(model=self._reader, capabilities=frozenset({"uid", "sun"} if self._reads_sun else {"uid"}))

    def close(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            self._scard.SCardReleaseContext(context)

    def cancel(self) -> None:
        """Noticed after STEP_S. SCardCancel would be sooner; it asks pcscd, and one that hangs would hold our caller."""
        self._cancelled.set()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        deadline_s = time.monotonic() + timeout_s
        while True:
            left_s = deadline_s - time.monotonic()
            reads = self._look(max(0.0, min(STEP_S, left_s)))
            if reads or left_s <= STEP_S or self._cancelled.is_set():
                self._cancelled.clear()
                return reads

    def _look(self, wait_s: float) -> list[CredentialRead]:
        """Until something changes at the reader, for at most `wait_s`. Raises DeviceLost."""
        scard = self._scard
        if self._context is None:
            raise DeviceLost(f"{self._wanted} is not open")
        result, states = scard.SCardGetStatusChange(self._context, round(wait_s * 1000), [(self._reader, self._state)])
        if result == scard.SCARD_E_TIMEOUT:
            return []
        if result != scard.SCARD_S_SUCCESS:
            raise self._lost(result)
        _, state, _ = states[0]
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            raise DeviceLost(f"{self._reader} was lost; plug the reader in again")
        self._state = state & ~scard.SCARD_STATE_CHANGED
        counter = state >> COUNTER_BIT
        if not state & scard.SCARD_STATE_PRESENT or counter == self._looked_at:
            return []
        self._looked_at = counter
        return self._reads(*self._asked())

    def _asked(self) -> tuple[bytes, str]:
        """UID and link; b"" when the card went before it answered, or has no UID to tell."""
        scard = self._scard
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        result, card, protocol = scard.SCardConnect(self._context, self._reader, scard.SCARD_SHARE_SHARED, protocols)
        if result == scard.SCARD_E_SHARING_VIOLATION:  # another program has the card to itself: asked again, soon
            self._state, self._looked_at = scard.SCARD_STATE_UNAWARE, None
            self._cancelled.wait(BUSY_PAUSE_S)
        if result != scard.SCARD_S_SUCCESS:
            return b"", ""
        header = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0

        def told(command: bytes) -> bytes:
            result, answer = scard.SCardTransmit(card, header, list(command))
            if result != scard.SCARD_S_SUCCESS:
                raise _CardSaidNo
            return bytes(byte & 0xFF for byte in answer)

        uid, link = b"", ""
        with contextlib.suppress(_CardSaidNo):
            uid = uid_in(told(bytes(GET_UID)))
            if self._reads_sun and may_sign(uid.hex().upper()):
                link = link_from(lambda *command: _data_of(told(apdu(*command))))
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        return uid, link

    def _reads(self, uid: bytes, link: str) -> list[CredentialRead]:
        value, now_s = uid.hex().upper(), time.monotonic()
        if not uid or not self._presence.is_new(value, now_s=now_s):
            return []
        is_random = len(uid) == 4 and uid[0] == RANDOM_FIRST_BYTE
        evidence = {"sun": link} if link else {}
        return [
            CredentialRead(
                device=self.name, scheme="uid", value=value, read_mono_s=now_s, random_uid=is_random, evidence=evidence
            )
        ]

    def _found(self) -> str:
        """The whole name of the wanted reader. Raises DeviceLost, Misconfigured."""
        result, readers = self._scard.SCardListReaders(self._context, [])
        if result not in (self._scard.SCARD_S_SUCCESS, self._scard.SCARD_E_NO_READERS_AVAILABLE):
            raise self._lost(result)
        return chosen(self._wanted, readers)

    def _lost(self, result: int) -> DeviceLost:
        if result in (self._scard.SCARD_E_UNKNOWN_READER, self._scard.SCARD_E_READER_UNAVAILABLE):
            return DeviceLost(f"{self._wanted} was lost; plug the reader in again")
        said = self._scard.SCardGetErrorMessage(result)
        return DeviceLost(f"{self._wanted}: pcscd is gone ({said}); {START_IT}")


class _CardSaidNo(Exception):
    """The card refused, or went: what it said before counts."""


def _data_of(answer: bytes) -> bytes:
    if answer[-2:] != b"\x90\x00":
        raise _CardSaidNo
    return answer[:-2]


def uid_in(answer: bytes) -> bytes:
    """The UID in the answer to GET_UID; b"" when it is a refusal, or no UID."""
    uid, status = answer[:-2], answer[-2:]
    return uid if status == b"\x90\x00" and len(uid) in UID_LENGTHS else b""


def chosen(wanted: str, readers: list[str]) -> str:
    """The reader that `wanted` means: by its whole name, by a part of it, or the only one. Raises with what there is."""
    plugged = ", ".join(readers)
    if not readers:
        raise DeviceLost("no PC/SC reader is plugged in")
    if wanted in readers:
        return wanted
    fitting = readers if wanted == ONLY else [reader for reader in readers if wanted in reader]
    if not fitting:
        raise DeviceLost(f"no such PC/SC reader; plugged in: {plugged}")
    if len(fitting) > 1:
        raise Misconfigured(f"several PC/SC readers fit; write the whole name of one: {', '.join(fitting)}")
    return fitting[0]


def _pyscard() -> Any:
    try:
        from smartcard import scard
    except ImportError as error:
        raise Misconfigured("pyscard is not installed: install campus-kiosk[pcsc]") from error
    return scard
