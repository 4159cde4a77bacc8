"""Every kind of transaction that is recorded and cut, by name."""

from __future__ import annotations

from tests.support import crash_works_gate
from tests.support.crash_images import Work

WORKS: dict[str, Work] = {work.name: work for work in crash_works_gate.WORKS}
