"""Opens the store that the setting names: none for SQLite in the server's own folder, postgresql://… for PostgreSQL.

psycopg is imported only for the latter. A password in the address goes to libpq and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

from sync_agent.errors import Misconfigured
from sync_agent.school_server.store import Store


def open_store(folder: Path, address: str) -> Store:
    """address: "" for SQLite. Raises Misconfigured in one sentence that says what to do."""
    if not address:
        from sync_agent.school_server.sqlite_store import SqliteStore

        return SqliteStore(folder)
    try:
        import psycopg as psycopg
    except ImportError as error:
        raise Misconfigured(
            "a store in PostgreSQL needs psycopg 3 with libpq; install campus-kiosk[postgres] into this environment"
        ) from error
    from sync_agent.school_server.postgres_store import PostgresStore

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{folder} cannot be made ({error}); check its owner") from error
    return PostgresStore(address)
