"""kill -9 at every sort of step of the capture path: nothing acknowledged is lost, nothing doubled, the state is the facts'.

A warm process forks a gate that dies at one chosen step: at a line of the product's Python, or before, within or after one
write or sync of the journal. CI tries 200; KIOSK_FAULTS=full ten thousand. What is not tried here: a power cut, where what
was not synced is gone (test_power_cut.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import disk_shim

FULL = os.environ.get("KIOSK_FAULTS") == "full"
KILLS = 10_000 if FULL else 200
KILLS_OF_A_ROUND = 1_000
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261123"))


def killed(folder: Path, seed: int, kills: int, *planted: str) -> subprocess.CompletedProcess[str]:
    reason = disk_shim.why_not()
    if reason:
        pytest.skip(reason)
    return subprocess.run(
        [sys.executable, "-m", "tests.support.kill_points", str(folder), str(seed), str(kills), *planted],
        env={**os.environ, "LD_PRELOAD": str(disk_shim.build(folder))}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.timeout(1800 if FULL else 300)
@pytest.mark.parametrize("round_", range(-(-KILLS // KILLS_OF_A_ROUND)))
def test_nothing_acknowledged_is_lost_at_any_step(tmp_path: Path, round_: int) -> None:
    kills = min(KILLS, KILLS_OF_A_ROUND)
    done = killed(tmp_path, SEED + round_, kills)
    assert done.returncode == 0, f"seed {SEED + round_}\n{done.stderr[-3000:]}"
    found = json.loads(done.stdout.splitlines()[-1])
    print(done.stdout)
    assert found["kills"] == kills
    sorts = {where.split()[0] for where in found["by"]}
    assert sorts == {"line", "call"} and found["acknowledged"] > kills


def test_an_answer_before_the_commit_is_seen(tmp_path: Path) -> None:
    """The check of the check: a gate that tells first and writes then loses an acknowledged tap."""
    done = killed(tmp_path, SEED, 40, "answers-early")
    assert done.returncode != 0 and "acknowledged and lost" in done.stderr, done.stdout + done.stderr[-2000:]
