"""The tables of a journal, as small named steps; one that was applied is never edited.

Nothing here opens or names a file, and nothing writes a row: `kiosk.journal` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kiosk.migrating import Schema

if TYPE_CHECKING:
    from sqlite_utils import Database


def m001_entries(db: Database) -> None:
    """The chain. `boot` counts the incarnations of this file; (boot, seq) is the order of writing."""
    db.execute("CREATE TABLE incarnations (boot INTEGER PRIMARY KEY, incarnation TEXT NOT NULL UNIQUE, node TEXT NOT NULL)")
    db.execute(
        "CREATE TABLE entries (boot INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, raw BLOB NOT NULL,"
        " hash BLOB NOT NULL, PRIMARY KEY (boot, seq)) WITHOUT ROWID"
    )
    for table in ("entries", "incarnations"):
        for verb in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )


def m002_notes(db: Database) -> None:
    """Free text, erasable: deleting a row leaves the digest in the chain and nothing to read."""
    db.execute("CREATE TABLE notes (digest TEXT PRIMARY KEY, salt BLOB NOT NULL, text TEXT NOT NULL)")


def m003_reads(db: Database) -> None:
    """Names of reads that a device may send again, for ever: `access_point nonce`, in the transaction of their fact."""
    db.execute("CREATE TABLE reads (name TEXT PRIMARY KEY) WITHOUT ROWID")


def m004_pruned(db: Database) -> None:
    """Whose bytes are let go of: of one incarnation through `through`, done through `erased`. Nothing else may change."""
    db.execute("CREATE TABLE pruned (boot INTEGER PRIMARY KEY, through INTEGER NOT NULL, erased INTEGER NOT NULL)")
    db.execute("DROP TRIGGER entries_no_update")
    db.execute(
        "CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries WHEN NOT (NEW.raw IS x'' AND NEW.boot = OLD.boot"
        " AND NEW.seq = OLD.seq AND NEW.kind = OLD.kind AND NEW.hash = OLD.hash"
        " AND EXISTS (SELECT 1 FROM pruned WHERE boot = OLD.boot AND through >= OLD.seq))"
        " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    )


def m005_of_service(db: Database) -> None:
    """The few rows of which reports are made, found without going through a year of taps."""
    kinds = "growth_noted month_locked patrolled session_closed session_corrected staff_checked_in staff_checked_out"
    listed = ", ".join(f"'{kind}'" for kind in kinds.split())
    db.execute(f"CREATE INDEX entries_of_service ON entries (boot, seq) WHERE kind IN ({listed})")


SCHEMA: Final = Schema("journal", (m001_entries, m002_notes, m003_reads, m004_pruned, m005_of_service))
