"""The contacts of a simulated relay board: which are closed, what each did and when, and one that is welded shut.

The board that has them decides when they move. Nothing here knows a wire.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

MAX_HISTORY = 10_000


@dataclass(frozen=True, slots=True)
class ContactChange:
    """One contact closed (`on`) or opened. `at_mono_s` is time.monotonic()."""

    channel: int
    on: bool
    at_mono_s: float


class Contacts:
    """`.state` says which contacts are closed, `.history` every change, `.frames` how many commands came."""

    def __init__(self, channels: int) -> None:
        self.state = dict.fromkeys(range(1, channels + 1), False)
        self.history: deque[ContactChange] = deque(maxlen=MAX_HISTORY)
        self.frames = 0
        self._jammed: set[int] = set()
        self._moved = threading.Condition()

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

    def _commanded(self, channel: int, *, on: bool) -> None:
        self._move(channel, on=on)
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
