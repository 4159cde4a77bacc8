"""A whole day of the sample school: 1,350 stay, some are fetched late, one gets lost in between, and it ends at zero."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.settings import shared_data_dir
from kiosk.simulation import SimulationError, simulate


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory):
    state = tmp_path_factory.mktemp("day") / "state"
    return state, simulate(state)


def kiosk(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "kiosk", *arguments], capture_output=True, text=True, check=False)


def test_the_day_goes_as_it_should_and_closes_at_zero(played):
    _, day = played
    assert day.violations == ()
    assert (day.stayers, day.late, day.cleared) == (1350, ((10, 38), (30, 8), (60, 1)), True)


def test_one_command_reports_the_day_and_finds_every_chain_without_a_gap(played):
    state, _ = played
    config = str(shared_data_dir("sample_school"))
    report = kiosk("report", "day", "--config", config, "--state", str(state), "--day", "2026-11-23", "--json")
    assert report.returncode == 0, report.stderr
    found = json.loads(report.stdout)
    assert found["ok"] is True
    assert found["chain"] | {"changes_of_hands": 0} == {
        "children": 1588, "whole": 1588, "gaps": 0, "changes_of_hands": 0, "remarks": {}, "flaws": [],
    }  # fmt: skip
    assert found["residue"] == {"children": [], "open": [], "visitors": []}
    assert (found["stayers"], found["searches"], found["found"]) == (1350, 1, 1)


def test_its_journal_is_whole(played):
    state, _ = played
    assert kiosk("verify", "--state", str(state)).returncode == 0


@pytest.mark.skipif(os.environ.get("KIOSK_MACHINE") != "full", reason="plays the day a second time: part of `make machines`")
def test_the_same_seed_is_the_same_day(played, tmp_path: Path):
    from kiosk.journal import connect

    def facts(state: Path) -> list[tuple[str, int]]:
        rows = connect(state / "journal.db", read_only=True).execute("SELECT kind, length(raw) FROM entries ORDER BY boot, seq")
        return [(kind, length) for kind, length in rows][:1500]

    simulate(tmp_path / "again")
    assert facts(tmp_path / "again") == facts(played[0])


def test_a_folder_that_has_a_day_in_it_is_left_alone(played):
    with pytest.raises(SimulationError, match="not empty"):
        simulate(played[0])
