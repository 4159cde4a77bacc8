"""Answers what a node lacks: other gates' entries, and what the server has altogether. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync_agent import protocol
from sync_agent.protocol import Sealed
from sync_agent.school_server.store import Store, StoredEntry


def missing_segments(
    store: Store, *, school: str, asker: str, have: Mapping[tuple[str, str], int],
    room: int = protocol.MAX_RELAY_ENTRIES,
) -> tuple[list[protocol.Segment], bool]:
    """Runs that continue what the asker has of every other node's streams, and whether there is more.

    Of its own streams only those that it names: a gate on an older copy of its records asks for what it has lost.
    The stream that received last comes first: a new gate needs today before it needs last month.
    """
    segments: list[protocol.Segment] = []
    room_bytes = protocol.MAX_RELAY_BYTES
    for stream in store.streams(school=school):
        name = (stream.node, stream.incarnation)
        after = have.get(name, 0)
        if (stream.node == asker and name not in have) or stream.durable_through <= after:
            continue
        if room <= 0 or room_bytes <= 0:
            return segments, True
        run = store.run_of(school=school, node=stream.node, incarnation=stream.incarnation, after_seq=after, most=room)
        taken = _within(run, room_bytes)
        segments.append(
            protocol.Segment(
                node=stream.node,
                incarnation=stream.incarnation,
                first_seq=after + 1,
                entries=[relayed(entry) for entry in taken],
            )
        )
        room -= len(taken)
        room_bytes -= sum(len(entry.raw) for entry in taken)
        if len(taken) < len(run):
            return segments, True
    return segments, room <= 0


def relayed(entry: StoredEntry) -> protocol.Item:
    """The exact bytes again, with the server's remark where it could not read them."""
    item = protocol.pack(Sealed(entry.raw, entry.hash))
    return protocol.Item(hash=item.hash, entry=item.entry, octets=item.octets, quarantined=entry.quarantined)


def _within(entries: Sequence[StoredEntry], most_bytes: int) -> Sequence[StoredEntry]:
    """As many as fit; at least one, or a long entry would never be relayed."""
    size = 0
    for index, entry in enumerate(entries):
        size += len(entry.raw)
        if index and size > most_bytes:
            return entries[:index]
    return entries
