"""Readers and scanners that pretend to be a keyboard: `wedge:/dev/input/by-id/...-event-kbd`, `?as=number|uid|qr`.

The driver takes the keyboard for itself (EVIOCGRAB), so that no digit lands in the kiosk's browser, and reads the
kernel's own events; what they mean is in `input_events`. A named pipe that carries the same bytes is a keyboard too:
there is no other way to simulate one on every machine. It is held by a lock, since a pipe cannot be grabbed.

It never takes what was typed before it held the keyboard, and nothing in here retries, logs or decides what a card may do.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import struct
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, cast, get_args

from drivers.device_urls import OptionValue, merged_options, split_url
from drivers.errors import DeviceLost, DriverError, Misconfigured
from drivers.input_events import EVENT, KEY_GAP_S, Scheme, WedgeScans
from drivers.presence import PresenceFilter
from drivers.protocols import CredentialRead, Info, Reader

BY_ID = Path("/dev/input/by-id")
INPUT_MAJOR = 13  # <linux/major.h>: every event device, and nothing else
EVIOCGRAB = 0x40044590  # <linux/input.h>: _IOW('E', 0x90, int)
EVIOCSCLOCKID = 0x400445A0  # _IOW('E', 0xa0, int)
NAME_BYTES = 256
EVIOCGNAME = 0x80004506 | NAME_BYTES << 16  # _IOC(_IOC_READ, 'E', 0x06, len)
READ_BYTES = 64 * EVENT.size
REPEAT_S = 1.0  # the same value again within this time is the same presentation
SETTLE_LONGEST_S = 1.0


class KeyboardWedgeReader(Reader):
    """`as=number` (default): a printed card number. `as=uid`: the hex of a card's UID. `as=qr`: any text."""

    schemes = ("wedge",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"as": "number"}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        if not where.address.startswith("/"):
            raise Misconfigured(f"{url} names no keyboard: write the whole path, best /dev/input/by-id/...-event-kbd")
        self._path = where.address
        scheme = str(merged_options(where, options, defaults=self.option_defaults)["as"])
        if scheme not in get_args(Scheme):
            raise Misconfigured(f"{url}: as={scheme} is unknown; write as=number, as=uid or as=qr")
        self._scheme = cast(Scheme, scheme)
        self._parser = WedgeScans(scheme=self._scheme)
        self._presence = PresenceFilter(absent_s=REPEAT_S)
        self._handle: int | None = None
        self._wake: int | None = None
        self._wake_lock = threading.Lock()  # only between open(), close() and cancel()

    @classmethod
    def discover(cls, folder: Path = BY_ID) -> Iterable[str]:
        """A reader does not say that it is none: every keyboard is a candidate."""
        try:
            return sorted(f"wedge:{entry}" for entry in folder.iterdir() if entry.name.endswith("-event-kbd"))
        except OSError:  # the folder exists only while something is plugged in
            return ()

    def open(self) -> Info:
        self.close()
        with self._wake_lock:
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            self._handle = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
            model = self._taken(self._handle)
            self._settle(self._handle)
        except OSError as error:
            self.close()
            raise self._failure(error) from error
        except DriverError:
            self.close()
            raise
        self._presence = PresenceFilter(absent_s=REPEAT_S)
        return Info(model=model, capabilities=frozenset({self._scheme}))

    def close(self) -> None:
        handle, self._handle = self._handle, None
        with self._wake_lock:
            wake, self._wake = self._wake, None
        for one in (handle, wake):
            if one is not None:
                with contextlib.suppress(OSError):  # closing lets the grab and the lock go
                    os.close(one)

    def cancel(self) -> None:
        with self._wake_lock:
            if self._wake is not None:
                with contextlib.suppress(OSError):  # woken already, very often
                    os.eventfd_write(self._wake, 1)

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        handle, wake = self._handle, self._wake
        if handle is None or wake is None:
            raise DeviceLost(f"{self._path} is not open")
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        waiting.register(wake, select.POLLIN)
        ready = {fd for fd, _ in waiting.poll(timeout_s * 1000)}
        if wake in ready:
            os.eventfd_read(wake)
        data = self._read(handle) if handle in ready else b""
        now_s = time.monotonic()
        return [
            CredentialRead(device=self.name, scheme=frame.scheme, value=frame.value, read_mono_s=now_s)
            for frame in self._parser.feed(data)
            if self._presence.is_new(frame.value, now_s=now_s)
        ]

    def _taken(self, handle: int) -> str:
        """Take the keyboard for ourselves; its name. Raises OSError, Misconfigured."""
        found = os.fstat(handle)
        is_keyboard = stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) == INPUT_MAJOR
        if not is_keyboard and not stat.S_ISFIFO(found.st_mode):
            raise Misconfigured(f"{self._path} is no keyboard: name its event device, {BY_ID}/...-event-kbd")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not is_keyboard:
            return f"keyboard wedge on {self._path}"
        fcntl.ioctl(handle, EVIOCGRAB, 1)
        # The wall clock is set at times, and a scan would fall apart over it.
        fcntl.ioctl(handle, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
        name = fcntl.ioctl(handle, EVIOCGNAME, bytes(NAME_BYTES))
        return name.split(b"\0", 1)[0].decode("utf-8", "replace") or f"keyboard on {self._path}"

    def _settle(self, handle: int) -> None:
        """What is on its way now may have begun before the keyboard was ours: half a number. It ends with a pause."""
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        self._parser = WedgeScans(scheme=self._scheme)
        give_up_s = time.monotonic() + SETTLE_LONGEST_S
        while time.monotonic() < give_up_s and waiting.poll(KEY_GAP_S * 1000):
            self._parser.feed(self._read(handle))
        self._parser.abandon()

    def _read(self, handle: int) -> bytes:
        """Raises DeviceLost."""
        try:
            data = os.read(handle, READ_BYTES)
        except BlockingIOError:  # another reader's flush, or a wake-up for nothing
            return b""
        except OSError as error:
            raise DeviceLost(f"{self._path} was lost: {error}; plug the reader in again") from error
        if not data:
            raise DeviceLost(f"{self._path} was lost: nobody writes to it any more; plug the reader in again")
        return data

    def _failure(self, error: OSError) -> DriverError:
        if error.errno in (errno.EACCES, errno.EPERM):
            return Misconfigured(f"{self._path} may not be opened: give it to the service user by a udev rule (docs/readers.md)")
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV):
            return DeviceLost(f"{self._path} is not there: plug the reader in")
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            return DeviceLost(f"{self._path} is held by another program (a second kiosk, a remapper of keys): stop that one")
        return DeviceLost(f"{self._path} cannot be opened: {error}")
