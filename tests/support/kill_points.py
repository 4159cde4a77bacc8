"""kill -9 at a chosen step of the capture path, thousands of times: a warm parent forks a gate that dies there.

`python -m tests.support.kill_points FOLDER SEED KILLS`, run under disk_shim.so. The child opens a real gate on a real
journal, taps children, and writes each acknowledgement to a pipe. It dies at one line of kiosk's own Python or before, in the
middle of, or after one call by which SQLite writes or syncs the journal. Then the parent looks, and trusts only the file.
Prints one line of JSON. It never starts a thread before it forks.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import traceback
from collections import Counter
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest

import kiosk
import kiosk.controller
from kiosk.clock import FixedClock
from kiosk.core.campus import Campus
from kiosk.core.commands import Read
from kiosk.core.decisions import Answer
from kiosk.core.entries import EntryId, Kind
from kiosk.core.people import Directory
from kiosk.directory import load
from kiosk.journal import FILE_NAME, verify
from kiosk.opening import open_gate
from kiosk.settings import Settings, shared_data_dir
from kiosk.settings import load as load_settings
from tests.simulation import planted
from tests.support import fault_school
from tests.support.journal_facts import check_fold, check_numbers, read_journal

LIVES_OF_A_STATE = 25  # then a new journal: its first start is tried again, and checks stay quick
BURSTS = (1, 4, 1, 3)  # children of a life: a single tap pays its own commit, a group shares one
CHECKPOINT_BYTES = 60_000  # small, so that a life has checkpoints as well
PUPILS = LIVES_OF_A_STATE * sum(BURSTS) * 2
TAPS = {Kind.ARRIVED, Kind.READ_REFUSED}
OURS = str(Path(kiosk.__file__).parent)
PHASES = ("opening", "capture", "closing")
LINE, CALL = "line", "call"
WHENS = ("before", "half", "after")


class Point(NamedTuple):
    """The step at which a life ends: the n-th line or disk call of a phase. when: of a disk call, an index of WHENS."""

    sort: str
    phase: str
    at: int
    when: int = 0


class Gate(NamedTuple):
    settings: Settings
    directory: Directory
    state: Path


class Trap:
    """Counts steps of one phase and ends the process at the chosen one."""

    def __init__(self, point: Point | None, out: int) -> None:
        self.point, self.out, self.lines, self.left = point, out, 0, 0
        self.shim = ctypes.CDLL(None)
        self.shim.disk_shim_arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int]
        self.shim.disk_shim_calls.restype = ctypes.c_long
        self.counted: dict[str, tuple[int, int]] = {}

    def enter(self, phase: str) -> None:
        point = self.point
        mine = point is not None and point.phase == phase
        if point is None or (mine and point.sort == LINE):
            self.lines, self.left = 0, point.at if point else 0
            threading.settrace(self._trace)
            sys.settrace(self._trace)
        if point is None or (mine and point.sort == CALL):
            self.shim.disk_shim_arm(FILE_NAME.encode(), point.at if point else 0, point.when if point else 0)

    def leave(self, phase: str) -> None:
        """Only for the first life, which counts: how many steps a phase has."""
        if self.point is None:
            self.counted[phase] = (self.lines, self.shim.disk_shim_calls())

    def _trace(self, frame: FrameType, event: str, given: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(OURS) else None

    def _line(self, frame: FrameType, event: str, given: object) -> Any:
        if event == "line":
            self.lines += 1
            if self.lines == self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._line


def live(gate: Gate, campus: Campus, first: int, point: Point | None, out: int) -> None:
    """One life in the child process: opened, found to stand where the facts say (`campus`), children tap, stopped."""
    kiosk.controller.CHECKPOINT_BYTES = CHECKPOINT_BYTES
    trap, clock = Trap(point, out), FixedClock(fault_school.MONDAY_MS + first * 1_000)
    trap.enter("opening")
    loop = open_gate(settings=gate.settings, directory=gate.directory, state=gate.state, clock=clock)
    trap.leave("opening")
    assert loop.world.campus.fingerprint() == campus.fingerprint(), "it stands elsewhere than its facts say"
    trap.enter("capture")
    loop.start()
    child = first
    for size in BURSTS:
        answered = threading.Semaphore(0)
        for number in range(child, child + size):
            for way in ("in", "out"):
                clock.advance(7)
                read = Read(access_point=f"east-{way}-1", scheme="uid", value=fault_school.uid_of(number))
                loop.submit(read, partial(told, out, number, answered))
        for _ in range(size * 2):
            assert answered.acquire(timeout=60), "the loop stopped answering"
        child += size
    trap.leave("capture")
    trap.enter("closing")
    loop.stop()
    trap.leave("closing")
    say(out, "steps", json.dumps(trap.counted))


def told(out: int, number: int, answered: threading.Semaphore, answer: Answer) -> None:
    if answer.entry is not None:
        say(out, "ack", number, *answer.entry)
    answered.release()


def say(out: int, *words: object) -> None:
    os.write(out, (" ".join(map(str, words)) + "\n").encode())


class School:
    """One journal through many deaths, and what must be true of it after each."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.first = gate, 1
        self.acks: dict[EntryId, int] = {}
        self.campus, self.folded = Campus(), 0

    def life(self, point: Point | None) -> tuple[bool, list[str]]:
        """(whether it was killed, what it said), after everything that it left behind was found right."""
        inner, outer = os.pipe()
        process = os.fork()
        if process == 0:
            end = 1
            try:
                os.close(inner)
                live(self.gate, self.campus, self.first, point, outer)
                end = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(end)
        os.close(outer)
        with os.fdopen(inner, "rb") as pipe:
            said = [line.decode() for line in pipe.read().splitlines(keepends=True) if line.endswith(b"\n")]
        _, status = os.waitpid(process, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert killed or status == 0, f"{point}: the gate ended by itself with status {status}"
        self.first += sum(BURSTS)
        self._check(point, said)
        return killed, said

    def _check(self, point: Point | None, said: list[str]) -> None:
        words = [line.split(" ") for line in said]
        self.acks |= {EntryId(w[2], w[3], int(w[4])): int(w[1]) for w in words if w[0] == "ack"}
        path = self.gate.state / FILE_NAME
        if not _is_made(path):
            assert not self.acks, f"{point}: acknowledged, and there is no journal"
            return
        found = verify(path)
        assert found.ok, f"{point}: {found.first_bad}"
        written = read_journal(self.gate.state)
        by_id = {one.entry.id: one.entry for one in written}
        assert len(by_id) == len(written) == found.entries
        lost = [(str(one), child) for one, child in self.acks.items() if by_id.get(one) is None]
        assert not lost, f"{point}: acknowledged and lost: {lost}"
        assert all(by_id[one].body.get("child") == child for one, child in self.acks.items()), point
        taps = Counter((w.entry.body["child"], w.entry.kind) for w in written if "child" in w.entry.body)
        assert set(taps.values()) <= {1}, f"{point}: a tap was recorded twice"
        for one in written[self.folded :]:
            self.campus.apply(one.entry)
        self.folded = len(written)

    def close(self, seed: int) -> int:
        """At the end: any order, any doubling gives the same state. The number of entries."""
        written = read_journal(self.gate.state)
        check_numbers(written)
        assert check_fold(written, seed).fingerprint() == self.campus.fingerprint()
        return len(written)


def _is_made(path: Path) -> bool:
    """A gate that dies while it makes its very first journal leaves none, or a file without all of its tables."""
    if not path.exists():
        return False
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'reads'").fetchall())
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


def drawn(chance: random.Random, steps: dict[str, list[int]]) -> Point:
    """Half are lines, half disk calls; the capture path most of all."""
    phase = chance.choices(PHASES, (2, 7, 1))[0]
    lines, calls = steps[phase]
    if calls and chance.random() < 0.5:
        return Point(CALL, phase, chance.randint(1, calls), chance.randrange(len(WHENS)))
    return Point(LINE, phase, chance.randint(1, lines))


def main(folder: Path, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    fault_school.write(folder / "people", pupils=PUPILS)
    settings, directory = load_settings(shared_data_dir("sample_school")), load(folder / "people" / "directory.db")
    gc.collect()
    gc.freeze()
    first = School(Gate(settings, directory, folder / "counted"))
    first.life(None)
    _, said = first.life(None)  # the second start: the first also makes the file
    steps = json.loads(next(line for line in said if line.startswith("steps"))[6:])
    done, acked, entries, survived, schools = Counter[str](), 0, 0, 0, 0
    distinct: set[Point] = set()
    while sum(done.values()) < kills:
        school = School(Gate(settings, directory, folder / f"state{schools}"))
        schools += 1
        for _ in range(min(LIVES_OF_A_STATE, kills - sum(done.values()))):
            point = drawn(chance, steps)
            killed, _ = school.life(point)
            survived += not killed
            if killed:
                distinct.add(point)
                done[f"{point.sort} {point.phase}" + (f" {WHENS[point.when]}" if point.sort == CALL else "")] += 1
        if _is_made(school.gate.state / FILE_NAME):
            entries += school.close(seed)
        acked += len(school.acks)
    summary = {
        "seed": seed, "kills": sum(done.values()), "distinct": len(distinct), "survived": survived, "journals": schools,
        "entries": entries, "acknowledged": acked, "lost": 0, "doubled": 0, "by": dict(sorted(done.items())), "steps": steps,
    }  # fmt: skip
    print(json.dumps(summary))


if __name__ == "__main__":
    if sys.argv[4:] == ["answers-early"]:  # the check of the check
        planted.acknowledges_before_the_commit(pytest.MonkeyPatch())
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
