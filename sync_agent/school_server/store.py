"""What the school server asks of a store. SQLite and PostgreSQL answer, and keep the same contract suite.

A store that returns from the end of a `locked_stream` block has made everything in it durable; a store that
raises has changed nothing. Readers see only whole transactions.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sync_agent.protocol import DirectoryState
from sync_agent.school_server.identities import Identities
from sync_agent.school_server.rules import Known, NewBranchEntry, NewEntry


class StoreUnavailable(Exception):
    """Disk full, locked or gone: nothing was stored, and it is worth trying again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """public_key: the present one. revoked_ms: since when the office lets it in no more."""

    school: str
    node: str
    public_key: str
    enrolled_ms: int
    revoked_ms: int | None = None
    revoked_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """One incarnation. branched: another chain under the same name is kept beside it."""

    node: str
    incarnation: str
    durable_through: int
    quarantined: int
    branched: bool
    last_received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """position: rises in the order of storing within a school.

    Whoever has read up to a position has read everything below it: nothing appears there later.
    """

    position: int
    node: str
    incarnation: str
    seq: int
    raw: bytes
    hash: bytes
    quarantined: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Evidence: the node signed this run. With the stored hashes it gives the signed text again (protocol.batch_text)."""

    first_seq: int
    last_seq: int
    hash: bytes
    content_sha256: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """One entry's hash under the node's signature. countersignature: b"" where the hash was not the one that is stored."""

    node: str
    incarnation: str
    seq: int
    hash: bytes
    signature: bytes
    countersignature: bytes
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDirectory:
    number: int
    sha256: str
    content: bytes
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Something for a person to look at: an unreadable entry, or one of two of the same number."""

    node: str
    incarnation: str
    seq: int
    reason: str
    received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One entry whose event another system refused for good. why: its status, never its words."""

    node: str
    incarnation: str
    seq: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    entries: int
    quarantined: int
    forks: int


class LockedStream(Protocol):
    """One stream inside one transaction; nobody else can move it meanwhile."""

    def known(self, *, first_seq: int, last_seq: int) -> Known:
        """What is there from first_seq - 1 to last_seq."""
        ...

    def write(self, *, entries: Sequence[NewEntry], branch: Sequence[NewBranchEntry], head: Head | None, at_ms: int) -> None:
        """Adds the rows and moves the stream's cursor behind the last entry."""
        ...


class Store(Protocol):
    """Any method may raise StoreUnavailable. Methods may be called from several threads.

    Schools share a store and nothing else: the same names in two schools are two things.
    """

    @property
    def kind(self) -> str:
        """What it is, for people: "SQLite"."""
        ...

    @property
    def identities(self) -> Identities:
        """Keys, codes and revocations."""
        ...

    def locked_stream(self, *, school: str, node: str, incarnation: str) -> AbstractContextManager[LockedStream]: ...

    def streams(self, *, school: str, node: str | None = None) -> list[StreamRow]:
        """The one that received last comes first."""
        ...

    def run_of(self, *, school: str, node: str, incarnation: str, after_seq: int, most: int) -> list[StoredEntry]:
        """Entries of one stream in order."""
        ...

    def entries_after(self, *, school: str, position: int, most: int) -> list[StoredEntry]:
        """Entries of all streams in the order of storing."""
        ...

    def node(self, *, school: str, node: str) -> Node | None: ...

    def nodes(self, *, school: str) -> list[Node]: ...

    def add_node(self, node: Node) -> Node:
        """Stores it unless that name is there already; returns what is there afterwards."""
        ...

    def directory_state(self, *, school: str) -> DirectoryState | None:
        """The current one's number and digest."""
        ...

    def directory_content(self, *, school: str, number: int) -> bytes | None:
        """None unless that number is the current one."""
        ...

    def put_directory(self, directory: StoredDirectory, *, school: str, base: int, at_ms: int) -> int | None:
        """Stores it if `base` is the current number (0: none). Returns None, or the current number if it is not."""
        ...

    def totals(self, *, school: str) -> Totals: ...

    def set_aside(self, *, school: str, most: int) -> list[SetAside]:
        """The newest first."""
        ...

    def keep_head(self, head: SignedHead, *, school: str) -> SignedHead:
        """Keeps it unless that very head (number and hash) is there; returns the one that is there afterwards.

        Its stream must be there. What bears no countersignature is in `set_aside` from then on.
        """
        ...

    def delivered_through(self, *, school: str, receiver: str) -> int:
        """The position up to which that receiver has taken every event, or somebody has been told why not; 0 at first."""
        ...

    def set_delivered(self, *, school: str, receiver: str, position: int, refused: Refusal | None, at_ms: int) -> None:
        """Moves the cursor and keeps the refusal, if there is one, in one transaction."""
        ...

    def refused_events(self, *, school: str, most: int) -> list[SetAside]:
        """What the receiver would not take, the newest first."""
        ...

    def close(self) -> None: ...
