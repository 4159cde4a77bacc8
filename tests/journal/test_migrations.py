"""Migrations of a file are whole or not begun, together with the list that says which were applied."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from kiosk.journal import FILE_NAME, Journal, JournalTooNew, _migrate, connect, new_incarnation
from sync_agent.agent_state import SCHEMA
from sync_agent.durable_sqlite import open_durable
from sync_agent.errors import Misconfigured


def deny_index(action: int, *_: object) -> int:
    """As a disk that goes away between the list's table and its index."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_CREATE_INDEX else sqlite3.SQLITE_OK


def test_a_journal_whose_list_of_migrations_cannot_be_made_has_no_table(tmp_path: Path) -> None:
    db = connect(tmp_path / "journal.db")
    db.set_authorizer(deny_index)
    with pytest.raises(sqlite3.DatabaseError):
        _migrate(db)
    db.set_authorizer(None)
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == []
    _migrate(db)
    assert db.execute("SELECT name FROM _sqlite_migrations ORDER BY id").fetchall()[0] == ("m001_entries",)
    db.close()


def test_nor_has_a_file_of_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connected, real = list[sqlite3.Connection](), sqlite3.connect

    def watched(*given: Any, **named: Any) -> sqlite3.Connection:
        connected.append(real(*given, **named))
        connected[-1].set_authorizer(deny_index)
        return connected[-1]

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", watched)
        with pytest.raises(Misconfigured):
            open_durable(tmp_path / "agent.db", SCHEMA)
    assert connected[-1].execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connected[-1].close()
    open_durable(tmp_path / "agent.db", SCHEMA).close()


def test_a_journal_of_a_newer_version_is_left_alone_and_said(tmp_path: Path) -> None:
    Journal(tmp_path, node="east", incarnation=new_incarnation()).close()
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('journal', 'm099_later', '2031-01-01')")
    db.commit()
    with pytest.raises(JournalTooNew, match="it has m099_later"):
        Journal(tmp_path, node="east", incarnation=new_incarnation())
    assert db.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    db.close()
