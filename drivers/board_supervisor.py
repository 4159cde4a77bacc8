"""The threads of contacts that listen: a board that switches and senses in one, and a sensor that only senses.

One board has one owner: its pulses and its looks at the inputs take turns on one thread, a pulse always first. Who went
through is decided elsewhere: a passage is only put into an inbox.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.errors import Misconfigured
from drivers.protocols import Driver, Passage, PassageSensor
from drivers.supervisor import POLL_S, DeviceSupervisor, OnHealth, Patience, RelaySupervisor

LOOK_S = 0.03  # a turn signal lasts a tenth of a second or more

USUAL = Patience()

OnPassage = Callable[[Passage], None]


class BoardSupervisor(RelaySupervisor):
    """A `Relay` that is a `PassageSensor` as well. `on_passage` gets every passage, on this device's thread."""

    def __init__(self, driver: Driver, *, on_passage: OnPassage, on_health: OnHealth, patience: Patience = USUAL) -> None:
        super().__init__(driver, on_health=on_health, patience=patience)
        if not isinstance(driver, PassageSensor):
            raise Misconfigured(f"{driver.name}: {driver.url} has no inputs")
        self._sensor, self._on_passage = driver, on_passage

    def _until_next_duty_s(self) -> float:
        return min(LOOK_S, super()._until_next_duty_s())

    def _look(self) -> None:
        """A look at the inputs says as well that the board is there."""
        for passage in self._sensor.poll(0.0):
            self._on_passage(passage)


class PassageSupervisor(DeviceSupervisor[PassageSensor]):
    """A sensor without contacts of its own."""

    def __init__(self, driver: Driver, *, on_passage: OnPassage, on_health: OnHealth, patience: Patience = USUAL) -> None:
        if not isinstance(driver, PassageSensor):
            raise Misconfigured(f"{driver.name}: {driver.url} senses no passages")
        super().__init__(driver, on_health=on_health, patience=patience)
        self._on_passage = on_passage

    def _serve(self) -> None:
        for passage in self.driver.poll(POLL_S):
            self._on_passage(passage)
