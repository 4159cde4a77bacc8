"""Turns of a turnstile from the state of its contacts: a turn is a contact that becomes active after it has rested.

Pure: the time is handed in. A contact that is active when somebody first looks has turned for nobody, and a contact that
bounces while it opens has not turned again.
"""

from __future__ import annotations

from collections.abc import Mapping

REST_S = 0.2  # nobody goes through a turnstile twice in that time; a contact bounces for less


class TurnFilter:
    """`look` is told what is active now, and gives the inputs that have turned since the last look."""

    def __init__(self) -> None:
        self._active_until_s: dict[int, float] = {}
        self._active: dict[int, bool] = {}

    def look(self, active: Mapping[int, bool], *, now_s: float) -> list[int]:
        turned = [
            number
            for number, is_active in active.items()
            if is_active and self._active.get(number) is False and now_s - self._active_until_s.get(number, -REST_S) >= REST_S
        ]
        self._active_until_s.update({number: now_s for number, is_active in active.items() if is_active})
        self._active.update(active)
        return turned
