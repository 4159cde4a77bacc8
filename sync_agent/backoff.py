"""How long to wait after a failure: full jitter, so that gates that lost a server together do not return together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
_MOST_DOUBLINGS: Final = 16


class Backoff:
    """Pauses between 0 and a ceiling that doubles from `first_s` to `longest_s`. uniform: random.Random().uniform."""

    def __init__(
        self,
        *,
        uniform: Callable[[float, float], float],
        first_s: float = FIRST_PAUSE_S,
        longest_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self._uniform, self._first_s, self._longest_s = uniform, first_s, longest_s
        self.failures = 0

    def pause_s(self, *, retry_after_s: float | None = None) -> float:
        """Counts one failure. A server's own wish is waited for in full, with the jitter on top."""
        ceiling_s = min(self._longest_s, self._first_s * 2.0 ** min(self.failures, _MOST_DOUBLINGS))
        self.failures += 1
        return (retry_after_s or 0.0) + self._uniform(0.0, ceiling_s)

    def succeeded(self) -> None:
        self.failures = 0
