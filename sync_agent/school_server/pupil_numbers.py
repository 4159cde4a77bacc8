"""Which 学号 a child's opaque number stands for, for a system that has the right to know: out of the current directory.

It has a token of its own, and no other token opens it: whoever reads attendance does not thereby learn who the children are.
Nothing is given but the two numbers; those who have left are in it, those who were erased are not. The list is never kept.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec

from sync_agent.protocol import Code
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.store import Store


class PupilNumber(msgspec.Struct, frozen=True, kw_only=True):
    """child: as in the entries. school_number: 学号."""

    child: int
    school_number: str


class PupilNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """directory: the number of the snapshot that it was read from; a higher one may name more children."""

    directory: int
    pupils: list[PupilNumber]


def read_pupils(store: Store, *, school: str) -> PupilNumbers:
    """Raises Refused where there is no directory, or none that this version can read."""
    state = store.directory_state(school=school)
    content = None if state is None else store.directory_content(school=school, number=state.number)
    if state is None or content is None:
        raise Refused(Code.NOT_FOUND, f"school {school} has no directory here; its office's gate has to send one")
    try:
        rows = _rows(content)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise Refused(Code.NOT_FOUND, f"directory {state.number} cannot be read here; let the office import again") from error
    pupils = [
        PupilNumber(child=child, school_number=key) for child, key in rows if isinstance(child, int) and isinstance(key, str)
    ]
    return PupilNumbers(directory=state.number, pupils=pupils)


def _rows(content: bytes) -> list[tuple[object, object]]:
    """In memory only: a file of names is not left lying about."""
    if not content:
        raise sqlite3.DatabaseError("it is empty")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA query_only=1")
        if connection.execute("SELECT type FROM sqlite_master WHERE name='persons'").fetchone() != ("table",):
            raise sqlite3.DatabaseError("it has no table of persons")  # a view could be made to never end
        return connection.execute("SELECT number, key FROM persons WHERE kind='pupil' ORDER BY number").fetchall()
