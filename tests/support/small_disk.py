"""A file system of a few MiB in memory, which is really full when it is full: no block, no ENOSPC from a double.

Needs root, to mount it; `why_not` says what is missing.
"""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from shutil import which

PIECE = 1 << 16


class SmallDisk:
    """Mounted at `path` until `close`."""

    def __init__(self, path: Path, *, mib: int) -> None:
        self.path = path
        self._filling = path / "other_peoples_files"
        path.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "kiosk-test", str(path)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise OSError(done.stderr.strip() or "mount failed")

    def fill(self) -> None:
        """To the last block."""
        with self._filling.open("ab", buffering=0) as file:
            for piece in (PIECE, 4096, 1):
                try:
                    while True:
                        file.write(bytes(piece))
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def free(self) -> None:
        self._filling.unlink()

    @property
    def free_bytes(self) -> int:
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], capture_output=True, check=False)


def why_not(folder: Path) -> str:
    """ "" when small disks can be mounted here, else the exact reason."""
    if os.geteuid() != 0:
        return "a disk that can be filled needs root, to mount it"
    if which("mount") is None or which("umount") is None:
        return "a disk that can be filled needs mount and umount, which this machine has not"
    try:
        SmallDisk(folder, mib=1).close()
    except OSError as error:
        return f"no small file system can be mounted here: {error}"
    return ""
