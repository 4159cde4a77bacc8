"""Files that are there whole after a power cut or not at all, and keys that only their owner can read.

It knows nothing of what the bytes mean.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

UNFINISHED: Final = ".part"
RESTORING: Final = "restoring"  # in the folder that is filled: /var/lib, above it, is not ours to write


class KeyFileError(Exception):
    """The key file is missing beside sealed files, damaged, or open to others; the sentence says what to do."""


def write_whole(path: Path, content: bytes) -> None:
    """Durable and whole, or not there: after a power cut nobody finds half a file. Raises OSError."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def make_folder(folder: Path, *, mode: int = 0o700) -> None:
    """A new folder, and each new one above it, outlives a power cut: each name is written where it stands. Raises OSError.

    mode: of the folder itself; the ones above it are made as usual.
    """
    if not folder.is_dir():
        make_folder(folder.parent, mode=0o777)
        folder.mkdir(mode=mode, exist_ok=True)
        fsync_folder(folder.parent)


def fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_key(path: Path, *, size: int, may_create: bool, sealed: str) -> bytes:
    """The key; a new one where nothing is sealed yet. `sealed` names what would be lost. Raises KeyFileError."""
    try:
        key, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        if not may_create:
            raise KeyFileError(
                f"{path} is missing, but {sealed} are sealed under it: restore it from a backup, or delete them to start anew"
            ) from None
        return _create_key(path, size)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror}): its owner must be the user that runs kiosk") from error
    if mode & 0o077:
        raise KeyFileError(f"{path} can be read by others: run `chmod 600 {path}`")
    if len(key) != size:
        raise KeyFileError(f"{path} must hold {size} bytes and holds {len(key)}: restore it from a backup")
    return key


def _create_key(path: Path, size: int) -> bytes:
    key = secrets.token_bytes(size)
    try:
        make_folder(path.parent)
        write_whole(path, key)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written ({error.strerror}): check the disk and its permissions") from error
    return key
