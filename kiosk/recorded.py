"""What the journal and the other gates' entries hold about some time, read-only: for replay, evidence and reports.

A year is long and a day is short, so nothing is read that cannot matter: each stream is entered by bisection, and what the
writer of the last 静校 (`campus_cleared`) before that time had already folded in is left out, as a restart leaves it out.
Never writes, never locks out the gate that runs beside it.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from kiosk.core.entries import GENESIS, Entry, Kind, UnreadableEntry, decode
from kiosk.journal import FILE_NAME, JournalError, connect

PEERS_FILE = "peers.db"
SLACK_MS = 3_600_000  # entries are read until a trusted clock says so much after the end
DAY_MS = 86_400_000
STRETCH = 20_000  # entries of one read that seeks a few kinds among all
_EPOCH = date(1970, 1, 1).toordinal()


class RecordsError(Exception):
    """The records cannot be read; the sentence names the file and the remedy."""


class Placed(NamedTuple):
    """An entry with its exact bytes, its place in its chain, and when it was.

    moment_ms: the writer's clock where that was trusted; otherwise the moment at which it was trusted again.
    """

    entry: Entry
    raw: bytes
    previous: bytes
    hash: bytes
    moment_ms: int


class Row(NamedTuple):
    seq: int
    raw: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class StreamRows:
    """One stream as it lies on the disk. `select(first, last)` yields its rows in order."""

    name: str  # node/incarnation
    boot: int  # of this journal; 0 for another gate's
    last: int
    select: Callable[[int, int], Iterator[Row]]
    pruned: int = 0  # through this seq most entries have no bytes any more
    of_kinds: Callable[[int, int, frozenset[str]], Iterator[Row]] | None = None  # where the file knows the kinds of its rows

    def row(self, seq: int) -> Row | None:
        return next(self.select(seq, seq), None)

    def first_at(self, at_ms: int) -> int:
        """The first seq that may be of `at_ms` or later. Ticks never go back and are never behind the writer's clock."""
        low, high = self.pruned + 1, self.last + 1
        while low < high:
            middle = (low + high) // 2
            if self._tick(middle) < at_ms:
                low = middle + 1
            else:
                high = middle
        return low

    def looked_through(self, kinds: frozenset[str], first: int = 1, last: int = 0) -> Iterator[tuple[int, list[Row]]]:
        """A stretch after the other: through which seq, and its rows of these kinds; to the end without a `last`.

        Bytes are looked at, not decoded: among the rows of another gate there may be some of other kinds.
        """
        named = re.compile(b'"kind":"(?:' + b"|".join(re.escape(kind.encode()) for kind in sorted(kinds)) + b')"')
        through = min(last, self.last) if last else self.last
        for begin in range(first, through + 1, STRETCH):
            end = min(through, begin + STRETCH - 1)
            rows = self.select(begin, end) if self.of_kinds is None else self.of_kinds(begin, end, kinds)
            yield end, [row for row in rows if not row.raw or named.search(row.raw)]

    def _tick(self, seq: int) -> int:
        """The tick at `seq`, or of the nearest entry before it that can be read."""
        for row in (self.row(n) for n in range(seq, 0, -1)):
            with contextlib.suppress(UnreadableEntry):
                if row is not None:
                    return decode(row.raw).tick
        return 0


