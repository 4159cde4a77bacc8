"""Power cuts at random moments of a writing gate: nothing acknowledged is lost, nothing doubled, the chain is whole.

A real ext4 file system is shut down under the gate while it writes. CI cuts a few times; KIOSK_FAULTS=full three hundred times.

What counts as acknowledged is what came out of the gate before the cut. The ioctl stops a file system, not the computer: a
sync call that is under way at that moment comes back as if it had worked (a bare pwrite and fdatasync in a loop shows the
same), while in a real power cut nobody is there any more to be told.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core.entries import EntryId, Kind
from tests.support import fault_school
from tests.support.cuttable_disk import CuttableDisk, why_not
from tests.support.journal_facts import (
    check_custody,
    check_fold,
    check_numbers,
    check_reopened,
    check_verified,
    read_journal,
    staff_of,
)

FULL = os.environ.get("KIOSK_FAULTS") == "full"
CUTS = 300 if FULL else 6
CUTS_OF_A_DISK = 10  # then the next disk, so that three hundred cuts see thirty first starts, and no school runs out of children
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261123"))
KIND_OF_TAP = {"in": Kind.ARRIVED, "out": Kind.READ_REFUSED}
Ack = tuple[int, EntryId, str]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[CuttableDisk]:
    reason = why_not(tmp_path / "try")
    if reason:
        pytest.skip(reason)
    one = CuttableDisk(tmp_path / "real")
    yield one
    one.close()


@pytest.mark.timeout(1800 if FULL else 600)
@pytest.mark.parametrize("round_", range(-(-CUTS // CUTS_OF_A_DISK)))
def test_nothing_acknowledged_is_lost_by_a_power_cut(disk: CuttableDisk, tmp_path: Path, round_: int) -> None:
    chance = random.Random(SEED + round_)
    people, state = tmp_path / "people", disk.path / "state"
    fault_school.write(people)
    acks: list[Ack] = []
    papers, cuts, first = 0, min(CUTS, CUTS_OF_A_DISK), 1
    for _ in range(cuts):
        life = Life(state, people / "directory.db", first, chance, tmp_path / "gate.log")
        life.cut(disk, chance)
        disk.replace()
        acks += life.acks
        papers += life.papers
        first = life.following
    entries = check(state, people, acks)
    print(
        f"seed {SEED + round_}: {cuts} power cuts, {entries} entries, {len(acks)} acknowledged before a cut, 0 lost; "
        f"{papers} answers said paper after one"
    )


class Life:
    """One run of a gate's loop on the disk, until the power goes."""

    def __init__(self, state: Path, directory: Path, first: int, chance: random.Random, log: Path) -> None:
        command = [sys.executable, "-m", "tests.support.cut_writer", str(state), str(directory), str(first)]
        with log.open("ab") as said:
            self.process = subprocess.Popen([*command, str(chance.randrange(10**6))], stdout=subprocess.PIPE, stderr=said)
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self.first = first

    def cut(self, disk: CuttableDisk, chance: random.Random) -> None:
        """At a random moment: while it opens, or after some acknowledgements. Then it dies, or sees its disk fail."""
        lines = 0 if chance.random() < 0.15 else chance.randint(1, 80)
        try:
            if lines == 0:
                time.sleep(chance.uniform(0.2, 1.0))
            told = b"".join(self.out.readline() for _ in range(lines))
            time.sleep(chance.uniform(0, 0.01))
            told += self._waiting()
            disk.cut()
            dies = chance.random() < 0.5
            if dies:
                self.process.kill()
            late = self.out.read()
        finally:
            self.process.kill()
            self.process.wait()
            self.out.close()
        self.acks = understood(told)
        self.papers = late.count(b"paper\n")
        assert dies or self.papers or lines == 0 or b"done" in told + late, "a gate whose disk is gone must say so"
        # behind every child that may have been tapped
        self.following = max((child for child, _, _ in understood(told + late)), default=self.first) + 13

    def _waiting(self) -> bytes:
        """What the pipe holds now, without waiting."""
        os.set_blocking(self.out.fileno(), False)
        found = self.out.read() or b""
        os.set_blocking(self.out.fileno(), True)
        return found


def understood(told: bytes) -> list[Ack]:
    lines = (line.split() for line in told.decode().splitlines(keepends=True) if line.endswith("\n"))
    return [(int(w[1]), EntryId(w[2], w[3], int(w[4])), w[5]) for w in lines if w and w[0] == "ack"]


def check(state: Path, people: Path, acks: list[Ack]) -> int:
    written = read_journal(state)
    check_numbers(written)
    assert check_verified(state) == len(written)
    by_id = {one.entry.id: one.entry for one in written}
    for child, entry_id, tap in acks:
        entry = by_id.get(entry_id)
        assert entry is not None, f"acknowledged and lost: {entry_id} of child {child}"
        assert (entry.body.get("child"), entry.kind) == (child, KIND_OF_TAP[tap])
    taps = Counter((one.entry.body["child"], one.entry.kind) for one in written if "child" in one.entry.body)
    assert set(taps.values()) == {1}, "a tap was recorded twice"
    campus = check_fold(written, SEED)
    check_custody(written, campus, staff_of(people))
    check_reopened(state, people / "directory.db", campus)
    return len(written)
