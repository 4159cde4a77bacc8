"""`kiosk bench`: figures of this machine, each beside the physical limit measured in the same run.

Absolute times differ from hour to hour; the ratios hold. Nothing here is asserted in a test.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from kiosk.bench import camera, core, devices, gate, muster, offline, recovery, reports, sun, sync, web
from kiosk.bench.result import Result, UnknownMeasurement, table

__all__ = ["Result", "UnknownMeasurement", "run_bench"]

MEASUREMENTS: dict[str, Callable[[int], list[Result]]] = {
    "tap": gate.one_tap,
    "rush": gate.rush,
    "devices": devices.devices,
    "decisions": core.decisions,
    "restart": gate.restart,
    "http": web.http,
    "stream": web.stream,
    "open-loop": web.open_loop,
    "drain": web.drain,
    "idle": web.idle,
    "muster": muster.muster,
    "camera": camera.camera,
    "recovery": recovery.recovery,
    "reports": reports.reports,
    "sun": sun.sun,
    "sync": sync.sync,
    "offline": offline.offline,
}


def run_bench(name: str | None, *, runs: int, quiet: bool) -> list[Result]:
    """One measurement or all of them. Raises UnknownMeasurement."""
    if name is not None and name not in MEASUREMENTS:
        raise UnknownMeasurement(f"there is no measurement {name!r}; there are: {', '.join(MEASUREMENTS)}")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    results: list[Result] = []
    for each in [name] if name else list(MEASUREMENTS):
        if sys.stderr.isatty():
            print(f"\rmeasuring {each} …        ", end="", file=sys.stderr, flush=True)
        results += MEASUREMENTS[each](runs)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    if not quiet:
        print(table(results))
    return results
