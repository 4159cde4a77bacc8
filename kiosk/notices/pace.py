"""When a message may go: limits that the platforms set, back-off after a failure, and moments that are not :00 or :30.

Arithmetic only. Chance comes from a seed, so that a test and a gate that restarts get the same moments.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Final

BACK_OFF_LEAST_S: Final = 60.0
BACK_OFF_MOST_S: Final = 15 * 60.0
HALF_HOUR_MS: Final = 30 * 60_000
KEEP_AWAY_MS: Final = 20_000  # from :00 and :30, when every program of the country sends (Feishu answers 11232)
JITTER_MS: Final = 90_000
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `messages` in any `window_s` seconds."""

    messages: int
    window_s: float


class Pace:
    """The messages of one robot against its limits.

    It counts a sliding window. A bucket that refills lets almost twice its size through in the first minute, which the
    platforms count as too fast. Times are seconds of a clock that never steps.
    """

    def __init__(self, limits: tuple[Limit, ...], sent_s: tuple[float, ...] = ()) -> None:
        self._limits = limits
        self._longest_s = max((limit.window_s for limit in limits), default=0.0)
        self._sent: deque[float] = deque(sorted(sent_s))

    def wait_s(self, now_s: float) -> float:
        """How long until the next message may go; 0 when it may go now."""
        while self._sent and self._sent[0] <= now_s - self._longest_s:
            self._sent.popleft()
        waits = [0.0]
        for limit in self._limits:
            within = [at for at in self._sent if at > now_s - limit.window_s]
            if len(within) >= limit.messages:
                waits.append(within[-limit.messages] + limit.window_s - now_s)
        return max(waits)

    def took(self, now_s: float) -> None:
        """A message went, accepted or not: platforms count both."""
        self._sent.append(now_s)


def share(seed: str, *what: object) -> float:
    """A number in 0 <= x < 1 that looks like chance and is the same for the same seed and words."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def back_off_s(failures: int, luck: float) -> float:
    """Full jitter between one minute and a bound that doubles, at most a quarter of an hour. `failures` counts from 1."""
    bound_s = min(BACK_OFF_MOST_S, BACK_OFF_LEAST_S * 2.0 ** min(failures, 10))
    return BACK_OFF_LEAST_S + luck * (bound_s - BACK_OFF_LEAST_S)


def away(at_ms: int) -> int:
    """The moment itself, or one just after :00 or :30 when it is too near to them."""
    past_ms = at_ms % HALF_HOUR_MS
    if past_ms < KEEP_AWAY_MS:
        return at_ms - past_ms + KEEP_AWAY_MS
    if past_ms > HALF_HOUR_MS - KEEP_AWAY_MS:
        return at_ms - past_ms + HALF_HOUR_MS + KEEP_AWAY_MS
    return at_ms


def digest_due_ms(after_ms: int, times_min: tuple[int, ...], *, utc_offset_ms: int, seed: str, target: str) -> int:
    """The first digest of a target that goes after `after_ms`. `times_min`: minutes since local midnight, one at least.

    Each is moved by up to 90 s either way, and never stands at :00 or :30.
    """
    midnight_ms = (after_ms + utc_offset_ms) // DAY_MS * DAY_MS - utc_offset_ms
    moments = [
        _jittered(midnight_ms + day * DAY_MS + at_min * 60_000, seed, target) for day in (-1, 0, 1) for at_min in times_min
    ]
    return min(moment for moment in moments if moment > after_ms)


def _jittered(at_ms: int, seed: str, target: str) -> int:
    luck = share(seed, "digest", target, at_ms)
    sign = 1 if luck >= 0.5 else -1
    return away(at_ms + sign * int(KEEP_AWAY_MS + (luck * 2 % 1) * (JITTER_MS - KEEP_AWAY_MS)))
