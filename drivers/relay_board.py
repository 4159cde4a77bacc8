"""LCUS-1/-2/-4 USB relay boards: `lcus:/dev/serial/by-id/...?channels=2`.

The board takes four bytes and answers nothing, so `get()` is always None: only a door sensor proves that a door moved.
Opening the port switches nothing (CH340 boards do not look at DTR). How long a contact stays closed is decided by
`supervisor.RelaySupervisor`, never here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from drivers.device_urls import OptionValue, merged_options, split_url, tty_path
from drivers.errors import Misconfigured
from drivers.protocols import Info, Relay
from drivers.serial_frames import lcus_frame
from drivers.serial_port import SerialPort, stable_tty_paths

MAX_CHANNELS = 8


class LcusRelay(Relay):
    schemes = ("lcus",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"baud": 9600, "channels": 1}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        settings = merged_options(where, options, defaults=self.option_defaults)
        count = int(str(settings["channels"]))
        if not 1 <= count <= MAX_CHANNELS:
            raise Misconfigured(f"{url}: channels={count} is impossible; an LCUS board has 1 to {MAX_CHANNELS}")
        self.channels = tuple(range(1, count + 1))
        self._port = SerialPort(tty_path(where), baud=int(str(settings["baud"])))

    @classmethod
    def discover(cls) -> Iterable[str]:
        return [f"lcus:{path}" for path in stable_tty_paths()]

    def open(self) -> Info:
        self._port.open()
        return Info(model=f"LCUS, {len(self.channels)} channel(s), on {self._port.path}")

    def close(self) -> None:
        self._port.close()

    def cancel(self) -> None:
        self._port.cancel()

    def set(self, channel: int, on: bool) -> None:
        """Raises DeviceLost. That it returns means "sent", not "switched"."""
        assert channel in self.channels, f"{self.name} has no channel {channel}"
        self._port.write(lcus_frame(channel, on))

    def ping(self) -> None:
        self._port.check()
