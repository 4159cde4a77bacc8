"""The thread of a loudspeaker: the newest thing to say counts, what it interrupts is not made up for.

Its callers hand over what makes the clip and go on; nobody waits for sound, and a speaker that is down says nothing later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from drivers.errors import Misconfigured
from drivers.protocols import Driver, Health, Speaker
from drivers.supervisor import POLL_S, DeviceSupervisor, OnHealth, Patience

log = logging.getLogger(__name__)

STALE_S = 1.0  # an answer that comes later than that belongs to somebody who has walked on
LOOK_EVERY_S = 20.0  # a loudspeaker that nobody uses is tried this often
USUAL = Patience()


class _Words(NamedTuple):
    make: Callable[[], bytes]
    asked_mono_s: float


class SpeakerSupervisor(DeviceSupervisor[Speaker]):
    def __init__(self, driver: Driver, *, on_health: OnHealth, patience: Patience = USUAL) -> None:
        if not isinstance(driver, Speaker):
            raise Misconfigured(f"{driver.name}: {driver.url} is no loudspeaker")
        super().__init__(driver, on_health=on_health, patience=patience)
        self._next: _Words | None = None
        self._changed = threading.Condition()
        self._looked_mono_s = 0.0

    def say(self, make: Callable[[], bytes]) -> bool:
        """Say soon what `make` gives as a WAV clip; it is called on the device's thread. Thread-safe, returns at once.

        What waits or plays gives way. False when the speaker is not there: nothing is said later.
        """
        with self._changed:
            if self.health is not Health.OK:
                return False
            self._next = _Words(make, time.monotonic())
            self._changed.notify()
        self.driver.cancel()
        return True

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _opened(self) -> None:
        with self._changed:
            self._next = None
        self._looked_mono_s = time.monotonic()

    def _serve(self) -> None:
        idle = self.driver.poll(0.0)
        with self._changed:
            if self._next is None and idle and not self._stopping.is_set():
                self._changed.wait(POLL_S)
            words, self._next = self._next, None
        now_s = time.monotonic()
        if words is None and idle and now_s - self._looked_mono_s > LOOK_EVERY_S:
            self._looked_mono_s = now_s
            self.driver.ping()
        elif words is None:
            self.driver.poll(POLL_S)
        elif now_s - words.asked_mono_s > STALE_S:
            log.warning("device %s: a sound came too late and was dropped", self.name)
        else:
            self.driver.play(words.make())
