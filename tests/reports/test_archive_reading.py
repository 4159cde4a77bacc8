"""What is read of a period: each row once, from this gate and others, corrections in their order, nothing outside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk.core.entries import encode
from kiosk.recorded import PEERS_FILE, RecordsError
from tests.support.service_journal import ServiceJournal

MON, TUE, NEXT = "2026-11-23", "2026-11-24", "2026-12-01"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ServiceJournal]:
    one = ServiceJournal(tmp_path / "state")
    yield one
    one.close()


def peers(state: Path, other: ServiceJournal) -> None:
    """What the agent leaves of another gate."""
    file = sqlite3.connect(state / PEERS_FILE)
    file.execute(
        "CREATE TABLE peers(id INTEGER PRIMARY KEY, node TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL,"
        " raw BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE(node, incarnation, seq))"
    )
    rows = other.journal._db.execute("SELECT seq, raw, hash FROM entries ORDER BY seq").fetchall()
    named = [("south", other.stream.incarnation, seq, raw, digest) for seq, raw, digest in rows]
    file.executemany("INSERT INTO peers(node, incarnation, seq, raw, hash) VALUES (?, ?, ?, ?, ?)", named)
    file.commit()
    file.close()


def test_only_the_period_and_corrections_whenever_they_were_made(journal: ServiceJournal) -> None:
    journal.session(MON, "S1", {3: "present", 4: "absent_unexplained"})
    journal.session(TUE, "S1", {3: "present", 4: "present"})
    journal.correct(MON, "S1", on=NEXT, why="家长补假条", states={4: "leave_sick"})
    journal.session(NEXT, "S1", {3: "late"})
    found = journal.books().archive(date(2026, 11, 23), date(2026, 11, 23))
    (one,) = found.held
    assert (one.first.states[4], one.row.states[4]) == ("absent_unexplained", "leave_sick")
    assert [(put_right.note, put_right.change.by) for put_right in one.corrections] == [("家长补假条", 150)]


def test_the_last_correction_wins_child_by_child(journal: ServiceJournal) -> None:
    journal.session(MON, "S1", {3: "absent_unexplained", 4: "absent_unexplained"})
    journal.correct(MON, "S1", on=TUE, why="一", states={3: "late", 4: "late"})
    journal.correct(MON, "S1", on=TUE, why="二", at="10:00", states={4: "leave_personal"}, class_hours=0.5)
    (one,) = journal.books().archive(date(2026, 11, 1), date(2026, 11, 30)).held
    assert one.row.states == {3: "late", 4: "leave_personal"}
    assert (one.first.class_hours, one.row.class_hours) == (1.0, 0.5)


def test_another_gates_rows_count_and_a_session_closed_twice_counts_once(tmp_path: Path, journal: ServiceJournal) -> None:
    other = ServiceJournal(tmp_path / "other", node="south")
    journal.session(MON, "S1", {3: "present"})
    other.session(MON, "S1", {3: "absent_unexplained"}, at="17:45")
    other.session(MON, "S2", {5: "present"}, by=112)
    other.session(MON, "S2-b", {5: "present"}, kind="session_closed")
    peers(journal.state, other)
    other.close()
    found = journal.books().archive(date(2026, 11, 23), date(2026, 11, 23))
    assert [(one.row.session, one.entry.node, len(one.again)) for one in found.held] == [
        ("S1", "east", 1), ("S2", "south", 0), ("S2-b", "south", 0),
    ]  # fmt: skip
    assert found.held[0].row.states == {3: "present"}


def test_nothing_depends_on_the_order_in_which_gates_are_read(tmp_path: Path, journal: ServiceJournal) -> None:
    other = ServiceJournal(tmp_path / "other", node="south")
    other.session(MON, "S1", {3: "absent_unexplained"})
    journal.correct(MON, "S1", on=TUE, why="在东门更正", states={3: "present"})
    peers(journal.state, other)
    other.close()
    (one,) = journal.books().archive(date(2026, 11, 23), date(2026, 11, 23)).held
    assert one.row.states == {3: "present"}


def test_progress_comes_to_its_end_and_may_stop_it(journal: ServiceJournal) -> None:
    for day in (MON, TUE, NEXT):
        journal.session(day, "S1", {3: "present"})
    told: list[tuple[int, int]] = []
    books = journal.books()
    books.progress = lambda done, total: told.append((done, total))
    books.archive(date(2026, 9, 1), date(2027, 1, 22))
    assert told[-1] == (3, 3)

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    books = journal.books()
    books.progress = stop
    with pytest.raises(InterruptedError):
        books.archive(date(2026, 9, 1), date(2027, 1, 22))


def test_what_was_read_is_kept_until_something_new_is_there(journal: ServiceJournal) -> None:
    journal.session(MON, "S1", {3: "present"})
    books, month = journal.books(), (date(2026, 11, 1), date(2026, 11, 30))
    first = books.archive(*month)
    assert books.archive(*month) is first
    journal.session(TUE, "S1", {3: "present"})
    assert len(books.archive(*month).held) == 2


def test_a_row_that_nobody_can_read_is_counted_and_the_rest_stands(journal: ServiceJournal) -> None:
    journal.session(MON, "S1", {3: "present"})
    odd = journal.session(MON, "S2", {5: "present"})
    _overwrite(journal, odd.seq, encode(replace(odd, body={"session": "S2", "day": MON})))
    found = journal.books().archive(date(2026, 11, 23), date(2026, 11, 23))
    assert ([one.row.session for one in found.held], found.unreadable) == (["S1"], 1)


def test_rows_whose_bytes_were_let_go_of_are_named_and_never_left_out(journal: ServiceJournal) -> None:
    odd = journal.session(MON, "S1", {3: "present"})
    _overwrite(journal, odd.seq, b"")
    journal.journal._db.execute("INSERT INTO pruned VALUES (1, ?, ?)", (odd.seq, odd.seq))
    with pytest.raises(RecordsError, match="keep_records_days"):
        journal.books().archive(date(2026, 11, 23), date(2026, 11, 23))


def _overwrite(journal: ServiceJournal, seq: int, raw: bytes) -> None:
    db = journal.journal._db
    db.execute("DROP TRIGGER entries_no_update")
    db.execute("UPDATE entries SET raw = ? WHERE seq = ?", (raw, seq))
