"""Opens SQLite files so that what is committed survives a power cut.

WAL with synchronous=NORMAL loses acknowledged commits, and Python's default (DELETE) loses the last one, so both
settings are made on every connection and read back. Nothing here knows what the tables mean.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from sync_agent.errors import Misconfigured
from sync_agent.keys import fsync_folder

BUSY_TIMEOUT_S = 10.0
FULL = 2


def open_durable(path: Path, migrations: Migrations) -> sqlite3.Connection:
    """A connection in WAL + FULL with the migrations applied. Raises Misconfigured.

    A new file is created, closed and its folder fsynced before anything is written into it. The connection
    may be used from several threads, one at a time.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _connect(path).close()
            fsync_folder(path.parent)
        connection = _connect(path)
        migrations.apply(Database(connection))
    except (OSError, sqlite3.Error) as error:
        raise Misconfigured(f"{path} cannot be opened ({error}); check the folder's owner and free space") from error
    return connection


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
