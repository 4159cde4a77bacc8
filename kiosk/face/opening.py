"""Opening an engine: checksums first, then the weights, then the self-test. Only what passed all three is used."""

from __future__ import annotations

from pathlib import Path

from kiosk.face import self_test
from kiosk.face.engine import Engine, EngineUnusable
from kiosk.face.looking import need_opencv
from kiosk.face.weights import checked

ENGINES = ("dlib", "sface")


def open_engine(name: str, models: Path) -> Engine:
    """Raises EngineUnusable, whose sentence says what to do."""
    engine = load(name, checked(name, models))
    self_test.test(engine, models)
    return engine


def load(name: str, paths: dict[str, Path]) -> Engine:
    """The weights in memory, not tested. Raises EngineUnusable."""
    need_opencv()
    if name == "dlib":
        from kiosk.face.dlib_engine import DlibEngine

        return DlibEngine(landmarks=paths["dlib-landmarks"], embedding=paths["dlib-embedding"])
    if name == "sface":
        from kiosk.face.opencv_engine import OpenCVEngine

        return OpenCVEngine(yunet=paths["yunet"], sface=paths["sface"])
    raise EngineUnusable(f"there is no face engine {name!r}: choose one of {', '.join(ENGINES)}")
