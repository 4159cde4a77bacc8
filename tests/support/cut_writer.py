"""A gate's loop in a process of its own, for power cuts: real settings, directory, journal and controller, no pages.

`python -m tests.support.cut_writer DISK/state DIRECTORY FIRST_CHILD SEED` taps children in bursts and prints a line for each
answer at the moment when the controller gives it: `ack CHILD NODE INCARNATION SEQ KIND-OF-TAP`, or `paper` when the
gate could not save. `ready` comes first. It never ends by itself before its taps do.
"""

from __future__ import annotations

import random
import sys
import threading
from functools import partial
from pathlib import Path

from kiosk.clock import FixedClock
from kiosk.controller import Controller
from kiosk.core.commands import Read
from kiosk.core.decisions import Answer, Reason
from kiosk.directory import load
from kiosk.opening import open_gate
from kiosk.settings import load as load_settings
from kiosk.settings import shared_data_dir
from tests.support import fault_school

LIMIT = 400  # children of one life
AFTER_THE_CUT = 5  # taps that are answered with "write on paper" before the writer ends
BURST = 12
WAYS = ("in", "out")


def main(state: Path, directory: Path, first_child: int, seed: int) -> None:
    clock = FixedClock(fault_school.MONDAY_MS + first_child * 1_000)
    gate = open_gate(
        settings=load_settings(shared_data_dir("sample_school")), directory=load(directory), state=state, clock=clock
    )
    gate.start()
    print("ready", flush=True)
    chance, papers = random.Random(seed), 0
    child, last = first_child, first_child + LIMIT
    while child < last and papers < AFTER_THE_CUT:
        burst = [(n, way) for n in range(child, min(last, child + chance.randint(1, BURST))) for way in WAYS]
        child = burst[-1][0] + 1
        papers += tapped(gate, clock, burst)
    print("done", flush=True)


def tapped(gate: Controller, clock: FixedClock, burst: list[tuple[int, str]]) -> bool:
    """Puts all of them into the inbox and waits for every answer. True when one of them was "write on paper"."""
    answered, failed = threading.Semaphore(0), list[int]()

    def told(number: int, way: str, answer: Answer) -> None:
        if answer.decision.reason is Reason.CANNOT_SAVE:
            failed.append(number)
            print("paper", flush=True)
        elif answer.entry is not None:
            print("ack", number, *answer.entry, way, flush=True)
        answered.release()

    for number, way in burst:
        clock.advance(7)
        read = Read(access_point=f"east-{way}-1", scheme="uid", value=fault_school.uid_of(number))
        gate.submit(read, partial(told, number, way))
    for _ in burst:
        assert answered.acquire(timeout=30), "the loop stopped answering"
    return bool(failed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
