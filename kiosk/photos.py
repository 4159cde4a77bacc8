"""Photos on file beside the directory: a snapshot of people does not know on which computers their photos lie."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from kiosk.core.people import Directory
from kiosk.snapshots import SnapshotStore


def with_photos(directory: Directory, snapshots: SnapshotStore) -> Directory:
    """The same directory, saying of each pupil and collector whether this computer has a photo."""
    have = snapshots.people_with_photos()
    if not have:
        return directory
    pupils = {n: replace(p, has_photo=True) if n in have else p for n, p in directory.pupils.items()}
    collectors = {n: replace(c, has_photo=True) if n in have else c for n, c in directory.collectors.items()}
    return replace(directory, pupils=MappingProxyType(pupils), collectors=MappingProxyType(collectors))
