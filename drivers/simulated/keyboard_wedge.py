"""A simulated keyboard wedge: a named pipe at a stable path that carries the exact bytes of `struct input_event`.

No kernel makes an input device out of nothing on every machine, so the wire is a pipe; the bytes, their times and their
order are a keyboard's. Physics: it types a card once, a key every few milliseconds, and needs a moment before the next
card; what nobody reads is lost; pulling the plug hangs the host up and removes the path. Faults: `half_frame`,
`finish_frame`, `garbage`, `bounce`, `silence`, `slow`, `unplug`, `replug`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import ClassVar, Self

from drivers.input_events import EVENT, scan_events

KEY_GAP_S = 0.002
NEXT_SCAN_S = 0.15  # a reader is longer silent between two cards than between two keys
GARBAGE = b"\xff" * 7 + bytes(range(0x60, 0x90)) + b"\x00" * 5


class SimulatedKeyboardWedge:
    """`link` is the stable path, as in /dev/input/by-id. `options` is what the URL says beside it, such as ?as=qr."""

    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "place", "remove", "bounce", "half_frame", "finish_frame", "garbage", "silence", "slow", "unplug", "replug",
    )  # fmt: skip

    def __init__(self, *, link: Path | None = None, options: str = "") -> None:
        self._own_folder = None if link else tempfile.TemporaryDirectory(prefix="wedge-")
        self.link = link if link else Path(self._own_folder.name) / "event-kbd" if self._own_folder else Path()
        self._options = options
        self._verbs = threading.RLock()
        self._wire: int | None = None
        self._silent = False
        self._key_gap_s = KEY_GAP_S
        self._free_at_s = 0.0  # time.monotonic() from which the next scan may begin
        self._kept_half = b""
        self.replug()

    @property
    def url(self) -> str:
        return f"wedge:{self.link}{self._options}"

    def tap(self, value: str) -> bool:
        """A card comes, is typed, and goes."""
        return self._type(self._scan(value))

    def place(self, value: str) -> None:
        """Leave the card on the reader: it is typed once."""
        self.tap(value)

    def remove(self) -> None:
        """Take the card away: nothing is typed for that."""

    def bounce(self, value: str, *, times: int = 3) -> None:
        """A shaky hand: the same card several times in a row."""
        for _ in range(times):
            self.tap(value)

    def half_frame(self, value: str) -> None:
        """The first half of the keys; the rest comes with `finish_frame`, or never."""
        events = self._scan(value)
        cut = len(events) // 2 // EVENT.size * EVENT.size
        self._kept_half = events[cut:]
        self._type(events[:cut])

    def finish_frame(self) -> None:
        """The second half of what `half_frame` began."""
        rest, self._kept_half = self._kept_half, b""
        self._type(rest)

    def garbage(self, data: bytes = GARBAGE) -> None:
        """Noise, as no kernel makes it."""
        with self._verbs:
            self._put(data)

    def silence(self, silent: bool) -> None:
        """Plugged in, and types nothing."""
        self._silent = silent

    def slow(self, event_gap_s: float) -> None:
        """A pause after every event: six of them make a key."""
        self._key_gap_s = max(KEY_GAP_S, 6 * event_gap_s)

    def unplug(self) -> None:
        """Pull the plug: the path vanishes and the host's open keyboard hangs up."""
        with self._verbs:
            wire, self._wire = self._wire, None
            if wire is not None:
                self.link.unlink(missing_ok=True)
                os.close(wire)

    def replug(self) -> None:
        """Plug it in again, at the same path."""
        with self._verbs:
            if self._wire is not None:
                return
            self.link.parent.mkdir(parents=True, exist_ok=True)
            beside = self.link.with_name(f".{self.link.name}.new")
            beside.unlink(missing_ok=True)
            os.mkfifo(beside, 0o600)
            # A pipe opens for writing only while somebody reads; afterwards nobody does, and what is typed is lost.
            reading = os.open(beside, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._wire = os.open(beside, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.close(reading)
            beside.replace(self.link)

    def close(self) -> None:
        self.unplug()
        if self._own_folder is not None:
            self._own_folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scan(self, value: str) -> bytes:
        """The events of the next scan. Their times are those at which the keys would be pressed, however busy we are."""
        begins_s = max(time.monotonic(), self._free_at_s)
        self._free_at_s = begins_s + self._key_gap_s * (len(value) + 1) + NEXT_SCAN_S
        return scan_events(value, at_s=begins_s, key_gap_s=self._key_gap_s)

    def _type(self, events: bytes) -> bool:
        """Event by event, each not before its time. False when nobody took the last of them."""
        taken = False
        with self._verbs:
            for at in range(0, len(events), EVENT.size):
                seconds, micros, *_ = EVENT.unpack_from(events, at)
                if (early_s := seconds + micros / 1e6 - time.monotonic()) > 0:
                    time.sleep(early_s)
                taken = self._put(events[at : at + EVENT.size])
        return taken

    def _put(self, data: bytes) -> bool:
        if self._wire is None or self._silent:
            return False
        with contextlib.suppress(OSError):  # nobody reads, or the host's queue is full: lost
            return os.write(self._wire, data) == len(data)
        return False
