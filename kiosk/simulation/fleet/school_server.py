"""The school server in virtual time: the product's receiving, rules, relaying and store; HTTP alone is left out.

It can be killed, lose its power, fill up, be copied and be put back to that copy, as `docs/operating.md` tells a person to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiosk.core.entries import EntryId
from kiosk.simulation.fleet.disk import Image, blank_files
from sync_agent import protocol
from sync_agent.keys import SigningKey
from sync_agent.school_server.receiving import receive
from sync_agent.school_server.relaying import missing_segments
from sync_agent.school_server.sqlite_store import DATABASE_FILE, SqliteStore
from sync_agent.school_server.store import Node, StoredEntry

SCHOOL = "simulated"


class SchoolServer:
    """Answers bytes with bytes. Raises what the store and the rules raise; the wire turns that into what a client sees."""

    def __init__(self, folder: Path, *, now_ms: Callable[[], int]) -> None:
        self._folder, self._now_ms, self._starts = folder, now_ms, 0
        self.copy: Image | None = None
        self.full = False
        folder.mkdir(parents=True)
        (folder / DATABASE_FILE).write_bytes(blank_files()[DATABASE_FILE])
        self._start()

    def _start(self) -> None:
        self._starts += 1
        self.store = SqliteStore(self._folder)
        self.full = False

    def enrol(self, node: str, key: SigningKey) -> None:
        self.store.add_node(Node(school=SCHOOL, node=node, public_key=key.public_hex, enrolled_ms=self._now_ms()))

    # --- what it answers -----------------------------------------------------------------------------

    def entries(self, body: bytes) -> bytes:
        if self.full:
            self._writer.set_progress_handler(lambda: 1, 1)
        try:
            return msgspec.json.encode(receive(self.store, body, school=SCHOOL, at_ms=self._now_ms()).answer)
        finally:
            self._writer.set_progress_handler(None, 0)

    def relay(self, asker: str, have: str) -> bytes:
        segments, more = missing_segments(self.store, school=SCHOOL, asker=asker, have=protocol.read_have(have))
        return msgspec.json.encode(protocol.Relay(segments=segments, more=more, server_now_ms=self._now_ms()))

    def status(self, node: str) -> bytes:
        totals = self.store.totals(school=SCHOOL)
        streams = [
            protocol.StreamState(
                node=row.node, incarnation=row.incarnation, durable_through=row.durable_through, quarantined=row.quarantined,
                forked=row.branched, last_received_ms=row.last_received_ms,
            )
            for row in self.store.streams(school=SCHOOL, node=node)
        ]  # fmt: skip
        return msgspec.json.encode(
            protocol.ServerStatus(
                versions=[protocol.VERSION], run=f"run-{self._starts}", school=SCHOOL, server_now_ms=self._now_ms(),
                streams=streams, nodes=[], entries=totals.entries, quarantined=totals.quarantined, forks=totals.forks,
            )
        )  # fmt: skip

    # --- what befalls it --------------------------------------------------------------------------------

    def die(self) -> None:
        """Power and process at once; every commit was synced, so every commit is there."""
        image = self._image()
        self.store.close()
        self._put(image)

    def keep_copy(self) -> None:
        self.copy = self._image()

    def put_back(self) -> bool:
        """What a person does with yesterday's backup."""
        if self.copy is None:
            return False
        self.store.close()
        self._put(self.copy)
        return True

    def fill(self) -> None:
        """No room until it is started again."""
        self.full = True

    def everything(self) -> list[StoredEntry]:
        return self.store.entries_after(school=SCHOOL, position=0, most=1_000_000)

    def has(self, name: EntryId) -> bool:
        return any((one.node, one.incarnation, one.seq) == name for one in self.everything())

    def close(self) -> None:
        self.store.close()

    @property
    def _writer(self) -> sqlite3.Connection:
        return self.store._writer

    def _image(self) -> Image:
        names = (DATABASE_FILE, DATABASE_FILE + "-wal")
        return {name: (self._folder / name).read_bytes() for name in names if (self._folder / name).exists()}

    def _put(self, image: Image) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        for name, content in image.items():
            (self._folder / name).write_bytes(content)
        self._start()
