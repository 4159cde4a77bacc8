"""The fold of what is on the disk: this gate's journal and what the sync agent brought of other gates.

Used at every start, after a failed write, and when facts come that fit to what a running gate has let go of. All of it is
read in the order of its facts, so that each comes last for its child and costs one step; and in slices of a few steps or a
short read, so that the one loop can answer a card between two of them. Never writes, decides nothing.
"""

from __future__ import annotations

import contextlib
import heapq
import logging
import sqlite3
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from kiosk.core.campus import STANDING_KINDS, Campus
from kiosk.core.child_steps import CHILD_STEPS
from kiosk.core.entries import Entry, Kind, Sealed, Stream, UnreadableEntry, decode
from kiosk.core.late_facts import is_late
from kiosk.journal import Journal

PEERS_FILE: Final = "peers.db"
SLICE: Final = 24  # steps that are handed to the loop at once; a fact is one for each child that it names
STEPS: Final = 8  # steps between two looks at who waits, while all is read back
FEW: Final = 8  # of our own facts, the last of which are taken without anybody having a turn after them
PAGE: Final = 32  # rows of one read; no read stays open between two slices
_NAMES_MANY: Final = ("children", "marks", "exceptions", "dormitory")
_NAMING_KINDS: Final = frozenset({Kind.DELEGATE_REGISTERED, Kind.PICKUP_REQUESTED})  # their notes say who a pass is for

T = TypeVar("T")
_Close = tuple[Entry, tuple[int, int]]
Slices = Generator[None, None, T]  # work that may be left alone for a while after every step, and its result

log = logging.getLogger("kiosk.reading_back")


def finished(slices: Slices[T]) -> T:
    """All of it at once."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


def steps_of(entry: Entry) -> int:
    """About what a fact costs: a class handed over is as much work as its children one by one, more where later facts about
    them are known already, because then each child's story is told anew. Never raises, whatever another version wrote."""
    lists = (entry.body.get(name) for name in _NAMES_MANY)
    return max(1, sum(len(many) for many in lists if isinstance(many, list | dict)))


def parts(sealed: Iterable[Sealed]) -> Iterator[tuple[Sealed, ...]]:
    """In the same order, none of them more than a slice, except a single fact that is more by itself."""
    part, steps = list[Sealed](), 0
    for one in sealed:
        more = steps_of(one.entry)
        if part and steps + more > SLICE:
            yield tuple(part)
            part, steps = [], 0
        part.append(one)
        steps += more
    if part:
        yield tuple(part)


@dataclass(slots=True)
class Folded:
    """`named`: pass -> the digest of the note that says who it is for. `late`: while this was read, facts came that fit to
    what begins before it."""

    stream: Stream
    gone: Entry | None = None  # of days up to this close, this gate's own side was let go of
    campus: Campus = field(default_factory=Campus)
    let_go_through: str = ""
    let_go_tick: int = 0
    unreadable: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    late: bool = False


def folded_in_slices(*, journal: Journal, state: Path, stream: Stream, today: date) -> Slices[Folded]:
    """The state of that day: standing facts of all times, and all since the close of an earlier day. `stream`: our writing
    end; it takes note of what the others wrote. Between the last slice and the result nothing is left out."""
    with contextlib.closing(OtherGates(state, damaged_is_empty=True)) as others:
        through = others.last_row()
        gone = journal.let_go()
        closed, at = yield from _begins_with(journal, others, through, today, gone)
        folded = Folded(stream, gone=gone)
        if closed is not None:
            folded.let_go_through, folded.let_go_tick = str(closed.body.get("day", "")), closed.tick
        for name, last in journal.streams().items():
            folded.campus.streams.reach(name, last)
        for found in journal.looked_through(STANDING_KINDS):
            for _, _, entry in found:
                _take_own(folded, entry)
            yield
        own = OwnRows(journal, at)
        told = [_ours(own)]
        for node, incarnation in others.streams():
            told.append(_begun(_theirs(others.of_stream(node, incarnation, through))))
            yield
        taken = 0
        for _, entry, ours in heapq.merge(*told, key=_by_order):
            if ours:
                _take_own(folded, entry)
            else:
                _take_other(folded, entry, closed)
            taken += steps_of(entry)
            if taken >= STEPS:
                taken = 0
                yield
        yield from _what_came_meanwhile(folded, own, others, through, closed)
        return folded


