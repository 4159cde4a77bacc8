"""Two gates of the small school in one thread: real decisions and real journals, a link that brings what it is told to.

No thread runs, so that a state machine owns the order of everything: a press is one turn of that gate's loop.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from kiosk.clock import FixedClock
from kiosk.controller import Controller
from kiosk.core import commands as c
from kiosk.core.decisions import Decision
from kiosk.core.entries import Entry, Sealed, decode
from kiosk.opening import open_gate
from kiosk.settings import Sync
from tests.support.people import small_school
from tests.support.school import ZONE
from tests.support.turnstiles import BOARD, POINTS, with_turnstiles

NODES = ("east", "south")


class Copy(NamedTuple):
    files: dict[str, bytes]
    heard: list[Sealed]
    last_ms: int  # of its newest record


class TwoGates:
    """`press` gives a command to one gate. `deliver` brings one gate's entries to the other, in the order of writing."""

    def __init__(self, folder: Path, *, start_ms: int, server: str = "") -> None:
        self.folder, self.sync = folder, Sync(server=server)
        self.clock = {node: FixedClock(start_ms) for node in NODES}
        self.heard: dict[str, list[Sealed]] = {node: [] for node in NODES}
        self.gate: dict[str, Controller] = {}
        for node in NODES:
            self._open(node)

    def _open(self, node: str) -> None:
        base = with_turnstiles()
        rules = replace(base.rules, node=node, serves=frozenset({node}))
        settings = replace(base, site=replace(base.site, node=node, sync=self.sync), rules=rules)
        self.gate[node] = open_gate(settings=settings, directory=small_school(), state=self.folder / node, clock=self.clock[node])
        self.press(node, c.WatchTurns(access_points=frozenset(POINTS)))
        self.press(node, c.DeviceChanged(device=BOARD, health="ok"))
        for point in POINTS:
            self.press(node, c.Passed(access_point=point))

    def press(self, node: str, command: Any) -> Decision:
        gate, answers = self.gate[node], list[Any]()
        gate.submit(command, answers.append)
        gate.turn(gate.inbox.take_all(0))
        decision: Decision = answers[0].decision
        return decision

    def restart(self, node: str) -> None:
        """The power goes: what the link had brought is still on the disk of the agent, and is folded again."""
        self.gate[node].journal.close()
        self._open(node)
        if self.heard[node]:
            self.press(node, c.PeerEntries(sealed=tuple(self.heard[node])))

    def own(self, node: str) -> list[Sealed]:
        """Everything that a gate wrote, over all its starts."""
        rows = self.gate[node].journal._db.execute("SELECT raw, hash FROM entries ORDER BY boot, seq")
        return [Sealed(decode(raw), raw, bytes(hash_)) for raw, hash_ in rows]

    def deliver(self, source: str, to: str, at_most: int = 10_000) -> None:
        known = {one.entry.id for one in self.heard[to]}
        new = [one for one in self.own(source) if one.entry.id not in known][:at_most]
        if new:
            self.heard[to] += new
            self.press(to, c.PeerEntries(sealed=tuple(new)))

    # --- an old copy of a gate's disk --------------------------------------------------------------

    def link_says(self, node: str, own: bool | None) -> None:
        """What the gate's agent knows of the gate's own records at the server: all is here, or some is not, or not asked yet."""
        now_ms = self.clock[node].now_ms()
        self.press(node, c.LinkChanged(waiting=0, last_contact_ms=now_ms, own=own))

    def copy(self, node: str) -> Copy:
        files = {path.name: path.read_bytes() for path in (self.folder / node).iterdir() if path.suffix in (".db", ".db-wal")}
        return Copy(files, list(self.heard[node]), max(one.entry.at_ms for one in self.own(node)))

    def put_back(self, node: str, copy: Copy) -> None:
        """The gate goes on with that copy of its disk, and knows of nothing since but what others tell it."""
        self.gate[node].journal.close()
        for path in (self.folder / node).glob("*.db*"):
            path.unlink()
        for name, content in copy.files.items():
            (self.folder / node / name).write_bytes(content)
        self.heard[node] = list(copy.heard)
        self._open(node)
        if self.heard[node]:
            self.press(node, c.PeerEntries(sealed=tuple(self.heard[node])))
        self.link_says(node, own=None)

    def hear_of_itself(self, node: str) -> None:
        """The link brings back what this gate wrote, has no more, and the other gate has heard."""
        here = {one.entry.id for one in (*self.own(node), *self.heard[node])}
        other = NODES[1 - NODES.index(node)]
        lost = [one for one in self.heard[other] if one.entry.node == node and one.entry.id not in here]
        if lost:
            self.link_says(node, own=False)
            self.heard[node] += lost
            self.press(node, c.PeerEntries(sealed=tuple(lost)))
        self.link_says(node, own=True)

    def known(self, node: str) -> list[Entry]:
        """Every entry that a gate's state is folded from."""
        return [one.entry for one in (*self.own(node), *self.heard[node])]

    def close(self) -> None:
        for gate in self.gate.values():
            gate.journal.close()


def morning_ms() -> int:
    from datetime import datetime

    return int(datetime(2026, 11, 23, 7, 40, tzinfo=ZONE).timestamp() * 1000)
