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
    "faults/test_kill.py",
    "demo/test_demo.py",
    "sync/test_sync_processes.py",
    "core/test_two_gates_machine.py",
    "faults/test_chaos.py",
    "faults/test_old_disks.py",
    "terms/test_five_terms.py",
    "command_line/test_commands.py",
    "hostile/test_neighbours.py",
    "hostile/test_files.py",
    "contract/test_cameras.py",
    "faults/test_outage.py",
    "contract/test_readers.py",
    "hostile/test_gate_http.py",
    "privacy/test_whole_school.py",
    "faults/test_kill_points.py",
    "browser/test_roster_screen.py",
    "browser/test_custody_fits.py",
    "browser/test_every_page.py",
    "browser/test_guard_custody.py",
    "browser/test_roster_custody.py",
    "browser/test_roster_custody_offline.py",
    "browser/test_display_screen.py",
    "browser/test_duty_custody.py",
    "browser/test_real_gate.py",
    "drivers/test_isapi_parts.py",
    "notices/test_telling.py",
    "faults/test_power_cut.py",
    "cards/test_enrolling.py",
    "hostile/test_batches.py",
    "faults/test_clock_steps.py",
    "face/test_face_process.py",
    "web/test_hostile_input.py",
    "year/test_city_dates.py",
    "sync/test_one_more_gate.py",
    "safety/test_screens.py",
    "safety/test_gate_process.py",
    "drivers/test_isapi_terminal.py",
    "faults/test_disk_errors.py",
    "safety/test_paper.py",
    "doctor/test_complete_bench.py",
    "face/test_real_gate.py",
    "backup/test_backup.py",
    "faults/test_ballast.py",
    "reports/test_libre_office.py",
    "faults/test_uncollected.py",
    "faults/test_postgres_kill.py",
    "core/test_custody_machine.py",
    "hostile/test_wires.py",
    "notices/test_robots.py",
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
