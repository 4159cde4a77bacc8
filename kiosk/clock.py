"""The only module that reads a clock; it knows whether the clock can be trusted, and why not.

A gate computer often has no battery behind its clock: after a power cut it may wake up in 1970, or an
hour behind, or a year ahead. Lateness and release windows may not be judged by such a clock, so every reader of the time
can ask `trusted()`. Nothing here sets the clock, and nothing here sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

FIRST_YEAR, LAST_YEAR = 2026, 2099  # years in which this software can honestly be running
MAX_STEP_MS = 30_000  # what time servers slew or step without anybody noticing; more is a step
FAR_AHEAD_MS = 200 * 86_400_000  # of the records at a start: longer than a gate stands still over any holiday
RE_ANCHOR_MS = 60_000  # so that slow, honest slewing never adds up to a step
_NS_PER_MS = 1_000_000
_TIMEX_BYTES = 512  # struct timex is 208 bytes on Linux
_TIME_ERROR = 5  # "clock not synchronised"


class Clock(Protocol):
    """What the rest of the product may ask of a clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...

    def trusted(self) -> bool:
        """Whether lateness and windows may be judged by it."""
        ...

    def reason(self) -> str:
        """Why it is not trusted: implausible_year, behind_records, ahead_of_records, stepped:+3600000; "" when it is."""
        ...


def _steady_ns() -> int:
    """Time since boot. Unlike the monotonic clock it goes on while the computer sleeps, where the system has it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


def steady_s() -> float:
    """For durations and time-outs only: seconds that never step, from an arbitrary start."""
    return time.perf_counter()


def kept_by_time_server() -> bool:
    """Whether the kernel says that a time server keeps the clock (adjtimex(2)); False where it cannot be asked."""
    import ctypes

    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    asked = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes = 0: only asks
    return int(adjtimex(asked)) not in (-1, _TIME_ERROR)


class SystemClock:
    """The computer's clock, watched against the time since boot.

    not_before_ms: the latest trusted time in the journal, 0 without one; a clock behind it is wrong, and so is one that is far
    ahead of it at the start, unless the system says that a time server keeps it. Safe from any thread.
    A step away makes the clock untrusted until it steps back, until it steps out of an implausible time
    (a time server has set it), until the system says that a time server keeps it, or until `confirm()`.
    """

    def __init__(
        self,
        *,
        not_before_ms: int = 0,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = _steady_ns,
        kept: Callable[[], bool] = lambda: kept_by_time_server(),
    ) -> None:
        self._wall_ns, self._steady_ns, self._kept = wall_ns, steady_ns, kept
        self._not_before_ms = not_before_ms
        self._lock = threading.Lock()
        self._stepped_ms = 0
        self._anchor_wall_ms = wall_ns() // _NS_PER_MS
        self._far_ahead = bool(not_before_ms) and self._anchor_wall_ms - not_before_ms > FAR_AHEAD_MS
        self._anchor_steady_ms = steady_ns() // _NS_PER_MS

    def now_ms(self) -> int:
        with self._lock:
            return self._look()

    def trusted(self) -> bool:
        return not self.reason()

    def reason(self) -> str:
        with self._lock:
            now_ms = self._look()
            if implausible := self._implausible(now_ms):
                if implausible == "implausible_year" or not self._kept():
                    return implausible
                self._not_before_ms, self._far_ahead = 0, False  # the clock is right, and the records were not
            if abs(self._stepped_ms) > MAX_STEP_MS and self._kept():
                self._stepped_ms = 0  # the step was the correction
            return f"stepped:{self._stepped_ms:+d}" if abs(self._stepped_ms) > MAX_STEP_MS else ""

    def confirm(self) -> None:
        """A person, or a time server, vouches for the present time."""
        with self._lock:
            self._anchor(self._wall_ns() // _NS_PER_MS, self._steady_ns() // _NS_PER_MS)
            self._stepped_ms = 0

    def _look(self) -> int:
        """Reads both clocks and notices a step between this look and the one before."""
        wall_ms, steady_ms = self._wall_ns() // _NS_PER_MS, self._steady_ns() // _NS_PER_MS
        passed_ms = steady_ms - self._anchor_steady_ms
        step_ms = wall_ms - self._anchor_wall_ms - passed_ms
        if abs(step_ms) > MAX_STEP_MS:
            was_wrong = bool(self._implausible(self._anchor_wall_ms + passed_ms))
            now_right = not self._implausible(wall_ms)
            self._stepped_ms = 0 if was_wrong and now_right else self._stepped_ms + step_ms
            self._far_ahead = self._far_ahead and not now_right
            self._anchor(wall_ms, steady_ms)
        elif passed_ms > RE_ANCHOR_MS:
            self._anchor(wall_ms, steady_ms)
        return wall_ms

    def _anchor(self, wall_ms: int, steady_ms: int) -> None:
        self._anchor_wall_ms, self._anchor_steady_ms = wall_ms, steady_ms

    def _implausible(self, now_ms: int) -> str:
        if not _FIRST_MS <= now_ms < _END_MS:
            return "implausible_year"
        if self._far_ahead and now_ms > self._not_before_ms + FAR_AHEAD_MS:
            return "ahead_of_records"
        return "behind_records" if now_ms < self._not_before_ms - MAX_STEP_MS else ""


class ScaledClock:
    """Runs `speed` times as fast as real time from `start_ms`: the demo's clock."""

    def __init__(self, *, start_ms: int, speed: float = 1.0, steady_ns: Callable[[], int] = _steady_ns) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._start_ms, self._speed, self._steady_ns = start_ms, speed, steady_ns
        self._began_ns = steady_ns()

    def now_ms(self) -> int:
        return self._start_ms + int((self._steady_ns() - self._began_ns) * self._speed) // _NS_PER_MS

    def trusted(self) -> bool:
        return True

    def reason(self) -> str:
        return ""


class FixedClock:
    """Stands still until it is told: the clock of tests and of the simulator."""

    def __init__(self, at_ms: int) -> None:
        self._at_ms, self._reason = at_ms, ""

    def now_ms(self) -> int:
        return self._at_ms

    def trusted(self) -> bool:
        return not self._reason

    def reason(self) -> str:
        return self._reason

    def advance(self, by_ms: int) -> int:
        """Moves on by `by_ms` (negative: a clock that jumps back) and returns the new time."""
        self._at_ms += by_ms
        return self._at_ms

    def set(self, at_ms: int) -> None:
        self._at_ms = at_ms

    def distrust(self, reason: str) -> None:
        """From now on untrusted for `reason`; "" makes it trusted again."""
        self._reason = reason


def _year_ms(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)


_FIRST_MS, _END_MS = _year_ms(FIRST_YEAR), _year_ms(LAST_YEAR + 1)
