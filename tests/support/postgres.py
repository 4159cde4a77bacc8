"""A PostgreSQL cluster of the test's own: made in a temporary folder, on a unix socket, as a user that is not root, thrown away.

It runs with fsync on, as a school's must; in memory where there is a file system for that, since nobody pulls a plug here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.support.sync_world import in_memory

WAIT_S = 60.0
PASSWORD = "p@ss wörd/:%"
PASSWORD_QUOTED = "p%40ss%20w%C3%B6rd%2F%3A%25"
GUARDED = "guarded"  # a role that needs the password; everybody else on the socket is trusted
_HBA = f"local all {GUARDED} scram-sha-256\nlocal all all trust\n"


def programs() -> Path | None:
    """The folder of initdb and postgres; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path and shutil.which("postgres") else None


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": ()}
    raise AssertionError("there is neither a user postgres nor nobody")


class Cluster:
    """One postmaster. `url(database)` reaches it; it can be killed with all its processes and started again."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder, self._bin, self._user = folder, bin_folder, _user()
        self.data = folder / "data"
        if self._user:
            os.chown(folder, self._user["user"], self._user["group"])
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        (self.data / "pg_hba.conf").write_text(_HBA)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(
                f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nmax_connections = 60\nshared_buffers = 64MB\n"
                "checkpoint_timeout = 30min\nmax_wal_size = 512MB\nlog_min_messages = fatal\n"
            )
        self.start()
        self.ask("postgres", f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        with (self.folder / "log.txt").open("ab") as log:
            command = [str(self._bin / "postgres"), "-D", str(self.data)]
            self._popen = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True, **self._user)
        end_s = time.monotonic() + WAIT_S
        while True:
            try:
                return self.ask("postgres", "SELECT 1")
            except psycopg.OperationalError:
                assert self._popen.poll() is None and time.monotonic() < end_s, (self.folder / "log.txt").read_text()[-2000:]
                time.sleep(0.02)

    def kill(self) -> None:
        """kill -9 of the postmaster and of every process of its own, at once."""
        postmaster = psutil.Process(self._popen.pid)
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

    def database(self, owner: str = "postgres") -> str:
        """A new empty one; its name."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.ask("postgres", f"CREATE DATABASE {name} OWNER {owner}")
        return name

    def url(self, database: str, *, user: str = "postgres", password: str = "") -> str:
        return f"postgresql://{user}{':' + password if password else ''}@/{database}?host={self.folder}"

    def configure(self, name: str, value: str) -> None:
        """As in postgresql.conf, at once."""
        self.ask("postgres", f"ALTER SYSTEM SET {name} = {value}")
        self.ask("postgres", "SELECT pg_reload_conf()")
        end_s = time.monotonic() + WAIT_S
        while self.ask("postgres", f"SHOW {name}") != value:
            assert time.monotonic() < end_s
            time.sleep(0.01)

    def cut(self, database: str) -> int:
        """Ends every connection to that database; how many there were."""
        others = f"FROM pg_stat_activity WHERE datname='{database}' AND pid<>pg_backend_pid()"
        count = int(self.ask(database, f"SELECT count(pg_terminate_backend(pid)) {others}"))
        end_s = time.monotonic() + WAIT_S
        while self.ask(database, f"SELECT count(*) {others}"):
            assert time.monotonic() < end_s
            time.sleep(0.01)
        return count

    def ask(self, database: str, sql: str) -> Any:
        """One statement by a connection of its own; the first column of the first row, if it has any."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(sql.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=WAIT_S, check=False, **self._user)
        assert done.returncode == 0, done.stderr


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)  # whose parent is dead waits for somebody to bury it
    except psutil.NoSuchProcess:
        return False


@contextmanager
def throwaway_cluster() -> Iterator[Cluster]:
    """Skips the test where PostgreSQL is not installed."""
    bin_folder = programs()
    if bin_folder is None:
        pytest.skip("PostgreSQL is not installed: install the package 'postgresql'")
    folder = Path(tempfile.mkdtemp(prefix="kiosk-pg-", dir=in_memory()))
    cluster = None
    try:
        cluster = Cluster(folder, bin_folder)
        yield cluster
    finally:
        if cluster is not None:
            cluster.close()
        shutil.rmtree(folder, ignore_errors=True)
