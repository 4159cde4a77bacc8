"""`python -m tests.support.crash_recording FOLDER WORK …`, under disk_recorder.so: does each work and records it.

WORK+MISTAKE: a planted mistake of that work is put in first. It looks at nothing; crash_images.py does.
"""

from __future__ import annotations

import ctypes
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.crash_disk import MEMORY
from tests.support.crash_images import Work
from tests.support.crash_works import WORKS


def recorded(work: Work, mistake: str, folder: Path) -> None:
    recorder, disk = ctypes.CDLL(None), folder / "disk"
    disk.mkdir(parents=True)
    work.prepare(disk)
    shutil.copytree(disk, folder / "before", ignore=shutil.ignore_patterns("*" + MEMORY))
    with pytest.MonkeyPatch.context() as patch:
        if mistake:
            work.planted[mistake](patch)
        begun = recorder.disk_recorder_begin(str(disk).encode(), str(folder / "steps").encode())
        assert begun == 0, "the recorder does not write"
        work.run(disk, lambda *names: recorder.disk_recorder_mark("\n".join(names).encode()))
        recorder.disk_recorder_end()


def main(folder: Path, works: list[str]) -> None:
    for work in works:
        name, _, mistake = work.partition("+")
        recorded(WORKS[name], mistake, folder / work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
