"""What happened, line by line, as a person wants to read it when something went wrong. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kiosk.core.decisions import Decision
from kiosk.simulation.fleet.plan import DAY_MS, MINUTE_MS

_SHOWN = ("access_point", "value", "nonce", "children", "child", "collector", "handover", "release", "what", "roster")


class Line(NamedTuple):
    """Words, or the commands that were pressed in one turn and what was answered. Put into words only when somebody reads it."""

    at_ms: int
    gate: str
    what: str | Sequence[object]
    came_of_it: str | Sequence[Decision]

    def __str__(self) -> str:
        day, rest = divmod(self.at_ms, DAY_MS)
        minutes, rest_ms = divmod(rest, MINUTE_MS)
        clock = f"day {day + 1} {minutes // 60:02d}:{minutes % 60:02d}:{rest_ms // 1000:02d}"
        what = self.what if isinstance(self.what, str) else ", ".join(map(_pressed, self.what))
        came = self.came_of_it if isinstance(self.came_of_it, str) else ", ".join(map(_answered, self.came_of_it))
        return f"{clock}  {self.gate:8} {what:44} {came}".rstrip()


def _pressed(command: object) -> str:
    given = [str(getattr(command, name)) for name in _SHOWN if getattr(command, name, None)]
    return " ".join((type(command).__name__, *given))


def _answered(decision: Decision) -> str:
    return f"{decision.outcome} {decision.reason}" + "".join(f" +{fact.kind}" for fact in decision.facts)
