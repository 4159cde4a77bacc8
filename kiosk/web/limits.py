"""How often somebody may do something: token buckets with a bounded memory. Reads no clock."""

from __future__ import annotations

MAX_KEYS = 10_000  # then the bucket that was used longest ago is forgotten


class RateLimit:
    """`burst` at once, then `per_s` a second, for each key."""

    def __init__(self, *, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, float(burst)
        self._buckets: dict[str, tuple[float, float]] = {}  # key -> (left, when), oldest use first

    def allows(self, key: str, *, now_s: float) -> bool:
        left, at_s = self._buckets.pop(key, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_s)
        allowed = left >= 1.0
        self._buckets[key] = (left - 1.0 if allowed else left, now_s)
        if len(self._buckets) > MAX_KEYS:
            del self._buckets[next(iter(self._buckets))]
        return allowed

    def give_back(self, key: str) -> None:
        """What was allowed turned out not to count."""
        if key in self._buckets:
            left, at_s = self._buckets[key]
            self._buckets[key] = (min(self._burst, left + 1.0), at_s)
