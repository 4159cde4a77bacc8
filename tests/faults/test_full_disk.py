"""A disk that is really full: everybody is told to write on paper, nothing is lost, and it goes on when there is room again."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.controller import CHECKPOINT_BYTES
from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.decisions import Answer
from kiosk.journal import verify
from tests.support.cuttable_disk import CuttableDisk, why_not
from tests.support.journal_facts import check_numbers, check_verified, read_journal
from tests.support.people import PUPILS, uid_of
from tests.support.running_gate import RunningGate, VirtualDay, tap
from tests.support.school import School

MOST_TAPS = 4_000  # by then any remaining block is used
PAPER = "请到门卫室登记"  # what the public screen says; the staff pages say why


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[CuttableDisk]:
    reason = why_not(tmp_path / "try")
    if reason:
        pytest.skip(reason)
    one = CuttableDisk(tmp_path / "real")
    yield one
    one.close()


def fill(path: Path) -> None:
    with path.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        except OSError as error:
            assert error.errno == errno.ENOSPC


def taps(school: School, count: int) -> Iterator[Answer]:
    """Children at one entrance, each far enough from the last time to be recorded again."""
    for n in range(count):
        school.clock.advance(10_000)
        yield school.tap_card(uid_of(PUPILS[n % len(PUPILS)].number), "east-in")


def test_a_full_disk_is_said_at_once_and_room_again_is_used_at_once(disk: CuttableDisk) -> None:
    school = School(disk.path / "state")
    recorded = [answer.entry for answer in taps(school, 30)]
    fill(disk.path / "pictures")
    for answer in taps(school, MOST_TAPS):
        if answer.decision.reason == "cannot_save":
            break
        recorded.append(answer.entry)
    assert answer.decision.reason == "cannot_save" and answer.entry is None
    assert answer.decision.access_point == "east-in", "the screen at that entrance says paper too"
    assert school.look(r.BarQuery()).can_save is False
    assert school.ask(c.Tick()).decision is not None, "the loop goes on"

    school.gate.journal.checkpoint()  # what an idle moment does once the log is CHECKPOINT_BYTES long
    assert (school.state / "journal.db-wal").stat().st_size < 8 * CHECKPOINT_BYTES
    (disk.path / "pictures").unlink()
    recorded += [answer.entry for answer in taps(school, 30)]
    assert school.look(r.BarQuery()).can_save is True
    durable = {entry.id for entry in school.entries()}
    assert {entry for entry in recorded if entry is not None} <= durable
    school.restart()
    school.close()
    assert verify(school.state / "journal.db").ok


def test_a_running_gate_on_a_full_disk_says_paper_on_every_screen_and_recovers(disk: CuttableDisk, tmp_path: Path) -> None:
    gate = RunningGate(tmp_path / "gate", day=VirtualDay("2026-11-23T07:45:00+08:00"), state=disk.path / "state").start().ready()
    try:
        with gate.reader() as reader, gate.reader() as screen:
            assert tap(reader, 1, "east-in-1")["entry"] is not None
            fill(disk.path / "pictures")
            told = next(found for child in range(2, 1_600) if (found := tap(reader, child, "east-in-1"))["entry"] is None)
            assert (told["outcome"], told["reason"]) == ("refused", "cannot_save")
            assert told["display"]["word"] == PAPER
            assert reader.get("/healthz").json()["can_save"] is False
            with screen.stream("GET", "/api/v1/stream", params={"topic": "answers"}) as shown:
                lines = shown.iter_lines()
                assert tap(reader, 1_610, "east-in-1")["reason"] == "cannot_save"
                assert any(PAPER in line for line in lines if line.startswith("data")), "the screen says so"
            (disk.path / "pictures").unlink()
            assert tap(reader, 1_611, "east-in-1")["entry"] is not None
            assert reader.get("/healthz").json()["ok"] is True
        assert gate.stop() == 0, gate.said()[-1000:]
    finally:
        gate.close()
    check_numbers(read_journal(gate.state))
    check_verified(gate.state)
    assert "Traceback" not in gate.said()
