"""Builds clock_shim.c: a computer's wall clock that a test steps while the programs on it run, and its time server.

Needs a C compiler and Linux. It moves nobody's clock but that of the processes that were started with its environment.
"""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.support.running_gate import VirtualDay

SOURCE = Path(__file__).with_name("clock_shim.c")


class ComputerClock:
    """What one computer believes. `start` is what its clock says at first; no time server keeps it until one does."""

    def __init__(self, folder: Path, *, start: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        library, control = folder / "clock_shim.so", folder / "control"
        done = subprocess.run(
            ["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        control.write_bytes(bytes(16))
        descriptor = os.open(control, os.O_RDWR)
        self._control = mmap.mmap(descriptor, 16)
        os.close(descriptor)
        self._environment = {"LD_PRELOAD": str(library), "CLOCK_SHIM_CONTROL": str(control)}
        self._right_ns = int(datetime.fromisoformat(start).timestamp() * 1e9) - time.time_ns()
        self.step_to(0)

    def step_to(self, wrong_ms: int) -> None:
        """It is so far from the right time now."""
        self._wrong_ms = wrong_ms
        self._control[:8] = struct.pack("q", self._right_ns + wrong_ms * 1_000_000)

    def keep(self, kept: bool = True) -> None:
        """Whether the kernel says that a time server keeps it."""
        self._control[8:] = struct.pack("q", int(kept))

    def now_ms(self) -> int:
        """What it says."""
        return (time.time_ns() + self._right_ns) // 1_000_000 + self._wrong_ms

    @contextmanager
    def here(self) -> Iterator[None]:
        """Whatever is started within the block goes by this clock."""
        before = {name: os.environ.get(name) for name in self._environment}
        os.environ.update(self._environment)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def close(self) -> None:
        self._control.close()


class ComputersOwn(VirtualDay):
    """In the place of a played day: the gate goes by its computer's clock."""

    def arguments(self) -> list[str]:
        return []
