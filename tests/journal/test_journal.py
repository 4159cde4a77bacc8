"""The journal file: append-only, chained, verified, and hard to lose."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kiosk.controller import CHECKPOINT_BYTES
from kiosk.core import roster as r
from kiosk.core.commands import Read
from kiosk.core.entries import Fact, Kind, Stream, encode
from kiosk.journal import CannotAppend, Journal, JournalBusy, JournalDamaged, connect, new_note, verify
from kiosk.reading_back import close_before, finished, newest_closes
from tests.support.journals import since_cleared
from tests.support.school import School


def test_every_connection_is_wal_with_full_synchronous(tmp_path: Path) -> None:
    connection = connect(tmp_path / "journal.db")
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    connection.close()


@pytest.mark.parametrize("statement", ["UPDATE entries SET kind='x'", "DELETE FROM entries", "DELETE FROM incarnations"])
def test_rows_can_be_neither_changed_nor_removed(school: School, statement: str) -> None:
    connection = sqlite3.connect(school.state / "journal.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_a_second_kiosk_on_the_same_state_is_refused_with_the_remedy(school: School) -> None:
    with pytest.raises(JournalBusy, match="stop that one or name another --state"):
        Journal(school.state, node="east", incarnation="x")


def test_a_whole_journal_over_three_boots_is_clean(school: School) -> None:
    for _ in range(2):
        school.tap("王小明", "east-in")
        school.restart()
    found = verify(school.state / "journal.db")
    assert (found.ok, found.incarnations, found.first_bad) == (True, 3, None)


def flip(path: Path, needle: bytes, at: int) -> None:
    """Flips one bit of one byte in the file, as a failing card would."""
    data = bytearray(path.read_bytes())
    where = data.index(needle) + at
    data[where] ^= 1
    path.write_bytes(bytes(data))


def test_a_flipped_byte_is_found_and_the_entry_is_named(school: School) -> None:
    school.tap("王小明", "east-in")
    school.tap("李雷", "south-in")
    entry = school.entries("arrived")[0]
    school.close()
    path = school.state / "journal.db"
    flip(path, encode(entry), 30)
    found = verify(path)
    assert not found.ok and found.first_bad is not None
    assert (found.first_bad["node"], found.first_bad["seq"]) == ("east", entry.seq)
    assert "hash" in found.first_bad["why"]


def test_an_entry_cut_out_of_the_middle_is_missed(school: School) -> None:
    school.tap("王小明", "east-in")
    school.close()
    connection = sqlite3.connect(school.state / "journal.db")
    connection.execute("DROP TRIGGER entries_no_delete")
    connection.execute("DELETE FROM entries WHERE seq = 2")
    connection.commit()
    connection.close()
    assert verify(school.state / "journal.db").first_bad["why"] == "entry 2 is missing"  # type: ignore[index]


def test_the_tail_of_an_earlier_boot_cannot_be_cut_off_unseen(school: School) -> None:
    school.tap("王小明", "east-in")
    school.restart()
    school.close()
    connection = sqlite3.connect(school.state / "journal.db")
    connection.execute("DROP TRIGGER entries_no_delete")
    connection.execute("DELETE FROM entries WHERE boot = 1 AND seq = (SELECT max(seq) FROM entries WHERE boot = 1)")
    connection.commit()
    connection.close()
    assert "does not seal" in verify(school.state / "journal.db").first_bad["why"]  # type: ignore[index]


def test_a_file_that_is_no_journal_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(JournalDamaged, match="restore the last backup"):
        verify(tmp_path / "journal.db")
    with pytest.raises(JournalDamaged, match="name the state folder"):
        verify(tmp_path / "nowhere.db")


def test_a_failed_append_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path, node="east", incarnation="a" * 16)
    stream = Stream(node="east", incarnation="a" * 16)
    sealed = stream.seal(Fact(Kind.SEEN, {"child": 1}), at_ms=1, trusted=True)
    journal.append([sealed])
    with pytest.raises(CannotAppend, match="write on paper"):
        journal.append([sealed])
    assert len(since_cleared(journal)) == 1
    journal.close()


def test_a_close_by_a_clock_that_fell_back_ends_no_day(tmp_path: Path) -> None:
    journal = Journal(tmp_path, node="east", incarnation="a" * 16)
    stream = Stream(node="east", incarnation="a" * 16)
    closed = stream.seal(Fact(Kind.CAMPUS_CLEARED, {"day": "2026-11-22"}), at_ms=1, trusted=True)
    fell_back = stream.seal(Fact(Kind.CAMPUS_CLEARED, {"day": "1970-01-01"}), at_ms=2, trusted=False)
    journal.append([closed, fell_back])
    closes = newest_closes(journal)
    assert finished(close_before("2026-11-24", closes)) == (closed.entry, (1, 1))
    assert finished(close_before("2026-11-22", closes)) == (None, (0, 0))
    assert [one.kind for one in since_cleared(journal)] == ["campus_cleared"]
    journal.close()


def test_the_log_is_folded_in_although_the_gate_is_never_idle_for_a_second(school: School) -> None:
    for _ in range(1_500):  # one commit each: without folding some 20 MB
        school.ask(Read(access_point="room-201", scheme="uid", value="DEADBEEF"))
    assert (school.state / "journal.db-wal").stat().st_size < 2 * CHECKPOINT_BYTES
    assert verify(school.state / "journal.db").ok


def test_free_text_can_be_erased_and_the_chain_still_holds(school: School) -> None:
    from kiosk.core import commands as c

    school.ask(c.ExcuseAbsence(child=1, kind="leave_sick", by=101, note="发烧 39 度"))
    digest = school.entries("absence_excused")[0].body["note"]
    assert school.gate.journal.note(digest) == "发烧 39 度"
    assert school.gate.journal.erase_note(digest)
    assert school.gate.journal.note(digest) is None
    assert verify(school.state / "journal.db").ok


def test_the_same_text_twice_has_two_digests() -> None:
    assert new_note("发烧").digest != new_note("发烧").digest


def test_when_the_disk_refuses_nobody_is_told_and_the_state_goes_back(school: School) -> None:
    school.tap("王小明", "east-in")
    school.gate.journal._db.execute("PRAGMA max_page_count=1")  # SQLite's own way of a full disk
    answers = []
    for n in range(400):  # until the last free page is full
        school.clock.advance(10_000)
        answers.append(school.tap_card(f"04A3{2 + n % 4:04X}", "east-in"))
        if answers[-1].decision.reason == "cannot_save":
            break
    assert answers[-1].decision.reason == "cannot_save"
    durable = {e.id for e in school.entries()}
    assert {a.entry for a in answers[:-1]} <= durable, "told but not durable"
    assert answers[-1].entry is None
    assert school.look(r.BarQuery()).can_save is False
    assert {n for n, _ in school.gate.world.campus.on_campus()} == {e.body["child"] for e in school.entries("arrived")}
    school.gate.journal._db.execute("PRAGMA max_page_count=1073741823")
    assert school.tap("高个子", "south-in").decision.reason == "on_time"
    assert school.look(r.BarQuery()).can_save is True
    assert verify(school.state / "journal.db").ok
