"""What `kiosk doctor` says about faces: the engine of the settings, and how many are enrolled. Repairs nothing."""

from __future__ import annotations

from pathlib import Path

from kiosk.core.rules import FaceRules
from kiosk.doctor import WARNING, Row
from kiosk.face.engine import EngineUnusable
from kiosk.face.process import EngineProcess
from kiosk.face.weights import MODELS_FOLDER


def examine_faces(rules: FaceRules | None, state: Path) -> tuple[Row, ...]:
    """No row where faces are off. The engine is started as the gate starts it, with checksums and self-test."""
    if rules is None:
        return ()
    process = EngineProcess(rules.engine, state / MODELS_FOLDER)
    try:
        process.open()
    except EngineUnusable as error:
        detail = f"{error}; nobody is compared, snapshots and everything else go on"
        return (Row(name="face", driver=rules.engine, health=WARNING, detail=detail),)
    finally:
        process.close()
    enrolled = sum(1 for path in (state / "faces").glob("*.bin") if path.stem.isdecimal())
    return (Row(name="face", driver=rules.engine, health="ok", detail=f"self-test passed; {enrolled} templates here"),)
