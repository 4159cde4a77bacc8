"""A simulated LCUS relay board on a pseudo terminal. It records what its contacts did and when.

Physics: it answers nothing; it lives off the USB plug, so that pulling it opens every contact. Faults: `jam` (the
contact no longer moves), `miss` (noise eats the next commands), `unplug`, `replug`, `silence`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from drivers.serial_frames import LcusFrames
from drivers.simulated.pty_wire import PtyWire

BAUD = 9600
MAX_HISTORY = 10_000


@dataclass(frozen=True, slots=True)
class ContactChange:
    """One contact closed (`on`) or opened. `at_mono_s` is time.monotonic()."""

    channel: int
    on: bool
    at_mono_s: float


class SimulatedRelayBoard:
    """`.state` says which contacts are closed, `.history` every change, `.frames` how many commands came."""

    verbs: ClassVar[tuple[str, ...]] = ("jam", "miss", "silence", "unplug", "replug")

    def __init__(self, *, link: Path | None = None, channels: int = 2) -> None:
        self.state = dict.fromkeys(range(1, channels + 1), False)
        self.history: deque[ContactChange] = deque(maxlen=MAX_HISTORY)
        self.frames = 0
        self._jammed: set[int] = set()
        self._missed_left = 0
        self._parser = LcusFrames()
        self._moved = threading.Condition()
        self.wire = PtyWire(baud=BAUD, link=link, on_bytes=self._hear)

    @property
    def url(self) -> str:
        return f"lcus:{self.wire.path}?channels={len(self.state)}"

    def wait_for(self, channel: int, on: bool, *, timeout_s: float = 5.0) -> bool:
        """True as soon as the contact is so."""
        with self._moved:
            return self._moved.wait_for(lambda: self.state[channel] == on, timeout_s)

    def wait_for_change(self, channel: int, on: bool, *, timeout_s: float = 5.0) -> bool:
        """True as soon as the contact has moved so at least once, although it may have moved on."""

        def has_moved() -> bool:
            return any(change.channel == channel and change.on == on for change in self.history)

        with self._moved:
            return self._moved.wait_for(has_moved, timeout_s)

    def wait_for_frames(self, count: int, *, timeout_s: float = 5.0) -> bool:
        with self._moved:
            return self._moved.wait_for(lambda: self.frames >= count, timeout_s)

    def jam(self, channel: int, jammed: bool = True) -> None:
        """The contact stays as it is, whatever it is told."""
        (self._jammed.add if jammed else self._jammed.discard)(channel)

    def miss(self, commands: int) -> None:
        """Noise on the line eats the next commands."""
        self._missed_left = commands

    def silence(self, silent: bool) -> None:
        """Plugged in, and does nothing that it is told."""
        self.wire.silence(silent)

    def unplug(self) -> None:
        """Pull the plug: without power every contact opens."""
        self.wire.unplug()
        for channel in self.state:
            self._move(channel, on=False)

    def replug(self) -> None:
        """Plug it in again."""
        self._parser.reset()
        self.wire.replug()

    def close(self) -> None:
        self.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hear(self, data: bytes) -> None:
        for frame in self._parser.feed(data):
            if self._missed_left > 0:
                self._missed_left -= 1
                continue
            self._move(frame.channel, on=frame.on)
            with self._moved:
                self.frames += 1
                self._moved.notify_all()

    def _move(self, channel: int, *, on: bool) -> None:
        if channel not in self.state or channel in self._jammed or self.state[channel] == on:
            return
        with self._moved:
            self.state[channel] = on
            self.history.append(ContactChange(channel, on, time.monotonic()))
            self._moved.notify_all()
