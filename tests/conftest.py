"""What every test may ask for, and how chance is used: a test run draws the same examples every time, so that a red run
means a change; `make machines` (KIOSK_MACHINE=full) draws new ones, and what it finds becomes a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.school import School

pytest_plugins = ("tests.matrix",)

# The files that take longest, the longest first: several run at once, and a long one that began last would run alone.
LONGEST_FIRST = (
    "sync/test_sync_processes.py",
    "demo/test_demo.py",
    "faults/test_chaos.py",
    "faults/test_kill.py",
    "faults/test_outage.py",
    "core/test_two_gates_machine.py",
    "core/test_custody_machine.py",
    "contract/test_readers.py",
    "hostile/test_gate_http.py",
    "doctor/test_complete_bench.py",
    "browser/test_custody_fits.py",
    "safety/test_gate_process.py",
    "browser/test_roster_custody.py",
    "browser/test_roster_custody_offline.py",
    "face/test_real_gate.py",
    "faults/test_uncollected.py",
    "browser/test_real_gate.py",
    "browser/test_guard_custody.py",
    "browser/test_roster_screen.py",
    "browser/test_every_page.py",
    "browser/test_duty_custody.py",
    "faults/test_power_cut.py",
    "cards/test_enrolling.py",
    "contract/test_cameras.py",
    "safety/test_paper.py",
    "safety/test_screens.py",
    "hostile/test_neighbours.py",
    "hostile/test_files.py",
    "hostile/test_wires.py",
    "browser/test_guard_screen.py",
    "browser/test_display_screen.py",
    "notices/test_robots.py",
    "web/test_hostile_input.py",
    "importing/test_import_command.py",
    "contract/test_relays.py",
)

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("exploring", deadline=None)
settings.load_profile("exploring" if os.environ.get("KIOSK_MACHINE") == "full" else "steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here, rank = Path(__file__).parent, {name: n for n, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(here).as_posix(), len(rank)))


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    """Monday 23 November 2026, 07:40, the gate just opened."""
    one = School(tmp_path / "state")
    yield one
    one.close()
