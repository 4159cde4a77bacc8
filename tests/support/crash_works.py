"""Every kind of transaction that is recorded and cut, by name."""

from __future__ import annotations

from tests.support import crash_works_files, crash_works_gate, crash_works_sync
from tests.support.crash_images import Work

_ALL = (*crash_works_gate.WORKS, *crash_works_sync.WORKS, *crash_works_files.WORKS)
WORKS: dict[str, Work] = {work.name: work for work in _ALL}
