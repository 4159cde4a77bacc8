"""Templates from the photos on file: of every pupil whose family agrees now, and of nobody else.

Consent is asked of the core with the facts on disk, not of the caller. A photo that the quality gate refuses makes no template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.core.campus import Campus
from kiosk.core.entries import Entry, Kind
from kiosk.core.people import Directory
from kiosk.core.world import FACE_MATCH, consented
from kiosk.directory import load
from kiosk.face.engine import Engine
from kiosk.face.looking import look
from kiosk.face.templates import Template, TemplateStore
from kiosk.journal import entries_of_kinds
from kiosk.reading_back import peers_after
from kiosk.snapshots import PictureError, SnapshotStore

CONSENT_KINDS = frozenset({Kind.CONSENT_WITHDRAWN, Kind.CONSENT_RENEWED, Kind.CONSENT_RECORDED})


@dataclass(slots=True)
class Enrolled:
    made: int = 0
    without_photo: int = 0
    without_consent: int = 0  # of those with a photo
    refused: dict[str, str] = field(default_factory=dict)  # 学号 -> why the photo is not good enough

    def as_text(self) -> str:
        reasons = ", ".join(f"{why} {n}" for why, n in sorted(Counter(self.refused.values()).items()))
        lines = [f"{number}: {why}" for number, why in sorted(self.refused.items())]
        head = (
            f"{self.made} templates made; {len(self.refused)} photos refused{f' ({reasons})' if reasons else ''}; "
            f"{self.without_photo} who agreed have no photo on file; {self.without_consent} with a photo have not agreed"
        )
        return "\n".join([head, *lines])


def who_agrees(directory: Directory, state: Path, day: str) -> frozenset[int]:
    """By the list of people and by every withdrawal that this gate or another one recorded."""
    campus = Campus()
    for entry in (*entries_of_kinds(state, CONSENT_KINDS), *_of_peers(state)):
        campus.apply(entry)
    return frozenset(child for child in directory.pupils if consented(directory, campus, child, FACE_MATCH, day))


def _of_peers(state: Path) -> Iterable[Entry]:
    return (s.entry for s in peers_after(state, 0)[1] if s.entry.kind in CONSENT_KINDS)


def enrol(engine: Engine, state: Path, *, day: str) -> Enrolled:
    """Raises DirectoryError, PictureError, EngineUnusable, OSError."""
    directory, photos, templates = load(state / "directory.db"), SnapshotStore(state), TemplateStore(state)
    agreed, have, done = who_agrees(directory, state, day), photos.people_with_photos(), Enrolled()
    done.without_photo = len(agreed - have)
    done.without_consent = len((have & directory.pupils.keys()) - agreed)
    for child in sorted(agreed & have):
        try:
            photo = photos.photo(child)
        except PictureError:
            photo = None
        seen = look(engine, photo or b"")
        if seen.vector is None:
            done.refused[directory.pupils[child].school_number] = str(seen.refusal)
        else:
            templates.put(child, Template(engine.name, seen.vector))
            done.made += 1
    return done
