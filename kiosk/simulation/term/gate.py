"""The gate of a played term: presses of one minute are decided one by one and share a turn, as the loop does when many wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiosk.controller import BATCH_LIMIT, CHECKPOINT_BYTES
from kiosk.core.commands import Tick
from kiosk.core.decisions import Answer, Outcome
from kiosk.simulation.hand_gate import MINUTE_MS, HandGate

TICK_EVERY_MS = 10 * MINUTE_MS  # at the longest; whoever waits for the ladder asks for a tick of its own
QUIET_MS = 30 * MINUTE_MS  # between two ticks of an hour in which nobody does anything
LOOK_EVERY_MS = 20 * MINUTE_MS


class TermGate(HandGate):
    """`until` is coarser than a day's own: a term has a hundred of them."""

    ticked_ms = looked_ms = 0

    def all_of(self, commands: Iterable[Any]) -> list[Answer]:
        """Presses of one moment, in order; each is expected to go through. Their answers, all durable."""
        given = list(commands)
        answers = list[Answer]()
        for start in range(0, len(given), BATCH_LIMIT):
            for command in given[start : start + BATCH_LIMIT]:
                self._gate.submit(command, answers.append)
            self._gate.turn(self._gate.inbox.take_all(0))
        self.steps += len(given)
        for command, answer in zip(given, answers, strict=True):
            decision = answer.decision
            if decision.outcome is Outcome.REFUSED:
                self._against(f"{type(command).__name__} refused: {decision.reason} {decision.detail} {command}")
        return answers

    def _against(self, what: str) -> None:
        self.violations.append(f"{self.world.day} {self.clock.now_ms()} {what}")

    def until(self, at_ms: int, *, tick: bool = False) -> None:
        """Lets time pass. tick: whatever is due at that moment has happened when this returns."""
        step_ms = QUIET_MS if at_ms - self.clock.now_ms() > QUIET_MS else TICK_EVERY_MS
        while self.ticked_ms + step_ms < at_ms:
            self._tick(self.ticked_ms + step_ms)
        if tick:
            self._tick(at_ms)
        self.clock.set(max(at_ms, self.clock.now_ms()))

    def night_until(self, at_ms: int) -> None:
        """From the close of one day to the next morning: nobody is here, so one tick turns the page."""
        self._tick(at_ms)
        if self._gate.journal.log_bytes > CHECKPOINT_BYTES:
            self._gate.journal.checkpoint()

    def _tick(self, at_ms: int) -> None:
        self.clock.set(max(at_ms, self.clock.now_ms()))
        self.ticked_ms = self.clock.now_ms()
        self.press(Tick())
        if self.ticked_ms >= self.looked_ms + LOOK_EVERY_MS:
            self.looked_ms = self.ticked_ms
            self._look()
