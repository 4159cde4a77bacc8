"""What the agent and the school server write, to be recorded and cut: peers.db, agent.db, server.db, migrations, keys."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import msgspec
import pytest

import sync_agent.durable_sqlite
from kiosk.core.entries import GENESIS, Fact, Kind, Stream
from kiosk.core.heads import Countersigned
from sync_agent import agent_state, keys, peers, protocol
from sync_agent.agent_state import AgentState, AgentStatus, DirectoryStatus, ServerBack, read_status, write_status
from sync_agent.durable_sqlite import Schema, open_durable
from sync_agent.enrolment import SERVER_KEY_FILE, Enrolment
from sync_agent.errors import PeerChainBroken
from sync_agent.node_keys import KEY_FILE, NEXT_FILE, NodeKeys
from sync_agent.peers import Peers
from sync_agent.protocol import Item, Sealed, Segment
from sync_agent.school_server import sqlite_store
from sync_agent.school_server.enrolling import new_code
from sync_agent.school_server.receiving import receive
from sync_agent.school_server.sqlite_store import DATABASE_FILE, SqliteStore
from sync_agent.school_server.store import Node, Refusal, SignedHead, StoredDirectory
from sync_agent.up_sync import signed_batch
from tests.support.crash_images import Mark, State, Work
from tests.support.journals import MONDAY_MS
from tests.support.release_fixture import FOLDER as RELEASES
from tests.support.sync_world import SCHOOL, SERVER_KEY

NODE_KEY = keys.signing_key(bytes(range(1, 33)))


class Chain:
    """A stream of another gate, a piece at a time."""

    def __init__(self, node: str, incarnation: str = "i1") -> None:
        self.node, self.incarnation = node, incarnation
        self._stream = Stream(node=node, incarnation=incarnation)
        self.head, self.seq = GENESIS, 0

    def more(self, count: int, text: str = "") -> tuple[int, bytes, list[Sealed]]:
        """(first number, the hash before it, the entries)"""
        before, first = self.head, self.seq + 1
        facts = [Fact(Kind.SEEN, {"child": n, "text": text}) for n in range(count)]
        sealed = [self._stream.seal(fact, at_ms=MONDAY_MS, trusted=True) for fact in facts]
        self.head, self.seq = sealed[-1].hash, self.seq + count
        return first, before, [Sealed(one.raw, one.hash) for one in sealed]

    def segment(self, count: int, *, quarantined: str = "") -> Segment:
        first, _, entries = self.more(count)
        items = [Item(one.hash, one.entry, one.octets, quarantined=quarantined) for one in map(protocol.pack, entries)]
        return Segment(node=self.node, incarnation=self.incarnation, first_seq=first, entries=items)

    def names(self, after: int = 0) -> list[str]:
        return [f"{self.node}/{self.incarnation}/{seq}" for seq in range(after + 1, self.seq + 1)]


def tables_of(path: Path, *, entries: str = "") -> State:
    """Every row of every table, and each entry under its own name. entries: SELECT of node, incarnation, seq and the rest."""
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if row[0][0] != "_"]
        found: dict[str, object] = {name: sorted(map(repr, db.execute(f"SELECT * FROM {name}"))) for name in names}
        for node, incarnation, seq, *more in db.execute(entries) if entries else ():
            found[f"{node}/{incarnation}/{seq}"] = more
    return found


@cache
def _tables_after(schema: str, steps: int) -> frozenset[str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        whole = SCHEMAS[schema]
        if steps:
            sync_agent.durable_sqlite._migrate(db, Schema(schema, whole.steps[:steps]), Path("memory"))
        return _names_in(db)


def _names_in(db: sqlite3.Connection) -> frozenset[str]:
    return frozenset(row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))


def whole_or_not_begun(path: Path, schema: str) -> None:
    """The tables that are there are those of the migrations that are said to be applied."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as db:
        there = _names_in(db)
        applied = db.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0] if "_sqlite_migrations" in there else 0
        assert there == _tables_after(schema, applied), f"{path.name}: half of a migration: {sorted(there)}, {applied} applied"


# ---- peers.db -------------------------------------------------------------------------------------------