def _what_came_meanwhile(
    folded: Folded, own: OwnRows, others: OtherGates, through: int, closed: Entry | None
) -> Slices[None]:
    """What was written while the rest was read, and what the others wrote ahead of its turn, which is no part of what was
    seen of their streams. Ends in the moment in which there is no more of either."""
    ahead = 0
    while True:
        ahead, announced = others.ahead_after(ahead)
        for sealed in announced:
            late = is_late(sealed.entry, folded.let_go_through, folded.let_go_tick, folded.campus)
            if not late and not folded.campus.apply(sealed.entry):
                folded.unreadable.append(str(sealed.entry.id))
            yield
        through, heard = others.after(through)
        for sealed in heard:
            folded.late = folded.late or is_late(sealed.entry, folded.let_go_through, folded.let_go_tick, folded.campus)
            _take_other(folded, sealed.entry, closed)
            yield
        written = own.next(FEW)
        for entry in written:
            _take_own(folded, entry)
        if not announced and not heard and len(written) < FEW:
            return
        yield


def _begins_with(
    journal: Journal, others: OtherGates, through: int, today: date, gone: Entry | None
) -> Slices[tuple[Entry | None, tuple[int, int]]]:
    """What this gate's state begins with: the close of an earlier day, further back where other gates knew less of it. And
    the place in the journal where that stands."""
    closes = newest_closes(journal)
    closed, at = yield from close_before(today.isoformat(), closes)
    while closed is not None:
        unheard, row = "", 0
        while row < through:
            row, heard = others.after(row)
            for day in (_day_beside(sealed.entry, closed) for sealed in heard if not _over(sealed.entry, closed, gone)):
                if day and (not unheard or day < unheard):
                    unheard = day  # nearly never: of that day the close knew less than there was
            yield
        if not unheard:
            break
        closed, at = yield from close_before(unheard, closes)
    return closed, at


def newest_closes(journal: Journal) -> Iterator[_Close | None]:
    """Every close of a day with its place, newest first; None after each short read."""
    for found in journal.looked_through(frozenset({Kind.CAMPUS_CLEARED}), newest_first=True):
        yield from ((entry, (boot, seq)) for boot, seq, entry in found)
        yield None


def close_before(day: str, closes: Iterator[_Close | None]) -> Slices[tuple[Entry | None, tuple[int, int]]]:
    """The last close of a day before that one (ISO) and its place: what the state of `day` is folded from begins there, so
    that a day that was closed still stands after a restart. Else nothing, and the very beginning. A clock that nobody
    trusts closes no day that this gate could name: what comes after belongs to the day before too."""
    for close in closes:
        if close is None:
            yield
        elif close[0].clock == "trusted" and str(close[0].body.get("day", "")) < day:
            return close
    return None, (0, 0)


def _day_beside(entry: Entry, closed: Entry) -> str:
    """The day of which this gate's own facts are needed beside this one of another gate; "" when none of those before the
    close are. A later day's fact that stands before the close in order: a gate whose clock was in doubt turned no page."""
    day, closed_day = str(entry.body.get("day", "")), str(closed.body["day"])
    if day and day <= closed_day:
        return day
    return closed_day if entry.kind in CHILD_STEPS and entry.order < closed.order else ""


def _over(entry: Entry, closed: Entry | None, gone: Entry | None) -> bool:
    """Whether the close of an earlier day knew this fact of another gate: it ended with that day, there as here. Or it comes
    when our own side of that day is let go of: half a story would put a child on campus who went home weeks ago."""
    if entry.kind in STANDING_KINDS:
        return False
    return (closed is not None and closed.knew(entry)) or (gone is not None and _of_a_day_let_go(entry, gone))


def _of_a_day_let_go(entry: Entry, gone: Entry) -> bool:
    day = str(entry.body.get("day", ""))
    return day <= str(gone.body["day"]) if day else entry.tick <= gone.tick


def _take_own(folded: Folded, entry: Entry) -> None:
    if not folded.campus.apply(entry):
        folded.unreadable.append(str(entry.id))
    folded.stream.tick = max(folded.stream.tick, entry.tick)
    if entry.kind in _NAMING_KINDS and entry.body.get("pass_id") and entry.body.get("note"):
        folded.named.setdefault(entry.body["pass_id"], entry.body["note"])


def _take_other(folded: Folded, entry: Entry, closed: Entry | None) -> None:
    folded.campus.streams.reach(entry.stream, entry.seq)
    if not _over(entry, closed, folded.gone) and not folded.campus.apply(entry):
        folded.unreadable.append(str(entry.id))
    folded.stream.observe(entry)


_Told = tuple[tuple[int, str, str, int], Entry, bool]


def _by_order(one: _Told) -> tuple[int, str, str, int]:
    return one[0]


def _ours(rows: OwnRows) -> Iterator[_Told]:
    while page := rows.next(1):
        yield from ((entry.order, entry, True) for entry in page)


def _theirs(entries: Iterable[Entry]) -> Iterator[_Told]:
    return ((entry.order, entry, False) for entry in entries)


