"""What the tests of sync share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sync_processes import Campus
from tests.support.sync_world import SyncWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SyncWorld]:
    one = SyncWorld(tmp_path)
    yield one
    one.close()


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    one = Campus(tmp_path)
    yield one
    one.close()
