"""Brings a database file to the newest tables, all of it or nothing.

sqlite-utils is imported only where there is something to do: it takes a tenth of a gate's start, and a gate that comes
back after a power cut has children in front of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlite_utils import Database


class Schema(NamedTuple):
    """`steps` in their order, named m001_…; a name that was applied is in the file for ever."""

    name: str
    steps: tuple[Callable[[Database], None], ...]


def migrate(connection: sqlite3.Connection, schema: Schema) -> str:
    """Applies what is missing. Returns the name of a step of a newer version that the file has: then nothing was done."""
    done, known = _applied(connection, schema.name), {step.__name__ for step in schema.steps}
    if newer := sorted(done - known):
        return newer[-1]
    if done != known:
        _apply(connection, schema)
    return ""


def _applied(connection: sqlite3.Connection, name: str) -> set[str]:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchall():
        return set()
    return {row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (name,))}


def _apply(connection: sqlite3.Connection, schema: Schema) -> None:
    from sqlite_utils import Database, Migrations

    migrations = Migrations(schema.name)
    for step in schema.steps:
        migrations(name=step.__name__)(step)
    database = Database(connection, recursive_triggers=False)
    with database.atomic():  # the list of what was applied included
        migrations.apply(database)
