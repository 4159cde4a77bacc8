"""How often this engine mistakes one person for another, measured on a school's own pictures: DIR/person/*.jpg.

Nothing of the pictures is kept. The figures are about these people, this camera and this light, and about nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import combinations
from math import floor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from kiosk.clock import steady_s
from kiosk.face.engine import Engine
from kiosk.face.looking import look
from kiosk.face.quality import Limits

if TYPE_CHECKING:
    from kiosk.face.engine import Vector

PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".pgm", ".bmp"})
TARGETS: Final = (0.01, 0.001)
STEP: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """At this threshold: the share of strangers taken for the person, and of the person's own pictures recognised."""

    threshold: float
    far: float
    tar: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`threshold` None: there are too few pairs of strangers to measure so small a share."""

    far: float
    threshold: float | None
    tar: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    engine: str
    people: int
    pictures: int
    refused: dict[str, int]
    same: int
    different: int
    ms: int
    rows: tuple[Row, ...]
    proposals: tuple[Proposal, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_text(self) -> str:
        used = self.pictures - sum(self.refused.values())
        refused = ", ".join(f"{why} {n}" for why, n in sorted(self.refused.items())) or "none"
        head = [
            f"{self.engine}: {self.people} people, {used} of {self.pictures} pictures (refused: {refused}), {self.ms} ms each",
            f"{self.same} pairs of one person, {self.different} pairs of two",
            "threshold   FAR       TAR",
        ]
        table = [f"{row.threshold:9.2f}   {row.far:7.2%}   {row.tar:6.1%}" for row in self.rows]
        return "\n".join([*head, *table, *(_words(one, self.different) for one in self.proposals)])


def _words(one: Proposal, different: int) -> str:
    if one.threshold is None:
        return f"FAR {one.far:.1%}: not measurable with {different} pairs of strangers; at least {round(1 / one.far)} are needed"
    return f"FAR {one.far:.1%}: threshold {one.threshold:.3f} recognises {one.tar:.1%}"


def calibrate(
    engine: Engine, folder: Path, *, limits: Limits | None = None, tell: Callable[[int], None] | None = None
) -> Calibration:
    """Raises FileNotFoundError, NotADirectoryError. `tell` is given how many pictures are done."""
    faces: dict[str, list[Vector]] = {}
    refused: Counter[str] = Counter()
    took_s: list[float] = []
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(path for path in person.iterdir() if path.suffix.lower() in PICTURES):
            began_s = steady_s()
            seen = look(engine, path.read_bytes(), limits)
            took_s.append(steady_s() - began_s)
            if seen.vector is None:
                refused[str(seen.refusal)] += 1
            else:
                faces.setdefault(person.name, []).append(seen.vector)
            if tell:
                tell(len(took_s))
    same, different = scores(engine, faces)
    return Calibration(
        engine=engine.name, people=len(faces), pictures=len(took_s), refused=dict(refused), same=len(same),
        different=len(different), ms=round(median(took_s) * 1000) if took_s else 0,
        rows=table(same, different), proposals=tuple(propose(same, different, far) for far in TARGETS),
    )  # fmt: skip


def scores(engine: Engine, faces: dict[str, list[Vector]]) -> tuple[list[float], list[float]]:
    """The likeness of every pair of one person's pictures, and of every pair of two persons'."""
    import numpy as np

    same: list[float] = []
    different: list[float] = []
    for name, mine in faces.items():
        same += [float(engine.likeness(np.stack([a]), b)[0]) for a, b in combinations(mine, 2)]
        others = [vector for other, theirs in faces.items() if other > name for vector in theirs]
        if others:
            gallery = np.stack(others)
            different += [float(score) for vector in mine for score in engine.likeness(gallery, vector)]
    return same, different


def table(same: list[float], different: list[float]) -> tuple[Row, ...]:
    if not same or not different:
        return ()
    steps = [round(n * STEP, 2) for n in range(int(0.2 / STEP), int(0.95 / STEP) + 1)]
    return tuple(Row(threshold=at, far=_share(different, at), tar=_share(same, at)) for at in steps)


def propose(same: list[float], different: list[float], far: float) -> Proposal:
    """The lowest threshold at which no more than `far` of the strangers pass."""
    if len(different) * far < 1 or not same:
        return Proposal(far=far, threshold=None, tar=None)
    passing = sorted(different, reverse=True)
    threshold = (floor(passing[int(len(passing) * far)] * 1000) + 1) / 1000  # just above the first stranger who must not pass
    return Proposal(far=far, threshold=threshold, tar=_share(same, threshold))


def _share(found: list[float], threshold: float) -> float:
    return sum(score >= threshold for score in found) / len(found)
