"""Turn "the card is in the field, again and again" into one presentation.

Readers repeat themselves: an RDM6300 sends its frame every 65 ms, a PN532 finds the same card on every look, a scanner
in continuous mode reads the same code twenty times. A card left lying must not flood the controller. This is not the
controller's rule for repeated taps: a card that leaves and comes back is a new presentation here.
Pure: the caller brings the time.
"""

from __future__ import annotations

MAX_TRACKED = 16  # cards in one field at once; more than a hand can hold. A long-range reader says how many it hears


class PresenceFilter:
    """`is_new()` is True when `key` was not seen during the last `absent_s` seconds."""

    def __init__(self, *, absent_s: float, tracked: int = MAX_TRACKED) -> None:
        self._absent_s, self._tracked = absent_s, tracked
        self._last_seen_s: dict[str, float] = {}

    def is_new(self, key: str, *, now_s: float) -> bool:
        """Call for every sighting. `now_s` is a monotonic time in seconds."""
        last_s = self._last_seen_s.pop(key, None)
        self._last_seen_s[key] = now_s  # re-inserted last: the dict stays in order of sighting
        while len(self._last_seen_s) > self._tracked:
            del self._last_seen_s[next(iter(self._last_seen_s))]
        return last_s is None or now_s - last_s > self._absent_s
