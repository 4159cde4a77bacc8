"""A disk without a free block: the ballast keeps the tap in hand, then paper is said, then it heals. Nothing told is ever lost.

`kiosk serve` runs with its state on a file system of a few MiB that is really full; where none can be mounted, a library between
the process and its disk answers ENOSPC (disk_shim.c), which a ballast cannot help: that half runs everywhere.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kiosk.ballast import FILE_NAME, Ballast
from kiosk.core.disk import LAST
from kiosk.core.entries import EntryId
from tests.support import disk_shim, fault_school, small_disk
from tests.support.disk_shim import WRITES, FailingDisk
from tests.support.journal_facts import check_fold, check_numbers, check_verified, read_journal
from tests.support.running_gate import RunningGate, VirtualDay, tap, wait_until
from tests.support.small_disk import SmallDisk

POINT = "east-in-1"
START = "2026-11-23T07:45:00+08:00"
BALLAST_BYTES = 1 << 20  # as the fault school's site.toml says
DISK_MIB = 24
MOST_TAPS = 1_500  # by then a MiB is used up
BAR_LAST = "磁盘已满，正用最后的预留：照常刷卡，马上叫技术员"
CASE = "磁盘已满，正用最后的预留，马上叫技术员"
BAR_PAPER = "本机无法保存，请用纸质登记"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    reason = small_disk.why_not(tmp_path / "try")
    if reason:
        pytest.skip(reason)
    one = SmallDisk(tmp_path / "small", mib=DISK_MIB)
    yield one
    one.close()


@pytest.fixture
def gate(disk: SmallDisk, tmp_path: Path) -> Iterator[RunningGate]:
    one = RunningGate(tmp_path / "gate", day=VirtualDay(START), state=disk.path / "state").start().ready()
    yield one
    one.close()


def says(reader: httpx.Client) -> tuple[bool, str]:
    health = reader.get("/healthz").json()
    return health["can_save"], health["disk"]


def ballast_stands(gate: RunningGate) -> bool:
    path = gate.state / FILE_NAME
    return path.exists() and path.stat().st_size == BALLAST_BYTES


class Children:
    """Each taps once. `acked`: whoever was told that it is recorded."""

    def __init__(self, reader: httpx.Client) -> None:
        self.reader, self.next = reader, 1
        self.acked: list[EntryId] = []

    def tap(self) -> bool:
        told = tap(self.reader, self.next, POINT)
        self.next += 1
        if told["entry"] is None:
            assert (told["outcome"], told["reason"]) == ("refused", "cannot_save"), told
            return False
        self.acked.append(EntryId(**told["entry"]))
        return True


def check_all_there(gate: RunningGate, acked: list[EntryId]) -> None:
    written = read_journal(gate.state)
    check_numbers(written)
    check_verified(gate.state)
    check_fold(written, 1)
    assert set(acked) <= {one.entry.id for one in written}
    assert "Traceback" not in gate.said()


def test_the_ballast_keeps_taps_then_paper_then_room_again_and_a_full_disk_stops_no_start(
    disk: SmallDisk, gate: RunningGate
) -> None:
    with gate.reader() as reader, gate.signed_in("D001") as leader:
        children = Children(reader)
        wait_until(lambda: ballast_stands(gate), "the ballast is made")
        assert children.tap() and says(reader) == (True, "")

        disk.fill()
        while ballast_stands(gate):
            assert children.tap(), "the tap in hand is kept"
        wait_until(lambda: says(reader) == (True, LAST), "the bar says that the last reserve is in use")
        assert CASE in leader.get("/duty").text
        assert BAR_LAST in leader.get("/duty").text

        disk.fill()
        assert any(not children.tap() for _ in range(MOST_TAPS)), "even that is gone"
        assert says(reader) == (False, LAST) and BAR_PAPER in leader.get("/duty").text
        refused = reader.post("/sign-in", json={"staff_number": "D002", "pin": fault_school.PIN})
        assert refused.status_code == 503 and "free some space on this computer" in refused.text, refused.text

        disk.free()
        wait_until(children.tap, "recorded again")
        wait_until(lambda: says(reader) == (True, "") and ballast_stands(gate), "all is well, the ballast stands again")
        assert children.tap()
        assert CASE not in leader.get("/duty").text, "the case ended by itself"
        gate.kill()
    disk.fill()
    gate.start().ready()
    with gate.reader() as children.reader:
        assert children.tap(), "switched on with a full disk, it starts and records"
        wait_until(lambda: says(children.reader) == (True, LAST), "it is said")
    assert gate.stop() == 0, gate.said()[-1000:]
    disk.free()
    check_all_there(gate, children.acked)
    raised = [one.entry.body["alarm"] for one in read_journal(gate.state) if one.entry.kind == "disk_nearly_full"]
    assert raised.count(LAST) == 2, "one for each time"


def test_a_ballast_takes_no_room_that_is_not_there(disk: SmallDisk) -> None:
    ballast = Ballast(disk.path, mib=DISK_MIB // 2 + 1)
    assert not ballast.make() and ballast.missing
    assert list(disk.path.iterdir()) == []
    assert Ballast(disk.path, mib=4).make()
    used = disk.path.joinpath(FILE_NAME).stat().st_blocks * 512
    assert used >= 4 << 20, "its blocks are really taken"


def test_a_disk_that_stays_full_whatever_is_given_up_is_said_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = disk_shim.why_not()
    if reason:
        pytest.skip(reason)
    shim = FailingDisk(tmp_path / "shim", files="journal.db")
    gate = RunningGate(tmp_path / "gate", day=VirtualDay(START))
    with monkeypatch.context() as under:
        for name, value in shim.environment.items():
            under.setenv(name, value)
        gate.start()
    gate.ready()
    try:
        with gate.reader() as reader:
            children = Children(reader)
            wait_until(lambda: ballast_stands(gate), "the ballast is made")
            assert children.tap()
            shim.fail(WRITES, errno.ENOSPC)
            assert not children.tap() and not children.tap()
            assert says(reader)[0] is False and "was given up" in gate.said()
            shim.mend()
            wait_until(children.tap, "recorded again")
            wait_until(lambda: says(reader) == (True, "") and ballast_stands(gate), "the ballast stands again")
        assert gate.stop() == 0, gate.said()[-1000:]
    finally:
        gate.close()
        shim.close()
    check_all_there(gate, children.acked)
