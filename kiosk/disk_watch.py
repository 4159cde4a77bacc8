"""Looks at the gate's disk once a second: pictures that have stopped, a ballast that was given up, room that is back.

It makes the ballast and tells the core what people must know; it deletes nothing. What stops first is said in
`docs/operating.md`: pictures, then the ballast goes, and only then the record itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kiosk.ballast import Ballast
from kiosk.core.commands import DiskSeen
from kiosk.core.decisions import Answer, Reason
from kiosk.core.disk import LAST, LOW
from kiosk.snapshots import used_share_of_disk

EASE: Final = 0.02  # below the mark by so much before all is well again: a disk at the mark does not flutter

Submit = Callable[[DiskSeen, Callable[[Any], None]], None]


class DiskWatch:
    """One for each gate, asked by the thread that looks at everything else outside."""

    def __init__(
        self, *, state: Path, ballast: Ballast, pictures_stop_at: float, submit: Submit,
        used_share: Callable[[Path], float] = used_share_of_disk,
    ) -> None:  # fmt: skip
        self._state, self._ballast, self._stop_at = state, ballast, pictures_stop_at
        self._submit, self._used_share = submit, used_share
        self._level = ""
        self._told: DiskSeen | None = None  # the last word that was taken; what a full disk refused is said again

    def look(self) -> None:
        """A disk that cannot even be asked is said by whoever writes to it."""
        self._ballast.make()
        try:
            share = self._used_share(self._state)
        except OSError:
            return
        self._level = self._level_at(share)
        seen = DiskSeen(level=self._level, used_percent=int(share * 100))
        if seen != self._told:
            self._submit(seen, lambda answer: self._taken(seen, answer))

    def _level_at(self, share: float) -> str:
        if self._ballast.missing:
            return LAST
        mark = self._stop_at - (EASE if self._level else 0)
        return LOW if share >= mark else ""

    def _taken(self, seen: DiskSeen, answer: Answer) -> None:
        if answer.decision.reason == Reason.DONE:
            self._told = seen
