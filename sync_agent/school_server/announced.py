"""What nodes sent ahead of its turn, for the other nodes, in memory: gone when the entry itself is stored, or with the server.

It is no record and no acknowledgement: an entry counts once it stands in its stream. Whoever asks is given what he has not
been given before, by a word that he brings back.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Raw

from kiosk.core.entries import UnreadableEntry, decode
from sync_agent import protocol
from sync_agent.protocol import Announcement
from sync_agent.school_server.enrolling import check_signature
from sync_agent.school_server.store import Node, Store

MOST_OF_A_NODE: Final = 10_000
MOST_BYTES_OF_A_NODE: Final = 16 * 1024 * 1024
MOST_AT_ONCE: Final = 1_000

_Name = tuple[str, str, int]  # node, incarnation, seq


class Announced:
    """Of all schools. run: the server's own word for this start; a word of an earlier start begins anew."""

    def __init__(self, run: str) -> None:
        self._run, self._lock, self._position = run, threading.Lock(), 0
        self._of_school: dict[str, dict[_Name, tuple[int, Announcement, int]]] = {}

    def hear(self, school: str, entries: Sequence[Announcement]) -> None:
        """In the order in which they are to be handed on. The oldest of a node goes when there are too many of it."""
        with self._lock:
            kept = self._of_school.setdefault(school, {})
            for one in entries:
                self._position += 1
                name = (one.node, one.incarnation, one.seq)
                kept.pop(name, None)  # so that the dictionary stays in the order of hearing
                kept[name] = (self._position, one, _size(one))
            for node in {one.node for one in entries}:
                self._make_room(kept, node)

    def stored(self, school: str, node: str, incarnation: str, through: int) -> None:
        """These stand in their stream now, and are relayed from there."""
        with self._lock:
            kept = self._of_school.get(school, {})
            for name in [name for name in kept if name[:2] == (node, incarnation) and name[2] <= through]:
                del kept[name]

    def since(
        self, school: str, *, asker: str, word: str, have: Mapping[tuple[str, str], int]
    ) -> tuple[list[Announcement], str, bool]:
        """What the asker lacks of other nodes, the word to bring back, and whether there is more."""
        run, _, number = word.partition(":")
        after = int(number) if run == self._run and number.isdigit() and len(number) <= 16 else 0
        found: list[Announcement] = []
        with self._lock:
            for position, one, _ in self._of_school.get(school, {}).values():
                if position <= after or one.node == asker or one.seq <= have.get((one.node, one.incarnation), 0):
                    continue
                if len(found) == MOST_AT_ONCE:
                    return found, f"{self._run}:{after}", True
                found.append(one)
                after = position
            return found, f"{self._run}:{self._position}", False

    def _make_room(self, kept: dict[_Name, tuple[int, Announcement, int]], node: str) -> None:
        names = [name for name in kept if name[0] == node]
        count, size = len(names), sum(kept[name][2] for name in names)
        for name in names:
            if count <= MOST_OF_A_NODE and size <= MOST_BYTES_OF_A_NODE:
                break
            count, size = count - 1, size - kept.pop(name)[2]


def sound(store: Store, batch: protocol.Batch, *, school: str, node: Node) -> list[Announcement]:
    """What a batch announces, if it is the node's own word. What does not say that it is that entry is left out.

    Raises MalformedMessage, and Refused for a signature that is not the node's or of a node that is revoked.
    """
    if not batch.ahead:
        return []
    sealed = [protocol.unpack_announced(one, where=f"ahead[{index}]") for index, one in enumerate(batch.ahead)]
    text = protocol.ahead_text(school=school, node=batch.node, entries=batch.ahead, sealed=sealed)
    check_signature(store, node, text=text, signature=batch.ahead_signature, what="ahead")
    pairs = zip(batch.ahead, sealed, strict=True)
    return [one for one, entry in pairs if one.node == batch.node and _is_what_it_says(one, entry.raw)]


def _is_what_it_says(one: Announcement, raw: bytes) -> bool:
    try:
        entry = decode(raw)
    except (UnreadableEntry, RecursionError, ValueError):
        return False
    return (entry.node, entry.incarnation, entry.seq) == (one.node, one.incarnation, one.seq)


def _size(one: Announcement) -> int:
    return len(one.octets) if isinstance(one.octets, str) else len(bytes(one.entry)) if isinstance(one.entry, Raw) else 0
