"""Importing into a gate that already has a journal."""

from __future__ import annotations

from pathlib import Path

from kiosk.people_import import first_free_number
from tests.support.school import School


def test_after_a_lost_directory_no_number_comes_to_mean_somebody_else(tmp_path: Path) -> None:
    school = School(tmp_path)
    school.tap("王小明", "east-in")
    school.at("15:35").release(["王小明"], "王妈妈")
    school.close()
    assert first_free_number(tmp_path) == school.number("王妈妈") + 1


def test_a_new_gate_starts_at_one(tmp_path: Path) -> None:
    assert first_free_number(tmp_path) == 1
