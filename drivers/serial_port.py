"""One serial port, held exclusively: the only module that touches pyserial.

It turns what pyserial and the kernel really raise (OSError, SerialException, termios.error, TypeError on a port that
vanished) into `DeviceLost` and `Misconfigured`. It knows no protocol, never retries and never logs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from drivers.errors import IO_ERRORS, DeviceLost, DriverError, Misconfigured

BY_ID = Path("/dev/serial/by-id")
MAX_READ_BYTES = 4096
WRITE_TIMEOUT_S = 1.0


class SerialPort:
    """8N1, exclusive. All methods belong to one thread, except `cancel()`."""

    def __init__(self, path: str, *, baud: int) -> None:
        self.path, self.baud = path, baud
        self._serial: Any = None
        self._handle_lock = threading.Lock()  # only between close() and cancel()

    def open(self) -> None:
        """Raises DeviceLost when nothing is plugged in there, Misconfigured when a person must act."""
        self.close()
        check_is_tty(self.path)
        serial = _pyserial()
        try:
            self._serial = serial.Serial(self.path, self.baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
        except ValueError as error:
            raise Misconfigured(f"{self.path} cannot run at {self.baud} baud: correct baud= in the URL") from error
        except IO_ERRORS as error:
            raise open_failure(self.path, error) from error

    def close(self) -> None:
        """Idempotent, never raises."""
        with self._handle_lock:
            handle, self._serial = self._serial, None
            if handle is not None:
                with contextlib.suppress(*IO_ERRORS):  # it is gone already: nothing is lost by not closing it twice
                    handle.close()

    def cancel(self) -> None:
        """Thread-safe: a `read()` that waits returns b"" now, or the next one does at once. Never waits itself.

        Closing a wedged adapter may take half a minute: the kernel waits for what it has not sent. Nobody reads then.
        """
        if not self._handle_lock.acquire(blocking=False):
            return
        try:
            if self._serial is not None:
                with contextlib.suppress(*IO_ERRORS):
                    self._serial.cancel_read()
        finally:
            self._handle_lock.release()

    def read(self, timeout_s: float) -> bytes:
        """What has come, waiting up to `timeout_s` for the first byte; b"" when nothing came. Raises DeviceLost."""
        handle = self._opened()
        try:
            if handle.timeout != timeout_s:
                handle.timeout = timeout_s
            first: bytes = handle.read(1)
            if not first:
                return b""
            waiting = min(handle.in_waiting, MAX_READ_BYTES)
            rest: bytes = handle.read(waiting) if waiting else b""
        except IO_ERRORS as error:
            raise self._lost(error) from error
        return first + rest

    def drain(self) -> bytes:
        """What has come so far, without waiting. Raises DeviceLost."""
        return self.read(0)

    def write(self, data: bytes) -> None:
        """Raises DeviceLost, also when the other side takes nothing for a second."""
        handle = self._opened()
        try:
            handle.write(data)
        except IO_ERRORS as error:
            raise self._lost(error) from error

    def check(self) -> None:
        """Raises DeviceLost when the adapter has been pulled."""
        handle = self._opened()
        try:
            handle.in_waiting  # noqa: B018 - asking is the test: the ioctl fails on a port that hung up
        except IO_ERRORS as error:
            raise self._lost(error) from error

    def _opened(self) -> Any:
        if self._serial is None:
            raise DeviceLost(f"{self.path} is not open")
        return self._serial

    def _lost(self, error: BaseException) -> DeviceLost:
        return DeviceLost(f"{self.path} was lost: {error}; plug the device in again")


def check_is_tty(path: str) -> None:
    """Raises DeviceLost when there is nothing at `path`, Misconfigured when it is no serial port."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise open_failure(path, error) from error
    if not stat.S_ISCHR(mode):
        raise Misconfigured(f"{path} is no serial port: name the device, best by its path in {BY_ID}")


def held_exclusively(path: str) -> int:
    """A descriptor that keeps other kiosks off a port which a library opens by itself. Close it with os.close.

    Raises as `SerialPort.open` does.
    """
    try:
        held = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise open_failure(path, error) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock that pyserial's exclusive=True takes
    except OSError as error:
        os.close(held)
        raise open_failure(path, error) from error
    return held


def open_failure(path: str, error: BaseException) -> DriverError:
    """Whose fault it is that `path` could not be opened, in one sentence with the remedy."""
    code = getattr(error, "errno", None)
    if code in (errno.EACCES, errno.EPERM):
        return Misconfigured(f"{path} may not be opened: add the service user to the group dialout and start again")
    if code in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV):
        return DeviceLost(f"{path} is not there: plug the device in")
    if code in (errno.EAGAIN, errno.EBUSY):
        return DeviceLost(f"{path} is held by another program (ModemManager, brltty, a second kiosk?): stop that one")
    return DeviceLost(f"{path} cannot be opened: {error}")


def stable_tty_paths(folder: Path = BY_ID) -> Iterable[str]:
    """Paths of the serial adapters plugged in now, by names that survive re-plugging. Opens nothing."""
    try:
        return sorted(str(entry) for entry in folder.iterdir())
    except OSError:  # the folder exists only while something is plugged in
        return ()


def _pyserial() -> Any:
    try:
        import serial
    except ImportError as error:
        raise Misconfigured("pyserial is not installed: install the package with its serial extra") from error
    return serial
