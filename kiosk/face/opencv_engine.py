"""YuNet and SFace through OpenCV: faster, for an operator who brings the two files (`kiosk models add FILE`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kiosk.face.engine import Box, EngineUnusable, Face, Point
from kiosk.face.likeness import cosines

if TYPE_CHECKING:
    from kiosk.face.engine import Picture, Vector

FOUND_AT: Final = 0.7  # how sure the detector must be
OVERLAP: Final = 0.3
FACES_MAX: Final = 20
EYES_AT, EYES_APART, NOSE_AT, MOUTH_AT, MOUTH_APART = 0.38, 0.40, 0.58, 0.78, 0.34  # of an upright face, in shares of its box


class OpenCVEngine:
    """The class of OpenCV's own pair. `yunet` and `sface` are ONNX files."""

    name = "sface"

    def __init__(self, *, yunet: Path, sface: Path) -> None:
        """Raises EngineUnusable."""
        try:
            import cv2
            import numpy as np
        except ImportError as error:
            raise EngineUnusable(f"{error.name} is not installed: install campus-kiosk[face]") from error
        self._np = np
        try:
            self._finder: Any = cv2.FaceDetectorYN.create(str(yunet), "", (320, 320), FOUND_AT, OVERLAP, FACES_MAX)
            self._network: Any = cv2.FaceRecognizerSF.create(str(sface), "")
        except cv2.error as error:
            raise EngineUnusable(f"the weights cannot be loaded ({str(error).splitlines()[0][:120]})") from error

    def detect(self, picture: Picture) -> list[Face]:
        height, width = picture.shape[:2]
        self._finder.setInputSize((width, height))
        _, rows = self._finder.detect(picture)
        found = [_face(row) for row in (rows if rows is not None else ())]
        return sorted(found, key=lambda face: -face.box.width * face.box.height)

    def place(self, picture: Picture, box: Box) -> Face:
        middle = box.x + box.width / 2
        half, mouth = box.width * EYES_APART / 2, box.width * MOUTH_APART / 2
        eyes_y, nose_y, mouth_y = (box.y + box.height * share for share in (EYES_AT, NOSE_AT, MOUTH_AT))
        points = [middle - half, eyes_y, middle + half, eyes_y, middle, nose_y, middle - mouth, mouth_y, middle + mouth, mouth_y]
        return _face(self._np.array([*box, *points, 1.0], dtype=self._np.float32))

    def align(self, picture: Picture, face: Face) -> Picture:
        chip: Picture = self._network.alignCrop(picture, face.raw)
        return chip

    def embed(self, chip: Picture) -> Vector:
        return self._np.asarray(self._network.feature(chip), dtype=self._np.float32).reshape(-1).copy()

    def likeness(self, gallery: Vector, probe: Vector) -> Vector:
        return cosines(gallery, probe)


def _face(row: Any) -> Face:
    """A row of the detector: box, then both eyes, the nose and the corners of the mouth, then how sure it is."""
    eyes = sorted((Point(float(row[4]), float(row[5])), Point(float(row[6]), float(row[7]))))
    nose, box = Point(float(row[8]), float(row[9])), Box(*(int(value) for value in row[:4]))
    return Face(box=box, left=eyes[0], right=eyes[1], nose=nose, raw=row)
