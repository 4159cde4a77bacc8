"""Pictures at rest: sealed, whole or not there, and gone when a person's data is deleted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulated.camera_portrait import portrait
from kiosk.snapshots import (
    HEADER,
    AlreadyFiled,
    Deletion,
    DiskTooFull,
    KeyUnusable,
    NotAPicture,
    PictureMissing,
    PictureNotSaved,
    PictureUnreadable,
    SnapshotStore,
    new_token,
    snapshot_id,
    used_share_of_disk,
)

JPEG = portrait(1)
OTHER_JPEG = portrait(2)
DAY_MS = 86_400_000
MONDAY_MS = 1_788_134_400_000 - 8 * 3_600_000  # 2026-08-31 00:00 in China
WANG, LI = 1001, 1002


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path, used_share=lambda path: 0.2)


def file_of(state_dir: Path, id_: str) -> Path:
    (path,) = state_dir.glob(f"snapshots/*/{id_}.bin")
    return path


def test_a_snapshot_is_read_back_as_it_was_filed(store: SnapshotStore, tmp_path: Path) -> None:
    ref = store.file(JPEG, taken_at_ms=MONDAY_MS)
    assert store.read(ref.id) == JPEG
    assert SnapshotStore(tmp_path).read(ref.id) == JPEG


def test_a_snapshot_lies_in_the_folder_of_its_school_day(store: SnapshotStore, tmp_path: Path) -> None:
    first = store.file(JPEG, taken_at_ms=MONDAY_MS)
    last = store.file(JPEG, taken_at_ms=MONDAY_MS + DAY_MS - 1)
    assert file_of(tmp_path, first.id).parent.name == file_of(tmp_path, last.id).parent.name == "2026-08-31"


def test_the_id_that_went_into_the_journal_is_the_id_under_which_the_picture_is_filed(store: SnapshotStore) -> None:
    token = new_token()
    id_ = snapshot_id(taken_at_ms=MONDAY_MS, token=token)
    assert store.file(JPEG, taken_at_ms=MONDAY_MS, token=token).id == id_
    with pytest.raises(AlreadyFiled):
        store.file(OTHER_JPEG, taken_at_ms=MONDAY_MS, token=token)
    assert store.read(id_) == JPEG


def test_nothing_on_disk_is_a_picture_or_names_a_person(store: SnapshotStore, tmp_path: Path) -> None:
    store.file(JPEG, taken_at_ms=MONDAY_MS, person=WANG)
    store.put_photo(WANG, JPEG)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert b"\xff\xd8\xff" not in content and JPEG[100:140] not in content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [path for path in (tmp_path / "snapshots").rglob("*") if str(WANG) in path.name]


def test_photos_on_file_are_kept_by_person_and_replaced(store: SnapshotStore) -> None:
    assert store.photo(WANG) is None
    store.put_photo(WANG, JPEG)
    store.put_photo(WANG, OTHER_JPEG)
    assert store.photo(WANG) == OTHER_JPEG and store.photo(LI) is None
    assert store.erase_photo(WANG) == Deletion("photo", str(WANG))
    assert store.erase_photo(WANG) is None


def test_an_erased_picture_is_gone_and_erasing_again_changes_nothing(store: SnapshotStore, tmp_path: Path) -> None:
    ref = store.file(JPEG, taken_at_ms=MONDAY_MS)
    assert store.erase(ref.id) == Deletion("snapshot", ref.id)
    assert store.erase(ref.id) is None
    with pytest.raises(PictureMissing, match="erased"):
        store.read(ref.id)
    assert not list(tmp_path.rglob("*.bin"))


def test_everything_of_one_person_goes_and_nothing_of_another(store: SnapshotStore) -> None:
    mine = [store.file(JPEG, taken_at_ms=MONDAY_MS + day * DAY_MS, person=WANG).id for day in range(3)]
    filed_without_a_person = store.file(JPEG, taken_at_ms=MONDAY_MS).id
    theirs = store.file(JPEG, taken_at_ms=MONDAY_MS, person=LI).id
    store.put_photo(WANG, JPEG)
    store.put_photo(LI, JPEG)
    receipts = store.erase_person(WANG, snapshot_ids=(filed_without_a_person,))
    assert {receipt.id for receipt in receipts} == {*mine, filed_without_a_person, str(WANG)}
    assert store.read(theirs) == JPEG and store.photo(LI) == JPEG
    assert store.erase_person(WANG) == ()


def test_pictures_are_pruned_to_the_millisecond_and_photos_on_file_stay(store: SnapshotStore, tmp_path: Path) -> None:
    before_ms = MONDAY_MS + DAY_MS + 1000
    old = [store.file(JPEG, taken_at_ms=at_ms).id for at_ms in (MONDAY_MS, before_ms - 1)]
    kept = [store.file(JPEG, taken_at_ms=at_ms).id for at_ms in (before_ms, before_ms + DAY_MS)]
    store.put_photo(WANG, JPEG)
    assert [receipt.id for receipt in store.prune(before_ms)] == old
    assert [store.read(id_) for id_ in kept] == [JPEG, JPEG]
    assert store.photo(WANG) == JPEG
    assert store.prune(before_ms) == ()
    assert not (tmp_path / "snapshots" / "2026-08-31").exists()


@pytest.mark.parametrize("position", [0, 4, 12, 20, HEADER.size, HEADER.size + 50, -1])
def test_one_changed_byte_anywhere_is_noticed(store: SnapshotStore, tmp_path: Path, position: int) -> None:
    ref = store.file(JPEG, taken_at_ms=MONDAY_MS)
    path = file_of(tmp_path, ref.id)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(PictureUnreadable):
        store.read(ref.id)


@pytest.mark.parametrize("length", [0, 3, HEADER.size, HEADER.size + 5])
def test_a_picture_that_was_cut_short_is_noticed(store: SnapshotStore, tmp_path: Path, length: int) -> None:
    ref = store.file(JPEG, taken_at_ms=MONDAY_MS)
    os.truncate(file_of(tmp_path, ref.id), length)
    with pytest.raises(PictureUnreadable):
        store.read(ref.id)
    assert store.prune(MONDAY_MS + 2 * DAY_MS) == (Deletion("snapshot", ref.id),)


def test_two_pictures_cannot_be_exchanged_for_one_another(store: SnapshotStore, tmp_path: Path) -> None:
    first, second = (store.file(jpeg, taken_at_ms=MONDAY_MS).id for jpeg in (JPEG, OTHER_JPEG))
    file_of(tmp_path, first).replace(tmp_path / "snapshots" / "2026-08-31" / f"{second}.bin")
    with pytest.raises(PictureUnreadable):
        store.read(second)
    store.put_photo(WANG, JPEG)
    (tmp_path / "photos" / f"{WANG}.bin").replace(tmp_path / "photos" / f"{LI}.bin")
    with pytest.raises(PictureUnreadable):
        store.photo(LI)


def test_another_key_opens_nothing(store: SnapshotStore, tmp_path: Path) -> None:
    ref = store.file(JPEG, taken_at_ms=MONDAY_MS)
    (tmp_path / "keys" / "snapshots.key").write_bytes(bytes(32))
    with pytest.raises(PictureUnreadable, match="another key"):
        SnapshotStore(tmp_path).read(ref.id)


def test_a_lost_key_is_not_replaced_behind_the_back_of_the_pictures(store: SnapshotStore, tmp_path: Path) -> None:
    store.file(JPEG, taken_at_ms=MONDAY_MS)
    (tmp_path / "keys" / "snapshots.key").unlink()
    with pytest.raises(KeyUnusable, match="restore it from a backup"):
        SnapshotStore(tmp_path)


def test_a_key_that_others_may_read_or_that_is_cut_short_is_refused(store: SnapshotStore, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "snapshots.key"
    key.chmod(0o644)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        SnapshotStore(tmp_path)
    key.chmod(0o600)
    key.write_bytes(b"short")
    with pytest.raises(KeyUnusable, match="holds 5"):
        SnapshotStore(tmp_path)


def test_pictures_stop_on_a_nearly_full_disk_and_what_is_there_can_still_be_read(tmp_path: Path) -> None:
    share = 0.899
    store = SnapshotStore(tmp_path, used_share=lambda path: share)
    ref = store.file(JPEG, taken_at_ms=MONDAY_MS)
    share = 0.90
    with pytest.raises(DiskTooFull, match="taps are still recorded"):
        store.file(JPEG, taken_at_ms=MONDAY_MS)
    with pytest.raises(DiskTooFull):
        store.put_photo(WANG, JPEG)
    assert store.read(ref.id) == JPEG and store.erase(ref.id) is not None


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8\xff" + bytes(3 * 1024 * 1024)])
def test_only_a_picture_of_reasonable_size_is_taken(store: SnapshotStore, content: bytes) -> None:
    with pytest.raises(NotAPicture):
        store.file(content, taken_at_ms=MONDAY_MS)


@given(st.one_of(st.text(), st.sampled_from(["../keys/snapshots.key", "20260901-/../../../etc/passwd", "20260901-" + "0" * 33])))
def test_no_id_leads_outside_the_folder_of_pictures(tmp_path_factory: pytest.TempPathFactory, id_: str) -> None:
    store = SnapshotStore(tmp_path_factory.getbasetemp() / "ids")
    with pytest.raises(PictureMissing):
        store.read(id_)


def test_half_a_picture_left_by_a_power_cut_is_cleared_away_at_the_next_start(store: SnapshotStore, tmp_path: Path) -> None:
    ref = store.file(JPEG, taken_at_ms=MONDAY_MS)
    half = file_of(tmp_path, ref.id).with_suffix(".bin.0badf00d.part")
    half.write_bytes(b"half")
    assert SnapshotStore(tmp_path).read(ref.id) == JPEG
    assert not half.exists()


def test_a_folder_that_cannot_be_written_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    with pytest.raises(PictureNotSaved, match="check the disk"):
        SnapshotStore(tmp_path / "state")


def test_the_used_share_is_that_of_a_real_disk(tmp_path: Path) -> None:
    assert 0 < used_share_of_disk(tmp_path) <= 1
