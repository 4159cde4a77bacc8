"""A copy of a gate's whole state folder, taken while the gate runs, and the way back.

Databases are copied through SQLite, each as it is at one moment; the agent's before the journal, so that no cursor in the copy is
ahead of its journal. A copy appears under its name when it is whole and was found sound, or not at all. It never deletes
anything in a state folder, and never restores over records that are there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from kiosk import __version__
from kiosk.ballast import FILE_NAME as BALLAST
from kiosk.durable_files import RESTORING, UNFINISHED, fsync_folder, make_folder, write_whole
from kiosk.journal import FILE_NAME, JournalError, verify

MANIFEST: Final = "backup.json"
LAST_BACKUP: Final = "last_backup.json"  # in the state folder: when and where to, for `kiosk doctor`
FORMAT: Final = 1
SPARE_BYTES: Final = 64 * 1024 * 1024  # what a target must have left beyond the copy itself
_LEFT_OUT: Final = (".lock", "-wal", "-shm", ".new", UNFINISHED, ".probe")
_NOT_STATE: Final = frozenset({"sync_status.json", LAST_BACKUP, BALLAST})
_LAST: Final = FILE_NAME
_READ_BYTES: Final = 1 << 20


class BackupError(Exception):
    """No copy was made, or nothing was restored; the sentence says why and what to do."""


class CopiedFile(msgspec.Struct, frozen=True, kw_only=True):
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """backup.json. files: path below the folder -> size and SHA-256. entries: of the journal in it, found whole."""

    format: int
    made_at_ms: int
    version: str
    entries: int
    files: dict[str, CopiedFile]


class LastBackup(msgspec.Struct, frozen=True, kw_only=True):
    at_ms: int
    copy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The copy, how many entries it holds, and which older copies made room for it."""

    copy: Path
    entries: int
    removed: tuple[Path, ...]


def back_up(state: Path, to: Path, *, now_ms: int, keep: int = 14) -> Made:
    """A new folder below `to`, named by the moment in UTC; afterwards the newest `keep` copies are left. Raises BackupError."""
    if not (state / FILE_NAME).exists():
        raise BackupError(f"there is no journal in {state}; name the state folder of a gate with --state")
    if to.resolve() == state.resolve() or state.resolve() in to.resolve().parents:
        raise BackupError(f"{to} is inside {state}; name a folder on another disk with --to")
    copy = to / datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H%M%SZ")
    if copy.exists():
        raise BackupError(f"{copy} is there already; try again in a second")
    draft = copy.with_name(copy.name + UNFINISHED)
    try:
        make_folder(to)
        for left_behind in to.glob(f"*{UNFINISHED}"):
            shutil.rmtree(left_behind)  # of a run that was cut off
        _want_room(state, to)
        draft.mkdir(mode=0o700)
        entries = _copy_all(state, draft, newest(to), now_ms)
        draft.rename(copy)
        fsync_folder(to)
        write_whole(state / LAST_BACKUP, msgspec.json.encode(LastBackup(at_ms=now_ms, copy=str(copy))))
        removed = copies(to)[:-keep] if keep else []
        for old in removed:
            remove_copy(old)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"no copy in {to} ({error}); look at that disk, the copies before it are untouched") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Made(copy=copy, entries=entries, removed=tuple(removed))


