"""Hypothesis plays gates, links, restarts and old backups against the real client, store and rules.

After every step: what the server and each peer hold of a stream is a gapless beginning of what the gate wrote,
byte for byte. At the end the weather clears, and everything is everywhere exactly once.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from sync_agent.errors import SyncError
from sync_agent.school_server.store import StoredEntry
from tests.support.postgres import Cluster
from tests.support.sync_world import SCHOOL, Gate, SyncWorld, in_memory

NODES = ("south", "north")
POSTGRES_EXAMPLES = 3
FAULTS = st.lists(st.sampled_from(["", "cut", "eat", "twice"]), max_size=4)
GATES = st.sampled_from(range(len(NODES)))

Rows = dict[tuple[str, int], tuple[bytes, bytes]]


class SyncUnderFaults(RuleBasedStateMachine):
    cluster: ClassVar[Cluster | None] = None  # None: SQLite

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sync-machine-", dir=in_memory()))
        self.world = SyncWorld(self.folder, self.cluster)
        self.gates: list[Gate] = [self.world.gate(node, batch_entries=3) for node in NODES]
        self.copies = 0

    @rule(gate=GATES, count=st.integers(1, 9))
    def write(self, gate: int, count: int) -> None:
        self.gates[gate].journal.write(count)

    @rule(gate=GATES)
    def reboot(self, gate: int) -> None:
        self.gates[gate].journal.boot()

    @rule(gate=GATES, steps=st.integers(1, 4), faults=FAULTS)
    def send(self, gate: int, steps: int, faults: list[str]) -> None:
        self.gates[gate].link.faults = list(faults)
        self._step(self.gates[gate].up.step, steps)

    @rule(gate=GATES, faults=FAULTS)
    def fetch(self, gate: int, faults: list[str]) -> None:
        self.gates[gate].link.faults = list(faults)
        self._step(self.gates[gate].pull, 2)

    @rule(gate=GATES, forget=st.booleans())
    def agent_dies(self, gate: int, forget: bool) -> None:
        self.gates[gate].restart_agent(forget=forget)

    @rule()
    def server_dies(self) -> None:
        self.world.server.restart()

    @rule()
    def server_is_copied(self) -> None:
        self.copies += 1
        self.world.server.keep_copy(self.folder / f"copy{self.copies}")

    @precondition(lambda self: self.copies > 0)
    @rule(pick=st.integers(0, 9))
    def server_is_put_back(self, pick: int) -> None:
        self.world.server.restore(self.folder / f"copy{1 + pick % self.copies}")

    @rule(seconds=st.sampled_from([1, 40]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.seconds += seconds

    @invariant()
    def the_server_holds_a_gapless_beginning_of_every_stream(self) -> None:
        for gate in self.gates:
            written = gate.journal.everything()
            assert_beginning(self.world.server.everything(gate.node), written)

    @invariant()
    def every_peer_holds_a_gapless_beginning_of_every_stream(self) -> None:
        for gate in self.gates:
            for other in self.gates:
                held = {(boot, seq): row for (node, boot, seq), row in gate.peers_rows().items() if node == other.node}
                assert_beginning(held, other.journal.everything() if other is not gate else {})

    @invariant()
    def positions_never_name_two_entries(self) -> None:
        found: list[StoredEntry] = self.world.server.store.entries_after(school=SCHOOL, position=0, most=100_000)
        assert len({(entry.node, entry.incarnation, entry.seq) for entry in found}) == len(found)

    def teardown(self) -> None:
        try:
            self._clear_weather()
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    def _clear_weather(self) -> None:
        self.world.clock.seconds += 60
        for gate in self.gates:
            gate.link.faults = []
            self.world.run(gate.drain())
        for gate in self.gates:
            self.world.run(gate.drain_down())
            assert self.world.server.everything(gate.node) == gate.journal.everything()
            assert all(stream.last_seq == stream.durable_through for stream in gate.up.stream_states())
        for gate, other in (self.gates, self.gates[::-1]):
            expected = {(other.node, boot, seq): row for (boot, seq), row in other.journal.everything().items()}
            assert gate.peers_rows() == expected
        totals = self.world.server.store.totals(school=SCHOOL)
        assert (totals.quarantined, totals.forks) == (0, 0)

    def _step(self, step: object, times: int) -> None:
        for _ in range(times):
            try:
                self.world.run(step())  # type: ignore[operator]
            except SyncError:
                continue  # the agent pauses here; nothing is lost by that


def assert_beginning(held: Rows, written: Rows) -> None:
    streams = {boot for boot, _ in held}
    for boot in streams:
        numbers = sorted(seq for name, seq in held if name == boot)
        assert numbers == list(range(1, len(numbers) + 1)), f"{boot} has a hole: {numbers}"
    assert held.items() <= written.items()


SyncUnderFaults.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSyncUnderFaults = SyncUnderFaults.TestCase


class SyncIntoPostgres(SyncUnderFaults):
    """The same, into PostgreSQL. Fewer: a copy of a database is made in a tenth of a second, one of a file in none."""


def test_sync_under_faults_into_postgresql(cluster: Cluster) -> None:
    SyncIntoPostgres.cluster = cluster
    few = settings(TestSyncUnderFaults.settings, max_examples=POSTGRES_EXAMPLES)
    run_state_machine_as_test(SyncIntoPostgres, settings=few)
