"""`make fuzz`: made-up frames by the million for every parser, then a coverage-guided run of each. Prints the two tables.

    python -m tests.fuzz [--frames 1000000] [--seconds 60] [--seed 20261128] [--jobs 2] [NAME ...]

Exits 1 when a parser broke a promise; the bytes that did it are printed, to become a test. `--seconds 0` leaves atheris out.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

from tests.fuzz import generated, guided


def _generated(name: str, *, frames: int, seed: int) -> tuple[str, bool]:
    try:
        return generated.generated(name, frames=frames, seed=seed).line, True
    except AssertionError as error:
        return f"{name}: {error}", False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*", metavar="NAME")
    asked = parser.parse_args()
    names = asked.names or list(generated.NAMES)
    well = True
    if asked.frames:
        print(f"{asked.frames:,} generated frames each, seed {asked.seed}\n{generated.HEADINGS}", flush=True)
        with ProcessPoolExecutor(asked.jobs) as pool:
            for line, fine in pool.map(partial(_generated, frames=asked.frames, seed=asked.seed), names):
                print(line, flush=True)
                well &= fine
    if asked.seconds:
        print(f"\ncoverage-guided, {asked.seconds} s each, seed {asked.seed}\n{guided.HEADINGS}", flush=True)
        with ThreadPoolExecutor(asked.jobs) as threads:  # each run is a process of its own already
            for run in threads.map(partial(guided.guided, seconds=asked.seconds, seed=asked.seed), names):
                print(run.line, flush=True)
                well &= not run.failure
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