def _peers(folder: Path, mark: Mark) -> None:
    found, north, east = Peers(folder / "peers.db"), Chain("north"), Chain("east")

    def bring(*segments: Segment) -> None:
        for _ in found.adding(segments):
            mark()

    for count in (3, 1, 30, 450):
        after = north.seq
        bring(north.segment(count), east.segment(2))
        mark(*north.names(after), *east.names(east.seq - 2))
    first, _, entries = north.more(20)
    ahead = [protocol.announced(one, node="north", incarnation="i1", seq=first + n) for n, one in enumerate(entries)]
    found.announce(ahead[12:])
    mark()
    items = [protocol.pack(one) for one in entries]
    bring(Segment(node="north", incarnation="i1", first_seq=first, entries=items))  # their turn came
    mark(*north.names(first - 1))
    forged = Chain("east", "i1").segment(1)
    broken = Segment(node="west", incarnation="i1", first_seq=1, entries=[Item(forged.entries[0].hash, forged.entries[0].entry,
                                                                               quarantined="of another stream")])  # fmt: skip
    bring(broken)
    try:
        bring(east.segment(2), Segment(node="east", incarnation="i1", first_seq=east.seq + 1, entries=forged.entries))
    except PeerChainBroken:
        mark(*east.names(east.seq - 2))
    found.close()


def _peers_left(folder: Path) -> State:
    path = folder / "peers.db"
    whole_or_not_begun(path, "peers")
    found = Peers(path)
    have = {f"have {node}/{incarnation}": seq for node, incarnation, seq in found.have()}
    found.add([Chain("south").segment(1)])  # it goes on
    found.close()
    state = tables_of(path, entries="SELECT node, incarnation, seq, raw, hash FROM peers WHERE node <> 'south'")
    peers = state["peers"]
    assert isinstance(peers, list)
    return {**state, **have, "peers": [row for row in peers if "'south'" not in row]}


# ---- agent.db -------------------------------------------------------------------------------------------


def _agent(folder: Path, mark: Mark) -> None:
    state, stream = AgentState(folder / "agent.db"), ("south", "i1")
    for through in (1, 4, 500):
        state.set_cursor(stream, durable_through=through)
        mark()
        state.set_quarantined(stream, count=through)
        mark()
        state.keep_countersigned(_countersigned(through))
        mark()
        state.set_fact("directory_agreed", str(through))
        mark()
        write_status(folder, _status(through))
    state.set_server_back(ServerBack(noticed_ms=MONDAY_MS, entries=3))
    mark()
    for n in range(12):
        state.set_cursor((f"node{n}", "i1"), durable_through=n)
        mark()
    state.close()


def _countersigned(seq: int) -> Countersigned:
    return Countersigned(
        school=SCHOOL, node="south", incarnation="i1", seq=seq, hash="ab" * 32, seen_ms=MONDAY_MS, signature="cd" * 64
    )


def _status(waiting: int) -> AgentStatus:
    return AgentStatus(
        written_ms=MONDAY_MS, server="http://server", node="south", waiting=waiting, quarantined=0, last_contact_ms=None,
        asked_ms=None, streams=[], peers=[], directory=DirectoryStatus(), problems=[],
    )  # fmt: skip


def _agent_left(folder: Path) -> State:
    read_status(folder)  # not forced to the disk, because it is written anew: half of one must not stop anybody
    path = folder / "agent.db"
    whole_or_not_begun(path, "agent")
    state = AgentState(path)
    state.cursors(), state.server_back(), state.countersigned_through()
    state.close()
    return tables_of(path)


# ---- server.db ------------------------------------------------------------------------------------------


def _batch(chain: Chain, count: int, text: str = "") -> bytes:
    first, before, entries = chain.more(count, text)
    batch = signed_batch(
        school=SCHOOL, stream=(chain.node, chain.incarnation), first_seq=first, prev_hash=before, entries=entries, key=NODE_KEY
    )
    return msgspec.json.encode(batch)


def _server_batches(folder: Path, mark: Mark) -> None:
    store, south, north = SqliteStore(folder), Chain("south"), Chain("north")
    for node in ("south", "north"):
        store.add_node(Node(school=SCHOOL, node=node, public_key=NODE_KEY.public_hex, enrolled_ms=MONDAY_MS))
        mark()
    for count in (1, 5, 60, 300):
        for chain in (south, north):
            after = chain.seq
            receive(store, _batch(chain, count), school=SCHOOL, at_ms=MONDAY_MS + count)
            mark(*chain.names(after))
    forked = Chain("north")
    receive(store, _batch(forked, 4, "another history"), school=SCHOOL, at_ms=MONDAY_MS)
    mark()
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    after = north.seq
    receive(store, _batch(north, 20), school=SCHOOL, at_ms=MONDAY_MS)
    mark(*north.names(after))
    store.close()


