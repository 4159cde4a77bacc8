"""The small school with turnstiles that say whether somebody went through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from kiosk.core import commands as c
from kiosk.settings import Settings, load
from tests.support.school import CONFIG, School

BOARD = "board"
POINTS = {"east-in": 1, "east-out": 2, "south-in": 3, "south-out": 4}
WITHIN_S = 8


def with_turnstiles() -> Settings:
    base = load(CONFIG)
    points = {
        key: replace(point, turn_sensor=BOARD, turn_input=POINTS[key], turn_within_s=float(WITHIN_S)) if key in POINTS else point
        for key, point in base.rules.access_points.items()
    }
    return replace(base, rules=replace(base.rules, access_points=points))


def wired(gate: Any) -> None:
    """What the devices of a gate say when they are made and when the board is there."""
    gate.ask(c.WatchTurns(access_points=frozenset(POINTS)))
    gate.ask(c.DeviceChanged(device=BOARD, health="ok"))


class TurnstileSchool(School):
    """Every turnstile has turned once this morning: its sensor is believed."""

    def __init__(self, state: Path, at: str = "07:40") -> None:
        super().__init__(state, at, settings=with_turnstiles())
        wired(self)
        for point in POINTS:
            self.turn(point)

    def turn(self, point: str) -> Any:
        return self.ask(c.Passed(access_point=point))

    def seconds(self, count: float) -> None:
        """Time passes, with the gate's tick every second."""
        for _ in range(round(count)):
            self.clock.advance(1000)
            self.ask(c.Tick())

    def nobody_goes(self) -> None:
        self.seconds(WITHIN_S)
