"""What every simulated device on a pseudo terminal can suffer: its cable's faults, and being closed.

A device with a `wire` says only what is different: what its contacts do when the plug is pulled, or what it forgets without
power. It knows no protocol.
"""

from __future__ import annotations

from typing import ClassVar, Self

from drivers.simulated.pty_wire import PtyWire


class PtyDevice:
    """`noise` is what this device's line looks like when it is disturbed."""

    noise: ClassVar[bytes] = bytes(range(0x80, 0xA0))
    wire: PtyWire

    def garbage(self, data: bytes = b"") -> None:
        """Noise on the line."""
        self.wire.send(data or self.noise)

    def silence(self, silent: bool) -> None:
        """Plugged in: it takes everything and says nothing."""
        self.wire.silence(silent)

    def slow(self, byte_gap_s: float) -> None:
        """Pause so long after every byte."""
        self.wire.slow(byte_gap_s)

    def unplug(self) -> None:
        """Pull the plug."""
        self.wire.unplug()

    def replug(self) -> None:
        """Plug it in again."""
        self.wire.replug()

    def close(self) -> None:
        self.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
