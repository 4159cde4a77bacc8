"""A serial cable with a simulated device at its end: a pseudo terminal behind a stable link.

It obeys a cable's physics: a host at another speed gets garbage, bytes that nobody takes are lost, pulling the plug
hangs the host up and removes the path. Its faults are asked for: `unplug`, `replug`, `silence`, `slow`, garbage through
`send`. It knows no protocol; a device passes in what it does with bytes and with time.
"""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Self

READ_BYTES = 4096
STOP_WAIT_S = 5.0
NOISE = 0xA5  # what a wrong speed makes of a byte here; a real UART is less predictable

_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
    if hasattr(termios, f"B{baud}")
}


class PtyWire:
    """`on_bytes(data)` runs when the host sent something, `on_tick()` after `tick_s` of quiet; on the wire's thread."""

    def __init__(
        self,
        *,
        baud: int,
        link: Path | None = None,
        on_bytes: Callable[[bytes], None] | None = None,
        on_tick: Callable[[], None] | None = None,
        tick_s: float = 0.065,
    ) -> None:
        self.baud = baud
        self.next_baud: int | None = None  # agreed on, not in force yet: what is on its way may have either speed
        self.byte_gap_s = 0.0
        self._silent = False
        self._on_bytes, self._on_tick, self._tick_s = on_bytes, on_tick, tick_s
        self._own_folder = None if link else tempfile.TemporaryDirectory(prefix="wire-")
        self.link = link if link else Path(self._own_folder.name) / "tty" if self._own_folder else Path()
        self._verbs = threading.RLock()
        self._ends: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.replug()

    @property
    def path(self) -> str:
        """Stays the same when the device is plugged in again, as a path in /dev/serial/by-id does."""
        return str(self.link)

    @property
    def plugged(self) -> bool:
        return self._ends is not None

    def replug(self) -> None:
        """Plug the device in. Does nothing when it is."""
        with self._verbs:
            if self._ends is not None:
                return
            device_end, host_end = os.openpty()
            tty.setraw(host_end)
            os.set_blocking(device_end, False)
            self._ends = (device_end, host_end)
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(device_end, self._stop), name=f"wire-{self.link.name}", daemon=True
            )
            self._thread.start()
            self._point_link_at(os.ttyname(host_end))

    def unplug(self) -> None:
        """Pull the plug: the path vanishes and the host's open port hangs up."""
        with self._verbs:
            ends, self._ends = self._ends, None
            if ends is None:
                return
            self.link.unlink(missing_ok=True)
            self._stop.set()
            assert self._thread is not None
            assert self._thread is not threading.current_thread(), "a device cannot pull its own plug"
            self._thread.join(STOP_WAIT_S)
            for end in ends:
                os.close(end)

    def close(self) -> None:
        self.unplug()
        if self._own_folder is not None:
            self._own_folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def silence(self, silent: bool) -> None:
        """A device that is plugged in, takes everything and says nothing."""
        self._silent = silent

    def slow(self, byte_gap_s: float) -> None:
        """Pause so long after every byte that is sent."""
        self.byte_gap_s = byte_gap_s

    def host_baud(self) -> int | None:
        """The speed that the host has set; None when unplugged or at a speed that no table knows."""
        ends = self._ends
        if ends is None:
            return None
        try:
            return _SPEEDS.get(termios.tcgetattr(ends[1])[5])
        except (OSError, termios.error):
            return None

    def send(self, data: bytes) -> None:
        """To the host. Lost when unplugged, silent, or when the host takes nothing; garbled at another speed."""
        if self.host_baud() != self.baud:
            data = bytes(byte ^ NOISE for byte in data)
        if self.byte_gap_s:
            for byte in data:
                self._put(bytes([byte]))
                self._stop.wait(self.byte_gap_s)
        else:
            self._put(data)

    def _put(self, data: bytes) -> None:
        ends = self._ends
        if ends is None or self._silent:
            return
        with contextlib.suppress(OSError):  # pulled this moment, or the host's buffer is full: the bytes are lost
            os.write(ends[0], data)

    def _run(self, device_end: int, stop: threading.Event) -> None:
        poller = select.poll()
        poller.register(device_end, select.POLLIN)
        while not stop.is_set():
            if poller.poll(self._tick_s * 1000):
                if not self._take(device_end):
                    stop.wait(self._tick_s)
            elif self._on_tick is not None and not stop.is_set():
                self._on_tick()

    def _take(self, device_end: int) -> bool:
        try:
            data = os.read(device_end, READ_BYTES)
        except OSError:
            return False
        host_baud = self.host_baud()
        if self.next_baud is not None and host_baud == self.next_baud:
            # nfcpy flushes its port right after its acknowledgement, and a pseudo terminal then forgets it: a host
            # that talks at the new speed has acknowledged.
            self.baud, self.next_baud = self.next_baud, None
        if data and self._on_bytes is not None and not self._silent and host_baud == self.baud:
            self._on_bytes(data)
        return bool(data)

    def _point_link_at(self, target: str) -> None:
        self.link.parent.mkdir(parents=True, exist_ok=True)
        beside = self.link.with_name(f".{self.link.name}.new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(target)
        beside.replace(self.link)  # atomic: the host sees the old path or the new one, never a half
