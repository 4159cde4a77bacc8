"""Makes tests/fixtures/releases/NAME: what a version leaves on disks and sends, so that every later one proves that it reads it.

    make fixture NAME=0.1.0

Run it once for each release, at its commit; a folder that is there is never made again. It also runs at older commits, which is
how the folders of earlier schemas were made.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec

from sync_agent.up_sync import signed_batch
from tests.support.sync_world import SCHOOL, SyncWorld

FOLDER = Path(__file__).parents[1] / "fixtures" / "releases"
KEYS = {"south": bytes(range(32)), "north": bytes(range(32, 64))}
GATE_FILES = ("journal.db", "agent.db", "peers.db")


def make(target: Path) -> None:
    """Two gates with two incarnations each: everything is sent but the last three entries of the south gate."""
    with tempfile.TemporaryDirectory() as folder:
        world = SyncWorld(Path(folder))
        for node, seed in KEYS.items():
            keys = Path(folder) / node / "keys"
            keys.mkdir(parents=True)
            (keys / "node.key").write_text(seed.hex() + "\n", "ascii")
        gates = [world.gate(node) for node in KEYS]
        for gate in gates:
            gate.journal.write(4)
            gate.journal.boot()
            gate.journal.write(3)
            world.run(gate.drain())
        south = gates[0]
        world.run(south.drain_down())
        south.journal.write(3)
        stream = south.tail.streams()[-1]
        unsent = south.tail.read(stream, after_seq=4, max_entries=9, max_bytes=1 << 20)
        batch = signed_batch(
            school=SCHOOL, stream=(stream.node, stream.incarnation), first_seq=5, prev_hash=south.tail.hash_at(stream, 4),
            entries=unsent, key=south.key(),
        )  # fmt: skip
        told = {"entries": len(south.journal.everything()), "unsent": len(unsent), "stored": 18, "peers": 9}
        target.mkdir(parents=True)
        for name in GATE_FILES:
            _copied(south.folder / name, target / name)
        _copied(world.server.folder / "server.db", target / "server.db")
        shutil.copytree(south.folder / "keys", target / "keys")
        (target / "batch.json").write_bytes(msgspec.json.encode(batch))
        (target / "expected.json").write_text(json.dumps(told) + "\n", "utf-8")
        world.close()


def _copied(source: Path, to: Path) -> None:
    """One file, whole, without a log beside it."""
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(to)) as writer:
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode=DELETE")


if __name__ == "__main__":
    make(FOLDER / sys.argv[1])
