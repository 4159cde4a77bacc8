"""Drawn people for the simulated camera and for the photos on file of the sample school.

Nobody real: every face is drawn from a number, the same number gives the same person, and two
numbers give two people whom a guard can tell apart. Never used for a real person, and no face
recognition is expected to work on it. numpy and OpenCV are imported when something is drawn.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cv2.typing import MatLike

Colour = tuple[int, int, int]  # BGR

CANVAS_WIDTH_PX, CANVAS_HEIGHT_PX = 480, 640  # drawn large and scaled down: smoother than OpenCV's own edges
JPEG_QUALITY = 85
FILE_BACKGROUND: Colour = (226, 206, 178)  # the light blue of a school portrait

SKIN: tuple[Colour, ...] = ((196, 218, 244), (176, 202, 234), (158, 188, 224), (140, 172, 212), (168, 196, 238))
HAIR_CHILD: tuple[Colour, ...] = ((24, 22, 26), (34, 32, 40), (30, 40, 58))
HAIR_ADULT: tuple[Colour, ...] = (*HAIR_CHILD, (120, 120, 122), (188, 188, 190))
UNIFORM: tuple[Colour, ...] = ((150, 84, 28), (64, 118, 40), (60, 44, 150), (120, 60, 96))
COAT: tuple[Colour, ...] = ((70, 70, 76), (96, 72, 48), (48, 62, 110), (110, 110, 60), (150, 150, 156), (60, 90, 60))
SCARF: Colour = (42, 34, 208)  # 红领巾
WHITE: Colour = (246, 246, 246)
INK: Colour = (36, 32, 30)
LIPS: Colour = (112, 108, 196)


class Hair(StrEnum):
    CROPPED = "cropped"
    FRINGE = "fringe"
    BOB = "bob"
    TAILS = "tails"
    BUN = "bun"
    RECEDING = "receding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What makes one drawn person another. Lengths in pixels of the canvas."""

    adult: bool
    skin: Colour
    hair_colour: Colour
    hair: Hair
    clothes: Colour
    face_width_px: int
    face_height_px: int
    eye_gap_px: int
    eye_px: int
    brow_px: int
    brow_tilt_px: int
    mouth_px: int
    smile_px: int
    glasses: bool
    mole: tuple[int, int] | None


def looks_of(seed: int, *, adult: bool = False) -> Looks:
    """The same `seed` and age, the same person, on every machine."""
    dice = random.Random(f"person-{seed}-{adult}")
    styles = (Hair.CROPPED, Hair.FRINGE, Hair.BOB, Hair.BUN, Hair.RECEDING) if adult else tuple(Hair)[:5]
    return Looks(
        adult=adult,
        skin=dice.choice(SKIN),
        hair_colour=dice.choice(HAIR_ADULT if adult else HAIR_CHILD),
        hair=dice.choice(styles),
        clothes=dice.choice(COAT if adult else UNIFORM),
        face_width_px=dice.randint(88, 118),
        face_height_px=dice.randint(124, 150) if adult else dice.randint(108, 130),
        eye_gap_px=dice.randint(40, 56),
        eye_px=dice.randint(10, 14) if adult else dice.randint(13, 18),
        brow_px=dice.randint(4, 11),
        brow_tilt_px=dice.randint(-8, 8),
        mouth_px=dice.randint(24, 44),
        smile_px=dice.randint(2, 18),
        glasses=dice.random() < 0.3,
        mole=(dice.randint(-60, 60), dice.randint(20, 80)) if dice.random() < 0.35 else None,
    )


