"""Takes a person out of the copies that `kiosk backup` made: each copy that has somebody erased is made again without.

The new copy stands under its own name, whole and proven, before the old one goes, so there is never a moment with none. Files
that do not change get a second name and cost no room. A copy on a disk that is not there now is reached when it is: by the next
`kiosk backup`, or by hand with `kiosk erase --copies`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from kiosk.backup import (
    LAST_BACKUP,
    MANIFEST,
    BackupError,
    LastBackup,
    Manifest,
    check,
    copies,
    digest_of_file,
    last_backup,
    remove_copy,
)
from kiosk.core.people import Directory
from kiosk.directory import DirectoryError, PersonUnknown, erase_person, index, publish, read_content
from kiosk.durable_files import UNFINISHED, fsync_folder, write_whole
from kiosk.journal import FILE_NAME
from kiosk.privacy.leavers import FILE_NAME as LEAVERS
from kiosk.privacy.leavers import Leavers
from kiosk.privacy.notes_about import notes_about
from kiosk.privacy.words_of import everybody, files_with, only_theirs, pattern_of, words_of
from kiosk.snapshots import PictureError, SnapshotStore

_DIRECTORY: Final = "directory.db"
_AGAIN: Final = "-e"  # a copy that was made again: 2026-11-29T010203Z-e1


class Cleaned(NamedTuple):
    """How many copies were made again, and where something is left: a folder, and why."""

    made_again: int
    left: tuple[str, ...]


def clean_copies(folder: Path, persons: frozenset[int], *, state: Path | None = None) -> Cleaned:
    """state: whose note of the last copy follows when that copy gets a new name."""
    done, left = 0, list[str]()
    try:
        found = copies(folder)
    except OSError as error:
        return Cleaned(0, (f"{folder}: {error.strerror}",))
    for copy in found:
        try:
            concerned = _concerned(copy, persons)
            if concerned:
                made = _make_again(copy, concerned)
                done += 1
                _follow(state, copy, made)
        except (OSError, sqlite3.Error, BackupError, DirectoryError, PictureError) as error:
            left.append(f"{copy}: {error}")
    return Cleaned(done, tuple(left))


def _concerned(copy: Path, persons: frozenset[int]) -> frozenset[int]:
    """Those of whom the copy has anything: a row, a picture, a template, words. Notes are looked for in `_make_again`."""
    path = copy / _DIRECTORY
    known = {person.number for person in read_content(path)[0].persons} if path.exists() else set[int]()
    files = {int(p.stem) for name in ("photos", "faces") for p in (copy / name).glob("*.bin") if p.stem.isdecimal()}
    words = set(Leavers(copy).all()) if (copy / LEAVERS).exists() else set[int]()
    return persons & (known | files | words)


def _make_again(copy: Path, persons: frozenset[int]) -> Path:
    draft, name = copy.with_name(f"{copy.name}.erasing{UNFINISHED}"), _next_name(copy)
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was cut off
    try:
        _link_all(copy, draft)
        words = _erase_in(draft, persons)
        _list_anew(copy, draft)
        if still := files_with(draft, pattern_of(words)):
            raise BackupError(f"{'、'.join(still)} still has something of it; remove that copy by hand")
        check(draft)
        draft.rename(name)
        fsync_folder(copy.parent)
        remove_copy(copy)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return name


def _next_name(copy: Path) -> Path:
    stem, _, again = copy.name.partition(_AGAIN)
    return copy.with_name(f"{stem}{_AGAIN}{int(again or 0) + 1}")


def _link_all(copy: Path, draft: Path) -> None:
    """Second names for what never changes in place; databases are copied, because they will."""
    for path in sorted(copy.rglob("*")):
        target = draft / path.relative_to(copy)
        if path.is_dir():
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif path.name != MANIFEST:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.suffix == ".db":
                shutil.copy2(path, target)
            else:
                _second_name(path, target)


def _second_name(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # a disk that knows no second names
        shutil.copy2(path, target)


def _erase_in(draft: Path, persons: frozenset[int]) -> tuple[str, ...]:
    """The words of those who were erased, and of nobody who stays."""
    words, stay = list[str](), list[str]()
    leavers = Leavers(draft) if (draft / LEAVERS).exists() else None
    if leavers is not None:
        words += [word for person in persons for word in leavers[person]]
    if (draft / _DIRECTORY).exists():
        before, gone = _erase_rows(draft / _DIRECTORY, persons)
        words += [word for person in gone for word in words_of(before, person)]
        stay += everybody(before, but=gone)
        persons |= gone
    if leavers is not None:
        leavers.finish(persons)
    pictures = SnapshotStore(draft)
    for person in persons:
        pictures.erase_person(person)
        (draft / "faces" / f"{person}.bin").unlink(missing_ok=True)
    mine = only_theirs(words, stay)
    erase_notes(draft, notes_about(draft, persons, pattern_of(mine)))
    return mine


def _erase_rows(path: Path, persons: Iterable[int]) -> tuple[Directory, frozenset[int]]:
    content, info = read_content(path)
    before, gone = index(content, number=info.number, made_at_ms=info.made_at_ms), set[int](persons)
    for person in persons:
        try:
            content, with_it = erase_person(content, person)
        except PersonUnknown:
            continue
        gone |= with_it
    path.unlink()
    publish(path, content, info.number, info.made_at_ms)
    path.with_name(f".{path.name}.lock").unlink(missing_ok=True)
    return before, frozenset(gone)


def erase_notes(folder: Path, digests: Iterable[str]) -> None:
    """In a journal that no gate has open: the file is written anew afterwards, so that nothing is left between rows."""
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete=ON")
        db.executemany("DELETE FROM notes WHERE digest = ?", [(digest,) for digest in digests])
        db.execute("PRAGMA journal_mode=DELETE")
        db.execute("VACUUM")


def _list_anew(copy: Path, draft: Path) -> None:
    was = msgspec.json.decode((copy / MANIFEST).read_bytes(), type=Manifest)
    names = sorted(str(p.relative_to(draft)) for p in draft.rglob("*") if p.is_file())
    files = {name: was.files[name] if _same(copy / name, draft / name) else digest_of_file(draft / name) for name in names}
    write_whole(draft / MANIFEST, msgspec.json.encode(msgspec.structs.replace(was, files=files)))


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)


def _follow(state: Path | None, copy: Path, made: Path) -> None:
    said = last_backup(state) if state is not None else None
    if state is not None and said is not None and Path(said.copy) == copy:
        write_whole(state / LAST_BACKUP, msgspec.json.encode(LastBackup(at_ms=said.at_ms, copy=str(made))))
