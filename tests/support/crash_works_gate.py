"""The gate's own transactions, to be recorded and cut: its journal, PIN attempts, notices, the swap of the directory.

Each work is a few honest calls of the product; nothing of it is played.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest

import kiosk.credentials
import kiosk.journal
from kiosk.clock import FixedClock
from kiosk.controller import Controller
from kiosk.core.commands import Read
from kiosk.core.decisions import Answer
from kiosk.core.entries import Fact, Kind, Sealed, Stream, decode
from kiosk.credentials import PEPPER_BYTES, PinDesk
from kiosk.directory import load
from kiosk.journal import FILE_NAME, Journal, new_note, verify
from kiosk.journal_schema import SCHEMA
from kiosk.migrating import migrate
from kiosk.opening import open_gate
from kiosk.pruning import _digest
from kiosk.settings import load as load_settings
from kiosk.settings import shared_data_dir
from tests.support import fault_school
from tests.support.crash_images import Mark, State, Work
from tests.support.journals import MONDAY_MS

NODE, PEPPER, DAY = "south", bytes(PEPPER_BYTES), "2026-11-23"


class Writer:
    """The writing end of one boot of a journal."""

    def __init__(self, folder: Path, mark: Mark, incarnation: str) -> None:
        self.journal = Journal(folder, node=NODE, incarnation=incarnation)
        self.stream, self.mark = Stream(node=NODE, incarnation=incarnation), mark
        head = self.journal.head()
        sealed = {"incarnation": head[0].incarnation, "seq": head[0].seq, "hash": head[1].hex()} if head else None
        self.append([Fact(Kind.INCARNATION_OPENED, {"sealed": sealed})])

    def append(self, facts: list[Fact], *, note: str = "") -> None:
        sealed = [self.stream.seal(fact, at_ms=MONDAY_MS + self.stream.seq, trusted=True) for fact in facts]
        self.journal.append(sealed, [new_note(note)] if note else [])
        self.mark(*map(name_of, sealed))

    def seen(self, count: int, *, note: str = "", text: str = "") -> None:
        """Children seen: one entry each, in one transaction."""
        at = self.stream.seq
        body = {"access_point": "east-in-1", "text": text}
        self.append([Fact(Kind.SEEN, {**body, "child": n, "nonce": f"{n}"}) for n in range(at, at + count)], note=note)


def name_of(one: Sealed) -> str:
    return f"{one.entry.incarnation}/{one.entry.seq}"


def journal_left(folder: Path) -> State:
    """The journal as a gate that starts again finds it. Its chain verifies, and it takes the next entry."""
    journal = Journal(folder, node=NODE, incarnation="afterwards")
    try:
        found: dict[str, object] = {}
        for incarnation, seq, *more in journal._db.execute(
            "SELECT incarnation, seq, kind, raw, hash FROM entries JOIN incarnations USING (boot)"
        ):
            found[f"{incarnation}/{seq}"] = more
        entries = len(found)
        found["let go of"] = journal._db.execute("SELECT * FROM pruned").fetchall()
        found["reads"] = journal._db.execute("SELECT name FROM reads ORDER BY name").fetchall()
        found["notes"] = sorted(text for (text,) in journal._db.execute("SELECT text FROM notes"))
        found["schema"] = schema_of(journal._db)
        head = journal.head()
        sealed = {"incarnation": head[0].incarnation, "seq": head[0].seq, "hash": head[1].hex()} if head else None
        fact = Fact(Kind.INCARNATION_OPENED, {"sealed": sealed})
        journal.append([Stream(node=NODE, incarnation="afterwards").seal(fact, at_ms=MONDAY_MS, trusted=True)])
        while journal.prunes:  # what was begun goes on
            journal.prune_some()
    finally:
        journal.close()
    verified = verify(folder / FILE_NAME)
    assert verified.ok and verified.entries == entries + 1, verified
    return found


def schema_of(db: sqlite3.Connection) -> list[str]:
    """Every table, index and trigger; the migrations that say they were applied."""
    tables = [row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")]
    return tables + [row[0] for row in db.execute("SELECT name FROM _sqlite_migrations ORDER BY name")]


def _begun(folder: Path) -> None:
    writer = Writer(folder, lambda *names: None, "first")
    for _ in range(6):
        writer.seen(4)
    writer.journal.close()


def _first_start(folder: Path, mark: Mark) -> None:
    writer = Writer(folder / "gate" / "state", mark, "first")
    writer.seen(1)
    writer.journal.close()


def _append(folder: Path, mark: Mark) -> None:
    """Single taps, and groups that share a transaction, some of them longer than a page of the file."""
    writer = Writer(folder, mark, "second")
    for count in (1, 1, 5, 1, 40, 1, 12):
        writer.seen(count)
    writer.seen(3, text="页" * 3_000)
    writer.seen(1, note="free text")
    writer.journal._db.close()  # as a process ends that is killed: nothing is folded


def _log(folder: Path, mark: Mark) -> None:
    """The log folded into the file while the gate runs, written anew from its beginning, folded and cut when it stops."""
    for boot in ("second", "third"):
        writer = Writer(folder, mark, boot)
        for count in (3, 20, 1, 8):
            writer.seen(count, note=f"note {boot} {count}")
            writer.journal.checkpoint()
        digest = writer.journal._db.execute("SELECT digest FROM notes ORDER BY text LIMIT 1").fetchone()[0]
        assert writer.journal.erase_note(digest)
        mark()
        writer.seen(2)
        writer.journal.close()


def _to_let_go_of(folder: Path) -> None:
    writer = Writer(folder, lambda *names: None, "first")
    for number in range(4):
        writer.seen(150, note=f"note {number}")
    writer.journal.close()


def _let_go(folder: Path, mark: Mark) -> None:
    """The bytes of old entries go, some hundred at a time, once a fact has said so."""
    writer, end = Writer(folder, mark, "second"), 500
    digest = _digest(writer.journal._db, 1, end)
    body = {"streams": [[f"{NODE}/first", end, digest]], "before": DAY, "entries": end, "highest": 1, "day": DAY}
    writer.append([Fact(Kind.RECORDS_PRUNED, body)])
    writer.journal.prune_through({f"{NODE}/first": end})
    mark()
    while writer.journal.prunes:
        writer.journal.prune_some()
        mark()
        writer.seen(1)
    writer.journal.checkpoint()
    writer.journal.close()


def _before_migrations(folder: Path) -> None:
    """A journal with the first table alone, as the first version wrote it."""
    db = kiosk.journal.connect(folder / FILE_NAME)
    migrate(db, SCHEMA._replace(steps=SCHEMA.steps[:1]))
    stream = Stream(node=NODE, incarnation="old")
    for seq in range(1, 40):
        fact = Fact(Kind.SEEN, {"child": seq}) if seq > 1 else Fact(Kind.INCARNATION_OPENED, {"sealed": None})
        one = stream.seal(fact, at_ms=MONDAY_MS, trusted=True)
        if seq == 1:
            db.execute("INSERT INTO incarnations VALUES (1, 'old', ?)", (NODE,))
        db.execute("INSERT INTO entries VALUES (1, ?, ?, ?, ?)", (seq, one.entry.kind, one.raw, one.hash))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _migrate(folder: Path, mark: Mark) -> None:
    writer = Writer(folder, mark, "second")
    writer.seen(1)
    writer.journal.close()


# ---- the loop, and PINs ----------------------------------------------------------------------------------

SETTINGS = cache(lambda: load_settings(shared_data_dir("sample_school")))
PUPILS = 24


def _people(folder: Path) -> None:
    fault_school.write(folder / "people", pupils=PUPILS)


def _opened(folder: Path) -> Controller:
    people = load(folder / "people" / "directory.db")
    clock = FixedClock(fault_school.MONDAY_MS)
    return open_gate(settings=SETTINGS(), directory=people, state=folder / "state", clock=clock)


def _taps(folder: Path, mark: Mark) -> None:
    """A whole gate: single taps, and bursts that share a transaction. Marked is what is told to whoever tapped."""
    loop, child = _opened(folder), 1
    mark()
    loop.start()
    for size in (1, 4, 1, 6):
        told = threading.Semaphore(0)

        def tell(answer: Answer, told: threading.Semaphore = told) -> None:
            assert answer.entry is not None
            mark(f"{answer.entry.incarnation}/{answer.entry.seq}")
            told.release()

        for number in range(child, child + size):
            loop.submit(Read(access_point="east-in-1", scheme="uid", value=fault_school.uid_of(number)), tell)
        for _ in range(size):
            assert told.acquire(timeout=60), "the loop stopped answering"
        child += size
    loop.stop()


def _taps_left(folder: Path) -> State:
    """The journal's entries, and the state in which a gate stands that starts on them."""
    found: dict[str, object] = {}
    path = folder / "state" / FILE_NAME
    if path.exists() and Journal(folder / "state", node="x", incarnation="looks").close() is None:
        with closing(sqlite3.connect(path)) as db:
            found = {f"{decode(raw).incarnation}/{seq}": raw for seq, raw in db.execute("SELECT seq, raw FROM entries")}
        assert verify(path).ok
    loop = _opened(folder)
    found["stands"] = loop.world.campus.fingerprint()
    loop.journal.close()
    return found


