"""One gate whose clock is turned by hand and whose loop turns once for every press. Nothing of the gate is replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiosk.clock import FixedClock
from kiosk.controller import Controller
from kiosk.core.commands import Tick
from kiosk.core.decisions import Answer, Outcome
from kiosk.core.people import Directory
from kiosk.core.world import World
from kiosk.opening import open_gate
from kiosk.settings import Settings

MINUTE_MS = 60_000


class HandGate:
    """`violations`: every press that was refused against the script, and every child without a custodian, in words."""

    def __init__(self, *, settings: Settings, directory: Directory, state: Path, start_ms: int) -> None:
        self.clock = FixedClock(start_ms)
        self._gate: Controller = open_gate(settings=settings, directory=directory, state=state, clock=self.clock)
        self.steps, self.violations = 0, list[str]()

    @property
    def world(self) -> World:
        return self._gate.world

    def press(self, command: Any) -> Answer:
        """Gives a command and returns the answer to it, durable by then."""
        answers = list[Answer]()
        self._gate.submit(command, answers.append)
        self._gate.turn(self._gate.inbox.take_all(0))
        self.steps += 1
        return answers[0]

    def must(self, command: Any) -> Answer:
        """A press that the script expects to go through; anything else is a violation."""
        answer = self.press(command)
        decision = answer.decision
        if decision.outcome is Outcome.REFUSED:
            at = self.clock.now_ms()
            self.violations.append(f"{at} {type(command).__name__} refused: {decision.reason} {decision.detail} {command}")
        return answer

    def until(self, at_ms: int) -> None:
        """Lets time pass, a tick a minute, and looks at everybody each time."""
        while self.clock.now_ms() + MINUTE_MS <= at_ms:
            self.clock.advance(MINUTE_MS)
            self.press(Tick())
            self._look()
        self.clock.set(max(at_ms, self.clock.now_ms()))

    def _look(self) -> None:
        staff = self.world.directory.staff
        for child, state in self.world.campus.on_campus():
            if state.hold.custodian not in staff:
                self.violations.append(f"{self.clock.now_ms()} child {child} is held by {state.hold.custodian}")

    def close(self) -> None:
        self._gate.journal.close()
