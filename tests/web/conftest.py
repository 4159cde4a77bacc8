"""The gate that most tests of this folder share, once for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.gate_online import Online, online


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """Monday 23 November 2026, 07:40: the small school's east gate, on a real port."""
    with online(tmp_path_factory.mktemp("gate")) as gate:
        yield gate
