"""What the tests of sync share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.keeping import Keep
from tests.support.nats_server import NatsServer
from tests.support.postgres import Cluster, throwaway_cluster
from tests.support.sync_processes import Campus
from tests.support.sync_world import SyncWorld, in_memory


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that names CARRIERS has its world over each of them."""
    if "world" in metafunc.fixturenames and hasattr(metafunc.module, "CARRIERS"):
        metafunc.parametrize("world", metafunc.module.CARRIERS, indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[SyncWorld]:
    bus = ""
    if getattr(request, "param", "http") == "nats":
        server: NatsServer = request.getfixturevalue("nats_server")
        server.purge()
        bus = server.url
    with tempfile.TemporaryDirectory(dir=in_memory(), prefix="sync-world-") as folder:
        one = SyncWorld(Path(folder), bus=bus)
        yield one
        one.close()


@pytest.fixture(scope="module")
def nats_server() -> Iterator[NatsServer]:
    with tempfile.TemporaryDirectory(dir=in_memory(), prefix="nats-") as folder:
        one = NatsServer(Path(folder), "hub")
        yield one
        one.close()


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    one = Campus(tmp_path)
    yield one
    one.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL for all tests of this process; every test takes a database of its own."""
    with throwaway_cluster() as one:
        yield one


@pytest.fixture(params=["sqlite", "postgresql"])
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keep]:
    """An empty place to keep things in, of each kind that ships."""
    address = ""
    if request.param == "postgresql":
        running: Cluster = request.getfixturevalue("cluster")
        address = running.url(running.database())
    one = Keep(tmp_path / "server", address)
    yield one
    one.close()
