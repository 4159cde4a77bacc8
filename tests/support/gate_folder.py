"""A gate's state folder seen from outside, in the shape in which `sync_processes` knows a gate."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class GateFolder:
    """`everything` is what the journal holds, read without the gate that wrote it."""

    def __init__(self, folder: Path, node: str) -> None:
        self.folder, self.node = folder, node

    def everything(self) -> dict[tuple[str, int], tuple[bytes, bytes]]:
        """(incarnation, seq) -> (raw, hash), of all boots."""
        connection = sqlite3.connect(f"{(self.folder / 'journal.db').as_uri()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT incarnation, seq, raw, hash FROM entries JOIN incarnations USING (boot)").fetchall()
        finally:
            connection.close()
        return {(incarnation, seq): (raw, digest) for incarnation, seq, raw, digest in rows}
