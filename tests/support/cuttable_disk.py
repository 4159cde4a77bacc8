"""A small ext4 disk in a file whose power can be cut.

The shutdown ioctl of ext4 with NOLOGFLUSH throws away everything that the file system had not yet forced to the disk, as a
power cut does; what was synced stays. Needs root, a loop device and ext4; `why_not` says what is missing.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path
from shutil import which

SIZE_MIB = 64
FS_IOC_SHUTDOWN = (2 << 30) | (4 << 16) | (ord("X") << 8) | 125  # _IOR('X', 125, __u32), linux/fs.h
NOLOGFLUSH = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH
UMOUNT_TRIES = 100


class NoSuchDisk(Exception):
    """This machine cannot have one; the sentence says why."""


class CuttableDisk:
    """Mounted at `path` from the start. `cut`, then `replace` mounts what the disk really has."""

    def __init__(self, folder: Path) -> None:
        self.image, self.path = folder / "disk.img", folder / "disk"
        self.path.mkdir(parents=True)
        with self.image.open("wb") as image:
            image.truncate(SIZE_MIB << 20)
        _run("mkfs.ext4", "-q", "-F", str(self.image))
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-t", "ext4", "-o", "loop", str(self.image), str(self.path))

    def cut(self) -> None:
        """Now. Every write after this fails, and everything that was not synced is gone."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(descriptor)

    def replace(self) -> None:
        """The power is back: mounted again, with the file system's own recovery. No process may hold a file open."""
        self._umount()
        self._mount()

    def close(self) -> None:
        self._umount()
        self.image.unlink()

    def _umount(self) -> None:
        for attempt in range(UMOUNT_TRIES):
            done = subprocess.run(["umount", str(self.path)], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.02 * (attempt + 1))
        raise NoSuchDisk(f"{self.path} cannot be unmounted: {done.stderr.strip()}")


def why_not(folder: Path) -> str:
    """ "" when disks can be cut here, else the exact reason. Tries it with a disk of its own."""
    if os.geteuid() != 0:
        return "a disk that can be cut or filled needs root, to mount a loop device"
    missing = [tool for tool in ("mkfs.ext4", "mount", "umount") if which(tool) is None]
    if missing:
        return f"a disk that can be cut or filled needs {', '.join(missing)}, which this machine has not"
    try:
        disk = CuttableDisk(folder)
    except NoSuchDisk as error:
        return f"no ext4 on a loop device here: {error}"
    try:
        disk.cut()
    except OSError as error:
        return f"this kernel does not take FS_IOC_SHUTDOWN on ext4: {error}"
    finally:
        disk.close()
    return ""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoSuchDisk(f"{command[0]}: {(done.stderr or done.stdout).strip()}")
