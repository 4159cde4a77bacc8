"""Room on the disk that is kept for the moment when there is none: a file of zeros, given up so that the tap in hand is saved.

On a full disk nothing else makes room by itself: a DELETE in SQLite writes first, and so does a checkpoint. Removing a file
works. The journal gives the ballast up when an append finds no block and tries once more; the watch on the disk
(`kiosk.disk_watch`) makes it anew when there is room again. It holds nothing, is copied nowhere, and never takes the last room.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from kiosk.durable_files import UNFINISHED, fsync_folder

FILE_NAME: Final = "ballast"
MADE_WITH: Final = 2  # times its size must be free before it is made: as much again is left to everybody
NO_ROOM_BYTES: Final = 256 << 10  # an error of a disk with less left than this is one of room, by whatever name it comes
NEEDED_TO_START: Final = 1 << 20  # with less, no database can even be opened

log = logging.getLogger("kiosk.ballast")


def free_bytes(path: Path) -> int:
    """What this user may still write there. Raises OSError."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def is_of_room(error: sqlite3.Error, folder: Path) -> bool:
    """SQLite says FULL where a write found no block; where the file of its index found none, it says that the disk failed."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary != sqlite3.SQLITE_IOERR:
        return primary == sqlite3.SQLITE_FULL
    try:
        return free_bytes(folder) < NO_ROOM_BYTES
    except OSError:
        return False


def make_way(state: Path) -> None:
    """Before anything is opened: a gate that starts on a full disk starts all the same."""
    with suppress(OSError):
        path = state / FILE_NAME
        if path.exists() and free_bytes(state) < NEEDED_TO_START:
            _remove(path)
            log.error("the disk of %s is full: the ballast was given up to start; free some space", state)


class Ballast:
    """Of one state folder. From several threads: the loop gives up, the watch makes."""

    def __init__(self, state: Path, *, mib: int) -> None:
        """mib: 0 for none at all."""
        self._path, self.bytes = state / FILE_NAME, mib << 20
        self._busy = threading.Lock()

    @property
    def stands(self) -> bool:
        try:
            return self._path.stat().st_size == self.bytes > 0
        except OSError:
            return False

    @property
    def missing(self) -> bool:
        """Whether there should be one and is none: a full disk has no more to give."""
        return self.bytes > 0 and not self.stands

    def make(self) -> bool:
        """Whether it stands now, as large as the settings say. It is made whole or not at all, and only where there is room for
        more than that."""
        with self._busy:
            if self.stands:
                return True
            try:
                self._path.unlink(missing_ok=True)  # of another size, or no longer wanted
                if not self.bytes or free_bytes(self._path.parent) < MADE_WITH * self.bytes:
                    return False
                self._allocate()
            except OSError as error:
                log.info("no ballast yet (%s)", error)
                return False
        return True

    def give_up(self) -> bool:
        """Whether there was one: its room is free when this returns."""
        with self._busy:
            if not self._path.exists():
                return False
            try:
                _remove(self._path)
            except OSError as error:
                log.error("the disk of %s is full and the ballast cannot be removed (%s)", self._path.parent, error)
                return False
        log.error("the disk of %s is full: the ballast of %d MiB was given up; free some space now",
                  self._path.parent, self.bytes >> 20)  # fmt: skip
        return True

    def _allocate(self) -> None:
        draft = self._path.with_name(FILE_NAME + UNFINISHED)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self.bytes)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            draft.rename(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        fsync_folder(self._path.parent)


def _remove(path: Path) -> None:
    """Until the folder is synced the file system may still count the blocks as taken. Raises OSError."""
    path.unlink()
    with suppress(OSError):
        fsync_folder(path.parent)
