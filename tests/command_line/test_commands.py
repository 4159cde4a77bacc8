"""What machines may rely on: exit codes and the shapes of `--json`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drivers.simulated.camera_portrait import portrait
from kiosk.core.entries import encode
from kiosk.directory import load, publish
from kiosk.directory_schema import Content
from kiosk.photos import with_photos
from kiosk.settings import shared_data_dir
from kiosk.snapshots import SnapshotStore
from tests.support.people import CLASSES, MADE_AT_MS, PUPILS, SESSIONS, STAFF
from tests.support.school import CONFIG, School

SAMPLE = shared_data_dir("sample_school")


def kiosk(*arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "kiosk", *map(str, arguments)], capture_output=True, text=True, timeout=100)
    return done.returncode, done.stdout, done.stderr


def answer(*arguments: str | Path) -> tuple[int, Any]:
    code, out, _ = kiosk(*arguments, "--json")
    return code, json.loads(out)


def day_of_one_child(state: Path) -> School:
    school = School(state)
    school.tap("王小明", "east-in")
    school.tap("李雷", "south-in")
    school.at("15:35").release(["王小明"], "王妈妈")
    school.close()
    return school


def test_verify_is_fine_on_a_whole_journal_and_names_the_entry_of_a_flipped_byte(tmp_path: Path) -> None:
    school = day_of_one_child(tmp_path)
    code, found = answer("verify", "--state", tmp_path)
    assert code == 0 and found == {"ok": True, "entries": found["entries"], "incarnations": 1, "first_bad": None}
    school.restart()
    entry = school.entries("arrived")[1]
    school.close()
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    data[data.index(encode(entry)) + 40] ^= 1
    path.write_bytes(bytes(data))
    code, found = answer("verify", "--state", tmp_path)
    assert code == 1 and found["first_bad"]["seq"] == entry.seq
    code, out, _ = kiosk("verify", "--state", tmp_path)
    assert code == 1 and f"seq {entry.seq}" in out


def test_verify_of_a_folder_without_a_journal_is_one_sentence(tmp_path: Path) -> None:
    code, out, err = kiosk("verify", "--state", tmp_path)
    assert code == 1 and out == "" and len(err.strip().splitlines()) == 1 and "--state" in err


def test_replay_says_where_every_child_was_and_who_answered(tmp_path: Path) -> None:
    day_of_one_child(tmp_path)
    content = Content(classes=CLASSES, pupils=PUPILS, staff=STAFF, sessions=SESSIONS, next_number=1000)
    publish(tmp_path / "directory.db", content, 1, MADE_AT_MS)
    code, found = answer("replay", "--config", CONFIG, "--state", tmp_path, "--at", "2026-11-23T12:00")
    assert code == 0 and found["open_cases"] == []
    rows = [(c["child"], c["custodian"], c["collection"]) for c in found["children"]]
    assert rows == [(1, 101, "NOT_DUE"), (3, 105, "NOT_DUE")]
    _, later = answer("replay", "--config", CONFIG, "--state", tmp_path, "--at", "2026-11-23T15:40")
    assert later["children"][0] == {"child": 1, "place": "", "custodian": None, "collection": "COLLECTED"}


def test_replay_at_no_time_says_how_to_write_one(tmp_path: Path) -> None:
    code, _, err = kiosk("replay", "--config", CONFIG, "--state", tmp_path, "--at", "noon")
    assert code == 2 and "2026-11-23T17:42" in err


@pytest.mark.parametrize("city", ["changzhi", "xiji", "tianjin", "luoyang", "yueyang"])
def test_the_five_variants_of_the_sample_plan_keep_their_own_citys_rules(city: str) -> None:
    code, found = answer("check", SAMPLE / "variants" / city)
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    assert not [f for f in found["findings"] if f["level"] == "block"]


def test_check_of_a_broken_folder_names_file_place_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "school.toml").write_text("[school]\nname = 3\n")
    code, found = answer("check", tmp_path)
    assert code == 2 and found["ok"] is False
    assert {"file", "where", "message"} <= set(found["problems"][0])


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, Any]:
    """A state folder into which the sample school was imported once, and what the command answered."""
    state = tmp_path_factory.mktemp("imported") / "state"
    return state, *answer("import", SAMPLE / "people", "--config", SAMPLE, "--state", state)


def test_import_shows_a_diff_and_changes_nothing_on_a_dry_run(tmp_path: Path, imported: tuple[Path, int, Any]) -> None:
    code, found = answer("import", SAMPLE / "people", "--config", SAMPLE, "--state", tmp_path, "--dry-run")
    assert code == 0 and found["ok"] and not (tmp_path / "directory.db").exists()
    state, code, found = imported
    assert code == 0 and found["published"]["number"] == 1 and (state / "directory.db").exists()


def test_import_of_rubbish_is_refused_with_the_place(tmp_path: Path) -> None:
    sheet = tmp_path / "学生.csv"
    sheet.write_text("学号,姓名,班级,座号\n1,王小明,九年级九班九,x\n", encoding="gb18030")
    code, found = answer("import", sheet, "--config", SAMPLE, "--state", tmp_path / "state")
    assert code == 1 and found["problems"] and found["problems"][0]["row"] == 2
    assert not (tmp_path / "state" / "directory.db").exists()


def test_doctor_lists_each_device_with_its_health(tmp_path: Path) -> None:
    site = tmp_path / "config"
    site.mkdir()
    (site / "school.toml").write_text(f'base = "{CONFIG}"\n')
    (site / "site.toml").write_text(
        '[node]\nid = "east"\n[[device]]\nname = "gone"\nurl = "rdm6300:/dev/serial/by-id/nothing"\naccess_point = "east-in"\n'
    )
    code, found = answer("doctor", "--config", site, "--state", tmp_path / "state")
    assert code == 1 and found["ok"] is False
    assert [(d["name"], d["health"]) for d in found["devices"]] == [("gone", "down")]


def test_the_diagram_and_the_policy_sheet_are_printed() -> None:
    assert kiosk("diagram")[1].startswith("stateDiagram-v2")
    code, out, _ = kiosk("policy", "show", "yueyang")
    assert code == 0 and "结束时间原则上不晚于18:00" in out
    assert kiosk("policy", "show", "atlantis")[0] == 2


def test_wrong_usage_ends_with_two() -> None:
    assert kiosk("no-such-command")[0] == 2
    assert kiosk("bench", "no-such-measurement")[0] == 2


def test_a_key_for_a_network_reader_is_kept_as_a_digest_only(tmp_path: Path) -> None:
    _, out, _ = kiosk("key", "--state", tmp_path, "east-in")
    kept = (tmp_path / "keys" / "device_keys.json").read_text()
    assert out.strip() not in kept and json.loads(kept).popitem()[1] == ["east-in"]


def test_photos_are_put_on_file_by_the_numbers_that_people_know(tmp_path: Path, imported: tuple[Path, int, Any]) -> None:
    shutil.copytree(imported[0], tmp_path / "state")
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("20260101.jpg", "J00002.jpg", "nobody.jpg"):
        (photos / name).write_bytes(portrait(1))
    code, out, err = kiosk("photos", photos, "--state", tmp_path / "state")
    assert code == 1 and out.startswith("2 photos") and "nobody.jpg" in err
    directory = with_photos(load(tmp_path / "state" / "directory.db"), SnapshotStore(tmp_path / "state"))
    assert [p.school_number for p in directory.pupils.values() if p.has_photo] == ["20260101"]