class Records:
    """The streams of a state folder. Use it in the thread that opened it."""

    def __init__(self, own: sqlite3.Connection, peers: sqlite3.Connection | None) -> None:
        self._own, self._peers = own, peers
        self.streams = self._all_streams()

    def _all_streams(self) -> tuple[StreamRows, ...]:
        """Each once: what this disk has lost of its own came back whole beside other gates' entries."""
        found = {stream.name: stream for stream in self._own_streams()}
        for stream in self._peer_streams():
            own = found.get(stream.name)
            if own is None:
                found[stream.name] = stream
            elif stream.last > own.last:
                found[stream.name] = replace(stream, boot=own.boot)
        return tuple(found.values())

    def _own_streams(self) -> Iterator[StreamRows]:
        found = self._own.execute(
            "SELECT boot, node, incarnation, (SELECT max(seq) FROM entries e WHERE e.boot = i.boot) FROM incarnations i"
        ).fetchall()
        pruned = self._pruned()
        for boot, node, incarnation, last in found:
            select = _selecting(self._own, _OWN, (boot,))
            of_kinds = _selecting_kinds(self._own, boot)
            yield StreamRows(f"{node}/{incarnation}", boot, last or 0, select, pruned.get(boot, 0), of_kinds)

    def _pruned(self) -> dict[int, int]:
        """boot -> through which seq bytes were let go of; a journal of an earlier version knows nothing of it."""
        if not _has_table(self._own, "pruned"):
            return {}
        return dict(self._own.execute("SELECT boot, through FROM pruned").fetchall())

    def _peer_streams(self) -> Iterator[StreamRows]:
        if self._peers is None:
            return
        found = self._peers.execute("SELECT node, incarnation, max(seq) FROM peers GROUP BY node, incarnation").fetchall()
        for node, incarnation, last in found:
            key = (node, incarnation)
            select, of_kinds = _selecting(self._peers, _PEER, key), _selecting_peers(self._peers, key)
            yield StreamRows(f"{node}/{incarnation}", 0, last, select, 0, of_kinds)

    def head(self) -> tuple[int, int, int]:
        """Changes whenever anything is added: (boot, seq) of this journal and the last row of the other gates'."""
        boot, seq = self._own.execute("SELECT boot, seq FROM entries ORDER BY boot DESC, seq DESC LIMIT 1").fetchone() or (0, 0)
        row = self._peers.execute("SELECT max(id) FROM peers").fetchone()[0] if self._peers else 0
        return boot, seq, row or 0

    def window(self, start_ms: int, end_ms: int) -> list[Placed]:
        """Every entry that the state between the two moments is folded from, and all written between them, in total order.

        An entry that cannot be read is left out: `kiosk verify` names it.
        """
        cleared = self.cleared_before(start_ms)
        found: list[Placed] = []
        for stream in self.streams:
            known = 0
            if cleared is not None:
                known = cleared.seq - 1 if stream.name == cleared.stream else cleared.based_on.get(stream.name, 0)
            _whole_from(stream, known + 1)
            found += placed(stream, known + 1, end_ms=end_ms)
        return sorted(found, key=lambda one: one.entry.order)

    def whole(self, names: set[str], end_ms: int) -> list[Placed]:
        """Every entry of the named streams from their first one on, in total order."""
        streams = [stream for stream in self.streams if stream.name in names]
        for stream in streams:
            _whole_from(stream, 1)
        found = [one for stream in streams for one in placed(stream, 1, end_ms=end_ms)]
        return sorted(found, key=lambda one: one.entry.order)

    def note(self, digest: str) -> str:
        """The free text behind a digest; "" where it was erased or is kept at another gate."""
        row = self._own.execute("SELECT text FROM notes WHERE digest = ?", (digest,)).fetchone() if digest else None
        return str(row[0]) if row else ""

    def cleared_before(self, at_ms: int) -> Entry | None:
        """The last time before `at_ms` that this gate's journal says 静校."""
        for stream in sorted((s for s in self.streams if s.boot), key=lambda s: -s.boot):
            first = stream.first_at(at_ms)
            if first == 1:
                continue
            row = self._own.execute(
                "SELECT raw FROM entries WHERE boot = ? AND seq < ? AND kind = ? ORDER BY seq DESC LIMIT 1",
                (stream.boot, first, Kind.CAMPUS_CLEARED.value),
            ).fetchone()
            if row is not None:
                return decode(row[0])
        return None


def _whole_from(stream: StreamRows, first: int) -> None:
    """Half a day's records would tell a false story. Raises RecordsError."""
    if first <= stream.pruned:
        raise RecordsError(
            "this gate has let go of the records of that time (keep_records_days in site.toml); the school server has them,"
            " and so has every copy that `kiosk backup` made before"
        )


_OWN = "SELECT seq, raw, hash FROM entries WHERE boot = ? AND seq BETWEEN ? AND ? ORDER BY seq"
_PEER = "SELECT seq, raw, hash FROM peers WHERE node = ? AND incarnation = ? AND seq BETWEEN ? AND ? ORDER BY seq"


def _selecting(connection: sqlite3.Connection, sql: str, key: tuple[object, ...]) -> Callable[[int, int], Iterator[Row]]:
    def select(first: int, last: int) -> Iterator[Row]:
        return (Row(seq, raw, hash_) for seq, raw, hash_ in connection.execute(sql, (*key, first, last)))

    return select


