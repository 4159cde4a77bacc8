"""Opens SQLite files so that what is committed survives a power cut.

WAL with synchronous=NORMAL loses acknowledged commits, and Python's default (DELETE) loses the last one, so both
settings are made on every connection and read back. Nothing here knows what the tables mean.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sync_agent.errors import Misconfigured
from sync_agent.keys import fsync_folder, make_folder

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_TIMEOUT_S = 10.0
FULL = 2


@dataclass(frozen=True, slots=True)
class Schema:
    """A named set of migrations. A step that has been applied anywhere is never edited; new ones go to the end."""

    name: str
    steps: tuple[Callable[[Database], None], ...]


def open_durable(path: Path, schema: Schema) -> sqlite3.Connection:
    """A connection in WAL + FULL with the migrations applied. Raises Misconfigured, also for a file of a newer version.

    A new file is created, closed and its folder fsynced before anything is written into it. The connection
    may be used from several threads, one at a time.
    """
    try:
        make_folder(path.parent, mode=0o777)
        if not path.exists():
            _connect(path).close()
            fsync_folder(path.parent)
        connection = _connect(path)
        _migrate(connection, schema, path)
    except (OSError, sqlite3.Error) as error:
        raise Misconfigured(f"{path} cannot be opened ({error}); check the folder's owner and free space") from error
    return connection


def _migrate(connection: sqlite3.Connection, schema: Schema, path: Path) -> None:
    """sqlite-utils is imported only when there is something to migrate: it brings numpy along, 25 MB of it."""
    applied, known = _applied(connection, schema.name), {step.__name__ for step in schema.steps}
    if newer := sorted(applied - known):
        connection.close()
        raise Misconfigured(f"{path} was written by a newer version (it has {newer[-1]}); install that version again")
    if applied == known:
        return
    from sqlite_utils import Database, Migrations

    migrations = Migrations(schema.name)
    for step in schema.steps:
        migrations()(step)
    database = Database(connection)
    with database.atomic():  # all of it or nothing, the list of what was applied included
        migrations.apply(database)


def _applied(connection: sqlite3.Connection, name: str) -> set[str]:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='_sqlite_migrations'").fetchall():
        return set()
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set=?", (name,))
    return {row[0] for row in rows}


def only_one(folder: Path, name: str) -> int:
    """Holds `name` in the folder locked as long as the process lives. Raises Misconfigured when another one does."""
    try:
        handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Misconfigured(f"{folder} cannot be written ({error}); check its owner") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Misconfigured(f"another sync-agent is at work in {folder}; stop that one first") from error
    return handle


def open_reader(path: Path) -> sqlite3.Connection:
    """A second connection to an existing file, for reading beside the writer."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only=1")
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous=FULL")
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("wal", FULL):
        connection.close()
        raise Misconfigured(f"{path} runs with journal_mode={mode}, synchronous={level}; put it on a local disk")
    return connection
