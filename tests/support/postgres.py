"""The bench's throwaway PostgreSQL as the tests need it: a database for each test, a role with a password, kill -9 of all of it.

In memory where there is a file system for that, since nobody pulls a plug here.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from kiosk.bench.throwaway_postgres import NoPostgres, ThrowawayPostgres, find_programs
from tests.support.sync_world import in_memory

WAIT_S = 60.0
ROOM_BYTES = 2 * 1024**3
PASSWORD = "p@ss wörd/:%"
PASSWORD_QUOTED = "p%40ss%20w%C3%B6rd%2F%3A%25"
GUARDED = "guarded"  # a role that needs the password; everybody else on the socket is trusted
_HBA = f"local all {GUARDED} scram-sha-256\nlocal all all trust\n"


class Cluster(ThrowawayPostgres):
    """`url(database)` reaches it; it can be killed with all its processes and started again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, hba=_HBA)
        self.ask("postgres", f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")

    def kill(self) -> None:
        """kill -9 of the postmaster and of every process of its own, at once."""
        postmaster = psutil.Process(self.pid)
        everybody = [postmaster, *postmaster.children(recursive=True)]
        for process in everybody:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._popen.wait(WAIT_S)
        end_s = time.monotonic() + WAIT_S
        while any(_runs(process) for process in everybody[1:]) and time.monotonic() < end_s:
            time.sleep(0.01)

    def close(self) -> None:
        if self._popen.poll() is None:
            self.kill()

    def database(self, owner: str = "postgres", *, template: str = "template1") -> str:
        """A new one, empty or a copy of one that nobody is connected to; its name."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.ask("postgres", f"CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        self.ask("postgres", f"DROP DATABASE {database} WITH (FORCE)")

    def copy(self, source: Path, to: Path) -> None:
        """A data directory, byte for byte, with its owners."""
        subprocess.run(["cp", "-a", str(source), str(to)], check=True, timeout=WAIT_S)

    def configure(self, name: str, value: str) -> None:
        """As in postgresql.conf, at once."""
        self.ask("postgres", f"ALTER SYSTEM SET {name} = {value}")
        self.ask("postgres", "SELECT pg_reload_conf()")
        self._until(lambda: self.ask("postgres", f"SHOW {name}") == value)

    def cut(self, database: str) -> int:
        """Ends every connection to that database; how many there were."""
        others = f"FROM pg_stat_activity WHERE datname='{database}' AND pid<>pg_backend_pid()"
        count = int(self.ask(database, f"SELECT count(pg_terminate_backend(pid)) {others}"))
        self._until(lambda: self.ask(database, f"SELECT count(*) {others}") == 0)
        return count

    def _until(self, done: Callable[[], bool]) -> None:
        end_s = time.monotonic() + WAIT_S
        while not done():
            assert time.monotonic() < end_s
            time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)  # whose parent is dead waits for somebody to bury it
    except psutil.NoSuchProcess:
        return False


def _roomy_memory() -> Path | None:
    """A container often has 64 MB there, which one cluster fills."""
    memory = in_memory()
    return memory if memory is not None and shutil.disk_usage(memory).free > ROOM_BYTES else None


@contextmanager
def throwaway_cluster() -> Iterator[Cluster]:
    """Skips the test where PostgreSQL is not installed."""
    try:
        find_programs()
    except NoPostgres as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="kiosk-pg-", dir=_roomy_memory()))
    cluster = None
    try:
        cluster = Cluster(folder)
        yield cluster
    finally:
        if cluster is not None:
            cluster.close()
        shutil.rmtree(folder, ignore_errors=True)
