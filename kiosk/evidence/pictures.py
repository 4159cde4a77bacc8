"""The pictures that are still kept at this gate, for the page of a bundle. Never makes a key or a folder, erases nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk.settings import Settings
from kiosk.snapshots import PictureError, SnapshotStore


@dataclass(frozen=True, slots=True)
class KeptPictures:
    store: SnapshotStore

    def snapshot(self, snapshot_id: str) -> bytes | None:
        try:
            return self.store.read(snapshot_id)
        except PictureError:
            return None  # erased by age or by the family, or taken at another gate


def kept_pictures(settings: Settings, state: Path) -> KeptPictures | None:
    """None where this folder has never kept any, or the key is not here."""
    if not (state / "keys" / "snapshots.key").exists() or not (state / "snapshots").is_dir():
        return None
    try:
        return KeptPictures(SnapshotStore(state, utc_offset_ms=settings.plan.utc_offset_ms))
    except PictureError:
        return None
