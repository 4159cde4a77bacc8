"""agent.db, what the agent remembers between runs, and sync_status.json, what the gate's bar shows of it.

Both are caches. Deleting agent.db costs some re-sending, and this gate's copies of the countersignatures, which the server has
as well: the truth is the journal on this side and the store on the server's. The status file is replaced whole, so a reader
never sees half of one.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kiosk.core.heads import Countersigned
from sync_agent.durable_sqlite import Schema, open_durable
from sync_agent.errors import StateUnwritable

if TYPE_CHECKING:
    from sqlite_utils import Database

STATUS_FILE = "sync_status.json"
SHUT_OUT = "shut_out_ms"


def m001_cursors_and_facts(db: Database) -> None:
    db.execute(
        "CREATE TABLE cursors(node TEXT NOT NULL, incarnation TEXT NOT NULL, durable_through INTEGER NOT NULL,"
        " quarantined INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(node, incarnation)) WITHOUT ROWID"
    )
    db.execute("CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")


def m002_countersigned(db: Database) -> None:
    """The server's word on how far it had this gate's record. Whoever loses these has the server's own."""
    db.execute(
        "CREATE TABLE countersigned(node TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL, school TEXT NOT NULL,"
        " hash TEXT NOT NULL, seen_ms INTEGER NOT NULL, signature TEXT NOT NULL,"
        " PRIMARY KEY(node, incarnation, seq)) WITHOUT ROWID"
    )


SCHEMA = Schema("agent", (m001_cursors_and_facts, m002_countersigned))


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    node: str
    incarnation: str
    last_seq: int
    durable_through: int


class PeerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One other gate. seen_s_ago: how long before `asked_ms` it called the server; null: not since the server started.

    waiting: what it said it had still to send.
    """

    node: str
    seen_s_ago: float | None = None
    waiting: int = 0


class DirectoryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """number: of the snapshot in place, 0 while it came from no server. checked_ms: when it was last seen to be current.

    state: current, missing, local (in place, but the server has none or an older one), unsent (this office has a
    newer one), conflict.
    """

    number: int = 0
    sha256: str = ""
    checked_ms: int | None = None
    state: str = "missing"
    office: bool = True  # the school's lists are made here; what is made elsewhere is replaced by them


class ServerBack(msgspec.Struct, frozen=True, kw_only=True):
    """The last time that the server had less than it once acknowledged: an older copy of it was restored.

    run: the start of the server at which that was noticed; every gate that notices has the same one.
    """

    noticed_ms: int
    entries: int
    run: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the way, by part (up, down, directory). message: one sentence for staff who mend it."""

    part: str
    kind: str
    message: str
    since_ms: int


class AgentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """sync_status.json. All `_ms` by this computer's clock. waiting: entries that the server has not got.

    last_contact_ms: the last answer of any kind from the server; asked_ms: the last answer about peers.
    fetching: there is more of the other gates at the server than has come. forked: streams (NODE/INCARNATION), of any gate,
    of which the server keeps two versions. shut_out_ms: since when the server takes nothing from this gate, because it was
    revoked or another computer has its name; null: it is let in.
    own_known: whether this disk has all that the server has of this gate; None while this run of the agent has not compared.
    """

    written_ms: int
    server: str
    node: str
    waiting: int
    quarantined: int
    last_contact_ms: int | None
    asked_ms: int | None
    streams: list[StreamStatus]
    peers: list[PeerStatus]
    directory: DirectoryStatus
    problems: list[Problem]
    server_back: ServerBack | None = None
    fetching: bool = False
    forked: list[str] = []
    own_known: bool | None = None
    shut_out_ms: int | None = None


class AgentState:
    """The rows of agent.db. Not for several threads."""

    def __init__(self, path: Path) -> None:
        self._connection = open_durable(path, SCHEMA)

    def cursors(self) -> dict[tuple[str, str], int]:
        """(node, incarnation) -> the last known durable_through."""
        rows = self._connection.execute("SELECT node, incarnation, durable_through FROM cursors")
        return {(node, incarnation): through for node, incarnation, through in rows}

    def quarantined(self) -> int:
        return int(self._connection.execute("SELECT coalesce(sum(quarantined), 0) FROM cursors").fetchone()[0])

    def set_cursor(self, stream: tuple[str, str], *, durable_through: int) -> None:
        self._write(
            "INSERT INTO cursors(node, incarnation, durable_through) VALUES (?,?,?) ON CONFLICT(node, incarnation)"
            " DO UPDATE SET durable_through=excluded.durable_through",
            (*stream, durable_through),
        )

    def set_quarantined(self, stream: tuple[str, str], *, count: int) -> None:
        self._write("UPDATE cursors SET quarantined=? WHERE node=? AND incarnation=?", (count, *stream))

    def countersigned_through(self) -> dict[tuple[str, str], int]:
        """(node, incarnation) -> the highest number that the server has countersigned."""
        rows = self._connection.execute("SELECT node, incarnation, max(seq) FROM countersigned GROUP BY node, incarnation")
        return {(node, incarnation): seq for node, incarnation, seq in rows}

    def keep_countersigned(self, said: Countersigned) -> None:
        self._write(
            "INSERT INTO countersigned(node, incarnation, seq, school, hash, seen_ms, signature) VALUES (?,?,?,?,?,?,?)"
            " ON CONFLICT DO NOTHING",
            (said.node, said.incarnation, said.seq, said.school, said.hash, said.seen_ms, said.signature),
        )

    def fact(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM facts WHERE name=?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        self._write("INSERT INTO facts VALUES (?,?) ON CONFLICT(name) DO UPDATE SET value=excluded.value", (name, value))

    def server_back(self) -> ServerBack | None:
        text = self.fact("server_back")
        try:
            return None if text is None else msgspec.json.decode(text, type=ServerBack)
        except msgspec.MsgspecError:
            return None

    def set_server_back(self, noticed: ServerBack) -> None:
        self.set_fact("server_back", msgspec.json.encode(noticed).decode())

    def shut_out_ms(self) -> int | None:
        text = self.fact(SHUT_OUT)
        return int(text) if text is not None and text.isdigit() else None

    def shut_out(self, at_ms: int) -> None:
        """The first refusal stands, also over a restart: it names the one case that it is."""
        self._write("INSERT INTO facts VALUES (?,?) ON CONFLICT(name) DO NOTHING", (SHUT_OUT, str(at_ms)))

    def let_in(self) -> None:
        self._write("DELETE FROM facts WHERE name=?", (SHUT_OUT,))

    def close(self) -> None:
        self._connection.close()

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        try:
            self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise StateUnwritable(f"agent.db cannot be written ({error}); look at free space") from error


def write_status(folder: Path, status: AgentStatus) -> None:
    """Replaces sync_status.json. Raises StateUnwritable. Not fsynced: after a power cut it is written anew anyway."""
    target = folder / STATUS_FILE
    draft = target.with_suffix(".json.new")
    try:
        draft.write_bytes(msgspec.json.encode(status))
        draft.replace(target)
    except OSError as error:
        raise StateUnwritable(f"{target} cannot be written ({error}); look at free space") from error


def read_status(folder: Path) -> AgentStatus | None:
    """None when there is none yet, or none that this version reads."""
    try:
        return msgspec.json.decode((folder / STATUS_FILE).read_bytes(), type=AgentStatus)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
