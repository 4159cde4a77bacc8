"""Reads the gate's journal.db from beside the controller: which streams it holds, and the entries of one.

What the disk had lost and the server gave back belongs to the streams as well (fetched_back.py).
Read-only by construction (SQLite mode=ro), in short reads, so that the controller's commits and checkpoints
never wait. A journal file that is replaced under a running agent is noticed and opened anew.

Source of the schema: kiosk/journal.py, tables `incarnations` and `entries`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kiosk.core.entries import GENESIS
from sync_agent.errors import JournalUnreadable, StreamDamaged
from sync_agent.fetched_back import FetchedBack
from sync_agent.protocol import FIRST_SEQ, Sealed

READ_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class LocalStream:
    """One incarnation of this gate. boot: its order in the file, below 0 where all of it was fetched back.

    last_seq: 0 while it has no entry. written: as far as the journal itself has it.
    """

    boot: int
    node: str
    incarnation: str
    last_seq: int
    written: int


class JournalTail:
    """Not for several threads. Every method raises JournalUnreadable when the file is not there or not a journal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fetched = FetchedBack(path.with_name("peers.db"))
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._finished: dict[int, LocalStream] = {}  # every incarnation but the newest: it can grow no more

    def streams(self) -> list[LocalStream]:
        """All incarnations, oldest first."""
        rows = self._query("SELECT boot, node, incarnation FROM incarnations ORDER BY boot")
        streams = []
        for index, (boot, node, incarnation) in enumerate(rows):
            stream = self._finished.get(boot)
            if stream is None:
                last_seq = self._last_seq(boot)
                stream = LocalStream(boot, node, incarnation, last_seq, last_seq)
                if index < len(rows) - 1:
                    self._finished[boot] = stream
            streams.append(stream)
        return self._with_fetched(streams)

    def read(self, stream: LocalStream, *, after_seq: int, max_entries: int, max_bytes: int) -> list[Sealed]:
        """The entries after `after_seq`, in order; at least one, however long it is. Raises StreamDamaged if there is none."""
        if after_seq < stream.written:
            rows = self._query(
                "SELECT seq, raw, hash FROM entries WHERE boot=? AND seq>? ORDER BY seq LIMIT ?",
                (stream.boot, after_seq, max_entries),
            )
        else:
            rows = self._fetched.read((stream.node, stream.incarnation), after_seq=after_seq, most=max_entries)
        taken: list[Sealed] = []
        size = 0
        for seq, raw, digest in rows:
            if seq != after_seq + len(taken) + 1 or not raw or not _is_sound(raw, digest):
                break  # a missing or rotten row: what stands before it can still be sent
            size += len(raw)
            if taken and size > max_bytes:
                break
            taken.append(Sealed(raw, digest))
        if not taken:
            raise self._let_go(stream, after_seq + 1) if rows and rows[0][1] == b"" else self._damaged(stream, after_seq + 1)
        return taken

    def hash_at(self, stream: LocalStream, seq: int) -> bytes:
        """The hash after entry `seq`; before the first entry it is 32 zero bytes."""
        if seq < FIRST_SEQ:
            return GENESIS
        if seq > stream.written:
            fetched = self._fetched.hash_at((stream.node, stream.incarnation), seq)
            if fetched is None:
                raise self._damaged(stream, seq)
            return fetched
        rows = self._query("SELECT hash FROM entries WHERE boot=? AND seq=?", (stream.boot, seq))
        if not rows or not _is_sound(b"", rows[0][0]):
            raise self._damaged(stream, seq)
        return bytes(rows[0][0])

    def since(self, place: tuple[int, int], *, most: int) -> list[tuple[int, int, bytes, bytes]]:
        """(boot, seq, raw, hash) from one place on in the order of writing, sound rows only."""
        rows = self._query(
            "SELECT boot, seq, raw, hash FROM entries WHERE (boot, seq) >= (?, ?) ORDER BY boot, seq LIMIT ?", (*place, most)
        )
        return [row for row in rows if row[2] and _is_sound(row[2], row[3])]

    def of_kinds(self, kinds: Iterable[str]) -> list[tuple[int, int, bytes, bytes]]:
        """The same rows of some kinds, of all times."""
        names = tuple(sorted(kinds))
        marks = ",".join("?" * len(names))
        rows = self._query(
            f"SELECT boot, seq, raw, hash FROM entries WHERE kind IN ({marks}) ORDER BY boot, seq", names
        )
        return [row for row in rows if _is_sound(row[2], row[3])]

    def last_cleared(self) -> tuple[int, int]:
        """The place of the last close of a day; the very beginning without one."""
        rows = self._query("SELECT boot, seq FROM entries WHERE kind='campus_cleared' ORDER BY boot DESC, seq DESC LIMIT 1")
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    def newest(self, count: int) -> tuple[int, int]:
        """The place behind which so many entries stand."""
        rows = self._query("SELECT boot, seq FROM entries ORDER BY boot DESC, seq DESC LIMIT 1 OFFSET ?", (count,))
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._identity = None, None
        self._finished.clear()
        self._fetched.close()

    def _with_fetched(self, written: list[LocalStream]) -> list[LocalStream]:
        """What came back continues a stream here only if it has the same entry where this disk's ends."""
        fetched = self._fetched.streams({stream.node for stream in written})
        streams = []
        for stream in written:
            last_seq = fetched.pop((stream.node, stream.incarnation), 0)
            if last_seq > stream.written and self._is_continued(stream):
                stream = replace(stream, last_seq=last_seq)
            streams.append(stream)
        lost = [LocalStream(-at, *name, last_seq, 0) for at, (name, last_seq) in enumerate(fetched.items(), start=1)]
        return [*lost, *streams]

    def _is_continued(self, stream: LocalStream) -> bool:
        name = (stream.node, stream.incarnation)
        return not stream.written or self._fetched.hash_at(name, stream.written) == self.hash_at(stream, stream.written)

    def _damaged(self, stream: LocalStream, seq: int) -> StreamDamaged:
        return StreamDamaged(
            f"{self._path} has no sound entry {stream.node}/{stream.incarnation}/{seq}; run kiosk verify on this gate"
        )

    def _let_go(self, stream: LocalStream, seq: int) -> StreamDamaged:
        return StreamDamaged(
            f"{self._path} has let go of {stream.node}/{stream.incarnation}/{seq}, which the server had countersigned and lost;"
            " restore a newer copy of the server, or of this gate from before"
        )

    def _last_seq(self, boot: int) -> int:
        return int(self._query("SELECT coalesce(max(seq), 0) FROM entries WHERE boot=?", (boot,))[0][0])

    def _query(self, sql: str, values: tuple[int | str, ...] = ()) -> list[Any]:
        try:
            return self._opened().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise JournalUnreadable(f"{self._path} cannot be read ({error}); is the gate's controller set up?") from error

    def _opened(self) -> sqlite3.Connection:
        identity = self._identity_on_disk()
        if self._connection is None or identity != self._identity:
            self.close()
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=READ_TIMEOUT_S, isolation_level=None
            )
            self._identity = identity
        return self._connection

    def _identity_on_disk(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            self.close()
            raise JournalUnreadable(f"{self._path} is not there yet; the gate's controller makes it") from error
        return found.st_dev, found.st_ino


def _is_sound(raw: object, digest: object) -> bool:
    """Whether a row can be sent at all. What its bytes say is not looked at here."""
    return isinstance(raw, bytes) and isinstance(digest, bytes) and len(digest) == len(GENESIS)
