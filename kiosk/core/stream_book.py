"""What the facts say about the gate computers themselves: one that runs on an older copy of its records, or twice.

Every start of a gate begins a stream, and its first fact seals the stream before: its name and how far it had come. Two
streams that go on from one place, or one that went on after it was sealed, cannot come from one computer with one disk. Part
of the fold: any order of facts, any doubling, the same answer. It judges nobody: an old copy was restored, or a card was
copied; a person looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kiosk.core.campus_parts import Order
from kiosk.core.child import Conflict
from kiosk.core.entries import Entry, Kind

ROLLED_BACK, CLONED_DEVICE = "rolled_back", "cloned_device"
COPY = "copy:"  # what a case of either kind is called by; which of the two it is may become clear later


class Opening(NamedTuple):
    """How a stream began. `after`: the stream that it seals ("NODE/" for none) at `seq`."""

    order: Order
    at_ms: int
    stream: str
    node: str
    after: str
    seq: int


class StreamBook:
    """`openings`: stream -> how it began. `reached`: stream -> the last seq that was heard of, and its tick."""

    def __init__(self) -> None:
        self.openings: dict[str, Opening] = {}
        self.reached: dict[str, tuple[int, int]] = {}
        self._after: dict[str, list[Opening]] = {}
        self._suspects: set[str] = set()  # sealed streams of which more is known than one continuation

    # --- reading ---------------------------------------------------------------------------------

    def conflicts(self) -> list[Conflict]:
        """Every stream that began on a copy from which somebody else had gone on already."""
        return [found for after in sorted(self._suspects) for one in self._after[after] for found in self._judge(one)]

    def node_of(self, conflict: Conflict) -> str:
        return conflict.entries[0].partition("/")[0]

    def _judge(self, one: Opening) -> Iterator[Conflict]:
        """The case of one continuation: another one began before it, or knew more than it did."""
        others = [other for other in self._after[one.after] if other is not one and _before(other, one)]
        last, tick = self.reached.get(one.after, (0, 0))
        branches = [(f"{other.stream}/1", self._last_tick(other.stream)) for other in others]
        if last > one.seq:
            branches.append((f"{one.after}/{one.seq + 1}", tick))
        if branches:
            both_ran = any(tick > one.order[0] for _, tick in branches)
            kind = CLONED_DEVICE if both_ran else ROLLED_BACK
            yield Conflict(f"{COPY}{one.stream}", kind, 0, one.at_ms, (f"{one.stream}/1", *sorted(name for name, _ in branches)))

    def _last_tick(self, stream: str) -> int:
        """When this stream, or one that goes on from it, last said something."""
        newest, waiting = 0, [stream]
        while waiting:
            name = waiting.pop()
            newest = max(newest, self.reached.get(name, (0, 0))[1])
            waiting += [opening.stream for opening in self._after.get(name, ())]
        return newest

    # --- folding ---------------------------------------------------------------------------------

    def hear(self, entry: Entry) -> None:
        """Any fact says how far its stream has come; the first one says from where."""
        stream = entry.stream
        if entry.seq > self.reached.get(stream, (0, 0))[0]:
            self.reached[stream] = (entry.seq, entry.tick)
            self._suspect(stream)
        if entry.kind == Kind.INCARNATION_OPENED and stream not in self.openings:
            self._open(entry)

    def reach(self, stream: str, seq: int) -> None:
        """What is on disk from days that are closed, and is not folded any more."""
        if seq > self.reached.get(stream, (0, 0))[0]:
            self.reached[stream] = (seq, 0)
            self._suspect(stream)

    def _open(self, entry: Entry) -> None:
        sealed = entry.body.get("sealed") or {}
        after, seq = f"{entry.node}/", 0
        if sealed:
            after, seq = f"{sealed.get('node', entry.node)}/{sealed['incarnation']}", int(sealed["seq"])
        opening = self.openings[entry.stream] = Opening(entry.order, entry.at_ms, entry.stream, entry.node, after, seq)
        self._after.setdefault(after, []).append(opening)
        self._after[after].sort()
        self._suspect(after)

    def _suspect(self, after: str) -> None:
        known = self._after.get(after)
        if known and (len(known) > 1 or self.reached.get(after, (0, 0))[0] > known[0].seq):
            self._suspects.add(after)


def _before(other: Opening, one: Opening) -> bool:
    """Whether the other continuation has the better claim: it knew more of the sealed stream, or began first."""
    return (-other.seq, other.order) < (-one.seq, one.order)