def _selecting_kinds(connection: sqlite3.Connection, boot: int) -> Callable[[int, int, frozenset[str]], Iterator[Row]]:
    indexed = _where_of(connection, "entries_of_service")

    def select(first: int, last: int, kinds: frozenset[str]) -> Iterator[Row]:
        sql = _OWN.replace(" ORDER BY", f" AND kind IN ({','.join('?' * len(kinds))}) ORDER BY")
        if all(f"'{kind}'" in indexed for kind in kinds):  # in the words of the index, or it would not be used
            sql = sql.replace("entries WHERE", f"entries INDEXED BY entries_of_service WHERE {indexed} AND")
        return (Row(*found) for found in connection.execute(sql, (boot, first, last, *sorted(kinds))))

    return select


def _selecting_peers(
    connection: sqlite3.Connection, key: tuple[str, str]
) -> Callable[[int, int, frozenset[str]], Iterator[Row]] | None:
    """None where an agent of an earlier version made the file, without an index by the bytes of an entry's kind."""
    indexed = _where_of(connection, "peers_of_service")

    def select(first: int, last: int, kinds: frozenset[str]) -> Iterator[Row]:
        sql = _PEER
        if all(f'"kind":"{kind}"' in indexed for kind in kinds):
            sql = _PEER.replace("peers WHERE", f"peers INDEXED BY peers_of_service WHERE ({indexed}) AND")
        return (Row(*found) for found in connection.execute(sql, (*key, first, last)))

    return select if indexed else None


def _where_of(connection: sqlite3.Connection, index: str) -> str:
    """Of which rows a partial index is, in its own words; "" where there is no such index."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", (index,)).fetchone()
    return found[0].partition(" WHERE ")[2] if found else ""


def placed(stream: StreamRows, first: int, *, end_ms: int) -> list[Placed]:
    """A stream's entries from seq `first` until a trusted clock says that the end is well past."""
    before = stream.row(first - 1) if first > 1 else None
    previous, found = before.hash if before else GENESIS, list[Placed]()
    for row in stream.select(first, stream.last):
        with contextlib.suppress(UnreadableEntry):
            entry = decode(row.raw)
            if entry.clock == "trusted" and entry.at_ms >= end_ms + SLACK_MS:
                break
            found.append(Placed(entry, row.raw, previous, row.hash, entry.at_ms))
        previous = row.hash
    return _with_moments(found)


def _with_moments(found: list[Placed]) -> list[Placed]:
    """Moments of a stream never go back. What was written while the clock was not trusted counts from when it was again:
    that is late, but nothing is ever shown before it happened."""
    moments, until_ms, trusted_again = list[int](), 0, 0
    for one in reversed(found):
        if one.entry.clock == "trusted":
            trusted_again = one.entry.at_ms
        moments.append(trusted_again or one.entry.at_ms)
    placed_at = []
    for one, moment in zip(found, reversed(moments), strict=True):
        until_ms = max(until_ms, moment)
        placed_at.append(one._replace(moment_ms=until_ms))
    return placed_at


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    """A file that its agent is just making has no table yet: nothing has come from other gates."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone() is not None


@contextmanager
def opened(state: Path) -> Iterator[Records]:
    """The records of a state folder, for the length of the block. Raises RecordsError, there and inside."""
    path, peers_path = state / FILE_NAME, state / PEERS_FILE
    if not path.exists():
        raise RecordsError(f"there is no journal in {state}; name the state folder with --state")
    own = peers = None
    try:
        own = connect(path, read_only=True)
        if peers_path.exists():
            peers = sqlite3.connect(f"file:{peers_path}?mode=ro", uri=True, timeout=5, isolation_level=None)
        yield Records(own, peers if peers is not None and _has_table(peers, "peers") else None)
    except (sqlite3.Error, JournalError, UnreadableEntry) as error:
        raise RecordsError(f"the records in {state} cannot be read ({error}); run `kiosk verify --state {state}`") from error
    finally:
        for connection in (own, peers):
            if connection is not None:
                connection.close()


def day_bounds(day: date, utc_offset_ms: int) -> tuple[int, int]:
    """Local midnight of a day and of the next, in UTC milliseconds."""
    start_ms = (day.toordinal() - _EPOCH) * DAY_MS - utc_offset_ms
    return start_ms, start_ms + DAY_MS


def local_time(ms: int, utc_offset_ms: int) -> datetime:
    return datetime.fromtimestamp(0, timezone(timedelta(milliseconds=utc_offset_ms))) + timedelta(milliseconds=ms)


def day_from(text: str) -> date:
    """YYYY-MM-DD. Raises RecordsError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise RecordsError(f"{text!r} is no date; write it like 2026-11-23") from error
