"""A disk that can lose its power, fill up, fail, be copied and be put back: real SQLite files in memory, and a model of what
of them survives.

The model is that of a disk which honours a sync: whatever a connection with `synchronous=FULL` committed is there after a
cut; of what was written and not synced, any part may be. It asks the connection what it does, so that a journal
which syncs less loses entries here as it would in a school.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from kiosk.core.entries import Sealed
from kiosk.journal import FILE_NAME, CannotAppend, Journal, Note
from sync_agent.agent_state import AgentState
from sync_agent.peers import Peers
from sync_agent.school_server.sqlite_store import DATABASE_FILE, SqliteStore

AGENT_FILE, PEERS_FILE, WAL = "agent.db", "peers.db", "-wal"
_FULL_SYNC: Final = 2
_FRAME: Final = 24 + 4096  # of a write-ahead log
_HEADER: Final = 32

Image = dict[str, bytes]


class PowerCut(BaseException):
    """The computer is dead. Nothing of the product may catch it, as nothing catches a power cut."""


class DiskJournal(Journal):
    """The journal of the product; the disk beneath decides what becomes of an append."""

    def __init__(self, state: Path, *, node: str, incarnation: str, disk: Disk) -> None:
        super().__init__(state, node=node, incarnation=incarnation)
        self._disk = disk
        disk.opened(self._db)

    def append(self, sealed: Sequence[Sealed], notes: Sequence[Note] = ()) -> None:
        if not sealed:
            return
        with self._disk.appending(self._db):
            super().append(sealed, notes)


class Disk:
    """The files of one gate computer. `faults` is armed by the story; `appends` counts what was tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.full = False
        self._fails_in = 0  # SQLite instructions until the next append breaks off, 0: it does not
        self._cut: random.Random | None = None  # the next append does not return
        self._honest, self._synced = True, 0
        folder.mkdir(parents=True)
        for name, content in blank_files().items():
            if name != DATABASE_FILE:
                (folder / name).write_bytes(content)

    @property
    def journal(self) -> Path:
        return self.folder / FILE_NAME

    @property
    def armed(self) -> bool:
        """Whether the next append does not go well."""
        return self.full or self._cut is not None or bool(self._fails_in)

    # --- what the story does -----------------------------------------------------------------------

    def fail_next(self, instructions: int) -> None:
        """The next append breaks off after so many instructions of SQLite's machine, wherever that is."""
        self._fails_in = instructions

    def cut_next(self, chance: random.Random) -> None:
        """The power goes while the next append is under way."""
        self._cut = chance

    def recover(self) -> None:
        """Nothing is armed any more."""
        self.full, self._fails_in, self._cut = False, 0, None

    def after_cut(self, chance: random.Random) -> Image:
        """What is there when the power comes back, had it gone now: everything that was synced, any part of the rest."""
        image, wal = self.image(), FILE_NAME + WAL
        if not self._honest and wal in image:
            image[wal] = image[wal][: chance.randint(min(self._synced, len(image[wal])), len(image[wal]))]
        return image

    def image(self) -> Image:
        """A copy of the card as it is."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.suffix in (".db", ".db" + WAL)}

    def put_back(self, image: Image) -> None:
        """The card has exactly this on it. Nobody may have its files open."""
        for path in self.folder.iterdir():
            if path.is_file():
                path.unlink()
        for name, content in image.items():
            (self.folder / name).write_bytes(content)

    # --- what SQLite sees ----------------------------------------------------------------------------

    def opened(self, connection: sqlite3.Connection) -> None:
        self._honest = connection.execute("PRAGMA synchronous").fetchone()[0] >= _FULL_SYNC
        self._synced = self._wal_bytes()

    @contextmanager
    def appending(self, connection: sqlite3.Connection) -> Iterator[None]:
        cut, self._cut = self._cut, None
        before = self.image() if cut is not None else {}
        fails_in, self._fails_in = (1 if self.full else self._fails_in), 0
        if fails_in:
            _break_off(connection, fails_in)
        try:
            yield
        except CannotAppend:
            if cut is not None:
                raise PowerCut(before) from None
            raise
        finally:
            if fails_in:
                connection.set_progress_handler(None, 0)
        if cut is not None:
            raise PowerCut(_torn(before, self.image(), cut))
        if self._honest:
            self._synced = self._wal_bytes()

    def _wal_bytes(self) -> int:
        try:
            return (self.folder / (FILE_NAME + WAL)).stat().st_size
        except FileNotFoundError:
            return 0


def _break_off(connection: sqlite3.Connection, instructions: int) -> None:
    """Once: what SQLite does afterwards to clean up works again, as it does on a real full disk."""

    def break_off() -> int:
        connection.set_progress_handler(None, 0)
        return 1

    connection.set_progress_handler(break_off, instructions)


def _torn(before: Image, after: Image, chance: random.Random) -> Image:
    """Any part of the frames of a commit that was under way may have reached the card, in any order."""
    wal = FILE_NAME + WAL
    old, new = before.get(wal, b""), after.get(wal, b"")
    if chance.random() < 0.34:
        return after  # all of it: durable, and nobody was told
    pieces = [new[:_HEADER]]
    for start in range(_HEADER, len(new), _FRAME):
        written, was = new[start : start + _FRAME], old[start : start + _FRAME]
        pieces.append(written if written == was or chance.random() < 0.6 else was.ljust(len(written), b"\0"))
    return {**before, wal: b"".join(pieces)}


@cache
def blank_files() -> Image:
    """Every database of a new gate and of a new school server, made once by the product and copied from then on."""
    folder = Path(tempfile.mkdtemp(prefix="kiosk-blank-", dir=in_memory()))
    try:
        journal = Journal(folder, node="blank", incarnation="blank")
        journal.close()
        AgentState(folder / AGENT_FILE).close()
        Peers(folder / PEERS_FILE).close()
        SqliteStore(folder).close()
        return {path.name: path.read_bytes() for path in folder.glob("*.db")}
    finally:
        shutil.rmtree(folder)


def in_memory() -> Path | None:
    """A folder where a sync costs nothing, if there is one: disks are modelled here, not tried."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and os.access(shared, os.W_OK) else None
