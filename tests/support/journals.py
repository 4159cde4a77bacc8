"""Real journals with entries in them, written by the product's own journal and chain."""

from __future__ import annotations

from pathlib import Path

from kiosk.core.entries import Entry, Fact, Kind, Sealed, Stream, decode
from kiosk.journal import Journal, new_incarnation

MONDAY_MS = 1_795_390_800_000  # 2026-11-23 07:40 in China


def since_cleared(journal: Journal) -> list[Entry]:
    """Everything since the last close of a day, that included."""
    found = [decode(raw) for _, _, raw in journal.from_place((0, 0), most=-1)]
    last = max((at for at, entry in enumerate(found) if entry.kind == Kind.CAMPUS_CLEARED), default=0)
    return found[last:]


class GateJournal:
    """One gate's journal.db. `boot` begins the next incarnation, as a restart of the controller does."""

    def __init__(self, folder: Path, node: str) -> None:
        self.folder, self.node = folder, node
        self._open = False
        self.boot()

    def boot(self) -> None:
        self.close()
        self._open, self.incarnation = True, new_incarnation()
        self.journal = Journal(self.folder, node=self.node, incarnation=self.incarnation)
        head = self.journal.head()
        self.stream = Stream(node=self.node, incarnation=self.incarnation)
        sealed = {"incarnation": head[0].incarnation, "seq": head[0].seq, "hash": head[1].hex()} if head else None
        self._append([self._seal(Kind.INCARNATION_OPENED, {"sealed": sealed})])

    def write(self, count: int, *, note: str = "", kind: Kind = Kind.SEEN) -> list[Sealed]:
        """Appends `count` entries in one transaction."""
        return self._append([self._seal(kind, {"child": 1_000 + n, "note": note}) for n in range(count)])

    def close(self) -> None:
        if self._open:
            self.journal.close()
        self._open = False

    def everything(self) -> dict[tuple[str, int], tuple[bytes, bytes]]:
        """(incarnation, seq) -> (raw, hash), of all boots."""
        rows = self.journal._db.execute("SELECT incarnation, seq, raw, hash FROM entries JOIN incarnations USING (boot)")
        return {(incarnation, seq): (bytes(raw), bytes(digest)) for incarnation, seq, raw, digest in rows}

    def spoil(self, seq: int, raw: bytes) -> None:
        """Overwrites an entry of the running incarnation behind the journal's back, as bit rot would."""
        db = self.journal._db
        guard = db.execute("SELECT sql FROM sqlite_master WHERE name='entries_no_update'").fetchone()[0]
        db.execute("DROP TRIGGER entries_no_update")
        db.execute("UPDATE entries SET raw=? WHERE boot=? AND seq=?", (raw, self.journal.boot, seq))
        db.execute(guard)

    def lose(self, seq: int) -> None:
        """Removes an entry of the running incarnation, as a damaged page would."""
        db = self.journal._db
        guard = db.execute("SELECT sql FROM sqlite_master WHERE name='entries_no_delete'").fetchone()[0]
        db.execute("DROP TRIGGER entries_no_delete")
        db.execute("DELETE FROM entries WHERE boot=? AND seq=?", (self.journal.boot, seq))
        db.execute(guard)

    def _seal(self, kind: Kind, body: dict[str, object]) -> Sealed:
        return self.stream.seal(Fact(kind, body), at_ms=MONDAY_MS + self.stream.seq, trusted=True)

    def _append(self, sealed: list[Sealed]) -> list[Sealed]:
        self.journal.append(sealed)
        return sealed
