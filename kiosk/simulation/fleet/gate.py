"""One gate computer of a simulated fleet: the product's loop, journal, fold and sync agent on a disk and a clock that misbehave.

A press is one turn of the gate's own loop. No thread runs, so the story owns the order of everything. What an
outsider can know of the gate is kept beside it: the rows that a second reader finds on its disk, and what it has acknowledged.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kiosk.controller import Controller
from kiosk.core.campus import Campus
from kiosk.core.commands import LinkChanged, PeerEntries
from kiosk.core.decisions import Answer, Decision
from kiosk.core.entries import Entry, EntryId, Sealed, decode
from kiosk.journal import CannotAppend, Journal, connect, last_trusted_ms
from kiosk.opening import open_gate
from kiosk.reading_back import peers_after
from kiosk.simulation.fleet.computer_clock import ComputerClock
from kiosk.simulation.fleet.disk import AGENT_FILE, PEERS_FILE, Disk, DiskJournal, Image
from kiosk.simulation.fleet.network import Network, finished
from kiosk.simulation.fleet.school import FleetSchool
from kiosk.simulation.fleet.school_server import SCHOOL
from sync_agent.agent_state import AgentState
from sync_agent.errors import ServerTrouble, SyncError
from sync_agent.journal_tail import JournalTail
from sync_agent.keys import SigningKey
from sync_agent.peers import Peers
from sync_agent.up_sync import Step, UpSync

BATCH_ENTRIES = 4  # small, so that a batch ends in the middle of things


class FleetGate:
    """`at`: its place among the gates. `rows`: its own entries as found on the disk. `heard`: other gates' that were folded."""

    def __init__(
        self, *, at: int, school: FleetSchool, folder: Path, network: Network, key: SigningKey, true_ms: Callable[[], int],
        seed: str,
    ) -> None:  # fmt: skip
        self.at, self.name, self.school, self._seed = at, school.gates[at], school, seed
        self.disk, self.clock = Disk(folder), ComputerClock(true_ms)
        self._network, self._key, self._true_ms = network, key, true_ms
        self.line = network.line(at, self.name)
        self.controller: Controller | None = None
        self.rows: list[Sealed] = []
        self.on_disk: set[EntryId] = set()
        self.heard: list[Sealed] = []
        self.told: dict[EntryId, bytes] = {}  # acknowledged, with the bytes that were on the disk at that moment
        self.untold: list[EntryId] = []  # acknowledged while the disk did not have them: must stay empty
        self.copy: Image | None = None
        self.copied_rows: frozenset[EntryId] = frozenset()
        self.copied_ms = 0  # when, in true time
        self.old_copy = False  # it runs on an old copy of its card and has not heard from the server since
        self.gone: dict[EntryId, bytes] = {}  # acknowledged, and lost with a card that an older copy took the place of
        self.boots = 0
        self.trouble: list[SyncError] = []  # of the agent, beyond what a bad line explains

    # --- life and death ------------------------------------------------------------------------------

    @property
    def campus(self) -> Campus:
        assert self.controller is not None
        return self.controller.world.campus

    @property
    def up(self) -> bool:
        return self.controller is not None

    def boot(self) -> bool:
        """False while the disk takes no entry: then the gate is not started, and is tried again later."""
        self.boots += 1
        self.incarnation = name = f"{random.Random(f'{self._seed}/{self.at}/{self.boots}').getrandbits(64):016x}"

        def journal_in(state: Path, node: str) -> Journal:
            return DiskJournal(state, node=node, incarnation=name, disk=self.disk)

        clock = self.clock.boot(last_trusted_ms(self.disk.folder))
        settings, directory = self.school.settings[self.at], self.school.directory
        self._unfolded = False  # whether peers.db has rows that the loop has not been given
        self._peers_row, heard = peers_after(self.disk.folder, 0)
        try:
            gate = open_gate(
                settings=settings, directory=directory, state=self.disk.folder, clock=clock, journal_in=journal_in
            )
        except CannotAppend:
            return False
        self.controller, self.heard = gate, list(heard)
        self.rows, self.on_disk, self._mark = [], set(), (0, 0)
        self._reader = connect(self.disk.journal, read_only=True)
        self._read_disk()
        self._open_agent()
        return True

    def cut_power(self, image: Image) -> None:
        """Everything that is not in the image is gone."""
        self._close_files()
        self.disk.put_back(image)

    def put_back(self, image: Image) -> None:
        """The card of a gate that is off."""
        self.disk.put_back(image)

    def forget_since_copy(self) -> None:
        """Whatever this gate acknowledged after the copy was made is no longer expected on its card."""
        kept = self.copied_rows
        self.gone.update({told: raw for told, raw in self.told.items() if told not in kept})
        self.told = {told: raw for told, raw in self.told.items() if told in kept}

    def copy_card(self) -> None:
        self.copy, self.copied_rows, self.copied_ms = self.disk.image(), frozenset(self.on_disk), self._true_ms()

    def wrote_since(self, rows: int) -> bool:
        """Whether the disk has more of what was decided than so many rows; this start's own opening does not count."""
        return any(one.entry.incarnation != self.incarnation for one in self.rows[rows:])

    def agent_dies(self, *, forgets: bool) -> None:
        """kill -9 of the agent alone; `forgets`: agent.db is lost with it."""
        self._close_agent()
        if forgets:
            for path in self.disk.folder.glob(AGENT_FILE + "*"):
                path.unlink()
        self._open_agent()

    def close(self) -> None:
        if self.controller is not None:
            self._close_files()

    def _open_agent(self) -> None:
        folder = self.disk.folder
        self.tail, self.state = JournalTail(self.disk.journal), AgentState(folder / AGENT_FILE)
        self.peers = Peers(folder / PEERS_FILE)
        self.up_sync = UpSync(
            journal=self.tail, state=self.state, transport=self.line, key=self._key, school=SCHOOL,
            monotonic_s=lambda: self._true_ms() / 1000, batch_entries=BATCH_ENTRIES,
        )  # fmt: skip

    def _close_agent(self) -> None:
        for part in (self.tail, self.state, self.peers):
            part.close()

    def _close_files(self) -> None:
        assert self.controller is not None
        self._close_agent()
        self._reader.close()
        self.controller.journal.close()
        self.controller = None

    # --- people ----------------------------------------------------------------------------------------

    def press(self, *commands: Any) -> list[Decision]:
        """One turn of the loop. Empty for a gate that is off. Raises PowerCut when the power went meanwhile."""
        gate = self.controller
        if gate is None:
            return []
        answers: list[Answer] = []
        for command in commands:
            gate.submit(command, lambda answer: self._hear(answer, answers))
        gate.turn(gate.inbox.take_all(0))
        self._read_disk()
        return [answer.decision for answer in answers]

    def _hear(self, answer: Answer, answers: list[Answer]) -> None:
        """At this very moment the asker is told; what it is told of must be on the disk now."""
        answers.append(answer)
        if answer.entry is None:
            return
        self._read_disk()
        node, incarnation, first = answer.entry
        for ahead in range(len(answer.decision.facts)):
            told = EntryId(node, incarnation, first + ahead)
            if told in self.on_disk:
                self.told[told] = self._raw[told]
            else:
                self.untold.append(told)

    def _read_disk(self) -> None:
        """What another process finds in the journal that it did not find before."""
        if self._mark == (0, 0):
            self._raw: dict[EntryId, bytes] = {}
        found = self._reader.execute(
            "SELECT boot, seq, raw, hash FROM entries WHERE (boot, seq) > (?, ?) ORDER BY boot, seq", self._mark
        ).fetchall()
        for boot, seq, raw, digest in found:
            entry = decode(raw)
            self.rows.append(Sealed(entry, raw, digest))
            self.on_disk.add(entry.id)
            self._raw[entry.id] = raw
            self._mark = (boot, seq)

    # --- the agent ---------------------------------------------------------------------------------------

    def send(self, steps: int, befalls: tuple[str, ...] = ()) -> None:
        self.line.befalls = list(befalls)
        for _ in range(steps):
            try:
                if finished(self.up_sync.step()) is Step.IDLE:
                    return
            except SyncError as error:
                self._note(error)

    def fetch(self, steps: int, befalls: tuple[str, ...] = ()) -> None:
        self.line.befalls = list(befalls)
        for _ in range(steps):
            try:
                relay = finished(self.line.relay(have=self.peers.have(self.up_sync.lost)))
                added = self.peers.add(relay.segments)
                self._unfolded = self._unfolded or bool(added)
            except SyncError as error:
                self._note(error)
                continue
            if not (relay.more and added):
                return

    def look(self) -> None:
        """What the gate's own neighbour thread does once a second: peers' entries and the word on the link go to the loop."""
        gate = self.controller
        if gate is None:
            return
        sealed: Sequence[Sealed] = ()
        if self._unfolded:
            self._peers_row, sealed = peers_after(self.disk.folder, self._peers_row)
        waiting = sum(stream.last_seq - stream.durable_through for stream in self.up_sync.stream_states())
        link = LinkChanged(waiting=waiting, last_contact_ms=gate.clock.now_ms(), peers={}, own=self.up_sync.own_known)
        self.press(*([PeerEntries(sealed=tuple(sealed))] if sealed else []), link)
        self.heard += sealed
        self._unfolded = False
        self.old_copy = self.old_copy and not gate.world.link.own_known

    def _note(self, error: SyncError) -> None:
        if not isinstance(error, ServerTrouble):
            self.trouble.append(error)

    # --- what it knows --------------------------------------------------------------------------------------

    def known(self) -> list[Entry]:
        """Every entry that its state is folded from, each once: what its own disk lost may have come back from the server."""
        return list({one.entry.id: one.entry for one in (*self.rows, *self.heard)}.values())
