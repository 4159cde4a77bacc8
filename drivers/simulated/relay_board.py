"""A simulated LCUS relay board on a pseudo terminal. It records what its contacts did and when.

Physics: it answers nothing; it lives off the USB plug, so that pulling it opens every contact. Faults: `jam` (the
contact no longer moves), `miss` (noise eats the next commands), `unplug`, `replug`, `silence`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from drivers.serial_frames import LcusFrames
from drivers.simulated.contacts import ContactChange, Contacts
from drivers.simulated.pty_device import PtyDevice
from drivers.simulated.pty_wire import PtyWire

__all__ = ["ContactChange", "SimulatedRelayBoard"]

BAUD = 9600


class SimulatedRelayBoard(PtyDevice, Contacts):
    """An LCUS board. It hears, and moves its contacts."""

    verbs: ClassVar[tuple[str, ...]] = ("jam", "miss", "silence", "unplug", "replug")

    def __init__(self, *, link: Path | None = None, channels: int = 2) -> None:
        super().__init__(channels)
        self._missed_left = 0
        self._parser = LcusFrames()
        self.wire = PtyWire(baud=BAUD, link=link, on_bytes=self._hear)

    @property
    def url(self) -> str:
        return f"lcus:{self.wire.path}?channels={len(self.state)}"

    def miss(self, commands: int) -> None:
        """Noise on the line eats the next commands."""
        self._missed_left = commands

    def unplug(self) -> None:
        """Pull the plug: without power every contact opens."""
        self.wire.unplug()
        for channel in self.state:
            self._move(channel, on=False)

    def replug(self) -> None:
        """Plug it in again."""
        self._parser.reset()
        self.wire.replug()

    def _hear(self, data: bytes) -> None:
        for frame in self._parser.feed(data):
            if self._missed_left > 0:
                self._missed_left -= 1
            else:
                self._commanded(frame.channel, on=frame.on)
