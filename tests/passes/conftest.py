"""The gatehouse of these tests: the small school with a key for passes, 王小明 in class, afternoon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.passes.delegation import Gatehouse, gatehouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Gatehouse]:
    """Monday 23 November 2026, 15:35: the first grade is dismissed, nobody has been collected."""
    one = gatehouse(tmp_path / "state")
    one.school.tap("王小明", "east-in")
    one.school.at("15:35")
    yield one
    one.school.close()
