"""The clock chip and the oscillator of one simulated computer; the product's own `SystemClock` watches them.

True time is the world's. What a computer believes differs from it by an offset that steps and drifts; time since boot never
steps. `wrong_since_boot` is what the clock must have noticed: the invariants hold its word against it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from kiosk.clock import FIRST_YEAR, MAX_STEP_MS, SystemClock

_PPM = 1_000_000
_NS_PER_MS = 1_000_000


class ComputerClock:
    """`true_ms`: the world's time. Boot before anybody asks."""

    def __init__(self, true_ms: Callable[[], int]) -> None:
        self._true_ms = true_ms
        self._offset_ms, self._drift_ppm, self._drifts_since_ms = 0, 0, true_ms()
        self._booted_ms, self._stepped_ms = true_ms(), 0
        self.kept = False  # whether the kernel says that a time server keeps the clock
        self.believed = SystemClock(wall_ns=self._wall_ns, steady_ns=self._steady_ns, kept=lambda: self.kept)

    def boot(self, not_before_ms: int) -> SystemClock:
        self._booted_ms, self._stepped_ms, self.kept = self._true_ms(), 0, False
        self.believed = SystemClock(
            not_before_ms=not_before_ms, wall_ns=self._wall_ns, steady_ns=self._steady_ns, kept=lambda: self.kept
        )
        return self.believed

    @property
    def wall_ms(self) -> int:
        """What the chip says, right or wrong."""
        now_ms = self._true_ms()
        return now_ms + self._offset_ms + (now_ms - self._drifts_since_ms) * self._drift_ppm // _PPM

    @property
    def must_be_distrusted(self) -> bool:
        """Years wrong, or stepped away since it was started by more than anybody may overlook, and not set right since."""
        return self.wall_ms < _FIRST_MS or (abs(self._stepped_ms) > 2 * MAX_STEP_MS and not self.kept)

    def step(self, by_ms: int) -> None:
        """Somebody or something sets the clock while the computer runs."""
        surely_right = not self.believed.reason()
        self._settle()
        self._offset_ms += by_ms
        self._stepped_ms = by_ms if surely_right else 0
        self.kept = False

    def drift(self, ppm: int) -> None:
        self._settle()
        self._drift_ppm = ppm

    def forget(self) -> None:
        """The battery is flat and the power was away: the chip starts in 1970."""
        self._offset_ms, self._drifts_since_ms = -self._true_ms(), self._true_ms()

    def mend(self) -> None:
        """A time server sets it and keeps it from now on."""
        self._offset_ms, self._drift_ppm, self._drifts_since_ms = 0, 0, self._true_ms()
        self._stepped_ms, self.kept = 0, True

    def _settle(self) -> None:
        """What has drifted so far becomes part of the offset."""
        now_ms = self._true_ms()
        self._offset_ms += (now_ms - self._drifts_since_ms) * self._drift_ppm // _PPM
        self._drifts_since_ms = now_ms

    def _wall_ns(self) -> int:
        return self.wall_ms * _NS_PER_MS

    def _steady_ns(self) -> int:
        return (self._true_ms() - self._booted_ms) * _NS_PER_MS


_FIRST_MS = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp() * 1000)
