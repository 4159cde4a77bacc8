"""A PostgreSQL of one's own for a measurement or a test: made in a folder, on a unix socket there, never as root, thrown away.

It runs as a school's must: fsync on, nothing relaxed. It never touches a cluster of the system.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Final

WAIT_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.02
_HBA: Final = "local all all trust\n"


class NoPostgres(RuntimeError):
    """It is not installed, or does not start; the sentence says what to do."""


def find_programs() -> Path:
    """The folder of initdb and postgres; Debian keeps them off the path. Raises NoPostgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None or shutil.which("postgres") is None:
        raise NoPostgres("PostgreSQL is not installed: install the package 'postgresql'")
    return Path(on_path).resolve().parent


class ThrowawayPostgres:
    """One postmaster over `folder`, which must be empty and reachable for the user postgres. Trusts who reaches its socket."""

    def __init__(self, folder: Path, *, hba: str = _HBA) -> None:
        self.folder, self.data = folder, folder / "data"
        self._bin, self._user = find_programs(), _user()
        if self._user:
            os.chown(folder, self._user["user"], self._user["group"])
        self._initdb()
        (self.data / "pg_hba.conf").write_text(hba)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nlog_min_messages = fatal\n")
        self.start()

    def start(self) -> None:
        """Returns when it takes connections."""
        with (self.folder / "log.txt").open("ab") as log:
            command = [str(self._bin / "postgres"), "-D", str(self.data)]
            self._popen = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True, **self._user)
        end_s = time.monotonic() + WAIT_S
        while not self._takes_connections():
            if self._popen.poll() is not None or time.monotonic() > end_s:
                raise NoPostgres(f"PostgreSQL does not start: {(self.folder / 'log.txt').read_text()[-500:]}")
            time.sleep(_LOOK_EVERY_S)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def url(self, database: str, *, user: str = "postgres", password: str = "") -> str:
        return f"postgresql://{user}{':' + password if password else ''}@/{database}?host={self.folder}"

    def ask(self, database: str, sql: str) -> Any:
        """One statement by a connection of its own; the first column of the first row, if it has any."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(sql.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def stop(self) -> None:
        """SIGQUIT: at once, without tidying up; what is thrown away needs none."""
        if self._popen.poll() is None:
            self._popen.send_signal(3)
            self._popen.wait(WAIT_S)

    def _takes_connections(self) -> bool:
        done = subprocess.run(
            [str(self._bin / "pg_isready"), "-q", "-h", str(self.folder)], check=False, timeout=WAIT_S, capture_output=True
        )
        return done.returncode == 0

    def _initdb(self) -> None:
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command = [str(self._bin / "initdb"), "-D", str(self.data), *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, timeout=WAIT_S, **self._user)
        if done.returncode != 0:
            raise NoPostgres(f"PostgreSQL makes no cluster: {done.stderr.strip()[-300:]}")


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
    raise NoPostgres("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
