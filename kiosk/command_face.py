"""The commands about faces: `kiosk models` (files of weights) and `kiosk face` (status, enrol, calibrate)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of, shared

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    models = shared(add("models", _models, "files of face weights: list, add one that you bring, verify all"), "state", "json")
    models.add_argument("action", choices=["list", "add", "verify"])
    models.add_argument("file", type=Path, nargs="?", metavar="FILE", help="for add: a file that is known by its SHA-256")
    face = shared(add("face", _face, "faces as help for the guard: status, enrol from photos, calibrate on pictures"), "json")
    face.add_argument("action", choices=["status", "enrol", "calibrate"])
    face.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="for calibrate: DIR/person/*.jpg")
    face.add_argument("--config", type=Path, metavar="DIR", help="settings folder, for status and enrol")
    face.add_argument("--state", type=Path, metavar="DIR", help="state folder of this gate, for status and enrol")
    face.add_argument("--site", type=Path, metavar="FILE", help="another site.toml than the one in the settings folder")
    face.add_argument("--engine", default="dlib", help="for calibrate: dlib or sface")


# --- weights ---------------------------------------------------------------------------------------


def _models(options: argparse.Namespace) -> int:
    from kiosk.face import weights

    folder = options.state / weights.MODELS_FOLDER
    if options.action == "add":
        return _add_model(options, folder)
    rows = [_row(model, folder, verify=options.action == "verify") for model in weights.manifest()]
    if options.action == "verify":
        _remember_whole(rows, folder)
    words = "\n".join(f"{row['state']:<8}  {row['name']:<15}  {row['file']}  {row['detail']}".rstrip() for row in rows)
    say_answer(options, {"models": rows}, words)
    bad = any(row["state"] == "refused" for row in rows)
    return NOT_FINE if bad else FINE


def _row(model: Any, folder: Path, *, verify: bool) -> dict[str, str]:
    path = model.path(folder)
    there = path.exists()
    trouble = model.trouble(path) if verify and there else ""
    state = "refused" if trouble else "ok" if there and verify else "there" if there else "absent"
    origin = "" if there else "; campus-kiosk[face] brings it" if model.package else "; you bring it"
    detail = trouble or model.licence + origin
    return {"name": model.name, "engine": model.engine, "file": model.file, "state": state, "detail": detail}


def _add_model(options: argparse.Namespace, folder: Path) -> int:
    from kiosk.face import self_test, weights
    from kiosk.face.engine import EngineUnusable
    from kiosk.face.opening import load

    if options.file is None:
        raise Stop("name the file: kiosk models add FILE")
    try:
        model = weights.add(options.file, folder)
        whole = all(one.path(folder).exists() for one in weights.models_of(model.engine).values())
        if whole and not model.package:  # its answer is kept now, while its checksum was just found right
            self_test.remember(load(model.engine, weights.checked(model.engine, folder)), folder)
    except EngineUnusable as error:
        raise Stop(str(error), NOT_FINE) from error
    except OSError as error:
        raise Stop(f"{options.file} cannot be taken ({error.strerror})") from error
    rest = "" if whole else f"; the engine {model.engine} wants its other file too"
    say_answer(options, {"added": model.name, "engine": model.engine, "complete": whole}, f"{model.file} is the known file{rest}")
    return FINE


def _remember_whole(rows: list[dict[str, str]], folder: Path) -> None:
    """The answer of brought weights to the drawn picture, where it is not stored yet and every file is the known one."""
    from kiosk.face import self_test, weights
    from kiosk.face.engine import EngineUnusable
    from kiosk.face.opening import ENGINES, load

    for engine in ENGINES:
        whole = all(row["state"] == "ok" for row in rows if row["engine"] == engine)
        if whole and self_test.stored_answer(engine, folder) is None:
            try:
                self_test.remember(load(engine, weights.checked(engine, folder)), folder)
            except EngineUnusable as error:
                raise Stop(str(error), NOT_FINE) from error


# --- faces -----------------------------------------------------------------------------------------


def _face(options: argparse.Namespace) -> int:
    actions = {"status": _status, "enrol": _enrol, "calibrate": _calibrate}
    return actions[options.action](options)


def _status(options: argparse.Namespace) -> int:
    from kiosk.face.opening import ENGINES, open_engine

    models = _state(options) / "models"
    answers = {name: _usable(partial(open_engine, name, models)) for name in ENGINES}
    enrolled = sum(1 for path in (_state(options) / "faces").glob("*.bin") if path.stem.isdecimal())
    words = [f"engine {name}: {trouble or 'ready, self-test passed'}" for name, trouble in answers.items()]
    say_answer(options, {"engines": answers, "templates": enrolled}, "\n".join([*words, f"{enrolled} templates here"]))
    return FINE


def _enrol(options: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock
    from kiosk.directory import DirectoryError
    from kiosk.face.engine import EngineUnusable
    from kiosk.face.enrolment import enrol
    from kiosk.face.opening import open_engine
    from kiosk.opening import local_date
    from kiosk.snapshots import PictureError

    settings, state = _settings(options), _state(options)
    rules, today = settings.rules.face, local_date(settings, SystemClock().now_ms())
    if rules is None:
        raise Stop("faces are off here: read docs/face.md, then write on = true under [face] in site.toml", NOT_FINE)
    try:
        done = enrol(open_engine(rules.engine, state / "models"), state, day=today.isoformat())
    except (EngineUnusable, DirectoryError, PictureError, OSError) as error:
        raise Stop(str(error), NOT_FINE) from error
    say_answer(options, asdict(done), done.as_text())
    return NOT_FINE if done.refused else FINE


def _usable(attempt: Callable[[], object]) -> str:
    from kiosk.face.engine import EngineUnusable

    try:
        attempt()
    except EngineUnusable as error:
        return str(error)
    return ""


def _calibrate(options: argparse.Namespace) -> int:
    from kiosk.face.calibration import calibrate
    from kiosk.face.engine import EngineUnusable
    from kiosk.face.opening import open_engine

    if options.folder is None or not options.folder.is_dir():
        raise Stop("name a folder with one folder of pictures for each person: kiosk face calibrate DIR")
    models = options.state / "models" if options.state else Path("models")
    try:
        found = calibrate(open_engine(options.engine, models), options.folder, tell=_tell)
    except EngineUnusable as error:
        raise Stop(str(error), NOT_FINE) from error
    say_answer(options, found.as_json(), found.as_text())
    return FINE if found.rows else NOT_FINE


def _tell(done: int) -> None:
    if done % 50 == 0:
        print(f"{done} pictures", file=sys.stderr)


def _state(options: argparse.Namespace) -> Path:
    if options.state is None:
        raise Stop(f"kiosk face {options.action} needs --state DIR")
    state: Path = options.state
    return state


def _settings(options: argparse.Namespace) -> Any:
    if options.config is None:
        raise Stop(f"kiosk face {options.action} needs --config DIR")
    return settings_of(options.config, options.site)
