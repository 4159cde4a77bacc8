"""Finds the one entry that breaks the server, by halves. Pure: it is told what failed and says how much to send.

The range that broke the server is remembered; half of what is left of it is sent each time. An entry that
alone broke the server `STRIKES` times is sent once more with the wish to be stored unread. Nothing is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass

STRIKES = 3  # a single entry is only suspected of so much; below that it may have been the weather


@dataclass(frozen=True, slots=True)
class Bisection:
    """suspect_through: the last entry of the range that broke the server; 0: nothing is suspected."""

    suspect_through: int = 0
    strikes: int = 0

    def size(self, *, cursor: int, most: int) -> int:
        """How many entries to send after `cursor`."""
        left = self.suspect_through - cursor
        return min(most, max(1, left // 2)) if left > 0 else most

    @property
    def unread(self) -> bool:
        """Whether the next (single) entry is to be stored without being opened."""
        return self.strikes >= STRIKES

    def broke(self, *, first_seq: int, count: int) -> Bisection:
        """The server broke on this batch and did not store it."""
        strikes = self.strikes + 1 if count == 1 and self.suspect_through == first_seq else int(count == 1)
        return Bisection(first_seq + count - 1, strikes)

    def stored(self, *, through: int) -> Bisection:
        """Everything up to `through` is stored."""
        return Bisection() if through >= self.suspect_through else Bisection(self.suspect_through, 0)
