"""What every test may ask for, and how chance is used: a test run draws the same examples every time, so that a red run
means a change; `make machines` (KIOSK_MACHINE=full) draws new ones, and what it finds becomes a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.school import School

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("exploring", deadline=None)
settings.load_profile("exploring" if os.environ.get("KIOSK_MACHINE") == "full" else "steady")


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    """Monday 23 November 2026, 07:40, the gate just opened."""
    one = School(tmp_path / "state")
    yield one
    one.close()