def restore(copy: Path, state: Path) -> Manifest:
    """Checks the copy and puts it in the place of an empty or missing state folder. Raises BackupError.

    The journal comes last. Without it no gate starts there, and the same command goes on with what was cut off.
    """
    manifest = check(copy)
    draft = state / RESTORING
    if state.exists() and not _is_begun(state, manifest):
        raise BackupError(f"{state} is not empty; move what is in it away first, nothing is ever restored over records")
    try:
        make_folder(state)
        if draft.exists():
            shutil.rmtree(draft)  # of a run that was cut off
        draft.mkdir(mode=0o700)
        for name in manifest.files:
            (draft / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy_file(copy / name, draft / name)
        fsync_folder(state)  # from here on it is seen that a restore was begun
        others = [name for name in manifest.files if name != _LAST]
        for name in others:
            (state / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (draft / name).rename(state / name)
        _fsync_folders(state, others)
        (draft / _LAST).rename(state / _LAST)
        fsync_folder(state)
        fsync_folder(state.parent)
        shutil.rmtree(draft)
    except OSError as error:
        raise BackupError(f"{state} could not be written ({error}); the copy is untouched, free some room, try again") from error
    return manifest


def _is_begun(state: Path, manifest: Manifest) -> bool:
    """Whether there is nothing, or what a restore of the same copy had put there when it was cut off."""
    there = {path.name for path in state.iterdir()}
    if there <= {RESTORING}:
        return True
    if RESTORING not in there or _LAST in there:
        return False
    put = [path for name in there - {RESTORING} for path in (state / name, *(state / name).rglob("*")) if not path.is_dir()]
    return all(manifest.files.get(str(path.relative_to(state))) == digest_of_file(path) for path in put)


def check(copy: Path) -> Manifest:
    """Every byte of a copy against its list, and its journal's chain. Raises BackupError."""
    try:
        manifest = msgspec.json.decode((copy / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupError(f"{copy} is no backup of a gate ({error}); name a folder that `kiosk backup` made") from error
    if manifest.format != FORMAT:
        raise BackupError(f"{copy} has format {manifest.format}, this version reads {FORMAT}; use version {manifest.version}")
    for name, listed in manifest.files.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise BackupError(f"{copy / MANIFEST} names {name!r}, which lies outside of it; `kiosk backup` did not write that")
        try:
            found = digest_of_file(copy / name)
        except OSError as error:
            raise BackupError(f"{copy / name} cannot be read ({error.strerror}); take an older copy") from error
        if found != listed:
            raise BackupError(f"{copy / name} is not what was copied; its disk is failing, take another copy")
    _whole(copy, manifest.entries)
    return manifest


def copies(folder: Path) -> list[Path]:
    """The whole copies in a folder, the oldest first."""
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST}") if not path.parent.name.endswith(UNFINISHED))


def newest(folder: Path) -> Path | None:
    found = copies(folder)
    return found[-1] if found else None


def last_backup(state: Path) -> LastBackup | None:
    """None where no copy was ever made of this folder, or its note cannot be read."""
    try:
        return msgspec.json.decode((state / LAST_BACKUP).read_bytes(), type=LastBackup)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _copy_all(state: Path, draft: Path, before: Path | None, now_ms: int) -> int:
    """Copies, lists, proves; the number of entries."""
    for name in _names(state):
        (draft / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if name.endswith(".db"):
            _copy_database(state / name, draft / name)
        elif not _same_as_before(state / name, draft / name, before and before / name):
            _copy_file(state / name, draft / name)
    files = {name: digest_of_file(draft / name) for name in _names(draft)}
    entries = _whole(draft, None)
    manifest = Manifest(format=FORMAT, made_at_ms=now_ms, version=__version__, entries=entries, files=files)
    write_whole(draft / MANIFEST, msgspec.json.encode(manifest))
    _fsync_folders(draft, list(files))
    return entries


def _fsync_folders(top: Path, names: list[str]) -> None:
    """Every folder that one of these names goes through."""
    for folder in {top / parent for name in names for parent in Path(name).parents}:
        fsync_folder(folder)


def remove_copy(copy: Path) -> None:
    """It stops being one before the first of its files goes: half a copy must never look like one."""
    gone = copy.with_name(copy.name + UNFINISHED)
    copy.rename(gone)
    fsync_folder(copy.parent)
    shutil.rmtree(gone)


def _names(folder: Path) -> list[str]:
    """Everything in a state folder that is state; the journal last."""
    found = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    kept = [name for name in found if not name.endswith(_LEFT_OUT) and name not in _NOT_STATE]
    return sorted(kept, key=lambda name: (name == _LAST, name))


def _copy_database(source: Path, to: Path) -> None:
    """As it is at one moment, whoever writes meanwhile. The copy is one file, without a log beside it."""
    reader = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    writer = sqlite3.connect(to)
    try:
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode=DELETE")
    finally:
        writer.close()
        reader.close()
    to.chmod(0o600)
    _fsync(to)


def _same_as_before(source: Path, to: Path, before: Path | None) -> bool:
    """Pictures never change: a second name for the one in the copy before costs no room."""
    try:
        now, then = source.stat(), before.stat() if before else None
        if before is None or then is None or (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns):
            return False
        os.link(before, to)
    except OSError:
        return False  # no such file before, or a disk that knows no second names
    return True


def _copy_file(source: Path, to: Path) -> None:
    shutil.copy2(source, to)
    _fsync(to)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of_file(path: Path) -> CopiedFile:
    digest, size = hashlib.sha256(), 0
    for block in _blocks(path):
        digest.update(block)
        size += len(block)
    return CopiedFile(size=size, sha256=digest.hexdigest())


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            yield block


def _whole(folder: Path, entries: int | None) -> int:
    try:
        found = verify(folder / FILE_NAME)
    except JournalError as error:
        raise BackupError(f"the journal in {folder} cannot be read: {error}") from error
    if not found.ok:
        raise BackupError(f"the journal in {folder} is damaged ({found.first_bad}); keep every older copy, look at the disk")
    if entries is not None and found.entries != entries:
        raise BackupError(f"the journal in {folder} has {found.entries} entries, its list says {entries}; take another copy")
    return found.entries


def _want_room(state: Path, to: Path) -> None:
    wanted = sum((state / name).stat().st_size for name in _names(state)) + SPARE_BYTES
    free = shutil.disk_usage(to).free
    if free < wanted:
        raise BackupError(f"{to} has {free >> 20} MiB free and the copy may take {wanted >> 20}; free some, or keep fewer copies")
