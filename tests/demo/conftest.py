"""One quiet demo for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.demo import Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    one = Demo(tmp_path_factory.mktemp("demo") / "state", "--quiet-day", "--speed", "1")
    yield one
    one.stop()
