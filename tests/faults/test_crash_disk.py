"""The disk that crash images are made of: what was synced is always there, and everything else that can be met is met."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.support.crash_disk import (
    BARE,
    CUT,
    DRAWN,
    FOLDER_MADE,
    MADE,
    RENAMED,
    SECTOR,
    SYNCED,
    WHOLE,
    WRITTEN,
    Disk,
    File,
    Image,
    Step,
)

DRAWS = 400
OLD, NEW = b"o" * SECTOR * 4, b"n" * SECTOR * 4


def step(operation: int, name: str, data: bytes = b"", at: int = 0, other: str = "") -> Step:
    return Step(operation, name, other, data, at)


def left(*steps: Step) -> list[Image]:
    disk = Disk()
    for one in steps:
        disk.play(one)
    return [disk.after_a_cut(random.Random(number), DRAWN) for number in range(DRAWS)]


def contents(before: bytes, do: Callable[[File], None]) -> set[bytes]:
    file = File(before)
    do(file)
    return {file.after_a_cut(random.Random(number), DRAWN) for number in range(DRAWS)}


def test_sectors_that_were_not_synced_are_there_or_not_each_for_itself() -> None:
    found = contents(OLD, lambda file: file.write(0, NEW))
    sectors = {tuple(one[at : at + 1] for at in range(0, len(one), SECTOR)) for one in found}
    assert len(sectors) == 2**4 and all(set(one) <= set(b"on") for one in found)


def test_what_was_synced_is_there_whatever_came_after_it() -> None:
    def do(file: File) -> None:
        file.write(0, NEW)
        file.sync()
        file.write(SECTOR, b"later")

    assert all(one[:SECTOR] == NEW[:SECTOR] and len(one) == len(NEW) for one in contents(OLD, do))


def test_a_file_is_cut_whole_or_not_at_all_and_nothing_is_written_into_what_was_cut_off() -> None:
    def do(file: File) -> None:
        file.cut(0)
        file.write(0, b"n" * SECTOR)

    found = contents(OLD, do)
    assert {OLD, b"", b"n" * SECTOR} <= found
    assert all(one == OLD or b"o" not in one for one in found)


def test_a_file_that_grows_may_be_longer_without_its_bytes_with_anything_in_their_place() -> None:
    found = contents(b"", lambda file: file.write(0, NEW))
    assert {0, len(NEW)} <= {len(one) for one in found} and bytes(len(NEW)) in found
    assert any(set(one) - set(b"\0n") for one in found)


def test_a_name_is_sure_when_its_folder_was_synced_and_a_rename_is_one_change() -> None:
    new = (step(MADE, "a.part"), step(WRITTEN, "a.part", NEW), step(SYNCED, "a.part"), step(RENAMED, "a.part", other="a"))
    found = [set(image) for image in left(*new)]
    assert {"a"} in found and set() in found and {"a", "a.part"} not in found
    assert all(image == {"a": NEW} for image in left(*new, step(SYNCED, "")))


def test_a_folder_that_was_not_synced_where_it_stands_takes_what_is_in_it_along() -> None:
    steps = [step(FOLDER_MADE, "keys"), step(MADE, "keys/k"), step(WRITTEN, "keys/k", b"k"), step(SYNCED, "keys/k")]
    found = left(*steps, step(SYNCED, "keys"))
    assert {} in found and {"keys": None, "keys/k": b"k"} in found


def test_bare_is_what_is_sure_and_whole_is_what_the_process_saw() -> None:
    disk = Disk()
    for one in (step(MADE, "a"), step(SYNCED, ""), step(WRITTEN, "a", NEW), step(CUT, "a", at=SECTOR), step(MADE, "b")):
        disk.play(one)
    assert disk.after_a_cut(random.Random(1), BARE) == {"a": b""}
    assert disk.after_a_cut(random.Random(1), WHOLE) == {"a": NEW[:SECTOR], "b": b""}
