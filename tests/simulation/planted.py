"""Faults that are planted in the product, each as a patch of one function: a simulator is worth what it sees of them.

Every patch is a mistake that somebody could make in an afternoon. None of them ships; a test puts one in and takes it out again.
"""

from __future__ import annotations

import sqlite3
from bisect import insort
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk import controller, journal
from kiosk.clock import SystemClock
from kiosk.controller import Controller
from kiosk.core import child_steps, tokens
from kiosk.core.campus import Campus
from kiosk.core.child import ChildState
from kiosk.core.child_steps import fold_step
from kiosk.core.entries import Entry
from kiosk.core.handle import handle
from kiosk.core.stream_book import StreamBook
from kiosk.core.token_book import Right
from kiosk.core.world import World
from sync_agent.school_server.sqlite_store import SqliteStream

Patch = Callable[[pytest.MonkeyPatch], None]


def acknowledges_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is given as soon as it is decided: the write will surely work."""

    def turn(self: Controller, asked: list[Any]) -> None:
        now_ms, trusted = self.clock.now_ms(), self.clock.trusted()
        decided = [(one, *self._decide(one.command, now_ms, trusted)) for one in asked]
        self._tell(decided, now_ms)
        self.journal.append([s for _, _, sealed, _ in decided for s in sealed], [n for _, _, _, notes in decided for n in notes])

    monkeypatch.setattr(Controller, "turn", turn)


def commits_without_a_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """WAL with synchronous=NORMAL, as every second page on the web recommends."""
    connect = journal.connect

    def faster(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
        connection = connect(path, read_only=read_only)
        if not read_only:
            connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    monkeypatch.setattr(journal, "connect", faster)


def knows_entries_by_their_number_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node's entries are told apart by seq, whichever incarnation they are of."""
    apply = Campus.apply

    def forgetful(self: Campus, entry: Entry) -> bool:
        seen = self.__dict__.setdefault("numbers", set())
        if (entry.node, entry.seq) in seen:
            return True
        seen.add((entry.node, entry.seq))
        return apply(self, entry)

    monkeypatch.setattr(Campus, "apply", forgetful)


def folds_in_the_order_of_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes late is simply folded on top: replaying is slow."""

    def fold_child(self: Campus, child: int, entry: Entry) -> None:
        log = self._logs.setdefault(child, [])
        self.children.setdefault(child, ChildState())
        insort(log, (entry.order, entry), key=lambda item: item[0])
        fold_step(self.children[child], child, entry)

    monkeypatch.setattr(Campus, "_fold_child", fold_child)


def makes_no_case_of_a_double_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is gone either way: one line less on the duty page."""
    conflict = child_steps._conflict

    def quiet(state: ChildState, child: int, entry: Entry, kind: str, *others: str) -> None:
        if kind != "double_release":
            conflict(state, child, entry, kind, *others)

    monkeypatch.setattr(child_steps, "_conflict", quiet)


def judges_lateness_by_any_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision is told that the clock is trusted, whatever the clock says."""
    monkeypatch.setattr(controller, "handle", lambda command, world, now_ms, trusted: handle(command, world, now_ms, True))


def believes_a_clock_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are no reason for doubt: somebody will have known why."""
    monkeypatch.setattr(SystemClock, "reason", lambda self: self._implausible(self.now_ms()))


def moves_the_cursor_before_the_rows_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last row of a batch of four is left for a second transaction, which a busy server never gets to."""
    write = SqliteStream.write

    def hasty(self: SqliteStream, *, entries: Any, branch: Any, head: Any, at_ms: int) -> None:
        write(self, entries=entries[:-1] if len(entries) >= 4 else entries, branch=branch, head=head, at_ms=at_ms)
        if len(entries) >= 4:
            self._writer.execute("UPDATE streams SET durable_through=? WHERE id=?", (entries[-1].seq, self._id))

    monkeypatch.setattr(SqliteStream, "write", hasty)


def overlooks_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever restores a card knows what they did."""
    monkeypatch.setattr(StreamBook, "conflicts", lambda self: [])


def the_home_gate_keeps_what_it_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is our child after all: the right to release it is given, and not lost."""
    right_of = tokens.right_of

    def kept(world: World, child: int) -> Right:
        home = tokens.home_of(world, child)
        return Right(home, taken=True, move=None) if world.serves(home) else right_of(world, child)

    monkeypatch.setattr(tokens, "right_of", kept)


PATCHES: tuple[Patch, ...] = (
    acknowledges_before_the_commit, commits_without_a_sync, knows_entries_by_their_number_alone, folds_in_the_order_of_arrival,
    makes_no_case_of_a_double_release, judges_lateness_by_any_clock, believes_a_clock_that_was_set,
    moves_the_cursor_before_the_rows_are_stored, overlooks_copies, the_home_gate_keeps_what_it_gives,
)  # fmt: skip
