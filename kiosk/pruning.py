"""Lets go of the bytes of old entries that the school server holds: what may go, and letting it go a little at a time.

Off unless the settings say for how many days records are kept. Nothing goes that the server has not acknowledged and
countersigned, nothing since the last close of a day so long ago, no kind that is kept for ever, no entry's number, kind or
hash.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

from kiosk.controller import Controller
from kiosk.core.commands import PruneRecords
from kiosk.core.decisions import Answer
from kiosk.core.entries import Kind, UnreadableEntry, decode
from kiosk.core.pruned import KEPT_KINDS, Pruned, persons_named
from kiosk.countersigned import AGENT_FILE, look
from kiosk.journal import FILE_NAME, connect

WORTH_IT: Final = 500  # entries; for fewer no fact is written

log = logging.getLogger("kiosk.pruning")


class Pruner:
    """One for each gate, asked by the thread that looks at everything else outside. It works once a day, when the campus is
    cleared: to find what may go takes seconds of the processor, and then no card waits for it."""

    def __init__(self, *, controller: Controller, state: Path, keep_days: int, worth_it: int = WORTH_IT) -> None:
        """keep_days: 0 for ever."""
        self._controller, self._state, self._keep_days, self._worth_it = controller, state, keep_days, worth_it
        self._looked_on = ""

    def look(self) -> None:
        """Raises sqlite3.Error, OSError."""
        world = self._controller.world
        cleared = world.campus.cleared
        if not self._keep_days or world.day == self._looked_on or cleared is None or cleared.day != world.day:
            return
        self.prune()
        self._looked_on = world.day

    def prune(self) -> None:
        """What is old now. Raises sqlite3.Error, OSError."""
        before = (self._controller.world.book.day.date - timedelta(days=self._keep_days)).isoformat()
        found = due(self._state, before)
        if found is not None and found.entries >= self._worth_it:
            ends = {stream: seq for stream, seq, _ in found.streams}
            self._controller.submit(found, lambda answer: self._said(answer, ends))

    def _said(self, answer: Answer, ends: Mapping[str, int]) -> None:
        """On the loop's thread, after the fact is durable."""
        if answer.entry is not None:
            self._controller.journal.prune_through(ends)
            log.info("the bytes of old records are let go of, through %s", dict(ends))


def due(state: Path, before: str) -> PruneRecords | None:
    """What may go of what was closed before that day (ISO); None where nothing may. Reads beside a running gate."""
    sure = _held_by_the_server(state)
    if not sure:
        return None
    with closing(connect(state / FILE_NAME, read_only=True)) as db:
        place = _last_close(db, before)
        if place is None:
            return None
        streams, entries, highest = list[Pruned](), 0, 0
        for boot, stream, last in _streams(db, through_boot=place[0]):
            end = min(last if boot < place[0] else place[1] - 1, sure.get(stream, 0))
            count, most = _what_goes(db, boot, end)
            if count:
                streams.append(Pruned(stream, end, _digest(db, boot, end)))
                entries, highest = entries + count, max(highest, most)
    if not streams:
        return None
    return PruneRecords(streams=tuple(streams), before=before, entries=entries, highest=highest)


def _held_by_the_server(state: Path) -> dict[str, int]:
    """stream -> how far the server has acknowledged it, and countersigned it under the key that was pinned at enrolment."""
    path = state / AGENT_FILE
    signed = {f"{one.node}/{one.incarnation}": one.seq for one in look(state).through}
    if not signed or not path.exists():
        return {}
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as db:
        rows = db.execute("SELECT node, incarnation, durable_through FROM cursors").fetchall()
    return {name: min(through, signed.get(name, 0)) for node, incarnation, through in rows if (name := f"{node}/{incarnation}")}


def _last_close(db: sqlite3.Connection, before: str) -> tuple[int, int] | None:
    """Where the last close of a day before that one stands: the state of any later day is folded from there."""
    rows = db.execute(
        "SELECT boot, seq, raw FROM entries WHERE kind = ? ORDER BY boot DESC, seq DESC", (Kind.CAMPUS_CLEARED.value,)
    )
    for boot, seq, raw in rows:
        entry = decode(raw)
        if entry.clock == "trusted" and str(entry.body.get("day", "")) < before:
            return boot, seq
    return None


def _streams(db: sqlite3.Connection, *, through_boot: int) -> list[tuple[int, str, int]]:
    rows = db.execute(
        "SELECT boot, node, incarnation, (SELECT max(seq) FROM entries e WHERE e.boot = i.boot) FROM incarnations i"
        " WHERE boot <= ? ORDER BY boot", (through_boot,),
    ).fetchall()  # fmt: skip
    return [(boot, f"{node}/{incarnation}", last or 0) for boot, node, incarnation, last in rows]


def _what_goes(db: sqlite3.Connection, boot: int, end: int) -> tuple[int, int]:
    """How many entries still have bytes that may go, and the highest number of a person in them."""
    kinds, marks = _kept()
    count = highest = 0
    sql = f"SELECT raw FROM entries WHERE boot = ? AND seq <= ? AND kind NOT IN ({marks}) AND raw <> x''"
    for (raw,) in db.execute(sql, (boot, end, *kinds)):
        count += 1
        try:
            highest = max(highest, *persons_named(decode(raw)), 0)
        except UnreadableEntry:
            continue  # no version of this program wrote it, so it names nobody whom we know
    return count, highest


def _digest(db: sqlite3.Connection, boot: int, end: int) -> str:
    digest = hashlib.sha256()
    for (hash_,) in db.execute("SELECT hash FROM entries WHERE boot = ? AND seq <= ? ORDER BY seq", (boot, end)):
        digest.update(hash_)
    return digest.hexdigest()


def _kept() -> tuple[list[str], str]:
    kinds = sorted(kind.value for kind in KEPT_KINDS)
    return kinds, ",".join("?" * len(kinds))


