"""Which files of weights may be loaded: a pinned list, where each lies on this computer, and whether it is that very file.

Files come from an installed package or from the operator's hand (`kiosk models add FILE`). Nothing is ever downloaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from kiosk.face.engine import EngineUnusable

MODELS_FOLDER: Final = "models"
CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One file of weights. `package` ships it, "" where the operator brings it."""

    name: str
    engine: str
    file: str
    sha256: str
    bytes: int
    licence: str
    package: str = ""

    def path(self, models: Path) -> Path:
        """Where it lies, or would lie. The package is looked up, never imported: its code wants a setuptools of its day."""
        if not self.package:
            return models / self.file
        try:
            inside = f"{self.package.replace('-', '_')}/models/{self.file}"
            return Path(str(distribution(self.package).locate_file(inside)))
        except PackageNotFoundError:
            return models / self.file

    def trouble(self, path: Path) -> str:
        """Why it must not be loaded; "" when it is the pinned file."""
        try:
            found = _sha256(path)
        except FileNotFoundError:
            return f"{self.file} is missing: {self._remedy()}"
        except OSError as error:
            return f"{path} cannot be read ({error.strerror}): its owner must be the user that runs kiosk"
        if found != self.sha256:
            return f"{path} is not the file that this program knows (SHA-256 {found[:12]}…): {self._remedy()}"
        return ""

    def _remedy(self) -> str:
        return "install campus-kiosk[face] again" if self.package else f"bring it with `kiosk models add {self.file}`"


def manifest() -> tuple[Model, ...]:
    raw = tomllib.loads(files("kiosk.face").joinpath("manifest.toml").read_text(encoding="utf-8"))
    return tuple(Model(**row) for row in raw["model"])


def models_of(engine: str) -> dict[str, Model]:
    """By name. Raises EngineUnusable for an engine that there is not."""
    found = {model.name: model for model in manifest() if model.engine == engine}
    if not found:
        known = ", ".join(sorted({model.engine for model in manifest()}))
        raise EngineUnusable(f"there is no face engine {engine!r}: choose one of {known}")
    return found


def checked(engine: str, models: Path) -> dict[str, Path]:
    """The files of one engine, each compared with its pinned SHA-256. Raises EngineUnusable."""
    paths: dict[str, Path] = {}
    for name, model in models_of(engine).items():
        paths[name] = model.path(models)
        if trouble := model.trouble(paths[name]):
            raise EngineUnusable(trouble)
    return paths


def add(file: Path, models: Path) -> Model:
    """Takes a file that the operator brought, known by its SHA-256 and not by its name. Raises EngineUnusable, OSError."""
    found = _sha256(file)
    model = next((one for one in manifest() if one.sha256 == found), None)
    if model is None:
        wanted = ", ".join(one.file for one in manifest() if not one.package)
        raise EngineUnusable(f"{file} is none of the files that this program knows (SHA-256 {found[:12]}…); it takes {wanted}")
    models.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = models / f"{model.file}.part"
    shutil.copyfile(file, draft)
    with draft.open("rb+") as copy:
        os.fsync(copy.fileno())
    draft.replace(models / model.file)
    return model


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
