"""Makes a failing history small: events are left out and the same seed is played again, as long as the same invariant breaks.

Delta debugging (Zeller and Hildebrandt, 2002) over the events of the plan. An event carries all its chance with it, so what is
left behaves as it did. Stops after so many tries: a history that is small enough to read is the aim, not the smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kiosk.simulation.fleet.plan import Event
from kiosk.simulation.fleet.running import Outcome

MOST_TRIES = 300

Play = Callable[[Sequence[Event]], Outcome]


def minimised(play: Play, events: Sequence[Event], found: Outcome, most_tries: int = MOST_TRIES) -> tuple[list[Event], Outcome]:
    """The events that are left, and what came of them: the same invariant, broken."""
    search = _Search(play, found, most_tries)
    left, pieces = list(events[: found.played]), 2
    while len(left) >= 2 and not search.over:
        size = max(1, len(left) // pieces)
        shorter = next(
            (kept for start in range(0, len(left), size) if search.breaks(kept := left[:start] + left[start + size :])), None
        )
        if shorter is not None:
            left, pieces = shorter, max(pieces - 1, 2)
        elif size == 1:
            break
        else:
            pieces = min(pieces * 2, len(left))
    return left, search.found


class _Search:
    def __init__(self, play: Play, found: Outcome, most_tries: int) -> None:
        self._play, self.found, self._tries_left = play, found, most_tries

    @property
    def over(self) -> bool:
        return self._tries_left <= 0

    def breaks(self, events: Sequence[Event]) -> bool:
        """Whether the same invariant breaks with these events alone."""
        if self.over:
            return False
        self._tries_left -= 1
        outcome = self._play(events)
        if outcome.invariant != self.found.invariant:
            return False
        self.found = outcome
        return True
