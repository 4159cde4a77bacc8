"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.school import School


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    """Monday 23 November 2026, 07:40, the gate just opened."""
    one = School(tmp_path / "state")
    yield one
    one.close()