def _server_rest(folder: Path, mark: Mark) -> None:
    """Nodes, directories, countersigned heads, what was delivered."""
    store, south = SqliteStore(folder), Chain("south")
    store.add_node(Node(school=SCHOOL, node="south", public_key=NODE_KEY.public_hex, enrolled_ms=MONDAY_MS))
    mark()
    receive(store, _batch(south, 9), school=SCHOOL, at_ms=MONDAY_MS)
    mark(*south.names())
    for number in range(1, 5):
        content = bytes([number]) * 9_000 * number
        directory = StoredDirectory(number=number, sha256=f"{number:064}", content=content, node="south")
        assert store.put_directory(directory, school=SCHOOL, base=number - 1, at_ms=MONDAY_MS) is None
        mark()
        head = SignedHead(
            node="south", incarnation="i1", seq=number, hash=bytes(32), signature=b"s", countersignature=b"c", at_ms=MONDAY_MS
        )
        store.keep_head(head, school=SCHOOL)
        mark()
        refused = Refusal(node="south", incarnation="i1", seq=number, why="said no") if number % 2 else None
        store.set_delivered(school=SCHOOL, receiver="club", position=number, refused=refused, at_ms=MONDAY_MS)
        mark()
    store.close()


def _server_identities(folder: Path, mark: Mark) -> None:
    """Codes made, mistyped and used; a key that changes; a gate shut out and let in again."""
    store = SqliteStore(folder)
    names, name = store.identities, {"school": SCHOOL, "node": "south"}
    for number in range(3):
        _, kept = new_code(**name, now_ms=MONDAY_MS, hours=1, replaces=number > 0)
        names.keep_code(kept)
        mark()
        names.count_wrong_try(**name)
        mark()
        key = keys.signing_key(bytes([number]) * 32).public_hex
        assert names.admit(**name, public_key=key, at_ms=MONDAY_MS)
        mark()
        assert names.change_key(**name, old=key, new=f"{number:064}", at_ms=MONDAY_MS + number)
        mark()
        assert names.revoke(**name, why="lost", at_ms=MONDAY_MS)
        mark()
    store.close()


def _server_left(folder: Path) -> State:
    path = folder / DATABASE_FILE
    whole_or_not_begun(path, "school_server")
    store = SqliteStore(folder)
    for row in store.streams(school=SCHOOL):
        run = store.run_of(school=SCHOOL, node=row.node, incarnation=row.incarnation, after_seq=0, most=10_000)
        assert [one.seq for one in run] == list(range(1, row.durable_through + 1)), "a hole in a stream"
    store.close()
    select = "SELECT s.node, s.incarnation, e.seq, e.raw, e.hash FROM entries e JOIN streams s ON s.id = e.stream"
    return tables_of(path, entries=select)


# ---- migrations -----------------------------------------------------------------------------------------


def _open_server(path: Path) -> None:
    SqliteStore(path.parent).close()


SCHEMAS = {"agent": agent_state.SCHEMA, "peers": peers.SCHEMA, "school_server": sqlite_store.SCHEMA}
FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "agent": ("agent.db", lambda path: AgentState(path).close()),
    "peers": ("peers.db", lambda path: Peers(path).close()),
    "school_server": (DATABASE_FILE, _open_server),
}
_ROWS = {
    "agent": ["INSERT INTO cursors VALUES ('south', 'i1', 41, 2)", "INSERT INTO facts VALUES ('directory_agreed', '7')"],
    "peers": ["INSERT INTO peers(node, incarnation, seq, raw, hash) VALUES ('north', 'i1', 1, x'7b7d', zeroblob(32))"],
    "school_server": [
        "INSERT INTO streams(school, node, incarnation, durable_through, last_received_ms) VALUES ('s', 'north', 'i1', 1, 5)",
        "INSERT INTO entries VALUES (1, 1, 1, 'seen', 5, x'7b7d', zeroblob(32), '', 5)",
    ],
}


def _earlier(schema: str, folder: Path) -> None:
    """A file after each migration but the last, and those of the released versions."""
    file, _ = FILES[schema]
    for count in range(1, len(SCHEMAS[schema].steps)):
        path = folder / str(count) / file
        with closing(open_durable(path, Schema(schema, SCHEMAS[schema].steps[:count]))) as db:
            for row in _ROWS[schema]:
                db.execute(row)
    for release in RELEASES.iterdir():
        (folder / release.name).mkdir()
        shutil.copy(release / file, folder / release.name / file)


