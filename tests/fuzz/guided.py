"""Coverage-guided: atheris (libFuzzer) bends bytes towards lines of a parser that nothing has reached yet.

Every parser has a process of its own, because libFuzzer ends it. It begins with valid frames, so that it need not guess check
bytes. Needs the extra `fuzz`; `python -m tests.fuzz.guided NAME SECONDS SEED` is one run, and `make fuzz` all of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

INSTRUMENTED = [
    "drivers", "kiosk.core.passes", "kiosk.core.entries", "kiosk.core.card_numbers", "kiosk.evidence.container",
    "kiosk.importing.csv_reader", "sync_agent.protocol", "sync_agent.school_server.receiving",
]  # fmt: skip
LONGEST_INPUT = 1024
SEEDS = 40
START_S = 120.0  # to import and instrument on a busy machine


@dataclass(frozen=True)
class Guided:
    name: str
    runs: int
    reached: int
    failure: str

    @property
    def line(self) -> str:
        return f"{self.name:20} {self.runs:>10,} {self.reached:>8,}  {self.failure or 'nothing found'}"


HEADINGS = f"{'parser':20} {'inputs':>10} {'edges':>8}"


def guided(name: str, *, seconds: int, seed: int) -> Guided:
    """One run in a process of its own. `reached`: edges of the program that libFuzzer counted."""
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + START_S, errors="replace")
    said = done.stdout + done.stderr
    runs = re.search(r"Done (\d+) in", said) or re.search(r"Done (\d+) runs", said)
    reached = re.findall(r"cov: (\d+)", said)
    failed = done.returncode != 0 or runs is None
    last = [line for line in said.splitlines() if "Error" in line or "assert" in line or "ERROR" in line]
    failure = (" | ".join(last[:3]) or said[-300:]) if failed else ""
    return Guided(name, int(runs[1]) if runs else 0, int(reached[-1]) if reached else 0, failure)


def main(name: str, seconds: int, seed: int) -> None:
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz import checks, messages, wires

    random = Random(seed)
    wire, message = wires.WIRES.get(name), messages.MESSAGES.get(name)

    def one_input(data: bytes) -> None:
        if wire is not None:
            checks.check_bytes(wire, data[1:], checks.cut(Random(data[0] if data else 0), data[1:], wire.every_byte))
        elif message is not None:
            checks.check_message_bytes(message, data, genuine=data in genuine)

    genuine: set[bytes] = set()
    with tempfile.TemporaryDirectory() as corpus:
        for number in range(SEEDS):
            sample = wire.frame(random, 0)[0] if wire is not None else messages.MESSAGES[name].valid(random)[0]
            genuine.add(sample)
            (Path(corpus) / str(number)).write_bytes((b"\x07" if wire is not None else b"") + sample)
        limits = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={corpus}/"]
        atheris.Setup([sys.argv[0], *limits, corpus], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