def portrait(seed: int, *, adult: bool = False, width_px: int = 240, height_px: int = 320) -> bytes:
    """The photo on file of person `seed`, as JPEG. Deterministic for one version of OpenCV."""
    import cv2
    import numpy

    canvas = numpy.full((CANVAS_HEIGHT_PX, CANVAS_WIDTH_PX, 3), FILE_BACKGROUND, numpy.uint8)
    draw_person(canvas, looks_of(seed, adult=adult))
    small = cv2.resize(canvas, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return encode_jpeg(small)


def encode_jpeg(image: MatLike) -> bytes:
    import cv2

    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "a BGR picture can always be encoded"
    return jpeg.tobytes()


def draw_person(canvas: MatLike, looks: Looks) -> None:
    """Head and shoulders onto a canvas of CANVAS_WIDTH_PX x CANVAS_HEIGHT_PX, back to front."""
    centre = (CANVAS_WIDTH_PX // 2, 330)
    _draw_hair_behind(canvas, looks, centre)
    _draw_body(canvas, looks, centre)
    _ellipse(canvas, centre, (looks.face_width_px + 10, 22), looks.skin, at=(0, 6))  # ears
    _ellipse(canvas, centre, (looks.face_width_px, looks.face_height_px), looks.skin)
    _draw_hair_in_front(canvas, looks, centre)
    _draw_eyes(canvas, looks, centre)
    _draw_nose_and_mouth(canvas, looks, centre)


def _ellipse(
    canvas: MatLike,
    centre: tuple[int, int],
    axes: tuple[int, int],
    colour: Colour,
    *,
    at: tuple[int, int] = (0, 0),
    arc: tuple[int, int] = (0, 360),
    line_px: int = -1,
) -> None:
    import cv2

    where = (centre[0] + at[0], centre[1] + at[1])
    cv2.ellipse(canvas, where, axes, 0, arc[0], arc[1], colour, line_px, cv2.LINE_AA)


def _draw_hair_behind(canvas: MatLike, looks: Looks, centre: tuple[int, int]) -> None:
    width_px, height_px = looks.face_width_px, looks.face_height_px
    if looks.hair is Hair.BOB:
        _ellipse(canvas, centre, (width_px + 26, height_px + 22), looks.hair_colour, at=(0, 6))
    elif looks.hair is Hair.TAILS:
        for side in (-1, 1):
            _ellipse(canvas, centre, (30, 84), looks.hair_colour, at=(side * (width_px + 30), 40))
    elif looks.hair is Hair.BUN:
        _ellipse(canvas, centre, (44, 40), looks.hair_colour, at=(0, -height_px - 26))


def _draw_body(canvas: MatLike, looks: Looks, centre: tuple[int, int]) -> None:
    import cv2
    import numpy

    x, bottom = centre[0], CANVAS_HEIGHT_PX
    shoulder_px = 216 if looks.adult else 176
    _ellipse(canvas, (x, bottom), (shoulder_px, 176), looks.clothes)
    cv2.rectangle(canvas, (x - 42, centre[1] + 40), (x + 42, bottom - 130), looks.skin, -1)
    _ellipse(canvas, (x, bottom - 132), (44, 30), looks.skin)
    collar = numpy.array([[x - 62, bottom - 172], [x, bottom - 84], [x + 62, bottom - 172], [x, bottom - 40]])
    cv2.fillPoly(canvas, [collar], SCARF if not looks.adult else WHITE, cv2.LINE_AA)


def _draw_hair_in_front(canvas: MatLike, looks: Looks, centre: tuple[int, int]) -> None:
    width_px, height_px = looks.face_width_px, looks.face_height_px
    top = (0, -height_px // 3)
    cap = (width_px + 8, height_px * 3 // 4)
    if looks.hair is Hair.RECEDING:
        for side in (-1, 1):
            _ellipse(canvas, centre, (22, 50), looks.hair_colour, at=(side * (width_px - 8), -height_px // 3))
        return
    _ellipse(canvas, centre, cap, looks.hair_colour, at=top, arc=(180, 360))
    if looks.hair in (Hair.FRINGE, Hair.BOB):
        _ellipse(canvas, centre, (width_px - 6, 34), looks.hair_colour, at=top)
    elif looks.hair is Hair.TAILS:
        _ellipse(canvas, centre, (width_px // 2, 26), looks.hair_colour, at=(-width_px // 3, top[1]))


def _draw_eyes(canvas: MatLike, looks: Looks, centre: tuple[int, int]) -> None:
    import cv2

    for side in (-1, 1):
        at = (side * looks.eye_gap_px, 4)
        eye = (centre[0] + at[0], centre[1] + at[1])
        _ellipse(canvas, centre, (looks.eye_px + 8, looks.eye_px - 1), WHITE, at=at)
        cv2.circle(canvas, eye, looks.eye_px - 3, INK, -1, cv2.LINE_AA)
        cv2.circle(canvas, (eye[0] + 4, eye[1] - 4), 3, WHITE, -1, cv2.LINE_AA)
        inner = (eye[0] - side * 24, eye[1] - 34 + looks.brow_tilt_px)
        outer = (eye[0] + side * 26, eye[1] - 34)
        cv2.line(canvas, inner, outer, looks.hair_colour, looks.brow_px, cv2.LINE_AA)
        if looks.glasses:
            cv2.circle(canvas, eye, 37, INK, 4, cv2.LINE_AA)
    if looks.glasses:
        reach_px = looks.eye_gap_px - 37
        cv2.line(canvas, (centre[0] - reach_px, centre[1]), (centre[0] + reach_px, centre[1]), INK, 4, cv2.LINE_AA)


def _draw_nose_and_mouth(canvas: MatLike, looks: Looks, centre: tuple[int, int]) -> None:
    import cv2

    b, g, r = looks.skin
    shade = (b - 36, g - 36, r - 30)
    _ellipse(canvas, centre, (15, 9), shade, at=(0, 44), arc=(0, 180), line_px=4)
    mouth_y_px = looks.face_height_px * 2 // 3
    _ellipse(
        canvas, centre, (looks.mouth_px, max(2, abs(looks.smile_px))), LIPS,
        at=(0, mouth_y_px), arc=(0, 180) if looks.smile_px >= 0 else (180, 360), line_px=6,
    )  # fmt: skip
    if looks.mole is not None:
        cv2.circle(canvas, (centre[0] + looks.mole[0], centre[1] + looks.mole[1]), 5, INK, -1, cv2.LINE_AA)
