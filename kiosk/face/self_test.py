"""The test at every start: one drawn picture through the loaded weights must give the numbers that it always gave.

It catches what a checksum of files cannot: a library that computes differently, a broken processor, weights changed in memory.
The picture is drawn with whole numbers, so that it is the same on every computer; it shows nobody.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kiosk.face.engine import Box, Engine, EngineUnusable

if TYPE_CHECKING:
    from kiosk.face.engine import Picture, Vector

COSINE_AT_LEAST: Final = 0.999
SIDE: Final = 240
WHERE: Final = Box(50, 45, 140, 150)
DIGITS: Final = 5


def drawn() -> Picture:
    """An egg with two eyes, a nose and a mouth on a chequered wall, lit from the side."""
    import numpy as np

    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.int64)
    picture = np.stack([60 + (x * 3 + y * 7) % 61, 80 + (x // 12 + y // 12) % 2 * 50, 70 + (x * x + y) % 47], axis=-1)

    def oval(cx: int, cy: int, rx: int, ry: int, blue: int, green: int, red: int) -> None:
        inside = (x - cx) ** 2 * ry * ry + (y - cy) ** 2 * rx * rx < rx * rx * ry * ry
        light = (x - cx) // 4
        for channel, level in enumerate((blue, green, red)):
            picture[..., channel] = np.where(inside, level + light, picture[..., channel])

    oval(120, 120, 66, 84, 130, 160, 205)
    for cx in (94, 146):
        oval(cx, 104, 14, 8, 235, 238, 240)
        oval(cx, 104, 6, 6, 40, 45, 60)
        oval(cx, 88, 17, 4, 40, 50, 70)
    oval(120, 132, 9, 14, 110, 135, 185)
    oval(120, 164, 24, 7, 90, 80, 170)
    shown: Picture = np.clip(picture, 0, 255).astype(np.uint8)
    return shown


def answer(engine: Engine) -> Vector:
    """What the engine makes of the drawn picture: landmarks, alignment and embedding all have their part in it."""
    picture = drawn()
    return engine.embed(engine.align(picture, engine.place(picture, WHERE)))


def test(engine: Engine, models: Path) -> float:
    """The cosine to the stored answer. Raises EngineUnusable below COSINE_AT_LEAST."""
    import numpy as np

    stored = stored_answer(engine.name, models)
    if stored is None:
        raise EngineUnusable(f"nothing is stored for the self-test of {engine.name}: run `kiosk models verify`")
    given, known = answer(engine), np.asarray(stored, dtype=np.float32)
    if given.shape != known.shape or not np.isfinite(given).all():
        raise EngineUnusable(f"the face engine {engine.name} gives no numbers to compare: {REMEDY}")
    cosine = float(given @ known / max(1e-9, float(np.linalg.norm(given) * np.linalg.norm(known))))
    if cosine < COSINE_AT_LEAST:
        raise EngineUnusable(f"the face engine {engine.name} failed its self-test (cosine {cosine:.4f}): {REMEDY}")
    return cosine


REMEDY: Final = "its weights or its library were changed; install campus-kiosk[face] again, recognition stays off until then"


def stored_answer(name: str, models: Path) -> list[float] | None:
    """With the program for the engine that comes as a package; on this computer for weights that the operator brought."""
    shipped = json.loads(files("kiosk.face").joinpath("self_test.json").read_text(encoding="utf-8"))
    if name in shipped:
        found: list[float] = shipped[name]
        return found
    path = _local(name, models)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def remember(engine: Engine, models: Path) -> None:
    """Stores the answer of weights whose checksum was just found right."""
    numbers = [round(float(value), DIGITS) for value in answer(engine)]
    _local(engine.name, models).write_text(json.dumps(numbers), encoding="utf-8")


def _local(name: str, models: Path) -> Path:
    return models / f"{name}.self_test.json"
