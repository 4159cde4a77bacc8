"""The tables of a directory snapshot: as values, as SQL, and the way between the two.

`Content` is everything that one snapshot holds. Migrations are small named functions; an applied one is
never edited. Nothing here opens, names or replaces files: `kiosk.directory` does. sqlite-utils is imported
only to write or to migrate, so that a gate that starts up does not pay for it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from kiosk.core.enrolment import Application, State, Step, Taken
from kiosk.core.people import (
    Authorisation,
    Card,
    CardState,
    Collector,
    Enrolment,
    Outside,
    Pupil,
    Restriction,
    Role,
    SchoolClass,
    Session,
    Staff,
    Stage,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x4B444952  # "KDIR", in the file header of every snapshot
MIGRATION_SET = "directory"


class PersonKind(StrEnum):
    PUPIL = "pupil"
    STAFF = "staff"
    COLLECTOR = "collector"


class Person(NamedTuple):
    """Who a number belongs to. Kept after the person has left, so that the number is never given again."""

    number: int
    kind: PersonKind
    key: str  # 学号, 工号 or 接送人编号


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All rows of a snapshot. `persons` also names those who left; erased numbers are in no field at all."""

    classes: tuple[SchoolClass, ...] = ()
    pupils: tuple[Pupil, ...] = ()
    staff: tuple[Staff, ...] = ()
    outside: tuple[Outside, ...] = ()  # of staff who are not the school's own
    collectors: tuple[Collector, ...] = ()
    authorisations: tuple[Authorisation, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    cards: tuple[Card, ...] = ()
    sessions: tuple[Session, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    applications: tuple[Application, ...] = ()  # in the order in which they came
    application_steps: tuple[Taken, ...] = ()
    persons: tuple[Person, ...] = ()
    pins: Mapping[int, str] = field(default_factory=dict)  # staff number of ours -> argon2id hash
    duress_pins: Mapping[int, str] = field(default_factory=dict)  # the same, of 胁迫密码
    next_number: int = 1  # every number below has been given at some time
    school_year_start: int = 0  # the year by which grades were reckoned; 0 = not said
    next_application: int = 1  # likewise, of our own 申请编号


# ---- migrations ----------------------------------------------------------------------------------------


def m001_people_cards_and_sessions(db: Database) -> None:
    """Everything that the first release imports."""
    for statement in _FIRST_TABLES.split(";"):
        if statement.strip():
            db.execute(statement)


def m002_duress_pins(db: Database) -> None:
    """A second PIN for whoever is threatened: it signs in like the first and calls for help."""
    db.execute("CREATE TABLE duress_pins (staff INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT")


def m003_applications(db: Database) -> None:
    """Applications with every step they took, whom a session is for, and which application a place came from."""
    for statement in _APPLICATIONS.split(";"):
        if statement.strip():
            db.execute(statement)


def m004_sessions_by_date(db: Database) -> None:
    """Several rows of one session, each for its own days: what changes inside a term leaves the past as it was."""
    for statement in _DATED_SESSIONS.split(";"):
        if statement.strip():
            db.execute(statement)


def m005_outside_staff(db: Database) -> None:
    """Whose staff from outside are, under which contract, and what was checked when."""
    db.execute(
        "CREATE TABLE outside (staff INTEGER PRIMARY KEY, organisation TEXT NOT NULL, contract_from TEXT, contract_to TEXT,"
        " qualification TEXT NOT NULL, health_checked TEXT, record_checked TEXT) STRICT"
    )


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    m001_people_cards_and_sessions,
    m002_duress_pins,
    m003_applications,
    m004_sessions_by_date,
    m005_outside_staff,
)

_FIRST_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE persons (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, UNIQUE (kind, key)) STRICT;
CREATE TABLE classes (id TEXT PRIMARY KEY, name TEXT NOT NULL, stage TEXT NOT NULL, grade INTEGER NOT NULL,
  class_no INTEGER NOT NULL, entry_year INTEGER NOT NULL, teacher INTEGER, room TEXT NOT NULL,
  release_gate TEXT NOT NULL) STRICT;
CREATE TABLE pupils (number INTEGER PRIMARY KEY, school_number TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  pinyin TEXT NOT NULL, initials TEXT NOT NULL, class_id TEXT NOT NULL, seat INTEGER NOT NULL, grade INTEGER NOT NULL,
  stage TEXT NOT NULL, boarder INTEGER NOT NULL, leaves_alone INTEGER NOT NULL, extended_care INTEGER NOT NULL,
  minor_collector_consent INTEGER NOT NULL, consents TEXT NOT NULL, way_home TEXT NOT NULL) STRICT;
CREATE TABLE staff (number INTEGER PRIMARY KEY, staff_number TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  pinyin TEXT NOT NULL, initials TEXT NOT NULL, roles TEXT NOT NULL, phone TEXT NOT NULL) STRICT;
CREATE TABLE collectors (number INTEGER PRIMARY KEY, name TEXT NOT NULL, pinyin TEXT NOT NULL, initials TEXT NOT NULL,
  phone TEXT NOT NULL, id_last4 TEXT NOT NULL, minor INTEGER NOT NULL, organisation TEXT NOT NULL,
  daily_limit INTEGER NOT NULL, key TEXT NOT NULL) STRICT;
CREATE TABLE authorisations (child INTEGER NOT NULL, collector INTEGER NOT NULL, relation TEXT NOT NULL,
  guardian INTEGER NOT NULL, valid_from TEXT, valid_to TEXT, "order" INTEGER NOT NULL) STRICT;
CREATE TABLE restrictions (child INTEGER NOT NULL, collector INTEGER NOT NULL, valid_from TEXT, valid_to TEXT) STRICT;
CREATE TABLE cards (uid TEXT NOT NULL, holder INTEGER NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL,
  PRIMARY KEY (uid, holder)) STRICT;
CREATE TABLE sessions (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, slot INTEGER NOT NULL,
  weekdays TEXT NOT NULL, room TEXT NOT NULL, teacher INTEGER NOT NULL, capacity INTEGER NOT NULL,
  includes_pe INTEGER NOT NULL, start_min INTEGER, end_min INTEGER, partner TEXT NOT NULL) STRICT;
CREATE TABLE enrolments (child INTEGER NOT NULL, session TEXT NOT NULL, valid_from TEXT, valid_to TEXT,
  leave_at_min INTEGER, agreement TEXT NOT NULL) STRICT;
CREATE TABLE pins (staff INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT
"""

_APPLICATIONS = """
CREATE TABLE applications (id TEXT PRIMARY KEY, child INTEGER NOT NULL, session TEXT NOT NULL, state TEXT NOT NULL,
  applied_on TEXT NOT NULL, valid_from TEXT NOT NULL, valid_to TEXT, leave_at_min INTEGER, agreement TEXT NOT NULL,
  priority TEXT NOT NULL) STRICT;
CREATE TABLE application_steps (application TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL, "on" TEXT NOT NULL,
  at_ms INTEGER NOT NULL, by INTEGER NOT NULL, detail TEXT NOT NULL) STRICT;
ALTER TABLE sessions ADD COLUMN audience TEXT NOT NULL DEFAULT '';
ALTER TABLE enrolments ADD COLUMN application TEXT NOT NULL DEFAULT ''
"""

_SESSION_COLUMNS = "id, name, kind, slot, weekdays, room, teacher, capacity, includes_pe, start_min, end_min, partner, audience"
_DATED_SESSIONS = f"""
ALTER TABLE sessions RENAME TO sessions_of_always;
CREATE TABLE sessions (id TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, slot INTEGER NOT NULL,
  weekdays TEXT NOT NULL, room TEXT NOT NULL, teacher INTEGER NOT NULL, capacity INTEGER NOT NULL,
  includes_pe INTEGER NOT NULL, start_min INTEGER, end_min INTEGER, partner TEXT NOT NULL, audience TEXT NOT NULL DEFAULT '',
  valid_from TEXT, valid_to TEXT) STRICT;
INSERT INTO sessions ({_SESSION_COLUMNS}) SELECT {_SESSION_COLUMNS} FROM sessions_of_always ORDER BY rowid;
DROP TABLE sessions_of_always
"""


def migrate(connection: sqlite3.Connection) -> None:
    """Brings an empty or older database to the newest schema."""
    from sqlite_utils import Database, Migrations

    pending = Migrations(MIGRATION_SET)
    for step in MIGRATIONS:
        pending(name=step.__name__)(step)
    pending.apply(Database(connection))


def applied_migrations(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Names in the order in which they were applied; raises sqlite3.DatabaseError where there is no such table."""
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", [MIGRATION_SET])
    return tuple(name for (name,) in rows)


# ---- rows <-> values -----------------------------------------------------------------------------------


class _Column(NamedTuple):
    """How one field is stored where its Python value is not an SQLite value."""

    store: Callable[[Any], Any]
    restore: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _member_of(words: type[StrEnum]) -> Callable[[str], StrEnum]:
    """The member with a value, several times faster than calling the class; KeyError for an unknown word."""
    return {member.value: member for member in words}.__getitem__


_STORED_AS_IS = _Column(_same, _same)
_FLAG = _Column(int, bool)
_DATE = _Column(lambda day: day and day.isoformat(), lambda text: date.fromisoformat(text) if text else None)
_WORDS = _Column(lambda words: ",".join(sorted(words)), lambda text: frozenset(text.split(",")) if text else frozenset())
_NUMBERS = _Column(lambda days: ",".join(map(str, sorted(days))), lambda text: frozenset(map(int, text.split(","))))
_ROLES = _Column(_WORDS.store, lambda text: frozenset(map(Role, text.split(","))) if text else frozenset())
_STATE = _Column(str, _member_of(State))
_PERIOD = {"valid_from": _DATE, "valid_to": _DATE}
_NOT_STORED = frozenset({"has_photo"})  # photographs are another file's business


class _Table(NamedTuple):
    name: str
    type: type[Any]
    special: Mapping[str, _Column]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f.name for f in fields(self.type) if f.name not in _NOT_STORED)


_PUPIL_FLAGS = ("boarder", "leaves_alone", "extended_care", "minor_collector_consent")
_TABLES = (
    _Table("classes", SchoolClass, {"stage": _Column(str, _member_of(Stage))}),
    _Table("pupils", Pupil, {"stage": _Column(str, _member_of(Stage)), "consents": _WORDS} | dict.fromkeys(_PUPIL_FLAGS, _FLAG)),
    _Table("staff", Staff, {"roles": _ROLES}),
    _Table("outside", Outside, dict.fromkeys(("contract_from", "contract_to", "health_checked", "record_checked"), _DATE)),
    _Table("collectors", Collector, {"minor": _FLAG}),
    _Table("authorisations", Authorisation, {"guardian": _FLAG} | _PERIOD),
    _Table("restrictions", Restriction, _PERIOD),
    _Table("cards", Card, {"state": _Column(str, _member_of(CardState))}),
    _Table("sessions", Session, {"weekdays": _NUMBERS, "includes_pe": _FLAG, "audience": _WORDS} | _PERIOD),
    _Table("enrolments", Enrolment, _PERIOD),
    _Table("applications", Application, {"state": _STATE, "applied_on": _DATE} | _PERIOD),
    _Table("application_steps", Taken, {"step": _Column(str, _member_of(Step)), "state": _STATE, "on": _DATE}),
)


def write(connection: sqlite3.Connection, content: Content, *, number: int, made_at_ms: int) -> None:
    """Fills an empty, migrated database and seals it with a digest of every row."""
    for table in _TABLES:
        columns = [table.special.get(name, _STORED_AS_IS).store for name in table.columns]
        values = (
            [store(getattr(row, name)) for store, name in zip(columns, table.columns, strict=True)]
            for row in getattr(content, table.name)
        )
        _insert(connection, table.name, table.columns, values)
    _insert(connection, "persons", ("number", "kind", "key"), ((p.number, str(p.kind), p.key) for p in content.persons))
    _insert(connection, "pins", ("staff", "hash"), content.pins.items())
    _insert(connection, "duress_pins", ("staff", "hash"), content.duress_pins.items())
    meta = {"number": number, "made_at_ms": made_at_ms, "next_number": content.next_number}
    meta |= {"school_year_start": content.school_year_start, "next_application": content.next_application}
    _insert(connection, "meta", ("key", "value"), ((key, str(value)) for key, value in meta.items()))
    _insert(connection, "meta", ("key", "value"), [("digest", digest_of(connection))])


def _insert(connection: sqlite3.Connection, table: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    quoted = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" for _ in columns)
    connection.executemany(f'INSERT INTO "{table}" ({quoted}) VALUES ({marks})', (tuple(row) for row in rows))


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT key, value FROM meta"))


def read_pins(connection: sqlite3.Connection) -> dict[int, str]:
    return dict(connection.execute("SELECT staff, hash FROM pins ORDER BY staff"))


def read_duress_pins(connection: sqlite3.Connection) -> dict[int, str]:
    return dict(connection.execute("SELECT staff, hash FROM duress_pins ORDER BY staff"))


def read(connection: sqlite3.Connection) -> Content:
    """All rows of a database at the newest schema, as values."""
    meta = read_meta(connection)
    rows = {table.name: tuple(_restore(connection, table)) for table in _TABLES}
    persons = connection.execute("SELECT number, kind, key FROM persons ORDER BY number")
    return Content(
        **rows,
        persons=tuple(Person(number, PersonKind(kind), key) for number, kind, key in persons),
        pins=read_pins(connection),
        duress_pins=read_duress_pins(connection),
        next_number=int(meta["next_number"]),
        school_year_start=int(meta["school_year_start"]),
        next_application=int(meta.get("next_application", "1")),  # not in snapshots from before m003
    )


def _restore(connection: sqlite3.Connection, table: _Table) -> Iterable[Any]:
    names = table.columns
    special = [(at, table.special[name].restore) for at, name in enumerate(names) if name in table.special]
    quoted = ", ".join(f'"{name}"' for name in names)
    build = table.type
    for row in connection.execute(f'SELECT {quoted} FROM "{table.name}" ORDER BY rowid').fetchall():
        values = list(row)
        for at, restore in special:
            values[at] = restore(values[at])
        yield build(**dict(zip(names, values, strict=True)))


def digest_of(connection: sqlite3.Connection) -> str:
    """SHA-256 over every row of every table, hex. SQLite does not notice bit rot inside a row; this does."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%' ORDER BY name")
    total = hashlib.sha256()
    for (name,) in tables.fetchall():
        rows = connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall()
        if name == "meta":
            rows = sorted(row for row in rows if row[0] != "digest")
        total.update(msgspec.json.encode([name, rows]))
    return total.hexdigest()
