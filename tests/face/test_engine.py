"""The engine from packages: real photographs, the quality gate by name, and weights that somebody changed."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.face import self_test, weights
from kiosk.face.engine import Box, Engine, EngineUnusable, Face, Point, Refusal
from kiosk.face.looking import look
from kiosk.face.opening import load, open_engine
from kiosk.face.quality import Limits, Measured, judge, measure

NOWHERE = Path("/nonexistent")


def test_two_photographs_of_one_man_are_more_alike_than_two_of_two_men(dlib_engine: Engine, portraits: dict[str, bytes]) -> None:
    import numpy as np

    seen = {name: look(dlib_engine, portraits[name]) for name in ("obama", "obama3", "biden")}
    assert {name: s.refusal for name, s in seen.items()} == dict.fromkeys(seen)
    others = np.stack([seen["obama3"].vector, seen["biden"].vector])
    same, different = dlib_engine.likeness(others, seen["obama"].vector)
    assert same > 0.55 and different < 0.40


def test_a_photograph_in_the_dark_is_refused(dlib_engine: Engine, portraits: dict[str, bytes]) -> None:
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(portraits["biden"], np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
    dark = bytes(cv2.imencode(".png", (picture * 0.3).astype(np.uint8))[1].tobytes())
    assert look(dlib_engine, dark).refusal is Refusal.TOO_DARK


def test_the_drawn_face_gives_the_stored_numbers(dlib_engine: Engine) -> None:
    assert self_test.test(dlib_engine, NOWHERE) > 0.9999


# --- weights that are not the known ones -----------------------------------------------------------------


def _tampered(source: Path, target: Path, *, bits: int, seed: int = 7) -> Path:
    """A copy in which so many bits of the numbers are turned over; it still loads."""
    raw, chance = bytearray(source.read_bytes()), random.Random(seed)
    for _ in range(bits):
        raw[chance.randrange(len(raw) // 4, len(raw) * 3 // 4)] ^= 0x04
    target.write_bytes(raw)
    return target


def test_one_turned_bit_is_refused_by_the_checksum(dlib_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = weights.models_of("dlib")["dlib-embedding"]
    copy = _tampered(known.path(NOWHERE), tmp_path / known.file, bits=1)
    assert known.trouble(known.path(NOWHERE)) == ""
    assert "is not the file that this program knows" in known.trouble(copy)
    monkeypatch.setattr(weights, "manifest", lambda: (replace(known, package=""),))  # as if the operator had brought it
    with pytest.raises(EngineUnusable, match="is not the file that this program knows"):
        open_engine("dlib", tmp_path)


def test_weights_that_load_and_compute_something_else_are_refused_by_the_self_test(dlib_engine: Engine, tmp_path: Path) -> None:
    paths = weights.checked("dlib", NOWHERE)
    copy = _tampered(paths["dlib-embedding"], tmp_path / "changed.dat", bits=400)
    changed = load("dlib", {**paths, "dlib-embedding": copy})  # nothing but the answer gives it away
    with pytest.raises(EngineUnusable, match="failed its self-test"):
        self_test.test(changed, NOWHERE)


def test_half_a_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("dlib", reason="install campus-kiosk[face]")
    paths = {name: model.path(NOWHERE) for name, model in weights.models_of("dlib").items()}
    half = tmp_path / "half.dat"
    half.write_bytes(paths["dlib-landmarks"].read_bytes()[:1_000_000])
    with pytest.raises(EngineUnusable, match="cannot be loaded"):
        load("dlib", {**paths, "dlib-landmarks": half})


def test_the_operators_own_files_are_known_by_their_checksum_only(tmp_path: Path) -> None:
    stranger = tmp_path / "face_recognition_sface_2021dec.onnx"
    stranger.write_bytes(b"not the weights")
    with pytest.raises(EngineUnusable, match="none of the files that this program knows"):
        weights.add(stranger, tmp_path / "models")
    with pytest.raises(EngineUnusable, match="is missing: bring it with"):
        open_engine("sface", tmp_path / "models")
    with pytest.raises(EngineUnusable, match="choose one of dlib, sface"):
        open_engine("eigenfaces", tmp_path)


def test_a_brought_file_is_copied_whole_under_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = tmp_path / "download(1).onnx"
    brought.write_bytes(b"weights" * 1000)
    known = replace(weights.models_of("sface")["yunet"], sha256=weights._sha256(brought))
    monkeypatch.setattr(weights, "manifest", lambda: (known,))
    weights.add(brought, tmp_path / "models")
    assert known.trouble(tmp_path / "models" / known.file) == ""
    shutil.copyfile(__file__, tmp_path / "models" / known.file)
    assert "is not the file" in known.trouble(tmp_path / "models" / known.file)


def test_the_predictor_with_a_licence_not_for_every_use_is_not_among_them() -> None:
    assert not any("68" in model.file for model in weights.manifest())
    assert all(len(model.sha256) == 64 and model.licence for model in weights.manifest())


# --- quality --------------------------------------------------------------------------------------------


def _changed(drawing: bytes, change: str) -> bytes:
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(drawing, np.uint8), cv2.IMREAD_COLOR)
    changed = {
        "nothing": lambda: picture,
        "no_face": lambda: np.full_like(picture, 127),
        "several_faces": lambda: np.hstack([picture, picture]),
        "too_small": lambda: cv2.resize(picture, None, fx=0.72, fy=0.72),
        "blurred": lambda: cv2.GaussianBlur(picture, (0, 0), 5),
        "too_bright": lambda: (255 - (255 - picture.astype(int)) // 2).astype(np.uint8),
    }[change]()
    return bytes(cv2.imencode(".png", changed)[1].tobytes())


@pytest.mark.parametrize("change", ["no_face", "several_faces", "too_small", "blurred", "too_bright"])
def test_a_bad_picture_is_refused_by_name(dlib_engine: Engine, drawing: bytes, change: str) -> None:
    limits = Limits(face_px=110) if change == "too_small" else None  # dlib finds none below 80 at all
    seen = look(dlib_engine, _changed(drawing, change), limits)
    assert (seen.refusal, seen.vector) == (Refusal(change), None)


def test_a_good_picture_is_embedded(dlib_engine: Engine, drawing: bytes) -> None:
    assert look(dlib_engine, _changed(drawing, "nothing")).vector is not None


def test_what_is_no_picture_shows_no_face(dlib_engine: Engine) -> None:
    assert look(dlib_engine, b"").refusal is Refusal.NO_FACE
    assert look(dlib_engine, b"\xff\xd8\xff garbage").refusal is Refusal.NO_FACE


STRAIGHT = Measured(side_px=150, aside=0.05, low=0.7, roll_deg=2.0, sharpness=300.0, light=120.0)


def test_light_is_judged_before_sharpness() -> None:
    assert judge(replace(STRAIGHT, light=20.0, sharpness=1.0), Limits()) is Refusal.TOO_DARK
    assert judge(replace(STRAIGHT, light=240.0, sharpness=1.0), Limits()) is Refusal.TOO_BRIGHT


@pytest.mark.parametrize("turned", [{"aside": 0.5}, {"low": -0.1}, {"low": 1.6}, {"roll_deg": -50.0}])
def test_a_face_that_looks_elsewhere_is_refused(turned: dict[str, float]) -> None:
    assert judge(STRAIGHT, Limits()) is None
    assert judge(replace(STRAIGHT, **turned), Limits()) is Refusal.TURNED_AWAY  # type: ignore[arg-type]


def test_a_tilted_head_is_measured_along_its_own_line_of_the_eyes() -> None:
    import numpy as np

    upright = Face(box=Box(0, 0, 100, 100), left=Point(30, 40), right=Point(70, 40), nose=Point(50, 70))
    tilted = Face(box=Box(0, 0, 100, 100), left=Point(40, 30), right=Point(40, 70), nose=Point(10, 50))
    chip = np.full((150, 150, 3), 90, np.uint8)
    a, b = measure(upright, chip), measure(tilted, chip)
    assert (round(a.aside, 3), round(a.low, 3), a.roll_deg) == (round(b.aside, 3), round(b.low, 3), 0.0)
    assert round(b.roll_deg) == 90