def _migrated(schema: str, folder: Path, mark: Mark) -> None:
    for path in sorted(folder.glob(f"*/{FILES[schema][0]}")):
        FILES[schema][1](path)
        mark()


def _migrations_left(schema: str, folder: Path) -> State:
    found: dict[str, object] = {}
    for path in sorted(folder.glob(f"*/{FILES[schema][0]}")):
        whole_or_not_begun(path, schema)
        FILES[schema][1](path)
        whole_or_not_begun(path, schema)
        found |= {f"{path.parent.name} {name}": rows for name, rows in tables_of(path).items()}
    return found


def _migrations(schema: str) -> Work:
    return Work(
        name=f"{schema.replace('_', '-')}-migrations",
        prepare=lambda folder: _earlier(schema, folder),
        run=lambda folder, mark: _migrated(schema, folder, mark),
        reopen=lambda folder: _migrations_left(schema, folder),
        planted={"not-one-transaction": _step_by_step} if schema == "school_server" else {},
    )


# ---- keys -----------------------------------------------------------------------------------------------


def _keys(folder: Path, mark: Mark) -> None:
    """A node's first start: its own key, then the server's, pinned; later the next key takes the place of the present one."""
    key = keys.load_or_create(folder / "state" / "keys" / "node.key")
    mark("node.key")
    Enrolment(folder=folder / "state" / "keys", key=key, code="")._pin(SERVER_KEY.public_hex)
    mark(SERVER_KEY_FILE)
    for _ in range(2):
        rotating = NodeKeys(folder / "state" / "keys")
        rotating.prepare_next()
        mark()
        rotating.adopt_next()
        mark()


def _keys_left(folder: Path) -> State:
    """A key that is there can be used."""
    place, found = folder / "state" / "keys", dict[str, object]()
    for name in (KEY_FILE, NEXT_FILE):
        if (place / name).exists():
            found[name] = keys.load_or_create(place / name).public_hex
    key = keys.load_or_create(place / "node.key")
    enrolment = Enrolment(folder=place, key=key, code="")
    if (pinned := enrolment.server_key()) is not None:
        found[SERVER_KEY_FILE] = pinned
    enrolment._pin(SERVER_KEY.public_hex)
    return found


# ---- mistakes -------------------------------------------------------------------------------------------


def _no_sync(patch: pytest.MonkeyPatch) -> None:
    connect = sync_agent.durable_sqlite._connect

    def weak(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    patch.setattr(sync_agent.durable_sqlite, "_connect", weak)


def _step_by_step(patch: pytest.MonkeyPatch) -> None:
    """Each statement of a migration for itself."""

    def migrate(connection: sqlite3.Connection, schema: Schema, path: Path) -> None:
        from sqlite_utils import Database

        applied = sync_agent.durable_sqlite._applied(connection, schema.name)
        for step in schema.steps:
            if step.__name__ not in applied:
                step(Database(connection))
                row = (schema.name, step.__name__)
                connection.execute("INSERT INTO _sqlite_migrations(migration_set, name, applied_at) VALUES (?,?,'')", row)

    patch.setattr(sync_agent.durable_sqlite, "_migrate", migrate)


def _key_in_place(patch: pytest.MonkeyPatch) -> None:
    """A key that is written where it will be read."""
    patch.setattr(keys, "write_once", lambda path, text: path.write_text(text + "\n"))


def _no_folders(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(keys, "fsync_folder", lambda folder: None)


WORKS: Sequence[Work] = (
    Work(name="peers", run=_peers, reopen=_peers_left, planted={"synchronous-normal": _no_sync}),
    Work(name="agent", run=_agent, reopen=_agent_left),
    Work(name="server-batches", run=_server_batches, reopen=_server_left, planted={"synchronous-normal": _no_sync}),
    Work(name="server-rest", run=_server_rest, reopen=_server_left),
    Work(name="server-identities", run=_server_identities, reopen=_server_left),
    *map(_migrations, ("agent", "peers", "school_server")),
    Work(
        name="keys", run=_keys, reopen=_keys_left,
        planted={"written-in-place": _key_in_place, "folders-not-synced": _no_folders},
    ),
)  # fmt: skip
