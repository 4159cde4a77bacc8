"""What the tests of sync share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sync_processes import Campus
from tests.support.sync_world import SyncWorld, in_memory


@pytest.fixture
def world() -> Iterator[SyncWorld]:
    with tempfile.TemporaryDirectory(dir=in_memory(), prefix="sync-world-") as folder:
        one = SyncWorld(Path(folder))
        yield one
        one.close()


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    one = Campus(tmp_path)
    yield one
    one.close()
