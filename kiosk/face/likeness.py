"""How alike two faces are, in thousandths, on the scale of the engine that made the numbers. One matrix product.

Needs no weights: the gate compares, the face process embeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.face.engine import Vector


def likeness(engine: str, gallery: Sequence[Vector], probe: bytes) -> list[int]:
    import numpy as np

    rows, one = np.stack(gallery), np.frombuffer(probe, dtype=np.float32)
    scores = distances(rows, one) if engine == "dlib" else cosines(rows, one)
    return [round(float(score) * 1000) for score in scores]


def distances(rows: Vector, one: Vector) -> Vector:
    """1 minus the distance that dlib's authors compare: 0.4 is their usual limit, and too generous for a school."""
    import numpy as np

    squares = (rows**2).sum(axis=1) + float(one @ one) - 2 * (rows @ one)
    found: Vector = (1 - np.sqrt(np.maximum(squares, 0))).astype(np.float32)
    return found


def cosines(rows: Vector, one: Vector) -> Vector:
    import numpy as np

    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(one)
    found: Vector = (rows @ one / np.maximum(lengths, 1e-9)).astype(np.float32)
    return found
