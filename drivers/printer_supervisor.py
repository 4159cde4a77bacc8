"""Owns a printer: slips are printed one after another, and again as a whole when the printer is back.

A slip that nobody needs any more is given up; nothing here knows what is on it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.errors import Misconfigured
from drivers.escpos import Line
from drivers.protocols import Driver, Printer
from drivers.supervisor import POLL_S, USUAL_PATIENCE, DeviceSupervisor, OnHealth, Patience

log = logging.getLogger(__name__)

MAX_SLIPS = 8
KEEP_SLIP_S = 900.0  # a list that could not be printed for so long is out of date
MAX_TRIES = 20
PRINTER_HANGS_S = 120.0  # a long list on slow paper is one turn
PRINTER_LOOK_S = 5.0  # an idle printer is asked this often whether it could print


@dataclass(slots=True)
class _Slip:
    lines: Callable[[int], Iterable[Line]]
    asked_mono_s: float
    tries: int = 0


class PrinterSupervisor(DeviceSupervisor[Printer]):
    """Prints slips one after another. A slip that failed is kept, and printed again as a whole when the printer is back."""

    hangs_s = PRINTER_HANGS_S

    def __init__(self, driver: Driver, *, on_health: OnHealth, patience: Patience = USUAL_PATIENCE) -> None:
        if not isinstance(driver, Printer):
            raise Misconfigured(f"{driver.name}: {driver.url} is no printer")
        super().__init__(driver, on_health=on_health, patience=patience)
        self._slips: deque[_Slip] = deque()
        self._changed = threading.Condition()
        self._looked_mono_s = 0.0

    @property
    def waiting(self) -> int:
        """Slips that are not on paper yet."""
        return len(self._slips)

    def print(self, lines: Callable[[int], Iterable[Line]]) -> bool:
        """Print soon. Thread-safe, returns at once. `lines(n)` makes the slip for its n-th try, on the device's thread.

        False when too many wait already. A slip waits for a printer that is down, for at most KEEP_SLIP_S.
        """
        with self._changed:
            if len(self._slips) >= MAX_SLIPS:
                return False
            self._slips.append(_Slip(lines, time.monotonic()))
            self._changed.notify()
        return True

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _opened(self) -> None:
        self._looked_mono_s = time.monotonic()

    def _serve(self) -> None:
        with self._changed:
            if not self._slips and not self._stopping.is_set():
                self._changed.wait(POLL_S)
            slip = self._slips[0] if self._slips else None
        now_s = time.monotonic()
        if slip is not None:
            self._print(slip, now_s)
        elif now_s - self._looked_mono_s >= PRINTER_LOOK_S:
            self._looked_mono_s = now_s
            self.driver.ping()

    def _print(self, slip: _Slip, now_s: float) -> None:
        if now_s - slip.asked_mono_s > KEEP_SLIP_S or slip.tries >= MAX_TRIES:
            log.error("device %s: a slip was given up after %d tries; print it again", self.name, slip.tries)
        else:
            slip.tries += 1
            self.driver.print(slip.lines(slip.tries))
        self._slips.popleft()
