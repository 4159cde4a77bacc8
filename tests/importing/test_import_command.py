"""`kiosk import` as a function: a dry run shows, a clean run publishes, and a run with problems changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.directory import DirectoryForeign, DirectoryMissing, load, load_pins, snapshot_info
from kiosk.importing import ImportRefused, ImportResult, Source, import_command

Lists = dict[str, list[list[Any]]]
SAMPLE = Path(__file__).parents[2] / "config" / "sample_school" / "people"


@pytest.fixture
def run(tmp_path: Path, as_csv: Callable[[Lists], list[Source]]) -> Callable[..., ImportResult]:
    def make(lists: Lists, *, dry_run: bool = False, **options: Any) -> ImportResult:
        return import_command(
            as_csv(lists), tmp_path / "directory.db", dry_run=dry_run, made_at_ms=1, school_year_start=2026, **options
        )

    return make


def test_a_dry_run_shows_and_saves_nothing(run: Callable[..., ImportResult], lists: Lists, tmp_path: Path) -> None:
    lists["班级"][2][5] = "south"
    result = run(lists, dry_run=True)
    assert result.ok and result.exit_code == 0 and result.published is None
    assert "试导入：没有问题，尚未保存" in result.text() and "+ 20240201 王小明" in result.text()
    with pytest.raises(DirectoryMissing):
        snapshot_info(tmp_path / "directory.db")


def test_a_clean_run_publishes_and_the_next_one_adds_one(run: Callable[..., ImportResult], lists: Lists, tmp_path: Path) -> None:
    path = tmp_path / "directory.db"
    first = run(lists)
    assert first.published == snapshot_info(path) and first.published.number == 1
    unchanged = run(lists)
    assert unchanged.published is None and "没有变化" in unchanged.text()
    lists["学生"][1][4] = "9"
    second = run({"学生": lists["学生"]})
    assert second.published is not None and second.published.number == load(path).number == 2
    assert "座号 1 → 9" in second.text()


def test_a_run_with_problems_changes_nothing(run: Callable[..., ImportResult], lists: Lists, tmp_path: Path) -> None:
    run(lists)
    before = (tmp_path / "directory.db").read_bytes()
    lists["学生"][1][4] = "九"
    result = run(lists)
    assert result.exit_code == 1 and result.published is None
    assert "发现 1 个问题，没有导入任何内容" in result.text() and "学生.csv › 第2行 › 座号" in result.text()
    assert (tmp_path / "directory.db").read_bytes() == before


def test_the_json_document_says_everything(run: Callable[..., ImportResult], lists: Lists) -> None:
    run(lists)
    lists["学生"][1][4] = "7"
    del lists["报名"][3]
    said = json.loads(run(lists, dry_run=True).json())
    assert said["ok"] and said["dry_run"] and said["published"] is None
    assert said["diff"]["pupils"]["changed"] == [{"what": "20240201 王小明", "fields": {"座号": ["1", "7"]}}]
    assert said["diff"]["enrolments"]["removed"] == ["20240202 S1 2026-09-01"]
    lists["学生"][1][4] = "七"
    said = json.loads(run(lists).json())
    (problem,) = said["problems"]
    assert set(problem) == {"file", "sheet", "row", "column", "what", "what_en", "remedy", "remedy_en"}
    assert not said["ok"] and problem["row"] == 2


def test_pins_need_a_pepper_and_are_published_with_the_staff(
    run: Callable[..., ImportResult], lists: Lists, tmp_path: Path
) -> None:
    lists["教职工"] = [[*row, ("演示密码", "2580", "", "")[n]] for n, row in enumerate(lists["教职工"])]
    with pytest.raises(ImportRefused, match="pepper"):
        run(lists)
    pepper = tmp_path / "keys" / "pepper"
    assert run(lists, pepper_path=pepper).published is not None
    assert len(load_pins(tmp_path / "directory.db")) == 1
    assert run(lists, pepper_path=pepper).published is None


def test_a_directory_that_cannot_be_read_is_not_overwritten(
    run: Callable[..., ImportResult], lists: Lists, tmp_path: Path
) -> None:
    (tmp_path / "directory.db").write_bytes(b"something else")
    with pytest.raises(DirectoryForeign):
        run(lists)


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample school is not part of this installation")
def test_the_sample_school_is_imported_whole(tmp_path: Path) -> None:
    path = tmp_path / "directory.db"
    result = import_command(
        [SAMPLE],
        path,
        dry_run=False,
        made_at_ms=1,
        school_year_start=2026,
        gates={"east": "东门", "south": "南门"},
        pepper_path=tmp_path / "pepper",
    )
    assert result.ok, result.text()
    directory = load(path)
    assert len(directory.pupils) == 1620 and len(directory.classes) == 36
    assert len(load_pins(path)) == len(directory.staff)
    assert all(directory.collectors_of.get(child) for child in directory.pupils)
