"""A gate's loop in a process of its own, for power cuts: real settings, directory, journal and controller, no pages.

`python -m tests.support.cut_writer DISK/state DIRECTORY FIRST_CHILD SEED` taps children in bursts and prints a line for each
answer at the moment when the controller gives it: `ack CHILD NODE INCARNATION SEQ KIND-OF-TAP`, or `paper` when the
gate could not save. `ready` comes first. It never ends by itself before its taps do.
"""

from __future__ import annotations

import random
import sys
import threading
from pathlib import Path

from kiosk.clock import FixedClock
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
TAPS = ("in", "out")


def main(state: Path, directory: Path, first_child: int, seed: int) -> None:
    clock = FixedClock(fault_school.MONDAY_MS + first_child * 60_000)
    gate = open_gate(
        settings=load_settings(shared_data_dir("sample_school")), directory=load(directory), state=state, clock=clock
    )
    gate.start()
    print("ready", flush=True)
    chance, papers = random.Random(seed), 0
    child, last = first_child, first_child + LIMIT
    while child < last and papers < AFTER_THE_CUT:
        burst = [(n, tap) for n in range(child, min(last, child + chance.randint(1, BURST))) for tap in TAPS]
        child = burst[-1][0] + 1
        answered = threading.Semaphore(0)
        failed: list[int] = []
        for number, tap in burst:
            clock.advance(7)

            def told(answer: Answer, number: int = number, tap: str = tap) -> None:
                if answer.decision.reason is Reason.CANNOT_SAVE:
                    failed.append(number)
                    print("paper", flush=True)
                elif answer.entry is not None:
                    print("ack", number, *answer.entry, tap, flush=True)
                answered.release()

            gate.submit(Read(access_point=f"east-{tap}-1", scheme="uid", value=fault_school.uid_of(number)), told)
        for _ in burst:
            assert answered.acquire(timeout=30), "the loop stopped answering"
        papers += bool(failed)
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
