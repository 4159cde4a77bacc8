"""Whether a picture is good enough to be compared. Each refusal has a name; a bad picture is asked again, never guessed at.

A comparison of a bad picture is worse than none: it says "somebody else" of the right child. Judged before anything is embedded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees, hypot
from typing import TYPE_CHECKING

from kiosk.face.engine import Face, Refusal

if TYPE_CHECKING:
    from kiosk.face.engine import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Measured on the aligned face, so that they mean the same for every engine and camera."""

    face_px: int = 72  # the shorter side of the face in the picture
    second_share: float = 0.35  # a second face so large beside the first one stands at the gate too
    nose_aside: float = 0.30  # of the distance of the eyes: the head is turned
    nose_low: float = 0.15  # the nose so close to the line of the eyes: looking up; so far below it: looking down
    nose_high: float = 1.15
    roll_deg: float = 30.0
    sharpness: float = 25.0  # variance of the Laplacian
    dark: float = 40.0  # mean of the grey picture, 0..255
    bright: float = 205.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was found, for `kiosk face calibrate` and for whoever sets a camera up."""

    side_px: int
    aside: float
    low: float
    roll_deg: float
    sharpness: float
    light: float


def measure(face: Face, chip: Picture) -> Measured:
    import cv2

    grey = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    middle = grey[height // 5 : height - height // 5, width // 5 : width - width // 5]  # the face, not the hair or the sky
    apart = max(1.0, hypot(face.right.x - face.left.x, face.right.y - face.left.y))
    roll = degrees(atan2(face.right.y - face.left.y, face.right.x - face.left.x))
    centre_x, centre_y = (face.left.x + face.right.x) / 2, (face.left.y + face.right.y) / 2
    across, down = (face.right.x - face.left.x) / apart, (face.right.y - face.left.y) / apart
    nose_x, nose_y = face.nose.x - centre_x, face.nose.y - centre_y
    return Measured(
        side_px=min(face.box.width, face.box.height),
        aside=abs(nose_x * across + nose_y * down) / apart,
        low=(nose_y * across - nose_x * down) / apart,
        roll_deg=roll,
        sharpness=float(cv2.Laplacian(middle, cv2.CV_64F).var()),
        light=float(middle.mean()),
    )


def judge_count(faces: Sequence[Face], limits: Limits) -> Refusal | None:
    """Of all faces, the largest first."""
    if not faces:
        return Refusal.NO_FACE
    sizes = [face.box.width * face.box.height for face in faces]
    return Refusal.SEVERAL_FACES if len(sizes) > 1 and sizes[1] >= limits.second_share * sizes[0] else None


def judge(found: Measured, limits: Limits) -> Refusal | None:
    """The first thing that is wrong, what the child or the technician can change most easily before the rest."""
    if found.side_px < limits.face_px:
        return Refusal.TOO_SMALL
    if found.light < limits.dark:
        return Refusal.TOO_DARK
    if found.light > limits.bright:
        return Refusal.TOO_BRIGHT
    turned = found.aside > limits.nose_aside or abs(found.roll_deg) > limits.roll_deg
    if turned or not limits.nose_low <= found.low <= limits.nose_high:
        return Refusal.TURNED_AWAY
    return Refusal.BLURRED if found.sharpness < limits.sharpness else None
