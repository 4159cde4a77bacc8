"""One picture through an engine: find, judge, align, embed. Nothing of the picture outlives the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kiosk.face.engine import Engine, EngineUnusable, Refusal
from kiosk.face.quality import Limits, Measured, judge, judge_count, measure

if TYPE_CHECKING:
    from kiosk.face.engine import Picture, Vector

SIDE_MAX: Final = 1024  # larger pictures are scaled down first: no face is found better in them, only later


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`vector` is there when nothing was refused."""

    refusal: Refusal | None = None
    vector: Vector | None = None
    measured: Measured | None = None


def decoded(picture: bytes) -> Picture | None:
    """A JPEG or another picture that OpenCV reads, scaled down; None for what is none."""
    import cv2
    import numpy as np

    found = cv2.imdecode(np.frombuffer(picture, dtype=np.uint8), cv2.IMREAD_COLOR) if picture else None
    if found is None:
        return None
    share = SIDE_MAX / max(found.shape[:2])
    scaled: Any = cv2.resize(found, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1 else found
    image: Picture = scaled
    return image


def look(engine: Engine, picture: bytes, limits: Limits | None = None) -> Seen:
    limits = limits or Limits()
    image = decoded(picture)
    if image is None:
        return Seen(refusal=Refusal.NO_FACE)
    faces = engine.detect(image)
    refusal = judge_count(faces, limits)
    if refusal is not None:
        return Seen(refusal=refusal)
    chip = engine.align(image, faces[0])
    measured = measure(faces[0], chip)
    refusal = judge(measured, limits)
    if refusal is not None:
        return Seen(refusal=refusal, measured=measured)
    return Seen(vector=engine.embed(chip), measured=measured)


def need_opencv() -> None:
    """Raises EngineUnusable."""
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise EngineUnusable("OpenCV is not installed: install campus-kiosk[face]") from error
