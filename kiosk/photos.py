"""Photos on file beside the directory: a snapshot of people does not know on which computers their photos lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from kiosk.core.people import Directory
from kiosk.directory import load
from kiosk.snapshots import SnapshotStore


def with_photos(directory: Directory, snapshots: SnapshotStore) -> Directory:
    """The same directory, saying of each pupil and collector whether this computer has a photo."""
    have = snapshots.people_with_photos()
    if not have:
        return directory
    pupils = {n: replace(p, has_photo=True) if n in have else p for n, p in directory.pupils.items()}
    collectors = {n: replace(c, has_photo=True) if n in have else c for n, c in directory.collectors.items()}
    return replace(directory, pupils=MappingProxyType(pupils), collectors=MappingProxyType(collectors))


def put_photos(folder: Path, state: Path) -> tuple[int, list[str]]:
    """Files every JPEG of a folder under the person whose number names it; how many, and the names that fit nobody.

    Raises DirectoryError, PictureError, FileNotFoundError.
    """
    directory, store = load(state / "directory.db"), SnapshotStore(state)
    numbers = {pupil.school_number: pupil.number for pupil in directory.pupils.values()}
    numbers |= {adult.key: adult.number for adult in directory.collectors.values() if adult.key}
    filed, left = 0, []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".jpg", ".jpeg"):
            continue
        if path.stem not in numbers:
            left.append(path.name)
            continue
        store.put_photo(numbers[path.stem], path.read_bytes())
        filed += 1
    return filed, left
