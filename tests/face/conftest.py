"""Engines for the tests: the one that installs from packages, loaded once, and real photographs that a package brings."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from kiosk.face.engine import Engine
from kiosk.face.opening import open_engine
from kiosk.face.self_test import drawn

PHOTOGRAPHS = Path(__file__).parents[2] / ".venv" / "faces"
SDIST = "face_recognition-1.3.0.tar.gz"
NO_MODELS = Path("/nonexistent")


@pytest.fixture(scope="session")
def dlib_engine() -> Engine:
    pytest.importorskip("dlib", reason="install campus-kiosk[face]")
    return open_engine("dlib", NO_MODELS)


@pytest.fixture(scope="session")
def portraits() -> dict[str, bytes]:
    """Official portraits by the United States government (public domain), as `face_recognition` ships them for its own tests."""
    path = PHOTOGRAPHS / SDIST
    if not path.exists():
        pytest.skip(f"no photographs: run `sh .ci/faces`, which brings {SDIST}")
    with tarfile.open(path) as packed:
        members = [m for m in packed.getmembers() if "/tests/test_images/" in m.name and m.isfile()]
        return {Path(m.name).stem: (packed.extractfile(m) or io.BytesIO()).read() for m in members}


@pytest.fixture(scope="session")
def drawing() -> bytes:
    """The drawn face of the self-test as a JPEG: the detector takes it for one, and it is nobody."""
    cv2 = pytest.importorskip("cv2", reason="install campus-kiosk[face]")
    return bytes(cv2.imencode(".jpg", drawn())[1].tobytes())
