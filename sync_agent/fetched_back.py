"""What the school server gave back of this gate's own entries, after this gate's disk had lost them.

They are in peers.db beside the journal, never in it: what one start wrote is closed. If the server loses them too, this
gate is the only one left that has them all, and sends them on like its journal. Read-only by construction (SQLite mode=ro).

Source of the schema: sync_agent/peers.py, tables `peers` and `aside`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sync_agent.errors import JournalUnreadable

READ_TIMEOUT_S = 5.0
_Stream = tuple[str, str]
_ROWS = "SELECT seq, raw, hash FROM {table} WHERE node=? AND incarnation=? AND seq>?"


class FetchedBack:
    """Not for several threads. Every method raises JournalUnreadable for a file that cannot be read; none is fine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def streams(self, nodes: Iterable[str]) -> dict[_Stream, int]:
        """(node, incarnation) -> the last number here, of these nodes only. Others' entries are theirs to send."""
        names = tuple(sorted(nodes))
        marks = ",".join("?" * len(names))
        rows = self._query(
            f"SELECT node, incarnation, max(seq) FROM peers WHERE node IN ({marks}) GROUP BY node, incarnation", names
        )
        return {(node, incarnation): last_seq for node, incarnation, last_seq in rows}

    def read(self, stream: _Stream, *, after_seq: int, most: int) -> list[tuple[int, bytes, bytes]]:
        """(seq, raw, hash), in order."""
        values = (*stream, after_seq)
        both = f"{_ROWS.format(table='peers')} UNION ALL {_ROWS.format(table='aside')} ORDER BY seq LIMIT ?"
        return self._query(both, (*values, *values, most))

    def hash_at(self, stream: _Stream, seq: int) -> bytes | None:
        """The hash after that entry; None if it is not here."""
        found = self.read(stream, after_seq=seq - 1, most=1)
        return found[0][2] if found and found[0][0] == seq else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _query(self, sql: str, values: tuple[int | str, ...]) -> list[Any]:
        if self._connection is None and not self._path.exists():
            return []
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=READ_TIMEOUT_S, isolation_level=None
                )
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise JournalUnreadable(f"{self._path} cannot be read ({error}); is another program in it?") from error