def _begun(told: Iterator[_Told]) -> Iterator[_Told]:
    """Its first page is read, so that a merge of many streams does not read all of them at once."""
    return chain([first], told) if (first := next(told, None)) else told


class OwnRows:
    """The journal from one place on, read page by page, with what is appended meanwhile."""

    def __init__(self, journal: Journal, at: tuple[int, int]) -> None:
        self._journal, self._at = journal, at
        self._page: deque[bytes] = deque()

    def next(self, most: int) -> list[Entry]:
        """Fewer than that only when there are no more."""
        if len(self._page) < most:
            rows = self._journal.from_place(self._at, most=PAGE)
            if rows:
                boot, seq, _ = rows[-1]
                self._at = (boot, seq + 1)
                self._page.extend(raw for _, _, raw in rows)
        return [decode(self._page.popleft()) for _ in range(min(most, len(self._page)))]


class OtherGates:
    """peers.db, read page by page.

    damaged_is_empty: a damaged file keeps no gate shut, because it is a copy, to be fetched again. Else sqlite3.Error is raised.
    """

    def __init__(self, state: Path, *, damaged_is_empty: bool = False) -> None:
        self._path, self._forgiving = state / PEERS_FILE, damaged_is_empty
        self._has_ahead: bool | None = None  # an agent of an earlier version makes no such table
        self._db: sqlite3.Connection | None = None
        if self._path.exists():
            self._db = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, timeout=5, isolation_level=None, check_same_thread=False
            )

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db = None

    def last_row(self) -> int:
        rows = self._rows("SELECT coalesce(max(id), 0) FROM peers")
        return int(rows[0][0]) if rows else 0

    def streams(self) -> Iterator[tuple[str, str]]:
        """Every (node, incarnation), each found by a leap through the index."""
        at = ("", "")
        sql = "SELECT node, incarnation FROM peers WHERE (node, incarnation) > (?, ?) ORDER BY node, incarnation LIMIT 1"
        while rows := self._rows(sql, at):
            at = (rows[0][0], rows[0][1])
            yield at

    def of_stream(self, node: str, incarnation: str, through: int) -> Iterator[Entry]:
        """One stream in the order of its numbers, as far as it was there at row `through`."""
        seq = 0
        sql = (
            "SELECT seq, raw, hash FROM peers WHERE node = ? AND incarnation = ? AND seq > ? AND id <= ?"
            f" ORDER BY seq LIMIT {PAGE}"
        )
        while rows := self._rows(sql, (node, incarnation, seq, through)):
            seq = rows[-1][0]
            yield from (sealed.entry for sealed in _readable((raw, hash_) for _, raw, hash_ in rows))

    def after(self, row: int) -> tuple[int, list[Sealed]]:
        """The next page behind a row, and its last row."""
        rows = self._rows(f"SELECT id, raw, hash FROM peers WHERE id > ? ORDER BY id LIMIT {PAGE}", (row,))
        return (rows[-1][0] if rows else row), list(_readable((raw, hash_) for _, raw, hash_ in rows))

    def ahead_after(self, row: int) -> tuple[int, list[Sealed]]:
        """The next page of what came ahead of its turn behind a row of that table, and its last row."""
        if self._has_ahead is None:
            self._has_ahead = bool(self._rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ahead'"))
        if not self._has_ahead:
            return row, []
        rows = self._rows(f"SELECT id, raw, hash FROM ahead WHERE id > ? ORDER BY id LIMIT {PAGE}", (row,))
        return (rows[-1][0] if rows else row), list(_readable((raw, hash_) for _, raw, hash_ in rows))

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        if self._db is None:
            return []
        try:
            found: list[Any] = self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if not self._forgiving:
                raise
            log.error("%s cannot be read (%s); delete it and restart the sync agent, which fetches it again", self._path, error)
            self.close()
            return []
        return found


def peers_after(state: Path, row: int) -> tuple[int, tuple[Sealed, ...]]:
    """Other gates' entries that the agent stored after `row`, all at once, and the last row. Raises sqlite3.Error."""
    found: list[Sealed] = []
    with contextlib.closing(OtherGates(state)) as others:
        before, (row, page) = row, others.after(row)
        while row > before:
            found += page
            before, (row, page) = row, others.after(row)
    return row, tuple(found)


def last_row_of_peers(state: Path) -> int:
    with contextlib.closing(OtherGates(state, damaged_is_empty=True)) as others:
        return others.last_row()


def _readable(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[Sealed]:
    for raw, hash_ in rows:
        try:
            entry: Entry = decode(raw)
        except UnreadableEntry:
            continue  # a later version's entry: it stays in peers.db byte for byte and is read after the upgrade
        yield Sealed(entry, raw, hash_)
