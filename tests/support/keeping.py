"""A place where stores keep things, opened as often as wanted: what several servers, or one after the other, find there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kiosk.core.entries import GENESIS, Fact, Kind, Stream
from sync_agent.school_server.opening import open_store
from sync_agent.school_server.rules import NewBranchEntry, NewEntry
from sync_agent.school_server.store import Head, Store
from tests.support.journals import MONDAY_MS

SCHOOL, NODE, BOOT = "yucai", "south", "i1"


class Keep:
    """address: as in the setting. `open` may be called many times; `close` ends all of them."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self._open: list[Store] = []

    def open(self) -> Store:
        store = open_store(self.folder, self.address)
        self._open.append(store)
        return store

    def close(self) -> None:
        for store in self._open:
            store.close()
        self._open.clear()


class Writing:
    """A stream that makes rows as the rules would."""

    def __init__(self, node: str = NODE, incarnation: str = BOOT) -> None:
        self.node, self.incarnation = node, incarnation
        self._stream = Stream(node=node, incarnation=incarnation)

    def rows(self, count: int, *, quarantined: str = "", kind: str = "seen") -> list[NewEntry]:
        sealed = [self._stream.seal(Fact(Kind.SEEN, {"n": n}), at_ms=MONDAY_MS, trusted=True) for n in range(count)]
        return [NewEntry(one.entry.seq, one.raw, one.hash, kind, MONDAY_MS, quarantined) for one in sealed]


def put(
    store: Store,
    entries: Sequence[NewEntry],
    *,
    branch: Sequence[NewBranchEntry] = (),
    head: Head | None = None,
    school: str = SCHOOL,
    node: str = NODE,
    incarnation: str = BOOT,
    at_ms: int = MONDAY_MS,
) -> None:
    """One batch, as `receiving` writes it."""
    with store.locked_stream(school=school, node=node, incarnation=incarnation) as stream:
        stream.write(entries=entries, branch=branch, head=head, at_ms=at_ms)


def beside(entries: Sequence[NewEntry]) -> list[NewBranchEntry]:
    """The same rows as a branch from the start."""
    previous, found = GENESIS, []
    for entry in entries:
        found.append(NewBranchEntry(entry.seq, entry.raw, entry.hash, previous))
        previous = entry.hash
    return found


def all_of(store: Store, school: str = SCHOOL, *, page: int = 1_000) -> list[tuple[str, str, int, bytes]]:
    """Everything by position, page after page."""
    found, position = [], 0
    while rows := store.entries_after(school=school, position=position, most=page):
        assert [row.position for row in rows] == sorted({row.position for row in rows}) and rows[0].position > position
        found += [(row.node, row.incarnation, row.seq, row.raw) for row in rows]
        position = rows[-1].position
    return found
