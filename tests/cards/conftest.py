"""A school with signing cards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cards.signing import Purse, key_of_the_school, signing_school
from tests.support.school import School


@pytest.fixture
def purse(tmp_path: Path) -> Purse:
    return Purse(key_of_the_school(tmp_path / "state"))


@pytest.fixture
def school(tmp_path: Path, purse: Purse) -> Iterator[School]:
    """Monday 23 November 2026, 07:40; the key of the cards is on this computer."""
    one = School(tmp_path / "state", directory=signing_school())
    yield one
    one.close()
