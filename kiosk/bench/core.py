"""The core alone: decisions a second, and whether a bigger school costs more."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kiosk.bench.result import Result, result
from kiosk.bench.school import gate_in_process, uid_of
from kiosk.clock import steady_s
from kiosk.core.commands import Read
from kiosk.core.handle import handle

SMALL, LARGE = 1_600, 16_000
TAPS = 1_500


def decisions(runs: int) -> list[Result]:
    """decide + fold + encode + hash, without a disk; a school of 1,600 in turn with one of 16,000."""
    small, large = [], []
    for _ in range(runs):
        small.append(_rate(SMALL))
        large.append(_rate(LARGE))
    return [
        result("decisions, 1,600 pupils", "1/s", small),
        result("decisions, 16,000 pupils (limit: 1,600)", "1/s", large, small),
    ]


def _rate(pupils: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        gate, clock = gate_in_process(Path(folder), pupils)
        world, now_ms = gate.world, clock.now_ms()
        reads = [Read(access_point="east-in-1", scheme="uid", value=uid_of(n)) for n in range(1, TAPS + 1)]
        began_s = steady_s()
        for read in reads:
            for fact in handle(read, world, now_ms, True).facts:
                world.campus.apply(world.stream.seal(fact, at_ms=now_ms, trusted=True).entry)
        took_s = steady_s() - began_s
        gate.journal.close()
        return TAPS / took_s
