"""What happened, line by line, as a person wants to read it when something went wrong. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kiosk.core.decisions import Decision
from kiosk.simulation.fleet.plan import DAY_MS, MINUTE_MS


class Line(NamedTuple):
    at_ms: int
    gate: str
    what: str
    came_of_it: str

    def __str__(self) -> str:
        day, rest = divmod(self.at_ms, DAY_MS)
        minutes, rest_ms = divmod(rest, MINUTE_MS)
        clock = f"day {day + 1} {minutes // 60:02d}:{minutes % 60:02d}:{rest_ms // 1000:02d}"
        return f"{clock}  {self.gate:8} {self.what:44} {self.came_of_it}".rstrip()


def told(commands: Iterable[Any], decisions: list[Decision]) -> tuple[str, str]:
    """What was pressed, and what was answered."""
    pressed = ", ".join(_words(command) for command in commands)
    answers = ", ".join(f"{d.outcome} {d.reason}" + "".join(f" +{fact.kind}" for fact in d.facts) for d in decisions)
    return pressed, answers or "off"


def _words(command: Any) -> str:
    shown = {
        name: getattr(command, name)
        for name in ("access_point", "value", "nonce", "children", "child", "collector", "handover", "release", "what", "roster")
        if getattr(command, name, None)
    }
    given = " ".join(str(value) for value in shown.values())
    return f"{type(command).__name__} {given}".rstrip()
