"""The restore drill: a copy is restored beside everything, opened as a gate would open it, looked at, and thrown away.

A copy that nobody ever restored is a hope. Touches no state folder and no device.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from kiosk.backup import BackupError, restore
from kiosk.clock import FixedClock, steady_s
from kiosk.directory import DirectoryError, load
from kiosk.journal import Journal, JournalError, new_incarnation
from kiosk.opening import build_world
from kiosk.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """people: pupils, staff and collectors. on_campus: children in somebody's custody. took_s: until the state stood."""

    made_at_ms: int
    entries: int
    people: int
    on_campus: int
    took_s: float


def drill(copy: Path, settings: Settings) -> Drill:
    """Raises BackupError when the copy would not come up."""
    began_s = steady_s()
    with tempfile.TemporaryDirectory(prefix="restore-drill-") as folder:
        state = Path(folder) / "state"
        manifest = restore(copy, state)
        try:
            directory = load(state / "directory.db")
            journal = Journal(state, node=settings.site.node, incarnation=new_incarnation())
            clock = FixedClock(manifest.made_at_ms)
            try:
                world = build_world(settings=settings, directory=directory, journal=journal, state=state, clock=clock)
            finally:
                journal.close()
        except (JournalError, DirectoryError) as error:
            raise BackupError(f"{copy} does not come up: {error}") from error
        orphans = [child for child, now in world.campus.on_campus() if not now.hold.custodian]
        if orphans:
            raise BackupError(f"{copy} comes up with {len(orphans)} children without a custodian; keep it, and ask for help")
        people = len(directory.pupils) + len(directory.staff) + len(directory.collectors)
        on_campus = sum(1 for _ in world.campus.on_campus())
    return Drill(
        made_at_ms=manifest.made_at_ms, entries=manifest.entries, people=people, on_campus=on_campus,
        took_s=round(steady_s() - began_s, 2),
    )  # fmt: skip
