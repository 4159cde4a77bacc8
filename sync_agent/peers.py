"""peers.db: other gates' entries as this gate has received them, and its own that its disk lost. The agent writes it, the
controller reads it.

The controller reads table `peers` by rising `id`. A stream grows from its first entry without a hole. An entry
that the server could not read is there too, byte for byte, if its chain is sound: a newer gate may well understand
what an older server did not. What breaks the chain, or claims another place than its own, must never be folded:
it goes to table `aside`. What came ahead of its turn is in table `ahead`, with holes before it, and leaves it when the stream
has come so far: the controller folds it too, but takes it for no part of what it has seen of that stream.

Beside this file the controller makes every tap durable, on the same disk. So commits are short, and so is what moves the log into
the file: a tap waits behind a tenth of a megabyte, not behind several.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kiosk.core.entries import GENESIS, UnreadableEntry, chain_hash, decode
from sync_agent import protocol
from sync_agent.durable_sqlite import Schema, open_durable
from sync_agent.errors import PeerChainBroken, ServerFailed, StateUnwritable

if TYPE_CHECKING:
    from sqlite_utils import Database


def m001_peers(db: Database) -> None:
    db.execute(
        "CREATE TABLE peers(id INTEGER PRIMARY KEY, node TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL,"
        " raw BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE(node, incarnation, seq))"
    )
    db.execute(
        "CREATE TABLE aside(node TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL, raw BLOB NOT NULL,"
        " hash BLOB NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(node, incarnation, seq)) WITHOUT ROWID"
    )


def m002_ahead(db: Database) -> None:
    """Entries ahead of their turn, until they come in it. AUTOINCREMENT: whoever read up to an id has read all below it."""
    db.execute(
        "CREATE TABLE ahead(id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, incarnation TEXT NOT NULL,"
        " seq INTEGER NOT NULL, raw BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE(node, incarnation, seq))"
    )


def m003_of_service(db: Database) -> None:
    """The few rows of which reports are made, found by their bytes: an entry has its kind once outside of its body."""
    kinds = "growth_noted month_locked patrolled session_closed session_corrected staff_checked_in staff_checked_out"
    found = " OR ".join(f"""instr(raw, CAST('"kind":"{kind}"' AS BLOB)) > 0""" for kind in kinds.split())
    db.execute(f"CREATE INDEX peers_of_service ON peers (node, incarnation, seq) WHERE {found}")


SCHEMA = Schema("peers", (m001_peers, m002_ahead, m003_of_service))
COMMIT_ENTRIES: Final = 200  # at the length of a bench's entries forty pages of 4 KiB
LOG_PAGES: Final = 100  # SQLite's own choice is 1,000: four megabytes that a tap's fsync would wait for


log = logging.getLogger(__name__)

_Row = tuple[str, str, int, bytes, bytes, str]
_Stream = tuple[str, str]
_Head = tuple[int, bytes]


class Peers:
    """The file with its heads in memory. Not for several threads."""

    def __init__(self, path: Path) -> None:
        self._connection = open_durable(path, SCHEMA)
        self._connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
        self._heads: dict[_Stream, _Head] = {
            (node, incarnation): (seq, digest)
            for node, incarnation, seq, digest in self._connection.execute(
                "SELECT p.node, p.incarnation, p.seq, p.hash FROM peers AS p JOIN"
                " (SELECT node, incarnation, max(seq) AS seq FROM peers GROUP BY node, incarnation)"
                " USING (node, incarnation, seq) ORDER BY p.id"
            )
        }
        self._ahead = self._connection.execute("SELECT 1 FROM ahead LIMIT 1").fetchone() is not None
        for node, incarnation, seq, digest in self._connection.execute(
            "SELECT node, incarnation, max(seq), hash FROM aside GROUP BY node, incarnation"
        ):
            if seq > self._heads.get((node, incarnation), (0, GENESIS))[0]:
                self._heads[node, incarnation] = (seq, digest)

    def have(self, wanted: Iterable[_Stream] = ()) -> list[tuple[str, str, int]]:
        """(node, incarnation, last seq), the streams that grew last at the end, at most MAX_HAVE_STREAMS.

        wanted: streams to be named too, of which there may be nothing here yet.
        """
        heads = {**dict.fromkeys(wanted, (0, GENESIS)), **self._heads}
        return [(*stream, seq) for stream, (seq, _) in list(heads.items())[-protocol.MAX_HAVE_STREAMS :]]

    def add(self, segments: Sequence[protocol.Segment]) -> int:
        """Stores what continues its stream; returns how many entries were new.

        Raises PeerChainBroken after storing all that was sound, ServerFailed if a segment is not of the protocol.
        """
        return sum(self.adding(segments))

    def adding(self, segments: Sequence[protocol.Segment]) -> Iterator[int]:
        """The same, one short transaction at every step: how many entries of it were new."""
        broken: PeerChainBroken | None = None
        for part in (part for segment in segments for part in _cut(segment)):
            stream = (part.node, part.incarnation)
            rows, problem = _continuation(part, self._heads.get(stream) or (0, GENESIS))
            self._insert(rows)
            if rows:
                self._heads.pop(stream, None)  # so that the dictionary stays in the order of growth
                self._heads[stream] = (rows[-1][2], rows[-1][4])
            broken = broken or problem
            yield len(rows)
        if broken is not None:
            raise broken

    def announce(self, entries: Sequence[protocol.Announcement]) -> int:
        """Keeps what is ahead of its turn; returns how many of them were new. Raises ServerFailed for what is no entry."""
        return sum(self.announcing(entries))

    def announcing(self, entries: Sequence[protocol.Announcement]) -> Iterator[int]:
        for start in range(0, len(entries), COMMIT_ENTRIES):
            yield self._announce(entries[start : start + COMMIT_ENTRIES])

    def _announce(self, entries: Sequence[protocol.Announcement]) -> int:
        rows = []
        for one in entries:
            name = f"{one.node}/{one.incarnation}/{one.seq}"
            try:
                sealed = protocol.unpack_announced(one, where=name)
            except protocol.MalformedMessage as error:
                raise ServerFailed(f"the server's answer is not of this protocol: {error}") from error
            known, _ = self._heads.get((one.node, one.incarnation), (0, GENESIS))
            segment = protocol.Segment(node=one.node, incarnation=one.incarnation, first_seq=one.seq, entries=[])
            if one.seq > known and not _claims_another_place(sealed.raw, segment, one.seq):
                rows.append((one.node, one.incarnation, one.seq, sealed.raw, sealed.hash))
        if not rows:
            return 0
        before = self._connection.total_changes
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR IGNORE INTO ahead(node, incarnation, seq, raw, hash) VALUES (?,?,?,?,?)", rows
            )
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unwritable(error) from error
        self._ahead = True
        return self._connection.total_changes - before

    def close(self) -> None:
        self._connection.close()

    def _insert(self, rows: Sequence[_Row]) -> None:
        if not rows:
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT INTO peers(node, incarnation, seq, raw, hash) VALUES (?,?,?,?,?)",
                [row[:5] for row in rows if not row[5]],
            )
            self._connection.executemany("INSERT INTO aside VALUES (?,?,?,?,?,?)", [row for row in rows if row[5]])
            if self._ahead:
                self._their_turn_came({(row[0], row[1]): row[2] for row in rows})
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: sqlite3.Error) -> StateUnwritable:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        return StateUnwritable(f"peers.db cannot be written ({error}); look at free space")

    def _their_turn_came(self, reached: dict[_Stream, int]) -> None:
        """What was ahead stands in its stream now. If it is another entry there, its writer has said two things."""
        for (node, incarnation), seq in reached.items():
            other = self._connection.execute(
                "SELECT seq FROM ahead JOIN peers USING (node, incarnation, seq)"
                " WHERE node=? AND incarnation=? AND seq<=? AND ahead.hash<>peers.hash ORDER BY seq LIMIT 1",
                (node, incarnation, seq),
            ).fetchone()
            if other is not None:
                log.error("%s/%s/%d is another entry than was announced; restart this gate", node, incarnation, other[0])
            self._connection.execute("DELETE FROM ahead WHERE node=? AND incarnation=? AND seq<=?", (node, incarnation, seq))


def _cut(segment: protocol.Segment) -> Iterator[protocol.Segment]:
    """Into pieces of one commit each; an empty segment is one piece, because it may be wrong as well."""
    for start in range(0, max(1, len(segment.entries)), COMMIT_ENTRIES):
        yield protocol.Segment(
            node=segment.node,
            incarnation=segment.incarnation,
            first_seq=segment.first_seq + start,
            entries=segment.entries[start : start + COMMIT_ENTRIES],
        )


def _continuation(segment: protocol.Segment, head: _Head) -> tuple[list[_Row], PeerChainBroken | None]:
    """The rows that continue the stream from `head`, and what is wrong after them, if anything."""
    seq, previous = head
    name = f"{segment.node}/{segment.incarnation}"
    if segment.first_seq > seq + 1:
        return [], PeerChainBroken(f"the server left out {name}/{seq + 1}; it will be asked for again")
    rows: list[_Row] = []
    for at, item in enumerate(segment.entries, start=segment.first_seq):
        if at <= seq:
            continue  # had already; the server answered an older question
        try:
            sealed = protocol.unpack(item, where=f"{name}/{at}")
        except protocol.MalformedMessage as error:
            raise ServerFailed(f"the server's answer is not of this protocol: {error}") from error
        broken = chain_hash(previous, sealed.raw) != sealed.hash
        if broken and not item.quarantined:
            return rows, PeerChainBroken(f"the chain of {name} breaks at {at}; look at the school server's disk")
        misplaced = _claims_another_place(sealed.raw, segment, at)
        reason = (item.quarantined or "says that it is another entry") if broken or misplaced else ""
        rows.append((segment.node, segment.incarnation, at, sealed.raw, sealed.hash, reason))
        previous = sealed.hash
    return rows, None


def _claims_another_place(raw: bytes, segment: protocol.Segment, seq: int) -> bool:
    """A readable entry that is not what it came as. An unreadable one claims nothing."""
    try:
        entry = decode(raw)
    except (UnreadableEntry, RecursionError, ValueError):
        return False
    return (entry.node, entry.incarnation, entry.seq) != (segment.node, segment.incarnation, seq)
