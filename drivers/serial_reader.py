"""Card readers and code scanners on a serial line: `rdm6300:`, `stxlrc:`, `m7941:` and `lines:`.

URLs: `rdm6300:/dev/serial/by-id/...?baud=9600`, `stxlrc:...`, `m7941:...?ask=uid,em4100`, `lines:...?as=qr|number`.
The bytes are understood in `serial_frames`; the port is `serial_port`. Nothing here retries, logs or decides what a
card may do.
"""

from __future__ import annotations

import abc
import itertools
import threading
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from drivers.device_urls import OptionValue, merged_options, split_url, tty_path
from drivers.errors import DeviceLost, Misconfigured
from drivers.presence import PresenceFilter
from drivers.protocols import CredentialRead, Info, Reader
from drivers.serial_frames import (
    CardFrame,
    LineFrames,
    M7941Answer,
    M7941AnswerFrames,
    Rdm6300Frames,
    StxLrcFrames,
    m7941_card,
    m7941_command,
)
from drivers.serial_port import SerialPort, stable_tty_paths

REPEAT_S = 1.0  # the same value again within this time of its last frame is the same presentation
LINE_PAUSE_S = 0.05  # a scanner without a suffix has finished when it pauses this long
LINE_ABANDONED_S = 1.0  # what comes after such a silence is a new line, whatever came before
ASK_PAUSE_S = 0.05
ANSWER_WAIT_S = 0.2
UNANSWERED_LIMIT = 4  # questions in a row; then the module is gone although its adapter is still there


class SerialReader(Reader):
    """What the four have in common: one exclusive port, one presentation = one read."""

    option_defaults: ClassVar[dict[str, OptionValue]] = {"baud": 9600}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        self._settings = merged_options(where, options, defaults=self.option_defaults)
        self._port = SerialPort(tty_path(where), baud=int(str(self._settings["baud"])))
        self._presence = PresenceFilter(absent_s=REPEAT_S)

    @classmethod
    def discover(cls) -> Iterable[str]:
        """A serial adapter does not say what hangs on it: each is a candidate."""
        return [f"{scheme}:{path}" for path in stable_tty_paths() for scheme in cls.schemes]

    def open(self) -> Info:
        self._port.open()
        self._presence = PresenceFilter(absent_s=REPEAT_S)
        return Info(model=f"{self.schemes[0]} on {self._port.path}", capabilities=frozenset({"uid"}))

    def close(self) -> None:
        self._port.close()

    def cancel(self) -> None:
        self._port.cancel()

    def _reads(self, frames: Iterable[CardFrame]) -> list[CredentialRead]:
        now_s = time.monotonic()
        return [
            CredentialRead(device=self.name, scheme=frame.scheme, value=frame.value, read_mono_s=now_s)
            for frame in frames
            if self._presence.is_new(f"{frame.scheme}:{frame.value}", now_s=now_s)
        ]


class _ListeningReader(SerialReader):
    """A reader that speaks by itself when a card comes. Its silence says nothing about its health."""

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        self._parser = self._new_parser()

    @abc.abstractmethod
    def _new_parser(self) -> Rdm6300Frames | StxLrcFrames | LineFrames: ...

    def open(self) -> Info:
        self._parser = self._new_parser()
        return super().open()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        return self._reads(self._parser.feed(self._port.read(timeout_s)))


class Rdm6300Reader(_ListeningReader):
    """125 kHz ID cards (EM4100), 9600 8N1. The module repeats its frame while the tag stays."""

    schemes = ("rdm6300",)

    def _new_parser(self) -> Rdm6300Frames:
        return Rdm6300Frames()


class StxLrcReader(_ListeningReader):
    """Wiegand readers with an RS232 output, 9600 8N1. The number is a spelling, to be looked up by its candidates."""

    schemes = ("stxlrc",)

    def _new_parser(self) -> StxLrcFrames:
        return StxLrcFrames()


class LineReader(_ListeningReader):
    """QR and barcode scanners (`as=qr`, the default) and converters that send printed numbers (`as=number`)."""

    schemes = ("lines",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"baud": 9600, "as": "qr"}

    def _new_parser(self) -> LineFrames:
        scheme = str(self._settings["as"])
        if scheme not in ("qr", "number"):
            raise Misconfigured(f"{self.url}: as={scheme} is unknown; write as=qr or as=number")
        return LineFrames(scheme=scheme)

    def open(self) -> Info:
        self._heard_s = time.monotonic()
        return super().open()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        assert isinstance(self._parser, LineFrames)
        data = self._port.read(min(timeout_s, LINE_PAUSE_S) if self._parser.buffered else timeout_s)
        silent_s = time.monotonic() - self._heard_s
        if not data:
            paused = self._parser.buffered > 0 and silent_s >= LINE_PAUSE_S
            return self._reads(self._parser.pause()) if paused else []
        if silent_s >= LINE_ABANDONED_S:
            self._parser.reset()
        self._heard_s = time.monotonic()
        return self._reads(self._parser.feed(data))


class M7941Reader(SerialReader):
    """7941W/7941D modules for both frequencies: asked, they answer. `ask=uid` or `ask=em4100` asks for one only."""

    schemes = ("m7941",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"baud": 9600, "ask": ("uid", "em4100")}
    _codes: ClassVar[dict[str, int]] = {"uid": 0x10, "em4100": 0x15}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        asked = self._settings["ask"]
        assert isinstance(asked, tuple)
        if not asked or not set(asked) <= set(self._codes):
            raise Misconfigured(f"{url}: ask={','.join(asked)} is unknown; write ask=uid, ask=em4100 or both")
        self._questions = itertools.cycle([m7941_command(self._codes[kind]) for kind in asked])
        self._parser = M7941AnswerFrames()
        self._cancelled = threading.Event()
        self._unanswered = 0

    def open(self) -> Info:
        info = super().open()
        self._cancelled.clear()
        self._unanswered = 0
        if not any(self._ask(ANSWER_WAIT_S) for _ in range(UNANSWERED_LIMIT)):  # it may still be waking up
            self.close()
            raise DeviceLost(f"{self._port.path}: no 7941 module answers; check its power and baud=")
        return info

    def cancel(self) -> None:
        self._cancelled.set()
        super().cancel()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        """A question that was asked is waited for, whatever the time: an answer that nobody hears is a lost tap."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            card = self._look()
            reads = self._reads([card] if card else [])
            left_s = deadline_s - time.monotonic()
            if reads or left_s < ANSWER_WAIT_S or self._cancelled.wait(ASK_PAUSE_S):
                self._cancelled.clear()
                return reads

    def _look(self) -> CardFrame | None:
        answer = self._ask(ANSWER_WAIT_S)
        if answer is not None:
            self._unanswered = 0
            return m7941_card(answer)
        self._unanswered += 1
        if self._unanswered >= UNANSWERED_LIMIT:
            raise DeviceLost(f"{self._port.path}: the 7941 module no longer answers; check its power and cable")
        return None

    def _ask(self, wait_s: float) -> M7941Answer | None:
        self._parser.reset()
        self._port.drain()  # a late answer belongs to the question before
        self._port.write(next(self._questions))
        deadline_s = time.monotonic() + wait_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            answers = self._parser.feed(self._port.read(left_s))
            if answers:
                return answers[-1]
        return None
