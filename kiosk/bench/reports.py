"""Every report of a school year from a journal of 1.3 million entries, and the daily one, beside the bare reading of that file.

The bare reading fetches every entry's bytes and looks at none. The reports are made in a process of their own, one after the
other from one reading of the records, each laid down and written as a spreadsheet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from kiosk.bench.result import Result, result
from kiosk.bench.year import DAYS, school_days, write_year
from kiosk.clock import steady_s
from kiosk.journal import FILE_NAME, connect

ENV_DAYS = "KIOSK_BENCH_REPORTS_DAYS"  # a smaller year, to try it


def reports(runs: int) -> list[Result]:
    days = int(os.environ.get(ENV_DAYS, DAYS))
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        entries = write_year(state, days)
        bare, told = list[float](), list[dict[str, Any]]()
        for n in range(runs):
            bare.append(_bare_reading(state))
            told.append(measured(state, Path(folder) / f"made-{n}", days))
    for one in told[-1]["reports"]:
        print(json.dumps(one, ensure_ascii=False), file=sys.stderr)
    computed = [sum(one.get("computed_s", 0.0) for one in run["reports"]) for run in told]
    written = [sum(one.get("written_s", 0.0) for one in run["reports"]) for run in told]
    whole = [a + b for a, b in zip(computed, written, strict=True)]
    return [
        result(f"every report of {entries:,} entries (limit: bare reading)", "s", computed, bare),
        result("the same, each written as .xlsx too", "s", whole, bare),
        result("slowest of them alone, computed", "s", [max(r.get("computed_s", 0.0) for r in t["reports"]) for t in told]),
        result("attendance of one day, computed", "s", [run["daily"] for run in told], bare),
        result("peak memory of that process", "MiB", [run["peak_kib"] / 1024 for run in told]),
    ]


def measured(state: Path, folder: Path, days: int) -> dict[str, Any]:
    """What the process says: `daily`, `reports`, `peak_kib`, `progress`."""
    day = school_days(days)[-1].isoformat()
    command = [sys.executable, "-m", "kiosk.bench.reports_child", str(state), str(folder), day]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {**lines[0], **lines[-1], "reports": lines[1:-1]}


def _bare_reading(state: Path) -> float:
    began_s = steady_s()
    connection = connect(state / FILE_NAME, read_only=True)
    try:
        for _ in connection.execute("SELECT raw FROM entries ORDER BY boot, seq"):
            pass
    finally:
        connection.close()
    return steady_s() - began_s