def _attempts(folder: Path, mark: Mark) -> None:
    """Wrong PINs until somebody is locked out, and the office that vouches for him."""
    with _cheap_hashes():
        desk = PinDesk(folder / "credentials.db", PEPPER)
        for _ in range(2):
            for number in range(5):
                for who in ("T1", "T2"):
                    desk.attempt(who, "0000", None, MONDAY_MS + number)
                    mark()
            desk.unlock("T1")
            mark()


def _attempts_left(folder: Path) -> State:
    with _cheap_hashes():
        desk = PinDesk(folder / "credentials.db", PEPPER)
    locked = {who: desk.locked_until_ms(who, MONDAY_MS + 9) for who in ("T1", "T2")}
    with closing(sqlite3.connect(folder / "credentials.db")) as db:
        return {"attempts": db.execute("SELECT hex(who), at_ms FROM attempts").fetchall(), **locked}


@contextmanager
def _cheap_hashes() -> Iterator[None]:
    """What a hash costs an attacker is not the matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kiosk.credentials, "_TIME_COST", 1)
        patch.setattr(kiosk.credentials, "_MEMORY_KIB", 8)
        yield


# ---- mistakes --------------------------------------------------------------------------------------------


def _without_sync(patch: pytest.MonkeyPatch) -> None:
    _weaker(patch, "PRAGMA synchronous=OFF")


def _with_less_sync(patch: pytest.MonkeyPatch) -> None:
    _weaker(patch, "PRAGMA synchronous=NORMAL")


def _weaker(patch: pytest.MonkeyPatch, pragma: str) -> None:
    connect = kiosk.journal.connect

    def weak(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
        connection = connect(path, read_only=read_only)
        connection.execute(pragma)
        return connection

    patch.setattr(kiosk.journal, "connect", weak)


def _told_first(patch: pytest.MonkeyPatch) -> None:
    """A gate that tells first and writes then."""

    def append(self: Writer, facts: list[Fact], *, note: str = "") -> None:
        sealed = [self.stream.seal(fact, at_ms=MONDAY_MS + self.stream.seq, trusted=True) for fact in facts]
        self.mark(*map(name_of, sealed))
        self.journal.append(sealed)

    patch.setattr(Writer, "append", append)


WORKS = (
    Work(name="journal-first-start", run=_first_start, reopen=lambda folder: journal_left(folder / "gate" / "state")),
    Work(
        name="journal-append", prepare=_begun, run=_append, reopen=journal_left,
        planted={"synchronous-off": _without_sync, "synchronous-normal": _with_less_sync, "told-before-the-commit": _told_first},
    ),
    Work(name="journal-log", prepare=_begun, run=_log, reopen=journal_left, planted={"synchronous-off": _without_sync}),
    Work(name="journal-letting-go", prepare=_to_let_go_of, run=_let_go, reopen=journal_left),
    Work(name="gate-taps", prepare=_people, run=_taps, reopen=_taps_left),
    Work(name="pin-attempts", run=_attempts, reopen=_attempts_left),
    Work(name="journal-migrations", prepare=_before_migrations, run=_migrate, reopen=journal_left),
)  # fmt: skip
