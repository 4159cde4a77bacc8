"""A disk that answers EIO under `kiosk serve`: nothing is told that is not saved, everybody is told paper, mended it goes on.

A library between the process and its disk (disk_shim.c) lets the writes, the syncs or both of the journal's files fail for as
long as told. What is not tried here: a disk that says it worked and lost it.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kiosk.core.entries import EntryId
from kiosk.journal import verify
from tests.support import disk_shim
from tests.support.disk_shim import BOTH, SYNCS, WRITES, FailingDisk
from tests.support.journal_facts import check_fold, check_numbers, check_reopened, read_journal
from tests.support.running_gate import RunningGate, VirtualDay, tap

TAPS = 2  # of each spell
POINT = "east-in-1"
PAPER = "请到门卫室登记"  # what the public screen says
BAR = "本机无法保存，请用纸质登记"  # what every staff page says


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FailingDisk]:
    reason = disk_shim.why_not()
    if reason:
        pytest.skip(reason)
    one = FailingDisk(tmp_path / "shim", files="journal.db")
    yield one
    one.close()


class Children:
    """Each taps once; what each was told."""

    def __init__(self, reader: httpx.Client) -> None:
        self.reader, self.next = reader, 1
        self.acked: dict[EntryId, int] = {}
        self.paper: set[int] = set()

    def tap(self, *, saved: bool) -> None:
        for child in range(self.next, self.next + TAPS):
            told = tap(self.reader, child, POINT)
            if saved:
                assert told["entry"] is not None, told
                self.acked[EntryId(**told["entry"])] = child
            else:
                assert (told["entry"], told["outcome"], told["reason"]) == (None, "refused", "cannot_save")
                assert told["display"]["word"] == PAPER
                self.paper.add(child)
        self.next += TAPS


def test_a_disk_with_errors_is_said_at_once_and_nothing_is_told_that_is_not_saved(
    disk: FailingDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = RunningGate(tmp_path / "gate", day=VirtualDay("2026-11-23T07:45:00+08:00"))

    def start() -> None:
        with monkeypatch.context() as under:
            for name, value in disk.environment.items():
                under.setenv(name, value)
            gate.start()
        gate.ready()

    try:
        start()
        with gate.reader() as reader, gate.signed_in("G001") as guard:
            children = Children(reader)
            for which in (SYNCS, WRITES):
                children.tap(saved=True)
                disk.fail(which, errno.EIO)
                children.tap(saved=False)
                assert reader.get("/healthz").json()["can_save"] is False
                assert BAR in guard.get("/", follow_redirects=True).text
                disk.mend()
                children.tap(saved=True)
                assert reader.get("/healthz").json()["ok"] is True
            assert not recorded(gate).keys() & children.paper, "told paper, and recorded all the same"
            disk.fail(BOTH, errno.EIO)
            children.tap(saved=False)
        gate.kill()
        disk.mend()
        start()
        with gate.reader() as children.reader:
            children.tap(saved=True)
        assert gate.stop() == 0, gate.said()[-1000:]
    finally:
        gate.close()
    written = read_journal(gate.state)
    check_numbers(written)
    assert verify(gate.state / "journal.db").ok
    by_id = {one.entry.id: one.entry.body.get("child") for one in written}
    assert {one: by_id.get(one) for one in children.acked} == children.acked, "acknowledged and lost"
    taps = recorded(gate)
    assert taps == Counter(children.acked.values()) and set(taps.values()) == {1}
    check_reopened(gate.state, gate.state / "directory.db", check_fold(written, 1))
    assert "Traceback" not in gate.said()


def recorded(gate: RunningGate) -> Counter[int]:
    return Counter(one.entry.body["child"] for one in read_journal(gate.state) if "child" in one.entry.body)
