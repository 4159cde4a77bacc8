"""Copies of a gate's records: taken while it runs, proven, restored, tried out; and every way in which they can be wrong."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.backup import MANIFEST, RESTORING, BackupError, back_up, check, copies, last_backup, restore
from kiosk.ballast import Ballast
from kiosk.doctor import BACKUP_WARNING_HOURS, WARNING, examine_backup
from kiosk.drill import drill
from kiosk.journal import FILE_NAME, Journal, JournalDamaged, verify
from tests.support import fault_school
from tests.support.school import CONFIG, School

NIGHT_MS = 1_795_458_600_000  # 2026-11-24 02:30 in China
HOUR_MS = 3_600_000
CHILD, OTHER = "王小明", "王小红"


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    made = School(tmp_path / "state", at="07:40")
    fault_school.write(made.state)
    (made.state / "snapshots").mkdir()
    (made.state / "snapshots" / "a.jpg.enc").write_bytes(os.urandom(2_000))
    made.tap(CHILD, "east-in")
    yield made
    made.close()


def entries_in(folder: Path) -> int:
    found = verify(folder / FILE_NAME)
    assert found.ok, found.first_bad
    return found.entries


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.unlink()  # a second name of the same file elsewhere must not change
    path.write_bytes(data)


def test_a_copy_of_a_running_gate_is_whole_and_comes_back(school: School, tmp_path: Path) -> None:
    made = back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS)
    assert made.copy.name == "2026-11-23T183000Z" and made.entries == entries_in(made.copy)
    school.tap(OTHER, "east-in")
    school.close()
    shutil.rmtree(school.state)

    assert restore(made.copy, school.state).entries == made.entries
    again = School(school.state, at="07:50")
    assert again.child(CHILD).hold.live and not again.child(OTHER).hold.live
    assert (school.state / "snapshots" / "a.jpg.enc").read_bytes() == (made.copy / "snapshots" / "a.jpg.enc").read_bytes()
    again.close()


def test_a_restore_that_was_cut_off_goes_on_and_no_gate_starts_on_half_of_it(school: School, tmp_path: Path) -> None:
    made = back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS)
    half = tmp_path / "half"
    restore(made.copy, half)
    (half / RESTORING).mkdir()
    (half / FILE_NAME).rename(half / RESTORING / FILE_NAME)  # as the power left it: the journal comes last
    with pytest.raises(JournalDamaged, match="run `kiosk restore` again"):
        Journal(half, node="east", incarnation="i1")
    (half / "by-hand").write_text("somebody's")
    with pytest.raises(BackupError, match="is not empty"):
        restore(made.copy, half)
    (half / "by-hand").unlink()
    (half / "keys" / "pepper").unlink()  # not everything had come so far
    assert restore(made.copy, half).entries == made.entries == entries_in(half)
    assert (half / "keys" / "pepper").read_bytes() == (made.copy / "keys" / "pepper").read_bytes()
    assert not (half / RESTORING).exists()


def test_an_old_copy_that_is_half_removed_is_no_copy(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "copies"
    first = back_up(school.state, to, now_ms=NIGHT_MS).copy
    real = shutil.rmtree

    def dies(path: Path, *more: object, **named: object) -> None:
        (Path(path) / FILE_NAME).unlink(missing_ok=True)
        raise OSError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", dies)
        with pytest.raises(OSError, match="the power went"):
            back_up(school.state, to, now_ms=NIGHT_MS + HOUR_MS, keep=1)
    assert [check(path).entries for path in copies(to)] == [entries_in(school.state)]
    assert shutil.rmtree is real
    second = back_up(school.state, to, now_ms=NIGHT_MS + 2 * HOUR_MS, keep=1).copy
    assert sorted(to.iterdir()) == [second] and first != second


def test_taps_go_on_while_it_copies_and_each_copy_is_one_moment(school: School, tmp_path: Path) -> None:
    stop, taps = threading.Event(), 0

    def tap_on() -> None:
        nonlocal taps
        while not stop.is_set():
            school.tap(CHILD if taps % 2 else OTHER, "east-in")
            school.clock.advance(6_000)
            taps += 1

    thread = threading.Thread(target=tap_on)
    thread.start()
    try:
        found = [back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS + n * 1_000, keep=0).entries for n in range(5)]
    finally:
        stop.set()
        thread.join()
    assert taps and found == sorted(found) and len(copies(tmp_path / "copies")) == 5
    assert all(entries_in(copy) for copy in copies(tmp_path / "copies"))


def test_old_copies_make_room_and_pictures_are_stored_once(school: School, tmp_path: Path) -> None:
    for day in range(5):
        back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS + day * 24 * HOUR_MS, keep=3)
    kept = copies(tmp_path / "copies")
    assert [copy.name[:10] for copy in kept] == ["2026-11-25", "2026-11-26", "2026-11-27"]
    assert len({(copy / "snapshots" / "a.jpg.enc").stat().st_ino for copy in kept}) == 1
    assert all(check(copy) for copy in kept)


def test_the_list_of_files_leaves_out_what_is_no_state(school: School, tmp_path: Path) -> None:
    assert Ballast(school.state, mib=1).make()
    back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS)
    copy = back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS + 1_000).copy
    names = set(check(copy).files)
    assert {FILE_NAME, "directory.db", "snapshots/a.jpg.enc"} <= names
    assert not [name for name in names if name.endswith((".lock", "-wal", "-shm"))]
    assert not {"last_backup.json", "ballast"} & names
    assert oct(copy.stat().st_mode)[-3:] == "700" and oct((copy / FILE_NAME).stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("name", [FILE_NAME, "snapshots/a.jpg.enc", "directory.db"])
def test_a_flipped_bit_in_a_copy_is_named_before_anything_is_restored(school: School, tmp_path: Path, name: str) -> None:
    copy = back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS).copy
    flip(copy / name, 1_200)
    with pytest.raises(BackupError, match=name.rpartition("/")[2]):
        restore(copy, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_damaged_journal_makes_no_copy_and_the_older_ones_stay(school: School, tmp_path: Path) -> None:
    back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS)
    school.close()
    with sqlite3.connect(school.state / FILE_NAME) as db:
        db.execute("DROP TRIGGER entries_no_update")
        db.execute("UPDATE entries SET raw = ? WHERE seq = 2", (b"{}",))
    db.close()
    with pytest.raises(BackupError, match="damaged"):
        back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS + HOUR_MS, keep=1)
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["2026-11-23T183000Z"]


def test_a_copy_that_was_cut_off_is_swept_and_never_counts(school: School, tmp_path: Path) -> None:
    left = tmp_path / "copies" / "2026-11-22T183000Z.part"
    left.mkdir(parents=True)
    (left / MANIFEST).write_text("{}")
    assert copies(tmp_path / "copies") == []
    back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS)
    assert not left.exists()


def test_records_are_never_overwritten(school: School, tmp_path: Path) -> None:
    copy = back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS).copy
    with pytest.raises(BackupError, match="not empty"):
        restore(copy, school.state)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert restore(copy, empty).entries == entries_in(empty)


@pytest.mark.parametrize(
    ("place", "words"),
    [("nowhere", "no backup of a gate"), ("state", "no backup of a gate"), ("newer", "format 9")],
)
def test_what_is_no_copy_is_said_in_a_sentence(school: School, tmp_path: Path, place: str, words: str) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    listed = {"format": 9, "made_at_ms": 1, "version": "9.0", "entries": 0, "files": {}}
    (newer / MANIFEST).write_text(json.dumps(listed))
    with pytest.raises(BackupError, match=words):
        restore(tmp_path / place, tmp_path / "new")


def test_a_target_inside_the_state_folder_or_without_room_is_refused(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackupError, match="inside"):
        back_up(school.state, school.state / "copies", now_ms=NIGHT_MS)
    with pytest.raises(BackupError, match="no journal"):
        back_up(tmp_path / "empty", tmp_path / "copies", now_ms=NIGHT_MS)
    back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS)
    monkeypatch.setattr("kiosk.backup.SPARE_BYTES", 1 << 60)  # as on a disk that is nearly full
    with pytest.raises(BackupError, match="MiB free"):
        back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS + HOUR_MS)
    assert [copy.name for copy in copies(tmp_path / "copies")] == ["2026-11-23T183000Z"]


def test_a_list_that_reaches_outside_of_the_copy_is_refused(school: School, tmp_path: Path) -> None:
    copy = back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS).copy
    listed = json.loads((copy / MANIFEST).read_bytes())
    listed["files"]["../stolen"] = {"size": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    (copy / MANIFEST).write_text(json.dumps(listed))
    (copy.parent / "stolen").write_bytes(b"")
    with pytest.raises(BackupError, match="outside"):
        restore(copy, tmp_path / "new")
    assert not (tmp_path / "stolen").exists() and not (tmp_path / "new").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a moment")
def test_a_service_that_may_write_its_own_folder_only_can_restore_into_it(school: School, tmp_path: Path) -> None:
    copy = back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS).copy
    nobody, above = pwd.getpwnam("nobody"), Path(tempfile.mkdtemp(prefix="var-lib-"))
    try:
        shutil.copytree(copy, above / "copy")
        (above / "kiosk").mkdir()
        for path in (above / "kiosk", *(above / "copy").rglob("*"), above / "copy"):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        above.chmod(0o755)
        os.seteuid(nobody.pw_uid)
        try:
            assert restore(above / "copy", above / "kiosk").entries > 0
        finally:
            os.seteuid(0)
        assert entries_in(above / "kiosk") and not (above / "kiosk" / "restoring").exists()
    finally:
        shutil.rmtree(above)


def test_the_drill_opens_a_copy_and_leaves_nothing(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "drills"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "drills").mkdir()
    school.clock.set(NIGHT_MS - 24 * HOUR_MS)
    copy = back_up(school.state, tmp_path / "copies", now_ms=school.ms("07:45")).copy
    found = drill(copy, school.settings)
    assert (found.entries, found.on_campus) == (entries_in(copy), 1) and found.people > 10
    assert list((tmp_path / "drills").iterdir()) == []
    (copy / "directory.db").unlink()
    with pytest.raises(BackupError, match=r"directory\.db"):
        drill(copy, school.settings)


def test_the_commands(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--state", str(school.state), "--to", str(tmp_path / "copies"), "--json"]) == 0
    said = capsys.readouterr()
    copy = json.loads(said.out)["copy"]
    assert "same disk" in said.err
    assert main(["restore", copy, "--drill", "--config", str(CONFIG)]) == 0
    assert "comes up" in capsys.readouterr().out
    assert main(["restore", copy, "--state", str(tmp_path / "new")]) == 0
    assert main(["restore", copy, "--state", str(tmp_path / "new")]) == 1
    assert "not empty" in capsys.readouterr().err
    assert main(["restore", copy]) == 2


def test_the_doctor_says_how_old_the_newest_copy_is(school: School, tmp_path: Path) -> None:
    (row,) = examine_backup(school.state, NIGHT_MS)
    assert row.health == WARNING and "kiosk backup" in row.detail
    back_up(school.state, tmp_path / "copies", now_ms=NIGHT_MS)
    assert last_backup(school.state) is not None
    (row,) = examine_backup(school.state, NIGHT_MS + 3 * HOUR_MS)
    assert row.health == "ok" and "3 h old" in row.detail
    (row,) = examine_backup(school.state, NIGHT_MS + BACKUP_WARNING_HOURS * HOUR_MS)
    assert row.health == WARNING and "kiosk-backup.timer" in row.detail
    assert examine_backup(tmp_path / "nothing", NIGHT_MS) == ()
