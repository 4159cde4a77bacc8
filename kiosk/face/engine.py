"""What an engine is: the five steps from a picture to numbers that can be compared. Values and one protocol, no library.

An engine never knows whose face it sees, never keeps a picture, and never decides what a likeness means.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]  # height x width x 3, blue first
    Vector = NDArray[np.float32]


class EngineUnusable(Exception):
    """No recognition on this computer; the sentence says why and what to do. Everything else goes on."""


class Refusal(StrEnum):
    """Why a picture is not compared at all. Words for people are in `kiosk.web.words_face`."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TURNED_AWAY = "turned_away"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"


class Box(NamedTuple):
    x: int
    y: int
    width: int
    height: int


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face in a picture. `left` and `right` are the eyes as seen in the picture; `raw` is the engine's own."""

    box: Box
    left: Point
    right: Point
    nose: Point
    raw: Any = None


class Engine(Protocol):
    """Loaded weights. Used by one thread of one process at a time."""

    name: str

    def detect(self, picture: Picture) -> list[Face]:
        """Every face with its landmarks, the largest first."""
        ...

    def place(self, picture: Picture, box: Box) -> Face:
        """The landmarks of a face that is known to be in `box`."""
        ...

    def align(self, picture: Picture, face: Face) -> Picture:
        """The face alone, upright, in the size that `embed` takes."""
        ...

    def embed(self, chip: Picture) -> Vector: ...

    def likeness(self, gallery: Vector, probe: Vector) -> Vector:
        """How alike each row of `gallery` is to `probe`: 1 is the same picture. The scale is the engine's own."""
        ...
