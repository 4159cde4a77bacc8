"""Made-up frames by the million, from a seed: `generated(name, frames=…, seed=…)` gives what went through, or raises."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random

from tests.fuzz.checks import Count, check_anything, check_message, check_promise
from tests.fuzz.messages import MESSAGES
from tests.fuzz.wires import WIRES

NAMES = (*WIRES, *MESSAGES)


@dataclass(frozen=True)
class Run:
    name: str
    count: Count
    seconds: float

    @property
    def line(self) -> str:
        rate = self.count.frames / self.seconds
        return f"{self.name:20} {self.count.frames:>10,} {self.count.whole:>10,} {self.count.swallowed:>9,} {rate:>9,.0f}"


HEADINGS = f"{'parser':20} {'frames':>10} {'whole':>10} {'swallowed':>9} {'a second':>9}"


def generated(name: str, *, frames: int, seed: int) -> Run:
    """`frames` in all: as many beside harmless garbage as bent ones in noise. The seed is one for all parsers."""
    random, total, began_s = Random(f"{seed} {name}"), Count(), time.perf_counter()
    while total.frames < frames:
        for count in _round(name, random):
            total.frames += count.frames
            total.whole += count.whole
            total.swallowed += count.swallowed
    return Run(name, total, time.perf_counter() - began_s)


def _round(name: str, random: Random) -> list[Count]:
    if name in MESSAGES:
        return [check_message(MESSAGES[name], random)]
    return [check_promise(WIRES[name], random), check_anything(WIRES[name], random)]
