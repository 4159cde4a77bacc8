"""dlib's detector, five landmarks and ResNet: the engine that installs from packages alone (`campus-kiosk[face]`).

It never uses the predictor of 68 landmarks that lies beside the others: its training pictures are not for every use.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kiosk.face.engine import Box, EngineUnusable, Face, Point
from kiosk.face.likeness import distances

if TYPE_CHECKING:
    from kiosk.face.engine import Picture, Vector

CHIP_SIDE: Final = 150
CHIP_PADDING: Final = 0.25


class DlibEngine:
    """About 70 ms to find faces in 640 x 480 and 120–190 ms to embed one, on one core."""

    name = "dlib"

    def __init__(self, *, landmarks: Path, embedding: Path) -> None:
        """Raises EngineUnusable."""
        try:
            import dlib
            import numpy as np
        except ImportError as error:
            raise EngineUnusable(f"{error.name} is not installed: install campus-kiosk[face]") from error
        self._dlib: Any = dlib
        self._np = np
        try:
            self._finder = dlib.get_frontal_face_detector()
            self._landmarks = dlib.shape_predictor(str(landmarks))
            self._network = dlib.face_recognition_model_v1(str(embedding))
        except RuntimeError as error:  # what dlib says of a file that it cannot read
            raise EngineUnusable(f"the weights cannot be loaded ({str(error).splitlines()[0][:120]})") from error

    def detect(self, picture: Picture) -> list[Face]:
        boxes = [Box(r.left(), r.top(), r.width(), r.height()) for r in self._finder(self._rgb(picture), 0)]
        return [self.place(picture, box) for box in sorted(boxes, key=lambda box: -box.width * box.height)]

    def place(self, picture: Picture, box: Box) -> Face:
        where = self._dlib.rectangle(box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
        shape = self._landmarks(self._rgb(picture), where)
        points = [Point(part.x, part.y) for part in shape.parts()]
        eyes = sorted((_between(points[0], points[1]), _between(points[2], points[3])))
        return Face(box=box, left=eyes[0], right=eyes[1], nose=points[4], raw=shape)

    def align(self, picture: Picture, face: Face) -> Picture:
        chip: Picture = self._dlib.get_face_chip(self._rgb(picture), face.raw, CHIP_SIDE, CHIP_PADDING)
        return self._rgb(chip)

    def embed(self, chip: Picture) -> Vector:
        return self._np.asarray(self._network.compute_face_descriptor(self._rgb(chip)), dtype=self._np.float32)

    def likeness(self, gallery: Vector, probe: Vector) -> Vector:
        return distances(gallery, probe)

    def _rgb(self, picture: Picture) -> Picture:
        turned: Picture = self._np.ascontiguousarray(picture[:, :, ::-1])
        return turned


def _between(a: Point, b: Point) -> Point:
    return Point((a.x + b.x) / 2, (a.y + b.y) / 2)
