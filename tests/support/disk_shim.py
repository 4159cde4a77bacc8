"""Builds disk_shim.c and puts it between a process and its disk: kills at one disk call, or disk calls that fail.

Needs a C compiler and Linux; `why_not` says what is missing. It holds no state of its own.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("disk_shim.c")
SYNCS, WRITES, BOTH = 1, 2, 3


def why_not() -> str:
    """"" when it can be built here, else the exact reason."""
    if not sys.platform.startswith("linux"):
        return "a library between SQLite and the disk needs Linux"
    return "" if shutil.which("cc") else "a library between SQLite and the disk needs a C compiler: install the package 'gcc'"


def build(folder: Path) -> Path:
    library = folder / "disk_shim.so"
    done = subprocess.run(
        ["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return library


class FailingDisk:
    """Calls on files whose path holds `files` fail, in every process that has `environment`, for as long as told."""

    def __init__(self, folder: Path, *, files: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        control = folder / "control"
        control.write_bytes(bytes(8))
        self.environment = {
            "LD_PRELOAD": str(build(folder)), "DISK_SHIM_CONTROL": str(control), "DISK_SHIM_FILES": files,
        }  # fmt: skip
        descriptor = os.open(control, os.O_RDWR)
        self._control = mmap.mmap(descriptor, 8)
        os.close(descriptor)

    def fail(self, which: int = BOTH, error: int = errno.EIO) -> None:
        self._control[:] = struct.pack("ii", error, which)

    def mend(self) -> None:
        self._control[:] = bytes(8)

    def close(self) -> None:
        self._control.close()
